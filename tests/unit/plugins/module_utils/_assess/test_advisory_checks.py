# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How old the table of known vulnerabilities may be."""

from __future__ import annotations

import datetime

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.advisories import advisory_findings, vulnerability_advisories
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, PASSED
from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerability_table import VulnerabilityTable


def aged(days: int) -> VulnerabilityTable:
    return VulnerabilityTable(made.TABLE.date - datetime.timedelta(days=days), (), {})


@pytest.mark.parametrize(
    ("days", "given", "advisories_fail_at", "status"),
    [
        (0, False, "never", PASSED),
        (30, True, "high", PASSED),
        (31, True, "never", FAILED),
        (31, False, "high", FAILED),
        (31, False, "never", NOT_APPLICABLE),
    ],
)
def test_an_old_table_fails_a_run_that_relies_on_it(days: int, given: bool, advisories_fail_at: str, status: str) -> None:
    evidence = made.evidence(table=aged(days), table_given=given)
    (finding,) = advisory_findings(evidence, advisories_fail_at)
    assert (finding.control, finding.status, finding.subject) == ("advisories-age", status, "beam")
    assert f"{days} days old" in finding.details[0]
    notes = [one.control for one in vulnerability_advisories(evidence, advisories_fail_at)]
    assert notes == (["advisories-age"] if status == NOT_APPLICABLE else [])

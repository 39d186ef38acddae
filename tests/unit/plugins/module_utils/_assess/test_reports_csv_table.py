# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CSV: RFC 4180, one row for each finding and advisory, and no cell that a spreadsheet evaluates."""

from __future__ import annotations

import csv
import io

import pytest
import verdicts
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import csv_table


def rows_of(verdict: verdicts.Verdict) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_table.text(verdicts.report(verdict)), newline="")))


@pytest.mark.parametrize("kind", verdicts.KINDS)
def test_one_row_for_each_finding_and_advisory(kind: str) -> None:
    verdict = verdicts.KINDS[kind]()
    rows = rows_of(verdict)
    assert len(rows) == len(verdict.findings) + len(verdict.advisories)
    assert set(rows[0]) == set(csv_table.COLUMNS), "no cell too many, none too few"
    assert csv_table.text(verdicts.report(verdict)).count("\r\n") == len(rows) + 1


def test_the_cells() -> None:
    rows = {(row["id"], row["subject"]): row for row in rows_of(verdicts.failed())}
    lost = rows["mesh-connected", "beam@n1 -> beam@n2"]
    assert (lost["status"], lost["severity"], lost["hosts"]) == ("failed", "critical", "n1 n2")
    assert rows["unit-sandbox", "beam@n1"]["waived"] == "a device & a <driver> (until 2026-12-31, ops)"
    assert rows["CVE-2026-89422", "n1"]["status"] == "reported"

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which platforms are refused, and which are tried."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.host_facts import Distribution
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._plan import platform_rules


@pytest.mark.parametrize(
    ("system", "accepted", "refused"),
    [
        (Distribution("debian", "13"), False, False),
        (Distribution("ubuntu", "26.04", ("debian",)), False, False),
        (Distribution(), False, False),
        (Distribution("rocky", "9.7", ("rhel", "centos", "fedora")), False, True),
        (Distribution("mine"), False, True),
        (Distribution("rocky", "9.7", ("rhel",)), True, False),
    ],
)
def test_platforms(system: Distribution, accepted: bool, refused: bool) -> None:
    problems = Problems()
    platform_rules.validate_platform("n1", system, accepted, problems)
    assert [problem.rule for problem in problems] == ["platform_unsupported"] * refused

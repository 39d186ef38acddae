# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox of EPMD in an audit: of the unit in which it runs, if that is none of a node."""

from __future__ import annotations

from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_TESTED, PASSED, Finding
from changes import Change, both, findings
from without_plan import audited


def of_host(change: Change) -> list[Finding]:
    return [one for one in findings(audited(change), "unit-sandbox") if one.subject == "n2"]


def in_unit(unit: str | None) -> Change:
    return lambda n2: n2["processes"][1].update(unit=unit)


def rated(name: str, exposure: float | None) -> Change:
    def change(n2: dict[str, Any]) -> None:
        n2["units"][name] = made.unit(exposure=exposure)

    return change


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (rated("epmd.service", 0.7), PASSED, "epmd.service: exposure level 0.7"),
        (rated("epmd.service", 9.2), FAILED, "epmd.service: exposure level 9.2, not 1.5 or lower"),
        (both(in_unit("other.service"), rated("other.service", 9.6)), FAILED, "other.service: exposure level 9.6"),
        (in_unit("session-3.scope"), FAILED, "EPMD runs in session-3.scope, not in a service: it has no sandbox"),
        (in_unit(None), FAILED, "EPMD runs in no unit"),
        (rated("epmd.service", None), NOT_TESTED, "epmd.service: its sandbox was not looked at"),
        (in_unit("gone.service"), NOT_TESTED, "gone.service: its sandbox was not looked at"),
    ],
)
def test_the_unit_in_which_it_runs(change: Change, status: str, says: str) -> None:
    (found,) = of_host(change)
    assert found.status == status and says in found.details[0]


def test_one_that_a_node_started_is_in_the_sandbox_of_the_node() -> None:
    assert of_host(in_unit("beam.service")) == []


def test_without_epmd_there_is_nothing_to_confine() -> None:
    assert of_host(lambda n2: n2["processes"].pop()) == []


DROP_IN = made.EPMD["service"]
BEFORE, AFTER = "/etc/systemd/system/epmd.service.d/aa.conf", "/etc/systemd/system/epmd.service.d/zzzz.conf"


@pytest.mark.parametrize(
    ("values", "status", "says"),
    [
        ({}, PASSED, "exposure level 0.7"),
        ({"user": ""}, FAILED, "epmd.service runs its next process as root, not as epmd: remove User= from its drop-ins"),
        ({"stale": True, "need_daemon_reload": True}, FAILED, "epmd.service: systemd has not read its files since they changed"),
        ({"drop_ins": []}, FAILED, f"epmd.service does not use {DROP_IN}. Run beam.cluster.site"),
        ({"drop_ins": [DROP_IN, AFTER]}, FAILED, f"{AFTER} comes after {DROP_IN} and can undo it"),
        ({"drop_ins": [BEFORE, DROP_IN]}, PASSED, "exposure level 0.7"),
        (
            {"drop_ins": [BEFORE, DROP_IN], "start_files": [{"path": BEFORE, "by": [], "changed": True}]},
            FAILED, f"{BEFORE} was changed after epmd.service started, and is in force at its next start",
        ),
        # An upgrade of the program is no change of the sandbox.
        ({"start_files": [{"path": "/usr/bin/epmd", "by": [], "changed": True}]}, PASSED, "exposure level 0.7"),
        ({"start_files": None}, NOT_TESTED, "what drop-ins do to its sandbox was not looked at"),
    ],
)
def test_the_next_start_of_the_planned_one(values: dict[str, Any], status: str, says: str) -> None:
    seen = made.hosts()
    seen["n2"]["units"]["epmd.service"].update(values)
    (found,) = (one for one in evaluate(made.evidence(seen=seen)).findings if one.control == "unit-sandbox" and one.subject == "n2")
    assert found.status == status and any(says in detail for detail in found.details), found.details

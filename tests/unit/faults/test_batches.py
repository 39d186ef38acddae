# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seeded faults are whole as data, and the runner reads reports as it should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import BY_ID

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "faults"))
from batches import SMALL, all_faults, batches, result, selected
from fault import Fault

FAULTS = all_faults("erlang")


def test_names_are_unique_and_the_small_ones_exist() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names)) >= 110
    assert {fault.name for fault in selected(FAULTS, "small")} == set(SMALL)
    assert len(batches(selected(FAULTS, "small"))) == 1


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_whole(fault: Fault) -> None:
    assert fault.control in BY_ID
    assert fault.names and fault.repair
    for script in (fault.breaks, fault.repair):
        assert subprocess.run(["bash", "-n"], input=script, text=True, check=False, capture_output=True).stderr == ""


def test_every_fault_is_in_one_batch_and_no_batch_has_a_host_twice() -> None:
    made = batches(FAULTS)
    assert sorted(fault.name for batch in made for fault in batch) == sorted(fault.name for fault in FAULTS)
    assert all(len({fault.host for fault in batch}) == len(batch) for batch in made)


def test_a_report_is_read_by_control_host_and_words() -> None:
    fault = Fault(name="x", breaks="", control="links", names=("192.0.2.9",), repair="")
    report = {"findings": [{"control": "links", "status": "failed", "hosts": ["n1"], "subject": "beam@n1", "details": ["to 192.0.2.9"]}]}
    assert result(report, fault).named
    report["findings"][0]["details"] = ["to another"]
    assert (result(report, fault).found, result(report, fault).named) == (True, False)
    report["findings"][0]["status"] = "not_tested"
    assert not result(report, fault).found

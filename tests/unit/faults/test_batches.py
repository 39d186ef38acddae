# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The seeded faults are whole as data, and the runner reads reports as it should."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import _SUBJECTS, BY_ID

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "faults"))
from batches import SMALL, all_faults, batches, hides, result, results, selected
from fault import ANCHORS, BESIDE, CERTIFICATE, COOKIE, KEY, LIVE, MESH, NODE, OPTIONS, Fault
from unseeded import NO_FAULT, NOT_YET

FAULTS = all_faults("erlang")


def test_names_are_unique_and_the_small_ones_exist() -> None:
    names = [fault.name for fault in FAULTS]
    assert len(names) == len(set(names)) >= 140
    assert {fault.name for fault in selected(FAULTS, "small")} == set(SMALL)
    assert len(batches(selected(FAULTS, "small"))) == 1


def test_a_fault_is_in_the_file_of_its_controls_subject() -> None:
    subjects = {control.id: module.__name__.rpartition(".")[2] for module in _SUBJECTS for control in module.CONTROLS}
    for subject in set(subjects.values()):
        if (Path(batches.__code__.co_filename).parent / f"{subject}.py").exists():
            assert {subjects[fault.control] for fault in importlib.import_module(subject).FAULTS} == {subject}
    assert {subjects[fault.control] for fault in FAULTS} <= {path.stem for path in Path(batches.__code__.co_filename).parent.glob("*.py")}


def test_every_control_has_a_fault_or_a_reason() -> None:
    seeded = {fault.control for fault in FAULTS}
    looked_at = {name for name, control in BY_ID.items() if not control.audit_only}
    assert seeded <= looked_at, "verify leaves out what is for audits only"
    assert sorted(looked_at - seeded) == sorted({*NO_FAULT, *NOT_YET})
    assert not NOT_YET & set(NO_FAULT)


@pytest.mark.parametrize("fault", [*FAULTS, *all_faults("rabbitmq"), *all_faults("ejabberd")], ids=lambda fault: f"{fault.product}: {fault.name}")
def test_a_fault_is_whole(fault: Fault) -> None:
    assert fault.control in BY_ID
    assert fault.names and fault.repair
    for script in (fault.breaks, fault.repair):
        assert subprocess.run(["bash", "-n"], input=script, text=True, check=False, capture_output=True).stderr == ""


def test_every_fault_is_in_one_batch_and_no_batch_has_two_that_hide_each_other() -> None:
    made = batches(FAULTS)
    assert sorted(fault.name for batch in made for fault in batch) == sorted(fault.name for fault in FAULTS)
    assert len(made) < len(FAULTS) / 4
    assert not any(hides(one, other) for batch in made for at, one in enumerate(batch) for other in batch[:at])


def _fault(name: str, host: str, control: str, alters: str, *names: str) -> Fault:
    return Fault(name=name, breaks="", control=control, names=names or (name,), repair="", host=host, alters=alters)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (_fault("a", "n1", "tls-options", OPTIONS), _fault("b", "n1", "old-tls", OPTIONS), False),
        (_fault("a", "n1", "tls-options", OPTIONS), _fault("b", "n1", "allow-list", NODE), True),
        (_fault("a", "n1", "allow-list", LIVE), _fault("b", "n1", "allow-list", NODE), False),
        (_fault("a", "n1", "allow-list", LIVE), _fault("b", "n1", "allow-list", LIVE), True),
        (_fault("a", "n1", "key-belongs", KEY), _fault("b", "n1", "certificate-names", CERTIFICATE), False),
        (_fault("a", "n1", "certificate-purposes", CERTIFICATE), _fault("b", "n1", "certificate-names", CERTIFICATE), True),
        (_fault("a", "n1", "links", NODE), _fault("b", "n2", "links", NODE), True),
        (_fault("a", "n1", "links", NODE), _fault("b", "n1", "trust-anchors", ANCHORS), False),
        (_fault("a", "n1", "cookie-strength", COOKIE), _fault("b", "n1", "trust-anchors", ANCHORS), True),
        (_fault("a", "n1", "mesh-node", MESH), _fault("b", "n2", "trust-anchors", ANCHORS), False),
        (_fault("a", "n1", "mesh-node", MESH), _fault("b", "n2", "cookie-copies", BESIDE), True),
        (_fault("a", "n1", "mesh-node", MESH), _fault("b", "n1", "tls-options", OPTIONS), False),
        (_fault("a", "n1", "mesh-node", MESH), _fault("b", "n2", "tls-options", OPTIONS), True),
        (_fault("a", "n1", "mesh-node", MESH), _fault("b", "n2", "mesh-node", MESH), False),
        (_fault("a", "n1", "cookie-copies", BESIDE, "/tmp/a"), _fault("b", "n1", "cookie-copies", BESIDE, "/tmp/b"), True),
        (_fault("a", "n1", "cookie-copies", BESIDE, "/tmp/a"), _fault("b", "n1", "cookie-copies", BESIDE, "/tmp/ab"), False),
    ],
)
def test_faults_are_tried_together_that_do_not_hide_each_other(one: Fault, other: Fault, together: bool) -> None:
    assert hides(one, other) != together
    assert hides(other, one) != together


def test_two_faults_of_one_control_on_one_host_are_told_apart_by_their_details() -> None:
    both = [_fault("a", "n1", "links", BESIDE, "one", "same"), _fault("b", "n1", "links", BESIDE, "other", "same")]
    report = {"findings": [{"control": "links", "status": "failed", "hosts": ["n1"], "subject": "n1", "details": ["one and the same", "other"]}]}
    assert [each.found for each in results(report, both).values()] == [True, False]


def test_a_report_is_read_by_control_host_and_words() -> None:
    fault = Fault(name="x", breaks="", control="links", names=("192.0.2.9",), repair="")
    report = {"findings": [{"control": "links", "status": "failed", "hosts": ["n1"], "subject": "beam@n1", "details": ["to 192.0.2.9"]}]}
    assert result(report, fault).named
    report["findings"][0]["details"] = ["to another"]
    assert (result(report, fault).found, result(report, fault).named) == (True, False)
    report["findings"][0]["status"] = "not_tested"
    assert not result(report, fault).found

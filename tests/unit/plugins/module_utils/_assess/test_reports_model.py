# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model that all outputs share: what failed with its symptoms, what was not tested and why, fingerprints, days left."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace

import pytest
import verdicts
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import BY_ID
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_OBSERVED, NOT_TESTED, Finding, Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Scope
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import terminal
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.formats import FORMATS
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import LIFETIME, Report, fold


def failing(control: str, subject: str, cause: str = "", status: str = FAILED) -> Finding:
    return Finding(control, status, (subject.partition("@")[2] or subject,), subject, ("seen",), cause=cause)


def test_symptoms_are_folded_under_their_cause() -> None:
    found = [
        failing("cookie-file", "beam@n2"),
        failing("mesh-connected", "beam@n1 -> beam@n2", "cookie-file"),
        failing("plaintext", "beam@n2", "mesh-connected", NOT_TESTED),
        failing("private-key", "beam@n1"),
    ]
    faults, gaps = fold(found)
    assert {(fault.control.id, fault.findings, fault.symptoms) for fault in faults} == {
        ("cookie-file", (found[0],), (found[1], found[2])),
        ("private-key", (found[3],), ()),
    }
    assert not gaps
    assert faults[0].control.id == "cookie-file", "what most follows from comes first"
    assert faults[0].symptoms_text() == "mesh-connected, plaintext"


def test_a_cause_that_did_not_fail_hides_nothing() -> None:
    found = [failing("plaintext", "beam@n2", "mesh-connected", NOT_TESTED), failing("unit-sandbox", "beam@n1", "no-such-control")]
    faults, gaps = fold(found)
    assert [fault.findings for fault in faults] == [(found[1],)]
    assert [(gap.reason, gap.findings) for gap in gaps] == [("mesh-connected fails", (found[0],))]


def test_causes_in_a_circle_hide_nothing() -> None:
    found = [failing("plaintext", "beam@n1", "private-key"), failing("private-key", "beam@n1", "plaintext")]
    faults, gaps = fold(found)
    assert {finding for fault in faults for finding in (*fault.findings, *fault.symptoms)} == set(found)
    assert not gaps


@pytest.mark.parametrize("kind", verdicts.KINDS)
def test_every_failure_shows_once(kind: str) -> None:
    report = verdicts.report(verdicts.KINDS[kind]())
    shown = [finding for fault in report.faults for finding in (*fault.findings, *fault.symptoms)]
    shown += [finding for gap in report.gaps for finding in gap.findings]
    assert sorted(one.fingerprint for one in shown) == sorted(one.fingerprint for one in report.verdict.failures)
    assert len({one.fingerprint for one in report.verdict.findings}) == len(report.verdict.findings), "a fingerprint is one finding's"


def test_a_fingerprint_is_that_of_control_host_and_subject() -> None:
    finding = failing("plaintext", "beam@n1")
    assert finding.fingerprint == replace(finding, details=("other",), status=NOT_TESTED, cause="x", waiver="y").fingerprint
    others = [replace(finding, control="old-tls"), replace(finding, subject="beam@n2"), replace(finding, hosts=("n2",))]
    assert len({one.fingerprint for one in (finding, *others)}) == 4
    assert finding.fingerprint == hashlib.sha256(b"plaintext\nn1\nbeam@n1").hexdigest(), "a report of an older release has the same"


def test_one_lost_node_is_one_fault() -> None:
    report = verdicts.report(verdicts.one_lost())
    (fault,) = report.faults
    assert fault.control.id == "mesh-node" and [finding.subject for finding in fault.findings] == ["beam@n2"]
    assert {finding.status for finding in fault.symptoms} == {FAILED, NOT_TESTED} and len(fault.symptoms) >= 20
    assert f"1 cause, from which {len(fault.symptoms)} results follow" in report.headline
    assert {gap.reason: len(gap.controls) for gap in report.gaps}[NOT_OBSERVED] >= 13


def test_the_certificate_that_ends_first_is_in_front() -> None:
    verdict = verdicts.passed()
    (pair,) = (pair for pair in verdict.connections if pair == ("beam@n1", "beam@n3"))
    answer = replace(verdict.connections[pair], tls=made.session(peer=made.peer("n3", not_after="2026-12-01T00:00:00Z")))
    assert LIFETIME in BY_ID
    told = Report(replace(verdict, connections={**verdict.connections, pair: answer}), made.NOW).lifetimes
    assert [one.node for one in told] == ["beam@n3", "beam@n1", "beam@n2"]
    assert (told[0].until, round(told[0].days or 0)) == ("2026-12-01T00:00:00Z", 13)
    assert [one.days for one in Report(replace(verdict, connections={}), made.NOW).lifetimes] == [None] * 3


def seconds_for(verdict: Verdict) -> float:
    began = time.process_time()
    report = verdicts.report(verdict)
    for form in FORMATS.values():
        form.text(report)
    terminal.lines(report)
    return time.process_time() - began


def test_96_nodes_stay_small_and_time_is_linear() -> None:
    for size, scope in ((96, Scope()), (50, Scope(pairs_max=10**6))):
        report = verdicts.report(verdicts.large(size, scope))
        sizes = {name: len(form.text(report).encode()) for name, form in FORMATS.items()}
        assert sizes["html"] < 1_000_000, "people open it"
        assert max(sizes.values()) < 3_200_000, sizes
    few, many = (verdicts.large(size, answer=verdicts.lost_pair) for size in (60, 240))
    assert seconds_for(many) < 9 * seconds_for(few) + 0.2, "four times as many nodes"
    pages = [len(FORMATS["html"].text(verdicts.report(verdict))) for verdict in (few, many)]
    assert pages[1] < 5 * pages[0]


def test_severities_are_in_order() -> None:
    faults, _gaps = fold([failing(control.id, "n1") for control in BY_ID.values()])
    ranks = ["critical", "high", "medium", "low", "info"]
    assert [ranks.index(fault.control.severity) for fault in faults] == sorted(ranks.index(fault.control.severity) for fault in faults)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit from its probes to its exit: what is asked from where, what an answer proves, and policy, baseline, score and waivers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import stock_hosts as stock
from ansible_collections.beam.cluster.plugins.module_utils._assess import audit_exit_codes, audit_summary, baseline
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import ATTACK_BY_ID
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_exit_codes import ANY, CODES, exit_of
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_probes import CLEAR, ENCRYPTED, AuditQuestions, options_without_credentials
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_reached_hosts import AUDITED, UNREACHABLE, Reach
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks.audit_attacks import NOT_WITHOUT
from ansible_collections.beam.cluster.plugins.module_utils._assess.discover import discover
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import (
    FAILED,
    NOT_APPLICABLE,
    NOT_TESTED,
    PASSED,
    Evidence,
    Finding,
    Verdict,
)
from ansible_collections.beam.cluster.plugins.module_utils._assess.policy import NodePolicy, Policy, PolicyError, differences, policy_from
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import REACHES, Answer, Probe
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import json_data
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import Report
from ansible_collections.beam.cluster.plugins.module_utils._assess.score import score
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.waivers import Waiver
from without_plan import audited, hardened

Told = Callable[[Probe], "Answer | None"]
EPMD = stock.listener(4369, 1, "127.0.0.1", "epmd")
FLAGS = {"name": "a", "proto_dist": "inet_tls", "proto_dist_given": 1, "ssl_options_file": "/etc/app/ssl_dist.conf"}


def box(number: int, **values: Any) -> dict[str, Any]:
    addresses = [dict(entry) for entry in stock.ADDRESSES]
    addresses[1]["address"] = f"10.9.0.{number}"
    listeners = (EPMD, stock.listener(4001, 7, f"10.9.0.{number}"))
    node = stock.vm(7, {**FLAGS, "name": f"a@box{number}"})
    return stock.host(node, names={"a": 4001}, listeners=listeners, addresses=addresses, **values)


def stock_node(probe: Probe) -> Answer | None:
    if probe.control == REACHES:
        return Answer(probe, "epmd_closed", "epmd")
    attack = ATTACK_BY_ID[probe.control]
    if attack.protocol == "epmd":
        return Answer(probe, "connected", "epmd")
    if probe.control in ("plaintext", "wrong-cookie"):
        return Answer(probe, "cookie_refused_theirs", "ack")
    return Answer(probe, "tls_on_plaintext", "tls")


def audit(answer: Told = hardened, waivers: tuple[Waiver, ...] = (), outsiders: tuple[str, ...] = ("out",), **other: Any) -> Verdict:
    told = {key: other.pop(key) for key in ("epmd_names",) if key in other}
    raws = {"n1": {**box(1), **told}, "n2": {**box(2), **told}}
    seen = {name: Observation.parse(name, raw) for name, raw in raws.items()}
    reach = {name: Reach(name, AUDITED) for name in seen}
    target = discover(seen, other.pop("gone", ()))
    asked = AuditQuestions.of(target, seen)
    probes = [probe for name in seen for probe in asked.of_vantage(name, False)]
    probes += [probe for name in outsiders for probe in asked.of_vantage(name, True)]
    answers = [told for told in map(answer, probes) if told]
    reach.update({name: Reach(name, UNREACHABLE, "timed out") for name in target.hosts if name not in seen})
    given = Evidence(target, seen, answers, {}, outsiders, 1_795_000_000.0, reach=reach, asked=asked, **other)
    return evaluate(given, waivers)


def by_control(verdict: Verdict) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in verdict.findings:
        found.setdefault(one.control, set()).add(one.status)
    return found


ATTACKED = ("outside-epmd", "outside-distribution-port", "local-epmd", "local-distribution-port", "plaintext", "old-tls", "no-certificate")


# -- probes -----------------------------------------------------------------------------------------------------------------------------------


def test_a_host_probes_its_own_nodes_and_others_and_as_another_user() -> None:
    seen = {"n1": Observation.parse("n1", box(1)), "n2": Observation.parse("n2", box(2))}
    asked = AuditQuestions.of(discover(seen), seen)
    made = asked.of_vantage("n1", False)
    own = {probe.control for probe in made if probe.host == "n1"}
    assert own == {"plaintext", "wrong-cookie", "old-tls", "no-certificate", "foreign-certificate", "local-epmd", "local-distribution-port"}
    assert {probe.control for probe in made if probe.host == "n2"} == {"plaintext", "old-tls", "no-certificate", "foreign-certificate", REACHES}
    assert {probe.control for probe in asked.of_vantage("out", True)} == {"outside-epmd", "outside-distribution-port", REACHES}
    assert AuditQuestions.from_dict(json.loads(json.dumps(asked.as_dict()))).of_vantage("n1", False) == made


def test_no_probe_shows_anything_of_a_member() -> None:
    seen = {"n1": Observation.parse("n1", box(1)), "n2": Observation.parse("n2", box(2))}
    asked = AuditQuestions.of(discover(seen), seen)
    for probe in (*asked.of_vantage("n1", False), *asked.of_vantage("out", True)):
        entry = options_without_credentials(probe)
        assert "name" not in entry, "one fixed name"
        assert entry.get("epmd_only") or entry.get("present") in ("none", "foreign") or entry.get("plaintext")
        assert entry.get("epmd_only") or entry.get("wrong_cookie") or entry["cookie"] == "nocookie"


def test_a_thousand_hosts_are_probed_by_three_others_each() -> None:
    seen = {f"n{number}": Observation.parse(f"n{number}", {**box(1), "addresses": [], "epmd_names": {"a": 4001}}) for number in range(1000)}
    asked = AuditQuestions.of(discover(seen), seen)
    vantages = asked._others["n0"]
    assert len(vantages) == len(set(vantages)) == 3 and "n0" not in vantages


# -- outcomes ---------------------------------------------------------------------------------------------------------------------------------


def test_hardened_hosts_pass_what_can_be_probed_without_a_plan() -> None:
    found = by_control(audit())
    assert {control: found[control] for control in ATTACKED} == {control: {PASSED} for control in ATTACKED}
    assert found["other-name"] == found["wrong-cookie"] == found["member-public-epmd"] == {NOT_APPLICABLE}


def test_stock_nodes_fail_and_are_not_blamed_for_tls_that_they_do_not_speak() -> None:
    found = by_control(audit(stock_node))
    assert {one for one in ATTACKED if found[one] == {FAILED}} == set(ATTACKED) - {"old-tls", "no-certificate"}
    assert found["old-tls"] == found["no-certificate"] == found["foreign-certificate"] == {NOT_APPLICABLE}
    assert found["wrong-cookie"] == {PASSED}


def without(*controls: str, vantage: str = "") -> Told:
    """Hardened hosts, and no answer to these probes."""

    def answer(probe: Probe) -> Answer | None:
        return None if probe.control in controls and vantage in ("", probe.vantage) else hardened(probe)

    return answer


def silent(probe: Probe) -> Answer | None:
    """A host at which nothing answers at all."""
    return Answer(probe, "epmd_filtered" if probe.control == REACHES or probe.port == 4369 else "filtered", "connect")


def test_no_refusal_counts_without_a_positive_control_from_the_same_place() -> None:
    found = by_control(audit(silent))
    assert {control for control in ATTACKED if found[control] != {NOT_TESTED}} == {"local-epmd"}, "EPMD has answered root, at the same place"
    mute = by_control(audit(silent, epmd_names=None))
    assert mute["local-epmd"] == {NOT_TESTED}
    no_way = by_control(audit(without(REACHES)))
    assert no_way["outside-epmd"] == no_way["outside-distribution-port"] == {NOT_TESTED}
    assert no_way["plaintext"] == {PASSED}, "the host itself is another place"
    alone = by_control(audit(without("plaintext", "wrong-cookie", "old-tls", "foreign-certificate")))
    assert alone["no-certificate"] == {NOT_TESTED}


@pytest.mark.parametrize("control", ATTACKED)
def test_a_probe_that_was_not_made_is_not_tested(control: str) -> None:
    assert NOT_TESTED in by_control(audit(without(control)))[control]


def test_without_an_outsider_the_outside_is_not_tested() -> None:
    assert by_control(audit(outsiders=()))["outside-epmd"] == {NOT_TESTED}


# -- exit and score ---------------------------------------------------------------------------------------------------------------------------


def clean(verdict: Verdict, *worse: Finding) -> Verdict:
    """The verdict without what is not as it should be, and what makes it worse."""
    good = tuple(one for one in verdict.findings if one.status in (PASSED, NOT_APPLICABLE))
    return replace(verdict, findings=(*good, *worse))


FAILURE = Finding("plaintext", FAILED, ("n1",), "a@box1", ("x",))
UNTESTED = Finding("plaintext", NOT_TESTED, ("n1",), "a@box1", ("x",))
GONE = Finding("audit-coverage", NOT_TESTED, ("n3",), "n3", ("x",))
IDLE = Finding("waivers", FAILED, (), "waiver-1", ("covers nothing",))


@pytest.mark.parametrize(
    ("worse", "category"),
    [
        ((), "clean"),
        ((FAILURE,), "findings"),
        ((UNTESTED,), "not_tested"),
        ((GONE,), "not_reached"),
        ((IDLE,), "bad_waiver"),
        ((FAILURE, UNTESTED, GONE, IDLE), "bad_waiver"),
        ((FAILURE, UNTESTED, GONE), "findings"),
        ((UNTESTED, GONE), "not_reached"),
    ],
)
def test_each_end_has_its_own_number(worse: tuple[Finding, ...], category: str) -> None:
    verdict = clean(audit(gone=["n3"] if GONE in worse else ()), *worse)
    end = exit_of(verdict, "info")
    assert (end.category, end.code) == (category, CODES[category])
    assert len(set(CODES.values())) == len(CODES) and 1 not in CODES.values()


def test_only_failures_from_the_threshold_on_count() -> None:
    verdict = clean(audit(), replace(FAILURE, control="unit-sandbox"))
    assert [exit_of(verdict, at).category for at in ("low", "medium", "high", "never")] == ["findings", "findings", "clean", "clean"]


def test_the_score_is_withheld_where_something_was_not_tested() -> None:
    assert score(["critical"] * 9, [], 1).value is None
    assert "1 result is not tested" in str(score(["critical"], [], 1))
    assert score([], [], 0).value is None


@pytest.mark.parametrize(
    ("passed", "failed", "expected"),
    [
        (["critical"] * 9, [], (100, "A")),
        (["critical"] * 9, ["critical"], (39, "F")),
        (["critical"] * 9, ["high"], (69, "D")),
        (["critical"] * 9, ["medium"], (89, "B")),
        (["critical"] * 9, ["low"], (98, "A")),
        (["low"], ["low"], (50, "E")),
    ],
)
def test_the_score_follows_its_formula(passed: list[str], failed: list[str], expected: tuple[int, str]) -> None:
    found = score(passed, failed, 0)
    assert (found.value, found.letter) == expected


def test_hosts_that_were_not_reached_are_counted_once_for_all_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a finding made the exit of 1,000 hosts take minutes."""
    verdict, counted = audit(), []

    def count(of: Verdict) -> frozenset[str]:
        counted.append(of)
        return frozenset()

    monkeypatch.setattr(audit_exit_codes, "_not_reached", count)
    exit_of(verdict, "info")
    assert len(counted) == 1


# -- waivers ----------------------------------------------------------------------------------------------------------------------------------


def test_a_waiver_for_what_was_not_tested_gives_the_score_back_and_hides_no_failure() -> None:
    every = {one.control for one in audit().findings if one.status == NOT_TESTED}
    waivers = tuple(Waiver(control, "x", "2026-12-31", status="not_tested", owner="ops") for control in every)
    verdict = audit(waivers=waivers)
    assert verdict.score is not None and verdict.score.value is not None
    assert by_control(audit(stock_node, waivers))["plaintext"] == {FAILED}


def test_errors_of_waivers_and_idle_ones_fail_by_themselves() -> None:
    verdict = audit(waivers=(Waiver("mesh-members", "old", "2026-12-31", owner="ops"),), waiver_errors=("entry 2 ended on 2026-01-01.",))
    found = [(one.subject, one.details[0]) for one in verdict.findings if one.control == "waivers"]
    assert found == [("waiver-1", "entry 2 ended on 2026-01-01."), ("waiver-2", "covers nothing: mesh-members (old)")]
    assert exit_of(verdict, "info").category == "bad_waiver"


# -- baseline ---------------------------------------------------------------------------------------------------------------------------------

CHANGES = [
    ("failed", None, "new"),
    ("failed", "not_tested", "new"),
    ("failed", "passed", "regressed"),
    ("failed", "not_applicable", "regressed"),
    ("failed", "failed", "unchanged"),
    ("passed", "failed", "fixed"),
    ("not_applicable", "failed", "fixed"),
    ("not_tested", "failed", "unknown"),
    (None, "failed", "unknown"),
    ("passed", "passed", None),
]


@pytest.mark.parametrize(("now", "before", "change"), CHANGES)
def test_a_finding_is_compared_with_the_report_before(now: str | None, before: str | None, change: str | None) -> None:
    earlier = {"when": "2026-11-01", "findings": [{"fingerprint": "f", "status": before}] if before else []}
    found = baseline.compare(earlier, [("f", now)] if now else [])
    assert found.changes.get("f") == change


def test_a_waived_failure_of_the_report_before_was_a_failure() -> None:
    earlier = {"findings": [{"fingerprint": "f", "status": "waived", "waived_status": "failed"}]}
    assert baseline.compare(earlier, [("f", "failed")]).changes == {"f": "unchanged"}


def test_what_is_no_report_is_refused() -> None:
    for wrong in ({}, {"findings": [{"control": "x"}]}, {"findings": "x"}):
        with pytest.raises(baseline.BaselineError, match="fingerprints"):
            baseline.compare(wrong, [])


def test_fingerprints_are_stable_and_differ_by_what_they_are_about() -> None:
    assert FAILURE.fingerprint == "6d3148329137eac3e9a54078c53a2d2205bc3daa82b6099b0e0aec26ecb76d5e", "printf 'plaintext\\nn1\\na@box1' | sha256sum"
    assert replace(FAILURE, details=("y",), status=PASSED).fingerprint == FAILURE.fingerprint
    assert replace(FAILURE, hosts=("n2", "n1")).fingerprint == replace(FAILURE, hosts=("n1", "n2")).fingerprint
    marks = [one.fingerprint for one in audit().findings]
    assert len(marks) == len(set(marks)), "no two findings of a report have one fingerprint"


def test_only_new_failures_count_if_so_asked() -> None:
    first = audit(stock_node)
    earlier = json.loads(json.dumps(json_data.data(Report(first, 1.0))))
    again = replace(first, baseline=baseline.compare(earlier, [(one.fingerprint, one.status) for one in first.findings]))
    assert exit_of(again, "info", "new").counts["findings"] == 0
    assert exit_of(again, "info", ANY).counts["findings"] > 0
    worse = replace(again, findings=(*again.findings, replace(FAILURE, subject="b@box1")))
    worse = replace(worse, baseline=baseline.compare(earlier, [(one.fingerprint, one.status) for one in worse.findings]))
    assert exit_of(worse, "info", "new").counts["findings"] == 1


# -- policy -----------------------------------------------------------------------------------------------------------------------------------


def policy_of(verdict_host: str = "n1", answer: Told = hardened) -> Policy:
    seen = {"n1": Observation.parse("n1", box(1))}
    target = discover(seen)
    asked = AuditQuestions.of(target, seen)
    answers = [told for told in map(answer, asked.of_vantage("n1", False)) if told]
    return policy_from(target.hosts[verdict_host], seen["n1"], answers)


def test_a_policy_says_what_a_host_does_and_reads_back() -> None:
    made = policy_of()
    assert made.as_dict() == {
        "version": 1,
        "from": "n1",
        "epmd": "loopback",
        "nodes": {
            "bare": {"user": "app", "listens": "address", "ports": [4001, 4001], "transport": "tlsv1.3", "otp_min": "27.3.4.1", "core_dumps": False}
        },
    }
    assert Policy.parse(json.loads(json.dumps(made.as_dict()))) == made


def test_others_are_held_to_the_policy_and_each_difference_is_named() -> None:
    assert by_control(audit(policy=policy_of()))["policy"] == {PASSED}
    wanted = replace(policy_of().nodes["bare"], user="beam", otp_min="27.3.4.18", ports=(9100, 9109))
    verdict = audit(policy=Policy("n1", {"bare": wanted}, "nowhere"))
    (node,) = (one for one in verdict.findings if one.control == "policy" and one.subject == "a@box2")
    assert node.details == (
        "user is app; the policy says beam",
        "ports is 4001; the policy says 9100-9109",
        "otp_min is 27.3.4.1; the policy says 27.3.4.18",
    )
    assert [one.details for one in verdict.findings if one.control == "policy" and one.subject == "n2"] == [
        ("epmd is loopback; the policy says nowhere",)
    ]


def test_what_is_not_known_does_not_meet_a_policy() -> None:
    assert list(differences(NodePolicy(user="a"), NodePolicy())) == [("user is not known; the policy says a", False)]
    assert not list(differences(NodePolicy(sandbox_max=1.5, transport="tlsv1.2"), NodePolicy(sandbox_max=1.1, transport="tlsv1.3")))
    assert list(differences(NodePolicy(core_dumps=False), NodePolicy(core_dumps=True)))


WRONG: list[tuple[Mapping[str, Any], str]] = [
    ({"nodes": {}}, "version 1"),
    ({"version": 1, "nodes": {}, "x": 1}, "unknown key 'x'"),
    ({"version": 1, "nodes": {}, "epmd": "public"}, "unknown value 'public'"),
    ({"version": 1, "nodes": {"bare": []}}, "not a dictionary"),
    ({"version": 1, "nodes": {"bare": {"port": 1}}}, "unknown key 'port'"),
    ({"version": 1, "nodes": {"bare": {"ports": [2, 1]}}}, "nodes.bare.ports"),
    ({"version": 1, "nodes": {"bare": {"otp_min": "new"}}}, "nodes.bare.otp_min"),
    ({"version": 1, "nodes": {"bare": {"transport": "ssl3"}}}, "nodes.bare.transport"),
    ({"version": 1, "nodes": {"bare": {"core_dumps": "no"}}}, "nodes.bare.core_dumps"),
]


@pytest.mark.parametrize(("raw", "says"), WRONG)
def test_a_wrong_policy_is_refused_by_name(raw: Mapping[str, Any], says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        Policy.parse(raw)


# -- what is printed --------------------------------------------------------------------------------------------------------------------------


def test_the_report_has_every_host_and_what_the_audit_cost() -> None:
    verdict = audit(gone=["n3"])
    end = exit_of(verdict, "info")
    answers = [outcome.answer for outcome in verdict.outcomes]
    paid = audit_summary.cost(answers)
    assert {entry["node"]: entry["handshakes"] for entry in paid} == {"a@box1": 4, "a@box2": 4}
    data = json.loads(json.dumps(audit_summary.data(verdict, end, paid)))
    assert [(one["host"], one["state"]) for one in data["reach"]] == [("n1", "audited"), ("n2", "audited"), ("n3", "unreachable")]
    assert data["exit"]["code"] == 4 or data["exit"]["category"] in ("findings", "not_reached")
    lines = "\n".join((*audit_summary.head(verdict), *audit_summary.foot(end, paid)))
    assert "n3: Ansible could not connect (timed out)" in lines
    assert "8 handshakes with 2 nodes as beam_probe@outside.invalid" in lines


# -- hardened hosts ---------------------------------------------------------------------------------------------------------------------------


def test_hardened_hosts_have_no_failure_without_their_plan_and_say_what_needs_one() -> None:
    verdict = audited()
    assert [(one.control, one.subject, one.details) for one in verdict.findings if one.status == FAILED] == []
    needs = {one.control for one in verdict.findings if one.status == NOT_APPLICABLE and "needs a plan" in one.details[0]}
    assert {"firewall-rules", "firewall-boot", "mesh-members", "mesh-settings", "member-public-epmd", "expired-certificate"} <= needs
    passed = {one.control for one in verdict.findings if one.status == PASSED}
    assert {"private-key", "cookie-file", "options-file", "trust-anchors", "key-belongs", "distribution-listeners", "unit-sandbox"} <= passed


def test_an_attack_is_made_or_says_what_it_needs() -> None:
    without_handshake = {"outside-epmd", "outside-distribution-port", "local-epmd", "local-distribution-port"}
    assert {*ATTACK_BY_ID} - {*CLEAR, *ENCRYPTED} - without_handshake == {*NOT_WITHOUT}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers, advisories, limited runs, and each shape of a cluster."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import certificates as certificate_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, WAIVED, Evidence
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import CONNECT, Answer, Probe, Scope
from ansible_collections.beam.cluster.plugins.module_utils._model.waivers import Waiver

END = "2026-12-31"


def broken() -> Evidence:
    seen = made.hosts()
    seen["n2"]["units"]["beam.service"]["exposure"] = 2.1
    seen["n3"]["units"]["beam.service"]["exposure"] = 2.2
    return made.evidence(seen=seen)


# -- waivers ----------------------------------------------------------------------------------------------------------------------------------


def test_a_waiver_covers_its_host_and_shows() -> None:
    verdict = evaluate(broken(), [Waiver("unit-sandbox", "needs the GPU", END, "n2")])
    (waived,) = (found for found in verdict.findings if found.status == WAIVED)
    assert (waived.hosts, waived.waiver, waived.waived_status) == (("n2",), f"needs the GPU (until {END})", FAILED)
    assert [found.hosts for found in verdict.failures] == [("n3",)]
    assert not verdict.unused_waivers


def test_a_waiver_names_a_node_too() -> None:
    assert [found.subject for found in evaluate(broken(), [Waiver("unit-sandbox", "x", END, "beam@n3")]).failures] == ["beam@n2"]


def test_a_waiver_without_host_covers_all_and_an_unneeded_one_is_named() -> None:
    unneeded = Waiver("plaintext", "migration", END)
    verdict = evaluate(broken(), [Waiver("unit-sandbox", "x", END), unneeded])
    assert [(found.control, found.details) for found in verdict.failures] == [("waivers", ("covers nothing: plaintext (migration)",))]
    assert verdict.unused_waivers == (unneeded,)


def test_a_waiver_may_be_for_a_host_that_is_left_out_of_the_run() -> None:
    of = made.plan()
    of["hosts"]["n1"]["in_run"] = False
    verdict = evaluate(made.evidence(of=of), [Waiver("unit-sandbox", "x", END, "n1")])
    assert "waivers" not in {found.control for found in verdict.failures}


def an_outsider_gets_in(probe: Probe) -> Answer:
    good = made.hardened(probe)
    return replace(good, code="connected", stage="epmd") if probe.control == "outside-epmd" and probe.target == "beam@n2" else good


@pytest.mark.parametrize(
    ("status", "nobody_tries", "attack_succeeds", "a_check_fails"),
    [("", True, False, True), ("not_tested", True, False, False), ("failed", False, True, True)],
)
def test_a_waiver_covers_its_status_and_no_attack_that_succeeds_unless_it_says_so(
    status: str, nobody_tries: bool, attack_succeeds: bool, a_check_fails: bool
) -> None:
    waivers = [Waiver(control, "x", END, status=status) for control in ("outside-epmd", "outside-distribution-port", "unit-sandbox")]

    def accepted(evidence: Evidence) -> bool:
        return not [found for found in evaluate(evidence, waivers).failures if found.control != "waivers"]

    assert accepted(made.evidence(outsiders=[])) is nobody_tries
    assert accepted(made.evidence(answer=an_outsider_gets_in)) is attack_succeeds
    assert accepted(broken()) is a_check_fails


# -- advisories -------------------------------------------------------------------------------------------------------------------------------

VULNERABLE = [{"control": "otp_vulnerabilities", "cve": "CVE-2026-89422", "severity": "high", "title": "unsolicited PSK", "fixed_in": "27.3.4.18"}]


@pytest.mark.parametrize(("advisories_fail_at", "ok"), [("never", True), ("critical", True), ("high", False), ("low", False)])
def test_advisories_fail_from_the_threshold_on(advisories_fail_at: str, ok: bool) -> None:
    verdict = evaluate(made.evidence(advisories={"n1": VULNERABLE}), advisories_fail_at=advisories_fail_at)
    assert [(a.control, a.host, a.fix) for a in verdict.advisories] == [("CVE-2026-89422", "n1", "Fixed in 27.3.4.18.")]
    assert verdict.ok is ok


def test_an_advisory_can_be_waived_where_it_would_fail() -> None:
    waiver = Waiver("CVE-2026-89422", "no better package", END, "n1")
    verdict = evaluate(made.evidence(advisories={"n1": VULNERABLE, "n2": VULNERABLE}), [waiver], "high")
    assert [advisory.host for advisory in verdict.failing_advisories] == ["n2"]
    assert [verdict.waived.get(advisory) for advisory in verdict.advisories] == [f"no better package (until {END})", None]
    assert not verdict.unused_waivers


def test_the_evidence_is_not_changed() -> None:
    given = made.evidence()
    before = copy.deepcopy((given.target, given.seen, given.answers, given.views))
    evaluate(given)
    assert (given.target, given.seen, given.answers, given.views) == before


# -- limited runs, and how much is probed -----------------------------------------------------------------------------------------------------


def test_a_limited_run_assesses_its_own_hosts_and_connects_to_all() -> None:
    of = made.plan()
    of["hosts"]["n1"]["in_run"] = of["hosts"]["n3"]["in_run"] = False
    verdict = evaluate(made.evidence(of=of, seen={"n2": made.host("n2")}))
    assert verdict.ok, verdict.failures
    assert {found.subject for found in verdict.findings} == {"n2", "beam@n2", "beam"}
    attacked = {(o.answer.probe.source, o.answer.probe.target) for o in verdict.outcomes}
    assert attacked == {("beam@n2", "beam@n2"), ("", "beam@n2")}
    assert (verdict.coverage.pairs, verdict.coverage.complete) == (2, True)


def test_a_cluster_too_large_for_every_pair_is_sampled_and_says_so() -> None:
    verdict = evaluate(made.evidence(scope=Scope(pairs_max=5, vantages=1)))
    assert verdict.ok, verdict.failures
    assert (verdict.coverage.pairs, verdict.coverage.probed, verdict.coverage.complete) == (6, 3, False)
    assert "3 of 6 ordered pairs" in str(verdict.coverage)
    assert evaluate(made.evidence(scope=Scope(pairs_max=6, vantages=1))).coverage.complete


def test_a_sampled_cluster_fails_for_a_pair_of_the_sample_only_if_it_was_to_be_probed() -> None:
    scope = Scope(pairs_max=5, vantages=1)
    whole = made.evidence(scope=scope)
    fewer = replace(whole, answers=[a for a in whole.answers if a.probe.attack or a.probe.source != "beam@n1" or a.probe.target == "beam@n1"])
    assert {found.control for found in evaluate(fewer).failures} >= {CONNECT}


# -- the shapes -------------------------------------------------------------------------------------------------------------------------------


def listener(address: str, port: int, **other: Any) -> dict[str, Any]:
    return {"address": address, "port": port, "family": 4, "pid": 66, "process": "beam.smp", "unit": "beam.service", "user": "beam", **other}


def shaped(mode: str = "cluster", discovery: str = "epmd", tls: bool = True) -> tuple[dict[str, Any], made.Hosts]:
    """The whole cluster in another shape: its plan, and what is seen on its hosts."""
    of, seen = made.plan(), made.hosts()
    of.update(mode=mode, discovery=discovery, tls=tls and mode != "off")
    no_epmd = mode == "off" or discovery == "fixed_port"
    for member in of["members"]:
        member.update(port=9100 if discovery == "fixed_port" else None, address=member["address"] if mode == "cluster" else "127.0.0.1")
    for name, wanted in of["hosts"].items():
        own = seen[name]
        for node in wanted["nodes"]:
            node.update({key: value for key, value in of["members"][list(made.HOSTS).index(name)].items() if key != "host"})
            node.update({} if of["tls"] else {"tls": None})
        if not of["tls"]:
            own["files"] = [entry for entry in own["files"] if "/tls/" not in entry["path"] and "ssl_dist" not in entry["path"]]
            own["files"].append({"path": f"/etc/beam/beam@{name}/tls", "kind": "directory", "mode": "0755", "owner": "root", "replaceable_by": []})
        if no_epmd:
            wanted["epmd"]["listen"] = []
            own["listeners"] = [entry for entry in own["listeners"] if entry["port"] != 4369]
        elif mode == "standalone":
            wanted["epmd"]["listen"] = ["127.0.0.1", "::1"]
            own["listeners"] = [entry for entry in own["listeners"] if entry["address"] != made.HOSTS[name]]
            own["listeners"].append(listener("127.0.0.1", 9100))
        if mode != "cluster":
            wanted["addresses"] = []
            own["firewall"]["beam"].update(members=[], admits=[])
            of["addresses"] = []
        if mode == "off":
            own["listeners"] = [entry for entry in own["listeners"] if entry["port"] == 22]
            own["files"] = [entry for entry in own["files"] if entry["path"].endswith("vm.args") or entry["kind"] == "directory"]
            own["missing"] += [f"/var/lib/beam/beam@{name}/.erlang.cookie"]
            own["processes"][0]["flags"].update(name=None, proto_dist="none")
    return of, seen


def alone(mode: str) -> dict[str, Any]:
    """What other than all others the nodes see in a shape."""
    return {f"beam@{name}": None if mode == "off" else {"visible": []} for name in made.HOSTS} if mode != "cluster" else {}


@pytest.mark.parametrize(("mode", "discovery"), [("cluster", "fixed_port"), ("standalone", "epmd"), ("off", "epmd")])
def test_each_shape_passes_whole(mode: str, discovery: str) -> None:
    of, seen = shaped(mode, discovery)
    verdict = evaluate(made.evidence(of=of, seen=seen, mesh=alone(mode)))
    assert [(found.control, found.subject, found.details) for found in verdict.failures] == []
    passed = {found.control for found in verdict.findings if found.status == PASSED}
    assert ("mesh-connected" in passed) is (mode != "off")
    assert {"outside-epmd", "outside-distribution-port", "epmd-listeners", "distribution-listeners"} <= passed


def in_clear(probe: Probe) -> Answer:
    """What a node answers that speaks clear text and is hardened otherwise."""
    if probe.attack is None or probe.control == "plaintext":
        return Answer(probe, "connected", "done", 2.0, 9100)
    return made.hardened(probe)


@pytest.mark.parametrize("mode", ["cluster", "standalone"])
def test_clear_text_never_passes_silently_and_hides_nothing_else(mode: str) -> None:
    of, seen = shaped(mode, tls=False)
    whole = made.evidence(of=of, seen=seen, answer=in_clear, mesh=alone(mode))
    verdict = evaluate(whole)
    assert {(found.control, found.status, found.severity) for found in verdict.failures} == {("plaintext", FAILED, "critical")}
    assert {found.subject for found in verdict.failures} == {f"beam@{name}" for name in made.HOSTS}
    status = {found.control: found.status for found in verdict.findings}
    needs = {*certificate_checks.CONTROLS, "trust-file", "certificate-validity", "revocation-lists", "revoked-certificate"}
    needs |= {"tls-options", "old-tls", "no-certificate", "foreign-certificate", "expired-certificate", "other-name"}
    if mode == "standalone":
        needs |= {"cookie-same"}
        needs |= {"member-public-epmd", "member-public-distribution-port"} & {control for control in status if status[control] == NOT_APPLICABLE}
    assert {control for control in status if status[control] == NOT_APPLICABLE} == needs
    for control in ("mesh-connected", "mesh-members", "wrong-cookie", "outside-distribution-port", "firewall-rules"):
        assert status[control] == PASSED, control
    # One waiver, with a reason, an end and the status, is what it takes; it covers nothing else.
    waiver = Waiver("plaintext", "a switch that cannot do TLS", END, status="failed")
    assert evaluate(whole, [waiver]).ok
    assert not evaluate(whole, [replace(waiver, status="")]).ok
    dead = replace(whole, answers=[replace(a, code="filtered") if a.probe.control == CONNECT else a for a in whole.answers])
    assert "mesh-connected" in {found.control for found in evaluate(dead, [waiver]).failures} or mode == "standalone"


def test_tls_left_where_clear_text_was_planned_and_the_other_way_round() -> None:
    of, seen = shaped(tls=False)
    key = {"path": "/etc/beam/beam@n2/tls/key.pem", "kind": "file", "mode": "0400", "owner": "beam"}
    seen["n2"]["files"].append(key)
    verdict = evaluate(made.evidence(of=of, seen=seen, answer=in_clear))
    assert {found.control for found in verdict.failures} == {"plaintext", "private-key"}

    of, seen = shaped(tls=False)
    tls = made.evidence(of=of, seen=seen, answer=lambda probe: Answer(probe, "plaintext_on_tls", "status", 1.0, 9100))
    assert {"mesh-connected", "plaintext"} <= {found.control for found in evaluate(tls).failures}
    assert {"mesh-connected", "plaintext"} <= {found.control for found in evaluate(made.evidence(answer=in_clear)).failures}


def test_no_epmd_means_none_anywhere() -> None:
    of, seen = shaped(discovery="fixed_port")
    seen["n2"]["listeners"].append(listener("127.0.0.1", 4369, process="epmd", unit=""))
    verdict = evaluate(made.evidence(of=of, seen=seen))
    assert [(found.control, found.subject) for found in verdict.failures] == [("epmd-listeners", "n2")]


def test_with_a_fixed_port_members_try_epmds_port_too() -> None:
    of, seen = shaped(discovery="fixed_port")
    questions = made.evidence(of=of, seen=seen).questions
    made_probes = made.requests(questions, [])
    tried = {(p.source, p.address) for p in made_probes if p.control == "member-public-epmd" and p.network == "cluster"}
    assert tried == {(f"beam@{one}", made.HOSTS[other]) for one in made.HOSTS for other in made.HOSTS if one != other}
    assert {p.port for p in made_probes if p.control in (CONNECT, "plaintext", "wrong-cookie")} == {9100}


COOKIE = "/var/lib/beam/beam@n2/.erlang.cookie"
OFF_BROKEN: list[tuple[str, Callable[[dict[str, Any]], object], str, str]] = [
    ("private-key", lambda o: o["files"].append({"path": "/etc/beam/beam@n2/tls/key.pem", "mode": "0400"}), FAILED, "not removed"),
    ("private-key", lambda o: o.update(files=[e for e in o["files"] if not e["path"].endswith("/tls")]), NOT_TESTED, "not looked at"),
    ("cookie-file", lambda o: o.update(missing=o["missing"][:2], files=[*o["files"], {"path": COOKIE, "mode": "0400"}]), FAILED, "not removed"),
    ("cookie-file", lambda o: o.update(missing=o["missing"][:2]), NOT_TESTED, "not looked at"),
    ("distribution-listeners", lambda o: o["listeners"].append(listener("127.0.0.1", 9100)), FAILED, "listens on 127.0.0.1:9100"),
    ("distribution-listeners", lambda o: o["listeners"].append(listener("10.0.0.1", 40000)), FAILED, "10.0.0.1:40000"),
    ("running-process", lambda o: o["processes"][0]["flags"].update(proto_dist="inet_tcp"), FAILED, "can be given a name"),
    ("running-process", lambda o: o["processes"][0]["flags"].update(name="beam@n2"), FAILED, "can be given a name, beam@n2"),
]


@pytest.mark.parametrize(("control", "change", "status", "says"), OFF_BROKEN)
def test_a_node_that_is_not_as_off_as_planned(control: str, change: Callable[[dict[str, Any]], object], status: str, says: str) -> None:
    of, seen = shaped("off")
    change(seen["n2"])
    (bad,) = evaluate(made.evidence(of=of, seen=seen, mesh=alone("off"))).failures
    assert (bad.control, bad.status) == (control, status)
    assert says in " ".join(bad.details)

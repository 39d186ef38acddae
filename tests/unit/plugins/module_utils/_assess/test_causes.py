# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bad node is one finding that names the cause; everything else that fails for it is a symptom of that finding."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, Finding, Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Answer, Probe
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import Report

BAD = "beam@n3"


def day(days: float) -> str:
    return datetime.datetime.fromtimestamp(made.NOW + days * made.DAY, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def certificate(**values: Any) -> dict[str, Any]:
    purposes = ["serverAuth", "clientAuth"]
    return {"subject": "CN=x", "issuer": "CN=ours", "sans": ["DNS:n3"], "not_before": day(-1), "not_after": day(60), "purposes": purposes, **values}


def failing(
    source: tuple[str, str] | None, target: tuple[str, str] | None, itself: tuple[str, str] | None = None, peer: dict[str, Any] | None = None
) -> Callable[[Probe], Answer]:
    """A cluster in which connections of one node end with a code and a stage, as source, as target, and with itself. peer: its certificate."""

    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        ends = {"source": probe.source == BAD, "target": probe.target == BAD}
        bad = itself if all(ends.values()) else source if ends["source"] else target if ends["target"] else None
        if not bad or probe.attack is not None:
            return good
        session = made.session(peer=peer) if peer and ends["target"] else None
        return replace(good, code=bad[0], stage=bad[1], tls=session)

    return answer


REFUSED, OURS = ("cookie_refused_theirs", "ack"), ("cookie_mismatch_ours", "ack")
VERIFY, EXPIRED = ("tls_verification", "tls"), ("tls_alert_certificate_expired", "status")
PURPOSE = ("tls_alert_unsupported_certificate", "status")

CASES: list[tuple[Callable[[Probe], Answer], str, str]] = [
    (failing(REFUSED, REFUSED), "mesh-node", "its cookie differs from that of beam@n1, beam@n2, which connect to each other"),
    (failing(REFUSED, None, REFUSED), "mesh-node", "the cookie in its cookie file is not the one with which it and its peers run"),
    (failing(None, REFUSED, REFUSED), "mesh-node", "the cookie with which it runs is not the one in its cookie file, which its peers have"),
    (failing(EXPIRED, VERIFY, VERIFY, certificate(not_after=day(-1))), "certificate-lifetime", "ended 1 days ago"),
    (failing(("tls_alert_bad_certificate", "status"), VERIFY, VERIFY, certificate(sans=["DNS:n9"])), "certificate-names", "n9"),
    (failing(PURPOSE, VERIFY, VERIFY, certificate(purposes=["serverAuth"])), "mesh-node", "lacks the purpose clientAuth"),
    (failing(("tls_alert_unknown_ca", "status"), VERIFY, None, certificate(issuer="CN=theirs")), "mesh-node", "its certificate is from CN=theirs"),
    (failing(None, ("not_registered", "epmd"), ("not_registered", "epmd")), "mesh-node", "EPMD on its host does not know its name"),
    (failing(None, ("filtered", "connect")), "mesh-node", "a firewall drops the packets to 10.89.1.13"),
    (failing(None, ("wrong_node", "challenge"), ("wrong_node", "challenge")), "mesh-node", "another node answers at"),
    (failing(None, ("tls_on_plaintext", "tls")), "mesh-node", "it speaks clear text"),
    (failing(("dropped_status", "status"), None), "mesh-node", "its peers do not allow its name"),
    (failing(("out_of_order", "challenge"), ("out_of_order", "challenge")), "mesh-node", "every connection with it fails"),
]


def roots(verdict: Verdict) -> list[Finding]:
    return [found for found in verdict.failures if not found.symptom]


@pytest.mark.parametrize(("answer", "control", "says"), CASES)
def test_one_bad_node_is_one_finding(answer: Callable[[Probe], Answer], control: str, says: str) -> None:
    lost = {"code": "cookie_refused_theirs", "visible": None, "hidden": None, "in_force": None}
    others = {f"beam@{name}": {"visible": [f"beam@{other}" for other in ("n1", "n2") if other != name]} for name in ("n1", "n2")}
    verdict = evaluate(made.evidence(answer=answer, mesh={BAD: lost, **others}))
    assert [(found.control, found.subject, found.status) for found in roots(verdict)] == [(control, BAD, FAILED)]
    assert says in " ".join(roots(verdict)[0].details)
    symptoms = [found for found in verdict.failures if found.symptom]
    assert len(symptoms) > 5
    assert {(found.cause, found.cause_subject) for found in symptoms} == {(control, BAD)}
    # Nothing is hidden, and nothing has become passed.
    report = Report(verdict, made.NOW)
    assert sum(report.counts[status] for status in ("failed", "not_tested")) == len(verdict.failures)
    assert not verdict.ok


def test_a_stopped_node_is_one_finding() -> None:
    seen = made.hosts()
    seen["n3"]["units"]["beam.service"]["active"] = "inactive"
    seen["n3"]["processes"] = []
    seen["n3"]["listeners"] = [one for one in seen["n3"]["listeners"] if one["port"] != 9100]
    seen["n3"]["epmd_names"] = {}
    answer = failing(None, ("not_registered", "epmd"), ("not_registered", "epmd"))
    others = {f"beam@{name}": {"visible": [f"beam@{other}" for other in ("n1", "n2") if other != name]} for name in ("n1", "n2")}
    verdict = evaluate(made.evidence(seen=seen, answer=answer, mesh={BAD: None, **others}))
    assert [(found.control, found.subject) for found in roots(verdict)] == [("unit-drop-in", BAD)]


def test_a_wrong_port_in_epmd_is_one_finding() -> None:
    seen = made.hosts()
    seen["n3"]["epmd_names"] = {"beam": 9999}
    answer = failing(None, ("closed", "connect"), ("closed", "connect"))
    verdict = evaluate(made.evidence(seen=seen, answer=answer, mesh={BAD: {"code": "closed", "in_force": None}}))
    (root,) = roots(verdict)
    assert (root.control, root.subject) == ("epmd-names", BAD)
    assert "EPMD names port 9999 for beam, while the node listens on 10.89.1.13:9100" in root.details[0]


def test_a_single_pair_that_fails_is_nobodys_fault() -> None:
    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        ends = {probe.source, probe.target}
        return replace(good, code="filtered", stage="connect", tls=None) if probe.attack is None and ends == {"beam@n1", BAD} else good

    verdict = evaluate(made.evidence(answer=answer))
    assert not [found for found in verdict.failures if found.control == "mesh-node"]
    assert {found.subject for found in roots(verdict) if found.control == "mesh-connected"} == {"beam@n1 -> beam@n3", "beam@n3 -> beam@n1"}
    pairs = [found for found in roots(verdict) if found.control == "mesh-connected"]
    assert "a firewall drops the packets" in " ".join(pairs[0].details)


def test_two_bad_nodes_are_two_findings() -> None:
    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        if probe.attack is not None:
            return good
        if probe.target == BAD:
            return replace(good, code="not_registered", stage="epmd", tls=None)
        return replace(good, code="cookie_refused_theirs", stage="ack") if probe.source == "beam@n1" else good

    verdict = evaluate(made.evidence(answer=answer))
    assert {found.subject for found in verdict.failures if found.control == "mesh-node"} >= {BAD}


def test_a_report_shows_symptoms_under_their_cause() -> None:
    report = Report(evaluate(made.evidence(answer=failing(REFUSED, REFUSED))), made.NOW)
    (fault,) = report.faults
    assert (fault.control.id, [found.subject for found in fault.findings], report.gaps) == ("mesh-node", [BAD], ())
    assert len(fault.symptoms) == len(report.verdict.failures) - 1 > 5


# --- what has nothing to do with the bad node stays on its own ---


def alone(verdict: Verdict) -> set[tuple[str, str]]:
    return {(found.control, found.subject) for found in roots(verdict)}


def stopped(seen: made.Hosts) -> made.Hosts:
    seen["n3"]["units"]["beam.service"]["active"] = "inactive"
    seen["n3"]["processes"] = []
    seen["n3"]["listeners"] = [one for one in seen["n3"]["listeners"] if one["port"] != 9100]
    seen["n3"]["epmd_names"] = {}
    return seen


def unrated(seen: made.Hosts) -> None:
    seen["n3"]["units"]["beam.service"]["exposure"] = None


def unread_firewall(seen: made.Hosts) -> None:
    seen["n3"]["firewall"] = {"readable": False}


def unread_secrets(seen: made.Hosts) -> None:
    seen["n3"]["secrets"] = None


UNRELATED: list[tuple[str, str, Callable[[made.Hosts], None]]] = [
    ("unit-sandbox", BAD, unrated),
    ("firewall-rules", "n3", unread_firewall),
    ("key-readers", BAD, unread_secrets),
    ("cookie-copies", "n3", unread_secrets),
]


@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize(("control", "subject", "change"), UNRELATED)
def test_a_gap_that_has_another_reason_is_no_symptom(control: str, subject: str, change: Callable[[made.Hosts], None], down: bool) -> None:
    seen = stopped(made.hosts()) if down else made.hosts()
    change(seen)
    answer = failing(None, ("not_registered", "epmd"), ("not_registered", "epmd")) if down else failing(REFUSED, REFUSED)
    assert (control, subject) in alone(evaluate(made.evidence(seen=seen, answer=answer)))


def test_attacks_that_nobody_made_are_no_symptoms() -> None:
    verdict = evaluate(made.evidence(answer=failing(REFUSED, REFUSED), outsiders=[]))
    assert {("outside-epmd", BAD), ("outside-distribution-port", BAD)} <= alone(verdict)

    def answer(probe: Probe) -> Answer | None:
        return None if probe.attack else failing(REFUSED, REFUSED)(probe)

    verdict = evaluate(made.evidence(answer=answer, untested="check mode makes no attack"))
    assert ("plaintext", BAD) in alone(verdict)


def test_links_that_the_host_did_not_show_are_no_symptom() -> None:
    links: dict[str, list[Any]] = {"n1": [], "n2": []}
    assert ("links", BAD) in alone(evaluate(made.evidence(answer=failing(REFUSED, None, REFUSED), links=links)))


def test_a_connection_in_clear_text_is_no_symptom_of_a_wrong_cookie() -> None:
    def answer(probe: Probe) -> Answer:
        good = failing(REFUSED, None, REFUSED)(probe)
        return replace(good, tls=None) if (probe.attack, probe.source, probe.target) == (None, "beam@n1", BAD) else good

    assert ("mesh-connected", f"beam@n1 -> {BAD}") in alone(evaluate(made.evidence(answer=answer)))


def test_a_vm_without_flags_is_no_symptom_of_a_stopped_unit() -> None:
    seen = stopped(made.hosts())
    by_hand = {**made.hosts()["n3"]["processes"][0], "unit": "session-1.scope", "pid": 99}
    by_hand["flags"] = {**by_hand["flags"], "ssl_options_file": None}
    seen["n3"]["processes"] = [by_hand]
    verdict = evaluate(made.evidence(seen=seen, answer=failing(None, ("not_registered", "epmd"), ("not_registered", "epmd"))))
    assert ("distribution-listeners", BAD) in alone(verdict)


def test_files_that_were_not_read_are_no_symptom_of_another_file() -> None:
    seen = made.hosts()
    for entry in seen["n3"]["files"]:
        if entry["path"].endswith("/allow.conf"):
            entry.update(owner="beam")
        if entry["path"].endswith("/inetrc"):
            entry.update(sha256=None)
    assert {("planned-files", BAD), ("options-file", BAD)} <= alone(evaluate(made.evidence(seen=seen)))


def test_a_failure_of_its_own_is_the_cause_only_where_it_explains_the_codes() -> None:
    # It ends in three days, and another CA is trusted: the codes speak of the CA.
    seen = made.hosts()
    seen["n3"]["certificates"][0]["not_after"] = day(3)
    answer = failing(("tls_alert_unknown_ca", "status"), VERIFY, None, certificate(issuer="CN=theirs", not_after=day(3)))
    assert {("certificate-lifetime", BAD), ("mesh-node", BAD)} <= alone(evaluate(made.evidence(seen=seen, answer=answer)))


def test_a_certificate_that_ends_soon_makes_nobody_guilty() -> None:
    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        ends = {probe.source, probe.target}
        return replace(good, code="filtered", stage="connect", tls=None) if probe.attack is None and ends == {"beam@n1", BAD} else good

    seen = made.hosts()
    seen["n1"]["certificates"][0]["not_after"] = day(3)
    verdict = evaluate(made.evidence(seen=seen, answer=answer))
    assert not [found for found in verdict.failures if found.control == "mesh-node"]
    assert ("mesh-connected", f"beam@n1 -> {BAD}") in alone(verdict)


def test_the_key_of_another_node_is_named_where_peers_do_not_allow_the_name() -> None:
    seen = made.hosts()
    theirs = made.certificate("n2", path=made.tls("n3")["certificate"])
    seen["n3"]["certificates"][0] = theirs
    seen["n3"]["secrets"]["keys"][0]["spki_sha256"] = theirs["spki_sha256"]
    verdict = evaluate(made.evidence(seen=seen, answer=failing(("dropped_status", "status"), None)))
    causes = {found.cause for found in verdict.failures if found.control == "mesh-connected"}
    assert causes <= {"key-of-its-own", "certificate-names"} and causes


def test_a_pair_names_the_node_that_breaks_it() -> None:
    """Two bad nodes: of the connection between them the one is at fault that explains it, not the one that asked."""

    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        if probe.attack is not None:
            return good
        if probe.target == BAD:
            return replace(good, code="not_registered", stage="epmd", tls=None)
        return replace(good, code="cookie_refused_theirs", stage="ack") if probe.source == "beam@n1" else good

    verdict = evaluate(made.evidence(answer=answer))
    (pair,) = (found for found in verdict.failures if found.control == "mesh-connected" and found.subject == f"beam@n1 -> {BAD}")
    assert pair.cause_subject == BAD

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control is seen passing on a whole cluster and failing on one that is broken in exactly the way that it is about."""

from __future__ import annotations

import copy
import datetime
from dataclasses import replace
from typing import Any, Callable

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._model import findings, probes
from ansible_collections.beam.cluster.plugins.module_utils._model.controls import ATTACKS, BY_ID, CONTROLS
from ansible_collections.beam.cluster.plugins.module_utils._model.findings import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, WAIVED, Evidence, Waiver
from ansible_collections.beam.cluster.plugins.module_utils._model.probes import Answer, Probe
from ansible_collections.beam.cluster.plugins.module_utils._model.secret_rules import PLACEHOLDER

TODAY = datetime.date(2026, 11, 21)


def by_status(verdict: findings.Verdict) -> dict[str, set[str]]:
    """Controls by status, a control once per status that any of its findings has."""
    found: dict[str, set[str]] = {}
    for finding in verdict.findings:
        found.setdefault(finding.status, set()).add(finding.control)
    return found


def test_a_whole_cluster_passes_every_control() -> None:
    verdict = findings.evaluate(made.evidence())
    assert by_status(verdict) == {PASSED: set(BY_ID)}
    assert verdict.ok


# -- each control, broken ---------------------------------------------------------------------------------------------------------------------


def listener(address: str, port: int, **other: Any) -> dict[str, Any]:
    return {"address": address, "port": port, "family": 4, "pid": 66, "process": "beam.smp", "unit": "beam.service", "user": "beam", **other}


def add_listener(*args: Any, **other: Any) -> Callable[[dict[str, Any]], None]:
    return lambda n2: n2["observed"]["listeners"].append(listener(*args, **other))


def drop_listener(port: int) -> Callable[[dict[str, Any]], None]:
    def change(n2: dict[str, Any]) -> None:
        n2["observed"]["listeners"] = [entry for entry in n2["observed"]["listeners"] if entry["port"] != port]

    return change


def set_file(suffix: str, **values: Any) -> Callable[[dict[str, Any]], None]:
    def change(n2: dict[str, Any]) -> None:
        (entry,) = (entry for entry in n2["observed"]["files"] if entry["path"].endswith(suffix))
        entry.update(values)

    return change


def drop_file(suffix: str) -> Callable[[dict[str, Any]], None]:
    def change(n2: dict[str, Any]) -> None:
        n2["observed"]["files"] = [entry for entry in n2["observed"]["files"] if not entry["path"].endswith(suffix)]

    return change


def show(unit: str, old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(n2: dict[str, Any]) -> None:
        assert old in n2["units"][unit]["show"]
        n2["units"][unit]["show"] = n2["units"][unit]["show"].replace(old, new)

    return change


def security(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(n2: dict[str, Any]) -> None:
        n2["units"]["beam.service"]["security"] = n2["units"]["beam.service"]["security"].replace(old, new)

    return change


def process(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda n2: n2["observed"]["processes"][0].update(values)


def firewall(value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda n2: n2["observed"]["firewall"].update(beam=value)


MEMBERS = list(made.HOSTS.values())
PORTS = [[4369, 4369], [9100, 9100]]

BROKEN_HOSTS = [
    ("epmd-listeners", add_listener("0.0.0.0", 4369, process="epmd"), "listens on 0.0.0.0:4369 (epmd"),
    ("epmd-listeners", add_listener("::", 4369, process="epmd"), "listens on :::4369"),
    ("epmd-listeners", add_listener("10.89.2.12", 4369, process="systemd"), "10.89.2.12:4369"),
    ("epmd-listeners", drop_listener(4369), "nothing listens on 10.89.1.12:4369"),
    ("distribution-listeners", add_listener("0.0.0.0", 9100), "listens on 0.0.0.0:9100"),
    ("distribution-listeners", add_listener("0.0.0.0", 41234), "outside its window on 0.0.0.0:41234"),
    ("distribution-listeners", add_listener("10.89.1.12", 9100, unit="evil.service"), "stranger"),
    ("distribution-listeners", drop_listener(9100), "nothing listens on 10.89.1.12"),
    ("private-key", set_file("key.pem", mode="0440"), "mode 0440, not 0400"),
    ("private-key", set_file("key.pem", owner="root"), "belongs to root, not to beam"),
    ("private-key", drop_file("key.pem"), "does not exist"),
    ("options-file", drop_file("ssl_dist.conf"), "does not exist"),
    ("cookie-file", set_file(".erlang.cookie", mode="0644"), "mode 0644"),
    ("cookie-file", set_file(".erlang.cookie", owner="nobody"), "belongs to nobody"),
    ("options-file", set_file("ssl_dist.conf", owner="beam"), "belongs to beam, not to root"),
    ("options-file", set_file("vm.args", mode="0666"), "mode 0666"),
    ("unit-drop-in", show("beam.service", ".d/beam.conf", ".d/other.conf"), "does not use"),
    ("unit-drop-in", show("beam.service", "NeedDaemonReload=no", "NeedDaemonReload=yes"), "has not read"),
    ("unit-drop-in", show("beam.service", "ActiveState=active", "ActiveState=failed"), "is failed"),
    ("unit-drop-in", show("beam.service", "UnitFileState=enabled", "UnitFileState=disabled"), "does not start at boot"),
    ("unit-drop-in", show("beam.service", "User=beam", "User="), "runs as root"),
    ("unit-sandbox", security("1.3 OK", "9.4 UNSAFE"), "exposure level 9.4"),
    ("core-dumps", show("beam.service", "LimitCORE=0", "LimitCORE=infinity"), "LimitCORE is infinity"),
    ("running-process", process(digest="0ld"), "before the files"),
    ("running-process", process(digest=None), "before the files"),
    ("running-process", process(user="root"), "runs as root"),
    ("running-process", lambda n2: n2["observed"]["processes"].clear(), "no process of beam.service"),
    ("running-process", show("beam.service", "BEAM_CLUSTER_DIGEST=d1ge57", ""), "no digest"),
    ("argument-list", process(argv=["beam.smp", "--", "-setcookie", "***"]), "has -setcookie"),
    ("argument-list", process(argv="beam.smp -- -setcookie ***"), "has -setcookie"),
    ("argument-list", process(argv=["beam.smp", "-setcookie", PLACEHOLDER, "-setcookie", "***"]), "has -setcookie"),
    ("argument-list", process(argv=["beam.smp", "-setcookie", PLACEHOLDER]), "has the placeholder for its cookie"),
    ("firewall-rules", firewall(None), "not loaded"),
    ("firewall-rules", firewall({"members": [*MEMBERS, "10.89.1.66"], "ports": PORTS}), "lets in 10.89.1.66"),
    ("firewall-rules", firewall({"members": MEMBERS[:2], "ports": PORTS}), "does not know the member 10.89.1.13"),
    ("firewall-rules", firewall({"members": MEMBERS, "ports": [[4369, 4369]]}), "guards the ports"),
    ("firewall-boot", show("beam-firewall.service", "UnitFileState=enabled", "UnitFileState=disabled"), "not enabled"),
    ("firewall-boot", show("beam-firewall.service", "ActiveState=active", "ActiveState=inactive"), "is inactive"),
    ("firewall-boot", show("beam.service", "After=beam-firewall.service", "After="), "beam.service may start before"),
    ("firewall-boot", show("beam.service", "Requires=beam-firewall.service", "Requires="), "does not require"),
    ("firewall-boot", show("epmd.socket", "After=beam-firewall.service", "After="), "epmd.socket may start before"),
]


@pytest.mark.parametrize(("control", "change", "says"), BROKEN_HOSTS)
def test_a_broken_host_fails_exactly_that_control(control: str, change: Callable[[dict[str, Any]], None], says: str) -> None:
    hosts = {name: made.host(name) for name in made.HOSTS}
    change(hosts["n2"])
    verdict = findings.evaluate(made.evidence(hosts=hosts))
    assert by_status(verdict)[FAILED] == {control}
    (finding,) = verdict.failures
    assert finding.hosts == ("n2",)
    assert says in " ".join(finding.details)


def on(source: str, target: str, control: str = probes.CONNECT, **values: Any) -> Callable[[Probe], Answer | None]:
    """A whole cluster but for what one pair answers."""

    def answer(probe: Probe) -> Answer | None:
        good = made.hardened(probe)
        hit = probe.control == control and (probe.source or probe.vantage) == source and probe.target == target
        if hit and not values:
            return None
        return replace(good, **values) if hit else good

    return answer


BROKEN_PAIRS = [
    ({"code": "closed", "stage": "connect", "message": "connection refused"}, "closed at stage connect: connection refused"),
    ({"code": "tls_on_plaintext", "stage": "tls"}, "tls_on_plaintext at stage tls"),
    ({"tls": None}, "plain TCP"),
    ({"tls": {**made.TLS, "version": "tlsv1.2"}}, "tlsv1.2, not tlsv1.3"),
    ({"tls": {**made.TLS, "peer": None}}, "without the peer's certificate"),
    ({"port": 41234}, "outside the window 9100-9100"),
]


@pytest.mark.parametrize(("values", "says"), BROKEN_PAIRS)
def test_a_broken_pair_fails_the_mesh(values: dict[str, Any], says: str) -> None:
    verdict = findings.evaluate(made.evidence(answer=on("beam@n1", "beam@n2", **values)))
    failed = [finding for finding in verdict.findings if finding.status == FAILED]
    assert [(finding.control, finding.subject) for finding in failed] == [(probes.CONNECT, "beam@n1 -> beam@n2")]
    assert says in failed[0].details[0]
    assert set(failed[0].hosts) == {"n1", "n2"}


def test_a_pair_that_nobody_tried_is_not_tested() -> None:
    verdict = findings.evaluate(made.evidence(answer=on("beam@n1", "beam@n2")))
    bad = [finding for finding in verdict.failures if finding.control == probes.CONNECT]
    assert [(finding.subject, finding.status) for finding in bad] == [("beam@n1 -> beam@n2", NOT_TESTED)]
    assert not verdict.ok


@pytest.mark.parametrize(
    ("unit", "address", "fails"),
    [("second.service", "10.89.1.62", False), ("second.service", "0.0.0.0", True), ("evil.service", "10.89.1.62", True)],
)
def test_two_nodes_of_a_host_have_one_port_at_an_address_each(unit: str, address: str, fails: bool) -> None:
    of, hosts = made.plan(), {name: made.host(name) for name in made.HOSTS}
    nodes = of["hosts"]["n2"]["nodes"]
    nodes.append({**copy.deepcopy(nodes[0]), "node": "second@n2b", "unit": "second.service", "address": "10.89.1.62"})
    hosts["n2"]["observed"]["listeners"].append(listener(address, 9100, unit=unit))
    verdict = findings.evaluate(made.evidence(of=of, hosts=hosts))
    (own,) = [found for found in verdict.findings if found.control == "distribution-listeners" and found.subject == "beam@n2"]
    assert (own.status == FAILED) is fails, own.details


def test_a_certificate_about_to_expire_fails() -> None:
    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        if probe.target == "beam@n3" and good.tls:
            end = datetime.datetime.fromtimestamp(made.NOW + 2 * made.DAY, datetime.timezone.utc)
            good.tls["peer"]["not_after"] = end.isoformat()
        return good

    verdict = findings.evaluate(made.evidence(answer=answer))
    assert [(f.control, f.subject, f.details) for f in verdict.failures] == [("certificate-lifetime", "beam@n3", ("2 days left",))]


def test_a_certificate_nobody_saw_is_not_tested() -> None:
    verdict = findings.evaluate(made.evidence(answer=lambda probe: replace(made.hardened(probe), tls={**made.TLS, "peer": {"subject": "x"}})))
    assert by_status(verdict)[NOT_TESTED] == {"certificate-lifetime"}


@pytest.mark.parametrize(
    ("told", "status", "says"),
    [
        ({"code": "connected", "visible": ["beam@n1"]}, FAILED, "beam@n2 misses beam@n3"),
        ({"code": "connected", "visible": []}, FAILED, "beam@n2 misses beam@n1"),
        ({"code": "timeout_call"}, NOT_TESTED, "could not be asked for its nodes(): timeout_call"),
        (None, NOT_TESTED, "was not asked"),
    ],
)
def test_a_node_that_misses_another(told: Any, status: str, says: str) -> None:
    whole = made.evidence()
    mesh = {**(whole.mesh or {}), "beam@n2": {**made.TOLD, **told} if told else None}
    verdict = findings.evaluate(replace(whole, mesh=mesh))
    (bad,) = [finding for finding in verdict.failures if finding.control == "mesh-whole"]
    assert (bad.control, bad.status, bad.subject) == ("mesh-whole", status, "beam@n2")
    assert says in bad.details[0]


def test_hosts_that_were_not_observed_are_not_tested() -> None:
    hosts = {name: made.host(name) for name in made.HOSTS}
    hosts["n2"] = {}
    verdict = findings.evaluate(made.evidence(hosts=hosts))
    untested = {finding.control for finding in verdict.findings if finding.status == NOT_TESTED and finding.hosts == ("n2",)}
    assert untested >= set(findings._HOST_CHECKS)


@pytest.mark.parametrize("path", ["vm.args", "key.pem", ".erlang.cookie"])
def test_a_file_that_could_not_be_looked_at_is_not_tested(path: str) -> None:
    hosts = {name: made.host(name) for name in made.HOSTS}
    hosts["n2"]["observed"]["privileged"] = False
    drop_file(path)(hosts["n2"])
    (bad,) = findings.evaluate(made.evidence(hosts=hosts)).failures
    assert bad.status == NOT_TESTED
    assert path in bad.details[0]


@pytest.mark.parametrize("control", ["unit-drop-in", "unit-sandbox", "core-dumps", "firewall-boot"])
def test_a_unit_nobody_looked_at_is_not_tested(control: str) -> None:
    hosts = {name: made.host(name) for name in made.HOSTS}
    hosts["n2"]["units"] = {}
    verdict = findings.evaluate(made.evidence(hosts=hosts))
    assert control in by_status(verdict)[NOT_TESTED]


# -- attacks ----------------------------------------------------------------------------------------------------------------------------------

IN = {
    "outside-epmd": ("connected", "epmd"),
    "outside-window": ("timeout_tls", "tls"),
    "member-public-epmd": ("connected", "epmd"),
    "member-public-window": ("tls_alert_certificate_required", "tls"),
    "local-epmd": ("connected", "epmd"),
    "local-window": ("timeout_tls", "tls"),
    "plaintext": ("connected", "done"),
    "old-tls": ("connected", "done"),
    "no-certificate": ("connected", "done"),
    "foreign-certificate": ("cookie_refused_theirs", "ack"),
    "expired-certificate": ("not_allowed", "status"),
    "other-name": ("connected", "done"),
    "wrong-cookie": ("connected", "done"),
}


def test_every_attack_is_tried_below() -> None:
    assert set(IN) == {attack.id for attack in ATTACKS} == set(made.HARDENED)


def vantage_of(attack: str) -> str:
    if attack.startswith("local"):
        return "beam@n2"
    return "outsider" if attack.startswith("outside") else "beam@n1"


@pytest.mark.parametrize("attack", IN)
def test_an_attack_that_gets_in_fails_its_control(attack: str) -> None:
    code, stage = IN[attack]
    verdict = findings.evaluate(made.evidence(answer=on(vantage_of(attack), "beam@n2", attack, code=code, stage=stage)))
    assert [(f.control, f.status, f.subject) for f in verdict.failures] == [(attack, FAILED, "beam@n2")]
    assert f"{vantage_of(attack)} -> beam@n2" in verdict.failures[0].details[0]


# The target is down, the network lost it, the probe broke: none of this proves that the attack would be refused.
@pytest.mark.parametrize("attack", [attack.id for attack in ATTACKS if attack.stage != "connect"])
@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("closed", "connect"),
        ("filtered", "connect"),
        ("reset", "tls"),
        ("dropped_tls", "tls"),
        ("timeout_tls", "tls"),
        ("timeout_status", "status"),
        ("local_tls", "connect"),
        ("not_registered", "epmd"),
        ("tls_on_plaintext", "tls"),
    ],
)
def test_a_refusal_for_another_reason_is_not_tested(attack: str, code: str, stage: str) -> None:
    verdict = findings.evaluate(made.evidence(answer=on("beam@n1", "beam@n2", attack, code=code, stage=stage)))
    assert [(f.control, f.status) for f in verdict.failures] == [(attack, NOT_TESTED)]


@pytest.mark.parametrize("attack", [attack.id for attack in ATTACKS if attack.stage != "connect"])
def test_a_refusal_without_the_honest_connection_is_not_tested(attack: str) -> None:
    verdict = findings.evaluate(made.evidence(answer=on("beam@n1", "beam@n2", code="wrong_node", stage="challenge")))
    (finding,) = (f for f in verdict.failures if f.control == attack)
    assert finding.status == NOT_TESTED
    assert "honest connection" in finding.details[0]


@pytest.mark.parametrize("attack", [attack.id for attack in ATTACKS if attack.stage == "connect"])
def test_a_closed_port_of_a_dead_node_is_not_tested(attack: str) -> None:
    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        dead = probe.target == "beam@n2" and probes.attack_of(probe) is None
        return replace(good, code="closed", stage="connect", port=None, tls=None) if dead else good

    verdict = findings.evaluate(made.evidence(answer=answer))
    (finding,) = (f for f in verdict.failures if f.control == attack)
    assert finding.status == NOT_TESTED
    assert "no member reaches" in finding.details[0]


def test_ports_of_a_window_that_no_node_uses_prove_nothing() -> None:
    of = made.plan()
    of["members"][1]["ports"] = {"first": 9100, "last": 9103}
    verdict = findings.evaluate(made.evidence(of=of))
    assert verdict.ok
    tried = [o.answer.probe.port for o in verdict.outcomes if o.answer.probe.control == "outside-window" and o.answer.probe.target == "beam@n2"]
    assert tried == [9100, 9100], "cluster and public address, proven port only"
    open_elsewhere = on("outsider", "beam@n2", "outside-window", code="dropped_tls", stage="tls")
    assert not findings.evaluate(made.evidence(of=of, answer=open_elsewhere)).ok


def test_an_attack_that_was_not_made_is_not_tested() -> None:
    for attack in ATTACKS:
        verdict = findings.evaluate(made.evidence(answer=on(vantage_of(attack.id), "beam@n2", attack.id)))
        assert [(f.control, f.status) for f in verdict.failures] == [(attack.id, NOT_TESTED)]


def test_without_an_outsider_the_outside_was_not_tested() -> None:
    of = made.plan()
    of["outsiders"] = []
    verdict = findings.evaluate(made.evidence(of=of, outsiders=[]))
    assert by_status(verdict)[NOT_TESTED] == {"outside-epmd", "outside-window"}


def test_a_firewall_of_somebody_else_is_judged_by_what_it_lets_through() -> None:
    of = made.plan()
    of["hosts"]["n2"]["firewall"]["backend"] = "external"
    n2 = made.host("n2")
    n2["observed"]["firewall"]["beam"] = None
    n2["units"].pop("beam-firewall.service")
    bent = {**{name: made.host(name) for name in made.HOSTS}, "n2": n2}
    verdict = findings.evaluate(made.evidence(of=of, hosts=bent))
    assert verdict.ok
    on_n2 = {f.control for f in verdict.findings if f.status == NOT_APPLICABLE and f.hosts == ("n2",)}
    assert {"firewall-rules", "firewall-boot", "local-epmd", "local-window"} <= on_n2
    let_in = on("outsider", "beam@n2", "outside-window", code="dropped_tls", stage="tls")
    assert not findings.evaluate(made.evidence(of=of, hosts=bent, answer=let_in)).ok


def test_what_does_not_apply_says_so() -> None:
    of = made.plan()
    of["tls_versions"] = ["tlsv1.3", "tlsv1.2"]
    hosts = {name: made.host(name) for name in made.HOSTS}
    for name, own in hosts.items():
        own["observed"]["addresses"] = [a for a in own["observed"]["addresses"] if a["address"] != made.PUBLIC[name]]
    verdict = findings.evaluate(made.evidence(of=of, hosts=hosts))
    assert by_status(verdict)[NOT_APPLICABLE] == {"old-tls", "member-public-epmd", "member-public-window"}
    assert verdict.ok


def test_a_limited_run_judges_its_own_hosts_and_connects_to_all() -> None:
    of = made.plan()
    of["hosts"]["n1"]["in_run"] = of["hosts"]["n3"]["in_run"] = False
    hosts = {"n2": made.host("n2")}
    verdict = findings.evaluate(made.evidence(of=of, hosts=hosts))
    assert verdict.ok, verdict.failures
    assert {finding.subject for finding in verdict.findings} == {"n2", "beam@n2"}
    attacked = {(o.answer.probe.source, o.answer.probe.target) for o in verdict.outcomes}
    assert attacked == {("beam@n2", "beam@n2"), ("", "beam@n2")}


def test_no_two_members_claim_the_same_name_to_the_same_node() -> None:
    of = made.plan()
    claims = [(p.target, p.claim) for p in made.requests(of, {name: made.host(name) for name in made.HOSTS}) if p.claim]
    assert len(claims) == len(set(claims)) == 6
    assert all(probes.host_part(claim) != probes.host_part(target) for target, claim in claims)


def test_an_address_that_others_have_too_is_not_attacked() -> None:
    hosts = {name: made.host(name) for name in made.HOSTS}
    assert probes.public_addresses(made.plan(), "n1", findings.addresses_of(hosts)) == ["10.89.2.11"]


# -- waivers, advisories, order ---------------------------------------------------------------------------------------------------------------


def broken() -> Evidence:
    hosts = {name: made.host(name) for name in made.HOSTS}
    security("1.3 OK", "2.1 OK")(hosts["n2"])
    security("1.3 OK", "2.2 OK")(hosts["n3"])
    return made.evidence(hosts=hosts)


def test_a_waiver_covers_its_host_and_shows() -> None:
    verdict = findings.evaluate(broken(), [Waiver("unit-sandbox", "needs the GPU", "2026-12-31", "n2")])
    (waived,) = (finding for finding in verdict.findings if finding.status == WAIVED)
    assert (waived.hosts, waived.reason) == (("n2",), "needs the GPU (until 2026-12-31)")
    assert [finding.hosts for finding in verdict.failures] == [("n3",)]
    assert not verdict.unused_waivers


def test_a_waiver_without_host_covers_all_and_an_unneeded_one_is_named() -> None:
    unneeded = Waiver("plaintext", "migration", "2026-12-31")
    verdict = findings.evaluate(broken(), [Waiver("unit-sandbox", "x", "2026-12-31"), unneeded])
    assert verdict.ok
    assert verdict.unused_waivers == (unneeded,)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"control": "unit-sandbox", "reason": "x", "until": "2026-11-20"}, "ended on 2026-11-20"),
        ({"control": "unit-sandbox", "reason": "x"}, "until must be a date"),
        ({"control": "unit-sandbox", "reason": "x", "until": "soon"}, "until must be a date"),
        ({"control": "unit-sandbox", "reason": " ", "until": "2026-12-31"}, "needs a reason"),
        ({"control": "unit-sandbx", "reason": "x", "until": "2026-12-31"}, "no control 'unit-sandbx'"),
        ({"control": "unit-sandbox", "host": "n9", "reason": "x", "until": "2026-12-31"}, "'n9' is no host"),
        ({"control": "unit-sandbox", "hosts": "n1", "reason": "x", "until": "2026-12-31"}, "unknown key hosts"),
        ("unit-sandbox", "is no mapping"),
    ],
)
def test_a_bad_waiver_is_an_error(entry: Any, says: str) -> None:
    _waivers, errors = findings.read_waivers([entry], TODAY, ["n1", "beam@n1"])
    assert len(errors) == 1
    assert says in errors[0]


def test_a_waiver_is_good_on_its_last_day_and_takes_a_yaml_date() -> None:
    entry = {"control": "unit-sandbox", "host": "beam@n1", "reason": "x", "until": TODAY}
    waivers, errors = findings.read_waivers([entry], TODAY, ["n1", "beam@n1"])
    assert not errors
    assert waivers == [Waiver("unit-sandbox", "x", "2026-11-21", "beam@n1")]


@pytest.mark.parametrize(("fail_at", "ok"), [("never", True), ("critical", True), ("high", False), ("low", False)])
def test_advisories_fail_from_the_threshold_on(fail_at: str, ok: bool) -> None:
    hosts = {name: made.host(name) for name in made.HOSTS}
    hosts["n1"]["advisories"] = [
        {"control": "otp_vulnerabilities", "cve": "CVE-2026-89422", "severity": "high", "title": "unsolicited PSK", "fixed_in": "27.3.4.18"}
    ]
    verdict = findings.evaluate(made.evidence(hosts=hosts), fail_at=fail_at)
    assert [(a.control, a.host, a.fix) for a in verdict.advisories] == [("CVE-2026-89422", "n1", "Fixed in 27.3.4.18.")]
    assert verdict.ok is ok


def test_an_advisory_can_be_waived_where_it_would_fail() -> None:
    hosts = {name: made.host(name) for name in made.HOSTS}
    for name in ("n1", "n2"):
        hosts[name]["advisories"] = [{"cve": "CVE-2026-89422", "severity": "high", "title": "x"}]
    raw = [{"control": "CVE-2026-89422", "host": "n1", "reason": "no better package", "until": "2026-12-31"}]
    waivers, errors = findings.read_waivers(raw, TODAY, made.HOSTS)
    assert not errors
    verdict = findings.evaluate(made.evidence(hosts=hosts), waivers, "high")
    assert [advisory.host for advisory in verdict.failing_advisories] == ["n2"]
    assert [advisory.waived for advisory in verdict.advisories] == ["no better package (until 2026-12-31)", ""]
    assert not verdict.unused_waivers


def test_the_evidence_is_left_alone() -> None:
    given = made.evidence()
    before = copy.deepcopy(given)
    findings.evaluate(given)
    assert given == before


def test_every_control_has_a_failing_test_above() -> None:
    shown = {control for control, _change, _says in BROKEN_HOSTS} | set(IN)
    shown |= {probes.CONNECT, "certificate-lifetime", "mesh-whole", "mesh-settings"}
    assert shown == {control.id for control in CONTROLS}


# -- the shapes -------------------------------------------------------------------------------------------------------------------------------


def shaped(mode: str = "cluster", discovery: str = "epmd", tls: bool = True) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The whole cluster in another shape: its plan, and what its hosts show."""
    of, hosts = made.plan(), {name: made.host(name) for name in made.HOSTS}
    of.update(mode=mode, discovery=discovery, tls=tls and mode != "off")
    no_epmd = mode == "off" or discovery == "fixed_port"
    for member in of["members"]:
        member.update(port=9100 if discovery == "fixed_port" else None, address=member["address"] if mode == "cluster" else "127.0.0.1")
    for name, wanted in of["hosts"].items():
        observed = hosts[name]["observed"]
        for node in wanted["nodes"]:
            node.update({key: value for key, value in of["members"][list(made.HOSTS).index(name)].items() if key != "host"})
            node.update({} if of["tls"] else {"tls": None})
        if not of["tls"]:
            observed["files"] = [entry for entry in observed["files"] if "/tls/" not in entry["path"] and "ssl_dist" not in entry["path"]]
        if no_epmd:
            wanted["epmd"]["listen"] = []
            observed["listeners"] = [entry for entry in observed["listeners"] if entry["port"] != 4369]
        elif mode == "standalone":
            wanted["epmd"]["listen"] = ["127.0.0.1", "::1"]
            observed["listeners"] = [entry for entry in observed["listeners"] if entry["address"] != made.HOSTS[name]]
            observed["listeners"].append(listener("127.0.0.1", 9100, process="beam.smp", unit="beam.service"))
        if mode != "cluster":
            wanted.update(addresses=[], address="127.0.0.1")
            observed["firewall"]["beam"]["members"] = []
            of["addresses"] = []
        if mode == "off":
            observed["listeners"] = [entry for entry in observed["listeners"] if entry["port"] == 22]
            observed["files"] = [entry for entry in observed["files"] if entry["path"].endswith("vm.args")]
            observed["processes"][0].update(node=None, argv=["beam.smp", "-proto_dist", "none"])
    return of, hosts


def alone(told: dict[str, Any]) -> dict[str, Any]:
    return {node: {**answer, "visible": []} for node, answer in told.items()}


@pytest.mark.parametrize(("mode", "discovery"), [("cluster", "fixed_port"), ("standalone", "epmd"), ("off", "epmd")])
def test_each_shape_passes_whole(mode: str, discovery: str) -> None:
    of, hosts = shaped(mode, discovery)
    whole = made.evidence(of=of, hosts=hosts)
    verdict = findings.evaluate(replace(whole, mesh={} if mode == "off" else whole.mesh if mode == "cluster" else alone(dict(whole.mesh or {}))))
    assert [(finding.control, finding.subject, finding.details) for finding in verdict.failures] == []
    spoken_to = {finding.control for finding in verdict.findings if finding.status == PASSED}
    assert ("mesh-connected" in spoken_to) is (mode != "off")
    assert {"outside-epmd", "outside-window", "epmd-listeners", "distribution-listeners"} <= spoken_to


def in_clear(probe: Probe) -> Answer:
    """What a node answers that speaks clear text and is hardened otherwise."""
    attack = probes.attack_of(probe)
    if attack is None or attack.id == "plaintext":
        return Answer(probe, "connected", "done", 2.0, 9100)
    return made.hardened(probe)


@pytest.mark.parametrize("mode", ["cluster", "standalone"])
def test_clear_text_never_passes_silently_and_hides_nothing_else(mode: str) -> None:
    of, hosts = shaped(mode, tls=False)
    whole = made.evidence(of=of, hosts=hosts, answer=in_clear)
    whole = whole if mode == "cluster" else replace(whole, mesh=alone(dict(whole.mesh or {})))
    verdict = findings.evaluate(whole)
    assert {(finding.control, finding.status, finding.severity) for finding in verdict.failures} == {("plaintext", FAILED, "critical")}
    assert {finding.subject for finding in verdict.failures} == set(whole.mesh or {})
    assert not verdict.ok
    status = {finding.control: finding.status for finding in verdict.findings}
    needs = {"certificate-lifetime", "old-tls", "no-certificate", "foreign-certificate", "expired-certificate", "other-name"}
    if mode == "standalone":
        needs |= {"member-public-epmd", "member-public-window"} & {control for control in status if status[control] == NOT_APPLICABLE}
    assert {control for control in status if status[control] == NOT_APPLICABLE} == needs
    assert {status[control] for control in ("mesh-connected", "mesh-whole", "wrong-cookie", "outside-window", "firewall-rules")} == {PASSED}
    # One waiver, with a reason and an end, is what it takes; it covers nothing else.
    waiver = Waiver("plaintext", "a switch that cannot do TLS", "2026-12-31")
    assert findings.evaluate(whole, [waiver]).ok
    broken = replace(whole, answers=[replace(a, code="filtered") if a.probe.control == probes.CONNECT else a for a in whole.answers])
    assert "mesh-connected" in {finding.control for finding in findings.evaluate(broken, [waiver]).failures} or mode == "standalone"


def test_tls_left_where_clear_text_was_planned_and_the_other_way_round() -> None:
    of, hosts = shaped(tls=False)
    hosts["n2"]["observed"]["files"].append({"path": "/etc/beam/beam@n2/tls/key.pem"})
    verdict = findings.evaluate(made.evidence(of=of, hosts=hosts, answer=in_clear))
    assert {finding.control for finding in verdict.failures} == {"plaintext", "private-key"}

    of, hosts = shaped(tls=False)
    tls = made.evidence(of=of, hosts=hosts, answer=lambda probe: Answer(probe, "plaintext_on_tls", "status", 1.0, 9100))
    assert {"mesh-connected", "plaintext"} <= {finding.control for finding in findings.evaluate(tls).failures}

    verdict = findings.evaluate(made.evidence(answer=in_clear))
    assert {"mesh-connected", "plaintext"} <= {finding.control for finding in verdict.failures}


def test_no_epmd_means_none_anywhere() -> None:
    of, hosts = shaped(discovery="fixed_port")
    hosts["n2"]["observed"]["listeners"].append(listener("127.0.0.1", 4369, process="epmd", unit=""))
    verdict = findings.evaluate(made.evidence(of=of, hosts=hosts))
    assert [(finding.control, finding.subject) for finding in verdict.failures] == [("epmd-listeners", "n2")]


def test_with_a_fixed_port_members_knock_at_epmds_port_too() -> None:
    of, hosts = shaped(discovery="fixed_port")
    knocked = {(p.source, p.address) for p in made.requests(of, hosts) if p.control == "member-public-epmd" and p.network == "cluster"}
    assert knocked == {(f"beam@{one}", made.HOSTS[other]) for one in made.HOSTS for other in made.HOSTS if one != other}
    assert {p.port for p in made.requests(of, hosts) if p.control in ("mesh-connected", "self", "plaintext", "wrong-cookie")} == {9100}


OFF_BROKEN: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("private-key", lambda o: o["files"].append({"path": "/etc/beam/beam@n2/tls/key.pem"}), "left behind"),
    ("cookie-file", lambda o: o["files"].append({"path": "/var/lib/beam/beam@n2/.erlang.cookie"}), "left behind"),
    ("distribution-listeners", lambda o: o["listeners"].append(listener("127.0.0.1", 9100)), "listens on 127.0.0.1:9100"),
    ("distribution-listeners", lambda o: o["listeners"].append(listener("10.0.0.1", 40000, unit="beam.service")), "10.0.0.1:40000"),
    ("running-process", lambda o: o["processes"][0].update(argv=["beam.smp"]), "can be given a name"),
    ("running-process", lambda o: o["processes"][0].update(node="beam@n2"), "can be given a name, beam@n2"),
]


@pytest.mark.parametrize(("control", "change", "says"), OFF_BROKEN)
def test_a_node_that_is_not_as_off_as_planned(control: str, change: Callable[[dict[str, Any]], object], says: str) -> None:
    of, hosts = shaped("off")
    change(hosts["n2"]["observed"])
    (bad,) = findings.evaluate(replace(made.evidence(of=of, hosts=hosts), mesh={})).failures
    assert (bad.control, bad.status) == (control, FAILED)
    assert says in " ".join(bad.details)


@pytest.mark.parametrize("key", ["ticktime", "tickintensity", "prevent_overlapping_partitions", "connect_all", "auto_connect"])
def test_a_node_with_settings_of_its_own(key: str) -> None:
    whole = made.evidence()
    mesh = dict(whole.mesh or {})
    mesh["beam@n2"] = {**mesh["beam@n2"], key: "other"}
    (bad,) = findings.evaluate(replace(whole, mesh=mesh)).failures
    assert (bad.control, bad.subject) == ("mesh-settings", "beam@n2")
    assert "other" in bad.details[0]


def test_a_hidden_node_is_seen_by_nobody_and_known_to_all() -> None:
    of = made.plan()
    of["members"][1]["hidden"] = True
    whole = made.evidence(of=of)
    told = dict(whole.mesh or {})
    assert {finding.subject for finding in findings.evaluate(whole).failures} == set(told)
    told["beam@n1"] = {**told["beam@n1"], "visible": ["beam@n3"], "hidden": ["beam@n2"]}
    told["beam@n2"] = {**told["beam@n2"], "visible": [], "hidden": ["beam@n1", "beam@n3"]}
    told["beam@n3"] = {**told["beam@n3"], "visible": ["beam@n1"], "hidden": ["beam@n2"]}
    assert findings.evaluate(replace(whole, mesh=told)).failures == []


def test_without_a_transitive_mesh_nobody_has_to_be_there() -> None:
    of = made.plan()
    of["settings"]["connect_all"] = False
    whole = made.evidence(of=of)
    told = {**(whole.mesh or {}), "beam@n2": {**made.TOLD, "code": "connected", "visible": []}}
    assert by_status(findings.evaluate(replace(whole, mesh=told)))[NOT_APPLICABLE] == {"mesh-whole"}

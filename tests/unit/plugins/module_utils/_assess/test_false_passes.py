# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are broken in a way that once passed: each is one change to a whole cluster, and the control that has to say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_TESTED, PASSED, Finding
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Answer, Probe

Change = Callable[[dict[str, Any]], object]
DIRECTORY = "/etc/beam/beam@n2"
CA, CERTIFICATE = (made.tls("n2")[name] for name in ("ca", "certificate"))
HOME_FILE = {"path": "/var/lib/beam/beam@n2/.config/erlang/.erlang", "kind": "file", "mode": "0600", "owner": "beam", "group": "beam"}
LISTENER = {"address": made.HOSTS["n2"], "family": 4, "user": "beam"}
SOCKET_DROP_IN = "/etc/systemd/system/epmd.socket.d/zzz-beam.conf"
VM = {"pid": 66, "process": "beam.smp", "user": "games", "unit": "x.service"}


def flags(**values: Any) -> Change:
    return lambda n2: n2["processes"][0]["flags"].update(values)


def add(part: str, **entry: Any) -> Change:
    return lambda n2: n2[part].append(entry)


def set_file(path: str, **values: Any) -> Change:
    def change(n2: dict[str, Any]) -> None:
        (entry,) = (entry for entry in n2["files"] if entry["path"] == path)
        entry.update(values)

    return change


def set_certificate(path: str, **values: Any) -> Change:
    def change(n2: dict[str, Any]) -> None:
        next(entry for entry in n2["certificates"] if entry["path"] == path).update(values)

    return change


def set_unit(name: str, **values: Any) -> Change:
    return lambda n2: n2["units"][name].update(values)


def set_listener(address: str, port: int, **values: Any) -> Change:
    def change(n2: dict[str, Any]) -> None:
        (entry,) = (entry for entry in n2["listeners"] if (entry["address"], entry["port"]) == (address, port))
        entry.update(values)

    return change


def without_epmd(n2: dict[str, Any]) -> None:
    """The socket unit of systemd 252 after a change of its file and a reload: active, and it listens nowhere."""
    n2["listeners"] = [entry for entry in n2["listeners"] if entry["port"] != 4369]
    set_unit("epmd.socket", active="active")(n2)


def findings(change: Change, control: str, **other: Any) -> list[Finding]:
    seen = made.hosts()
    change(seen["n2"])
    verdict = evaluate(made.evidence(seen=seen, **other))
    return [one for one in verdict.findings if one.control == control and "n2" in one.hosts]


FAILS: list[tuple[str, Change, str]] = [
    ("tls-options", flags(ssl_options=["client_verify"]), "pid 42 was started with -ssl_dist_opt client_verify"),
    # Who else can write what decides whom a node trusts and how it starts.
    ("trust-file", set_file(CA, mode="0666"), "ca.pem has mode 0666"),
    ("trust-file", set_file(CA, owner="beam"), "ca.pem belongs to beam, not to root"),
    ("trust-file", set_file(CA, replaceable_by=["alice"]), "ca.pem can be replaced by alice"),
    (
        "options-file",
        add("files", path=f"{DIRECTORY}/join.args", kind="file", mode="0644", owner="beam", group="beam", replaceable_by=[]),
        "join.args belongs to beam, not to root",
    ),
    ("trust-anchors", lambda n2: n2.update(unknown={"certificates": f"{CA}: a certificate cannot be read"}), "ca.pem: a certificate cannot be read"),
    # A unit of ours, and something that takes its place.
    ("firewall-boot", set_unit("beam-firewall.service", drop_ins=["/etc/systemd/system/beam-firewall.service.d/override.conf"]), "override.conf"),
    ("firewall-boot", set_unit("beam-firewall.service", drop_ins=["/run/systemd/system/beam-.service.d/x.conf"]), "beam-.service.d/x.conf"),
    ("firewall-boot", set_unit("beam-firewall.service", fragment="/etc/systemd/system.control/beam-firewall.service"), "is read from"),
    ("firewall-boot", set_unit("beam-firewall.service", need_daemon_reload=True), "has not read its files"),
    ("unit-drop-in", set_unit("beam-guard-beam.service", drop_ins=["/etc/systemd/system/beam-guard-beam.service.d/o.conf"]), "o.conf"),
    ("unit-drop-in", set_unit("beam-watch-beam.service", drop_ins=["/etc/systemd/system/beam-watch-beam.service.d/o.conf"]), "o.conf"),
    # Whom the table lets out, and which user of the host, is in no other fact.
    ("firewall-rules", lambda n2: n2["firewall"]["beam"].update(as_in_file=False), "the loaded table is not the one in /etc/beam/firewall.nft"),
    # Code at the start.
    ("start-environment", lambda n2: n2["missing"].pop() and add("files", **HOME_FILE)(n2), ".config/erlang/.erlang exists"),
    ("start-environment", flags(args_files=[f"{DIRECTORY}/vm.args", f"{DIRECTORY}/more.args"]), "a second -args_file, /etc/beam/beam@n2/more.args"),
    # Listeners.
    ("distribution-listeners", add("listeners", **LISTENER, pid=77, process="nc", unit=None, port=9100), "another process has a port of its range"),
    ("epmd-listeners", add("listeners", **{**LISTENER, "address": "0.0.0.0"}, pid=9, process="epmd", unit="x.service", port=4370), "another EPMD"),
    # Not in force yet, and at the next boot.
    ("epmd-listeners", set_unit("epmd.socket", drop_ins=[SOCKET_DROP_IN, "/etc/systemd/system/epmd.socket.d/zzzz.conf"]), "zzzz.conf comes after"),
    (
        "epmd-listeners",
        lambda n2: n2["units"].update({"epmd.service": {"load": "masked"}}) or set_unit("epmd.socket", drop_ins=["/x.conf"])(n2),
        "epmd.socket does not use",
    ),
    ("epmd-listeners", without_epmd, "nothing listens on 10.89.1.12:4369, and epmd.socket is active: run systemctl restart epmd.socket"),
    ("epmd-listeners", set_listener("127.0.0.1", 4369, pid=9, process="python3", unit="x.service"), "another program than EPMD listens on 127.0.0.1"),
    (
        "unplanned-nodes",
        lambda n2: (
            add("processes", **VM, flags={**made.FLAGS, "fixed_port": "9779", "proto_dist": "inet_tcp"})(n2),
            add("listeners", **{**LISTENER, "address": "0.0.0.0"}, pid=66, process="beam.smp", unit="x.service", port=9779)(n2),
        ),
        "a VM without a name (pid 66",
    ),
    (
        "unplanned-nodes",
        add("processes", **VM, own_network=True, flags={**made.FLAGS, "name": "x@n9", "proto_dist": "inet_tcp"}),
        "x@n9 (pid 66, x.service, user games) in a network of its own",
    ),
    ("distribution-listeners", flags(proto_dist="inet_tls", proto_dist_given=2), "runs without one -proto_dist alone, it has 2"),
    ("distribution-listeners", flags(proto_dist="my_tls"), "runs without -proto_dist with TLS"),
    # Certificates.
    ("certificate-strength", set_certificate(CERTIFICATE, key_type="RSA"), "its key is RSA"),
    ("certificate-strength", set_certificate(CERTIFICATE, signature="1.2.840.113549.1.1.2"), "its signature uses 1.2.840.113549.1.1.2"),
    ("certificate-names", set_certificate(CERTIFICATE, sans=["other:4", "DNS:n2"]), "names a directory name"),
]


def test_a_planned_file_that_others_can_write_fails() -> None:
    given = made.evidence()
    guard = {"path": "/etc/beam/guard", "kind": "file", "mode": "0777", "owner": "root", "group": "root", "replaceable_by": [], "sha256": made.SUM}
    seen = made.hosts()
    seen["n2"]["files"].append(guard)
    host = given.target.hosts["n2"]
    hosts = {**given.target.hosts, "n2": replace(host, contents={**(host.contents or {}), "/etc/beam/guard": made.SUM})}
    evidence = replace(made.evidence(seen=seen), target=replace(given.target, hosts=hosts))
    (found,) = (one for one in evaluate(evidence).findings if one.control == "options-file" and one.subject == "beam@n2")
    assert found.status == FAILED and "/etc/beam/guard has mode 0777" in found.details[0]


def test_a_second_listener_of_the_vm_in_its_range_fails() -> None:
    plan = made.plan()
    for one in (*plan["members"], *(node for host in plan["hosts"].values() for node in host["nodes"])):
        one["ports"] = {"first": 9100, "last": 9109}
    seen = made.hosts()
    seen["n2"]["listeners"].append({**LISTENER, "pid": 42, "process": "beam.smp", "unit": "beam.service", "port": 9101})
    (found,) = (one for one in evaluate(made.evidence(of=plan, seen=seen)).findings if one.control == "distribution-listeners" and "n2" in one.hosts)
    assert found.status == FAILED and "pid 42 listens at several ports of its range 9100-9109: 9100, 9101" in found.details[0]


@pytest.mark.parametrize(("address", "status"), [("::", FAILED), ("127.0.0.1", PASSED)])
def test_the_management_interface_of_a_planned_rabbitmq(address: str, status: str) -> None:
    plan = made.plan()
    for one in plan["hosts"]["n2"]["nodes"]:
        one["kind"] = "rabbitmq"
    seen = made.hosts()
    entry = {"address": address, "family": 6, "user": "rabbitmq", "pid": 42, "process": "beam.smp", "unit": "beam.service", "port": 15672}
    seen["n2"]["listeners"].append(entry)
    found = {one.subject: one for one in evaluate(made.evidence(of=plan, seen=seen)).findings if one.control == "rabbitmq-management"}["beam@n2"]
    assert found.status == status


OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("server", {"sni_fun": None}, "as server sni_fun is set, which is not planned"),
    ("client", {"certs_keys": None}, "as client certs_keys is set"),
    ("server", {"session_tickets": "stateless"}, "as server session_tickets is set"),
    ("server", {"versions": ["tlsv1.3", "tlsv1.2"], "reuse_sessions": True}, "a session in TLS 1.2 is resumed"),
]


@pytest.mark.parametrize(("side", "values", "says"), OPTIONS)
def test_an_option_that_nobody_planned_fails(side: str, values: dict[str, Any], says: str) -> None:
    said = made.in_force([f"beam@{name}" for name in made.HOSTS], "beam@n2")
    said["tls"][side].update(values, names=[*said["tls"][side]["names"], *values])
    (found,) = (one for one in findings(lambda n2: None, "tls-options", mesh={"beam@n2": {"in_force": said}}))
    assert found.status == FAILED and says in "\n".join(found.details)


@pytest.mark.parametrize(("control", "change", "says"), FAILS)
def test_a_broken_host_fails(control: str, change: Change, says: str) -> None:
    failed = [one for one in findings(change, control) if one.status == FAILED]
    assert failed and says in "\n".join(detail for one in failed for detail in one.details)


def unreadable(n2: dict[str, Any], path: str = "/etc/beam/other.pem") -> None:
    n2["unknown"] = {"certificates": f"{path}: a certificate cannot be read"}


UNKNOWN: list[tuple[str, Change, str]] = [
    ("firewall-rules", lambda n2: n2["firewall"]["beam"].update(as_in_file=None), "could not be compared with /etc/beam/firewall.nft"),
    ("trust-anchors", unreadable, "a certificate cannot be read"),
    ("ca-lifetime", unreadable, "a certificate cannot be read"),
    ("certificate-strength", unreadable, "a certificate cannot be read"),
    ("certificate-strength", set_certificate(CERTIFICATE, signature="RSA-PSS"), "was not read"),
    ("ca-lifetime", set_certificate(CA, not_after=""), "has no readable end"),
]


@pytest.mark.parametrize(("control", "change", "says"), UNKNOWN)
def test_what_was_seen_in_part_is_not_tested(control: str, change: Change, says: str) -> None:
    found = findings(change, control)
    assert [one.status for one in found if one.status != PASSED] == [NOT_TESTED]
    assert says in "\n".join(detail for one in found for detail in one.details)


def test_a_host_outside_that_has_no_route_to_any_node_has_tried_nothing() -> None:
    def answer(probe: Probe, reached: str = "") -> Answer:
        good = made.hardened(probe)
        if probe.attack is None or probe.attack.vantage != "outside" or probe.target == reached:
            return good
        return replace(good, code="epmd_unreachable" if probe.attack.protocol == "epmd" else "unreachable")

    for control in ("outside-epmd", "outside-distribution-port"):
        (found,) = findings(lambda n2: None, control, answer=answer)
        assert found.status == NOT_TESTED and "outsider reached no node at all" in found.details[0]
        # One that it reaches shows that it has a network: then there is no way to the others.
        (found,) = findings(lambda n2: None, control, answer=lambda probe: answer(probe, "beam@n1"))
        assert found.status == PASSED

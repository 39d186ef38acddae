# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control that is read on a host is seen passing on a whole cluster, and failing on one that is broken in exactly the way that it is about."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import file_contents as file_content_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import on_hosts as host_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import products as product_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import running_node as running_node_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import BY_ID, CONTROLS
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from changes import IN_TEST_HOST_CHECKS

Change = Callable[[dict[str, Any]], object]


def by_status(verdict: Verdict) -> dict[str, set[str]]:
    """Controls by status, a control once per status that any of its findings has."""
    found: dict[str, set[str]] = {}
    for one in verdict.findings:
        found.setdefault(one.status, set()).add(one.control)
    return found


def test_a_whole_cluster_passes_every_control() -> None:
    verdict = evaluate(made.evidence())
    of_products = {*product_checks.OF_ONE_PRODUCT, *running_node_checks.OF_ONE_PRODUCT}
    assert by_status(verdict) == {PASSED: {one.id for one in CONTROLS if not one.audit_only} - {"policy", "waivers"} - of_products}
    assert verdict.ok


def broken(change: Change, host: str = "n2") -> Verdict:
    seen = made.hosts()
    change(seen[host])
    return evaluate(made.evidence(seen=seen))


def listener(address: str, port: int, **other: Any) -> dict[str, Any]:
    return {"address": address, "port": port, "family": 4, "pid": 66, "process": "beam.smp", "unit": "beam.service", "user": "beam", **other}


def add_listener(*args: Any, **other: Any) -> Change:
    return lambda n2: n2["listeners"].append(listener(*args, **other))


def move_listener(port: int, address: str) -> Change:
    """The node listens elsewhere, as on a wildcard address."""

    def change(n2: dict[str, Any]) -> None:
        for entry in n2["listeners"]:
            if entry["port"] == port and entry["address"] == made.HOSTS["n2"]:
                entry["address"] = address

    return change


def drop_listener(port: int) -> Change:
    def change(n2: dict[str, Any]) -> None:
        n2["listeners"] = [entry for entry in n2["listeners"] if entry["port"] != port]

    return change


def set_file(suffix: str, **values: Any) -> Change:
    def change(n2: dict[str, Any]) -> None:
        (entry,) = (entry for entry in n2["files"] if entry["path"].endswith(suffix))
        entry.update(values)

    return change


def drop_file(suffix: str, *, looked: bool = True) -> Change:
    def change(n2: dict[str, Any]) -> None:
        (path,) = (entry["path"] for entry in n2["files"] if entry["path"].endswith(suffix))
        n2["files"] = [entry for entry in n2["files"] if entry["path"] != path]
        n2["missing"] += [path] if looked else []

    return change


def unit(name: str, **values: Any) -> Change:
    return lambda n2: n2["units"][name].update(values)


def process(**values: Any) -> Change:
    return lambda n2: n2["processes"][0].update(values)


def forward(address: str | None, port: int, by: str = "socat (pid 7, x.service)") -> Change:
    return lambda n2: n2["system"]["forwards"].append({"by": by, "where": "its arguments", "address": address, "port": port})


def hardening(**values: Any) -> Change:
    return lambda n2: n2["processes"][0]["hardening"].update(values)


EMULATOR = "/usr/lib/erlang/erts-15.2.7/bin/beam.smp"


def vm(**values: Any) -> Change:
    return lambda n2: n2["processes"][0]["vm"].update(values)


def flags(**values: Any) -> Change:
    return lambda n2: n2["processes"][0]["flags"].update(values)


def table(**values: Any) -> Change:
    return lambda n2: n2["firewall"]["beam"].update(values)


def admit(family: int, sources: list[str] | None, **other: Any) -> Change:
    return lambda n2: n2["firewall"]["beam"]["admits"].append(made.admission(family, sources, **other))


BEAM, EPMD, FIREWALL = "beam.service", "epmd.socket", "beam-firewall.service"


def later(where: str, unit: str) -> Change:
    """A start of a node at the next boot."""
    return lambda n2: n2["system"].update(starts=[{"what": "a node", "where": where, "unit": unit or None}])


def other_vm(
    name: str | None = "x",
    *,
    address: str | None = "0.0.0.0",
    port: int = 43210,
    user: str = "root",
    hidden: bool = False,
    contained: bool = False,
    registered: str = "",
) -> Change:
    """A VM of nobody's plan. address: where it listens; None: nowhere."""

    def change(n2: dict[str, Any]) -> None:
        told = {**made.FLAGS, "name": name, "hidden": hidden, "listens": True}
        n2["contained" if contained else "processes"] = [
            *n2.get("contained" if contained else "processes", ()),
            {"pid": 99, "process": "beam.smp", "user": user, "unit": None, "container": contained, "flags": told, "hardening": {"switches": []}},
        ]
        if address:
            n2["listeners"].append(listener(address, port, pid=99, process="beam.smp", unit=None, user=user))
        if registered:
            n2["epmd_names"][registered] = port

    return change


BROKEN_HOSTS: list[tuple[str, Change, str]] = [
    ("epmd-listeners", add_listener("0.0.0.0", 4369, process="epmd"), "listens on 0.0.0.0:4369 (epmd"),
    ("epmd-listeners", add_listener("::", 4369, process="epmd"), "listens on [::]:4369"),
    ("epmd-listeners", add_listener("10.89.2.12", 4369, process="systemd"), "10.89.2.12:4369"),
    ("epmd-listeners", unit(EPMD, drop_ins=["/run/systemd/system/epmd.socket.d/zzz-beam.conf"]), "epmd.socket does not use /etc/systemd/system/"),
    ("epmd-listeners", unit(EPMD, need_daemon_reload=True), "epmd.socket: systemd has not read its files since they changed"),
    ("epmd-listeners", drop_listener(4369), "nothing listens on 10.89.1.12:4369"),
    ("distribution-listeners", add_listener("0.0.0.0", 9100), "listens on 0.0.0.0:9100"),
    ("distribution-listeners", add_listener("0.0.0.0", 41234), "outside its port range on 0.0.0.0:41234"),
    ("distribution-listeners", add_listener("10.89.1.12", 9100, unit="evil.service"), "another process has a port of its range"),
    ("distribution-listeners", drop_listener(9100), "nothing listens on 10.89.1.12"),
    ("private-key", set_file("key.pem", mode="0440"), "mode 0440, not 0400"),
    ("private-key", set_file("key.pem", owner="root"), "belongs to root, not to beam"),
    ("private-key", set_file("key.pem", replaceable_by=["group adm"]), "can be replaced by group adm"),
    ("distribution-listeners", flags(kernel={}), "(beam.service) runs without -kernel inet_dist_use_interface, -kernel inet_dist_listen_min"),
    ("distribution-listeners", flags(proto_dist="inet_tcp"), "runs without -proto_dist with TLS"),
    ("distribution-listeners", flags(proto_dist_given=0), "runs without -proto_dist with TLS"),
    ("distribution-listeners", flags(ssl_options_file=None), "runs without -ssl_dist_optfile"),
    ("private-key", set_file("key.pem", links=2), "has 1 more name (hard links): find them with find / -xdev -samefile /etc/beam/"),
    ("cookie-file", set_file(".erlang.cookie", links=3), "has 2 more names (hard links)"),
    ("private-key", set_file("key.pem", kind="link"), "no regular file (link)"),
    ("private-key", drop_file("key.pem"), "does not exist"),
    ("cookie-file", set_file(".erlang.cookie", mode="0644"), "mode 0644"),
    ("cookie-file", set_file(".erlang.cookie", owner="nobody"), "belongs to nobody"),
    ("cookie-file", set_file(".erlang.cookie", replaceable_by=["beam", "everybody"]), "can be replaced by everybody"),
    ("options-file", drop_file("ssl_dist.conf"), "does not exist"),
    ("options-file", set_file("ssl_dist.conf", owner="beam"), "belongs to beam, not to root"),
    ("options-file", set_file("vm.args", mode="0666"), "mode 0666"),
    ("options-file", set_file("ssl_dist.conf", replaceable_by=["beam"]), "can be replaced by beam"),
    ("options-file", set_file("inetrc", replaceable_by=["everybody"]), "can be replaced by everybody"),
    ("options-file", set_file("allow.conf", kind="link"), "no regular file"),
    ("unit-drop-in", unit(BEAM, drop_ins=["/etc/systemd/system/beam.service.d/other.conf"]), "does not use"),
    ("unit-drop-in", unit(BEAM, drop_ins=[f"/etc/systemd/system/{BEAM}.d/zzz-beam.conf", "/run/service.d/zzzz.conf"]), "zzzz.conf comes after"),
    ("unit-drop-in", unit(f"beam-watch-{BEAM}", active="inactive"), "beam-watch-beam.service is inactive"),
    ("unit-drop-in", unit(BEAM, requires=[FIREWALL]), "does not require its guard"),
    ("unit-drop-in", unit(BEAM, links=[f"wants/beam-watch-{BEAM}"]), f"beam.service.requires/beam-guard-{BEAM} is no link to that unit"),
    ("unit-drop-in", unit(BEAM, links=[f"requires/beam-guard-{BEAM}"]), f"beam.service.wants/beam-watch-{BEAM} is no link to that unit"),
    ("unit-drop-in", unit(BEAM, need_daemon_reload=True), "has not read"),
    ("unit-drop-in", unit(BEAM, active="failed"), "is failed"),
    ("unit-drop-in", unit(BEAM, enabled="disabled"), "does not start at boot"),
    ("unit-drop-in", unit(BEAM, user=""), "runs as root"),
    ("unit-sandbox", unit(BEAM, exposure=9.4), "beam.service: exposure level 9.4, not 1.5 or lower"),
    ("unit-sandbox", unit("epmd.service", exposure=9.2), "epmd.service: exposure level 9.2, not 1.5 or lower"),
    ("core-dumps", unit(BEAM, core_limit="infinity"), "LimitCORE is infinity"),
    ("core-dumps", process(core_limit=-1), "another core limit"),
    ("running-process", process(digest="0ld"), "before its files"),
    ("running-process", process(digest=None), "before its files"),
    ("running-process", process(user="root"), "runs as root"),
    ("running-process", flags(name="other@n2"), "no process of beam.service"),
    ("running-process", unit(BEAM, digest=None), "no digest"),
    ("running-process", hardening(elsewhere=["/etc/beam/beam@n2/tls/ca.pem"]), "pid 42 sees another /etc/beam/beam@n2/tls/ca.pem than the host"),
    ("running-vm", vm(replaced=[EMULATOR]), f"pid 42 runs {EMULATOR} of the package erlang-base, which is no longer the file on disk"),
    ("running-vm", vm(replaced=["/usr/lib/x86_64-linux-gnu/libcrypto.so.3"]), "libcrypto.so.3, which is no longer the file on disk"),
    ("running-vm", vm(package={"name": "erlang-base", "installed": "27-2", "started": "27-1"}), "runs erlang-base 27-1, and 27-2 is installed"),
    ("running-vm", vm(installed_erts="15.2.8"), "runs ERTS 15.2.7, and /usr/lib/erlang has ERTS 15.2.8 now"),
    ("argument-list", flags(cookie="value"), "shows its cookie"),
    ("firewall-rules", lambda n2: n2["firewall"].update(beam=None), "not loaded"),
    ("firewall-rules", table(members=[*made.MEMBERS, "10.89.1.66"]), "lets in 10.89.1.66"),
    ("firewall-rules", table(members=made.MEMBERS[:2]), "does not let in the member 10.89.1.13"),
    ("firewall-rules", table(ports=[[4369, 4369]]), "guards the ports"),
    ("firewall-rules", table(dormant=True), "dormant"),
    ("firewall-rules", table(hooks=["output"]), "no chain"),
    # An accept before the drop, a set too wide, and no rules for one family: the policy accepts.
    ("firewall-rules", admit(4, None, rule="accept"), "lets in every address (IPv4): accept"),
    ("firewall-rules", admit(4, ["192.168.7.0/24"], rule="ip saddr 192.168.7.0/24 accept"), "lets in 192.168.7.0/24"),
    ("firewall-rules", admit(4, ["10.89.1.0-10.89.1.255"]), "lets in 10.89.1.0-10.89.1.255"),
    ("firewall-rules", admit(6, None, rule="policy accept of the chain input"), "lets in every address (IPv6)"),
    ("firewall-rules", admit(4, None, certain=False, ports=[[9000, 9200]]), "may let in every address"),
    ("firewall-boot", unit(FIREWALL, enabled="disabled"), "not enabled"),
    ("firewall-boot", unit(FIREWALL, active="inactive"), "is inactive"),
    ("firewall-boot", unit(BEAM, after=[EPMD]), "beam.service may start before"),
    ("firewall-boot", unit(BEAM, requires=[f"beam-guard-{BEAM}"]), "does not require"),
    *(
        ("changeable-files", lambda n2, reason=reason: n2.update(obstacles=[{"path": "/etc/beam/k", "reason": reason}]), says)
        for reason, says in (
            ("immutable", "/etc/beam/k is immutable or append-only (chattr), so that nobody can change it: run chattr -i -a /etc/beam/k"),
            ("read_only", "/etc/beam/k is on a read-only file system: mount it read-write"),
            ("full", "the file system of /etc/beam/k is full: free at least 16 MiB"),
            ("not_a_directory", "/etc/beam/k is no directory"),
            ("refused", "root may not write to /etc/beam/k"),
        )
    ),
    ("firewall-boot", unit(EPMD, after=[]), "epmd.socket may start before"),
    ("forwarded-ports", forward("127.0.0.1", 4369), "socat (pid 7, x.service) forwards connections to 127.0.0.1:4369: see its arguments"),
    ("forwarded-ports", forward("10.89.1.11", 9100), "10.89.1.11:9100"),
    ("forwarded-ports", forward(None, 9100, "a rule with redirect"), "a rule with redirect forwards connections to this host:9100"),
    ("planned-files", set_file("ssl_dist.conf", sha256="00" * 32), "ssl_dist.conf differs from the plan"),
    ("planned-files", set_file("inetrc", sha256="00" * 32), "inetrc differs from the plan"),
    ("planned-files", set_file("allow.conf", sha256="00" * 32), "allow.conf differs from the plan"),
    ("planned-files", set_file("vm.args", modified=made.NOW), "vm.args was changed after pid 42 started"),
    ("start-environment", process(adding=["ERL_AFLAGS", "ERL_ZFLAGS"]), "pid 42 was started with the variable ERL_ZFLAGS"),
    ("start-environment", process(adding=["ERL_OTP27_FLAGS"]), "ERL_OTP27_FLAGS"),
    ("start-environment", process(adding=["ERL_LIBS"]), "ERL_LIBS"),
    ("start-environment", unit(BEAM, environment_names=["HEART_COMMAND"]), "gives its next process the variable HEART_COMMAND"),
    ("start-environment", process(adding=["XDG_CONFIG_HOME"]), "pid 42 was started with the variable XDG_CONFIG_HOME"),
    ("start-environment", process(home="/srv/home"), "pid 42 runs with the home /srv/home, not /var/lib/beam/beam@n2"),
    ("start-environment", process(adding=["OPENSSL_CONF"]), "pid 42 was started with the variable OPENSSL_CONF"),
    ("start-environment", unit(BEAM, environment_names=["ERL_ROOTDIR"]), "gives its next process the variable ERL_ROOTDIR"),
    ("start-environment", process(runs=["-loader inet"]), "was started with -loader inet, which is not in its argument files"),
    ("start-environment", process(runs=["-epmd_module evil"]), "was started with -epmd_module evil"),
    ("start-environment", process(runs=["-eval"]), "was started with -eval"),
    ("start-environment", process(runs=["-run evil"]), "was started with -run evil"),
    ("start-environment", lambda n2: (process(runs=["-eval"])(n2), unit(BEAM, runs=["-eval"])(n2)), "was started with -eval"),
    ("start-environment", process(runs=["-s evil in /etc/x.args"]), "was started with -s evil, from /etc/x.args"),
    ("start-environment", flags(args_files=["/tmp/x.args"]), "a second -args_file, /tmp/x.args"),
    ("start-environment", lambda n2: n2["files"].append({"path": n2["missing"].pop(), "mode": "0644"}), "/.erlang exists"),
    ("unplanned-nodes", other_vm(), "x (pid 99, no unit, user root) listens on 0.0.0.0:43210"),
    ("unplanned-nodes", later("/etc/rc.local", ""), "/etc/rc.local starts a node at the next boot or later, which is not planned"),
    ("unplanned-nodes", later("/etc/systemd/system/x.service", "x.service"), "/etc/systemd/system/x.service starts a node at the next boot"),
    ("unplanned-nodes", other_vm(hidden=True), "x (pid 99"),
    ("unplanned-nodes", other_vm(name=None, registered="quiet"), "quiet (pid 99, no unit, user root) listens on 0.0.0.0:43210, EPMD names it quiet"),
    ("unplanned-nodes", other_vm(contained=True), "x (pid 99, no unit, user root) in a container, listens on 0.0.0.0:43210"),
    ("unplanned-nodes", other_vm(contained=True, address=None), "in a container, in a network of its own"),
    ("epmd-names", lambda n2: n2.update(epmd_names={"beam": 9999}), "names port 9999 for beam, while the node listens on 10.89.1.12:9100"),
    ("epmd-names", lambda n2: n2.update(epmd_names={}), "EPMD does not know the name beam"),
    ("epmd-names", lambda n2: n2["epmd_names"].update(ghost=1), "EPMD names ghost at port 1: nothing listens there"),
    ("epmd-names", lambda n2: n2["epmd_names"].update(ssh=22), "EPMD names ssh at port 22: held by pid 77 (sshd, ssh.service)"),
]


@pytest.mark.parametrize(("control", "change", "says"), BROKEN_HOSTS)
def test_a_broken_host_fails_exactly_that_control(control: str, change: Change, says: str) -> None:
    verdict = broken(change)
    assert by_status(verdict)[FAILED] == {control}
    (found,) = verdict.failures
    assert found.hosts == ("n2",)
    assert says in " ".join(found.details)


@pytest.mark.parametrize(("address", "port"), [("203.0.113.9", 9100), ("127.0.0.1", 8080), ("db.example", 4369)])
def test_what_is_forwarded_to_other_hosts_or_ports_is_no_affair_of_the_cluster(address: str, port: int) -> None:
    assert broken(forward(address, port)).ok


def test_every_control_has_a_broken_host() -> None:
    assert {control for control, _change, _says in BROKEN_HOSTS} == IN_TEST_HOST_CHECKS


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("LD_PRELOAD", {"erlang", "rabbitmq", "ejabberd", "release"}),
        ("ERL_OTP27_FLAGS", {"erlang", "rabbitmq", "ejabberd", "release"}),
        # relx sets it in the start script of each release.
        ("LD_LIBRARY_PATH", {"erlang", "rabbitmq", "ejabberd"}),
        ("ERL_LIBS", {"erlang"}),
        ("ERL_ROOTDIR", {"erlang", "rabbitmq"}),
        ("OPENSSL_CONF", {"erlang", "rabbitmq", "ejabberd", "release"}),
        ("XDG_CONFIG_HOME", {"erlang", "rabbitmq", "ejabberd", "release"}),
        ("BASH_ENV", {"erlang", "rabbitmq", "ejabberd", "release"}),
        ("ERL_CRASH_DUMP", set()),
    ],
)
def test_which_variables_add_code_to_which_kind_of_node(name: str, kinds: set[str]) -> None:
    node = made.evidence().target.members[0]
    tried = ("erlang", "rabbitmq", "ejabberd", "release")
    assert {kind for kind in tried if file_content_checks.adding(replace(node, kind=kind), frozenset({name}))} == kinds


@pytest.mark.parametrize(("exposure", "low_ports", "good"), [(1.5, False, True), (1.6, False, False), (1.6, True, True), (1.7, True, False)])
def test_a_port_below_1024_costs_a_little_of_the_sandbox(exposure: float, low_ports: bool, good: bool) -> None:
    evidence = made.evidence()
    host, seen = evidence.target.hosts["n2"], evidence.seen["n2"]
    seen = replace(seen, units={**(seen.units or {}), BEAM: replace((seen.units or {})[BEAM], exposure=exposure)})
    host = replace(host, nodes=tuple(replace(node, low_ports=low_ports) for node in host.nodes))
    found, _of_epmd = host_checks.CHECKS["unit-sandbox"](host, seen)
    assert (found.status == PASSED) is good


@pytest.mark.parametrize("port", [4369, 9100])
def test_a_wildcard_listener_is_one_problem(port: int) -> None:
    (found,) = broken(move_listener(port, "0.0.0.0")).failures
    assert len(found.details) == 1 and f"0.0.0.0:{port}" in found.details[0]


def gone(name: str) -> Change:
    return lambda n2: n2.pop(name)


UNKNOWN: list[tuple[str, Change, str]] = [
    ("epmd-listeners", gone("listeners"), "listeners"),
    ("epmd-listeners", unit(EPMD, drop_ins=None), "epmd.socket was not looked at"),
    ("distribution-listeners", gone("listeners"), "listeners"),
    ("private-key", drop_file("key.pem", looked=False), "not looked at"),
    ("private-key", set_file("key.pem", replaceable_by=None), "directories above"),
    ("private-key", set_file("key.pem", links=None), "how many names"),
    ("cookie-file", drop_file(".erlang.cookie", looked=False), "not looked at"),
    ("cookie-file", gone("files"), "not looked at"),
    ("options-file", set_file("ssl_dist.conf", replaceable_by=None), "directories above"),
    ("options-file", gone("files"), "not looked at"),
    ("unit-drop-in", gone("units"), "not looked at"),
    ("unit-drop-in", lambda n2: n2["units"].pop(f"beam-watch-{BEAM}"), "not looked at"),
    ("unit-drop-in", unit(BEAM, drop_ins=None), "not looked at"),
    ("unit-sandbox", unit(BEAM, exposure=None), "not looked at"),
    ("unit-sandbox", unit("epmd.service", exposure=None), "epmd.service: its sandbox was not looked at"),
    ("core-dumps", unit(BEAM, core_limit=None), "not looked at"),
    ("running-process", gone("processes"), "processes"),
    ("running-process", gone("units"), "not looked at"),
    ("running-process", flags(arguments_read=False, name=None), "could not be read"),
    ("running-process", hardening(elsewhere=None), "which files it sees could not be looked at"),
    ("running-vm", gone("processes"), "processes"),
    ("running-vm", lambda n2: n2["processes"].clear(), "no process of beam.service runs"),
    ("running-vm", process(vm=None), "could not be read"),
    ("argument-list", gone("processes"), "processes"),
    ("argument-list", lambda n2: n2["processes"].clear(), "no process of beam.service"),
    ("argument-list", flags(arguments_read=False), "could not be read"),
    ("argument-list", flags(cookie="unknown"), "cookie file could not be read"),
    ("firewall-rules", gone("firewall"), "could not be read"),
    # nft was too slow, or there was no privilege.
    ("firewall-rules", lambda n2: n2["firewall"].update(readable=False, beam=None), "could not be read"),
    ("firewall-rules", table(admits=None), "could not be read"),
    ("firewall-boot", gone("units"), "not looked at"),
    ("firewall-boot", unit(BEAM, after=None), "not looked at"),
    ("firewall-boot", lambda n2: n2["units"].pop("nftables.service"), "nftables.service was not looked at"),
    ("firewall-boot", lambda n2: n2["firewall"].pop("waiting"), "not looked at"),
    ("unit-drop-in", unit(BEAM, at_boot=None), "not looked at"),
    ("changeable-files", gone("obstacles"), "not looked at"),
    ("forwarded-ports", lambda n2: n2["system"].pop("forwards"), "was not looked at"),
    ("forwarded-ports", gone("system"), "was not looked at"),
    ("planned-files", gone("files"), "not looked at"),
    ("planned-files", set_file("inetrc", sha256=None), "inetrc: its content was not looked at"),
    ("start-environment", gone("processes"), "processes"),
    ("start-environment", process(adding=None), "its environment could not be read"),
    ("unplanned-nodes", lambda n2: n2["system"].update(starts=None), "what starts nodes at the next boot was not looked at"),
    ("unplanned-nodes", gone("processes"), "processes"),
    ("unplanned-nodes", gone("listeners"), "listeners"),
    ("epmd-names", gone("epmd_names"), "epmd_names"),
    ("epmd-names", gone("listeners"), "listeners"),
]


@pytest.mark.parametrize(("control", "change", "says"), UNKNOWN)
def test_what_could_not_be_looked_at_is_not_tested(control: str, change: Change, says: str) -> None:
    found = [one for one in broken(change).failures if one.control == control]
    assert [one.status for one in found] == [NOT_TESTED]
    assert says in " ".join(found[0].details)


TOOLS: list[Change] = [
    # A remote shell that does not listen, or on loopback only; a tool within its limits; a VM without a name.
    other_vm(address=None, hidden=True),
    other_vm(address=None),
    other_vm(address="127.0.0.1"),
    other_vm(address=made.HOSTS["n2"], port=9100, user="beam", hidden=True),
    other_vm(name=None),
]


@pytest.mark.parametrize("change", TOOLS[:3] + TOOLS[4:])
def test_a_tool_on_a_members_host_is_no_node_too_many(change: Change) -> None:
    assert broken(change).ok


@pytest.mark.parametrize(
    ("user", "port", "good"), [("rabbitmq", 25675, True), ("root", 25675, True), ("mallory", 25675, False), ("root", 30000, False)]
)
def test_a_products_tool_listens_within_its_limits(user: str, port: int, good: bool) -> None:
    of, seen = made.plan(), made.hosts()
    node = of["hosts"]["n2"]["nodes"][0]
    node.update(user="rabbitmq", product_data={"tool_ports": {"first": 25673, "last": 25683}, "tool_names": {"prefix": "rabbitmqcli-", "count": 9}})
    seen["n2"]["processes"][0]["user"] = seen["n2"]["units"][BEAM]["user"] = "rabbitmq"
    other_vm(None, address=made.HOSTS["n2"], port=port, user=user, registered="rabbitmqcli-4-beam")(seen["n2"])
    found = {one.control: one.status for one in evaluate(made.evidence(of=of, seen=seen)).findings if one.hosts == ("n2",) and one.bad}
    assert ("unplanned-nodes" not in found) is good
    assert "epmd-names" not in found


def test_every_control_has_been_unknown() -> None:
    assert {control for control, _change, _says in UNKNOWN} == IN_TEST_HOST_CHECKS


def test_hosts_that_were_not_observed_are_not_tested() -> None:
    verdict = evaluate(made.evidence(seen={**made.hosts(), "n2": {}}))
    untested = {one.control for one in verdict.findings if one.status == NOT_TESTED and one.hosts == ("n2",)}
    assert untested >= {control for control in host_checks.CHECKS if not BY_ID[control].audit_only and control not in product_checks.OF_ONE_PRODUCT}


def test_a_file_of_a_directory_that_was_listed_is_missing_and_not_unknown() -> None:
    (found,) = broken(drop_file("vm.args", looked=False)).failures
    assert (found.control, found.status) == ("options-file", FAILED)


def test_without_privilege_nobody_knows_what_a_process_was_started_with_or_what_starts_later() -> None:
    def change(n2: dict[str, Any]) -> None:
        n2.update(privileged=False)
        n2["processes"][0].update(digest=None)

    untested = {(control, NOT_TESTED) for control in ("running-process", "cookie-arguments", "forwarded-ports", "unplanned-nodes")}
    assert {(one.control, one.status) for one in broken(change).failures} == untested


@pytest.mark.parametrize(
    ("other", "address", "fails"),
    [("second.service", "10.89.1.62", False), ("second.service", "0.0.0.0", True), ("evil.service", "10.89.1.62", True)],
)
def test_two_nodes_of_a_host_have_one_port_at_an_address_each(other: str, address: str, fails: bool) -> None:
    of, seen = made.plan(), made.hosts()
    nodes = of["hosts"]["n2"]["nodes"]
    nodes.append({**copy.deepcopy(nodes[0]), "node": "second@n2b", "unit": "second.service", "address": "10.89.1.62"})
    of["members"].append({**of["members"][1], "node": "second@n2b", "address": "10.89.1.62"})
    seen["n2"]["listeners"].append(listener(address, 9100, unit=other))
    verdict = evaluate(made.evidence(of=of, seen=seen))
    (own,) = [found for found in verdict.findings if found.control == "distribution-listeners" and found.subject == "beam@n2"]
    assert (own.status == FAILED) is fails, own.details


def test_an_external_firewall_is_assessed_by_what_it_lets_through() -> None:
    of, seen = made.plan(), made.hosts()
    of["hosts"]["n2"]["firewall"]["backend"] = "external"
    seen["n2"]["firewall"]["beam"] = None
    del seen["n2"]["units"]["beam-firewall.service"]
    verdict = evaluate(made.evidence(of=of, seen=seen))
    assert verdict.ok
    on_n2 = {f.control for f in verdict.findings if f.status == NOT_APPLICABLE and f.hosts == ("n2",)}
    assert {"firewall-rules", "firewall-boot", "local-epmd", "local-distribution-port"} <= on_n2


@pytest.mark.parametrize("contents", [{}, {"n1": {}}, {"n1": {"/etc/beam/guard": made.SUM}}])
def test_files_whose_content_nobody_computed_are_not_tested(contents: dict[str, dict[str, str]]) -> None:
    target = Target.from_plan(made.plan(), {name: contents.get(name, {}) for name in made.HOSTS})
    found = evaluate(replace(made.evidence(), target=target)).findings
    assert {one.status for one in found if one.control == "planned-files"} == {NOT_TESTED}


def test_starts_of_planned_and_of_running_units_are_looked_at_as_processes() -> None:
    seen = made.hosts()
    at = ("/etc/systemd/system/beam.service", "/etc/systemd/system/app@.service")
    seen["n2"]["system"]["starts"] = [{"what": "a node", "where": where, "unit": where.rpartition("/")[2]} for where in at]
    seen["n2"]["processes"].append({**seen["n2"]["processes"][0], "pid": 77, "unit": "app@1.service", "flags": {**made.FLAGS, "name": None}})
    assert [one.details for one in evaluate(made.evidence(seen=seen)).failures if one.control == "unplanned-nodes"] == []

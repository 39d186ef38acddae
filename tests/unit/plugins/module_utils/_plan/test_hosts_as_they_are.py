# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on a host already: refused with its reason, or taken into the plan. Each case is one mistake on n2, and its sibling that is none."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._plan import sandbox_rules
from plan_world import PRODUCTS, Bend, World, found, runs, says

RABBIT = "rabbitmq-server.service"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    more: dict[str, Any] = {
        "writable": ["/var/lib/rabbitmq", "/var/log/rabbitmq"],
        "node_name_settings": ["RABBITMQ_NODENAME"],
        "directory_settings": ["MNESIA_BASE", "LOGS", "log.dir"],
        "kernel_settings": {"net_ticktime": "net_ticktime"},
        "tool_names": {"prefix": "rabbitmqcli-", "count": 1024},
    }
    monkeypatch.setitem(PRODUCTS, "rabbitmq", {**PRODUCTS["rabbitmq"], **more})
    monkeypatch.setitem(PRODUCTS, "erlang", {**PRODUCTS["erlang"], "managed": {"users": {"{user}": "/var/lib/beam"}}, "database": "/db"})
    monkeypatch.setitem(PRODUCTS, "release", {"kind": "release", "unit": "{name}.service", "user": "{name}", "home": "/var/lib/beam/{node}"})
    return World()


def sees(part: str, value: object) -> Bend:
    def bend(world: World) -> None:
        world.observed["n2"][part] = value

    return bend


def both(*bends: Bend) -> Bend:
    def bend(world: World) -> None:
        for one in bends:
            one(world)

    return bend


def setting(name: str, value: str | None = None, kind: str = "variable", unit: str = RABBIT) -> dict[str, Any]:
    return {"unit": unit, "path": "/etc/default/x", "line": 7, "kind": kind, "name": name, "value": value}


CAPABLE = setting("AmbientCapabilities", "CAP_NET_BIND_SERVICE", "directive")


def account(**more: Any) -> list[dict[str, Any]]:
    return [{"name": "beam", "uid": 998, "group": "beam", "home": "/var/lib/beam", "login": False, **more}]


def unit(name: str, **more: Any) -> Bend:
    return sees("units", {name: {"load": "loaded", "active": "active", "ours": False, "user": "beam", "release": "/opt/beam", **more}})


def vm(writes: list[str], digest: str | None = None) -> Bend:
    flags = {"proto_dist": "inet_tls"}
    return sees("processes", [{"pid": 1, "process": "beam.smp", "unit": RABBIT, "digest": digest, "writes": writes, "flags": flags}])


def otp(**facts: Any) -> Bend:
    return sees("otp", {"installed": True, **facts})


def listener(**more: Any) -> Bend:
    return sees("listeners", [{"address": "0.0.0.0", "port": 4369, "process": "epmd", "pid": 5, "user": "root", "unit": "user@0.service", **more}])


def directives(*lines: str) -> Bend:
    def bend(world: World) -> None:
        world.more["sandbox"] = {"n2": lines}

    return bend


def certificate(**more: Any) -> Bend:
    def bend(world: World) -> None:
        for name in ("certificate", "key", "ca"):
            world.set(f"beam_pki_{name}", f"/etc/mine/{name}.pem")
        world.observed["n2"]["certificates"] = [
            {"path": "/etc/mine/certificate.pem", "sha256": "00", "sans": ["DNS:n2"], "not_after": "2027-01-01T00:00:00Z", **more}
        ]

    return bend


LONG = "b" * 70
OF_VALUES = ("name_characters", "name_longer_than_certificate", "name_longer_than_dns", "platform_unsupported")
"""Rules of variables and of the platform: they hold for every run."""

PROFILE = {"unit": RABBIT, "profile": "mq", "path": "/etc/apparmor.d/mq", "local": "/etc/apparmor.d/local/mq", "allows": False}
CASES: list[tuple[str, Bend, str]] = [
    ("not root", sees("privileged", False), "privilege_missing"),
    ("root", sees("privileged", True), ""),
    ("another system", sees("distribution", {"id": "rocky", "version_id": "9.7", "like": ["rhel"]}), "platform_unsupported"),
    ("accepted", both(sees("distribution", {"id": "rocky", "like": []}), says("beam_platform_untested", True)), ""),
    ("a derivative", sees("distribution", {"id": "ubuntu", "like": ["debian"]}), ""),
    ("a flag", runs("rabbitmq", sees("settings", [setting("-proto_dist", kind="flag")])), "flag_reserved"),
    ("a flag of another unit", runs("rabbitmq", sees("settings", [setting("-proto_dist", kind="flag", unit="x.service")])), ""),
    ("flags", runs("rabbitmq", sees("settings", [setting("ERL_AFLAGS")])), "flags_elsewhere"),
    ("another name", runs("rabbitmq", sees("settings", [setting("RABBITMQ_NODENAME", "rabbit@mq1")])), "node_name_differs"),
    ("the same name", runs("rabbitmq", sees("settings", [setting("RABBITMQ_NODENAME", "rabbit@n2")])), ""),
    ("its first part", runs("rabbitmq", sees("settings", [setting("RABBITMQ_NODENAME", "rabbit")])), ""),
    ("another tick", runs("rabbitmq", sees("settings", [setting("net_ticktime", "120")])), "setting_overridden"),
    ("the same tick", runs("rabbitmq", sees("settings", [setting("net_ticktime", "60")])), ""),
    ("a later drop-in", unit("beam.service", ours=True, drop_ins=["/x/zzz-beam.conf", "/x/zzzz.conf"]), "drop_in_later"),
    ("an earlier drop-in", unit("beam.service", ours=True, drop_ins=["/x/10-mine.conf", "/x/zzz-beam.conf"]), ""),
    ("the name of a service", unit("beam.service"), "unit_taken"),
    ("a release without unit", runs("release", unit("beam.service", load="not-found", user="")), "unit_missing"),
    ("of another user", runs("release", unit("beam.service", user="deploy")), "unit_user"),
    ("of root", runs("release", unit("beam.service", user="")), "unit_user"),
    ("that is no release", runs("release", unit("beam.service", release="")), "unit_command"),
    ("a release", runs("release", unit("beam.service")), ""),
    ("a person", sees("accounts", account(uid=1000, home="/home/beam", login=True)), "account_taken"),
    ("a service with a home of its own", sees("accounts", account(home="/srv/beam")), "account_taken"),
    ("our own account", sees("accounts", account()), ""),
    ("an EPMD of a user", listener(), "epmd_foreign"),
    ("an EPMD of its socket", listener(unit="epmd.socket"), ""),
    ("no OTP where it is said to be", both(says("beam_otp_root", "/opt/otp"), sees("otp", {"installed": False})), "otp_missing"),
    ("no OTP, and none to be installed", both(says("beam_otp_install", "never"), sees("otp", {"installed": False})), "otp_missing"),
    ("OTP without TLS", both(says("beam_otp_root", "/opt/otp"), sees("otp", {"installed": True, "ssl": False})), "otp_without_tls"),
    ("OTP without crypto", both(says("beam_otp_root", "/opt/otp"), otp(ssl=True, missing=["crypto"])), "otp_without_tls"),
    ("an OTP of another maker without TLS", otp(root="/opt/x", foreign=True, missing=["ssl"]), "otp_without_tls"),
    ("one with TLS", otp(root="/opt/x", foreign=True, missing=[]), ""),
    ("the distribution's, to which a package is added", otp(foreign=False, missing=["ssl"], ssl=False), ""),
    ("a release without TLS", runs("release", unit("beam.service", lacks=["ssl", "crypto"])), "otp_without_tls"),
    ("OTP", both(says("beam_otp_root", "/opt/otp"), sees("otp", {"installed": True, "ssl": True})), ""),
    ("a certificate that has expired", certificate(not_after="1969-01-01T00:00:00Z"), "certificate_expired"),
    ("of another host", certificate(sans=["DNS:n9"]), "certificate_names"),
    ("that is not there", both(certificate(), sees("missing", ["/etc/mine/key.pem"])), "certificate_missing"),
    ("a certificate", certificate(), ""),
    ("data of another node", sees("databases", [{"path": "/db", "names": ["beam@localhost"]}]), "data_of_another_name"),
    ("its own data", sees("databases", [{"path": "/db", "names": ["beam@n1", "beam@n2"]}]), ""),
    ("a disk of its own", runs("rabbitmq", vm(["/data/rabbitmq/mnesia"])), "directory_read_only"),
    ("allowed", runs("rabbitmq", vm(["/data/rabbitmq/mnesia"]), directives("ReadWritePaths=/data/rabbitmq")), ""),
    ("made by systemd", runs("rabbitmq", vm(["/data/mq/x"]), unit(RABBIT, writable=["/data/mq"])), ""),
    ("in the sandbox already", runs("rabbitmq", vm(["/data/rabbitmq/mnesia"], digest="1")), ""),
    ("its own directory", runs("rabbitmq", vm(["/var/lib/rabbitmq/mnesia"])), ""),
    ("a release in a home", runs("release", unit("beam.service", program="/home/deploy/bin/x")), "directory_hidden"),
    ("allowed there", runs("release", unit("beam.service", program="/home/deploy/bin/x"), directives("ProtectHome=read-only")), ""),
    ("a capability", runs("rabbitmq", sees("settings", [setting("AmbientCapabilities", "CAP_NET_RAW", "directive")])), "capability_removed"),
    ("that is kept", runs("rabbitmq", sees("settings", [setting("AmbientCapabilities", "CAP_NET_BIND_SERVICE", "directive")])), ""),
    ("a profile", runs("rabbitmq", sees("profiles", [PROFILE])), "profile_refuses"),
    ("that lets it read", runs("rabbitmq", sees("profiles", [{**PROFILE, "allows": True}])), ""),
    ("of another unit", runs("rabbitmq", sees("profiles", [{**PROFILE, "unit": "x.service"}])), ""),
    ("a name too long for a certificate", says("beam_node_name", f"{LONG}@n2"), "name_longer_than_certificate"),
    ("for DNS", both(certificate(sans=[f"DNS:{LONG}"]), says("beam_node_name", f"beam@{LONG}")), "name_longer_than_dns"),
]  # fmt: skip


@pytest.mark.parametrize(("bend", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_host_as_it_is(world: World, bend: Bend, rule: str) -> None:
    bend(world)
    assert {(host, what) for host, _variable, what in found(world.validate()[1])} == ({("n2", rule)} if rule else set())


@pytest.mark.parametrize(("bend", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_run_that_only_looks_refuses_no_host_as_it_is(world: World, bend: Bend, rule: str) -> None:
    """verify has to report such a host: a plan that ends in an error leaves no report."""
    bend(world)
    world.more["preflight"] = False
    assert {what for _host, _variable, what in found(world.validate()[1])} <= set(OF_VALUES) & {rule}


def test_a_reason_names_host_file_line_variable_and_fix(world: World) -> None:
    runs("rabbitmq", sees("settings", [setting("ERL_AFLAGS"), setting("-name", kind="flag")]))(world)
    (flags, flag) = world.validate()[1]
    assert (flags.host, flags.variable) == ("n2", "ERL_AFLAGS")
    assert flags.message == f"/etc/default/x line 7 sets ERL_AFLAGS for {RABBIT}; only the role distribution may set it."
    assert flags.fix == "remove it there, and add its flags to beam_distribution_extra_args."
    assert flag.message.startswith(f"/etc/default/x line 7 sets -name for {RABBIT}: ")


@pytest.mark.parametrize(
    ("profile", "fix"),
    [
        ({}, "add the line '/etc/beam/** r,' to /etc/apparmor.d/local/mq, and run apparmor_parser -r /etc/apparmor.d/mq."),
        ({"local": ""}, "add the line '/etc/beam/** r,' to /etc/apparmor.d/mq, and run apparmor_parser -r /etc/apparmor.d/mq."),
        ({"path": "", "local": ""}, "add the line '/etc/beam/** r,' to the profile mq and load it."),
    ],
)
def test_a_profile_is_named_with_the_line_to_add(world: World, profile: dict[str, object], fix: str) -> None:
    runs("rabbitmq", sees("profiles", [{**PROFILE, **profile}]))(world)
    (problem,) = world.validate()[1]
    assert "AppArmor profile mq in enforce mode" in problem.message and problem.fix == fix


def test_a_directory_is_named_without_the_signs_of_systemd(world: World) -> None:
    """systemctl shows `WorkingDirectory=-/home/deploy` as `!/home/deploy`."""
    runs("release", unit("beam.service", working_directory="!/home/deploy"))(world)
    (problem,) = world.validate()[1]
    assert problem.message == "beam.service uses /home/deploy, which the sandbox hides (ProtectHome=yes)."


@pytest.mark.parametrize(
    ("settings", "added"),
    [
        ([setting("MNESIA_BASE", "/data/rabbitmq/mnesia")], ["-/data/rabbitmq/mnesia"]),
        ([setting("LOGS", "/logs/mq/rabbit.log"), setting("log.dir", "/logs/mq")], ["-/logs/mq"]),
        ([setting("MNESIA_BASE", "/var/lib/rabbitmq/mnesia")], []),
        ([setting("LOGS", "-"), setting("log.dir", "/"), setting("MNESIA_BASE", "/etc/x")], []),
        ([setting("MNESIA_BASE", "/data/x", unit="other.service")], []),
    ],
)
def test_directories_of_the_products_own_configuration_are_writable(world: World, settings: list[Any], added: list[str]) -> None:
    runs("rabbitmq", sees("settings", settings))(world)
    data = world.cluster()["hosts"]["n2"]["nodes"][0]["product_data"]
    assert data["writable"] == ["/var/lib/rabbitmq", "/var/log/rabbitmq", *added]


@pytest.mark.parametrize(
    ("bend", "kept"),
    [
        (sees("settings", [CAPABLE]), True),
        (sees("settings", [setting("AmbientCapabilities", value, "directive") for value in ("CAP_NET_BIND_SERVICE", "")]), False),
        # Of the package's own unit, which is not there yet when a bare host is planned: the second run must say the same.
        (sees("settings", [{**CAPABLE, "path": f"/usr/lib/systemd/system/{RABBIT}"}]), False),
        (sees("listeners", [{"address": "0.0.0.0", "port": 443, "process": "beam.smp", "pid": 5, "unit": RABBIT}]), True),
        (sees("listeners", [{"address": "0.0.0.0", "port": 8443, "process": "beam.smp", "pid": 5, "unit": RABBIT}]), False),
        (sees("listeners", [{"address": "0.0.0.0", "port": 443, "process": "nginx", "pid": 5, "unit": "nginx.service"}]), False),
    ],
)
def test_a_port_below_1024_is_kept(world: World, bend: Bend, kept: bool) -> None:
    runs("rabbitmq", bend)(world)
    assert world.cluster()["hosts"]["n2"]["nodes"][0]["product_data"].get("capabilities") == (["CAP_NET_BIND_SERVICE"] if kept else None)


def test_a_host_without_ipv6_has_no_ipv6_loopback(world: World) -> None:
    sees("ipv6", False)(world)
    hosts = world.cluster()["hosts"]
    assert hosts["n2"]["epmd"]["listen"] == ["127.0.0.1", "10.0.0.2"]
    assert hosts["n1"]["epmd"]["listen"] == ["127.0.0.1", "::1", "10.0.0.1"]


def test_nothing_known_breaks_no_rule(world: World) -> None:
    node = world.validate()[0]
    assert node is not None
    unknown = Observation("n1")
    assert sandbox_rules.kept_capabilities(node.members[0], unknown) == sandbox_rules.writable_directories(node.members[0], unknown) == []

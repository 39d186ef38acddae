# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has the last word about a unit: drop-ins for all services or for EPMD, directives that are switched off, capabilities of a program's file."""

from __future__ import annotations

from typing import Any

import pytest
from plan_world import PRODUCTS, Bend, World, found, runs

SHOP, LXC = "beam.service", "/run/systemd/system/service.d/zzz-lxc-service.conf"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    release = {"kind": "release", "unit": "{name}.service", "user": "{name}", "home": "/var/lib/beam/{node}", "writable": ["/var/lib/beam/{node}"]}
    monkeypatch.setitem(PRODUCTS, "release", {**release, "directives": ["ExecStop="]})
    return World()


def host(*settings: dict[str, Any], allows: tuple[str, ...] = (), epmd: dict[str, Any] | None = None, vm: dict[str, Any] | None = None,
         **unit: Any) -> Bend:  # fmt: skip
    shop = {"load": "loaded", "active": "active", "ours": False, "user": "beam", "release": "/opt/beam", "id": SHOP, **unit}
    flags = {"name": "beam@n2", "proto_dist": "inet_tcp", "listens": True}
    process = {"pid": 7, "process": "beam.smp", "unit": SHOP, "user": "beam", "digest": None, "flags": flags, **(vm or {})}

    def bend(world: World) -> None:
        world.observed["n2"].update(units={SHOP: shop, **(epmd or {})}, processes=[process], settings=list(settings))
        if allows:
            world.more["sandbox"] = {"n2": allows}

    return runs("release", bend)


def directive(name: str, value: str, path: str = "/etc/systemd/system/x.conf") -> dict[str, Any]:
    return {"unit": SHOP, "path": path, "line": 3, "kind": "directive", "name": name, "value": value}


def command(name: str, value: str) -> dict[str, Any]:
    return {**directive(name, value), "kind": "command"}


def drop_ins(unit: str, *paths: str) -> dict[str, Any]:
    return {unit: {"load": "loaded", "id": unit, "drop_ins": list(paths)}}


def has(*capabilities: str, **vm: Any) -> Bend:
    return host(vm={"hardening": {"capabilities": list(capabilities)}, **vm})


SOCKET = "/etc/systemd/system/epmd.socket.d"
SERVICE = "/etc/systemd/system/epmd.service.d"
CASES: list[tuple[str, Bend, str]] = [
    ("a drop-in of LXC", host(drop_ins=[LXC]), "drop_in_later"),
    ("what it says", host(directive("NoNewPrivileges", "no", LXC)), ""),
    ("the last drop-in of EPMD's socket", host(epmd=drop_ins("epmd.socket", f"{SOCKET}/zzzz.conf")), "drop_in_later"),
    ("that of EPMD's service", host(epmd=drop_ins("epmd.service", LXC)), "drop_in_later"),
    ("an earlier one", host(epmd=drop_ins("epmd.socket", f"{SOCKET}/override.conf", f"{SOCKET}/zzz-beam.conf")), ""),
    ("an earlier one of the service", host(epmd=drop_ins("epmd.service", f"{SERVICE}/override.conf", f"{SERVICE}/zzz-beam.conf")), ""),
    ("memory to a file", host(directive("LimitCORE", "infinity")), "directive_overridden"),
    ("some of it", host(directive("LimitCORE", "10G")), "directive_overridden"),
    ("no memory to a file", host(directive("LimitCORE", "0")), ""),
    ("one that is allowed", host(directive("LimitCORE", "infinity"), allows=("LimitCORE=infinity",)), ""),
    ("namespaces", host(directive("RestrictNamespaces", "no")), "directive_overridden"),
    ("some of them", host(directive("RestrictNamespaces", "user mnt")), "directive_overridden"),
    ("a sandbox like ours", host(directive("RestrictNamespaces", "yes")), ""),
    ("shared memory that stays", host(directive("RemoveIPC", "no")), "directive_overridden"),
    ("control groups", host(directive("ProtectControlGroups", "false")), "directive_overridden"),
    ("all of /proc", host(directive("ProcSubset", "all")), "directive_overridden"),
    ("all of /proc for os_mon", host(directive("ProcSubset", "all"), os_mon=True), ""),
    ("other processes", host(directive("ProtectProc", "default")), "directive_overridden"),
    ("a capability of the program's file", has("CAP_NET_RAW"), "capability_removed"),
    ("one that the node keeps", has("CAP_NET_BIND_SERVICE"), ""),
    ("no capability", has(), ""),
    ("one of a hardened node", has("CAP_NET_RAW", digest="1"), ""),
    ("one of another unit", has("CAP_NET_RAW", unit="x.service", flags={}), ""),
    ("the same, named in the unit", host(directive("AmbientCapabilities", "CAP_NET_RAW"), vm={"hardening": {"capabilities": ["CAP_NET_RAW"]}}),
     "capability_removed"),
    ("root without capabilities", host(command("ExecStartPre", "!/bin/chown")), "capability_removed"),
    ("root outside of the sandbox", host(command("ExecStartPre", "+/bin/chown")), ""),
    ("one that is taken away again", host(command("ExecStartPre", "!/bin/chown"), command("ExecStartPre", "")), ""),
    ("one that only the start is bound by", host(command("ExecStartPre", "!/bin/chown"), directive("PermissionsStartOnly", "yes")), ""),
    ("one with capabilities of its own", host(command("ExecStartPre", "!/bin/chown"), allows=("CapabilityBoundingSet=CAP_CHOWN",)), ""),
    ("one that the drop-in removes", host(command("ExecStop", "!/bin/chown")), ""),
    ("a node that is started as root", host(command("ExecStart", "!/opt/beam/bin/beam")), "directive_unusable"),
    ("a node outside of the sandbox", host(command("ExecStart", "+/opt/beam/bin/beam")), "directive_unusable"),
    ("one that is allowed to the unit", host(vm={"hardening": {"capabilities": ["CAP_NET_RAW"]}}, allows=("AmbientCapabilities=CAP_NET_RAW",)), ""),
]  # fmt: skip


@pytest.mark.parametrize(("bend", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_who_has_the_last_word(world: World, bend: Bend, rule: str) -> None:
    bend(world)
    problems = world.validate()[1]
    assert [(host, what) for host, _variable, what in found(problems)] == ([("n2", rule)] if rule else [])
    assert all(problem.message.endswith(".") and problem.fix.endswith(".") for problem in problems)
    world.more["preflight"] = False
    assert not found(world.validate()[1])


@pytest.mark.parametrize(
    ("bend", "said", "fix"),
    [
        (host(drop_ins=[LXC]), "overrides it for beam.service", "ln -s /dev/null /etc/systemd/system/beam.service.d/zzz-lxc-service.conf"),
        (host(drop_ins=["/etc/systemd/system/beam.service.d/zzzz.conf"]), "overrides it for beam.service", "rename it"),
        (host(epmd=drop_ins("epmd.socket", f"{SOCKET}/zzzz.conf")), "overrides it for epmd.socket", "rename it so that it sorts earlier."),
        (has("CAP_NET_RAW", "CAP_NET_BIND_SERVICE"), "has CAP_NET_RAW", "AmbientCapabilities="),
        (host(command("ExecStartPre", "!/bin/chown")), "run /bin/chown as root, with ! before it (ExecStartPre=)", "write + instead of !"),
        (host(command("ExecStart", "+/opt/x")), "would not run as beam, and not in the sandbox", "remove the + there"),
    ],
)
def test_what_to_do_about_it(world: World, bend: Bend, said: str, fix: str) -> None:
    bend(world)
    (problem,) = world.validate()[1]
    assert said in problem.message and fix in problem.fix


@pytest.mark.parametrize("unit", ["ssh.service", "ssh@7.service", "rc-local.service", "puppet.service", "gitlab-runner.service", "cron.service"])
def test_a_login_or_an_agent_is_no_unit_for_a_node(world: World, unit: str) -> None:
    """A node that one of them has left behind is in its control group: to harden or disable that unit would lock the operator out."""
    host(vm={"unit": unit})(world)
    (problem,) = world.validate()[1]
    assert f"runs already in {unit}" in problem.message
    assert "unit:" not in problem.fix and "disable" not in problem.fix and "stop it" in problem.fix

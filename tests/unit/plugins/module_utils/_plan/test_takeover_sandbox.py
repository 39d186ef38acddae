# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release uses today, and the sandbox would take away: each case is one thing on n2, and its sibling that is none."""

from __future__ import annotations

from typing import Any

import pytest
from plan_world import PRODUCTS, Bend, World, found, runs

SHOP = "beam.service"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    release = {"kind": "release", "unit": "{name}.service", "user": "{name}", "home": "/var/lib/beam/{node}", "writable": ["/var/lib/beam/{node}"]}
    monkeypatch.setitem(PRODUCTS, "release", {**release, "directives": ["ExecStop="]})
    return World()


def unit(**more: Any) -> dict[str, Any]:
    return {SHOP: {"load": "loaded", "active": "active", "ours": False, "user": "beam", "release": "/opt/beam", "id": SHOP, **more}}


def vm(digest: str | None = None, **more: Any) -> dict[str, Any]:
    flags = {"name": "beam@n2", "proto_dist": "inet_tcp", "listens": True}
    return {"pid": 7, "process": "beam.smp", "unit": SHOP, "user": "beam", "digest": digest, "flags": flags, **more}


def directive(name: str, value: str, **more: Any) -> dict[str, Any]:
    return {"unit": SHOP, "path": "/etc/systemd/system/x.conf", "line": 3, "kind": "directive", "name": name, "value": value, **more}


def path(value: str) -> dict[str, Any]:
    return {"unit": SHOP, "path": "/etc/shop.conf", "line": 2, "kind": "path", "name": "path", "value": value}


def sudo() -> dict[str, Any]:
    return {"unit": SHOP, "path": "/opt/beam/releases/1/env.sh", "line": 2, "kind": "privileged", "name": "sudo", "value": None}


def uses(
    reason: str, path: str = "", program: str = "beam.smp", digest: str | None = None, settings: Any = (), home_files: Any = (), **unit_facts: Any
) -> Bend:
    seen = {
        "units": unit(**unit_facts),
        "processes": [vm(digest)],
        "companions": [{"unit": SHOP, "program": program, "reason": reason, "path": path}],
        "settings": list(settings),
        "home_files": [{"unit": SHOP, "path": one} for one in home_files],
    }
    return runs("release", lambda world: world.observed["n2"].update(seen))


def allowed(bend: Bend, *lines: str) -> Bend:
    def both(world: World) -> None:
        bend(world)
        world.more["sandbox"] = {"n2": lines}

    return both


EVAL = directive("ExecStartPost", "/opt/beam/bin/beam eval")
TTY, SOCKET, IN_TMP = "/dev/ttyUSB0", "/srv/shop/http.sock", "/tmp/shop.sock"
CASES: list[tuple[str, Bend, str]] = [
    ("a compiler in a NIF", uses("generated_code"), "program_refused"),
    ("one that is allowed", allowed(uses("generated_code"), "MemoryDenyWriteExecute=no"), ""),
    ("one of a hardened node", uses("generated_code", digest="1"), ""),
    ("a serial line", uses("device", TTY), "program_refused"),
    ("a serial line of a program beside the VM", uses("device", TTY, "nerves_uart"), "program_refused"),
    ("one that is half allowed", allowed(uses("device", TTY), "PrivateDevices=no"), "program_refused"),
    ("one that is allowed by name", allowed(uses("device", TTY), "PrivateDevices=no", f"DeviceAllow={TTY} rw"), ""),
    ("devices of all kinds", allowed(uses("device", TTY), "PrivateDevices=no", "DevicePolicy=auto"), ""),
    ("a socket for a proxy", uses("socket", SOCKET), "directory_read_only"),
    ("one in a directory that is allowed", allowed(uses("socket", SOCKET), "ReadWritePaths=/srv/shop"), ""),
    ("one in the unit's own directory", uses("socket", "/run/shop/http.sock", writable=["/run/shop"]), ""),
    ("a socket in /tmp", uses("socket", IN_TMP), "directory_hidden"),
    ("one in a /tmp of its own", uses("socket", IN_TMP, settings=[directive("PrivateTmp", "true")]), ""),
    ("one in /tmp, which is common again", uses("socket", IN_TMP, settings=[directive("PrivateTmp", "true"), directive("PrivateTmp", "")]),
     "directory_hidden"),
    ("one in /tmp that is allowed", allowed(uses("socket", IN_TMP), "PrivateTmp=no"), ""),
    ("a socket in a home", uses("socket", "/home/deploy/http.sock"), "directory_hidden"),
    ("a program that writes", uses("writes", "/srv/shop/data", "extauth"), "directory_read_only"),
    ("a program that writes where the node may", uses("writes", "/var/lib/beam/beam@n2/x", "extauth"), ""),
    ("a link into a home", uses("", leads_to=["/home/deploy/shop"]), "directory_hidden"),
    ("a link to another directory", uses("", leads_to=["/srv/releases/1/bin/shop"]), ""),
    ("a certificate in a home", uses("", settings=[path("/home/acme/cert.pem")]), "directory_hidden"),
    ("one in a home that is allowed", allowed(uses("", settings=[path("/home/acme/cert.pem")]), "ProtectHome=read-only"), ""),
    ("one in homes that are hidden today", uses("", settings=[directive("ProtectHome", "yes"), path("/home/acme/cert.pem")]), ""),
    ("one in a home behind a tmpfs", uses("", settings=[path("/home/x"), directive("ProtectHome", "tmpfs", path="/usr/lib/systemd/x")]), ""),
    ("one that another unit names", uses("", settings=[{**path("/home/acme/cert.pem"), "unit": "x.service"}]), ""),
    ("definitions in /tmp", uses("", settings=[path("/tmp/definitions.json")]), "directory_hidden"),
    ("a tool after the start", uses("", settings=[directive("ExecStartPost", "/opt/beam/bin/beam rpc")]), "directive_unusable"),
    ("a tool for a reload", uses("", settings=[directive("ExecReload", "/opt/beam/bin/beam restart")]), "directive_unusable"),
    ("code without the node", uses("", settings=[directive("ExecStartPost", "/opt/beam/bin/beam eval")]), ""),
    ("rebar3's eval, with the node", uses("", settings=[EVAL], made_by="relx"), "directive_unusable"),
    ("mix release's eval", uses("", settings=[EVAL], made_by="mix"), ""),
    ("a signal for a reload", uses("", settings=[directive("ExecReload", "/bin/kill")]), ""),
    ("a program of another directory", uses("", settings=[directive("ExecStartPost", "/opt/beam2/bin/beam rpc")]), ""),
    ("our own tool", uses("", settings=[directive("ExecReload", "/etc/beam/beam@n2/release restart")]), ""),
    ("one that is taken away again", uses("", settings=[directive("ExecReload", "/opt/beam/bin/beam rpc"), directive("ExecReload", "")]), ""),
    ("a password in the old home", uses("", home_files=["/srv/shop/.pgpass"]), "home_moved"),
    ("one of a hardened node", uses("", digest="1", home_files=["/srv/shop/.pgpass"]), ""),
    ("sudo in a script", uses("", settings=[sudo()]), "program_refused"),
    ("sudo that is given up", allowed(uses("", settings=[sudo()]), "NoNewPrivileges=yes"), ""),
    ("sudo of another unit", uses("", settings=[{**sudo(), "unit": "x.service"}]), ""),
    ("sudo in a hardened node", uses("", settings=[sudo()], drop_ins=["/etc/systemd/system/beam.service.d/zzz-beam.conf"]), ""),
    ("a program of root", uses("other_user", program="helper"), "program_refused"),
    ("one of a hardened node, which + lets out", uses("other_user", program="helper", digest="1"), ""),
    ("a program that writes to /tmp", uses("writes", "/tmp/x", "extauth"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("bend", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_a_release_uses(world: World, bend: Bend, rule: str) -> None:
    bend(world)
    problems = world.validate()[1]
    assert {(host, what) for host, _variable, what in found(problems)} == ({("n2", rule)} if rule else set())
    assert all(problem.message.endswith(".") and problem.fix.endswith(".") for problem in problems)
    world.more["preflight"] = False
    assert found(world.validate()[1]) == set()


@pytest.mark.parametrize(
    ("bend", "said", "fix"),
    [
        (uses("device", TTY, "nerves_uart"), "nerves_uart in beam.service has /dev/ttyUSB0 open", "'DeviceAllow=/dev/ttyUSB0 rw'"),
        (uses("socket", SOCKET), "beam.service listens on /srv/shop/http.sock", "'ReadWritePaths=/srv/shop'"),
        (uses("writes", "/srv/data", "extauth"), "extauth in beam.service writes to /srv/data", "'ReadWritePaths=/srv/data'"),
        (uses("socket", IN_TMP), "listens on /tmp/shop.sock", "'PrivateTmp=no'"),
    ],
)
def test_what_to_do_about_it(world: World, bend: Bend, said: str, fix: str) -> None:
    bend(world)
    (problem,) = world.validate()[1]
    assert said in problem.message and fix in problem.fix and problem.variable == "beam_service_directives"


@pytest.mark.parametrize(("monitors", "expected"), [(True, ["ExecStop=", "ProcSubset=all"]), (False, ["ExecStop="])])
def test_a_release_with_os_mon_sees_the_load_of_its_host(world: World, monitors: bool, expected: list[str]) -> None:
    """cpu_sup ends where it cannot read /proc/loadavg, and after some of its ends the whole release."""
    runs("release", lambda world: world.observed["n2"].update(units=unit(os_mon=monitors)))(world)
    assert world.cluster()["hosts"]["n2"]["nodes"][0]["product_data"]["directives"] == expected


def test_a_tool_is_given_back_after_the_run(world: World) -> None:
    uses("", settings=[directive("ExecReload", "/opt/beam/bin/beam restart")])(world)
    (problem,) = world.validate()[1]
    assert "x.conf line 3" in problem.message and "/opt/beam/bin/beam restart" in problem.message
    assert "'ExecReload=/etc/beam/{node}/release restart" in problem.fix


def test_what_a_release_reads_in_its_home_is_named_with_the_new_one(world: World) -> None:
    uses("", home_files=["/srv/shop/.pgpass", "/srv/shop/.aws"])(world)
    (problem,) = world.validate()[1]
    assert "/srv/shop/.pgpass, /srv/shop/.aws" in problem.message and "HOME=/var/lib/beam/beam@n2" in problem.message
    assert "/var/lib/beam/beam@n2" in problem.fix

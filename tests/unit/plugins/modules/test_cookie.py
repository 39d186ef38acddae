# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module cookie: VM before file, from every state that an interrupted run can leave; and no cookie in anything that it says."""

from __future__ import annotations

import grp
import json
import os
import pathlib
import pwd
import socket
import stat
import struct
import sys
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("ansible")

from ansible_collections.beam.cluster.plugins.module_utils._host.proc import Process  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._model.processes import VmFlags  # noqa: E402
from ansible_collections.beam.cluster.plugins.modules import cookie as module  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "module_utils" / "_net"))
from peers import NODE, read_frame, reset, server  # noqa: E402
from test_cookie_rotation import NEW, OLD, OTHER, Switchable  # noqa: E402
from test_wire_modules import run  # noqa: E402

SECRETS = [secret.decode() for secret in (OLD, NEW, OTHER)]


@pytest.fixture
def vms(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The virtual machines of the host. One of ours, until a test says otherwise."""
    found = [Process(1, "beam.smp", "beam", "beam.service", VmFlags(name=NODE), digest="d1g3st")]
    monkeypatch.setattr(module.proc, "beam_processes", lambda: found)
    return found


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    """The home of the node, with the old cookie."""
    write(tmp_path, OLD)
    return tmp_path


def write(home: pathlib.Path, cookie: bytes) -> None:
    path = home / ".erlang.cookie"
    path.unlink(missing_ok=True)
    path.write_bytes(cookie + b"\n")
    path.chmod(0o400)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the cookie that was replaced belongs to root")


def entry(home: pathlib.Path, port: int, **options: Any) -> dict[str, Any]:
    return {
        "node": NODE, "host": "127.0.0.1", "port": port, "unit": "beam.service", "name": "a@127.0.0.1",
        "cookie_file": str(home / ".erlang.cookie"), "retired_file": str(home / "retired"),
        "owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name, **options,
    }


def give(
    home: pathlib.Path, node: Switchable, monkeypatch: pytest.MonkeyPatch, *, check: bool = False, epmd_port: int = 4369, **options: Any,
) -> tuple[int, dict[str, Any]]:
    """For one node: its own answer, with the message of a failure."""
    with server(node) as port:
        status, answer = run(
            "cookie", monkeypatch, check=check, nodes=[entry(home, port, **options)], cookie=NEW.decode(), epmd_port=epmd_port, timeout=2,
        )
    assert not [secret for secret in SECRETS if secret in json.dumps(dict(answer, invocation=None))]
    (one,) = answer["nodes"] or [{}]
    assert answer["changed"] == one.get("changed", False)
    return status, {**one, "msg": answer.get("msg")}


@needs_root
def test_every_node_of_the_host_in_one_call(tmp_path: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that refuses does not keep the others from it, and the run fails with its name."""
    nodes, homes = [Switchable(OLD), Switchable(OTHER), Switchable(OLD)], [tmp_path / name for name in ("one", "two", "three")]
    for home in homes:
        home.mkdir()
        write(home, OLD)
    with server(nodes[0]) as first, server(nodes[1]) as second, server(nodes[2]) as third:
        entries = [entry(home, port) for home, port in zip(homes, (first, second, third))]
        status, answer = run("cookie", monkeypatch, nodes=entries, cookie=NEW.decode(), timeout=2)
    assert status == 1 and [one["state"] for one in answer["nodes"]] == ["switched", "refused", "switched"]
    assert "accepts neither" in answer["msg"] and [file_of(home)[0] for home in homes] == [NEW + b"\n", OLD + b"\n", NEW + b"\n"]


def file_of(home: pathlib.Path) -> tuple[bytes, int]:
    path = home / ".erlang.cookie"
    return path.read_bytes(), stat.S_IMODE(path.stat().st_mode)


@needs_root
def test_the_vm_then_the_file_then_nothing(home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    node = Switchable(OLD)
    status, answer = give(home, node, monkeypatch, check=True)
    assert (status, answer["changed"], answer["state"], answer["file"]) == (0, True, "outdated", "other")
    assert "will be given the new cookie" in answer["outcome"] and file_of(home)[0] == OLD + b"\n" and node.cookie == OLD
    monkeypatch.setattr(module.proc, "beam_processes", lambda: vms)
    status, answer = give(home, node, monkeypatch)
    assert (status, answer["changed"], answer["state"]) == (0, True, "switched")
    assert file_of(home) == (NEW + b"\n", 0o400) and node.cookie == NEW
    assert (home / "retired").read_bytes() == OLD + b"\n" and stat.S_IMODE((home / "retired").stat().st_mode) == 0o400
    assert sorted(os.listdir(home)) == [".erlang.cookie", "retired"]
    monkeypatch.setattr(module.proc, "beam_processes", lambda: vms)
    status, answer = give(home, node, monkeypatch)
    assert (status, answer["changed"], answer["state"], answer["file"]) == (0, False, "current", "current")


@needs_root
def test_killed_between_vm_and_file(home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".erlang.cookie.new").write_bytes(b"half a coo")
    status, answer = give(home, Switchable(NEW), monkeypatch)
    assert (status, answer["changed"], answer["state"]) == (0, True, "current")
    assert file_of(home) == (NEW + b"\n", 0o400) and sorted(os.listdir(home)) == [".erlang.cookie", "retired"]


@needs_root
def test_a_node_that_does_not_run_gets_the_file(home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    vms.clear()
    node = Switchable(OLD)
    status, answer = give(home, node, monkeypatch)
    assert (status, answer["state"], node.cookie, node.seen) == (0, "stopped", OLD, [])
    assert file_of(home)[0] == NEW + b"\n"


@needs_root
@pytest.mark.parametrize("there", [OLD, b"no\tcookie"], ids=["another cookie", "no cookie"])
def test_a_node_that_refuses_both_keeps_everything(
    there: bytes, home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(home, there)
    status, answer = give(home, Switchable(OTHER), monkeypatch)
    assert (status, answer["changed"], answer["state"]) == (1, False, "refused")
    assert "accepts neither the cookie in" in answer["msg"] and "systemctl stop beam.service" in answer["msg"]
    assert file_of(home)[0] == there + b"\n"


@needs_root
def test_a_node_that_is_not_ours_gets_the_file(home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    vms[0] = replace(vms[0], digest=None)
    status, answer = give(home, Switchable(OTHER), monkeypatch)
    assert (status, answer["state"], file_of(home)[0]) == (0, "refused", NEW + b"\n")


@needs_root
@pytest.mark.parametrize(
    ("digest", "speaks", "state"),
    [("d1g3st", OLD, "kept"), (None, OLD, "switched"), (None, OTHER, "kept"), (None, None, "kept")],
    ids=["one of ours", "not ours", "with another cookie", "in another way"],
)
def test_before_a_full_stop_a_node_that_is_not_ours_gets_the_cookie_in_clear_text(
    digest: str | None, speaks: bytes | None, state: str, home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that its tools reach it until then; and if it does not take it, it was going to be stopped anyway."""
    vms[0] = replace(vms[0], digest=digest)
    node = Switchable(speaks or OLD)
    with server(node if speaks else reset) as port, server(lambda connection: told(connection, port)) as epmd_port:
        status, answer = give(home, Switchable(OTHER), monkeypatch, live=False, epmd_port=epmd_port)
    assert (status, answer["state"], file_of(home)[0]) == (0, state, NEW + b"\n")
    assert node.cookie == (NEW if state == "switched" else speaks or OLD) and (digest is None or node.seen == [])


def told(connection: socket.socket, port: int) -> None:
    """What EPMD says to PORT_PLEASE2_REQ: erts/epmd/src/epmd_srv.c."""
    read_frame(connection)
    name = NODE.partition("@")[0].encode()
    connection.sendall(struct.pack(">BBHBBHHH", 119, 0, port, 77, 0, 6, 5, len(name)) + name + b"\0\0")


@needs_root
def test_the_right_file_beside_a_wrong_vm_is_said_and_no_failure(
    home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(home, NEW)
    status, answer = give(home, Switchable(OTHER), monkeypatch)
    assert (status, answer["changed"], answer["state"]) == (0, False, "refused")
    assert "needs a restart" in answer["outcome"]


@needs_root
def test_a_second_handshake_that_fails_leaves_the_file(home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    status, answer = give(home, Switchable(OLD, forget=True), monkeypatch)
    assert (status, answer["state"], file_of(home)[0]) == (1, "unproven", OLD + b"\n")


@needs_root
def test_a_cookie_that_is_used_again_is_not_retired(home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, NEW)
    (home / "retired").write_bytes(NEW + b"\n")
    assert give(home, Switchable(NEW), monkeypatch)[0] == 0
    assert not (home / "retired").exists()


@needs_root
def test_a_wrong_mode_is_mended(home: pathlib.Path, vms: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, NEW)
    (home / ".erlang.cookie").chmod(0o440)
    status, answer = give(home, Switchable(NEW), monkeypatch)
    assert (status, answer["changed"], answer["file"], file_of(home)[1]) == (0, True, "attributes", 0o400)

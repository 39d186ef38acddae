# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How processes are confined: made-up files where the answer is known, and real programs and processes of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import process_hardening
from ansible_collections.beam.cluster.plugins.module_utils._model.confinement_facts import Hardening

COOKIE = b"0123456789abcdefghijklmnopqrstuvwxyz"


def test_this_process_is_described_and_typed() -> None:
    said = process_hardening.describe(os.getpid())
    facts = Hardening.parse(json.loads(json.dumps(said)))
    assert facts is not None and facts.no_new_privileges is not None and facts.seccomp is not None
    assert facts.switches == frozenset() and facts.server is None
    assert facts.replaced is False and facts.incoming == frozenset()


def test_a_process_that_has_ended_is_unknown_in_every_part() -> None:
    said = process_hardening.describe(4194303)
    assert {key for key, value in said.items() if value is not None} == set()


TRACED = """
import ctypes, subprocess, sys
libc = ctypes.CDLL(None)
libc.ptrace.argtypes = [ctypes.c_long] * 4
child = subprocess.Popen(["sleep", "60"])
print(child.pid, libc.ptrace(0x4206, child.pid, 0, 0), flush=True)
sys.stdin.read()
child.kill()
"""


def test_the_program_that_traces_a_process_has_a_name() -> None:
    assert process_hardening.describe(os.getpid())["traced_by"] == ""
    with subprocess.Popen([sys.executable, "-c", TRACED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tracer:
        assert tracer.stdin and tracer.stdout
        pid, failed = map(int, tracer.stdout.readline().split())
        said = process_hardening.describe(pid)["traced_by"]
        tracer.stdin.close()
    assert failed or str(said).startswith("python") and str(said).endswith(f"(pid {tracer.pid})")


def test_a_program_that_traces_one_thread(tmp_path: Path) -> None:
    for place, tracer in {"9/status": 0, "9/task/9/status": 0, "9/task/10/status": 0, "9/task/11/status": 7}.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(f"Name:\tbeam.smp\nTracerPid:\t{tracer}\n")
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "comm").write_text("gdb\n")
    assert process_hardening.describe(9, str(tmp_path))["traced_by"] == "gdb (pid 7)"


def test_capabilities_have_names() -> None:
    assert process_hardening.capability_names(0) == []
    several = 1 << 10 | 1 << 21 | 1 << 40 | 1 << 41
    assert process_hardening.capability_names(several) == ["net_bind_service", "sys_admin", "checkpoint_restore", "cap_41"]
    assert len(process_hardening._CAPABILITIES) == 41, "CAP_LAST_CAP of Linux 5.9 and newer is 40"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ("beam.smp -- -remsh a@b", ["remsh"]),
        ("beam.smp -- -mode embedded", ["embedded"]),
        ("beam.smp -- -mode interactive", []),
        ("epmd -relaxed_command_check -d -d", ["debug", "relaxed_command_check"]),
        ("epmd -daemon", []),
        ("beam.smp -extra -d", []),
    ],
)
def test_switches(arguments: str, found: list[str]) -> None:
    assert process_hardening.switches(arguments.split()) == found


@pytest.mark.parametrize(
    ("values", "cookie", "found"),
    [([b"a", b"x" + COOKIE], COOKIE, True), ([b"a"], COOKIE, False), ([b"beam"], b"beam", None)],
)
def test_the_cookie_in_an_environment(values: list[bytes], cookie: bytes, found: bool | None) -> None:
    assert process_hardening.in_environment(values, cookie) is found


def test_the_cookie_in_arguments() -> None:
    assert process_hardening.holds_one(b"erl_call\0-c\0" + COOKIE, [COOKIE])
    assert not process_hardening.holds_one(b"erl_call\0-c\0beam", [b"beam"])


def test_where_a_crash_dump_goes(tmp_path: Path) -> None:
    private, shared = tmp_path / "private", tmp_path / "shared"
    private.mkdir(mode=0o700)
    shared.mkdir()
    shared.chmod(0o755)
    cases: list[tuple[dict[str, bytes], str | None]] = [
        ({}, "default"),
        ({"ERL_CRASH_DUMP_SECONDS": b"0"}, "off"),
        ({"ERL_CRASH_DUMP_SECONDS": b"30"}, "default"),
        ({"ERL_CRASH_DUMP_BYTES": b"0"}, "off"),
        ({"ERL_CRASH_DUMP": b"/dev/null"}, "off"),
        ({"ERL_CRASH_DUMP": f"{private}/d".encode()}, "private"),
        ({"ERL_CRASH_DUMP": f"{shared}/d".encode()}, "shared"),
        ({"ERL_CRASH_DUMP": b"/nowhere/at/all/d"}, None),
    ]
    assert [process_hardening.crash_dump(variables, "", "/proc/self") for variables, _found in cases] == [found for _variables, found in cases]


def test_parameters_in_configuration_files(tmp_path: Path) -> None:
    text = "%{net_ticktime, 1}\n[{kernel, [{inet_dist_listen_min, 9100}, {net_ticktime, 60}, {connect_all, false}]},\n {app, [{password, \"x\"}]}].\n"
    (tmp_path / "sys.config").write_text(text)
    found = process_hardening.configured(["beam.smp", "--", "-config", f"{tmp_path}/sys"], "")
    assert found == {"inet_dist_listen_min": "9100", "net_ticktime": "60", "connect_all": "false"}
    assert process_hardening.configured(["beam.smp", "--", "-config", f"{tmp_path}/gone"], "") is None


def test_the_cookie_of_a_release(tmp_path: Path) -> None:
    assert process_hardening.release_cookie(str(tmp_path), COOKIE) == "none"
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases/COOKIE").write_bytes(COOKIE + b"\n")
    assert [process_hardening.release_cookie(str(tmp_path), cookie) for cookie in (COOKIE, b"x", None)] == ["used", "other", None]

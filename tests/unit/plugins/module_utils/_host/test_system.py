# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system around the nodes: made-up files where the answer is known, and this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import system
from ansible_collections.beam.cluster.plugins.module_utils._model.system_facts import SystemFacts

COOKIE = b"0123456789abcdefghijklmnopqrstuvwxyz"


def test_this_machine_is_described_and_typed(tmp_path: Path) -> None:
    (tmp_path / ".hosts.erlang").write_text("'n1'.\n")
    said = system.describe([str(tmp_path)], ["root"], [])
    facts = SystemFacts.parse(json.loads(json.dumps(said)))
    assert facts is not None and facts.core_pattern is not None and facts.ptrace_scope is not None and facts.swaps is not None
    assert facts.dist_hosts == (f"{tmp_path}/.hosts.erlang",)
    assert facts.cookie_arguments == ()
    assert system.describe([], [], None)["cookie_arguments"] is None


def until_shown(child: subprocess.Popen[bytes], file: str) -> None:
    """Wait until the kernel shows what the program was started with: Popen returns a little earlier (execve(2) closes descriptors first)."""
    until = time.monotonic() + 30
    while COOKIE not in Path(f"/proc/{child.pid}/{file}").read_bytes() and time.monotonic() < until:
        time.sleep(0.01)


def test_a_process_with_a_cookie_in_its_arguments_is_found(tmp_path: Path) -> None:
    (tmp_path / ".erlang.cookie").write_bytes(COOKIE)
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", COOKIE.decode()], stdin=subprocess.PIPE)
    until_shown(child, "cmdline")
    try:
        exposed = system.describe([], [], [f"{tmp_path}/.erlang.cookie"])["cookie_arguments"]
        assert isinstance(exposed, list) and child.pid in [one["pid"] for one in exposed]
        assert COOKIE.decode() not in repr(exposed)
    finally:
        child.communicate()


@pytest.mark.parametrize(("name", "found"), [("sleep", True), ("beam.smp", False)])
def test_a_process_with_a_cookie_in_its_environment_is_found(tmp_path: Path, name: str, found: bool) -> None:
    """Of a node cookie-environment tells."""
    (tmp_path / ".erlang.cookie").write_bytes(COOKIE)
    shutil.copy("/bin/sleep", tmp_path / name)
    child = subprocess.Popen([str(tmp_path / name), "60"], env={"ERL_COOKIE": COOKIE.decode()})
    until_shown(child, "environ")
    try:
        exposed = system.describe([], [], [f"{tmp_path}/.erlang.cookie"])["cookie_arguments"]
        assert isinstance(exposed, list)
        assert [one["where"] for one in exposed if one["pid"] == child.pid] == (["environment"] if found else [])
        assert COOKIE.decode() not in repr(exposed)
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ("proc /proc proc rw,nosuid 0 0\n", "0"),
        ("proc /proc proc rw,hidepid=invisible,gid=4 0 0\n", "invisible"),
        ("tmpfs /proc/x tmpfs rw 0 0\n", None),
        (None, None),
    ],
)
def test_hidepid(mounts: str | None, found: str | None) -> None:
    assert system.hidepid(mounts) == found


def test_interfaces_over_which_loopback_is_reached(tmp_path: Path) -> None:
    for name, value in (("all", "0"), ("lo", "1"), ("eth0", "1"), ("eth1", "0"), ("eth2", "2"), ("eth3", "-1")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "route_localnet").write_text(f"{value}\n")
    assert system.route_localnet(str(tmp_path)) == ["eth0", "eth2", "eth3"]
    assert system.route_localnet(f"{tmp_path}/none") is None


def test_swap_areas() -> None:
    header = "Filename\tType\tSize\tUsed\tPriority\n"
    assert system.swaps(header) == []
    assert system.swaps(f"{header}/dev/zram0 partition 1 0 100\n/swapfile file 1 0 -2\n") == [
        {"name": "/dev/zram0", "protected": True},
        {"name": "/swapfile", "protected": False},
    ]
    assert system.swaps(None) is None


def test_the_clock_is_asked_and_not_set() -> None:
    assert system.clock_synchronized() in (True, False, None)

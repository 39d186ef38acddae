# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs in the unit of a VM that do what the sandbox refuses, in a tree as /proc has it, and a real one."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import companions, proc

CODE = "7f00-7f01 r-xp 0 00:00 0 /usr/bin/x\n"
WRITABLE = "7f00-7f01 rwxp 0 00:00 0 \n"
OWN = "7f00-7f01 r-xs 00000000 00:01 14507   /memfd:vmem (deleted)\n7f02-7f03 r-xp 00000000 00:00 0   [vdso]\n"
"""As a VM of OTP 25 maps the code that it makes: twice, and never to write and run at one place."""


def process(root: Path, pid: int, name: str, unit: str, maps: str = CODE, user: int = 1) -> proc.Process:
    base = root / str(pid)
    (base / "ns").mkdir(parents=True)
    for file, text in (("comm", name), ("cgroup", f"0::/system.slice/{unit}\n"), ("maps", maps)):
        (base / file).write_text(text, encoding="utf-8")
    for kind in ("user", "pid", "net"):
        (base / "ns" / kind).symlink_to(f"{kind}:[{user if kind == 'user' else 1}]")
    return proc.Process(pid, name, "shop", unit)


def test_what_the_sandbox_refuses(tmp_path: Path) -> None:
    machines = [process(tmp_path, 10, "beam.smp", "shop.service", OWN), process(tmp_path, 11, "beam.smp", "session-1.scope", WRITABLE)]
    process(tmp_path, 12, "node", "shop.service", CODE + WRITABLE)
    process(tmp_path, 13, "node", "shop.service", WRITABLE)
    process(tmp_path, 14, "chrome", "shop.service", user=2)
    process(tmp_path, 15, "inet_gethost", "shop.service")
    process(tmp_path, 16, "node", "other.service", WRITABLE, user=3)
    process(tmp_path, 17, "node", "session-1.scope", WRITABLE)
    assert companions.describe(machines, str(tmp_path)) == [
        {"unit": "shop.service", "program": "node", "reason": "writable_code", "path": ""},
        {"unit": "shop.service", "program": "chrome", "reason": "namespace", "path": ""},
    ]
    assert companions.describe([], str(tmp_path)) == []


@pytest.mark.parametrize(("machine", "programs"), [(900, ["helper"]), (0, [])])
def test_a_program_that_has_become_another_user(tmp_path: Path, machine: int, programs: list[str]) -> None:
    """By a setuid program or sudo: it is in the unit's control group still. A VM of root needs neither."""
    vm = process(tmp_path, 10, "beam.smp", "shop.service")
    for pid, name, user in ((10, "beam.smp", machine), (12, "helper", 0 if machine else 900), (13, "python3", machine)):
        if pid != 10:
            process(tmp_path, pid, name, "shop.service")
        (tmp_path / str(pid) / "status").write_text(f"Name:\t{name}\nUid:\t900\t{user}\t{user}\t{user}\n", encoding="utf-8")
    assert [one["program"] for one in companions.describe([vm], str(tmp_path)) if one["reason"] == "other_user"] == programs


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="needs /proc")
def test_how_the_kernel_writes_such_memory() -> None:
    with mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC):
        assert companions._WRITABLE.search(proc.read("/proc/self/maps"))
    assert companions._namespaces(os.getpid(), "/proc")


def opened(root: Path, pid: int, *targets: str) -> None:
    base = root / str(pid)
    (base / "fd").mkdir()
    (base / "fdinfo").mkdir()
    for number, target in enumerate(targets, start=3):
        (base / "fd" / str(number)).symlink_to(target)
        (base / "fdinfo" / str(number)).write_text("pos:\t0\nflags:\t0100002\n", encoding="utf-8")


UNIX = """Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 501 /run/shop/http.sock
0000000000000000: 00000002 00000000 00010000 0001 01 502 @abstract
0000000000000000: 00000003 00000000 00000000 0001 03 503 /run/shop/http.sock
0000000000000000: 00000002 00000000 00010000 0001 01 504 /tmp/shop one.sock
0000000000000000: 00000002 00000000 00010000 0001 01 505 /run/activated.sock
0000000000000000: 00000002 00000000 00010000 0001 01 506 /run/other.sock
"""


def test_what_a_vm_and_its_programs_use_that_the_sandbox_takes_away(tmp_path: Path) -> None:
    machine = process(tmp_path, 10, "beam.smp", "shop.service", OWN + "7f00-7f01 r-xp 00000000 00:00 0 \n")
    (tmp_path / "10" / "net").mkdir()
    (tmp_path / "10" / "net" / "unix").write_text(UNIX, encoding="utf-8")
    opened(
        tmp_path, 10, "socket:[501]", "socket:[502]", "socket:[503]", "socket:[504]", "socket:[505]", "/dev/ttyUSB0", "/dev/null", "/dev/pts/0",
        "/dev/shm/x", "/srv/shop/own.log",
    )  # fmt: skip
    process(tmp_path, 12, "uart", "shop.service")
    opened(tmp_path, 12, "/dev/i2c-1", "/srv/shop/data/file", "/srv/shop/data/second")
    process(tmp_path, 1, "systemd", "init.scope")
    opened(tmp_path, 1, "socket:[505]")
    assert [(one["program"], one["reason"], one["path"]) for one in companions.describe([machine], str(tmp_path))] == [
        ("beam.smp", "generated_code", ""),
        ("beam.smp", "device", "/dev/ttyUSB0"),
        ("beam.smp", "socket", "/run/shop/http.sock"),
        ("beam.smp", "socket", "/tmp/shop one.sock"),
        ("uart", "device", "/dev/i2c-1"),
        ("uart", "writes", "/srv/shop/data"),
    ]


def test_what_systemd_has_opened_is_no_file_of_the_program(tmp_path: Path) -> None:
    """StandardOutput=append:/var/log/shop.log. Its directory would be shown as one that the program writes to."""
    machine = process(tmp_path, 10, "beam.smp", "shop.service")
    process(tmp_path, 12, "inet_gethost", "shop.service")
    opened(tmp_path, 12, "/var/log/shop.log")
    for directory in ("fd", "fdinfo"):
        (tmp_path / "12" / directory / "3").rename(tmp_path / "12" / directory / "1")
    assert proc.writes(12, str(tmp_path)) == ["/var/log"] and proc.writes(12, str(tmp_path), output=False) == []
    assert [one["path"] for one in companions.describe([machine], str(tmp_path))] == ["/var/log"]
    assert companions.describe([machine], str(tmp_path), {"shop.service"}) == []

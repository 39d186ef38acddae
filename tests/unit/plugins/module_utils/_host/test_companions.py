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


def process(root: Path, pid: int, name: str, unit: str, maps: str = CODE, user: int = 1) -> proc.Process:
    base = root / str(pid)
    (base / "ns").mkdir(parents=True)
    for file, text in (("comm", name), ("cgroup", f"0::/system.slice/{unit}\n"), ("maps", maps)):
        (base / file).write_text(text, encoding="utf-8")
    for kind in ("user", "pid", "net"):
        (base / "ns" / kind).symlink_to(f"{kind}:[{user if kind == 'user' else 1}]")
    return proc.Process(pid, name, "shop", unit)


def test_what_the_sandbox_refuses(tmp_path: Path) -> None:
    machines = [process(tmp_path, 10, "beam.smp", "shop.service", WRITABLE), process(tmp_path, 11, "beam.smp", "session-1.scope")]
    process(tmp_path, 12, "node", "shop.service", CODE + WRITABLE)
    process(tmp_path, 13, "node", "shop.service", WRITABLE)
    process(tmp_path, 14, "chrome", "shop.service", user=2)
    process(tmp_path, 15, "inet_gethost", "shop.service")
    process(tmp_path, 16, "node", "other.service", WRITABLE, user=3)
    process(tmp_path, 17, "node", "session-1.scope", WRITABLE)
    assert companions.describe(machines, str(tmp_path)) == [
        {"unit": "shop.service", "program": "node", "reason": "writable_code"},
        {"unit": "shop.service", "program": "chrome", "reason": "namespace"},
    ]
    assert companions.describe([], str(tmp_path)) == []


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="needs /proc")
def test_how_the_kernel_writes_such_memory() -> None:
    with mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC):
        assert companions._WRITABLE.search(proc.read("/proc/self/maps"))
    assert companions._namespaces(os.getpid(), "/proc")

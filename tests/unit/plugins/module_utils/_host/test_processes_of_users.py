# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs as a user, by a directory like /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import processes_of_users


def process(root: Path, pid: int, name: str, uid: int, unit: str, age: float, spaces: str = "{pid}") -> None:
    place = root / str(pid)
    place.mkdir()
    (place / "comm").write_text(f"{name}\n")
    (place / "status").write_text(f"Name:\t{name}\nUid:\t0\t{uid}\t{uid}\t{uid}\nNSpid:\t{spaces.format(pid=pid)}\n")
    (place / "cgroup").write_text(f"0::/system.slice/{unit}\n")
    began = int((time.time() - age - 1_000_000) * os.sysconf("SC_CLK_TCK"))
    (place / "stat").write_text(f"{pid} ({name}) {' '.join(['S'] + ['0'] * 18)} {began} 0\n")


def test_what_lasts_and_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "stat").write_text("btime 1000000\n")
    process(tmp_path, 10, "beam.smp", 77, "beam.service", 500)
    process(tmp_path, 11, "tmux: server", 77, "session-3.scope", 500)
    process(tmp_path, 12, "rabbitmqctl", 77, "session-3.scope", 2)
    process(tmp_path, 13, "sh", 78, "session-3.scope", 500)
    process(tmp_path, 14, "sh", 77, "box.scope", 500, "{pid}\t1")
    found = processes_of_users.of(77, str(tmp_path))
    assert [(one["pid"], one["process"], one["unit"]) for one in found] == [(10, "beam.smp", "beam.service"), (11, "tmux: server", "session-3.scope")]


def test_many_processes_of_a_node_hide_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [{"pid": pid, "process": "x", "unit": "beam.service"} for pid in range(1000)] + [{"pid": 1001, "process": "sh", "unit": ""}]
    monkeypatch.setattr(processes_of_users, "_lasting", lambda uid, root: iter(found))
    assert processes_of_users.of(77)[-1]["pid"] == 1001

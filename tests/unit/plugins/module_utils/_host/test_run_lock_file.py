# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the lock: one run at a time, and nothing that a killed run leaves keeps the next one out."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import run_lock_file
from ansible_collections.beam.cluster.plugins.module_utils._model.run_lock_rules import Holder

ONE = Holder("alice", "laptop", "boot-1", "pid:[1]", 4711, "99", "beam.cluster.site")
OTHER = replace(ONE, user="bob", host="desk")


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "lock")


def test_one_run_at_a_time(path: str) -> None:
    assert run_lock_file.take(ONE, None, 10.0, path) is None
    held = run_lock_file.take(OTHER, None, 11.0, path)
    assert held == replace(ONE, since=10.0)
    run_lock_file.release(OTHER, path)
    assert run_lock_file.read(path) == held, "a run releases its own lock only"
    run_lock_file.release(ONE, path)
    assert not Path(path).exists()
    assert run_lock_file.take(OTHER, None, 12.0, path) is None


def test_a_run_takes_its_lock_twice_and_keeps_its_time(path: str) -> None:
    run_lock_file.take(ONE, None, 10.0, path)
    assert run_lock_file.take(ONE, None, 20.0, path) is None
    assert run_lock_file.read(path) == replace(ONE, since=10.0)


def test_a_lock_is_taken_over_from_the_run_that_was_seen_and_no_other(path: str) -> None:
    run_lock_file.take(ONE, None, 10.0, path)
    seen = run_lock_file.read(path)
    assert run_lock_file.take(OTHER, seen, 11.0, path) is None
    third = replace(ONE, user="carol", pid=1)
    assert run_lock_file.take(third, seen, 12.0, path) == replace(OTHER, since=11.0), "somebody else was faster"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_half_a_file_holds_nothing(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")
    assert run_lock_file.take(ONE, None, 10.0, path) is None


def test_only_root_reads_it_and_nothing_else_is_left(path: str) -> None:
    run_lock_file.take(ONE, None, 10.0, path)
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert list(Path(path).parent.iterdir()) == [Path(path)]


def test_of_many_that_come_at_once_one_gets_it(path: str) -> None:
    start = threading.Barrier(20)
    got: list[int] = []

    def come(number: int) -> None:
        start.wait()
        if run_lock_file.take(replace(ONE, pid=number), None, float(number), path) is None:
            got.append(number)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1

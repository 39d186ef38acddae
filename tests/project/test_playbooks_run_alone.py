# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that change hosts hold the lock of the hosts, from their first task to their end."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

PLAYBOOKS = sorted((Path(__file__).resolve().parents[2] / "playbooks").glob("*.yml"))
READ_ONLY = {"audit", "check_run", "status", "verify"}


@pytest.mark.parametrize("path", [path for path in PLAYBOOKS if path.stem not in READ_ONLY], ids=lambda path: path.stem)
def test_a_playbook_that_changes_hosts_runs_alone(path: Path) -> None:
    plays = [play for play in yaml.safe_load(path.read_text(encoding="utf-8")) if "hosts" in play]
    assert plays
    for play in plays:
        assert not play.keys() & {"roles", "pre_tasks", "post_tasks"}, "they would run without the lock"
        (task,) = play["tasks"]
        assert (entry(task["block"][0]), entry(task["always"][-1])) == ("lock", "unlock"), f"{path.name}: see renew.yml"
        assert task["block"][0]["tags"] == task["always"][-1]["tags"] == "always"


def entry(task: dict[str, dict[str, str]]) -> str:
    called = task["ansible.builtin.import_role"]
    return called["tasks_from"] if called["name"] == "beam.cluster.plan" else ""


def test_no_playbook_is_forgotten() -> None:
    assert {path.stem for path in PLAYBOOKS} > READ_ONLY

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that would do nothing fails: real inventories of every kind, real ansible-playbook."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[4] / "playbooks"
THREE = "[beam]\nn1 ansible_connection=local\nn2 ansible_connection=local\n[web]\nw1 ansible_connection=local\n"
RENAMED = THREE.replace("[beam]", "[rabbitmq]")


def run(folder: Path, *arguments: str, playbook: str = "beam.cluster.verify") -> tuple[int, str]:
    done = subprocess.run(
        ["ansible-playbook", *arguments, playbook],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "true", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hosts").write_text(THREE, encoding="utf-8")
    (tmp_path / "renamed").write_text(RENAMED, encoding="utf-8")
    (tmp_path / "empty").write_text("[beam]\n", encoding="utf-8")
    script = tmp_path / "script"
    script.write_text('#!/bin/sh\necho \'{"web": {"hosts": ["w1"]}, "_meta": {"hostvars": {}}}\'\n', encoding="utf-8")
    script.chmod(0o755)
    directory = tmp_path / "directory"
    (directory / "group_vars").mkdir(parents=True)
    (directory / "hosts").write_text(RENAMED, encoding="utf-8")
    (directory / "group_vars" / "rabbitmq.yml").write_text("beam_group: rabbitmq\n", encoding="utf-8")
    return tmp_path


NOTHING: dict[str, tuple[list[str], str]] = {
    "no inventory": ([], "group_missing"),
    "another group": (["-i", "renamed"], "group_missing"),
    "another group, and a limit": (["-i", "renamed", "--limit", "n1"], "group_missing"),
    "a list of names": (["-i", "n1,n2,"], "group_missing"),
    "a script": (["-i", "script"], "group_missing"),
    "two inventories": (["-i", "renamed", "-i", "script"], "group_missing"),
    "an empty group": (["-i", "empty"], "group_empty"),
    "beam_group in group_vars": (["-i", "directory"], "group_in_inventory"),
    "beam_group in group_vars, and a limit": (["-i", "directory", "--limit", "n2"], "group_in_inventory"),
    "beam_group of the command line": (["-i", "hosts", "-e", "beam_group=cluster"], "group_missing"),
    "beam_group as a list": (["-i", "hosts", "-e", '{"beam_group": ["beam"]}'], "type"),
    "a limit to others": (["-i", "hosts", "--limit", "web"], "limit_excludes_all"),
    "a tag that no task has": (["-i", "hosts", "--tags", "pki"], "tags_select_nothing"),
    "untagged tasks": (["-i", "hosts", "--tags", "untagged"], "tags_select_nothing"),
}


@pytest.mark.parametrize("case", NOTHING)
def test_a_run_that_would_do_nothing_fails(folder: Path, case: str) -> None:
    arguments, rule = NOTHING[case]
    status, output = run(folder, *arguments)
    assert status != 0, output
    assert f"({rule})" in output and "Fix: " in output, output
    assert "Prove the cluster" not in output, "the play on the hosts has begun"


DOES: dict[str, list[str]] = {
    "a group": ["-i", "hosts"],
    "a limit": ["-i", "hosts", "--limit", "n2"],
    "a limit with others in it": ["-i", "hosts", "--limit", "n2,web"],
    "a group of another name": ["-i", "renamed", "-e", "beam_group=rabbitmq"],
    "a group of another name in group_vars as well": ["-i", "directory", "-e", "beam_group=rabbitmq"],
    "two inventories": ["-i", "script", "-i", "hosts"],
    "check mode": ["-i", "hosts", "--check"],
}


@pytest.mark.parametrize("case", DOES)
def test_a_run_with_members_goes_on(folder: Path, case: str) -> None:
    status, output = run(folder, *DOES[case], playbook=str(PLAYBOOKS / "check_run.yml"))
    assert status == 0, output
    assert "failed=0" in output and output.count("ok=1") == 1


def test_tags_of_a_playbook_that_imports_ours_may_select_others_tasks(folder: Path) -> None:
    (folder / "play.yml").write_text(
        "- ansible.builtin.import_playbook: beam.cluster.check_run\n"
        "  vars: {beam_group: rabbitmq}\n"
        "- hosts: web\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug:\n      tags: web\n",
        encoding="utf-8",
    )
    status, output = run(folder, "-i", "renamed", "--tags", "web", playbook="play.yml")
    assert status == 0, output


def single(tasks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tasks themselves; a block that has tags gives them to its tasks."""
    for task in tasks:
        if task.get("tags") or "block" not in task:
            yield task
        else:
            yield from single([*task["block"], *task.get("always", ())])


def test_every_playbook_checks_the_run_first_and_tags_its_roles() -> None:
    paths = [path for path in sorted(PLAYBOOKS.glob("*.yml")) if path.name != "check_run.yml"]
    assert paths
    for path in paths:
        first, *plays = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert first.get("ansible.builtin.import_playbook") == "check_run.yml", path.name
        for task in (task for play in plays for task in (*single(play.get("tasks", ())), *play.get("roles", ()))):
            assert task.get("tags"), f"{path.name}: --tags never selects {task.get('name') or task.get('role')}"

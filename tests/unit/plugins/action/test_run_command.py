# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`beam.cluster.run_command` in a real ansible-playbook: what runs, what is skipped, and the message of what fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

# One play with every kind of task; each failure is kept, so that the next task runs.
TASKS: dict[str, dict[str, Any]] = {
    "succeeds": {"beam.cluster.run_command": {"argv": ["sh", "-c", "echo out"]}},
    "an expected status": {"beam.cluster.run_command": {"argv": ["sh", "-c", "echo critical; exit 69"], "expect": [0, 69]}},
    "fails": {"beam.cluster.run_command": {"argv": ["sh", "-c", "echo first; echo RELEASE_COOKIE=word >&2; exit 3"], "fix": "start it"}},
    "a script": {"beam.cluster.run_command": {"script": "cd / && echo $PWD | tr / x"}},
    "a script that fails": {"beam.cluster.run_command": {"script": "echo $WHAT; exit 4"}, "environment": {"WHAT": "of the environment"}},
    "a program that is missing": {"beam.cluster.run_command": {"argv": ["no-such-program", "list"]}},
    "nothing to do": {"beam.cluster.run_command": {"argv": ["false"], "creates": "/etc"}},
    "until it succeeds": {"beam.cluster.run_command": {"argv": ["sh", "-c", "exit 1"]}, "until": "taken is success", "retries": 1, "delay": 0},
    "neither": {"beam.cluster.run_command": {"fix": "x"}},
}


def play(file: str, check_mode: bool) -> dict[str, Any]:
    tasks: list[dict[str, Any]] = []
    for name, task in TASKS.items():
        keep = {"name": "Keep it", "ansible.builtin.set_fact": {"kept": "{{ kept | default({}) | combine({'" + name + "': taken}) }}"}}
        tasks.append({"name": name, "block": [{"name": f"file | {name}", **task, "register": "taken"}, keep], "rescue": [keep]})
    tasks.append({"name": "Write", "ansible.builtin.copy": {"content": "{{ kept | to_json }}", "dest": file}, "check_mode": False})
    return {"name": "Play", "hosts": "n2" if check_mode else "n1", "gather_facts": False, "check_mode": check_mode, "tasks": tasks}


@pytest.fixture(scope="module")
def results_of_both(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, dict[str, Any]]:
    """By check mode. One start of Ansible plays both."""
    folder = tmp_path_factory.mktemp("run_command")
    files = {check_mode: folder / f"{check_mode}.json" for check_mode in (False, True)}
    (folder / "play.yml").write_text(json.dumps([play(str(file), check_mode) for check_mode, file in files.items()]), encoding="utf-8")
    (folder / "hosts").write_text(f"[all]\nn[1:2] ansible_connection=local ansible_python_interpreter={sys.executable}\n", encoding="utf-8")
    command = ["ansible-playbook", "-i", "hosts", "play.yml"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "ANSIBLE_NOCOLOR": "true"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "word" not in "".join(line for line in done.stdout.splitlines() if line.startswith("[ERROR]"))
    return {check_mode: {"check": check_mode, **json.loads(file.read_text(encoding="utf-8"))} for check_mode, file in files.items()}


@pytest.fixture(params=[False, True], ids=["run", "check mode"])
def results(request: pytest.FixtureRequest, results_of_both: dict[bool, dict[str, Any]]) -> dict[str, Any]:
    return results_of_both[request.param]


def test_commands_and_scripts_run(results: dict[str, Any]) -> None:
    if results["check"]:
        assert results["succeeds"]["skipped"] and results["fails"]["skipped"]
        return
    assert results["succeeds"]["stdout"] == "out" and results["succeeds"]["changed"]
    assert results["an expected status"]["rc"] == 69 and not results["an expected status"]["failed"]
    assert results["a script"]["stdout"] == "x"
    assert not results["nothing to do"]["failed"]


def test_what_fails_says_why(results: dict[str, Any]) -> None:
    assert "argv" in results["neither"]["msg"]
    if results["check"]:
        return
    told = {name: result["msg"] for name, result in results.items() if name != "check" and result.get("failed")}
    assert set(told) == {"fails", "a script that fails", "a program that is missing", "until it succeeds", "neither"}
    assert told["fails"] == (
        "n1: fails: 'sh -c echo first; echo RELEASE_COOKIE=REDACTED >&2; exit 3' ended with status 3 and wrote:\n"
        "  first\n  RELEASE_COOKIE=REDACTED\nFix: start it, and run the playbook again."
    )
    assert "the script of this task' ended with status 4 and wrote:\n  of the environment\n" in told["a script that fails"]
    assert "there is no no-such-program" in told["a program that is missing"]
    assert "ended with status 1 and wrote nothing.\n" in told["until it succeeds"]
    assert not any("non-zero return code" in message or "Unknown error" in message for message in told.values())

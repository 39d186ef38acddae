# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a playbook gets it: run by the real `ansible-playbook`, on evidence of a whole cluster and of a broken one."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pty
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Answer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils" / "_assess"))
import whole_cluster as made  # noqa: E402


def arguments() -> dict[str, Any]:
    """What the role hands over for a whole cluster."""
    told = made.evidence()

    def pair(answer: Answer) -> list[dict[str, Any]]:
        tls = dict(answer.tls.facts) if answer.tls else None
        said = {"code": answer.code, "stage": answer.stage, "milliseconds": answer.milliseconds, "port": answer.port, "tls": tls}
        return [answer.probe.as_dict(), said]

    hosts: dict[str, Any] = {}
    for name in made.HOSTS:
        answers = [pair(a) for a in told.answers if a.probe.vantage == name]
        hosts[name] = {"observed": made.host(name), "answers": answers, "links": []}
    nodes = [member["node"] for member in made.plan()["members"]]
    return {
        "plan": made.plan(),
        "evidence": hosts,
        "outside": [pair(answer) for answer in told.answers if answer.probe.vantage == "outsider"],
        "outsiders": ["outsider"],
        "mesh": [made.view(nodes, node) for node in nodes],
    }


def play(folder: Path, given: dict[str, Any], *options: str) -> tuple[int, str, dict[str, Any]]:
    """Exit status, what was printed, and the result of the task."""
    folder.mkdir(exist_ok=True)
    task: dict[str, Any] = {"beam.cluster.report": {**given, "directory": "report"}, "register": "told", "failed_when": "false"}
    keep = {"ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(folder / "told.json"), "mode": "0600"}, "check_mode": False}
    fail = {"ansible.builtin.fail": {"msg": "{{ told.msg | default('') }}"}, "when": "told.msg is defined"}
    playbook = [{"hosts": "localhost", "gather_facts": False, "tasks": [task, keep, fail]}]
    (folder / "play.yml").write_text(yaml.safe_dump(playbook))
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", "play.yml", *options]
    env = {**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_INJECT_FACT_VARS": "false", "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert (folder / "told.json").exists(), done.stdout + done.stderr
    return done.returncode, done.stdout, json.loads((folder / "told.json").read_text())


def test_a_whole_cluster_passes_and_is_reported(tmp_path: Path) -> None:
    status, printed, told = play(tmp_path, arguments())
    assert (status, told["passed"], told["changed"], told["failures"]) == (0, True, False, [])
    assert "PASSED: " in printed
    assert "6 of 6 refused" in printed
    files = {suffix: tmp_path / "report" / f"beam.{suffix}" for suffix in ("json", "xml", "html")}
    assert told["files"] == {suffix: str(path) for suffix, path in files.items()}
    assert stat.S_IMODE((tmp_path / "report").stat().st_mode) == 0o750
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o640}
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["beam.html", "beam.json", "beam.xml"], "nothing left over"
    assert json.loads(files["json"].read_text())["result"] == "passed"
    assert str(files["html"]) in printed


def test_the_files_are_those_that_were_asked_for(tmp_path: Path) -> None:
    _status, printed, told = play(tmp_path, {**arguments(), "formats": ["sarif", "ocsf", "csv"]})
    names = {"sarif": "beam.sarif", "ocsf": "beam.ocsf.json", "csv": "beam.csv"}
    assert told["files"] == {name: str(tmp_path / "report" / file) for name, file in names.items()}
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == sorted(names.values())
    assert f"Report: {tmp_path}/report/beam.sarif (and .ocsf.json, .csv)" in printed
    status, printed, _told = play(tmp_path, {**arguments(), "formats": ["pdf"]})
    assert status == 2 and "value of formats must be one or more of: html, json, xml, sarif, ocsf, csv" in " ".join(printed.split())


def test_without_a_format_no_file_is_written(tmp_path: Path) -> None:
    status, printed, told = play(tmp_path, {**arguments(), "formats": []})
    assert (status, told["files"]) == (0, {})
    assert "Report: " not in printed and not (tmp_path / "report").exists()


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"ANSIBLE_NOCOLOR": "1"}, False)])
def test_colour_is_for_terminals_that_want_it(tmp_path: Path, env: dict[str, str], coloured: bool) -> None:
    """The output of every other test is no terminal, and has no colour."""
    play(tmp_path, broken())
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", "play.yml"]
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR")}
    printed = bytearray()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(program, command, {**clean, "ANSIBLE_INJECT_FACT_VARS": "false", "TERM": "xterm", "COLUMNS": "200", **env})
    with contextlib.suppress(OSError):  # the end of the terminal
        while chunk := os.read(terminal, 65536):
            printed += chunk
    os.waitpid(child, 0)
    text = printed.decode()
    assert "FAILED: " in text
    assert (re.search(r"\x1b\[[0-9;]+m +FAILED", text) is not None) is coloured
    assert ("\x1b[" in text) is coloured


def broken() -> dict[str, Any]:
    given = copy.deepcopy(arguments())
    for request, answer in given["evidence"]["n1"]["answers"]:
        if (request["control"], request["target"]) == ("no-certificate", "beam@n3"):
            answer.update(code="connected", stage="done")
    given["evidence"]["n2"].pop("observed")
    return given


def test_a_broken_cluster_fails_after_it_was_reported(tmp_path: Path) -> None:
    status, printed, told = play(tmp_path, broken())
    assert status == 2
    assert "no-certificate failed: beam@n3: beam@n1 -> beam@n3 at 10.89.1.13 (cluster): connected at stage done" in told["msg"]
    assert {failure["status"] for failure in told["failures"]} == {"failed", "not_tested"}
    assert printed.index("FAILED: ") < printed.index("Not tested") < printed.index("Attacks") < printed.rindex("FAILED: ")
    assert json.loads((tmp_path / "report" / "beam.json").read_text())["result"] == "failed"


def test_check_mode_tells_and_neither_fails_nor_writes(tmp_path: Path) -> None:
    status, printed, told = play(tmp_path, {**broken(), "untested": "check mode makes no attack"}, "--check")
    assert (status, told["passed"]) == (0, False)
    assert "would fail" in " ".join(told["warnings"])
    assert "check mode makes no attack" in printed
    assert not (tmp_path / "report").exists()


def test_a_waiver_of_the_plan_is_applied(tmp_path: Path) -> None:
    given = broken()
    given["evidence"]["n2"]["observed"] = made.host("n2")
    given["plan"]["waivers"] = [{"control": "no-certificate", "host": None, "reason": "x", "until": "2999-01-01", "status": "failed"}]
    status, printed, _told = play(tmp_path, given)
    assert status == 0
    assert "an attack succeeded" in printed


def test_what_is_no_plan_is_refused(tmp_path: Path) -> None:
    status, _printed, told = play(tmp_path, {**arguments(), "plan": {"group": "beam"}})
    assert status == 2
    assert "has another shape" in told["msg"]
    assert not (tmp_path / "report").exists()


def test_a_verdict_is_printed_also_where_no_report_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file, and no directory")
    status, output, told = play(tmp_path, arguments())
    assert status != 0 and "PASSED" in output
    assert told["msg"].startswith(f"The report cannot be written to {tmp_path}/report: ") and "beam_verify_report_dir" in told["msg"]

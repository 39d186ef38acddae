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
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
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


class Told(NamedTuple):
    """What a task printed, and its result."""

    printed: str
    result: dict[str, Any]


def task(name: str, given: dict[str, Any]) -> dict[str, Any]:
    return {"beam.cluster.report": {**given, "directory": f"{name}/report"}}


def write(folder: Path, tasks: Mapping[str, dict[str, Any]]) -> list[str]:
    """A playbook with these tasks, and the command that runs it."""
    registered = [f"told_{number}" for number in range(len(tasks))]
    told = [{"name": name, **one, "register": own, "ignore_errors": True} for own, (name, one) in zip(registered, tasks.items())]
    keep = {"ansible.builtin.copy": {"content": f"{{{{ [{', '.join(registered)}] | to_json }}}}", "dest": str(folder / "told.json"), "mode": "0600"}}
    playbook = [{"hosts": "localhost", "gather_facts": False, "tasks": [*told, {"name": "keep", **keep}]}]
    (folder / "play.yml").write_text(json.dumps(playbook), encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    return [program, "-i", "localhost,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", "play.yml"]


def play(folder: Path, tasks: Mapping[str, dict[str, Any]]) -> dict[str, Told]:
    """All tasks in one start of Ansible; what is told of each, by name."""
    env = {**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_INJECT_FACT_VARS": "false", "COLUMNS": "200"}
    done = subprocess.run(write(folder, tasks), cwd=folder, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    _start, *parts = re.split(r"^TASK \[(\w+)\] \**$", done.stdout, flags=re.MULTILINE)
    printed = dict(zip(parts[::2], parts[1::2]))
    results = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    return {name: Told(printed[name], result) for name, result in zip(tasks, results)}


def broken() -> dict[str, Any]:
    given = copy.deepcopy(arguments())
    for request, answer in given["evidence"]["n1"]["answers"]:
        if (request["control"], request["target"]) == ("no-certificate", "beam@n3"):
            answer.update(code="connected", stage="done")
    given["evidence"]["n2"].pop("observed")
    return given


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Told]:
    waived = broken()
    waived["evidence"]["n2"]["observed"] = made.host("n2")
    waived["plan"]["waivers"] = [{"control": "no-certificate", "host": None, "reason": "x", "until": "2999-01-01", "status": "failed"}]
    (folder / "no_place").mkdir()
    (folder / "no_place" / "report").write_text("a file, and no directory")
    tasks = {
        "whole": arguments(),
        "formats": {**arguments(), "formats": ["sarif", "ocsf", "csv"]},
        "unknown_format": {**arguments(), "formats": ["pdf"]},
        "no_format": {**arguments(), "formats": []},
        "broken": broken(),
        "check_mode": {**broken(), "untested": "check mode makes no attack"},
        "waived": waived,
        "no_plan": {**arguments(), "plan": {"group": "beam"}},
        "no_place": arguments(),
    }
    return play(folder, {name: {**task(name, given), "check_mode": name == "check_mode"} for name, given in tasks.items()})


def test_a_whole_cluster_passes_and_is_reported(folder: Path, told: dict[str, Told]) -> None:
    printed, result = told["whole"]
    assert (result["failed"], result["passed"], result["changed"], result["failures"]) == (False, True, False, [])
    assert "PASSED: " in printed
    assert "6 of 6 refused" in printed
    report = folder / "whole" / "report"
    files = {suffix: report / f"beam.{suffix}" for suffix in ("json", "xml", "html")}
    assert result["files"] == {suffix: str(path) for suffix, path in files.items()}
    assert stat.S_IMODE(report.stat().st_mode) == 0o750
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.values()} == {0o640}
    assert sorted(path.name for path in report.iterdir()) == ["beam.html", "beam.json", "beam.xml"], "nothing left over"
    assert json.loads(files["json"].read_text())["result"] == "passed"
    assert str(files["html"]) in printed


def test_the_files_are_those_that_were_asked_for(folder: Path, told: dict[str, Told]) -> None:
    printed, result = told["formats"]
    names = {"sarif": "beam.sarif", "ocsf": "beam.ocsf.json", "csv": "beam.csv"}
    report = folder / "formats" / "report"
    assert result["files"] == {name: str(report / file) for name, file in names.items()}
    assert sorted(path.name for path in report.iterdir()) == sorted(names.values())
    assert f"Report: {report}/beam.sarif (and .ocsf.json, .csv)" in printed
    refused = told["unknown_format"].result
    assert refused["failed"] and "value of formats must be one or more of: html, json, xml, sarif, ocsf, csv" in refused["msg"]


def test_without_a_format_no_file_is_written(folder: Path, told: dict[str, Told]) -> None:
    printed, result = told["no_format"]
    assert (result["failed"], result["files"]) == (False, {})
    assert "Report: " not in printed and not (folder / "no_format" / "report").exists()


@pytest.mark.parametrize(("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"ANSIBLE_NOCOLOR": "1"}, False)])
def test_colour_is_for_terminals_that_want_it(tmp_path: Path, env: dict[str, str], coloured: bool) -> None:
    """The output of every other test is no terminal, and has no colour."""
    command = write(tmp_path, {"broken": task("broken", broken())})
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR")}
    printed = bytearray()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(command[0], command, {**clean, "ANSIBLE_INJECT_FACT_VARS": "false", "TERM": "xterm", "COLUMNS": "200", **env})
    with contextlib.suppress(OSError):  # the end of the terminal
        while chunk := os.read(terminal, 65536):
            printed += chunk
    os.waitpid(child, 0)
    text = printed.decode()
    assert "FAILED: " in text
    assert (re.search(r"\x1b\[[0-9;]+m +FAILED", text) is not None) is coloured
    assert ("\x1b[" in text) is coloured


def test_a_broken_cluster_fails_after_it_was_reported(folder: Path, told: dict[str, Told]) -> None:
    printed, result = told["broken"]
    assert result["failed"]
    assert "no-certificate failed: beam@n3: beam@n1 -> beam@n3 at 10.89.1.13 (cluster): connected at stage done" in result["msg"]
    assert {failure["status"] for failure in result["failures"]} == {"failed", "not_tested"}
    assert printed.index("FAILED: ") < printed.index("Not tested") < printed.index("Attacks") < printed.rindex("FAILED: ")
    assert json.loads((folder / "broken" / "report" / "beam.json").read_text())["result"] == "failed"


def test_check_mode_tells_and_neither_fails_nor_writes(folder: Path, told: dict[str, Told]) -> None:
    printed, result = told["check_mode"]
    assert (result["failed"], result["passed"]) == (False, False)
    assert "would fail" in " ".join(result["warnings"])
    assert "check mode makes no attack" in printed
    assert not (folder / "check_mode" / "report").exists()


def test_a_waiver_of_the_plan_is_applied(told: dict[str, Told]) -> None:
    printed, result = told["waived"]
    assert not result["failed"] and "an attack succeeded" in printed


def test_what_is_no_plan_is_refused(folder: Path, told: dict[str, Told]) -> None:
    result = told["no_plan"].result
    assert result["failed"] and "has another shape" in result["msg"]
    assert not (folder / "no_plan" / "report").exists()


def test_a_verdict_is_printed_also_where_no_report_can_be_written(folder: Path, told: dict[str, Told]) -> None:
    printed, result = told["no_place"]
    assert result["failed"] and "PASSED" in printed
    assert result["msg"].startswith(f"The report cannot be written to {folder}/no_place/report: ") and "beam_verify_report_dir" in result["msg"]

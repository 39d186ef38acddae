# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of known vulnerabilities on its way: a variable of the plan, read by the plan and by the report."""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import test_plan as plans
import test_report as reports
from ansible_collections.beam.cluster.plugins.plugin_utils import _advisories

TODAY = datetime.datetime.now(datetime.timezone.utc).date()


def of_today(path: Path, days: int = 0) -> Path:
    raw = json.loads(_advisories.SHIPPED.read_text(encoding="utf-8"))
    raw["date"] = (TODAY - datetime.timedelta(days=days)).isoformat()
    path.write_text(json.dumps(raw), encoding="utf-8")
    return path


@pytest.fixture
def lab(tmp_path: Path) -> plans.Lab:
    (tmp_path / "plans").mkdir()
    return plans.Lab(tmp_path)


def test_a_file_that_is_no_table_is_one_clear_error_of_the_plan(lab: plans.Lab) -> None:
    (lab.directory / "wrong.json").write_text('{"schema": 1, "date": "soon"}', encoding="utf-8")
    lab.group["beam_advisories_file"] = "wrong.json"
    output = lab.run(plans.ROLE, expect=2)
    assert ("beam_advisories_file", "advisories_file") in plans.rules(output)
    assert "'wrong.json': vulnerabilities is not an object." in output and "derive_advisories.py" in output
    lab.group["beam_advisories_file"] = {"no": "path"}
    assert ("beam_advisories_file", "type") in plans.rules(lab.run(plans.ROLE, expect=2))


def test_the_plan_has_the_absolute_path_and_knows_every_identifier(lab: plans.Lab) -> None:
    of_today(lab.directory / "advisories.json")
    lab.group["beam_advisories_file"] = "advisories.json"
    lab.group["beam_waivers"] = [{"control": "ejabberd-26.07-plain", "owner": "operations", "reason": "no PLAIN here", "until": "2099-01-31"}]
    lab.run(plans.ROLE + plans.SAVE)
    assert lab.plans()["n1"]["advisories_file"] == str(lab.directory / "advisories.json")


def given(path: Path | None) -> dict[str, Any]:
    """A whole cluster whose node on n1 runs an old OTP that came in no package."""
    found = reports.arguments()
    found["plan"]["advisories_file"] = str(path) if path else None
    for process in found["evidence"]["n1"]["observed"]["processes"]:
        if process["process"] == "beam.smp":
            process["vm"] = {**process["vm"], "version": "27.3.4.14", "package": None, "applications": None}
    return found


def told_of(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tmp_path / "report" / "beam.json").read_text(encoding="utf-8"))
    return found


def test_the_report_has_what_the_running_vm_carries(tmp_path: Path) -> None:
    status, printed, _told = reports.play(tmp_path, given(of_today(tmp_path / "advisories.json")))
    assert status == 0 and "CVE-2026-55953" in printed
    one = next(one for one in told_of(tmp_path)["advisories"] if one["control"] == "CVE-2026-55953")
    assert one["host"] == "n1" and one["severity"] == "critical" and "OTP 27.3.4.14, which pid " in one["detail"]
    assert one["fix"].startswith("Upgrade to OTP 27.3.4.15 or newer. See https://")


def test_an_old_table_of_the_operator_fails_and_the_collections_is_said(tmp_path: Path) -> None:
    status, printed, told = reports.play(tmp_path, given(of_today(tmp_path / "advisories.json", days=31)))
    assert status == 2 and told["failures"] == [{"control": "advisories-age", "subject": "beam", "status": "failed", "severity": "medium"}]
    assert "31 days old" in printed


def test_a_table_that_broke_after_the_plan_fails_the_report(tmp_path: Path) -> None:
    path = tmp_path / "advisories.json"
    path.write_text("{", encoding="utf-8")
    status, _printed, told = reports.play(tmp_path, given(path))
    assert status == 2 and told["msg"].startswith(f"{path}: it is not JSON") and not (tmp_path / "report").exists()


def test_the_shipped_files_are_found_where_the_collection_is_installed(tmp_path: Path) -> None:
    """The paths are relative to the code, whatever its place is."""
    assert _advisories.SHIPPED.is_file() and _advisories.BY_HAND.is_file()
    copy = tmp_path / "advisories.json"
    shutil.copy(_advisories.SHIPPED, copy)
    assert set(_advisories.table(str(copy)).known) == set(_advisories.table().known)


def test_an_audit_reads_the_operators_table_too(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[]", encoding="utf-8")
    task = {"beam.cluster.audit": {"hosts": {}, "advisories_file": str(wrong)}}
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    command = ["ansible-playbook", "-i", "localhost,", "-c", "local", "play.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2 and f"beam_advisories_file: {wrong}: the table is not an object" in done.stdout + done.stderr

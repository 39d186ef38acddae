# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of known vulnerabilities on its way: a variable of the plan, read by the plan and by the report."""

from __future__ import annotations

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import test_plan as plans
import test_report as reports
from ansible_collections.beam.cluster.plugins.plugin_utils import _vulnerability_table

TODAY = datetime.datetime.now(datetime.timezone.utc).date()


def of_today(path: Path, days: int = 0) -> Path:
    raw = json.loads(_vulnerability_table.SHIPPED.read_text(encoding="utf-8"))
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
    output = lab.run(plans.UNOBSERVED, expect=2)
    assert ("beam_advisories_file", "advisories_file") in plans.rules(output)
    assert "'wrong.json': vulnerabilities is not an object." in output and "derive_vulnerability_table.py" in output
    lab.group["beam_advisories_file"] = {"no": "path"}
    assert ("beam_advisories_file", "type") in plans.rules(lab.run(plans.UNOBSERVED, expect=2))


def test_the_plan_has_the_absolute_path_and_knows_every_identifier(lab: plans.Lab) -> None:
    of_today(lab.directory / "vulnerabilities.json")
    lab.group["beam_advisories_file"] = "vulnerabilities.json"
    lab.group["beam_waivers"] = [{"control": "ejabberd-26.07-plain", "owner": "operations", "reason": "no PLAIN here", "until": "2099-01-31"}]
    lab.run(plans.UNOBSERVED + plans.SAVE)
    assert lab.plans()["n1"]["vulnerabilities_file"] == str(lab.directory / "vulnerabilities.json")


def given(path: Path | None) -> dict[str, Any]:
    """A whole cluster whose node on n1 runs an old OTP that came in no package."""
    found = reports.arguments()
    found["plan"]["vulnerabilities_file"] = str(path) if path else None
    for process in found["evidence"]["n1"]["observed"]["processes"]:
        if process["process"] == "beam.smp":
            process["vm"] = {**process["vm"], "version": "27.3.4.14", "package": None, "applications": None}
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("advisories")


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, reports.Told]:
    """What reports with different tables tell, and an audit with one that is none."""
    (folder / "wrong.json").write_text("[]", encoding="utf-8")
    (folder / "broken.json").write_text("{", encoding="utf-8")
    tables = {"today": of_today(folder / "today.json"), "old": of_today(folder / "old.json", days=31), "broken": folder / "broken.json"}
    tasks = {name: reports.task(name, given(path)) for name, path in tables.items()}
    return reports.play(folder, {**tasks, "audit": {"beam.cluster.audit": {"hosts": {}, "vulnerabilities_file": str(folder / "wrong.json")}}})


def test_the_report_has_what_the_running_vm_carries(folder: Path, told: dict[str, reports.Told]) -> None:
    printed, result = told["today"]
    assert not result["failed"] and "CVE-2026-55953" in printed
    report = json.loads((folder / "today" / "report" / "beam.json").read_text(encoding="utf-8"))
    one = next(one for one in report["advisories"] if one["control"] == "CVE-2026-55953")
    assert one["host"] == "n1" and one["severity"] == "critical" and "OTP 27.3.4.14, which pid " in one["detail"]
    assert one["fix"].startswith("Upgrade to OTP 27.3.4.15 or newer. See https://")


def test_an_old_table_of_the_operator_fails_and_the_collections_is_said(told: dict[str, reports.Told]) -> None:
    printed, result = told["old"]
    assert result["failed"]
    assert result["failures"] == [{"control": "advisories-age", "subject": "beam", "status": "failed", "severity": "medium"}]
    assert "31 days old" in printed


def test_a_table_that_broke_after_the_plan_fails_the_report(folder: Path, told: dict[str, reports.Told]) -> None:
    result = told["broken"].result
    assert result["failed"] and result["msg"].startswith(f"{folder}/broken.json: it is not JSON") and not (folder / "broken" / "report").exists()


def test_an_audit_reads_the_operators_table_too(folder: Path, told: dict[str, reports.Told]) -> None:
    result = told["audit"].result
    assert result["failed"] and f"beam_advisories_file: {folder}/wrong.json: the table is not an object" in result["msg"]


def test_the_shipped_files_are_found_where_the_collection_is_installed(tmp_path: Path) -> None:
    """The paths are relative to the code, whatever its place is."""
    assert _vulnerability_table.SHIPPED.is_file() and _vulnerability_table.BY_HAND.is_file()
    copy = tmp_path / "vulnerabilities.json"
    shutil.copy(_vulnerability_table.SHIPPED, copy)
    assert set(_vulnerability_table.table(str(copy)).known) == set(_vulnerability_table.table().known)

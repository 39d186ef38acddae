# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SARIF against the published schema, and what the schema cannot say."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import verdicts
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import sarif


def run_of(verdict: verdicts.Verdict) -> dict[str, Any]:
    return json.loads(sarif.text(verdicts.report(verdict)))["runs"][0]


@pytest.mark.parametrize("kind", verdicts.KINDS)
def test_the_published_schema_accepts_it(kind: str) -> None:
    told = json.loads(sarif.text(verdicts.report(verdicts.KINDS[kind]())))
    jsonschema.Draft4Validator(verdicts.schema("sarif-2.1.0.json")).validate(told)
    (run,) = told["runs"]
    assert run["tool"]["driver"]["semanticVersion"] == "1.2.3"
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert (result["kind"] == "fail") is (result["level"] != "none"), "3.27.10: only a failure has a level"
        assert len(result["locations"]) == 1
    marks = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(marks)) == len(marks)


def test_help_is_the_paragraph_of_the_control() -> None:
    headings = set(re.findall("^## (.+)$", (Path(__file__).parents[5] / "docs/controls.md").read_text(encoding="utf-8"), re.MULTILINE))
    rules = [rule for rule in run_of(verdicts.failed())["tool"]["driver"]["rules"] if "helpUri" in rule]
    assert rules
    for rule in rules:
        page, _hash, anchor = rule["helpUri"].partition("#")
        assert page.endswith("docs/controls.md") and anchor == rule["id"] and anchor in headings


def test_every_finding_that_is_not_good_is_a_result() -> None:
    verdict = verdicts.failed()
    results = run_of(verdict)["results"]
    by_status = {
        status: [one for one in results if one["properties"]["status"] == status] for status in ("failed", "not_tested", "waived", "reported")
    }
    for status in ("failed", "not_tested", "waived"):
        assert len(by_status[status]) == sum(finding.status == status for finding in verdict.findings) > 0
    assert {one["kind"] for one in by_status["not_tested"]} == {"open"}
    assert by_status["waived"][0]["suppressions"][0]["justification"] == "a device & a <driver> (until 2026-12-31, ops)"
    assert by_status["reported"][0]["ruleId"] == "CVE-2026-89422"
    assert run_of(verdicts.passed())["results"] == []


def test_a_run_with_gaps_was_not_successful() -> None:
    (invocation,) = run_of(verdicts.untested())["invocations"]
    assert not invocation["executionSuccessful"]
    assert any("the host was not observed" in one["message"]["text"] for one in invocation["toolExecutionNotifications"])
    (invocation,) = run_of(verdicts.passed())["invocations"]
    assert invocation["executionSuccessful"]


def test_fingerprints_stay_when_details_change() -> None:
    verdict = verdicts.failed()
    other = replace(verdict, findings=tuple(replace(finding, details=("something else",)) for finding in verdict.findings))
    marks = [[one["partialFingerprints"] for one in run_of(each)["results"]] for each in (verdict, other)]
    assert marks[0] == marks[1]

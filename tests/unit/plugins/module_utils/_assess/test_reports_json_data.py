# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON report, and its published schema."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import verdicts
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess import audit_summary
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_exit_codes import exit_of
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Scope
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import json_data
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import Report

PUBLISHED = Path(__file__).resolve().parents[5] / "docs" / "schemas" / "report.schema.json"


def schema() -> Any:
    return json.loads(PUBLISHED.read_text(encoding="utf-8"), object_pairs_hook=once)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. A key that it has twice is an error: only the last one would count."""
    found = dict(pairs)
    assert len(found) == len(pairs), [key for key, _value in pairs]
    return found


def strict(value: Any) -> Any:
    """The schema with every object closed: what it does not describe is an error."""
    if isinstance(value, dict):
        closed = {key: strict(one) for key, one in value.items()}
        if "properties" in closed and isinstance(closed["properties"], dict) and "additionalProperties" not in closed:
            closed["additionalProperties"] = False
        return closed
    return [strict(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", verdicts.KINDS)
def test_the_published_schema_describes_every_key(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    report = verdicts.report(verdicts.KINDS[kind]())
    told = json.loads(json_data.text(report))
    assert told == json.loads(json.dumps(json_data.data(report))), "the lines lose nothing"
    jsonschema.Draft202012Validator(strict(schema())).validate(told)
    assert told["schema"] == schema()["properties"]["schema"]["const"] == json_data.SCHEMA


def test_the_schema_describes_what_an_audit_adds() -> None:
    verdict = verdicts.audited()
    more = audit_summary.data(verdict, exit_of(verdict, "info"), audit_summary.cost([outcome.answer for outcome in verdict.outcomes]))
    told = json.loads(json_data.text(Report(verdict, made.NOW, more)))
    jsonschema.Draft202012Validator(strict(schema())).validate(told)
    assert {"exit", "reach", "cost"} <= set(told)


def test_the_schema_refuses_what_is_no_report() -> None:
    told = json.loads(json_data.text(verdicts.report(verdicts.failed())))
    validator = jsonschema.Draft202012Validator(schema())
    for key in told:
        assert not validator.is_valid({name: value for name, value in told.items() if name != key}), key
    for path, value in ((("result",), "green"), (("findings", 0, "status"), "ok"), (("findings", 0, "fingerprint"), "x"), (("when",), "today")):
        broken = copy.deepcopy(told)
        place = broken
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert not validator.is_valid(broken), path


def test_it_holds_everything_and_only_plain_data() -> None:
    verdict = verdicts.failed()
    told = json.loads(json_data.text(verdicts.report(verdict)))
    assert told["schema"] == 2
    assert told["when"] == "2026-11-18T11:06:40Z"
    assert told["result"] == "failed"
    assert len(told["matrix"]) == 6
    assert sum(told["summary"].values()) == len(told["findings"]) == len(verdict.findings)
    (lost,) = (pair for pair in told["matrix"] if pair["code"] != "connected")
    assert (lost["from"], lost["to"], lost["stage"]) == ("beam@n1", "beam@n2", "connect")
    assert all(pair["tls"]["peer"]["sans"] for pair in told["matrix"] if pair["code"] == "connected")
    assert {attack["result"] for attack in told["attacks"]} == {"refused", "succeeded", "not_tested"}
    given = {"control": "unit-sandbox", "host": "n1", "owner": "ops", "reason": "a device & a <driver>", "until": "2026-12-31"}
    waiver = {**given, "status": None, "used": True}
    assert told["waivers"] == [waiver]
    assert json_data.data(verdicts.report(verdicts.passed()))["result"] == "passed"
    known = {finding["fingerprint"] for finding in told["findings"]}
    assert {one for fault in told["faults"] for one in (*fault["findings"], *fault["symptoms"])} <= known


@pytest.mark.parametrize("scope", [Scope(pairs_max=10**6), Scope()])
def test_of_a_large_cluster_what_is_as_it_should_be_is_counted(scope: Scope) -> None:
    verdict = evaluate(made.evidence(of=verdicts.plan_of(70), seen={}, answer=verdicts.lost_pair, outsiders=[], scope=scope))
    told = json_data.data(verdicts.report(verdict))
    assert [(pair["from"], pair["to"], pair["code"]) for pair in told["matrix"]] == [("beam@h003", "beam@h004", "filtered")]
    assert told["coverage"]["complete"] is verdict.coverage.complete
    assert not told["all_listed"] and {outcome["result"] for outcome in told["attacks"]} == {"not_tested"}
    counts = {entry["node"]: entry for entry in told["counts"]}
    assert counts["beam@h004"]["connections"]["not_connected"] == 1
    assert counts["beam@h005"]["attacks"]["plaintext"]["refused"] == (3 if not verdict.coverage.complete else 69)
    plain = json.loads(json.dumps(told))
    jsonschema.Draft202012Validator(strict(schema())).validate(plain)
    short = {"fingerprint", "control", "status", "hosts", "subject"}
    assert all((set(one) == short) is (one["status"] == "passed") for one in told["findings"])
    assert {one["fingerprint"]: one["status"] for one in told["findings"]} == {one.fingerprint: one.status for one in verdict.findings}
    wrong = {**plain, "findings": [{**one, "status": "failed"} for one in plain["findings"] if set(one) == short]}
    assert wrong["findings"] and not jsonschema.Draft202012Validator(schema()).is_valid(wrong)

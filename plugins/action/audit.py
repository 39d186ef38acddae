# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action beam.cluster.audit: discovers nodes in what was seen of hosts, and later evaluates them. Runs on the controller, connects to nothing."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._assess import audit_summary, baseline
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_exit_codes import ANY, FAIL_ON, exit_of
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_probes import AuditQuestions
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_reached_hosts import Reach, reach_of
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import ADVISORIES, BY_ID, SEVERITIES
from ansible_collections.beam.cluster.plugins.module_utils._assess.discover import discover
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import NEVER, Evidence, NodeView, Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.policy import Policy, PolicyError, policy_from
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Answer, Probe
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import terminal
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.formats import DEFAULT_FORMATS, FORMATS
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import Report
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerability_table import TableError, VulnerabilityTable
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._model.waivers import read_waivers
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT
from ansible_collections.beam.cluster.plugins.plugin_utils import _report_output, _vulnerability_table
from ansible_collections.beam.cluster.plugins.plugin_utils._files import replace_file
from ansible_collections.beam.cluster.plugins.plugin_utils._version import version

NAME = "audit"
SPEC: dict[str, dict[str, Any]] = {
    "hosts": {"type": "dict", "required": True},
    "epmd_port": {"type": "int", "default": EPMD_PORT},
    "evaluate": {"type": "bool", "default": True},
    "known_cookies": {"type": "bool", "default": False},
    "views": {"type": "dict", "default": {}},
    "answers": {"type": "dict", "default": {}},
    "outsiders": {"type": "list", "elements": "str", "default": []},
    "untested": {"type": "str", "default": ""},
    "waivers": {"type": "list", "elements": "dict", "default": []},
    "vulnerabilities_file": {"type": "path"},
    "policy": {"type": "path"},
    "policy_from": {"type": "str"},
    "baseline": {"type": "path"},
    "fail_at": {"type": "str", "choices": [NEVER, *SEVERITIES], "default": "info"},
    "fail_on": {"type": "str", "choices": list(FAIL_ON), "default": ANY},
    "directory": {"type": "path"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(DEFAULT_FORMATS)},
}


class UsageError(Exception):
    """Options that cannot be used; the message names variable, rule and fix."""


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=SPEC)
        reach, seen = _seen(arguments["hosts"])
        target = discover(seen, reach, epmd_port=arguments["epmd_port"])
        if not arguments["evaluate"]:
            return {"changed": False, "discovered": AuditQuestions.of(target, seen, known_cookies=arguments["known_cookies"]).as_dict()}
        try:
            return self._evaluate(arguments, target, reach, seen)
        except UsageError as error:
            return {"failed": True, "msg": str(error)}

    def _evaluate(
        self, arguments: Mapping[str, Any], target: Target, reach: Mapping[str, Reach], seen: Mapping[str, Observation]
    ) -> dict[str, Any]:
        now = time.time()
        subjects = {*target.hosts, *(node.own_name for host in target.hosts.values() for node in (*host.nodes, *host.contained))}
        problems = Problems()
        waivers = read_waivers(arguments["waivers"], {*BY_ID, *ADVISORIES}, subjects, datetime.date.today(), problems)
        errors = tuple(f"{one['message']} Fix: {one['fix']}" for one in problems.grouped())
        answers = tuple(_answers(arguments["answers"]))
        evidence = Evidence(
            target=target,
            seen=seen,
            answers=answers,
            views=_views(arguments["views"], target),
            outsiders=arguments["outsiders"],
            epoch=now,
            untested=arguments["untested"],
            reach=reach,
            asked=AuditQuestions.of(target, seen, known_cookies=arguments["known_cookies"]),
            waiver_errors=errors,
            policy=_policy(arguments["policy"]),
            table=_table(arguments["vulnerabilities_file"]),
            table_given=bool(arguments["vulnerabilities_file"]),
        )
        today = datetime.date.today().isoformat()
        verdict = evaluate(evidence, tuple(waiver for waiver in waivers if waiver.until >= today))
        if arguments["baseline"]:
            verdict = replace(verdict, baseline=_baseline(arguments["baseline"], verdict))
        end, paid = exit_of(verdict, arguments["fail_at"], arguments["fail_on"]), audit_summary.cost(answers, evidence.views)
        result: dict[str, Any] = {
            "changed": False,
            "files": {},
            "result": {**end.as_dict(), "message": str(end), "score": verdict.score and verdict.score.value},
        }
        report = Report(verdict, now, audit_summary.data(verdict, end, paid), version())
        lines = [*map(terminal.Line, [*audit_summary.head(verdict), ""]), *terminal.lines(report)]
        lines += map(terminal.Line, audit_summary.foot(end, paid))
        if arguments["directory"]:
            try:
                result["files"], told = _report_output.write(
                    arguments["directory"], NAME, arguments["formats"], report, write=not self._task.check_mode
                )
                lines += told
            except OSError as error:
                result.update(failed=True, msg=_report_output.unwritten(arguments["directory"], "beam_audit_report_dir", error))
        if arguments["policy_from"]:
            lines.append(terminal.Line(self._write_policy(arguments, evidence, result)))
        _report_output.show(self._display, lines)
        return result

    def _write_policy(self, arguments: Mapping[str, Any], evidence: Evidence, result: dict[str, Any]) -> str:
        name = arguments["policy_from"]
        host, seen = evidence.target.hosts.get(name), evidence.seen.get(name)
        if host is None or not seen:
            raise UsageError(f"beam_audit_policy_from: {name} is not a host of this run, or could not be read. Name an audited host.")
        if not arguments["directory"]:
            raise UsageError("beam_audit_policy_from: there is no directory for the policy. Set beam_audit_report_dir.")
        try:
            policy = policy_from(host, seen, evidence.answers)
        except PolicyError as error:
            raise UsageError(f"beam_audit_policy_from: {error}") from None
        path = Path(arguments["directory"]).absolute() / "policy.yml"
        if not self._task.check_mode:
            path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            text = yaml.safe_dump(policy.as_dict(), sort_keys=False)
            comment = f"# The settings of {name}, written by beam.cluster.audit. Remove the keys that other nodes need not match."
            replace_file(path, f"---\n{comment}\n{text}")
        result["files"]["policy"] = str(path)
        return f"Policy: {path}"


def _seen(hosts: Mapping[str, Any]) -> tuple[dict[str, Reach], dict[str, Observation]]:
    reach: dict[str, Reach] = {}
    seen: dict[str, Observation] = {}
    for name, attempts in hosts.items():
        reach[name], observed = reach_of(name, attempts or ())
        if observed is not None:
            seen[name] = Observation.parse(name, observed)
    return reach, seen


def _answers(by_vantage: Mapping[str, Any]) -> list[Answer]:
    pairs = [pair for own in by_vantage.values() for pair in own or ()]
    return [Answer.parse(Probe.from_dict(pair[0]), pair[1]) for pair in pairs if len(pair) == 2 and pair[1]]


def _views(by_host: Mapping[str, Any], target: Target) -> dict[str, NodeView]:
    """What nodes said of themselves, by node. The host's own answers count for its own nodes only."""
    nodes = {(node.host, node.own_name): node.node for node in target.members}
    pairs = ((nodes.get((host, str(one.get("node")))), one) for host, own in by_host.items() for one in own or () if isinstance(one, Mapping))
    return {name: NodeView.parse(one) for name, one in pairs if name}


def _table(path: str | None) -> VulnerabilityTable:
    try:
        return _vulnerability_table.table(path)
    except TableError as error:
        file = path or _vulnerability_table.SHIPPED
        raise UsageError(f"beam_advisories_file: {file}: {error}. Make it with derive_vulnerability_table.py.") from None


def _policy(path: str | None) -> Policy | None:
    if not path:
        return None
    try:
        return Policy.parse(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, PolicyError) as error:
        raise UsageError(f"beam_audit_policy: {path}: {error}") from None


def _baseline(path: str, verdict: Verdict) -> baseline.Baseline:
    now = [(finding.fingerprint, finding.waived_status or finding.status) for finding in verdict.findings]
    try:
        earlier = json.loads(Path(path).read_text(encoding="utf-8"))
        return baseline.compare(earlier if isinstance(earlier, dict) else {}, now)
    except (OSError, ValueError) as error:
        raise UsageError(f"beam_audit_baseline: {path}: {error}") from None

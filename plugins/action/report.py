# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action beam.cluster.report: evidence in, verdict out. Runs on the controller, connects to nothing, writes the report files."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._assess import postponed_restarts
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import SEVERITIES
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import NEVER, Evidence, NodeView, OtherClusters, advisory
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import PAIRS_MAX, VANTAGES, Answer, Probe, Scope
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import terminal
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.formats import DEFAULT_FORMATS, FORMATS
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import Report
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerability_table import TableError
from ansible_collections.beam.cluster.plugins.module_utils._host import certificates
from ansible_collections.beam.cluster.plugins.module_utils._model.host_facts import Certificate
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.running_node import Link
from ansible_collections.beam.cluster.plugins.module_utils._model.untrusted_json import each
from ansible_collections.beam.cluster.plugins.module_utils._model.waivers import Waiver
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs, _report_output, _vulnerability_table
from ansible_collections.beam.cluster.plugins.plugin_utils._other_clusters import other_clusters
from ansible_collections.beam.cluster.plugins.plugin_utils._version import version

SPEC: dict[str, dict[str, Any]] = {
    "plan": {"type": "dict", "required": True},
    "evidence": {"type": "dict", "required": True},
    "outside": {"type": "list", "elements": "list", "default": []},
    "outsiders": {"type": "list", "elements": "str", "default": []},
    "mesh": {"type": "list", "elements": "dict", "default": []},
    "untested": {"type": "str", "default": ""},
    "pairs_max": {"type": "int", "default": PAIRS_MAX},
    "vantages": {"type": "int", "default": VANTAGES},
    "advisories_fail_at": {"type": "str", "choices": [NEVER, *SEVERITIES], "default": NEVER},
    "directory": {"type": "path"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(DEFAULT_FORMATS)},
    "ca_dir": {"type": "path"},
    "run_key": {"type": "str", "default": "", "no_log": True},
}


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_async = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=SPEC)
        now = time.time()
        try:
            waivers = [Waiver.from_dict(entry) for entry in arguments["plan"].get("waivers") or ()]
            evidence = replace(_evidence(arguments, now), others=self._others(arguments, task_vars or {}))
        except (KeyError, TypeError, AttributeError) as error:
            return {"failed": True, "msg": f"plan or evidence has another shape than beam.cluster.plan and beam.cluster.probe return: {error!r}"}
        except TableError as error:
            return {"failed": True, "msg": f"{arguments['plan'].get('vulnerabilities_file') or _vulnerability_table.SHIPPED}: {error}."}
        verdict = evaluate(evidence, waivers, arguments["advisories_fail_at"])
        waiting = postponed_restarts.waivers(str(arguments["plan"].get("restart_from") or ""), verdict.failures)
        if waiting:
            verdict = evaluate(evidence, [*waivers, *waiting], arguments["advisories_fail_at"])
        report = Report(verdict, now, version=version())
        lines = terminal.lines(report)
        result: dict[str, Any] = {
            "changed": False,
            "passed": verdict.ok,
            "lines": [line.text for line in lines],
            "failures": [{"control": f.control, "subject": f.subject, "status": f.status, "severity": f.severity} for f in verdict.failures],
            "files": {},
        }
        if arguments["directory"]:
            name = report.verdict.target.group or "cluster"
            try:
                result["files"], told = _report_output.write(
                    arguments["directory"], name, arguments["formats"], report, write=not self._task.check_mode
                )
                lines += told
                result["lines"] += [line.text for line in told]
            except OSError as error:
                result.update(failed=True, msg=_report_output.unwritten(arguments["directory"], "beam_verify_report_dir", error))
        _report_output.show(self._display, lines)
        if not verdict.ok:
            # A check run compares the plan with hosts that this very run may be about to change: it warns, and does not stop.
            if self._task.check_mode:
                result["warnings"] = ["verify would fail now: " + terminal.failure(report, 3)]
            else:
                # It has been printed; a failed task prints its whole result once more.
                del result["lines"]
                result.update(failed=True, msg="\n".join(filter(None, (terminal.failure(report), result.get("msg")))))
        return result

    def _others(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> OtherClusters:
        plan = arguments["plan"]
        if not arguments["run_key"]:
            return OtherClusters()
        known = {*plan["hosts"], *(plan.get("departing") or ())}
        default = str(_inputs.specs()[1]["beam_group"])
        return other_clusters(self._templar, task_vars, str(plan.get("group") or default), default, known, arguments["run_key"])


def _evidence(arguments: Mapping[str, Any], now: float) -> Evidence:
    plan = arguments["plan"]
    hosts: Mapping[str, Mapping[str, Any]] = {name: own or {} for name, own in arguments["evidence"].items()}
    pairs = [pair for own in hosts.values() for pair in own.get("answers") or ()]
    advisories = [advisory(entry) for entry in plan.get("advisories") or ()]
    advisories += [advisory(entry, name) for name, own in hosts.items() for entry in own.get("advisories") or ()]
    return Evidence(
        target=Target.from_plan(plan, {name: own["contents"] for name, own in hosts.items() if own.get("contents") is not None}),
        seen={name: Observation.parse(name, own["observed"]) for name, own in hosts.items() if own.get("observed")},
        answers=list(_answers([*pairs, *arguments["outside"]])),
        views={view["node"]: NodeView.parse(view) for view in arguments["mesh"]},
        outsiders=arguments["outsiders"],
        epoch=now,
        untested=arguments["untested"],
        advisories=advisories,
        scope=Scope(arguments["pairs_max"], arguments["vantages"]),
        table=_vulnerability_table.table(plan.get("vulnerabilities_file")),
        table_given=bool(plan.get("vulnerabilities_file")),
        links={name: found for name, found in ((name, each(own.get("links"), Link.parse)) for name, own in hosts.items()) if found is not None},
        authorities=_authorities(arguments["ca_dir"]),
    )


def _authorities(directory: str | None) -> list[Certificate] | None:
    """The certificates of the CA in a directory of the controller; None where there is none, or it cannot be read."""
    paths = sorted(glob.glob(os.path.join(glob.escape(directory), "*", "certificate.pem"))) if directory else []
    raw, failed = certificates.describe_all(paths)
    found = [Certificate.parse(one) for one in raw]
    return [one for one in found if one] or None if not failed else None


def _answers(pairs: Iterable[Sequence[Any]]) -> Iterator[Answer]:
    """From the pairs of beam.cluster.probe. A pair without an answer is a probe that was not made."""
    for pair in pairs:
        if len(pair) == 2 and pair[1]:
            yield Answer.parse(Probe.from_dict(pair[0]), pair[1])

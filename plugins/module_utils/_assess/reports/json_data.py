# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as plain data for JSON. docs/schemas/report.schema.json describes it.

Private to this collection, pure.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from ..controls import BY_ID
from ..finding import Finding, Outcome
from ..probes import Answer
from .model import WORDS, Report, fingerprint_of_advisory, when

SCHEMA = 2
"""Version of the JSON report. It grows when a key changes its meaning or is removed."""


def text(report: Report) -> str:
    """A line for each entry of a list: it is read with grep too, and a large cluster stays small."""
    parts = (f" {json.dumps(key)}: {_lines(value)}" for key, value in data(report).items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"  {json.dumps(one)}" for one in value) + "\n ]"
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(one)}" for key, one in value.items()) + "\n }"
    return json.dumps(value)


def outcome_data(outcome: Outcome) -> dict[str, Any]:
    answer = outcome.answer
    probe = answer.probe
    return {
        "attack": probe.control,
        "from": probe.asker,
        "to": probe.target,
        "address": probe.address,
        "port": answer.port or probe.port,
        "network": probe.network,
        "result": outcome.status,
        "code": answer.code,
        "stage": answer.stage,
        "why": outcome.why,
    }


def _pair_data(source: str, target: str, answer: Answer) -> dict[str, Any]:
    return {
        "from": source,
        "to": target,
        "code": answer.code,
        "stage": answer.stage,
        "port": answer.port,
        "milliseconds": answer.milliseconds,
        "tls": dict(answer.tls.facts) if answer.tls else None,
        "message": answer.message,
    }


def _pairs(report: Report) -> list[tuple[str, str, Answer]]:
    single = len(report.nodes) == 1
    pairs = ((source, target, answer) for (source, target), answer in report.verdict.connections.items() if source != target or single)
    return [pair for pair in pairs if report.listed or f"{pair[0]} -> {pair[1]}" in report.bad_pairs]


def _counts_data(report: Report) -> list[dict[str, Any]]:
    """For each node how many connections to it and how many attacks on it there were, and what came of them."""
    connected: dict[str, Counter[str]] = {}
    for (source, target), answer in report.verdict.connections.items():
        if source != target or len(report.nodes) == 1:
            connected.setdefault(target, Counter())["connected" if answer.connected else "not_connected"] += 1
    attacks: dict[str, dict[str, Counter[str]]] = {}
    for (attack, node), outcomes in report.outcomes_at.items():
        attacks.setdefault(node, {})[attack] = Counter(outcome.status for outcome in outcomes)
    return [
        {
            "node": node,
            "connections": dict(connected.get(node, {})),
            "attacks": {attack: dict(counts) for attack, counts in attacks.get(node, {}).items()},
        }
        for node in report.nodes
    ]


def finding_data(finding: Finding) -> dict[str, Any]:
    return {
        "fingerprint": finding.fingerprint,
        "control": finding.control,
        "severity": finding.severity,
        "status": finding.status,
        "hosts": list(finding.hosts),
        "subject": finding.subject,
        "details": list(finding.details),
        "cause": finding.cause or None,
        "cause_subject": finding.cause_subject or None,
        "waived": finding.waiver or None,
        "waived_status": finding.waived_status or None,
    }


def data(report: Report) -> dict[str, Any]:
    """Every key is always there."""
    verdict = report.verdict
    return {
        "schema": SCHEMA,
        "when": when(report.epoch),
        "group": verdict.target.group,
        "result": report.result,
        "score": verdict.score.as_dict() if verdict.score else None,
        "baseline": verdict.baseline.as_dict() if verdict.baseline else None,
        "summary": {status: report.counts[status] for status in WORDS},
        "coverage": {
            "complete": verdict.coverage.complete,
            "pairs": verdict.coverage.pairs,
            "probed": verdict.coverage.probed,
            **asdict(verdict.coverage.scope),
        },
        "members": [
            {
                "node": one.node,
                "host": one.host or None,
                "address": one.address,
                "ports": one.ports.as_dict() if one.ports else None,
                "port": one.port,
                "hidden": one.hidden,
            }
            for one in verdict.target.members
        ],
        "outsiders": list(verdict.outsiders),
        "all_listed": report.listed,
        "faults": [
            {
                "control": fault.control.id,
                "findings": [finding.fingerprint for finding in fault.findings],
                "symptoms": [finding.fingerprint for finding in fault.symptoms],
            }
            for fault in report.faults
        ],
        "certificates": [
            {"node": one.node, "until": one.until, "days_left": None if one.days is None else round(one.days, 1)} for one in report.lifetimes
        ],
        "matrix": [_pair_data(*pair) for pair in _pairs(report)],
        "attacks": [outcome_data(outcome) for outcome in report.shown_outcomes],
        "counts": _counts_data(report),
        "controls": {
            one.id: {"title": one.title, "severity": one.severity, "fix": one.fix, "references": [list(source) for source in one.references]}
            for one in BY_ID.values()
        },
        "findings": [finding_data(finding) for finding in verdict.findings],
        "advisories": [
            {"fingerprint": fingerprint_of_advisory(one), **one.as_dict(), "waived": verdict.waived.get(one)} for one in verdict.advisories
        ],
        "waivers": [{**waiver.as_dict(), "used": waiver not in verdict.unused_waivers} for waiver in verdict.waivers],
        **report.more,
    }

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as SARIF 2.1.0, for tools that collect the results of scanners.

Private to this collection, pure. Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. It holds what failed, what was not tested
and what is waived; what passed is no result. A finding is about a host, not about a file: the artifact is `hosts/<host>`, which need not exist.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ..._model.advisories import Advisory
from ..controls import BY_ID, Control
from ..finding import FAILED, NOT_TESTED, WAIVED, Finding
from .model import Report, fingerprint_of_advisory, when
from .safe_text import percent, visible

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PROJECT = "https://github.com/beam-cluster/beam.cluster"
FINGERPRINT = "beamClusterFinding/v1"

_LEVEL = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
# The scale of CVSS, as code scanning tools read it: above 9.0 critical, 7.0 high, 4.0 medium.
_SECURITY_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "info": "0.0"}


def text(report: Report) -> str:
    return json.dumps(_log(report), indent=1) + "\n"


def _log(report: Report) -> dict[str, Any]:
    wrong = [finding for finding in report.verdict.findings if finding.status in (FAILED, NOT_TESTED, WAIVED)]
    rules = [*map(_rule, BY_ID.values()), *_advisory_rules(report.advisories)]
    place = {rule["id"]: at for at, rule in enumerate(rules)}
    untested = [_notification(gap.reason, gap.controls) for gap in report.gaps]
    driver = {"name": "beam.cluster", "organization": "beam.cluster", "informationUri": PROJECT}
    if report.version:
        driver["semanticVersion"] = report.version
    run = {
        "tool": {"driver": {**driver, "rules": rules}},
        "automationDetails": {"id": f"beam.cluster/{percent(report.verdict.target.group)}/"},
        "invocations": [{"executionSuccessful": not untested, "endTimeUtc": when(report.epoch), "toolExecutionNotifications": untested}],
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_result(finding, place) for finding in wrong),
            *(_advisory_result(advisory, report.verdict.waived.get(advisory), place) for advisory in report.advisories),
        ],
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _rule(control: Control) -> dict[str, Any]:
    more = [f"[{title}]({url})" for title, url in control.references if "://" in url]
    return {
        "id": control.id,
        "shortDescription": {"text": f"{control.title}."},
        "fullDescription": {"text": control.why},
        "help": {"text": control.fix, "markdown": "\n\n".join((control.fix, *more))},
        "helpUri": f"{PROJECT}/blob/main/docs/controls.md#{control.id}",
        "defaultConfiguration": {"level": _LEVEL[control.severity]},
        "properties": {
            "security-severity": _SECURITY_SEVERITY[control.severity],
            "problem.severity": _LEVEL[control.severity],
            "tags": ["security", "erlang", control.looks_at],
        },
    }


def _advisory_rules(advisories: Iterable[Advisory]) -> Iterator[dict[str, Any]]:
    """The worst of each name comes first."""
    for name, one in {advisory.control: advisory for advisory in reversed(tuple(advisories))}.items():
        yield {
            "id": visible(name) or "advisory",
            "shortDescription": {"text": visible(one.title) or "Advisory"},
            "fullDescription": {"text": visible(one.detail or one.title) or "Advisory"},
            "help": {"text": visible(one.fix) or "See the details of the result."},
            "defaultConfiguration": {"level": _LEVEL[one.severity]},
            "properties": {"security-severity": _SECURITY_SEVERITY[one.severity], "tags": ["security", "erlang", "vulnerability"]},
        }


def _notification(reason: str, controls: Iterable[str]) -> dict[str, Any]:
    message = f"Not tested: {', '.join(controls)}. Reason: {visible(reason)}"
    return {"level": "error", "message": {"text": message}, "descriptor": {"id": "not-tested"}}


def _locations(hosts: Iterable[str], subject: str) -> list[dict[str, Any]]:
    """One for each host; code scanning tools need an artifact and a line in each."""
    found = []
    for host in tuple(hosts) or ("",):
        uri = f"hosts/{percent(host)}" if host else "hosts"
        name = visible(subject)
        found.append(
            {
                "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
                "logicalLocations": [{"name": name, "fullyQualifiedName": f"{visible(host)}/{name}", "kind": "resource"}],
            }
        )
    return found


def _marks(fingerprint: str) -> dict[str, str]:
    # Code scanning of GitHub reads this one name only.
    return {FINGERPRINT: fingerprint, "primaryLocationLineHash": f"{fingerprint}:1"}


def _result(finding: Finding, place: dict[str, int]) -> dict[str, Any]:
    control = BY_ID[finding.control]
    untested = NOT_TESTED in (finding.status, finding.waived_status)
    details = "; ".join(map(visible, finding.details))
    cause = f" It follows from {visible(finding.cause)}." if finding.cause else ""
    told = f"{visible(finding.subject)}: {'not tested: ' if untested else ''}{details or control.title}.{cause}"
    found: dict[str, Any] = {
        "ruleId": control.id,
        "ruleIndex": place[control.id],
        # "open": not enough is known to decide. A result of this kind must not have a level.
        "kind": "open" if untested else "fail",
        "level": "none" if untested else _LEVEL[control.severity],
        "message": {"text": told},
        "locations": _locations(finding.hosts[:1], finding.subject),
        "partialFingerprints": _marks(finding.fingerprint),
        "properties": {"status": finding.status, "hosts": list(map(visible, finding.hosts)), "fix": control.fix},
    }
    if len(finding.hosts) > 1:
        found["relatedLocations"] = _locations(finding.hosts[1:], finding.subject)
    if finding.status == WAIVED:
        found["suppressions"] = [_suppression(finding.waiver)]
    return found


def _suppression(reason: str) -> dict[str, str]:
    return {"kind": "external", "status": "accepted", "justification": visible(reason)}


def _advisory_result(advisory: Advisory, waived: str | None, place: dict[str, int]) -> dict[str, Any]:
    name = visible(advisory.control) or "advisory"
    informs = advisory.severity == "info"
    found: dict[str, Any] = {
        "ruleId": name,
        "ruleIndex": place[name],
        "kind": "informational" if informs else "fail",
        "level": "none" if informs else _LEVEL[advisory.severity],
        "message": {"text": " ".join(filter(None, map(visible, (f"{advisory.title}.", advisory.detail, advisory.fix))))},
        "locations": _locations((advisory.host,), advisory.host or "cluster"),
        "partialFingerprints": _marks(fingerprint_of_advisory(advisory)),
        "properties": {"status": "waived" if waived else "reported", "fix": visible(advisory.fix)},
    }
    if waived:
        found["suppressions"] = [_suppression(waived)]
    return found

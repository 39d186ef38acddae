# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as events of the Open Cybersecurity Schema Framework: class Detection Finding (2004), OCSF 1.5.0.

Private to this collection, pure. Source: https://schema.ocsf.io/1.5.0/classes/detection_finding. One event for each finding that failed, was not
tested or is waived, and one for each advisory; what passed is no event.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..._model.advisories import Advisory
from ..controls import BY_ID
from ..finding import FAILED, NOT_TESTED, WAIVED, Finding
from .model import Report, fingerprint_of_advisory
from .safe_text import visible

VERSION = "1.5.0"

_CATEGORY, _CLASS, _CREATE = 2, 2004, 1
_SEVERITY = {"info": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")


def text(report: Report) -> str:
    wrong = (finding for finding in report.verdict.findings if finding.status in (FAILED, NOT_TESTED, WAIVED))
    events = [_finding(finding, report) for finding in wrong]
    events += (_advisory(advisory, report) for advisory in report.advisories)
    return json.dumps(events, indent=1) + "\n"


def _event(
    report: Report, *, severity: str, waived: str, code: str, info: dict[str, Any], fix: str, links: Iterable[str], hosts: Iterable[str]
) -> dict[str, Any]:
    number, caption = _SEVERITY[severity]
    status_id, status = _SUPPRESSED if waived else _NEW
    event: dict[str, Any] = {
        "metadata": {
            "version": VERSION,
            "product": {"name": "beam.cluster", "vendor_name": "beam.cluster", **({"version": report.version} if report.version else {})},
            "correlation_uid": visible(report.verdict.target.group),
        },
        "time": int(report.epoch * 1000),
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Detection Finding",
        "activity_id": _CREATE,
        "activity_name": "Create",
        "type_uid": _CLASS * 100 + _CREATE,
        "type_name": "Detection Finding: Create",
        "severity_id": number,
        "severity": caption,
        "status_id": status_id,
        "status": status,
        "status_code": code,
        "finding_info": info,
        "message": info["desc"],
        "remediation": {"desc": visible(fix) or "See the description.", "references": list(links)},
        "resources": [{"name": visible(host), "uid": visible(host), "type": "Host"} for host in hosts],
    }
    if waived:
        event["comment"] = visible(waived)
    return event


def _finding(finding: Finding, report: Report) -> dict[str, Any]:
    control = BY_ID[finding.control]
    cause = f" It follows from {finding.cause}." if finding.cause else ""
    details = "; ".join(finding.details) or control.title
    info = {
        "uid": finding.fingerprint,
        "title": control.title,
        "desc": visible(f"{finding.subject}: {details}.{cause}"),
        "types": [control.id],
        "analytic": {"uid": control.id, "name": control.title, "type_id": 1, "type": "Rule"},
    }
    links = [url for _title, url in control.references if "://" in url]
    code = finding.waived_status or finding.status
    hosts = finding.hosts or (finding.subject,)
    return _event(report, severity=control.severity, waived=finding.waiver, code=code, info=info, fix=control.fix, links=links, hosts=hosts)


def _advisory(advisory: Advisory, report: Report) -> dict[str, Any]:
    name = visible(advisory.control) or "advisory"
    told = " ".join(filter(None, (f"{advisory.title}.", advisory.detail)))
    info = {
        "uid": fingerprint_of_advisory(advisory),
        "title": visible(f"{advisory.control}: {advisory.title}"),
        "desc": visible(told),
        "types": [name],
        "analytic": {"uid": name, "name": name, "type_id": 1, "type": "Rule"},
    }
    waived = report.verdict.waived.get(advisory, "")
    hosts = (advisory.host,) if advisory.host else ()
    event = _event(report, severity=advisory.severity, waived=waived, code="reported", info=info, fix=advisory.fix, links=(), hosts=hosts)
    if advisory.control.startswith("CVE-"):
        event["vulnerabilities"] = [{"cve": {"uid": name}, "title": visible(advisory.title), "severity": advisory.severity, "desc": visible(told)}]
    return event

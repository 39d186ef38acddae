# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as CSV (RFC 4180) for a spreadsheet: one row for each finding and for each advisory.

Private to this collection, pure.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ..controls import BY_ID
from ..finding import NOT_APPLICABLE, PASSED
from .model import Report, fingerprint_of_advisory
from .safe_text import cell

COLUMNS = ("kind", "id", "severity", "status", "hosts", "subject", "title", "details", "cause", "waived", "fix", "fingerprint")


def text(report: Report) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(value) for value in row] for row in (*_findings(report), *_advisories(report)))
    return out.getvalue()


def _findings(report: Report) -> Iterator[tuple[str, ...]]:
    for one in report.verdict.findings:
        control = BY_ID[one.control]
        details = "; ".join(one.details)
        marks = (one.cause, one.waiver, "" if one.status in (PASSED, NOT_APPLICABLE) else control.fix, one.fingerprint)
        yield "control", one.control, one.severity, one.status, " ".join(one.hosts), one.subject, control.title, details, *marks


def _advisories(report: Report) -> Iterator[tuple[str, ...]]:
    failing = frozenset(report.verdict.failing_advisories)
    for one in report.verdict.advisories:
        waived = report.verdict.waived.get(one, "")
        status = "waived" if waived else "failed" if one in failing else "reported"
        marks = ("", waived, one.fix, fingerprint_of_advisory(one))
        yield "advisory", one.control, one.severity, status, one.host, one.host, one.title, one.detail, *marks

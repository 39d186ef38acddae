# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as JUnit XML: a suite per control, a case per subject. Not tested is an error, waived and not applicable are skipped.

Private to this collection, pure.
"""

from __future__ import annotations

import io
from collections import Counter
from xml.etree import ElementTree

from ..controls import BY_ID
from ..finding import FAILED, NOT_APPLICABLE, NOT_TESTED, WAIVED, Finding
from .model import Report, when
from .safe_text import visible


def text(report: Report) -> str:
    suites = ElementTree.Element("testsuites", name="beam.cluster.verify")
    total: Counter[str] = Counter()
    for name, found in report.findings_of.items():
        counts = Counter(finding.status for finding in found)
        skipped = counts[WAIVED] + counts[NOT_APPLICABLE]
        numbers = {"tests": len(found), "failures": counts[FAILED], "errors": counts[NOT_TESTED], "skipped": skipped}
        total.update(numbers)
        suite = ElementTree.SubElement(suites, "testsuite", name=name, timestamp=when(report.epoch).rstrip("Z"))
        for key, value in numbers.items():
            suite.set(key, str(value))
        for finding in found:
            _case(suite, finding)
    for key, value in total.items():
        suites.set(key, str(value))
    ElementTree.indent(suites)
    out = io.BytesIO()
    ElementTree.ElementTree(suites).write(out, encoding="utf-8", xml_declaration=True)
    return out.getvalue().decode() + "\n"


def _case(suite: ElementTree.Element, finding: Finding) -> None:
    control = BY_ID[finding.control]
    case = ElementTree.SubElement(suite, "testcase", classname=f"beam.cluster.{control.id}", name=visible(finding.subject), time="0")
    message = "; ".join(map(visible, finding.details))
    if finding.status == FAILED:
        follows = f" It follows from {visible(finding.cause)}." if finding.cause else ""
        ElementTree.SubElement(case, "failure", type=control.severity, message=message).text = control.fix + follows
    elif finding.status == NOT_TESTED:
        ElementTree.SubElement(case, "error", type="not_tested", message=message)
    elif finding.status in (WAIVED, NOT_APPLICABLE):
        ElementTree.SubElement(case, "skipped", message=visible(finding.waiver) or message)

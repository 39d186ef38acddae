# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control on the page, with what was seen.

Private to this collection, pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..controls import BY_ID
from ..finding import Finding
from .html_markup import Markup, folded, grid, joined, row, severity, status, tag
from .model import WORST_FIRST, Report


def controls(report: Report) -> Iterator[Markup]:
    """Every control folds open: why it is there, how to pass it, and what was seen of which subjects."""
    for name, findings in report.findings_of.items():
        control = BY_ID[name]
        counts = Counter(finding.status for finding in findings)
        badges = joined((status(one, f"{counts[one]}") for one in WORST_FIRST if counts[one]), " ")
        summary = joined((badges, " ", tag("code", name), " ", control.title, " ", severity(control.severity)))
        links = joined((tag("a", title, href=url) for title, url in control.references if url.startswith("https://")), ", ")
        about = [tag("p", control.why), tag("p", tag("strong", "What to do: "), control.fix)]
        about += [tag("p", "Rule from: ", links)] if links else []
        yield folded(summary, tag("div", *about, grid(f"Results of {name}", ("Subjects", "Status", "What was seen"), _evidence(findings))))
        yield Markup("\n")


def _evidence(findings: Sequence[Finding]) -> Iterator[Markup]:
    """Subjects of which the same was seen share a row, the worst in front."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for finding in sorted(findings, key=lambda one: WORST_FIRST.index(one.status)):
        seen = [
            *finding.details,
            *([f"waived: {finding.waiver}"] if finding.waiver else []),
            *([f"follows from {finding.cause}"] if finding.cause else []),
        ]
        alike.setdefault((finding.status, finding.waived_status, "; ".join(seen)), []).append(finding.subject)
    for (name, before, seen_text), subjects in alike.items():
        told = status(name) if not before else joined((status(name), " (", status(before), ")"))
        yield row(tag("span", ", ".join(subjects), class_="text"), told, tag("td", seen_text, class_="text"))

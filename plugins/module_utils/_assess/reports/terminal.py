# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as lines for a terminal, and as the one message of a failed task.

Private to this collection, pure. A line has a tone; plugin_utils/_report_output.py chooses its colour, where the terminal and NO_COLOR allow one.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ..._model.advisories import Advisory
from ..controls import BY_ID, SEVERITIES
from ..finding import FAILED, NOT_TESTED, PASSED, WAIVED, Finding
from . import score_and_baseline
from .model import NODES_LISTED_MAX, WORDS, Fault, Gap, Report, connection_text, outcomes_text, reason_of
from .safe_text import visible

MATRIX_ROWS_MAX = 5 * NODES_LISTED_MAX
"""Nodes up to which the matrix has every row; above, rows with a bad pair only."""

SUBJECTS_MAX = 12
"""Subjects of one failed control that the terminal shows; the files hold all."""

DETAILS_MAX = 4
"""Details of one finding that the terminal shows; the files hold all."""

LIFETIMES_MAX = 5
"""Certificates that the terminal shows, those that end first."""

GOOD, BAD, WARNING, TITLE, PLAIN = "good", "bad", "warning", "title", "plain"
_WIDTH = 150


class Line(NamedTuple):
    """One line, and its tone: GOOD, BAD, WARNING, TITLE or PLAIN."""

    text: str
    tone: str = PLAIN

    def __str__(self) -> str:
        return self.text


def lines(report: Report) -> list[Line]:
    """The verdict, what failed, what was not tested, days left, then evidence; the verdict once more at the end, where a terminal stops."""
    verdict = report.verdict
    outside = ", ".join(verdict.outsiders) or "no host"
    headline = Line(report.headline, GOOD if verdict.ok else BAD)
    found = [headline, Line(f"{report.name}: {len(report.nodes)} nodes; attacked from outside by {outside}")]
    found += map(Line, score_and_baseline.lines(verdict))
    if not verdict.coverage.complete:
        found += _wrapped("Coverage: ", str(verdict.coverage))
    for title, part in (
        ("Failed", _faults(report)),
        ("Not tested", _gaps(report)),
        ("Waived", _waived(report)),
        ("Days left of the certificates", _lifetimes(report)),
        ("Known vulnerabilities and advisories", _advisories(report)),
        ("Mesh: connections between the nodes", _matrix(report)),
        ("Attacks", _attacks(report)),
    ):
        shown = list(part)
        found += [Line(""), Line(title, TITLE), *shown] if shown else []
    found += [Line(""), headline]
    return [Line(visible(line.text), line.tone) for line in found]


def _wrapped(head: str, text: str, tone: str = PLAIN, indent: int = 6) -> Iterator[Line]:
    # Hostile text must not look like lines of ours.
    for line in textwrap.wrap(
        visible(text), _WIDTH, initial_indent=head, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    ):
        yield Line(line, tone)


def _table(rows: Sequence[Sequence[str]], tones: Iterable[str]) -> Iterator[Line]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    for row, tone in zip(rows, tones):
        yield Line(("  " + "  ".join(text.ljust(width) for text, width in zip(row, widths))).rstrip(), tone)


def _faults(report: Report) -> Iterator[Line]:
    for fault in report.faults:
        yield from _fault(fault)


def _fault(fault: Fault) -> Iterator[Line]:
    control = fault.control
    yield from _wrapped("  ", f"{WORDS[FAILED]}  {control.id} ({control.severity}): {control.title}", BAD)
    for finding in fault.findings[:SUBJECTS_MAX]:
        yield from _details(finding)
    if len(fault.findings) > SUBJECTS_MAX:
        yield Line(f"    and {len(fault.findings) - SUBJECTS_MAX} more, see the report")
    yield from _wrapped("    What to do: ", control.fix, WARNING)
    if fault.symptoms:
        count = len(fault.symptoms)
        results = "result follows" if count == 1 else "results follow"
        yield from _wrapped("      ", f"{count} more {results} from this: {fault.symptoms_text()}", indent=8)


def _details(finding: Finding) -> Iterator[Line]:
    if finding.waiver and finding.succeeded:
        yield Line(f"    {finding.subject}: an attack succeeded")
    for detail in finding.details[:DETAILS_MAX] or ("",):
        yield from _wrapped("    ", f"{finding.subject}: {detail}")
    if len(finding.details) > DETAILS_MAX:
        yield Line(f"    {finding.subject}: and {len(finding.details) - DETAILS_MAX} more, see the report")


def _gaps(report: Report) -> Iterator[Line]:
    for gap in report.gaps:
        yield from _wrapped("  ", f"{WORDS[NOT_TESTED]}  {_gap(gap)}", WARNING)


def _gap(gap: Gap) -> str:
    subjects, controls = gap.subjects, gap.controls
    where = ", ".join(subjects[:SUBJECTS_MAX]) + (f" and {len(subjects) - SUBJECTS_MAX} more" if len(subjects) > SUBJECTS_MAX else "")
    if len(controls) == 1:
        return f"{controls[0]} ({BY_ID[controls[0]].severity})  {where}: {gap.reason}"
    return f"{len(controls)} controls  {where}: {gap.reason}: {', '.join(controls)}"


def _waived(report: Report) -> Iterator[Line]:
    for finding in report.waived:
        yield from _wrapped("  ", f"{WORDS[WAIVED]}  {finding.control} ({BY_ID[finding.control].severity})  {finding.subject}")
        yield from _details(finding)
        yield from _wrapped("    waived: ", f"{WORDS[finding.waived_status]}: {finding.waiver}")
    for waiver in report.verdict.unused_waivers:
        where = f" on {waiver.host}" if waiver.host else ""
        yield from _wrapped("  ", f"not needed  {waiver.control}{where}: {waiver}. Remove it from beam_waivers.", WARNING)


def _lifetimes(report: Report) -> Iterator[Line]:
    known = [one for one in report.lifetimes if one.days is not None]
    for one in known[:LIFETIMES_MAX]:
        yield Line(f"  {one.days or 0:.0f} days left  {one.node} (until {one.until})")
    if len(known) > LIFETIMES_MAX:
        yield Line(f"  and {len(known) - LIFETIMES_MAX} more that end later")


def _by_severity(advisories: Sequence[Advisory]) -> str:
    found = Counter(advisory.severity for advisory in advisories)
    return ", ".join(f"{found[severity]} {severity}" for severity in reversed(SEVERITIES) if found[severity])


def _advisories(report: Report) -> Iterator[Line]:
    waived = report.verdict.waived
    hosts: dict[tuple[str, str, str], list[str]] = {}
    for advisory in report.advisories:
        title = advisory.title + (f"; waived: {waived[advisory]}" if advisory in waived else "")
        hosts.setdefault((advisory.severity, advisory.control, title), []).append(advisory.host)
    if hosts:
        yield Line(f"  {_by_severity(report.advisories)}")
    for (severity, control, title), names in hosts.items():
        where = ", ".join(sorted(filter(None, names)))
        yield from _wrapped("  ", f"{severity}  {control}: {title}{f' ({where})' if where else ''}")


def signs(report: Report) -> list[tuple[str, str]]:
    """(node, one sign for each node) of the nodes that connected: . connected, # not, - not probed. Of a large cluster rows with a # only."""
    probed: dict[str, set[str]] = {}
    for source, target in report.verdict.connections:
        probed.setdefault(source, set()).add(target)
    rows = []
    for source in report.nodes:
        targets = probed.get(source)
        if targets is not None:
            row = ("#" if f"{source} -> {node}" in report.bad_pairs else "." if node in targets and node != source else "-" for node in report.nodes)
            rows.append((source, "".join(row)))
    return [row for row in rows if "#" in row[1]] if len(report.nodes) > MATRIX_ROWS_MAX else rows


def _matrix(report: Report) -> Iterator[Line]:
    nodes, cells = report.nodes, report.verdict.connections
    if not report.planned:
        return
    if not cells:
        yield Line("  no node connected", WARNING)
    elif not report.listed:
        compact = signs(report)
        yield Line(f"  . connected, # not, - not probed; columns in the order of the members; {len(report.bad_pairs)} pairs bad")
        yield from _table(compact, (BAD if "#" in row[1] else PLAIN for row in compact))
    else:
        sources = [node for node in nodes if any((node, other) in cells for other in nodes)]
        bad = [any(f"{source} -> {target}" in report.bad_pairs for target in nodes) for source in sources]
        rows: list[tuple[str, ...]] = [
            ("from \\ to", *nodes),
            *((source, *(_cell(report, source, target) for target in nodes)) for source in sources),
        ]
        yield from _table(rows, (PLAIN, *(BAD if wrong else PLAIN for wrong in bad)))


def _cell(report: Report, source: str, target: str) -> str:
    if source == target and len(report.nodes) > 1:
        return "-"
    answer = report.verdict.connections.get((source, target))
    wrong = answer is not None and answer.connected and f"{source} -> {target}" in report.bad_pairs
    return ("! " if wrong else "") + connection_text(answer)


def _attacks(report: Report) -> Iterator[Line]:
    rows = [(attack.id, outcomes_text(counts, WORDS[status]), BY_ID[attack.id].title) for attack, status, counts in report.attacks]
    tones = {FAILED: BAD, NOT_TESTED: WARNING, PASSED: PLAIN}
    yield from _table(rows, (tones.get(status, PLAIN) for _attack, status, _counts in report.attacks))


def failure(report: Report, limit: int = 20) -> str:
    """One text for fail_json: what failed, with pair, stage and reason. Symptoms of a cause are counted."""
    found: list[str] = []
    for fault in report.faults:
        for finding in fault.findings:
            found += [f"{finding.control} failed: {finding.subject}: {detail}" for detail in finding.details or ("",)]
        if fault.symptoms:
            found.append(f"{fault.control.id}: {len(fault.symptoms)} more results follow from it: {fault.symptoms_text()}")
    for gap in report.gaps:
        if len(gap.findings) > 1:
            found.append(f"{', '.join(gap.subjects)}: {len(gap.controls)} controls not tested, because {gap.reason}: {', '.join(gap.controls)}")
        else:
            (finding,) = gap.findings
            found += [f"{finding.control} not tested: {finding.subject}: {detail}" for detail in finding.details or (reason_of(finding),)]
    for advisory in report.verdict.failing_advisories:
        found.append(f"{advisory.control} on {advisory.host}: {advisory.title} (severity {advisory.severity})")
    more = f"\n... and {len(found) - limit} more; the report has them all" if len(found) > limit else ""
    return "The cluster is not proven:\n" + "\n".join(map(visible, found[:limit])) + more

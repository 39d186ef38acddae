# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as one HTML page that needs nothing else: no script, no font, no image.

Private to this collection, pure. Of a large cluster it counts what is as it should be (reports.NODES_LISTED_MAX).
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence

from .._model.advisories import Advisory
from . import reports
from .controls import BY_ID, SEVERITIES
from .finding import FAILED, PASSED, WAIVED, Finding, Verdict

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1b1f24; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem; border: 1px solid #d0d7de; }
th { background: #f3f5f7; } .passed, .refused { color: #116329; }
.failed, .succeeded, .not_tested { color: #b3121d; font-weight: 600; }
.waived { color: #7a4b00; } .not_applicable { color: #57606a; } small { color: #57606a; } .wide { overflow-x: auto; }
"""
_FINDINGS = ("Control", "Severity", "Subject", "Status", "Details")


def _row(*cells: tuple[str, str]) -> str:
    shown = (f'<td class="{html.escape(kind)}">{html.escape(value)}</td>' if kind else f"<td>{html.escape(value)}</td>" for value, kind in cells)
    return f"<tr>{''.join(shown)}</tr>"


def _plain(*texts: str) -> list[tuple[str, str]]:
    return [(text, "") for text in texts]


def _grid(head: Sequence[str], rows: Iterable[str]) -> str:
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>\n' + "\n".join(rows) + "\n</tbody></table></div>"


def page(verdict: Verdict, epoch: float) -> str:
    result = "passed" if verdict.ok else "failed"
    title = f"Cluster {verdict.target.group}"
    parts = [f'<h1>{html.escape(title)}: <span class="{result}">{result}</span></h1>', _lead(verdict, epoch)]
    wrong = [finding for finding in verdict.findings if finding.bad or finding.status == WAIVED]
    if wrong:
        parts += ["<h2>Failed and waived controls</h2>", _grid(_FINDINGS, map(_finding_row, wrong))]
    parts += ["<h2>Mesh: connections between the nodes</h2>", _mesh(verdict), "<h2>Attacks</h2>", _attacks(verdict)]
    if verdict.advisories:
        ranked = sorted(verdict.advisories, key=lambda advisory: -SEVERITIES.index(advisory.severity))
        rows = [_row(*_plain(one.severity, one.control, one.host, one.title, _note(one, verdict.waived.get(one)))) for one in ranked]
        parts += ["<h2>Known vulnerabilities and advisories</h2>", _grid(("Severity", "What", "Host", "Title", "Details"), rows)]
    parts += ["<h2>All controls</h2>", _controls(verdict)]
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{html.escape(title)}: {result}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _lead(verdict: Verdict, epoch: float) -> str:
    facts = [
        f"{len(verdict.target.members)} nodes",
        reports.summary(verdict),
        f"attacked from outside by {', '.join(verdict.outsiders) or 'no host'}",
        str(verdict.coverage),
    ]
    return f"<p>{reports.when(epoch)} &middot; {' &middot; '.join(map(html.escape, facts))}</p>"


def _mesh(verdict: Verdict) -> str:
    if not reports.listed(verdict):
        lines = [f"{node:<40} {row}" for node, row in reports.signs(verdict)]
        head = f". connected, # not, - not probed; columns in the order of the members; {len(reports.bad_pairs(verdict))} pairs bad"
        return f'<p>{head}</p>\n<div class="wide"><pre>' + html.escape("\n".join(lines)) + "</pre></div>"
    nodes, cells, bad = reports.nodes_of(verdict), verdict.connections, reports.bad_pairs(verdict)

    def cell(source: str, target: str) -> tuple[str, str]:
        if source == target and len(nodes) > 1:
            return ("", "")
        failed = f"{source} -> {target}" in bad or (source, target) not in cells
        return (reports.cell(cells.get((source, target)), False), FAILED if failed else PASSED)

    sources = [source for source in nodes if any((source, target) in cells for target in nodes)]
    return _grid(("from \\ to", *nodes), [_row((source, ""), *(cell(source, target) for target in nodes)) for source in sources])


def _attacks(verdict: Verdict) -> str:
    shown = [reports.outcome_data(outcome) for outcome in reports.shown_outcomes(verdict)]
    rows = [
        _row(
            (item["attack"], ""),
            (item["from"], ""),
            (item["to"], ""),
            (f"{item['address']}{':' + str(item['port']) if item['port'] else ''}", ""),
            (item["network"], ""),
            (item["result"], item["result"]),
            (item["why"], ""),
        )
        for item in shown
    ]
    grid = _grid(("Attack", "From", "To", "Address", "Network", "Result", "Why"), rows) if rows else ""
    if reports.listed(verdict):
        return grid
    counts = [_row((attack, ""), (numbers, ""), (title, "")) for attack, numbers, title in reports.attack_rows(verdict)]
    return _grid(("Attack", "Outcomes", "Title"), counts) + grid


def _controls(verdict: Verdict) -> str:
    if reports.listed(verdict):
        return _grid(_FINDINGS, map(_finding_row, verdict.findings))
    counts: dict[str, Counter[str]] = {}
    for finding in verdict.findings:
        counts.setdefault(finding.control, Counter())[finding.status] += 1
    rows = [
        _row(
            (f"{name}: {BY_ID[name].title}", ""),
            (BY_ID[name].severity, ""),
            (", ".join(f"{count[status]} {word.lower()}" for status, word in reports.WORDS.items() if count[status]), ""),
        )
        for name, count in counts.items()
    ]
    return _grid(("Control", "Severity", "Subjects by status"), rows)


def _note(advisory: Advisory, waived: str | None) -> str:
    return " ".join(filter(None, (advisory.detail, advisory.fix, waived and f"Waived: {waived}.")))


def _finding_row(finding: Finding) -> str:
    control = BY_ID[finding.control]
    succeeded = "an attack succeeded" if finding.waiver and finding.succeeded else ""
    details = "; ".join(filter(None, (succeeded, *finding.details, finding.waiver)))
    return _row(
        (f"{finding.control}: {control.title}", ""),
        (control.severity, ""),
        (finding.subject, ""),
        (reports.WORDS[finding.status], finding.status),
        (details + (f" What to do: {control.fix}" if finding.status == FAILED else ""), ""),
    )

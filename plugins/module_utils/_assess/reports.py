# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as text for a terminal, as data for JSON, as JUnit XML and as one HTML page.

Private to this collection. Pure: the files are written by whoever calls. Nothing here ever saw a secret: answers and observations hold none.
"""

from __future__ import annotations

import datetime
import html
import io
import textwrap
from collections import Counter
from dataclasses import asdict
from typing import Any, Iterator, Mapping
from xml.etree import ElementTree

from .controls import ATTACKS, BY_ID, SEVERITIES
from .finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, REFUSED, SUCCEEDED, WAIVED, Advisory, Finding, Outcome, Verdict
from .probes import CONNECT, SELF, Answer

SCHEMA = 1
"""Version of the JSON report. It grows when a key changes its meaning or goes away."""

MATRIX_COLUMNS_MAX = 12
"""Nodes up to which the terminal's matrix names every cell; above it shows one sign a cell, above five times as many bad rows only."""

DETAILS_MAX = 4
"""Details of one finding that the terminal shows; the files hold all."""

_WIDTH = 150
_WORDS = {PASSED: "ok", FAILED: "FAILED", NOT_TESTED: "NOT TESTED", NOT_APPLICABLE: "not applicable", WAIVED: "waived"}


def _when(epoch: float) -> str:
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cells(verdict: Verdict) -> dict[tuple[str, str], Answer]:
    return {(a.probe.source, a.probe.target): a for a in verdict.answers if a.probe.control in (CONNECT, SELF)}


def _nodes(verdict: Verdict) -> list[str]:
    return [member["node"] for member in verdict.plan["members"]]


def _bad_pairs(verdict: Verdict) -> set[str]:
    return {finding.subject for finding in verdict.findings if finding.control == CONNECT and finding.status != PASSED}


def _cell(answer: Answer | None, bad: bool) -> str:
    if answer is None:
        return "no probe"
    if answer.code != "connected":
        return answer.code
    version = (answer.tls or {}).get("version") or "plain TCP"
    took = f" {answer.milliseconds:.0f} ms" if answer.milliseconds is not None else ""
    return f"{'! ' if bad else ''}{version}{took}"


def _table(rows: list[list[str]], indent: str = "  ") -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths))).rstrip()


def _matrix(verdict: Verdict) -> Iterator[str]:
    nodes, cells, bad = _nodes(verdict), _cells(verdict), _bad_pairs(verdict)
    sources = [node for node in nodes if any((node, other) in cells for other in nodes)]

    def text(source: str, target: str) -> str:
        return "-" if source == target and len(nodes) > 1 else _cell(cells.get((source, target)), f"{source} -> {target}" in bad)

    if not sources:
        yield "  nobody connected"
    elif len(nodes) <= MATRIX_COLUMNS_MAX:
        yield from _table([["from \\ to", *nodes], *([source, *(text(source, target) for target in nodes)] for source in sources)])
    else:
        rows = [[source, "".join("#" if f"{source} -> {target}" in bad else "." for target in nodes)] for source in sources]
        if len(nodes) > 5 * MATRIX_COLUMNS_MAX:
            rows = [row for row in rows if "#" in row[1]]
        yield f"  . connected, # not; columns in the order of the rows; {sum(row[1].count('#') for row in rows)} pairs bad"
        if rows:
            yield from _table(rows)


def _attacks(verdict: Verdict) -> Iterator[str]:
    counts: dict[str, Counter[str]] = {attack.id: Counter() for attack in ATTACKS}
    for outcome in verdict.outcomes:
        counts[outcome.answer.probe.control][outcome.status] += 1
    rows = []
    for attack in ATTACKS:
        found = [finding for finding in verdict.findings if finding.control == attack.id]
        tried = sum(counts[attack.id].values())
        worst = next((status for status in (FAILED, NOT_TESTED, WAIVED, PASSED) if any(f.status == status for f in found)), NOT_APPLICABLE)
        word = f"{counts[attack.id][REFUSED]} of {tried} refused" if tried else _WORDS[worst]
        if counts[attack.id][SUCCEEDED]:
            word += f", {counts[attack.id][SUCCEEDED]} SUCCEEDED"
        if counts[attack.id][NOT_TESTED]:
            word += f", {counts[attack.id][NOT_TESTED]} not tested"
        rows.append([attack.id, word, BY_ID[attack.id].title])
    yield from _table(rows)


def _wrapped(head: str, text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)


def _finding_lines(finding: Finding) -> Iterator[str]:
    control = BY_ID[finding.control]
    yield from _wrapped("  ", f"{_WORDS[finding.status]}  {finding.control} ({control.severity})  {finding.subject}: {control.title}")
    for detail in finding.details[:DETAILS_MAX]:
        yield from _wrapped("    - ", detail)
    if len(finding.details) > DETAILS_MAX:
        yield f"    - and {len(finding.details) - DETAILS_MAX} more, see the report"
    if finding.reason:
        yield from _wrapped("    waived: ", finding.reason)
    elif finding.status == FAILED:
        yield from _wrapped("    what to do: ", control.fix)


def _counts(verdict: Verdict) -> Counter[str]:
    return Counter(finding.status for finding in verdict.findings)


def _summary(verdict: Verdict) -> str:
    counts = _counts(verdict)
    return ", ".join(f"{counts[status]} {word.lower()}" for status, word in _WORDS.items() if counts[status])


def _by_severity(advisories: tuple[Advisory, ...]) -> str:
    found = Counter(advisory.severity for advisory in advisories)
    return ", ".join(f"{found[severity]} {severity}" for severity in reversed(SEVERITIES) if found[severity])


def text(verdict: Verdict) -> list[str]:
    """Lines for a terminal, without colour."""
    outside = ", ".join(verdict.outsiders) or "nobody"
    lines = [
        f"Cluster {verdict.plan.get('group') or ''}: {len(_nodes(verdict))} nodes; attacked from outside by {outside}",
        "",
        "Mesh: who connects to whom",
        *_matrix(verdict),
        "",
        "Attacks",
        *_attacks(verdict),
    ]
    for title, statuses in (("Failed controls", (FAILED, NOT_TESTED)), ("Waived", (WAIVED,))):
        found = [finding for finding in verdict.findings if finding.status in statuses]
        if found:
            lines += ["", title]
            for finding in found:
                lines += _finding_lines(finding)
    for waiver in verdict.unused_waivers:
        lines += ["", f"Waiver not needed: {waiver.control}{' on ' + waiver.host if waiver.host else ''} ({waiver.reason})"]
    if verdict.advisories:
        lines += ["", f"Known weaknesses of what is installed, and notes of the plan: {_by_severity(verdict.advisories)}"]
        hosts: dict[tuple[str, str, str], list[str]] = {}
        for advisory in verdict.advisories:
            title = advisory.title + (f"; waived: {advisory.waived}" if advisory.waived else "")
            hosts.setdefault((advisory.severity, advisory.control, title), []).append(advisory.host)
        ranked = sorted(hosts, key=lambda key: -SEVERITIES.index(key[0]))
        for severity, control, title in ranked:
            where = ", ".join(sorted(filter(None, hosts[severity, control, title])))
            lines += _wrapped("  ", f"{severity}  {control}: {title}{' (' + where + ')' if where else ''}")
    lines += ["", f"{'PASSED' if verdict.ok else 'FAILED'}: {_summary(verdict)}"]
    return lines


def failure(verdict: Verdict, limit: int = 20) -> str:
    """One text for C(fail_json): what failed, with pair, stage and reason."""
    lines = []
    for finding in verdict.failures:
        what = "not tested" if finding.status == NOT_TESTED else "failed"
        lines += [f"{finding.control} {what}: {finding.subject}: {detail}" for detail in finding.details or ("",)]
    lines += [f"{advisory.control} on {advisory.host}: {advisory.title} (severity {advisory.severity})" for advisory in verdict.failing_advisories]
    more = f"\n... and {len(lines) - limit} more; the report has them all" if len(lines) > limit else ""
    return "The cluster is not proven:\n" + "\n".join(lines[:limit]) + more


def _outcome(outcome: Outcome) -> dict[str, Any]:
    answer = outcome.answer
    probe = answer.probe
    return {
        "attack": probe.control,
        "from": probe.source or probe.vantage,
        "to": probe.target,
        "address": probe.address,
        "port": answer.port or probe.port,
        "network": probe.network,
        "result": outcome.status,
        "code": answer.code,
        "stage": answer.stage,
        "why": outcome.why,
    }


def data(verdict: Verdict, epoch: float) -> dict[str, Any]:
    """The JSON report: plain data, every key always there."""
    counts = _counts(verdict)
    return {
        "schema": SCHEMA,
        "when": _when(epoch),
        "group": verdict.plan.get("group"),
        "result": "passed" if verdict.ok else "failed",
        "summary": {status: counts[status] for status in _WORDS},
        "members": [dict(member) for member in verdict.plan["members"]],
        "outsiders": list(verdict.outsiders),
        "matrix": [
            {
                "from": source,
                "to": target,
                "code": answer.code,
                "stage": answer.stage,
                "port": answer.port,
                "milliseconds": answer.milliseconds,
                "tls": answer.tls,
                "message": answer.message,
            }
            for (source, target), answer in _cells(verdict).items()
            if source != target or len(verdict.plan["members"]) == 1
        ],
        "attacks": [_outcome(outcome) for outcome in verdict.outcomes],
        "findings": [
            {
                "control": finding.control,
                "title": BY_ID[finding.control].title,
                "severity": finding.severity,
                "status": finding.status,
                "hosts": list(finding.hosts),
                "subject": finding.subject,
                "details": list(finding.details),
                "fix": BY_ID[finding.control].fix,
                "waived": finding.reason or None,
            }
            for finding in verdict.findings
        ],
        "advisories": [asdict(advisory) for advisory in verdict.advisories],
        "waivers": [{**asdict(waiver), "used": waiver not in verdict.unused_waivers} for waiver in verdict.waivers],
    }


def junit(verdict: Verdict, epoch: float) -> str:
    """JUnit XML: a suite per control, a case per subject. Not tested is an error, waived and not applicable are skipped."""
    suites = ElementTree.Element("testsuites", name="beam.cluster.verify")
    total: Counter[str] = Counter()
    for control in BY_ID.values():
        found = [finding for finding in verdict.findings if finding.control == control.id]
        if not found:
            continue
        counts = Counter(finding.status for finding in found)
        numbers = {
            "tests": len(found),
            "failures": counts[FAILED],
            "errors": counts[NOT_TESTED],
            "skipped": counts[WAIVED] + counts[NOT_APPLICABLE],
        }
        total.update(numbers)
        suite = ElementTree.SubElement(suites, "testsuite", name=control.id, timestamp=_when(epoch))
        for key, value in numbers.items():
            suite.set(key, str(value))
        for finding in found:
            case = ElementTree.SubElement(suite, "testcase", classname=f"beam.cluster.{control.id}", name=finding.subject, time="0")
            message = "; ".join(finding.details)
            if finding.status == FAILED:
                ElementTree.SubElement(case, "failure", type=control.severity, message=message).text = control.fix
            elif finding.status == NOT_TESTED:
                ElementTree.SubElement(case, "error", type="not_tested", message=message)
            elif finding.status in (WAIVED, NOT_APPLICABLE):
                ElementTree.SubElement(case, "skipped", message=finding.reason or message)
    for key, value in total.items():
        suites.set(key, str(value))
    ElementTree.indent(suites)
    out = io.BytesIO()
    ElementTree.ElementTree(suites).write(out, encoding="utf-8", xml_declaration=True)
    return out.getvalue().decode() + "\n"


_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1b1f24; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .7rem; border: 1px solid #d0d7de; }
th { background: #f3f5f7; } .passed, .refused { color: #116329; }
.failed, .succeeded, .not_tested { color: #b3121d; font-weight: 600; }
.waived { color: #7a4b00; } .not_applicable { color: #57606a; } small { color: #57606a; } .wide { overflow-x: auto; }
"""


def _row(*cells: tuple[str, str]) -> str:
    shown = (f'<td class="{html.escape(kind)}">{html.escape(value)}</td>' for value, kind in cells)
    return f"<tr>{''.join(shown)}</tr>".replace(' class=""', "")


def _grid(head: tuple[str, ...], rows: list[str]) -> str:
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>\n' + "\n".join(rows) + "\n</tbody></table></div>"


def page(verdict: Verdict, epoch: float) -> str:
    """One HTML page that needs nothing else: no script, no font, no image."""
    result = "passed" if verdict.ok else "failed"
    nodes, cells, bad = _nodes(verdict), _cells(verdict), _bad_pairs(verdict)
    title = f"Cluster {verdict.plan.get('group') or ''}: {result}"
    parts = [
        f'<h1>{html.escape("Cluster " + str(verdict.plan.get("group") or ""))}: <span class="{result}">{result}</span></h1>',
        f"<p>{_when(epoch)} &middot; {len(nodes)} nodes &middot; {html.escape(_summary(verdict))} &middot; "
        f"attacked from outside by {html.escape(', '.join(verdict.outsiders) or 'nobody')}</p>",
    ]
    wrong = [finding for finding in verdict.findings if finding.bad or finding.status == WAIVED]
    if wrong:
        rows = [_finding_row(finding) for finding in wrong]
        parts += ["<h2>Failed and waived controls</h2>", _grid(("Control", "Severity", "Subject", "Status", "Details"), rows)]
    rows = [
        _row(
            (source, ""),
            *(
                ("", "") if source == target and len(nodes) > 1 else (_cell(cells.get((source, target)), False), _shade(cells, bad, source, target))
                for target in nodes
            ),
        )
        for source in nodes
        if any((source, target) in cells for target in nodes)
    ]
    parts += ["<h2>Mesh: who connects to whom</h2>", _grid(("from \\ to", *nodes), rows)]
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
        for item in map(_outcome, verdict.outcomes)
    ]
    parts += ["<h2>Attacks</h2>", _grid(("Attack", "From", "To", "Address", "Network", "Result", "Why"), rows)]
    if verdict.advisories:
        rows = [
            _row((a.severity, ""), (a.control, ""), (a.host, ""), (a.title, ""), (_note(a), ""))
            for a in sorted(verdict.advisories, key=lambda a: -SEVERITIES.index(a.severity))
        ]
        parts += ["<h2>Known weaknesses and notes</h2>", _grid(("Severity", "What", "Host", "Title", "Details"), rows)]
    parts += [
        "<h2>All controls</h2>",
        _grid(("Control", "Severity", "Subject", "Status", "Details"), [_finding_row(finding) for finding in verdict.findings]),
    ]
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _shade(cells: Mapping[tuple[str, str], Answer], bad: set[str], source: str, target: str) -> str:
    return "failed" if f"{source} -> {target}" in bad or (source, target) not in cells else "passed"


def _note(advisory: Advisory) -> str:
    return " ".join(filter(None, (advisory.detail, advisory.fix, advisory.waived and f"Waived: {advisory.waived}.")))


def _finding_row(finding: Finding) -> str:
    control = BY_ID[finding.control]
    details = "; ".join(filter(None, (*finding.details, finding.reason)))
    return _row(
        (f"{finding.control}: {control.title}", ""),
        (control.severity, ""),
        (finding.subject, ""),
        (_WORDS[finding.status], finding.status),
        (details + (f" What to do: {control.fix}" if finding.status == FAILED else ""), ""),
    )

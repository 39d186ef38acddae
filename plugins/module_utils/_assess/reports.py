# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as text for a terminal, as data for JSON and as JUnit XML; report_html.py makes the page.

Private to this collection, pure: nothing here writes a file. Nothing here has seen a secret: answers and observations hold none.
"""

from __future__ import annotations

import datetime
import io
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any
from xml.etree import ElementTree

from .._model.advisories import Advisory
from .attacks import ATTACKS
from .controls import BY_ID, SEVERITIES
from .finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, REFUSED, SUCCEEDED, WAIVED, Finding, Outcome, Verdict
from .probes import CONNECT, Answer

SCHEMA = 2
"""Version of the JSON report. It grows when a key changes its meaning or is removed."""

NODES_LISTED_MAX = 12
"""Nodes up to which every pair and every attack is listed. Above, what is as it should be is counted; the terminal's matrix shows one sign a cell."""

MATRIX_ROWS_MAX = 5 * NODES_LISTED_MAX
"""Nodes up to which the terminal's matrix has every row; above, rows with a bad pair only."""

DETAILS_MAX = 4
"""Details of one finding that the terminal shows; the files hold all."""

_WIDTH = 150
WORDS = {PASSED: "ok", FAILED: "FAILED", NOT_TESTED: "NOT TESTED", NOT_APPLICABLE: "not applicable", WAIVED: "waived"}


def when(epoch: float) -> str:
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def listed(verdict: Verdict) -> bool:
    """Whether every pair and every attack is listed, or what is as it should be counted."""
    return len(verdict.target.members) <= NODES_LISTED_MAX


def nodes_of(verdict: Verdict) -> list[str]:
    return [node.node for node in verdict.target.members]


def bad_pairs(verdict: Verdict) -> set[str]:
    return {finding.subject for finding in verdict.findings if finding.control == CONNECT and finding.status != PASSED}


def cell(answer: Answer | None, bad: bool) -> str:
    if answer is None:
        return "no probe"
    if not answer.connected:
        return answer.code
    version = (answer.tls.version if answer.tls else None) or "plain TCP"
    took = f" {answer.milliseconds:.0f} ms" if answer.milliseconds is not None else ""
    return f"{'! ' if bad else ''}{version}{took}"


def signs(verdict: Verdict) -> list[tuple[str, str]]:
    """(node, one sign for each node) of the nodes that connected: . connected, # not, - not probed."""
    nodes, bad = nodes_of(verdict), bad_pairs(verdict)
    probed: dict[str, set[str]] = {}
    for source, target in verdict.connections:
        probed.setdefault(source, set()).add(target)
    rows = []
    for source in nodes:
        targets = probed.get(source)
        if targets is not None:
            row = ("#" if f"{source} -> {target}" in bad else "." if target in targets and target != source else "-" for target in nodes)
            rows.append((source, "".join(row)))
    return [row for row in rows if "#" in row[1]] if len(nodes) > MATRIX_ROWS_MAX else rows


def _table(rows: list[list[str]], indent: str = "  ") -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        yield (indent + "  ".join(text.ljust(width) for text, width in zip(row, widths))).rstrip()


def _matrix(verdict: Verdict) -> Iterator[str]:
    nodes, cells = nodes_of(verdict), verdict.connections
    if not cells:
        yield "  no node connected"
    elif not listed(verdict):
        rows = [list(row) for row in signs(verdict)]
        yield f"  . connected, # not, - not probed; columns in the order of the members; {len(bad_pairs(verdict))} pairs bad"
        yield from _table(rows) if rows else ()
    else:
        bad = bad_pairs(verdict)

        def text(source: str, target: str) -> str:
            return "-" if source == target and len(nodes) > 1 else cell(cells.get((source, target)), f"{source} -> {target}" in bad)

        sources = [node for node in nodes if any((node, other) in cells for other in nodes)]
        yield from _table([["from \\ to", *nodes], *([source, *(text(source, target) for target in nodes)] for source in sources)])


def counts_of_attacks(verdict: Verdict) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {attack.id: Counter() for attack in ATTACKS}
    for outcome in verdict.outcomes:
        counts[outcome.answer.probe.control][outcome.status] += 1
    return counts


def attack_rows(verdict: Verdict) -> list[tuple[str, str, str]]:
    """(attack, what came of it in numbers, title)."""
    counts = counts_of_attacks(verdict)
    statuses: dict[str, set[str]] = {}
    for finding in verdict.findings:
        statuses.setdefault(finding.control, set()).add(finding.status)
    rows = []
    for attack in ATTACKS:
        count, found = counts[attack.id], statuses.get(attack.id, set())
        tried = sum(count.values())
        worst = next((status for status in (FAILED, NOT_TESTED, WAIVED, PASSED) if status in found), NOT_APPLICABLE)
        word = f"{count[REFUSED]} of {tried} refused" if tried else WORDS[worst]
        word += f", {count[SUCCEEDED]} SUCCEEDED" if count[SUCCEEDED] else ""
        word += f", {count[NOT_TESTED]} not tested" if count[NOT_TESTED] else ""
        rows.append((attack.id, word, BY_ID[attack.id].title))
    return rows


def _wrapped(head: str, text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * 6, break_long_words=False, break_on_hyphens=False)


def _groups(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings that have one cause together: not tested, of one subject, for one reason."""
    groups: dict[object, list[Finding]] = {}
    for number, finding in enumerate(findings):
        same = finding.cause or finding.details
        groups.setdefault((finding.subject, same) if finding.status == NOT_TESTED else number, []).append(finding)
    return list(groups.values())


def _reason(finding: Finding) -> str:
    return f"{finding.cause} fails" if finding.cause else "; ".join(finding.details)


def _finding_lines(group: Sequence[Finding]) -> Iterator[str]:
    finding = group[0]
    if len(group) > 1:
        names = ", ".join(one.control for one in group)
        yield from _wrapped("  ", f"{WORDS[finding.status]}  {finding.subject}: {len(group)} controls, because {_reason(finding)}: {names}")
        return
    control = BY_ID[finding.control]
    yield from _wrapped("  ", f"{WORDS[finding.status]}  {finding.control} ({control.severity})  {finding.subject}: {control.title}")
    if finding.waiver and finding.succeeded:
        yield "    - an attack succeeded"
    for detail in finding.details[:DETAILS_MAX]:
        yield from _wrapped("    - ", detail)
    if len(finding.details) > DETAILS_MAX:
        yield f"    - and {len(finding.details) - DETAILS_MAX} more, see the report"
    if finding.waiver:
        yield from _wrapped("    waived: ", f"{WORDS[finding.waived_status]}: {finding.waiver}")
    elif finding.status == FAILED:
        yield from _wrapped("    what to do: ", control.fix)


def counts_of(verdict: Verdict) -> Counter[str]:
    return Counter(finding.status for finding in verdict.findings)


def summary(verdict: Verdict) -> str:
    counts = counts_of(verdict)
    return ", ".join(f"{counts[status]} {word.lower()}" for status, word in WORDS.items() if counts[status])


def _by_severity(advisories: Sequence[Advisory]) -> str:
    found = Counter(advisory.severity for advisory in advisories)
    return ", ".join(f"{found[severity]} {severity}" for severity in reversed(SEVERITIES) if found[severity])


def _advisory_lines(verdict: Verdict) -> Iterator[str]:
    advisories = verdict.advisories
    yield f"Known vulnerabilities of what is installed, and advisories of the plan: {_by_severity(advisories)}"
    hosts: dict[tuple[str, str, str], list[str]] = {}
    for advisory in advisories:
        title = advisory.title + (f"; waived: {verdict.waived[advisory]}" if advisory in verdict.waived else "")
        hosts.setdefault((advisory.severity, advisory.control, title), []).append(advisory.host)
    for severity, control, title in sorted(hosts, key=lambda key: -SEVERITIES.index(key[0])):
        where = ", ".join(sorted(filter(None, hosts[severity, control, title])))
        yield from _wrapped("  ", f"{severity}  {control}: {title}{f' ({where})' if where else ''}")


def text(verdict: Verdict) -> list[str]:
    """Lines for a terminal, without colour."""
    outside = ", ".join(verdict.outsiders) or "no host"
    if verdict.target.planned:
        lines = [f"Cluster {verdict.target.group}: {len(verdict.target.members)} nodes; attacked from outside by {outside}"]
        lines += [] if verdict.coverage.complete else list(_wrapped("Coverage: ", str(verdict.coverage)))
        lines += ["", "Mesh: connections between the nodes", *_matrix(verdict), "", "Attacks"]
    else:
        lines = [f"Attacks, from outside by {outside}"]
    lines += _table([list(row) for row in attack_rows(verdict)])
    for title, statuses in (("Failed controls", (FAILED, NOT_TESTED)), ("Waived", (WAIVED,))):
        found = [finding for finding in verdict.findings if finding.status in statuses]
        if found:
            lines += ["", title]
            for group in _groups(found):
                lines += _finding_lines(group)
    for waiver in verdict.unused_waivers:
        lines += ["", f"Waiver not needed: {waiver.control}{' on ' + waiver.host if waiver.host else ''} ({waiver.reason})"]
    if verdict.advisories:
        lines += ["", *_advisory_lines(verdict)]
    lines += ["", f"{'PASSED' if verdict.ok else 'FAILED'}: {summary(verdict)}"]
    return lines


def failure(verdict: Verdict, limit: int = 20) -> str:
    """One text for fail_json: what failed, with pair, stage and reason."""
    lines = []
    for group in _groups(verdict.failures):
        finding = group[0]
        word = "not tested" if finding.status == NOT_TESTED else "failed"
        if len(group) > 1:
            lines.append(f"{finding.subject}: {len(group)} controls {word}, because {_reason(finding)}: {', '.join(one.control for one in group)}")
        else:
            lines += [f"{finding.control} {word}: {finding.subject}: {detail}" for detail in finding.details or ("",)]
    lines += [f"{advisory.control} on {advisory.host}: {advisory.title} (severity {advisory.severity})" for advisory in verdict.failing_advisories]
    more = f"\n... and {len(lines) - limit} more; the report has them all" if len(lines) > limit else ""
    return "The cluster is not proven:\n" + "\n".join(lines[:limit]) + more


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


def shown_outcomes(verdict: Verdict) -> list[Outcome]:
    """Every outcome of a small cluster; of a large one those that are not a refusal."""
    return [outcome for outcome in verdict.outcomes if listed(verdict) or outcome.status != REFUSED]


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


def _pairs(verdict: Verdict) -> list[tuple[str, str, Answer]]:
    single, bad, every = len(verdict.target.members) == 1, bad_pairs(verdict), listed(verdict)
    pairs = ((source, target, answer) for (source, target), answer in verdict.connections.items() if source != target or single)
    return [pair for pair in pairs if every or f"{pair[0]} -> {pair[1]}" in bad]


def _counts_data(verdict: Verdict) -> list[dict[str, Any]]:
    """For each node how many connections to it and how many attacks on it there were, and what came of them."""
    connected: dict[str, Counter[str]] = {}
    for (source, target), answer in verdict.connections.items():
        if source != target or len(verdict.target.members) == 1:
            connected.setdefault(target, Counter())["connected" if answer.connected else "not_connected"] += 1
    attacks: dict[str, dict[str, Counter[str]]] = {}
    for outcome in verdict.outcomes:
        probe = outcome.answer.probe
        attacks.setdefault(probe.target, {}).setdefault(probe.control, Counter())[outcome.status] += 1
    return [
        {
            "node": node,
            "connections": dict(connected.get(node, {})),
            "attacks": {attack: dict(counts) for attack, counts in attacks.get(node, {}).items()},
        }
        for node in nodes_of(verdict)
    ]


def data(verdict: Verdict, epoch: float) -> dict[str, Any]:
    """The JSON report: plain data, every key always there."""
    counts, coverage = counts_of(verdict), verdict.coverage
    return {
        "schema": SCHEMA,
        "when": when(epoch),
        "group": verdict.target.group,
        "result": "passed" if verdict.ok else "failed",
        "summary": {status: counts[status] for status in WORDS},
        "coverage": {"complete": coverage.complete, "pairs": coverage.pairs, "probed": coverage.probed, **asdict(coverage.scope)},
        "members": [
            {
                "node": one.node,
                "host": one.host or None,
                "address": one.address,
                "ports": one.ports and one.ports.as_dict(),
                "port": one.port,
                "hidden": one.hidden,
            }
            for one in verdict.target.members
        ],
        "outsiders": list(verdict.outsiders),
        "all_listed": listed(verdict),
        "matrix": [_pair_data(*pair) for pair in _pairs(verdict)],
        "attacks": [outcome_data(outcome) for outcome in shown_outcomes(verdict)],
        "counts": _counts_data(verdict),
        "controls": {
            one.id: {"title": one.title, "severity": one.severity, "fix": one.fix, "references": [list(source) for source in one.references]}
            for one in BY_ID.values()
        },
        "findings": [
            {
                "control": finding.control,
                "severity": finding.severity,
                "status": finding.status,
                "hosts": list(finding.hosts),
                "subject": finding.subject,
                "fingerprint": finding.fingerprint,
                "details": list(finding.details),
                "cause": finding.cause or None,
                "waived": finding.waiver or None,
                "waived_status": finding.waived_status or None,
            }
            for finding in verdict.findings
        ],
        "advisories": [{**advisory.as_dict(), "waived": verdict.waived.get(advisory)} for advisory in verdict.advisories],
        "waivers": [{**waiver.as_dict(), "used": waiver not in verdict.unused_waivers} for waiver in verdict.waivers],
    }


def junit(verdict: Verdict, epoch: float) -> str:
    """JUnit XML: a suite per control, a case per subject. Not tested is an error, waived and not applicable are skipped."""
    suites = ElementTree.Element("testsuites", name="beam.cluster.verify")
    total: Counter[str] = Counter()
    by_control: dict[str, list[Finding]] = {}
    for finding in verdict.findings:
        by_control.setdefault(finding.control, []).append(finding)
    for name, found in by_control.items():
        counts = Counter(finding.status for finding in found)
        skipped = counts[WAIVED] + counts[NOT_APPLICABLE]
        numbers = {"tests": len(found), "failures": counts[FAILED], "errors": counts[NOT_TESTED], "skipped": skipped}
        total.update(numbers)
        suite = ElementTree.SubElement(suites, "testsuite", name=name, timestamp=when(epoch))
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
    case = ElementTree.SubElement(suite, "testcase", classname=f"beam.cluster.{control.id}", name=finding.subject, time="0")
    message = "; ".join(finding.details)
    if finding.status == FAILED:
        ElementTree.SubElement(case, "failure", type=control.severity, message=message).text = control.fix
    elif finding.status == NOT_TESTED:
        ElementTree.SubElement(case, "error", type="not_tested", message=message)
    elif finding.status in (WAIVED, NOT_APPLICABLE):
        ElementTree.SubElement(case, "skipped", message=finding.waiver or message)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence on the page: connections, attacks and every control with what was seen.

Private to this collection, pure. Above NODES_LISTED_MAX nodes, what is as it should be is counted, and nodes are rows, not columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from ..attacks import ATTACKS, Attack
from ..controls import BY_ID
from ..finding import FAILED, NOT_TESTED, PASSED, REFUSED, Finding, Outcome
from .html_markup import CAPTIONS, SIGNS, Markup, escaped, folded, grid, joined, row, severity, status, tag, wide
from .model import WORST_FIRST, Report, connection_text, outcomes_text
from .terminal import signs


def mesh(report: Report) -> Markup:
    if not report.verdict.connections:
        return tag("p", "No node connected.")
    return _matrix(report) if report.listed else _signs(report)


def _matrix(report: Report) -> Markup:
    nodes, cells = report.nodes, report.verdict.connections

    def cell(source: str, target: str) -> Markup:
        if source == target and len(nodes) > 1:
            return tag("td")
        answer = cells.get((source, target))
        wrong = answer is None or f"{source} -> {target}" in report.bad_pairs
        return tag("td", status(NOT_TESTED if answer is None else FAILED if wrong else PASSED, connection_text(answer)), class_="mark")

    sources = [source for source in nodes if any((source, target) in cells for target in nodes)]
    rows = (row(source, *(cell(source, target) for target in nodes)) for source in sources)
    return grid("Connections from the node of the row to the node of the column", ("From \\ to", *nodes), rows)


def _signs(report: Report) -> Markup:
    width = max(map(len, report.nodes))
    lines = "\n".join(f"{escaped(node.ljust(width))}  {row}" for node, row in signs(report))
    told = f". connected, # not, - not probed; columns in the order of the members; {len(report.bad_pairs)} pairs bad"
    if not lines:
        return tag("p", f"{len(report.bad_pairs)} pairs of nodes are bad. {report.verdict.coverage}.")
    return joined((tag("p", told), wide("Connections, a sign for each pair", tag("pre", Markup(lines)))))


def attacks(report: Report) -> Iterator[Markup]:
    """A matrix attack x node with counts; each row folds open."""
    yield tag("p", "Each cell: how many attempts were refused, of how many. An attack is tried from every vantage that it needs.", class_="soft")
    if report.listed:
        yield _attack_table(report)
        return
    rows = (
        row(tag("code", attack.id), status(worst_of, outcomes_text(counts, CAPTIONS[worst_of])), BY_ID[attack.id].title)
        for attack, worst_of, counts in report.attacks
    )
    yield grid("Attacks on all nodes", ("Attack", "Outcomes", "What must be refused"), rows)
    yield folded(f"Attacks by node ({len(report.nodes)} nodes)", _node_table(report))
    shown = report.shown_outcomes
    if shown:
        yield folded(f"{len(shown)} attempts that were not refused", _outcomes(shown, "Attempts that were not refused"))


def _attack_table(report: Report) -> Markup:
    columns = len(report.nodes) + 2
    head = tag("tr", tag("th", "Attack", scope="col"), *(tag("th", node, scope="col") for node in report.nodes), tag("th", "Result", scope="col"))
    bodies = []
    for attack, worst_of, counts in report.attacks:
        cells = (tag("td", _count(report, attack, node), class_="mark") for node in report.nodes)
        name = tag("th", tag("code", attack.id), scope="row")
        result = tag("td", status(worst_of, outcomes_text(counts, CAPTIONS[worst_of])), class_="mark")
        fold = tag("tr", tag("td", _attack_details(report, attack), colspan=columns, class_="fold"))
        bodies.append(tag("tbody", tag("tr", name, *cells, result, class_="counts"), Markup("\n"), fold))
    return wide("Attacks by node", tag("table", tag("thead", head), *bodies))


def _count(report: Report, attack: Attack, node: str) -> Markup:
    name, counts = report.attack_status(attack, node)
    tried = sum(counts.values())
    return status(name, f"{counts[REFUSED]}/{tried}" if tried else "")


def _attack_details(report: Report, attack: Attack) -> Markup:
    outcomes = [outcome for node in report.nodes for outcome in report.outcomes_at.get((attack.id, node), ())]
    title = BY_ID[attack.id].title
    if outcomes:
        return folded(title, _outcomes(outcomes, f"Attempts of {attack.id}"))
    reasons = dict.fromkeys(detail for finding in report.findings_of.get(attack.id, ()) for detail in finding.details)
    return folded(title, tag("ul", *(tag("li", reason) for reason in reasons)))


def _outcomes(outcomes: Sequence[Outcome], label: str) -> Markup:
    rows = []
    for outcome in outcomes:
        answer = outcome.answer
        probe = answer.probe
        port = answer.port or probe.port
        rows.append(
            row(
                probe.asker,
                probe.target,
                f"{probe.address} port {port}" if port else probe.address,
                probe.network,
                status(outcome.status),
                tag("td", outcome.why, class_="text"),
            )
        )
    return grid(label, ("From", "To", "Address", "Network", "Result", "Why"), rows)


def _node_table(report: Report) -> Markup:
    """Nodes are rows: a page grows downwards. Only signs and counts, no text: there are many."""

    def cell(node: str, attack: Attack) -> Markup:
        name, counts = report.attack_status(attack, node)
        refused, tried = counts[REFUSED], sum(counts.values())
        text = f"{SIGNS[name]} {refused}/{tried}" if tried else SIGNS[name]
        return tag("td", text, class_=name)

    rows = (row(node, *(cell(node, attack) for attack in ATTACKS)) for node in report.nodes)
    return grid("Attacks by node", ("Node", *(attack.id for attack in ATTACKS)), rows, class_="signs")


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

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attacks on the page, and each attempt.

Private to this collection, pure. Above NODES_LISTED_MAX nodes, what is as it should be is counted, and nodes are rows, not columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..attacks import ATTACKS, Attack
from ..controls import BY_ID
from ..finding import REFUSED, Outcome
from .html_markup import CAPTIONS, SIGNS, Markup, folded, grid, row, status, tag, wide
from .model import Report, outcomes_text


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

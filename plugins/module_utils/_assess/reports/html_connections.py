# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections between the nodes on the page.

Private to this collection, pure. Above NODES_LISTED_MAX nodes each pair is a sign.
"""

from __future__ import annotations

from ..finding import FAILED, NOT_TESTED, PASSED
from .html_markup import Markup, escaped, grid, joined, row, status, tag, wide
from .model import Report, connection_text
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

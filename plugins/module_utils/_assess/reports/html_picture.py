# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as a picture: hosts, nodes, links with their TLS version, outsiders and what stopped them. Inline SVG, no script.

Private to this collection, pure. Up to LINKS_MAX nodes every link is a line; above, every node is a tile, so that the size is linear in the nodes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from ..finding import FAILED, NOT_TESTED, PASSED, REFUSED, SUCCEEDED, WAIVED
from ..target import NodeTarget
from .html_markup import SIGNS, Markup, joined, tag
from .model import Report, connection_text, version_text
from .safe_text import visible

LINKS_MAX = 24
"""Nodes up to which links are drawn. Every pair of 24 nodes is 276 lines."""

BOXES_MAX = 6
"""Hosts up to which each is a box with its nodes; above, the nodes stand in a ring."""

LABELS_MAX = 4
"""Nodes up to which each link has its TLS version written on it."""

_WIDTH = 1000
_TILE = (116, 34)
_OUTSIDE = 230
"""Width that the outsiders take on the left."""

_ARROWS = 4
"""Outsiders that have room; more are counted in the last one."""

_CENTRE = _OUTSIDE + 380.0
_NAME_MAX = 17
_STOPPED_BY = {"filtered": "packets dropped", "closed": "connection refused", "unreachable": "no route"}


def picture(report: Report) -> Markup:
    drawn = len(report.nodes) <= LINKS_MAX
    body, height = _mesh(report) if drawn else _tiles(report)
    title = tag("title", f"Cluster {report.verdict.target.group}", id="picture-name")
    about = tag("desc", _about(report), id="picture-about")
    parts = joined((title, about, *body), "\n")
    return tag(
        "svg", parts, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {height}", role="img", aria_labelledby="picture-name picture-about"
    )


def _about(report: Report) -> str:
    hosts = len({node.host or node.node for node in report.verdict.target.members})
    links = f"{len(report.bad_pairs)} pairs of nodes do not connect as planned" if report.bad_pairs else "All probed pairs connect as planned"
    return f"{hosts} hosts, {len(report.nodes)} nodes. {links}. " + " ".join(f"{name}: {text}." for name, _kind, text in _outsiders(report))


def _short(name: str, longest: int = _NAME_MAX) -> str:
    text = visible(name)
    return text if len(text) <= longest else f"{text[: longest - 1]}\u2026"


def _outsiders(report: Report) -> Iterator[tuple[str, str, str]]:
    """(outsider, worst outcome, in words)."""
    found: dict[str, Counter[str]] = {name: Counter() for name in report.verdict.outsiders}
    codes: dict[str, Counter[str]] = {name: Counter() for name in report.verdict.outsiders}
    for outcome in report.verdict.outcomes:
        probe = outcome.answer.probe
        if not probe.source and probe.vantage in found:
            found[probe.vantage][outcome.status] += 1
            if outcome.status == REFUSED:
                codes[probe.vantage][_STOPPED_BY.get(outcome.answer.code.removeprefix("epmd_"), outcome.answer.code)] += 1
    for name, counts in found.items():
        tried = sum(counts.values())
        if counts[SUCCEEDED]:
            yield name, SUCCEEDED, f"{counts[SUCCEEDED]} of {tried} got in"
        elif counts[NOT_TESTED] or not tried:
            yield name, NOT_TESTED, f"{counts[NOT_TESTED]} of {tried} not tested" if tried else "not tested"
        else:
            yield name, REFUSED, f"{tried} stopped: {codes[name].most_common(1)[0][0]}"


def _node_status(report: Report) -> dict[str, str]:
    """The worst status of the findings about each node, those of its host included."""
    of_subject: dict[str, set[str]] = {}
    for finding in report.verdict.findings:
        for subject in finding.subject.split():
            of_subject.setdefault(subject, set()).add(finding.status)
    order = (FAILED, NOT_TESTED, WAIVED)
    found = {}
    for node in report.verdict.target.members:
        statuses = of_subject.get(node.node, set()) | of_subject.get(node.host, set())
        found[node.node] = next((status for status in order if status in statuses), PASSED if statuses else NOT_TESTED)
    return found


def _left(report: Report, height: float) -> Iterator[Markup]:
    """The outsiders, each with an arrow that ends at the wall or goes through it."""
    # The worst first: an attack that succeeded is never among those that are only counted.
    shown = sorted(_outsiders(report), key=lambda one: (SUCCEEDED, NOT_TESTED, REFUSED).index(one[1]))
    if len(shown) > _ARROWS:
        more = Counter(kind for _name, kind, _text in shown[_ARROWS - 1 :])
        counted = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in more.items())
        shown = [*shown[: _ARROWS - 1], (f"{sum(more.values())} more", shown[_ARROWS - 1][1], counted)]
    if not shown:
        yield tag("text", "No host attacked from outside", x=10, y=24, class_="not_tested")
    for at, (name, kind, text) in enumerate(shown):
        y = height * (at + 1) / (len(shown) + 1)
        end = _OUTSIDE + (70 if kind == SUCCEEDED else -22)
        link = {REFUSED: "link", SUCCEEDED: "link failed", NOT_TESTED: "link not_tested"}[kind]
        yield tag("rect", x=8, y=f"{y - 20:.0f}", width=130, height=40, rx=6, class_="box")
        yield tag("text", _short(name), tag("title", name), x=73, y=f"{y + 5:.0f}", text_anchor="middle")
        yield tag("line", x1=138, y1=f"{y:.0f}", x2=end, y2=f"{y:.0f}", class_=link)
        if kind == SUCCEEDED:
            yield tag("polygon", points=f"{end},{y - 8:.0f} {end + 16},{y:.0f} {end},{y + 8:.0f}", class_="head")
        else:
            yield tag("text", SIGNS[FAILED] if kind == REFUSED else "?", x=end + 9, y=f"{y + 5:.0f}", class_=f"stop {kind}", text_anchor="middle")
        yield tag("text", text, x=8, y=f"{y + 38:.0f}", class_=f"{kind}")


def _hosts(report: Report) -> dict[str, list[NodeTarget]]:
    found: dict[str, list[NodeTarget]] = {}
    for node in report.verdict.target.members:
        found.setdefault(node.host or node.node, []).append(node)
    return found


def _wall(height: float) -> Markup:
    return tag("rect", x=_OUTSIDE, y=10, width=_WIDTH - _OUTSIDE - 10, height=f"{height - 20:.0f}", rx=14, class_="wall")


def _mesh(report: Report) -> tuple[list[Markup], int]:
    hosts, statuses = _hosts(report), _node_status(report)
    if len(hosts) > BOXES_MAX:
        return _ring(report, statuses)
    box = 30 + 22 * max(len(nodes) for nodes in hosts.values())
    across, radius = (250.0, max(105.0 + box / 2, box + 30.0)) if len(hosts) > 1 else (0.0, 0.0)
    height = int(2 * radius + box + 64)
    places: dict[str, tuple[float, float]] = {}
    boxes: list[Markup] = []
    for at, (host, nodes) in enumerate(hosts.items()):
        angle = 2 * math.pi * at / len(hosts) - math.pi / 2
        boxes += _box(host, nodes, _CENTRE + across * math.cos(angle), height / 2 + radius * math.sin(angle), box, places, statuses)
    return [_wall(height), *_left(report, height), *_links(report, places), *boxes, *_labels(report, places)], height


def _ring(report: Report, statuses: dict[str, str]) -> tuple[list[Markup], int]:
    radius, height = 240, 600
    places: dict[str, tuple[float, float]] = {}
    dots: list[Markup] = []
    for at, node in enumerate(report.nodes):
        # Half a step aside: no name stands over the middle of another one.
        angle = 2 * math.pi * (at + 0.5) / len(report.nodes) - math.pi / 2
        x, y = _CENTRE + radius * math.cos(angle), height / 2 + radius * math.sin(angle)
        places[node] = (x, y)
        side = 12 if math.cos(angle) > 0 else -12
        dots.append(tag("circle", tag("title", f"{node}: {statuses[node]}"), cx=f"{x:.0f}", cy=f"{y:.0f}", r=7, class_=f"dot {statuses[node]}"))
        label = _short(node) if statuses[node] == PASSED else f"{SIGNS[statuses[node]]} {_short(node)}"
        anchor = "start" if side > 0 else "end"
        dots.append(
            tag("text", label, x=f"{x + side:.0f}", y=f"{y + 5:.0f}", text_anchor=anchor, class_=None if statuses[node] == PASSED else statuses[node])
        )
    return [_wall(height), *_left(report, height), *_links(report, places, "link thin"), *dots], height


def _box(
    host: str, nodes: Sequence[NodeTarget], x: float, y: float, height: int, places: dict[str, tuple[float, float]], statuses: dict[str, str]
) -> Iterator[Markup]:
    left, top = x - 85, y - height / 2
    yield tag("rect", x=f"{left:.0f}", y=f"{top:.0f}", width=170, height=height, rx=8, class_="box")
    yield tag("text", _short(host, 22), tag("title", host), x=f"{x:.0f}", y=f"{top + 19:.0f}", text_anchor="middle", font_weight=600)
    for line, node in enumerate(nodes):
        at = top + 36 + 22 * line
        status = statuses[node.node]
        # The link ends at the middle of the box's edge that is nearer: the centre is enough, the box lies on top of it.
        places[node.node] = (x, at)
        yield tag("circle", cx=f"{left + 14:.0f}", cy=f"{at - 1:.0f}", r=5, class_=f"dot {status}")
        hidden = " (hidden)" if node.hidden else ""
        yield tag("text", _short(node.node + hidden, 20), tag("title", node.node + hidden), x=f"{left + 26:.0f}", y=f"{at + 4:.0f}")
        if status != PASSED:
            yield tag("text", SIGNS[status], x=f"{left + 160:.0f}", y=f"{at + 4:.0f}", text_anchor="middle", class_=status)


def _pairs(report: Report, places: dict[str, tuple[float, float]]) -> Iterator[tuple[str, str, str, str]]:
    """(node, node, status, in words) of every pair that is drawn."""
    target, cells = report.verdict.target, report.verdict.connections
    names = list(places)
    for at, one in enumerate(names):
        reachable = {node.node for node in target.reachable(one)}
        for other in names[at + 1 :]:
            if other not in reachable:
                continue
            bad = [pair for pair in ((one, other), (other, one)) if f"{pair[0]} -> {pair[1]}" in report.bad_pairs]
            answers = [answer for answer in (cells.get((one, other)), cells.get((other, one))) if answer]
            if bad:
                first = next((cells[pair] for pair in bad if pair in cells), None)
                yield one, other, FAILED if first else NOT_TESTED, connection_text(first)
            elif answers:
                yield one, other, PASSED, version_text(answers[0].tls.version if answers[0].tls else None)
            else:
                yield one, other, NOT_TESTED, "not probed"


def _links(report: Report, places: dict[str, tuple[float, float]], kind: str = "link") -> Iterator[Markup]:
    for one, other, status, text in _pairs(report, places):
        (x1, y1), (x2, y2) = places[one], places[other]
        told = tag("title", f"{one} and {other}: {text}")
        yield tag("line", told, x1=f"{x1:.0f}", y1=f"{y1:.0f}", x2=f"{x2:.0f}", y2=f"{y2:.0f}", class_=f"{kind} {status}")


def _labels(report: Report, places: dict[str, tuple[float, float]]) -> Iterator[Markup]:
    if len(places) > LABELS_MAX:
        return
    for one, other, status, text in _pairs(report, places):
        (x1, y1), (x2, y2) = places[one], places[other]
        # Not the middle: diagonals would cross there.
        at = 0.5 if len(places) < 4 else 0.38
        x, y = x1 + (x2 - x1) * at, y1 + (y2 - y1) * at
        shown = _short(text, 28)
        width = 8 * len(shown) + 6
        yield tag("rect", x=f"{x - width / 2:.0f}", y=f"{y - 9:.0f}", width=width, height=18, class_="plate")
        yield tag("text", shown, x=f"{x:.0f}", y=f"{y + 4:.0f}", text_anchor="middle", class_=f"label {status}")


def _tiles(report: Report) -> tuple[list[Markup], int]:
    statuses = _node_status(report)
    width, tall = _TILE
    columns = (_WIDTH - _OUTSIDE - 36) // (width + 6)
    rows = math.ceil(len(report.nodes) / columns)
    height = max(rows * (tall + 6) + 50, 150)
    drawn = [_wall(height), *_left(report, min(height, 700))]
    for at, node in enumerate(report.verdict.target.members):
        x, y = _OUTSIDE + 18 + (at % columns) * (width + 6), 26 + (at // columns) * (tall + 6)
        status = statuses[node.node]
        drawn.append(tag("rect", tag("title", f"{node.node}: {status}"), x=x, y=y, width=width, height=tall, rx=5, class_=f"tile {status}"))
        drawn.append(tag("text", f"{SIGNS[status]} {_short(node.node, 14)}", x=x + 7, y=y + 22))
    return drawn, height

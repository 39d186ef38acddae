# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit prints and writes beside the verdict: hosts, nodes, score, changes, what the audit cost, and how it ends.

Private to this collection, pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from .._wire.codes import BLOCKED
from .audit_exit_codes import Exit
from .audit_probes import NAME
from .finding import Verdict
from .probes import KNOWN, REACHES, Answer
from .target import HostTarget, NodeTarget

HOSTS_LISTED_MAX = 50
"""Hosts up to which the terminal lists every one. Above, it lists those that were not looked at whole; the files have all."""

ENTRIES_PER_HANDSHAKE = 2
"""Entries that one refused handshake leaves in a node's log at most (docs/audit.md has the measurement)."""


def cost(answers: Iterable[Answer], asked: Collection[str] = ()) -> list[dict[str, Any]]:
    """What the probes cost each node: handshakes that reached it, entries in its log and atoms in its memory at most.

    asked: the nodes that were asked with their own credentials, under a name on their own host: one more atom, and no entry.
    """
    handshakes: Counter[tuple[str, str]] = Counter()
    for answer in answers:
        attack = answer.probe.attack
        handshake = answer.probe.control == KNOWN or answer.probe.control != REACHES and attack and attack.protocol == "dist"
        if handshake and answer.code and answer.code not in BLOCKED:
            handshakes[answer.probe.host, answer.probe.target] += 1
    return [
        {"host": host, "node": node, "handshakes": count, "log_entries_max": ENTRIES_PER_HANDSHAKE * count, "atoms_max": 2 if node in asked else 1}
        for (host, node), count in sorted(handshakes.items())
    ]


def node_data(node: NodeTarget) -> dict[str, Any]:
    return {
        "node": node.node,
        "found": node.found,
        "product": node.product,
        "user": node.user or None,
        "unit": node.unit or None,
        "port": node.port,
        "listens": list(node.seen_at),
    }


def data(verdict: Verdict, end: Exit, paid: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The keys that the JSON report of an audit has beside those of every report."""
    hosts = verdict.target.hosts
    return {
        "exit": end.as_dict(),
        "score": verdict.score.as_dict() if verdict.score else None,
        "reach": [
            {
                **reach.as_dict(),
                "beam": not hosts[name].bare if reach.reached else None,
                "nodes": [node_data(node) for node in hosts[name].nodes],
                "contained": [node_data(node) for node in hosts[name].contained],
            }
            for name, reach in verdict.reach.items()
        ],
        "baseline": verdict.baseline.as_dict() if verdict.baseline else None,
        "cost": {"probe_name": NAME, "nodes": list(paid)},
    }


def head(verdict: Verdict) -> list[str]:
    """Hosts and what was found on them."""
    states = Counter(reach.state for reach in verdict.reach.values())
    counted = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.items())
    lines = [f"Audit of {len(verdict.reach)} hosts ({counted}), {len(verdict.target.members)} nodes"]
    everything = len(verdict.reach) <= HOSTS_LISTED_MAX
    for name, reach in verdict.reach.items():
        host = verdict.target.hosts[name]
        if everything or not reach.reached or reach.why:
            lines += _host_lines(host, str(reach))
    return lines


def _host_lines(host: HostTarget, reach: str) -> Iterator[str]:
    yield f"  {host.name}: {reach}{'; no BEAM' if host.bare else ''}"
    for node in (*host.nodes, *host.contained):
        where = f" at {', '.join(node.seen_at[:2])} port {node.port}" if node.seen_at else ""
        unit = f", {node.unit}" if node.unit else ""
        yield f"    {node.node} ({node.product}, {node.found.replace('_', ' ')}{unit}){where}"


def foot(end: Exit, paid: list[dict[str, Any]]) -> list[str]:
    """What it cost, and how it ends."""
    handshakes = sum(entry["handshakes"] for entry in paid)
    cost_of_it = (
        f"Cost: {handshakes} handshakes with {len(paid)} nodes as {NAME}: at most {ENTRIES_PER_HANDSHAKE * handshakes} entries in their logs, "
        f"and at most {max((entry['atoms_max'] for entry in paid), default=1)} atoms in each node until it restarts"
    )
    return [cost_of_it, f"Result: {end}"]

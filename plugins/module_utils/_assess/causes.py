# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node breaks the connections, why, and which findings are symptoms of that.

Private to this collection, pure. A connection has two ends, and the code alone does not say which one is at fault. The matrix does: a node that is an
end of many bad connections, while its peers connect to each other, is at fault. A symptom stays what it is, failed or not tested. It only names its
cause, so that a report can show both together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .explanations import Broken, explain
from .finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Evidence, Finding, Outcome
from .probes import CONNECT
from .target import NEEDS_CREDENTIALS, OFF, NodeTarget

NODE = "mesh-node"
_OF_A_STOPPED_NODE = frozenset({"running-process", "distribution-listeners", "epmd-names"})
"""Controls that fail, beside those that cannot be tested, where a node's unit is not active."""
_OF_CERTIFICATES = ("certificate-lifetime", "certificate-names", "certificate-purposes", "trust-anchors", "key-belongs")
_EXPLAINING = ("epmd-names", "cookie-same", *_OF_CERTIFICATES, "distribution-listeners")
"""Controls of one node whose failure can be why nobody connects to it, the most telling first."""
_CODES = {
    "cookie-same": ("cookie_", "digest_"),
    **dict.fromkeys(_OF_CERTIFICATES, ("tls_", "dropped_tls")),
    "epmd-names": (
        *("closed", "not_registered", "dropped_", "wrong_node", "reset", "timeout_"),
        *("tls_on_", "tls_protocol", "protocol_error", "filtered"),
    ),
    "distribution-listeners": ("closed", "not_registered"),
}
_MISSING = "is not connected to "
_BESIDE = {"planned-files": "options-file"}
"""Controls that cannot be tested, for the reason for which another control of the same subject fails."""


@dataclass(frozen=True)
class Culprit:
    """A node that breaks connections. broken: those of which it is an end. details: why, and what to do."""

    node: str
    broken: tuple[Broken, ...]
    details: tuple[str, ...]


def broken_connections(evidence: Evidence) -> list[Broken]:
    connections = evidence.connections.items()
    return [Broken(source, target, answer) for (source, target), answer in connections if answer.code and not answer.connected]


def culprits(evidence: Evidence, suspects: Collection[str]) -> list[Culprit]:
    """The fewest nodes that explain the bad connections, the worst first. suspects: nodes that failed a control of their own.

    A single pair that fails says nothing about which end is at fault, unless one of them is a suspect or cannot connect to itself.
    """
    left = broken_connections(evidence)
    found: list[Culprit] = []
    while left:
        counts = Counter(node for one in left for node in dict.fromkeys((one.source, one.target)))
        own = {one.source for one in left if one.source == one.target}

        def weight(node: str) -> tuple[int, bool, bool, str]:
            return counts[node], node in suspects, node in own, node  # noqa: B023

        worst = max(counts, key=weight)
        mine = [one for one in left if worst in (one.source, one.target)]
        peers = {one.source for one in mine} | {one.target for one in mine}
        tied = [node for node in counts if counts[node] == counts[worst] and node != worst]
        known = worst in suspects or worst in own
        if not known and (len(peers) < 3 or tied):
            return found
        found.append(Culprit(worst, tuple(mine), explain(evidence, worst, mine)))
        left = [one for one in left if one not in mine]
    return found


def node_findings(evidence: Evidence, guilty: Sequence[Culprit]) -> Iterator[Finding]:
    by_node = {one.node: one for one in guilty}
    open_ends = {node for one in broken_connections(evidence) for node in (one.source, one.target) if not {one.source, one.target} & set(by_node)}
    probed = {node for pair in evidence.connections for node in pair}
    for node in evidence.target.running:
        hosts = evidence.target.hosts_of(node.node)
        if evidence.target.off:
            yield Finding(NODE, NOT_APPLICABLE, hosts, node.node, (OFF,))
        elif not evidence.target.planned:
            yield Finding(NODE, NOT_APPLICABLE, hosts, node.node, (NEEDS_CREDENTIALS,))
        elif node.node in by_node:
            yield Finding(NODE, FAILED, hosts, node.node, by_node[node.node].details)
        elif node.node in open_ends:
            yield Finding(NODE, NOT_APPLICABLE, hosts, node.node, ("a connection fails, and which end is at fault is not known: see mesh-connected",))
        elif node.node not in probed:
            yield Finding(NODE, NOT_TESTED, hosts, node.node, ("no probe was made",))
        else:
            yield Finding(NODE, PASSED, hosts, node.node, ("it keeps nobody from connecting",))


# --- symptoms ---


def with_causes(evidence: Evidence, found: Sequence[Finding], outcomes: Sequence[Outcome]) -> list[Finding]:
    """All findings, those of mesh-node among them; of each symptom with its cause."""
    stopped = {node.node for node in evidence.target.running if _stopped(evidence, node)}
    suspects = stopped | {one.subject for one in found if one.status == FAILED and one.control in _EXPLAINING}
    guilty = culprits(evidence, suspects)
    everything = [*found, *node_findings(evidence, guilty)]
    roots: dict[str, Finding] = {}
    for node in [*stopped, *(one.node for one in guilty)]:
        root = _root(evidence, everything, node, stopped, [one for one in guilty if one.node == node])
        if root is not None:
            roots.setdefault(node, root)
    involved = _involved(outcomes)
    failed = {(one.control, one.subject) for one in everything if one.status == FAILED}
    return [_with_cause(evidence, _beside(one, failed), roots, stopped, involved) for one in everything]


def _beside(one: Finding, failed: Collection[tuple[str, str]]) -> Finding:
    cause = _BESIDE.get(one.control, "")
    return replace(one, cause=cause, cause_subject=one.subject) if one.status == NOT_TESTED and (cause, one.subject) in failed else one


def _stopped(evidence: Evidence, node: NodeTarget) -> bool:
    seen = evidence.seen.get(node.host)
    unit = (seen.units or {}).get(node.unit) if seen else None
    return unit is not None and unit.active not in ("", "active")


def _root(evidence: Evidence, found: Iterable[Finding], node: str, stopped: Collection[str], guilty: Sequence[Culprit]) -> Finding | None:
    failed = {one.control: one for one in found if one.status == FAILED and one.subject == node}
    if node in stopped:
        return failed.get("unit-drop-in")
    codes = {broken.answer.code for one in guilty for broken in one.broken}
    for control in _EXPLAINING:
        if control in failed and all(code.startswith(_CODES[control]) for code in codes):
            return failed[control]
    return failed.get(NODE)


def _involved(outcomes: Iterable[Outcome]) -> Mapping[tuple[str, str], list[frozenset[str]]]:
    """For each attack and its target the ends of every probe that tested nothing."""
    found: dict[tuple[str, str], list[frozenset[str]]] = {}
    for outcome in outcomes:
        if outcome.status == NOT_TESTED:
            probe = outcome.answer.probe
            found.setdefault((probe.control, probe.target), []).append(frozenset((probe.source, probe.target)))
    return found


def _with_cause(
    evidence: Evidence,
    one: Finding,
    roots: Mapping[str, Finding],
    stopped: Collection[str],
    involved: Mapping[tuple[str, str], list[frozenset[str]]],
) -> Finding:
    if not one.bad or one.cause_subject or not roots or any(one is root for root in roots.values()):
        return one
    node = _blamed(evidence, one, roots, stopped, involved)
    return replace(one, cause=roots[node].control, cause_subject=roots[node].subject) if node else one


def _blamed(
    evidence: Evidence,
    one: Finding,
    roots: Mapping[str, Finding],
    stopped: Collection[str],
    involved: Mapping[tuple[str, str], list[frozenset[str]]],
) -> str | None:
    """The node because of which a control fails or is not tested."""
    if one.control == CONNECT:
        return next((node for node in one.subject.split(" -> ") if node in roots), None)
    if one.subject in roots:
        if one.status == NOT_TESTED or one.control == NODE:
            return one.subject
        if one.subject in stopped and one.control in _OF_A_STOPPED_NODE:
            return one.subject
    if one.control == "mesh-members" and one.status == FAILED:
        return _lacking(one, roots)
    if one.status != NOT_TESTED:
        return None
    ends = involved.get((one.control, one.subject), [])
    if ends and len(ends) >= len(one.details) and all(pair & roots.keys() for pair in ends):
        return next(node for node in sorted(roots) if node in ends[0])
    # What is told of a whole host has no other reason where its only node is stopped.
    own = [node for node in stopped if node in roots and one.subject == evidence.target.node(node).host]
    return own[0] if own else None


def _lacking(one: Finding, roots: Mapping[str, Finding]) -> str | None:
    """The node that a finding misses, if all that it says is that such nodes are not connected."""
    missing = []
    for detail in one.details:
        _head, found, name = detail.partition(_MISSING)
        node = name.partition(",")[0]
        if not found or not (node in roots or one.subject in roots):
            return None
        missing.append(node if node in roots else one.subject)
    return missing[0] if missing else None

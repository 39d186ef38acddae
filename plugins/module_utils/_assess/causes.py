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

from .checks import revocation as revocation_checks
from .checks.mesh import MEMBERS, SETTINGS
from .checks.running_node import CHECKS as IN_FORCE_CHECKS
from .connection_remedies import Broken, explain
from .finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Evidence, Finding, Outcome
from .probes import CONNECT
from .target import NEEDS_CREDENTIALS, OFF, NodeTarget

NODE = "mesh-node"
_OF_A_STOPPED_NODE = frozenset({"running-process", "distribution-listeners"})
"""Controls that fail where a node's unit is not active, if all that they say is _ABSENT."""
_ABSENT = ("no process of ", "nothing listens on ")
_ANY_REFUSAL = ("tls_verification", "tls_alert_bad_certificate", "tls_alert_certificate_unknown", "tls_alert_handshake_failure", "dropped_tls")
_NAMES = ("not_allowed", "dropped_status")
_CODES: Mapping[str, tuple[str, ...]] = {
    "epmd-names": (
        *("closed", "not_registered", "dropped_", "wrong_node", "reset", "timeout_"),
        *("tls_on_", "tls_protocol", "protocol_error", "filtered"),
    ),
    "cookie-same": ("cookie_", "digest_"),
    "certificate-lifetime": (*_ANY_REFUSAL, "tls_alert_certificate_expired"),
    "key-of-its-own": (*_ANY_REFUSAL, *_NAMES),
    "certificate-names": (*_ANY_REFUSAL, *_NAMES),
    "certificate-purposes": (*_ANY_REFUSAL, "tls_alert_unsupported_certificate"),
    "trust-anchors": (*_ANY_REFUSAL, "tls_alert_unknown_ca"),
    "key-belongs": ("tls_", "dropped_tls"),
    "allow-list": _NAMES,
    "distribution-listeners": ("closed", "not_registered"),
}
"""Controls of one node whose failure can be why nobody connects to it, the most telling first; and with which codes connections end then."""
_WORDS = {
    "certificate-lifetime": (" ended ", " is not valid "),
    "certificate-purposes": ("key usage",),
    "allow-list": ("does not let ",),
}
"""What such a failure has to say: a certificate that ends soon breaks nothing."""
_SAID_BY_THE_NODE = frozenset({MEMBERS, SETTINGS, revocation_checks.CONTROL, *IN_FORCE_CHECKS})
"""Controls that ask the node itself."""
_SHOWN_BY_THE_NODE = ("certificate-served", "no member was shown its certificate")
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


def culprits(evidence: Evidence, suspects: Mapping[str, Collection[str]]) -> list[Culprit]:
    """The fewest nodes that explain the bad connections, the worst first.

    suspects: nodes that failed a control of their own, with what codes begin with that this failure explains. A single pair that fails says nothing
    about which end is at fault, unless one of them is a suspect or cannot connect to itself.
    """
    left = broken_connections(evidence)
    found: list[Culprit] = []
    while left:
        counts = Counter(node for one in left for node in dict.fromkeys((one.source, one.target)))
        own = {one.source for one in left if one.source == one.target}
        ends = ((node, one) for one in left for node in (one.source, one.target))
        suspected = {node for node, one in ends if one.answer.code.startswith(tuple(suspects.get(node, ())))}
        *_weight, worst = max((counts[node], node in suspected, node in own, node) for node in counts)
        mine = [one for one in left if worst in (one.source, one.target)]
        peers = {one.source for one in mine} | {one.target for one in mine}
        tied = [node for node in counts if counts[node] == counts[worst] and node != worst]
        known = worst in suspected or worst in own
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
            yield Finding(NODE, PASSED, hosts, node.node, ("it does not prevent its peers from connecting",))


# --- symptoms ---


def with_causes(evidence: Evidence, found: Sequence[Finding], outcomes: Sequence[Outcome]) -> list[Finding]:
    """All findings, those of mesh-node among them; of each symptom with its cause."""
    stopped = {node.node for node in evidence.target.running if _stopped(evidence, node)}
    suspects: dict[str, set[str]] = {node: {""} for node in stopped}
    for one in found:
        if _explains(one):
            suspects.setdefault(one.subject, set()).update(_CODES[one.control])
    guilty = culprits(evidence, suspects)
    everything = [*found, *node_findings(evidence, guilty)]
    roots: dict[str, Finding] = {}
    for node in [*stopped, *(one.node for one in guilty)]:
        root = _root(everything, node, stopped, [one for one in guilty if one.node == node])
        if root is not None:
            roots.setdefault(node, root)
    pairs = {f"{broken.source} -> {broken.target}": one.node for one in guilty for broken in one.broken}
    blame = _Blame(evidence, roots, stopped, pairs, _involved(outcomes))
    failed = {(one.control, one.subject): one for one in everything if one.status == FAILED}
    return [blame.applied(_beside(one, failed)) for one in everything]


def _beside(one: Finding, failed: Mapping[tuple[str, str], Finding]) -> Finding:
    """A gap with the failure that explains it: one that names every file that was not read."""
    other = failed.get((_BESIDE.get(one.control, ""), one.subject))
    if one.status != NOT_TESTED or other is None:
        return one
    unread = [detail.partition(" was not ")[0].partition(": ")[0] for detail in one.details]
    known = all(any(said.startswith(f"{path} ") for said in other.details) for path in unread)
    return replace(one, cause=other.control, cause_subject=one.subject) if known else one


def _stopped(evidence: Evidence, node: NodeTarget) -> bool:
    seen = evidence.seen.get(node.host)
    unit = (seen.units or {}).get(node.unit) if seen else None
    return unit is not None and unit.active not in ("", "active")


def _explains(one: Finding) -> bool:
    """Whether it can be why connections fail."""
    if one.status != FAILED or one.control not in _CODES:
        return False
    words = _WORDS.get(one.control)
    return words is None or any(word in detail for detail in one.details for word in words)


def _root(found: Iterable[Finding], node: str, stopped: Collection[str], guilty: Sequence[Culprit]) -> Finding | None:
    failed = {one.control: one for one in found if one.status == FAILED and one.subject == node}
    if node in stopped:
        return failed.get("unit-drop-in")
    codes = {broken.answer.code for one in guilty for broken in one.broken}
    for control, explained in _CODES.items():
        if control in failed and _explains(failed[control]) and all(code.startswith(explained) for code in codes):
            return failed[control]
    return failed.get(NODE)


def _involved(outcomes: Iterable[Outcome]) -> Mapping[tuple[str, str], list[frozenset[str]]]:
    """For each attack and its target the ends of every probe that tested nothing; no ends where it was not made at all."""
    found: dict[tuple[str, str], list[frozenset[str]]] = {}
    for outcome in outcomes:
        if outcome.status == NOT_TESTED:
            probe = outcome.answer.probe
            ends = frozenset((probe.source, probe.target)) if outcome.cause or outcome.answer.code else frozenset()
            found.setdefault((probe.control, probe.target), []).append(ends)
    return found


@dataclass(frozen=True)
class _Blame:
    """What is blamed on which node. roots: by node, the finding that says why it is bad. pairs: the node that breaks a connection, by its subject."""

    evidence: Evidence
    roots: Mapping[str, Finding]
    stopped: Collection[str]
    pairs: Mapping[str, str]
    involved: Mapping[tuple[str, str], list[frozenset[str]]]

    def applied(self, one: Finding) -> Finding:
        if not one.bad or one.cause_subject or any(one is root for root in self.roots.values()):
            return one
        root = self.roots.get(self._node(one) or "")
        return replace(one, cause=root.control, cause_subject=root.subject) if root else one

    def _node(self, one: Finding) -> str | None:
        """The node because of which a control fails or is not tested. None where it has, or may have, a reason of its own."""
        if one.control == CONNECT:
            return self.pairs.get(one.subject)
        if one.control == NODE:
            return one.subject
        if one.status == FAILED:
            absent = all(detail.startswith(_ABSENT) for detail in one.details)
            if one.control in _OF_A_STOPPED_NODE and one.subject in self.stopped and absent:
                return one.subject
            return _lacking(one, self.roots) if one.control == MEMBERS else None
        if one.subject in self.roots:
            view = self.evidence.views.get(one.subject)
            unanswered = one.control in _SAID_BY_THE_NODE and (view is None or view.code != "connected")
            if unanswered or (one.control, *one.details) == _SHOWN_BY_THE_NODE:
                return one.subject
        ends = self.involved.get((one.control, one.subject), [])
        if ends and len(ends) >= len(one.details) and all(pair & self.roots.keys() for pair in ends):
            return next(node for node in sorted(self.roots) if node in ends[0])
        return self._without_process(one)

    def _without_process(self, one: Finding) -> str | None:
        """The stopped node, if all that a gap says is that no process of it runs."""
        nodes = [self.evidence.target.node(name) for name in self.stopped if name in self.roots]
        gone = {node.no_process: node.node for node in nodes if node.host in one.hosts}
        return gone.get(one.details[0]) if one.details and all(detail in gone for detail in one.details) else None


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

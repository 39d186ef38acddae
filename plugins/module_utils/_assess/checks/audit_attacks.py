# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probes of an audit came to: refused, succeeded or not tested, and what they cost their targets.

Private to this collection, pure. No probe has credentials that a node accepts, so no honest connection can be the baseline. In its place stands any
other answer from the same place: a node that answered one probe is there, and a closed port that answers shows that packets arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ..._model.addresses import is_loopback
from ..._wire.codes import BLOCKED, lookup
from ..attacks import ATTACKS, Attack
from ..audit_probes import CLEAR, ENCRYPTED
from ..finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, REFUSED, SUCCEEDED, Evidence, Finding, Outcome
from ..probes import REACHES, Answer
from ..target import CLEAR_TEXT, DYNAMIC, NEEDS_CREDENTIALS, NEEDS_PLAN, NodeTarget
from ..vantages import Vantages, from_outside, only_itself
from .attacks import got_past

_HANDSHAKES = frozenset((*CLEAR, *ENCRYPTED))
_ARRIVED = frozenset({"epmd_closed", "closed"})
_ON_PLAIN = "tls_on_plaintext"

NOT_WITHOUT = {
    "member-public-epmd": f"{NEEDS_PLAN}: which address is the cluster's",
    "member-public-distribution-port": f"{NEEDS_PLAN}: which address is the cluster's",
    "expired-certificate": f"{NEEDS_PLAN}: the CA of the cluster, to sign an expired certificate",
    "revoked-certificate": f"{NEEDS_PLAN}: the CA of the cluster, to sign and revoke a certificate",
    "other-name": NEEDS_CREDENTIALS,
}
"""Attacks that an audit cannot make, and what they would need."""


@dataclass(frozen=True)
class Proofs:
    """What is known to be reachable. spoken: (place, node) with the controls to which the node answered. arrived: (place, host) that packets reach.

    clear: nodes that speak clear text. encrypted: nodes that speak TLS.
    """

    spoken: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    arrived: frozenset[tuple[str, str]] = frozenset()
    clear: frozenset[str] = frozenset()
    encrypted: frozenset[str] = frozenset()

    @cached_property
    def answering(self) -> frozenset[str]:
        """Nodes that answered somebody."""
        return frozenset(node for _place, node in self.spoken)

    @classmethod
    def of(cls, answers: Iterable[Answer]) -> Proofs:
        spoken: dict[tuple[str, str], set[str]] = {}
        arrived: set[tuple[str, str]] = set()
        clear: set[str] = set()
        encrypted: set[str] = set()
        for answer in answers:
            probe = answer.probe
            if probe.control == REACHES and answer.code and (answer.code in _ARRIVED or answer.code not in BLOCKED):
                arrived.add((probe.vantage, probe.host))
            if probe.control not in _HANDSHAKES or not _spoke(answer):
                continue
            spoken.setdefault((probe.vantage, probe.target), set()).add(probe.control)
            arrived.add((probe.vantage, probe.host))
            if answer.code == _ON_PLAIN or probe.control in CLEAR and got_past(answer, "tls"):
                clear.add(probe.target)
            elif probe.control in ENCRYPTED or answer.code == "plaintext_on_tls":
                encrypted.add(probe.target)
        return cls({key: frozenset(controls) for key, controls in spoken.items()}, frozenset(arrived), frozenset(clear), frozenset(encrypted))


def _spoke(answer: Answer) -> bool:
    """Whether a node answered at all, whatever it said."""
    return bool(answer.code) and (lookup(answer.code).category in ("connected", "refused_by_peer", "refused_by_us") or got_past(answer, "tls"))


def outcomes(evidence: Evidence) -> list[Outcome]:
    proofs = Proofs.of(evidence.answers)
    epmds = frozenset(name for name, seen in evidence.seen.items() if seen.epmd_names is not None)
    found = (_outcome(answer, answer.probe.attack, proofs, epmds) for answer in evidence.answers if answer.probe.attack)
    return list(from_outside((outcome for outcome in found if outcome), Vantages.of(evidence)))


def _outcome(answer: Answer, attack: Attack, proofs: Proofs, epmds: frozenset[str]) -> Outcome | None:
    """None where an answer says nothing about the attack: other hosts do not reach the node, or it does not speak TLS at all.

    epmds: hosts whose EPMD answered the host itself.
    """
    probe = answer.probe
    where = f" at stage {answer.stage}" if answer.stage else ""
    if not answer.code:
        return Outcome(answer, NOT_TESTED, answer.message or "no probe was made")
    if got_past(answer, attack.stage):
        return Outcome(answer, SUCCEEDED, f"{answer.code}{where}")
    if attack.stage != "connect":
        return _handshake(answer, attack, proofs, where)
    if answer.code not in attack.refused:
        return Outcome(answer, NOT_TESTED, f"ended for another reason: {answer.code}{where}")
    if attack.protocol == "dist" and probe.target not in proofs.answering:
        return Outcome(answer, NOT_TESTED, f"{answer.code}, but the node does not answer its own host either")
    if attack.protocol == "epmd" and probe.host not in epmds:
        return Outcome(answer, NOT_TESTED, f"{answer.code}, but EPMD does not answer its own host either")
    if (probe.vantage, probe.host) not in proofs.arrived and probe.vantage != probe.host:
        return Outcome(answer, NOT_TESTED, f"{answer.code}, but no other port of {probe.host} answers from there either")
    return Outcome(answer, REFUSED, answer.code)


def _handshake(answer: Answer, attack: Attack, proofs: Proofs, where: str) -> Outcome | None:
    probe = answer.probe
    if probe.vantage != probe.host and answer.code in BLOCKED:
        return None
    if answer.code == _ON_PLAIN or attack.id == "wrong-cookie" and answer.code == "plaintext_on_tls":
        return None
    if attack.id in ENCRYPTED and probe.target in proofs.clear:
        return None
    if answer.code not in attack.refused:
        return Outcome(answer, NOT_TESTED, f"ended for another reason: {answer.code}{where}")
    if not proofs.spoken.get((probe.vantage, probe.target), frozenset()) - {attack.id}:
        return Outcome(answer, NOT_TESTED, f"{answer.code}, but the node answers no other probe from there")
    return Outcome(answer, REFUSED, answer.code)


def findings(evidence: Evidence, made: Iterable[Outcome]) -> Iterator[Finding]:
    proofs = Proofs.of(evidence.answers)
    by_subject: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in made:
        by_subject.setdefault((outcome.answer.probe.control, outcome.answer.probe.target), []).append(outcome)
    asked = {(answer.probe.control, answer.probe.vantage, answer.probe.target, answer.probe.address) for answer in evidence.answers}
    missing: dict[tuple[str, str], list[str]] = {}
    for probe in evidence.questions.expected(evidence.outsiders):
        if (probe.control, probe.vantage, probe.target, probe.address) not in asked:
            missing.setdefault((probe.control, probe.target), []).append(f"{probe.vantage} -> {probe.target} at {probe.address}: no probe was made")
    for attack in ATTACKS:
        for node in evidence.target.running:
            key = (attack.id, node.node)
            yield _finding(evidence, attack, node, proofs, by_subject.get(key, []), missing.get(key, []))


def _finding(evidence: Evidence, attack: Attack, node: NodeTarget, proofs: Proofs, made: list[Outcome], missing: list[str]) -> Finding:
    def found(status: str, *details: str, succeeded: bool = False) -> Finding:
        return Finding(attack.id, status, (node.host,), node.node, details, succeeded=succeeded)

    succeeded = [_line(outcome) for outcome in made if outcome.status == SUCCEEDED]
    if succeeded:
        return found(FAILED, *succeeded, succeeded=True)
    if attack.id in NOT_WITHOUT:
        return found(NOT_APPLICABLE, NOT_WITHOUT[attack.id])
    if node.found == DYNAMIC:
        return found(NOT_APPLICABLE, "it has a dynamic node name and does not listen")
    if evidence.untested:
        return found(NOT_TESTED, evidence.untested)
    hidden = _no_way_in(evidence, node) if attack.vantage == "outside" else None
    if hidden:
        return found(*hidden)
    if node.node in proofs.clear and attack.id in ENCRYPTED:
        return found(NOT_APPLICABLE, CLEAR_TEXT)
    if node.node in proofs.encrypted and attack.id == "wrong-cookie" and not made:
        return found(NOT_APPLICABLE, NEEDS_CREDENTIALS)
    unclear = [*(_line(outcome) for outcome in made if outcome.status == NOT_TESTED), *(missing if attack.id not in ENCRYPTED or not made else [])]
    if unclear:
        return found(NOT_TESTED, *unclear)
    if made:
        return found(PASSED, f"refused {len(made)} of {len(made)}")
    if attack.protocol == "epmd":
        return found(NOT_APPLICABLE, "no EPMD listens on the host")
    return found(NOT_TESTED, "its port is not known" if node.port is None else f"nothing listens at its port {node.port}")


def _no_way_in(evidence: Evidence, node: NodeTarget) -> tuple[str, str] | None:
    """(status, why) where no host outside can try a node; None where one can."""
    if not set(evidence.outsiders) - {node.host}:
        return NOT_TESTED, only_itself(node.host) if evidence.outsiders else "there is no host outside that could try; see beam_outsiders"
    if node.port is None or evidence.questions.public_addresses(node.host):
        return None
    addresses = evidence.questions.addresses.get(node.host)
    if addresses is None:
        return NOT_TESTED, "the addresses of its host are not known"
    if any(not is_loopback(one) for one in addresses):
        return NOT_TESTED, "another host of the inventory has the same addresses, and an answer may come from that host"
    return NOT_APPLICABLE, "its host has loopback addresses only"


def _line(outcome: Outcome) -> str:
    probe = outcome.answer.probe
    port = outcome.answer.port or probe.port
    at = f"{probe.address}:{port}" if port else probe.address
    return f"{probe.vantage} -> {probe.target} at {at} ({probe.network}): {outcome.why}"

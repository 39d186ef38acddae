# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the attacks came to: refused, succeeded, or not tested.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..._wire.codes import BLOCKED, STAGES
from ..attacks import ATTACKS, Attack
from ..finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, REFUSED, SUCCEEDED, Evidence, Finding, Outcome
from ..outsider_connectivity import with_a_way
from ..probes import CONNECT, Answer, Probe
from ..target import CLEAR_TEXT, EXTERNAL_FIREWALL, NO_CRL, OFF, Target
from ..vantages import Vantages, from_outside

# Codes with which a peer shows that it went on to talk about names: TLS is behind them.
_SPOKE_OF_NAMES = frozenset({"not_allowed", "nok", "alive", "wrong_node", "flags_missing"})
_OUT_OF_REACH = frozenset({"unreachable", "epmd_unreachable", ""})
_PLACE = {stage: at for at, stage in enumerate(STAGES)}


def got_past(answer: Answer, stage: str) -> bool:
    """Whether a connection got past the stage that had to stop it.

    With TLS 1.3 our handshake returns before the peer has looked at our certificate, so reaching the next stage proves nothing: the peer must have
    said something there.
    """
    if answer.connected:
        return True
    reached = _PLACE.get(answer.stage)
    if reached is None:
        return False
    if stage == "connect":
        return answer.code not in BLOCKED and (answer.stage == "epmd" or reached > _PLACE["connect"])
    if stage == "tls":
        return reached > _PLACE["status"] or (answer.stage == "status" and answer.code in _SPOKE_OF_NAMES)
    if stage == "ack":
        return reached > _PLACE["ack"] or answer.code == "cookie_mismatch_ours"
    return reached > _PLACE[stage]


def outcome_of(answer: Answer, attack: Attack, honest: Answer | None, at_target: Sequence[Answer], off: bool = False) -> Outcome | None:
    """What an answer says about an attack.

    honest: the honest connection from the same source, None where there was none. at_target: the honest connections of everybody to the same node;
    only those that are whole count. They are the baseline: without one a refusal may just mean that the node is down. off: no node listens, so none
    is needed. None where the answer says nothing: a port of a wide range that no node uses.
    """
    probe = answer.probe
    where = f" at stage {answer.stage}" if answer.stage else ""
    if not answer.code:
        return Outcome(answer, NOT_TESTED, answer.message)
    if got_past(answer, attack.stage):
        return Outcome(answer, SUCCEEDED, f"{answer.code}{where}")
    if answer.code not in attack.refused:
        return Outcome(answer, NOT_TESTED, f"ended for another reason: {answer.code}{where}")
    if attack.stage == "connect" and not off:
        ports = {proof.port for proof in at_target if proof.connected}
        if not ports:
            return Outcome(answer, NOT_TESTED, f"{answer.code}, but no member can connect to the node either", CONNECT)
        if attack.protocol == "dist" and probe.port not in ports:
            return None
    elif not off and not (honest and honest.connected):
        return Outcome(answer, NOT_TESTED, f"{answer.code}, but the honest connection from there fails, too", CONNECT)
    return Outcome(answer, REFUSED, answer.code)


def outcomes_of(evidence: Evidence) -> list[Outcome]:
    # One entry for each port at which a node answered: a wide port range makes many answers, a large cluster many connections.
    at_target: dict[str, tuple[Answer, ...]] = {}
    for node, answers in evidence.connected_to.items():
        at_target[node] = tuple({answer.port: answer for answer in answers if answer.connected}.values())
    outcomes = []
    for answer in evidence.answers:
        probe = answer.probe
        if probe.attack:
            honest = evidence.connections.get((probe.source, probe.target))
            outcome = outcome_of(answer, probe.attack, honest, at_target.get(probe.target, ()), evidence.target.off)
            if outcome:
                outcomes.append(outcome)
    vantages = Vantages.of(evidence)
    outcomes = list(from_outside(outcomes, vantages))
    elsewhere = [one for one in evidence.answers if not vantages.inside(one)]
    hosts = {node.host for node in evidence.target.running}
    return list(with_a_way(list(_without_network(outcomes)), elsewhere, evidence.seen, hosts))


def _without_network(outcomes: Sequence[Outcome]) -> Iterator[Outcome]:
    """The outcomes, those of a host outside that reached no node at all as not tested: without a network everything is out of reach."""
    outside = [one for one in outcomes if not one.answer.probe.source]
    reached = {one.answer.probe.asker for one in outside if one.answer.code not in _OUT_OF_REACH}
    for one in outcomes:
        probe = one.answer.probe
        if probe.source or probe.asker in reached or one.status != REFUSED:
            yield one
        else:
            yield Outcome(one.answer, NOT_TESTED, f"{one.why}, and {probe.asker} reached no node at all: give it a route to the hosts")


def _line(outcome: Outcome) -> str:
    probe = outcome.answer.probe
    port = outcome.answer.port or probe.port
    at = f"{probe.address}:{port}" if port else probe.address
    user = f" as user {probe.attack.shows.user}" if probe.attack and probe.attack.shows.user else ""
    return f"{probe.asker}{user} -> {probe.target} at {at} ({probe.network}): {outcome.why}"


def _by_subject(probes: Iterable[Probe]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for probe in probes:
        found.setdefault((probe.control, probe.target), set()).add((probe.asker, probe.address))
    return found


def attack_findings(evidence: Evidence, outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    vantages = Vantages.of(evidence)
    other_hosts = {one.probe for one in evidence.answers if one.probe.attack and one.probe.attack.vantage == "outside" and vantages.elsewhere(one)}
    expected = _by_subject(probe for probe in evidence.questions.expected(evidence.outsiders) if probe not in other_hosts)
    by_subject: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        by_subject.setdefault((outcome.answer.probe.control, outcome.answer.probe.target), []).append(outcome)
    for attack in ATTACKS:
        for node in evidence.target.running:
            key = (attack.id, node.node)
            yield _finding(evidence, attack, node.node, expected.get(key, set()), by_subject.get(key, []))


def _finding(evidence: Evidence, attack: Attack, node: str, wanted: set[tuple[str, str]], outcomes: Sequence[Outcome]) -> Finding:
    hosts = evidence.target.hosts_of(node)
    seen = {(outcome.answer.probe.asker, outcome.answer.probe.address) for outcome in outcomes}
    succeeded = [_line(outcome) for outcome in outcomes if outcome.status == SUCCEEDED]
    untested = [outcome for outcome in outcomes if outcome.status == NOT_TESTED]
    unclear = [_line(outcome) for outcome in untested]
    unclear += [f"{asker} -> {node} at {address}: no probe was made" for asker, address in sorted(wanted - seen)]
    if succeeded:
        return Finding(attack.id, FAILED, hosts, node, tuple(succeeded), succeeded=True)
    if evidence.untested:
        return Finding(attack.id, NOT_TESTED, hosts, node, (evidence.untested,))
    if attack.vantage == "outside" and not evidence.outsiders:
        return Finding(attack.id, NOT_TESTED, hosts, node, ("there is no host outside the cluster that could try; see beam_outsiders",))
    if unclear:
        cause = CONNECT if len(unclear) == len(untested) and all(outcome.cause for outcome in untested) else ""
        return Finding(attack.id, NOT_TESTED, hosts, node, tuple(unclear), cause=cause)
    if not wanted:
        return Finding(attack.id, NOT_APPLICABLE, hosts, node, (_why_none(evidence.target, attack),))
    return Finding(attack.id, PASSED, hosts, node, (f"refused {len(seen)} of {len(seen)}",))


def _why_none(target: Target, attack: Attack) -> str:
    if target.off:
        return OFF
    if attack.needs_tls and not target.tls:
        return CLEAR_TEXT
    if attack.network == "public":
        return "the host has no other address"
    if attack.vantage == "user":
        return EXTERNAL_FIREWALL
    if attack.shows.certificate == "revoked" and not target.crl:
        return NO_CRL
    if attack.shows.tls == "old":
        return "beam_tls_versions lists TLS 1.2"
    return "the cluster has one host only"

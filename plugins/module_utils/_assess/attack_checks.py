# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the attacks came to: refused, succeeded, or not tested. Pure; private to this collection."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

from .._wire.codes import STAGES
from . import probes
from .controls import ATTACKS, NOT_REACHED, Attack
from .finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, REFUSED, SUCCEEDED, Evidence, Finding, Outcome
from .host_checks import _EXTERNAL
from .mesh_checks import _CLEAR
from .probes import CONNECT, SELF, Answer, Probe
from .target import _OFF, _hosts_of, _off, _running_nodes, addresses_of

# Codes with which a peer shows that it went on to talk about names: TLS is behind them.
_SPOKE_OF_NAMES = frozenset({"not_allowed", "nok", "alive", "wrong_node", "flags_missing"})


def got_past(answer: Answer, stage: str) -> bool:
    """Whether a connection got past the stage that had to stop it.

    With TLS 1.3 our handshake returns before the peer has looked at our certificate, so reaching the next stage proves nothing: the
    peer must have said something there.
    """
    if answer.code == "connected":
        return True
    if answer.stage not in STAGES:
        return False
    reached = STAGES.index(answer.stage)
    if stage == "connect":
        return answer.code not in NOT_REACHED and (answer.stage == "epmd" or reached > STAGES.index("connect"))
    if stage == "tls":
        return reached > STAGES.index("status") or (answer.stage == "status" and answer.code in _SPOKE_OF_NAMES)
    if stage == "ack":
        return reached > STAGES.index("ack") or answer.code == "cookie_mismatch_ours"
    return reached > STAGES.index(stage)


def judge(answer: Answer, attack: Attack, connected: Mapping[tuple[str, str], Answer], off: bool = False) -> Outcome | None:
    """What an answer says about an attack.

    C(connected) are the whole connections of this run by (source, target). They are the baseline: without one from the same vantage
    (for an outsider: from any member, at that port) a refusal may just mean that the target is down. Null where the answer says
    nothing about anything: a port of a wide window that no node uses. C(off): nobody is to answer, so that none is needed.
    """
    probe = answer.probe
    where = f" at stage {answer.stage}" if answer.stage else ""
    if not answer.code:
        return Outcome(answer, NOT_TESTED, answer.message)
    if got_past(answer, attack.stage):
        return Outcome(answer, SUCCEEDED, f"{answer.code}{where}")
    if answer.code not in attack.refused:
        return Outcome(answer, NOT_TESTED, f"stopped by something else: {answer.code}{where}")
    if attack.stage == "connect" and not off:
        proofs = [proof for (_source, target), proof in connected.items() if target == probe.target]
        if not proofs:
            return Outcome(answer, NOT_TESTED, f"{answer.code}, but no member reaches that node either")
        if attack.aim == "node" and probe.port not in {proof.port for proof in proofs}:
            return None
    elif not off and (probe.source, probe.target) not in connected:
        return Outcome(answer, NOT_TESTED, f"{answer.code}, but the honest connection from there does not work either")
    return Outcome(answer, REFUSED, answer.code)


def _outcomes(evidence: Evidence) -> list[Outcome]:
    connected = {
        (answer.probe.source, answer.probe.target): answer
        for answer in evidence.answers
        if answer.probe.control in (CONNECT, SELF) and answer.code == "connected"
    }
    outcomes = []
    for answer in evidence.answers:
        attack = probes.attack_of(answer.probe)
        outcome = judge(answer, attack, connected, _off(evidence)) if attack else None
        if outcome:
            outcomes.append(outcome)
    return outcomes


def _line(outcome: Outcome) -> str:
    probe = outcome.answer.probe
    port = outcome.answer.port or probe.port
    at = f"{probe.address}:{port}" if port else probe.address
    return f"{probe.source or probe.vantage} -> {probe.target} at {at} ({probe.network}): {outcome.why}"


def _expected(evidence: Evidence) -> Iterator[Probe]:
    addresses = addresses_of(evidence.hosts)
    for member in _running_nodes(evidence):
        yield from probes.attack_probes(evidence.plan, member["host"], member["node"], addresses)
    for outsider in evidence.outsiders:
        yield from probes.attack_probes(evidence.plan, outsider, "", addresses)


def _attack_findings(evidence: Evidence, outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    expected: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for probe in _expected(evidence):
        expected.setdefault((probe.control, probe.target), set()).add((probe.source or probe.vantage, probe.address))
    by_subject: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        by_subject.setdefault((outcome.answer.probe.control, outcome.answer.probe.target), []).append(outcome)
    for attack in ATTACKS:
        for member in _running_nodes(evidence):
            node = member["node"]
            hosts = _hosts_of(evidence, node)
            wanted = expected.get((attack.id, node), set())
            mine = by_subject.get((attack.id, node), [])
            got_in = [_line(outcome) for outcome in mine if outcome.status == SUCCEEDED]
            unclear = [_line(outcome) for outcome in mine if outcome.status == NOT_TESTED]
            seen = {(o.answer.probe.source or o.answer.probe.vantage, o.answer.probe.address) for o in mine}
            unclear += [f"{vantage} -> {node} at {address}: no probe was made" for vantage, address in sorted(wanted - seen)]
            if got_in:
                yield Finding(attack.id, FAILED, hosts, node, tuple(got_in))
            elif evidence.untested:
                yield Finding(attack.id, NOT_TESTED, hosts, node, (evidence.untested,))
            elif attack.vantage == "outside" and not evidence.outsiders:
                yield Finding(attack.id, NOT_TESTED, hosts, node, ("nobody outside the cluster could try",))
            elif unclear:
                yield Finding(attack.id, NOT_TESTED, hosts, node, tuple(unclear))
            elif not wanted:
                yield Finding(attack.id, NOT_APPLICABLE, hosts, node, (_why_none(evidence, attack),))
            else:
                yield Finding(attack.id, PASSED, hosts, node, (f"refused {len(seen)} of {len(seen)}",))


def _why_none(evidence: Evidence, attack: Attack) -> str:
    if _off(evidence):
        return _OFF
    if not evidence.plan["tls"] and attack.present in probes.NEED_TLS:
        return _CLEAR
    if attack.network == "public":
        return "the host has no other address"
    if attack.vantage == "user":
        return _EXTERNAL
    if attack.present == "old_tls":
        return "beam_tls_versions lists TLS 1.2"
    return "the cluster has one host only"

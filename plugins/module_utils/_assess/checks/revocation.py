# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of certificate revocation lists: what lies in the files of a node, and whether it uses them.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..._model.host_facts import Certificate, Crl
from ..._model.observation import Observation
from ..._model.revocation_rules import DAYS_MIN
from ..._model.times import epoch_of
from ..finding import FAILED, NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Evidence, Finding, Result, result
from ..target import CLEAR_TEXT, NEEDS_PLAN, NO_CRL, OFF, NodeTarget, Target

CONTROL = "revocation-lists"
CHECKING = ("peer", "true")
"""Values of crl_check with which a certificate without a CRL is refused."""

_DAY = 86400


def revocation_findings(evidence: Evidence) -> Iterator[Finding]:
    target = evidence.target
    for node in target.running:
        hosts = target.hosts_of(node.node)
        why = _not_applicable(target)
        if why:
            yield Finding(CONTROL, NOT_APPLICABLE, hosts, node.node, (why,))
            continue
        seen = evidence.seen.get(node.host)
        files = lists(seen, node, evidence.epoch)
        problems, unknown = checking(evidence, node)
        if files.status == FAILED or problems:
            yield Finding(CONTROL, FAILED, hosts, node.node, (*(files.details if files.status == FAILED else ()), *problems))
        elif files.status == NOT_TESTED or unknown:
            yield Finding(CONTROL, NOT_TESTED, hosts, files.subject, (*(files.details if files.status == NOT_TESTED else ()), *unknown))
        else:
            yield Finding(CONTROL, files.status, hosts, node.node, files.details)


def _not_applicable(target: Target) -> str:
    if target.off:
        return OFF
    if not target.planned:
        return NEEDS_PLAN
    if not target.tls:
        return CLEAR_TEXT
    return "" if target.crl else NO_CRL


def of_node(seen: Observation, node: NodeTarget) -> list[Crl]:
    """The files in the CRL directory of a node."""
    return [one for one in seen.crls or () if one.path.startswith(f"{node.directory}/crl/")]


def signers(bundle: Iterable[Certificate]) -> list[Certificate]:
    """The CAs that sign certificates of nodes: not one that has signed the certificate of another CA here. A node looks up the CRL of the peer's own
    certificate only.
    """
    cas = list(bundle)
    return [one for one in cas if not any(one is not other and one.issued(other) and not other.self_issued for other in cas)]


def lists(seen: Observation | None, node: NodeTarget, now: float) -> Result:
    """Whether each CA of a node has a CRL that is valid for long enough."""
    if seen is None:
        return Result(node.host, NOT_TESTED, (NOT_OBSERVED,))
    bundle = [one for one in seen.certificates or () if one.path == node.ca_file]
    if seen.crls is None or not bundle:
        return Result(node.node, NOT_TESTED, ("its CRLs were not read" if seen.crls is None else f"{node.ca_file} was not read",))
    files = of_node(seen, node)
    problems = [f"{one.path} is no CRL" for one in files if not one.issuer]
    problems += [f"the certificate of the node is revoked by {one.path}: members refuse it" for one in files if one.own]
    ends = []
    for ca in signers(bundle):
        own = [one for one in files if one.issuer == ca.subject and one.found]
        if not own:
            problems.append(f"{node.directory}/crl has no CRL of {ca.subject}: the node refuses all certificates of this CA")
        for one in own:
            end, begin = epoch_of(one.next_update), epoch_of(one.this_update)
            ends.append(now if end is None else end)
            if end is None or end <= now:
                problems.append(f"{one.path} ended at {one.next_update or 'no time'}: the node refuses all certificates of {ca.subject}")
            elif end - now < DAYS_MIN * _DAY:
                problems.append(f"{one.path} ends in {(end - now) / _DAY:.1f} days, at {one.next_update}: then the node refuses everybody")
            if begin is not None and begin > now:
                problems.append(f"{one.path} is not valid before {one.this_update}")
    return result(node.node, problems, f"{(min(ends, default=now) - now) / _DAY:.0f} days left")


def checking(evidence: Evidence, node: NodeTarget) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong with the options that the running node has, and what is not known of them."""
    view = evidence.views.get(node.node)
    said = view.in_force if view and view.code == "connected" else None
    if said is None or said.server is None or said.client is None:
        return (), ("was not asked whether it checks CRLs",)
    wrong = [(side, one.crl_check) for side, one in (("server", said.server), ("client", said.client)) if one.crl_check not in CHECKING]
    return tuple(f"as {side} crl_check is {value or 'not set'}, not peer: a revoked certificate passes" for side, value in wrong), ()

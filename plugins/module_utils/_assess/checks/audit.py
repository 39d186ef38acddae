# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the assessment itself: what was looked at, the waivers, the policy.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..._model.waivers import Waiver
from ..audit_reached_hosts import UNPRIVILEGED
from ..controls import BY_ID
from ..finding import FAILED, NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, PASSED, Evidence, Finding
from ..policy import Policy, differences, does, where_epmd
from ..target import HostTarget
from .on_hosts import COVERAGE, IN_CONTAINER, NO_BEAM, NO_NODE

WAIVERS, POLICY = "waivers", "policy"
CONTROLS = (COVERAGE, WAIVERS, POLICY)


def coverage_findings(evidence: Evidence) -> Iterator[Finding]:
    for host in evidence.target.hosts.values():
        if not host.in_run:
            continue
        status, detail = _coverage(evidence, host)
        yield Finding(COVERAGE, status, (host.name,), host.name, (detail,))
        for node in host.contained:
            yield Finding(COVERAGE, NOT_TESTED, (host.name,), node.node, (f"{IN_CONTAINER} (product {node.product}, user {node.user})",))


def _coverage(evidence: Evidence, host: HostTarget) -> tuple[str, str]:
    reach = evidence.reach.get(host.name)
    if reach is not None and not reach.reached:
        return NOT_TESTED, f"not reached: {reach}"
    if not evidence.seen.get(host.name):
        return NOT_TESTED, NOT_OBSERVED
    if reach is not None and reach.state == UNPRIVILEGED:
        return NOT_TESTED, f"{reach}: owners of sockets, units' environments, firewall rules and secret files are not known"
    if host.bare:
        return PASSED, NO_BEAM
    return PASSED, f"read as root: {len(host.nodes)} {'node' if len(host.nodes) == 1 else 'nodes'}"


def completed(evidence: Evidence, found: Sequence[Finding]) -> Iterator[Finding]:
    """An answer of every control for hosts without a node: checks that go node by node have none for them."""
    answered: dict[str, set[str]] = {}
    for finding in found:
        for name in finding.hosts:
            answered.setdefault(name, set()).add(finding.control)
    for host in evidence.target.hosts.values():
        if host.in_run and not host.nodes:
            observed = bool(evidence.seen.get(host.name))
            why = (NOT_APPLICABLE, NO_BEAM if host.bare else NO_NODE) if observed else (NOT_TESTED, NOT_OBSERVED)
            for control in BY_ID:
                if BY_ID[control].audit_only and evidence.target.planned:
                    continue
                if control not in answered.get(host.name, ()) and control not in CONTROLS:
                    yield Finding(control, why[0], (host.name,), host.name, (why[1],))


def waiver_findings(evidence: Evidence, waivers: Sequence[Waiver], unused: Sequence[Waiver]) -> Iterator[Finding]:
    """unused: waivers that cover nothing. Where part of the hosts is left out of a run, what they cover may be there."""
    whole = all(host.in_run for host in evidence.target.hosts.values())
    idle = [f"covers nothing: {waiver.control}{f' on {waiver.host}' if waiver.host else ''} ({waiver.reason})" for waiver in unused if whole]
    for number, problem in enumerate([*evidence.waiver_errors, *idle], start=1):
        yield Finding(WAIVERS, FAILED, (), f"waiver-{number}", (problem,))
    if waivers and not evidence.waiver_errors and not idle:
        yield Finding(WAIVERS, PASSED, (), "waivers", (f"{len(waivers)} in use",))


def policy_findings(evidence: Evidence) -> Iterator[Finding]:
    for host in evidence.target.hosts.values() if evidence.policy else ():
        if host.in_run and evidence.policy:
            yield from _held_to(evidence.policy, evidence, host)


def _held_to(policy: Policy, evidence: Evidence, host: HostTarget) -> Iterator[Finding]:
    seen = evidence.seen.get(host.name)
    if not seen:
        yield Finding(POLICY, NOT_TESTED, (host.name,), host.name, (NOT_OBSERVED,))
        return
    if host.bare:
        yield Finding(POLICY, NOT_APPLICABLE, (host.name,), host.name, (NO_BEAM,))
        return
    epmd = where_epmd(host, seen)
    if policy.epmd is not None:
        good = epmd == policy.epmd
        detail = f"epmd is {epmd or 'not known'}" + ("" if good else f"; the policy says {policy.epmd}")
        yield Finding(POLICY, PASSED if good else NOT_TESTED if epmd is None else FAILED, (host.name,), host.name, (detail,))
    for node in host.nodes:
        wanted = policy.nodes.get(node.product)
        if wanted is None:
            yield Finding(POLICY, NOT_APPLICABLE, (host.name,), node.node, (f"the policy has no product {node.product}",))
            continue
        found = list(differences(wanted, does(node, seen, evidence.answers)))
        wrong = [text for text, known in found if known]
        status = FAILED if wrong else NOT_TESTED if found else PASSED
        yield Finding(POLICY, status, (host.name,), node.node, tuple(wrong or [text for text, _known in found]) or ("as the policy says",))

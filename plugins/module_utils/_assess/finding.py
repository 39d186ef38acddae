# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of an assessment: evidence in, findings, outcomes of attacks and the verdict out.

Private to this collection, pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from .._model.advisories import Advisory
from .._model.host_facts import Certificate
from .._model.observation import Observation
from .._model.running_node import InForce, Link
from .._model.waivers import Waiver
from .audit_reached_hosts import Reach
from .baseline import Baseline
from .controls import BY_ID, SEVERITIES
from .policy import Policy
from .probes import CONNECT, FULL, Answer, Questions, Scope
from .score import Score
from .target import Target
from .vulnerability_table import VulnerabilityTable

PASSED, FAILED, NOT_TESTED, NOT_APPLICABLE, WAIVED = "passed", "failed", "not_tested", "not_applicable", "waived"
REFUSED, SUCCEEDED = "refused", "succeeded"
NEVER = "never"
NOT_OBSERVED = "the host was not observed"


class Result(NamedTuple):
    """The result of one check for one subject (a host or a node)."""

    subject: str
    status: str
    details: tuple[str, ...]


def result(subject: str, problems: Sequence[str], good: str) -> Result:
    """FAILED with the problems, or PASSED where there is none."""
    return Result(subject, FAILED, tuple(problems)) if problems else Result(subject, PASSED, (good,))


@dataclass(frozen=True)
class Finding:
    """The result of one control for one subject (a host, a node, or a pair of nodes).

    succeeded: an attack did. cause: the control whose failure explains this finding, empty where there is none; cause_subject: the subject of that
    failure, then this finding is a symptom of it (causes.py). waiver: why it may fail; then the status is WAIVED, and waived_status is the status
    that it had.
    """

    control: str
    status: str
    hosts: tuple[str, ...]
    subject: str
    details: tuple[str, ...] = ()
    succeeded: bool = False
    cause: str = ""
    waiver: str = ""
    waived_status: str = ""
    cause_subject: str = ""

    @property
    def severity(self) -> str:
        return BY_ID[self.control].severity

    @property
    def bad(self) -> bool:
        """Whether it fails the play."""
        return self.status in (FAILED, NOT_TESTED)

    @property
    def fingerprint(self) -> str:
        """What it is about, the same in every report: SHA-256 of control, hosts (sorted, with a comma between) and subject, a line each."""
        return hashlib.sha256("\n".join((self.control, ",".join(sorted(self.hosts)), self.subject)).encode()).hexdigest()

    @property
    def symptom(self) -> bool:
        """Whether it fails, and another finding of the verdict says why."""
        return self.bad and bool(self.cause_subject)

    @property
    def subjects(self) -> frozenset[str]:
        """Every host and node that it is about."""
        return frozenset((*self.hosts, *self.subject.split()))


def advisory(raw: Mapping[str, object], host: str = "") -> Advisory:
    """From an advisory of the plan or of another role. What has an unknown severity is for information."""
    severity, control = str(raw.get("severity") or ""), str(raw.get("cve") or raw.get("control") or "")
    return Advisory(
        control=control,
        severity=severity if severity in SEVERITIES else "info",
        host=str(raw.get("host") or host),
        title=str(raw.get("title") or "").removeprefix(f"{control}: "),
        detail=str(raw.get("detail") or ""),
        fix=str(raw.get("fix") or (f"Fixed in {raw['fixed_in']}." if raw.get("fixed_in") else "")),
    )


@dataclass(frozen=True)
class Outcome:
    """The outcome of one attack: refused, succeeded or not_tested, and why. cause: as in Finding."""

    answer: Answer
    status: str
    why: str
    cause: str = ""


@dataclass(frozen=True)
class NodeView:
    """What a node says of itself, by mesh_info. code: "connected" where it could be asked. visible, hidden: its nodes(); settings: see mesh_checks;
    in_force: see running_node_checks.

    None is what it did not say.
    """

    code: str
    visible: frozenset[str] | None = None
    hidden: frozenset[str] | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    in_force: InForce | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, object]) -> NodeView:
        visible, hidden = raw.get("visible"), raw.get("hidden")
        return cls(
            code=str(raw.get("code") or "connected"),
            visible=frozenset(map(str, visible)) if isinstance(visible, (list, tuple)) else None,
            hidden=frozenset(map(str, hidden)) if isinstance(hidden, (list, tuple)) else None,
            settings={str(key): value for key, value in raw.items() if key not in ("node", "code", "visible", "hidden", "in_force")},
            in_force=InForce.parse(raw.get("in_force")),
        )


@dataclass(frozen=True)
class OtherClusters:
    """The cookies of the inventory's other clusters: their hosts by the mark of the cookie (secret_rules.mark), and hosts with an unknown one."""

    marks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """Everything that a verdict is made from.

    seen: one observation for each host that was looked at. answers: results of the probes. views: by node. outsiders: hosts outside the cluster that
    attacked, empty where there was none. links: the established links of each host, by its kernel. epoch: now, in seconds, by the controller's
    clock. untested: why no attack was made at all (check mode). table: the known vulnerabilities; table_given: it is the operator's, not the
    collection's. reach: of an audit, how far each host could be looked at. asked: the probes that were to be made, None for those that a plan asks
    for. waiver_errors: mistakes in the waivers. policy: what nodes are held to (policy.py), None without one.
    authorities: certificates of the cluster's CA, root and intermediate, as its owner has them; None where they are not known.
    others: the other clusters of the inventory.
    """

    target: Target
    seen: Mapping[str, Observation]
    answers: Sequence[Answer]
    views: Mapping[str, NodeView]
    outsiders: Sequence[str]
    epoch: float
    untested: str = ""
    advisories: Sequence[Advisory] = ()
    scope: Scope = FULL
    table: VulnerabilityTable | None = None
    table_given: bool = False
    links: Mapping[str, Sequence[Link]] = field(default_factory=dict)
    reach: Mapping[str, Reach] = field(default_factory=dict)
    asked: Questions | None = None
    waiver_errors: Sequence[str] = ()
    policy: Policy | None = None
    authorities: Sequence[Certificate] | None = None
    others: OtherClusters = field(default_factory=OtherClusters)

    @cached_property
    def questions(self) -> Questions:
        """The probes that the target asks for."""
        if self.asked is not None:
            return self.asked
        addresses = {name: tuple(one.address for one in seen.addresses) for name, seen in self.seen.items() if seen.addresses is not None}
        return Questions(self.target, addresses, self.scope)

    @cached_property
    def connections(self) -> Mapping[tuple[str, str], Answer]:
        """Honest connections by (source, target), whatever became of them."""
        return {(answer.probe.source, answer.probe.target): answer for answer in self.answers if answer.probe.control == CONNECT}

    @cached_property
    def shown_by(self) -> Mapping[str, tuple[Mapping[str, object], ...]]:
        """The certificates that nodes showed to anybody, by node. One that the probe refused was shown all the same."""
        found: dict[str, list[Mapping[str, object]]] = {}
        for answer in self.answers:
            if answer.tls and answer.tls.peer:
                found.setdefault(answer.probe.target, []).append(answer.tls.peer)
        return {node: tuple(peers) for node, peers in found.items()}

    @cached_property
    def connected_to(self) -> Mapping[str, tuple[Answer, ...]]:
        """Honest connections by target, as far as there was an answer."""
        found: dict[str, list[Answer]] = {}
        for (_source, target), answer in self.connections.items():
            found.setdefault(target, []).append(answer)
        return {target: tuple(answers) for target, answers in found.items()}


@dataclass(frozen=True)
class Coverage:
    """How much of the mesh was probed. pairs: ordered pairs of nodes that there are, probed: those that were."""

    pairs: int
    probed: int
    scope: Scope

    @property
    def complete(self) -> bool:
        return self.probed >= self.pairs

    def __str__(self) -> str:
        if self.complete:
            return f"all {self.pairs} ordered pairs of nodes were probed"
        return (
            f"{self.probed} of {self.pairs} ordered pairs of nodes were probed: above beam_verify_pairs_max ({self.scope.pairs_max}), "
            f"{self.scope.vantages} members connect to and attack each node (beam_verify_vantages), and each node's nodes() shows the other links"
        )


@dataclass(frozen=True)
class Verdict:
    """Everything that a report shows. advisories_fail_at: lowest severity at which an advisory fails, or NEVER. waived: why an advisory is accepted.

    reach: how far each host could be looked at, empty where a plan names the hosts. score: None where nobody asked for it. baseline: what changed
    since an earlier report, None without one.
    """

    target: Target
    findings: tuple[Finding, ...]
    advisories: tuple[Advisory, ...]
    waived: Mapping[Advisory, str]
    outcomes: tuple[Outcome, ...]
    connections: Mapping[tuple[str, str], Answer]
    waivers: tuple[Waiver, ...]
    unused_waivers: tuple[Waiver, ...]
    advisories_fail_at: str
    outsiders: tuple[str, ...]
    coverage: Coverage
    reach: Mapping[str, Reach] = field(default_factory=dict)
    score: Score | None = None
    baseline: Baseline | None = None

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.bad]

    @property
    def failing_advisories(self) -> list[Advisory]:
        if self.advisories_fail_at == NEVER:
            return []
        floor = SEVERITIES.index(self.advisories_fail_at)
        return [advisory for advisory in self.advisories if SEVERITIES.index(advisory.severity) >= floor and advisory not in self.waived]

    @property
    def ok(self) -> bool:
        return not self.failures and not self.failing_advisories

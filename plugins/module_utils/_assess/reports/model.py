# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict as a reader needs it: causes with their symptoms, gaps with their reason, days left, attacks by node. All outputs are made from this.

Private to this collection, pure.
"""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..._model.advisories import Advisory
from ..._model.times import epoch_of
from ..attacks import ATTACKS, Attack
from ..controls import BY_ID, SEVERITIES, Control
from ..finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, REFUSED, SUCCEEDED, WAIVED, Finding, Outcome, Verdict
from ..probes import CONNECT, Answer

NODES_LISTED_MAX = 12
"""Nodes up to which every pair and every attack is listed. Above, what is as it should be is counted."""

LIFETIME = "certificate-lifetime"
"""The control of the days left."""

WORDS = {PASSED: "ok", FAILED: "FAILED", NOT_TESTED: "NOT TESTED", NOT_APPLICABLE: "not applicable", WAIVED: "waived"}
WORST_FIRST = (FAILED, NOT_TESTED, WAIVED, PASSED, NOT_APPLICABLE)

_ORDER = {control: number for number, control in enumerate(BY_ID)}


def when(epoch: float) -> str:
    return datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def fingerprint_of_advisory(advisory: Advisory) -> str:
    """Two advisories of one host may have the same name: the title tells them apart."""
    return hashlib.sha256("\n".join((advisory.control, advisory.host, advisory.title)).encode()).hexdigest()


@dataclass(frozen=True)
class Fault:
    """One control that failed. findings: its failures. symptoms: failures and gaps of other controls that it causes."""

    control: Control
    findings: tuple[Finding, ...]
    symptoms: tuple[Finding, ...]

    def symptoms_text(self) -> str:
        """How many symptoms there are of which controls; empty where there are none."""
        if not self.symptoms:
            return ""
        counts = Counter(finding.control for finding in self.symptoms)
        return ", ".join(f"{control} ({count})" if count > 1 else control for control, count in counts.items())


@dataclass(frozen=True)
class Gap:
    """Controls that were not tested for one reason."""

    reason: str
    findings: tuple[Finding, ...]

    @property
    def controls(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.control for finding in self.findings))

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.subject for finding in self.findings))


@dataclass(frozen=True)
class Lifetime:
    """The certificate that a node showed. until: its end (ISO 8601), days: until then. Both None where no member was shown one."""

    node: str
    until: str | None
    days: float | None


class _Causes:
    """Finds the finding that another one is a symptom of: of the control in `cause`, about the subject in `cause_subject` or about its own."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self._of: dict[tuple[str, str], Finding] = {}
        for finding in findings:
            for subject in (finding.subject, *sorted(finding.subjects)):
                self._of.setdefault((finding.control, subject), finding)

    def _parent(self, finding: Finding) -> Finding | None:
        named = (finding.cause_subject,) if finding.cause_subject else (finding.subject, *sorted(finding.subjects))
        for subject in named if finding.cause else ():
            found = self._of.get((finding.cause, subject))
            if found is not None and found is not finding:
                return found
        return None

    def root(self, finding: Finding) -> Finding:
        """The finding itself where its cause is none of the findings, or where causes form a circle."""
        seen, at = [finding], finding
        while (parent := self._parent(at)) is not None:
            if any(parent is one for one in seen):
                return finding
            seen.append(parent)
            at = parent
        return at


def reason_of(finding: Finding) -> str:
    return f"{finding.cause} fails" if finding.cause else "; ".join(finding.details)


def _number(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def fold(findings: Sequence[Finding]) -> tuple[tuple[Fault, ...], tuple[Gap, ...]]:
    """Failures by control, the worst and those with most symptoms first; what is left and was not tested, by reason."""
    causes = _Causes(findings)
    failed: dict[str, list[Finding]] = {}
    symptoms: dict[str, list[Finding]] = {}
    gaps: dict[str, list[Finding]] = {}
    for finding in findings:
        root = causes.root(finding)
        if root is not finding and root.status == FAILED:
            symptoms.setdefault(root.control, []).append(finding)
        elif finding.status == FAILED:
            failed.setdefault(finding.control, []).append(finding)
        else:
            gaps.setdefault(reason_of(root if root is not finding else finding), []).append(finding)
    faults = [Fault(BY_ID[name], tuple(found), tuple(symptoms.get(name, ()))) for name, found in failed.items()]
    faults.sort(key=lambda fault: (-SEVERITIES.index(fault.control.severity), -len(fault.symptoms), _ORDER[fault.control.id]))
    return tuple(faults), tuple(Gap(reason, tuple(found)) for reason, found in gaps.items())


@dataclass(frozen=True)
class Report:
    """A verdict, and when it was made (seconds since the epoch).

    more: keys that the JSON report has beside those of every report. version: of this collection, empty where it is not known.
    """

    verdict: Verdict
    epoch: float
    more: Mapping[str, object] = field(default_factory=dict)
    version: str = ""

    @property
    def planned(self) -> bool:
        """Whether a plan says who is a member. Without one there is no mesh to show."""
        return self.verdict.target.planned

    @property
    def name(self) -> str:
        if self.planned:
            return f"Cluster {self.verdict.target.group or 'without a name'}"
        return f"Audit of {_number(len(self.verdict.target.hosts), 'host')}"

    @property
    def listed(self) -> bool:
        """Whether every pair and every attack is listed, or what is as it should be counted."""
        return len(self.nodes) <= NODES_LISTED_MAX

    @property
    def result(self) -> str:
        return "passed" if self.verdict.ok else "failed"

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        return tuple(node.node for node in self.verdict.target.members)

    @cached_property
    def _folded(self) -> tuple[tuple[Fault, ...], tuple[Gap, ...]]:
        return fold(self.verdict.failures)

    @property
    def faults(self) -> tuple[Fault, ...]:
        return self._folded[0]

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return self._folded[1]

    @cached_property
    def waived(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.verdict.findings if finding.status == WAIVED)

    @cached_property
    def counts(self) -> Counter[str]:
        return Counter(finding.status for finding in self.verdict.findings)

    @property
    def summary(self) -> str:
        return ", ".join(f"{self.counts[status]} {word.lower()}" for status, word in WORDS.items() if self.counts[status])

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        causes, follow, others = len(self.faults), sum(len(fault.symptoms) for fault in self.faults), len(self.verdict.failing_advisories)
        parts = [self.summary]
        if follow:
            parts.append(f"{_number(causes, 'cause')}, from which {_number(follow, 'result')} follow{'s' if follow == 1 else ''}")
        if others:
            parts.append(f"{_number(others, 'advisory', 'advisories')} at or above {self.verdict.advisories_fail_at}")
        return f"{self.result.upper()}: {'; '.join(parts)}"

    @cached_property
    def bad_pairs(self) -> frozenset[str]:
        return frozenset(finding.subject for finding in self.verdict.findings if finding.control == CONNECT and finding.status != PASSED)

    @cached_property
    def lifetimes(self) -> tuple[Lifetime, ...]:
        """Of the nodes in the run, the one that ends first in front."""
        if not self.verdict.target.tls:
            return ()
        ends: dict[str, tuple[float, str]] = {}
        for (_source, target), answer in self.verdict.connections.items():
            text = answer.tls.peer.get("not_after") if answer.tls and answer.tls.peer else None
            end = epoch_of(text)
            if end is not None:
                ends[target] = min(ends.get(target, (end, str(text))), (end, str(text)))
        found = []
        for node in self.verdict.target.running:
            at = ends.get(node.node)
            found.append(Lifetime(node.node, at[1] if at else None, (at[0] - self.epoch) / 86400 if at else None))
        return tuple(sorted(found, key=lambda one: (one.days is not None, one.days or 0.0)))

    @cached_property
    def findings_of(self) -> Mapping[str, tuple[Finding, ...]]:
        """By control, in the order of the controls."""
        found: dict[str, list[Finding]] = {}
        for finding in self.verdict.findings:
            found.setdefault(finding.control, []).append(finding)
        return {control: tuple(findings) for control, findings in found.items()}

    @cached_property
    def outcomes_at(self) -> Mapping[tuple[str, str], tuple[Outcome, ...]]:
        """By attack and attacked node."""
        found: dict[tuple[str, str], list[Outcome]] = {}
        for outcome in self.verdict.outcomes:
            probe = outcome.answer.probe
            found.setdefault((probe.control, probe.target), []).append(outcome)
        return {key: tuple(outcomes) for key, outcomes in found.items()}

    def attack_status(self, attack: Attack, node: str) -> tuple[str, Counter[str]]:
        """Status of the control of this attack at this node, and the outcomes in numbers."""
        key = (attack.id, node)
        return self._attack_findings.get(key, NOT_APPLICABLE), Counter(one.status for one in self.outcomes_at.get(key, ()))

    @cached_property
    def _attack_findings(self) -> Mapping[tuple[str, str], str]:
        names = {attack.id for attack in ATTACKS}
        return {(finding.control, finding.subject): finding.status for finding in self.verdict.findings if finding.control in names}

    @cached_property
    def attacks(self) -> tuple[tuple[Attack, str, Counter[str]], ...]:
        """Every attack with its worst status and all outcomes in numbers."""
        counts: dict[str, Counter[str]] = {attack.id: Counter() for attack in ATTACKS}
        for outcome in self.verdict.outcomes:
            counts[outcome.answer.probe.control][outcome.status] += 1
        return tuple((attack, worst(self.findings_of.get(attack.id, ())), counts[attack.id]) for attack in ATTACKS)

    @property
    def shown_outcomes(self) -> list[Outcome]:
        """Every outcome of a small cluster; of a large one those that are not a refusal."""
        return [outcome for outcome in self.verdict.outcomes if self.listed or outcome.status != REFUSED]

    @cached_property
    def advisories(self) -> tuple[Advisory, ...]:
        """The worst in front."""
        return tuple(sorted(self.verdict.advisories, key=lambda advisory: -SEVERITIES.index(advisory.severity)))


def worst(findings: Iterable[Finding]) -> str:
    found = {finding.status for finding in findings}
    return next((status for status in WORST_FIRST if status in found), NOT_APPLICABLE)


def outcomes_text(counts: Counter[str], otherwise: str) -> str:
    """`6 of 6 refused`; the other text where nothing was tried."""
    tried = sum(counts.values())
    text = f"{counts[REFUSED]} of {tried} refused" if tried else otherwise
    text += f", {counts[SUCCEEDED]} SUCCEEDED" if counts[SUCCEEDED] else ""
    return text + (f", {counts[NOT_TESTED]} not tested" if counts[NOT_TESTED] else "")


def version_text(version: str | None) -> str:
    """`tlsv1.3` as people write it."""
    return version.replace("tlsv", "TLS ") if version else "plain TCP"


def connection_text(answer: Answer | None) -> str:
    if answer is None:
        return "no probe"
    if not answer.connected:
        return answer.code
    return version_text(answer.tls.version if answer.tls else None) + (f" {answer.milliseconds:.0f} ms" if answer.milliseconds is not None else "")

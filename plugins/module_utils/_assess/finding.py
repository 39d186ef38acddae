# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verdict is made of: evidence, findings, advisories, outcomes of attacks, waivers. Values only; private to this collection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from .controls import BY_ID, SEVERITIES
from .probes import Answer

PASSED, FAILED, NOT_TESTED, NOT_APPLICABLE, WAIVED = "passed", "failed", "not_tested", "not_applicable", "waived"
REFUSED, SUCCEEDED = "refused", "succeeded"


@dataclass(frozen=True)
class Evidence:
    """All that a verdict stands on.

    C(plan): the value of C(beam_plan). C(hosts): C({host: {observed, units, advisories}}), where C(observed) is what
    M(beam.cluster.observe) found, C(units) is C({unit: {show, security}}) with the text of C(systemctl show) and
    C(systemd-analyze security), and C(advisories) are findings of other roles. C(answers): what the probes brought.
    C(mesh): C({node: {code, visible, hidden, ticktime, ...}}) as M(beam.cluster.mesh_info) tells it. C(outsiders): names of the hosts outside
    the cluster that attacked; empty when there was none. C(epoch): now, in seconds, by the controller's clock. C(untested): why attacks were not
    made at all (check mode), empty otherwise.
    """

    plan: Mapping[str, Any]
    hosts: Mapping[str, Mapping[str, Any]]
    answers: Sequence[Answer]
    mesh: Mapping[str, Mapping[str, Any]] | None
    outsiders: Sequence[str]
    epoch: float
    untested: str = ""


@dataclass(frozen=True)
class Finding:
    """The answer of one control for one subject (a host, a node, or a pair of nodes)."""

    control: str
    status: str
    hosts: tuple[str, ...]
    subject: str
    details: tuple[str, ...] = ()
    reason: str = ""

    @property
    def severity(self) -> str:
        return BY_ID[self.control].severity

    @property
    def bad(self) -> bool:
        """Whether it fails the play."""
        return self.status in (FAILED, NOT_TESTED)


@dataclass(frozen=True)
class Advisory:
    """A finding of another role: true, and not in the operator's power to mend by running this again (a known vulnerability)."""

    control: str
    severity: str
    host: str
    title: str
    detail: str = ""
    fix: str = ""
    waived: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of one attack probe: refused, succeeded or not_tested, and why."""

    answer: Answer
    status: str
    why: str


@dataclass(frozen=True)
class Waiver:
    """A control that is allowed to fail, on a host or everywhere, for a reason, until a day (included)."""

    control: str
    reason: str
    until: str
    host: str = ""

    def covers(self, finding: Finding | Advisory) -> bool:
        if self.control != finding.control or not self.host:
            return self.control == finding.control
        if isinstance(finding, Advisory):
            return self.host == finding.host
        return self.host in finding.hosts or self.host in finding.subject.split()

    def __str__(self) -> str:
        return f"{self.reason} (until {self.until})"


@dataclass(frozen=True)
class Verdict:
    """Everything that a report shows."""

    plan: Mapping[str, Any]
    findings: tuple[Finding, ...]
    advisories: tuple[Advisory, ...]
    outcomes: tuple[Outcome, ...]
    answers: tuple[Answer, ...]
    waivers: tuple[Waiver, ...]
    unused_waivers: tuple[Waiver, ...]
    fail_at: str
    outsiders: tuple[str, ...] = field(default=())

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.bad]

    @property
    def failing_advisories(self) -> list[Advisory]:
        if self.fail_at == "never":
            return []
        floor = SEVERITIES.index(self.fail_at)
        return [advisory for advisory in self.advisories if SEVERITIES.index(advisory.severity) >= floor and not advisory.waived]

    @property
    def ok(self) -> bool:
        return not self.failures and not self.failing_advisories

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From evidence to a verdict: every control for every subject of the target.

Private to this collection, pure. A control that nobody could look at is not tested, never passed: each check starts from what the target says must be
there, not from what happens to be in the evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from .._model.waivers import Waiver
from . import waivers as applied
from .causes import with_causes
from .checks import attacks as attack_checks
from .checks import audit_attacks as audit_attack_checks
from .checks import audit_default_cookies as default_cookie_checks
from .checks.advisories import advisory_findings, forwarding_advisories, vulnerability_advisories
from .checks.audit import CONTROLS as OF_THE_ASSESSMENT
from .checks.audit import completed, coverage_findings, policy_findings, waiver_findings
from .checks.between_hosts import inventory_findings
from .checks.certificates import pki_findings
from .checks.cookies import cookie_findings
from .checks.mesh import mesh_findings
from .checks.on_hosts import host_findings
from .checks.revocation import revocation_findings
from .checks.running_node import running_node_findings
from .controls import CONTROLS
from .finding import FAILED, NEVER, NOT_TESTED, PASSED, Coverage, Evidence, Finding, Outcome, Verdict
from .score import Score, score

_ORDER = {control.id: number for number, control in enumerate(CONTROLS)}


def evaluate(evidence: Evidence, waivers: Sequence[Waiver] = (), advisories_fail_at: str = NEVER) -> Verdict:
    """The verdict. Its time is linear in the answers. advisories_fail_at: lowest severity at which an advisory fails, or NEVER."""
    outcomes, attacked = _attacks(evidence)
    advisories = (*evidence.advisories, *forwarding_advisories(evidence), *vulnerability_advisories(evidence, advisories_fail_at))
    found = [*host_findings(evidence.target, evidence.seen), *mesh_findings(evidence), *running_node_findings(evidence)]
    found += [*pki_findings(evidence), *revocation_findings(evidence), *cookie_findings(evidence)]
    found += [*advisory_findings(evidence, advisories_fail_at), *inventory_findings(evidence), *attacked]
    found = with_causes(evidence, found, outcomes)
    found += [*coverage_findings(evidence), *policy_findings(evidence)]
    found += completed(evidence, found)
    unused = applied.unused(waivers, found, advisories)
    found += waiver_findings(evidence, waivers, unused)
    found.sort(key=lambda finding: _ORDER[finding.control])
    findings = tuple(applied.waive(finding, waivers) for finding in found)
    return Verdict(
        target=evidence.target,
        findings=findings,
        advisories=advisories,
        waived=applied.waived(advisories, waivers),
        outcomes=tuple(outcomes),
        connections=evidence.connections,
        waivers=tuple(waivers),
        unused_waivers=unused,
        advisories_fail_at=advisories_fail_at,
        outsiders=tuple(evidence.outsiders),
        coverage=_coverage(evidence),
        reach=evidence.reach,
        score=_score(findings),
    )


def _attacks(evidence: Evidence) -> tuple[list[Outcome], list[Finding]]:
    """With members' credentials the baseline of an attack is an honest connection. Where nobody said who is a member, there is none."""
    if evidence.target.planned:
        made = attack_checks.outcomes_of(evidence)
        return made, list(attack_checks.attack_findings(evidence, made))
    made = audit_attack_checks.outcomes(evidence)
    return made, [*audit_attack_checks.findings(evidence, made), *default_cookie_checks.findings(evidence)]


def _score(findings: Sequence[Finding]) -> Score:
    """What is accepted counts as what it is: a waiver makes no host better. Only what is not tested and not accepted withholds the score."""
    real = [(finding.waived_status or finding.status, finding) for finding in findings if finding.control not in OF_THE_ASSESSMENT]
    return score(
        (finding.severity for status, finding in real if status == PASSED),
        (finding.severity for status, finding in real if status == FAILED),
        sum(finding.status == NOT_TESTED for finding in findings),
    )


def _coverage(evidence: Evidence) -> Coverage:
    questions = evidence.questions
    if not questions.sampled:
        return Coverage(questions.pairs, questions.pairs, evidence.scope)
    probed = sum(len(questions.connected(node.node)) - 1 for node in evidence.target.running)
    return Coverage(questions.pairs, probed, evidence.scope)

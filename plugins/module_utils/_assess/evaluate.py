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
from .advisory_checks import advisory_findings, known_advisories
from .attack_checks import attack_findings, outcomes_of
from .controls import CONTROLS
from .cookie_checks import cookie_findings
from .finding import NEVER, Coverage, Evidence, Verdict
from .host_checks import host_findings
from .mesh_checks import mesh_findings
from .pki_checks import pki_findings

_ORDER = {control.id: number for number, control in enumerate(CONTROLS)}


def evaluate(evidence: Evidence, waivers: Sequence[Waiver] = (), fail_at: str = NEVER) -> Verdict:
    """The verdict. Its time is linear in the answers. fail_at: lowest severity at which an advisory fails, or NEVER."""
    outcomes = outcomes_of(evidence)
    found = [*host_findings(evidence.target, evidence.seen), *mesh_findings(evidence), *attack_findings(evidence, outcomes)]
    found += advisory_findings(evidence, fail_at)
    advisories = (*evidence.advisories, *known_advisories(evidence, fail_at))
    found += [*pki_findings(evidence), *cookie_findings(evidence)]
    found.sort(key=lambda finding: _ORDER[finding.control])
    return Verdict(
        target=evidence.target,
        findings=tuple(applied.waive(finding, waivers) for finding in found),
        advisories=advisories,
        waived=applied.waived(advisories, waivers),
        outcomes=tuple(outcomes),
        connections=evidence.connections,
        waivers=tuple(waivers),
        unused_waivers=applied.unused(waivers, found, advisories),
        fail_at=fail_at,
        outsiders=tuple(evidence.outsiders),
        coverage=_coverage(evidence),
    )


def _coverage(evidence: Evidence) -> Coverage:
    questions = evidence.questions
    if not questions.sampled:
        return Coverage(questions.pairs, questions.pairs, evidence.scope)
    probed = sum(len(questions.connected(node.node)) - 1 for node in evidence.target.running)
    return Coverage(questions.pairs, probed, evidence.scope)

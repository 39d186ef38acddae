# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers, applied to findings and advisories. The plan has read them (_model/waivers.py).

Private to this collection, pure. A waiver for "not tested" covers no failure, and without `status: failed` none covers an attack that succeeded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from .._model.advisories import Advisory
from .._model.waivers import Waiver
from .finding import WAIVED, Finding


def covers(waiver: Waiver, finding: Finding) -> bool:
    if not finding.bad or not waiver.covers_subject(finding.control, finding.subjects):
        return False
    return waiver.covers_status(finding.status, succeeded=finding.succeeded)


def covers_advisory(waiver: Waiver, advisory: Advisory) -> bool:
    return waiver.covers_subject(advisory.control, (advisory.host,))


def waive(finding: Finding, waivers: Sequence[Waiver]) -> Finding:
    """The finding as it is after the first waiver that covers it."""
    for waiver in waivers:
        if covers(waiver, finding):
            return replace(finding, status=WAIVED, waived_status=finding.status, waiver=str(waiver))
    return finding


def waived(advisories: Iterable[Advisory], waivers: Sequence[Waiver]) -> dict[Advisory, str]:
    """The advisories that are accepted, each with the first waiver that covers it."""
    found = {advisory: [str(waiver) for waiver in waivers if covers_advisory(waiver, advisory)] for advisory in advisories}
    return {advisory: reasons[0] for advisory, reasons in found.items() if reasons}


def unused(waivers: Sequence[Waiver], findings: Iterable[Finding], advisories: Iterable[Advisory]) -> tuple[Waiver, ...]:
    """Waivers that cover nothing. The findings are those before any waiver."""
    bad, notes = [finding for finding in findings if finding.bad], list(advisories)
    return tuple(
        waiver
        for waiver in waivers
        if not any(covers(waiver, finding) for finding in bad) and not any(covers_advisory(waiver, note) for note in notes)
    )

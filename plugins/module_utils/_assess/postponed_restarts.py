# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts that wait for the operator's window (beam_restart_window): what fails because of them is accepted until it opens.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._model.waivers import FAILED, Waiver
from .checks.processes import STALE
from .finding import Finding

OWNER = "beam_restart_window"


def waivers(restart_from: str, failures: Iterable[Finding]) -> list[Waiver]:
    """One for each failure that only says that a node was not restarted yet. What its old settings let happen is another control, and fails.

    restart_from: of the plan, as `Sat 2026-11-28 02:00 UTC`; empty where nothing waits.
    """
    if not restart_from:
        return []
    reason, day = f"restarts wait for the window, {restart_from}", restart_from.split()[1]
    return [Waiver(one.control, reason, day, one.subject, FAILED, OWNER) for one in failures if one.status == FAILED and _waits(one)]


def _waits(finding: Finding) -> bool:
    if finding.control == "running-process":
        return all(detail.endswith(STALE) for detail in finding.details)
    return finding.control in ("running-vm", "options-running")

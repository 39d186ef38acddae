# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: read, and applied to what failed. Private to this collection."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from typing import Any, Iterable, Mapping, Sequence

from .controls import BY_ID, NOTES
from .finding import WAIVED, Finding, Waiver

_CVE = re.compile(r"CVE-\d{4}-\d{4,}")


def read_waivers(raw: Sequence[Any], today: datetime.date, names: Iterable[str]) -> tuple[list[Waiver], list[str]]:
    """The waivers, and every error in them. C(names) are the hosts and nodes that a waiver can be about."""
    known = set(names)
    waivers: list[Waiver] = []
    errors: list[str] = []
    for number, entry in enumerate(raw, start=1):
        label = f"beam_waivers, entry {number}"
        if not isinstance(entry, Mapping):
            errors.append(f"{label}: is no mapping of control, host, reason, until")
            continue
        unknown = sorted(str(key) for key in set(entry) - {"control", "host", "reason", "until"})
        if unknown:
            errors.append(f"{label}: unknown key {', '.join(unknown)}; known are control, host, reason, until")
        control = str(entry.get("control") or "")
        host = str(entry.get("host") or "")
        reason = str(entry.get("reason") or "").strip()
        if control not in BY_ID and control not in NOTES and not _CVE.fullmatch(control):
            errors.append(f"{label}: there is no control {control!r}; docs/controls.md lists them")
        if host and host not in known:
            errors.append(f"{label}: {host!r} is no host and no node of this cluster")
        if not reason:
            errors.append(f"{label}: a waiver needs a reason")
        until = str(entry.get("until") or "")
        try:
            end = datetime.date.fromisoformat(until)
        except ValueError:
            errors.append(f"{label}: until must be a date such as 2027-01-31, not {until!r}")
        else:
            if end < today:
                errors.append(f"{label}: the waiver of {control} ended on {until}; mend what it waives, or decide anew")
        waivers.append(Waiver(control, reason, until, host))
    return waivers, errors


def _waive(finding: Finding, waivers: Sequence[Waiver]) -> Finding:
    waiver = next((w for w in waivers if w.covers(finding)), None) if finding.bad else None
    if waiver is None:
        return finding
    return replace(finding, status=WAIVED, reason=str(waiver), details=(finding.status, *finding.details))

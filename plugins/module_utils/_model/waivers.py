# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waivers: controls that may fail, for a reason, until a day. Read once, by the plan, before any host is touched.

Private to this collection. `read_waivers` validates the value of `beam_waivers`; `Waiver` says what it covers.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .problems import Problems, shown

VARIABLE = "beam_waivers"
KEYS = ("control", "host", "owner", "reason", "until", "status")
REQUIRED = ("control", "owner", "reason", "until")
FAILED, NOT_TESTED = "failed", "not_tested"
STATUSES = (NOT_TESTED, FAILED)

_CVE = re.compile(r"CVE-[0-9]{4}-[0-9]{4,}")


@dataclass(frozen=True)
class Waiver:
    """One waiver. `owner` answers for it. `until` is the last day on which it counts, as YYYY-MM-DD. `host` is a host or a node, empty for all.

    `status` is the status that it covers; empty covers both, but never an attack that succeeded.
    """

    control: str
    reason: str
    until: str
    host: str = ""
    status: str = ""
    owner: str = ""

    def covers_status(self, status: str, *, succeeded: bool = False) -> bool:
        """Whether a finding of this status is covered. `succeeded`: it failed because an attack succeeded."""
        if self.status:
            return status == self.status
        return status in STATUSES and not succeeded

    def covers_subject(self, control: str, subjects: Collection[str]) -> bool:
        """Whether a finding of this control is covered. `subjects` are the hosts and nodes that it is about."""
        return self.control == control and (not self.host or self.host in subjects)

    def as_dict(self) -> dict[str, object]:
        optional = {"host": self.host or None, "status": self.status or None}
        return {"control": self.control, "owner": self.owner, "reason": self.reason, "until": self.until, **optional}

    @classmethod
    def from_dict(cls, entry: Mapping[str, object]) -> Waiver:
        """A waiver of a plan, which has been validated already."""
        return cls(**{key: str(entry.get(key) or "") for key in KEYS})

    def __str__(self) -> str:
        return f"{self.reason} (until {self.until}{f', {self.owner}' if self.owner else ''})"


def read_waivers(
    value: object, controls: Collection[str], subjects: Collection[str] | None, today: datetime.date, problems: Problems
) -> tuple[Waiver, ...]:
    """The waivers in the value of `beam_waivers`; every mistake in it goes to `problems`.

    `controls` are the ids of all controls and advisories; a CVE is known, too. `subjects` are the hosts and nodes of the cluster, None where
    they are not known because of other mistakes.
    """
    if not isinstance(value, (list, tuple)):
        problems.add("", VARIABLE, "type", "the waivers are not a list.", f"write a list of dictionaries with the keys {', '.join(KEYS)}.")
        return ()
    found = [_read(f"entry {number}", entry, controls, subjects, today, problems) for number, entry in enumerate(value, start=1)]
    return tuple(waiver for waiver in found if waiver is not None)


def _read(
    where: str, entry: object, controls: Collection[str], subjects: Collection[str] | None, today: datetime.date, problems: Problems
) -> Waiver | None:
    def wrong(rule: str, message: str, fix: str) -> None:
        problems.add("", VARIABLE, rule, f"{where} {message}", fix)

    keys = f"the keys are {', '.join(KEYS)}."
    if not isinstance(entry, Mapping):
        wrong("type", "is not a dictionary.", f"write a dictionary; {keys}")
        return None
    for key in entry:
        if key not in KEYS:
            wrong("unknown_key", f"has the unknown key {shown(key)}.", f"remove it; {keys}")
    for key in REQUIRED:
        if entry.get(key) is None:
            wrong("missing_key", f"has no {key}.", f"add it; {keys}")
    control, host, owner, reason, status = (_text(entry.get(key)) for key in ("control", "host", "owner", "reason", "status"))
    if entry.get("control") is not None and not (control and (control in controls or _CVE.fullmatch(control))):
        wrong("waiver_control", f"names the unknown control {shown(entry['control'])}.", "use an id from docs/controls.md, or a CVE.")
    if entry.get("host") is not None and (not host or subjects is not None and host not in subjects):
        wrong("waiver_host", f"names {shown(entry['host'])}, which is no host and no node of this cluster.", "use an inventory name or a node name.")
    if entry.get("reason") is not None and not reason:
        wrong("waiver_reason", "has no reason.", "write why this is accepted.")
    if entry.get("owner") is not None and not owner:
        wrong("waiver_owner", "has no owner.", "write the name of a person or a team that answers for it.")
    if entry.get("status") is not None and status not in STATUSES:
        wrong("waiver_status", f"has the unknown status {shown(entry['status'])}.", f"choose one of: {', '.join(STATUSES)}.")
    until = _day(entry.get("until"))
    if until is None:
        if entry.get("until") is not None:
            wrong("waiver_until", f"ends at {shown(entry['until'])}, which is not a date.", "write YYYY-MM-DD.")
        return None
    if until < today:
        wrong("waiver_ended", f"ended on {until.isoformat()}.", "correct what it waives, or set a later date.")
    return Waiver(control, reason, until.isoformat(), host, status, owner)


def _text(value: object) -> str:
    """A non-empty string without space around it; empty for everything else."""
    return value.strip() if isinstance(value, str) else ""


def _day(value: object) -> datetime.date | None:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None

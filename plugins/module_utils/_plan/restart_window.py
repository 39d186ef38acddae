# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When nodes may restart: `beam_restart_window`, for example `Sat,Sun 02:00-05:00`, in UTC.

Private to this collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from .._model.problems import Problems, shown
from .variable_names import MISSING

VARIABLE = "beam_restart_window"
ANY = "any"
"""The value without which there would be no window: at any time."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WINDOW = re.compile(r"(?:(?P<days>[A-Za-z,-]+) +)?(?P<from>\d{1,2}:\d{2}) *- *(?P<to>\d{1,2}:\d{2})")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """days: of its begin, 0 for Monday. begin, end: minutes since midnight UTC; an end before the begin is on the next day."""

    days: frozenset[int]
    begin: int
    end: int

    @property
    def minutes(self) -> int:
        return self.end - self.begin if self.end > self.begin else self.end + 24 * 60 - self.begin

    def opens(self, now: datetime) -> datetime | None:
        """None while it is open, else when it opens next. now: in UTC."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        # The window of yesterday may go past midnight; after seven days all weekdays have been.
        begins = (midnight + _DAY * day + timedelta(minutes=self.begin) for day in range(-1, 8))
        for begin in begins:
            if begin.weekday() in self.days and now < begin + timedelta(minutes=self.minutes):
                return None if begin <= now else begin
        return None


def read_window(value: object, problems: Problems) -> Window | None:
    """None for any time, and where the value is none of a window, which is a problem."""
    if value in (ANY, MISSING, None):
        return None
    found = _WINDOW.fullmatch(value.strip()) if isinstance(value, str) else None
    days = _days(found["days"]) if found else None
    begin, end = (_minutes(found[name]) if found else None for name in ("from", "to"))
    if days is None or begin is None or end is None or begin == end:
        problems.add(
            "",
            VARIABLE,
            "format",
            f"{shown(value)} is not a restart window.",
            "write days and times in UTC, for example 'Sat,Sun 02:00-05:00', 'Mon-Fri 22:00-04:00' or '02:00-05:00' (in quotes); or any.",
        )
        return None
    return Window(days, begin, end)


def _days(text: str | None) -> frozenset[int] | None:
    """`Mon-Fri`, `Sat,Sun`, `Fri-Mon`: None where it is neither."""
    if text is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        numbers = [DAYS.index(name.title()) for name in (first, last or first) if name.title() in DAYS]
        if len(numbers) != 2 or (dash and not last):
            return None
        found.update(day % 7 for day in range(numbers[0], numbers[1] + (7 if numbers[1] < numbers[0] else 0) + 1))
    return frozenset(found)


def _minutes(text: str) -> int | None:
    """24:00 is the end of a day."""
    hour, minute = map(int, text.split(":"))
    return (hour * 60 + minute) % (24 * 60) if minute < 60 and (hour < 24 or (hour, minute) == (24, 0)) else None

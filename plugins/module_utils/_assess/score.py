# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One number and a letter for a report, by the formula in docs/audit.md.

Private to this collection, pure. The score is withheld where something was not tested: a number over half of the controls looks like one over all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WEIGHTS = {"info": 0, "low": 1, "medium": 3, "high": 6, "critical": 10}
CAPS = {"critical": 39, "high": 69, "medium": 89}
"""The best score with a failure of this severity."""

LETTERS = (("A", 90), ("B", 80), ("C", 70), ("D", 55), ("E", 40), ("F", 0))


@dataclass(frozen=True)
class Score:
    """value: 0 to 100, None where it is withheld; then why says why. letter: empty where it is withheld."""

    value: int | None
    letter: str
    why: str = ""

    def __str__(self) -> str:
        return f"{self.value} of 100, {self.letter}" if self.value is not None else f"withheld: {self.why}"

    def as_dict(self) -> dict[str, object]:
        return {"value": self.value, "letter": self.letter or None, "withheld": self.why or None}


def score(passed: Iterable[str], failed: Iterable[str], untested: int) -> Score:
    """From the severities of what passed and of what failed, accepted failures among them, and the number of what was not tested and not accepted."""
    if untested:
        return Score(None, "", f"{untested} {'result is' if untested == 1 else 'results are'} not tested")
    good, bad = list(passed), list(failed)
    won, lost = (sum(WEIGHTS[severity] for severity in severities) for severities in (good, bad))
    if not won + lost:
        return Score(None, "", "no control applies")
    cap = min((CAPS.get(severity, 100) for severity in bad), default=100)
    value = min(cap, 100 * won // (won + lost))
    return Score(value, next(letter for letter, floor in LETTERS if value >= floor))

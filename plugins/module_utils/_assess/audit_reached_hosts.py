# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a host could be looked at: every host of an audit has exactly one state, and none is left out.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._model.untrusted_json import safe_text

AUDITED, UNPRIVILEGED, UNREACHABLE, NO_PYTHON, BROKEN = "audited", "unprivileged", "unreachable", "no_python", "broken"
STATES = (AUDITED, UNPRIVILEGED, UNREACHABLE, NO_PYTHON, BROKEN)
MEANINGS = {
    AUDITED: "read as root",
    UNPRIVILEGED: "read without root",
    UNREACHABLE: "Ansible could not connect",
    NO_PYTHON: "the host has no Python that Ansible found",
    BROKEN: "the module observe failed",
}
_NO_PYTHON_SAYS = ("interpreter", "python: not found", "python3: not found", "/usr/bin/python")
_LONGEST = 200


@dataclass(frozen=True)
class Reach:
    """state: one of STATES. why: what Ansible said, empty where the host was looked at whole."""

    host: str
    state: str
    why: str = ""

    @property
    def reached(self) -> bool:
        return self.state in (AUDITED, UNPRIVILEGED)

    def __str__(self) -> str:
        return f"{MEANINGS[self.state]}{f' ({self.why})' if self.why else ''}"

    def as_dict(self) -> dict[str, str]:
        return {"host": self.host, "state": self.state, "why": self.why}


def reach_of(host: str, attempts: Sequence[Mapping[str, object]]) -> tuple[Reach, Mapping[str, object] | None]:
    """The state of a host and what was observed there, from the results of the tasks that looked: with root first, then without."""
    tried = [attempt for attempt in attempts if attempt]
    for attempt in tried:
        if "epoch" in attempt and not attempt.get("failed"):
            if attempt.get("privileged"):
                return Reach(host, AUDITED), attempt
            refused = next((_said(other) for other in tried if other.get("failed")), "")
            return Reach(host, UNPRIVILEGED, refused), attempt
    last = tried[-1] if tried else {}
    if last.get("unreachable"):
        return Reach(host, UNREACHABLE, _said(last)), None
    said = _said(last)
    if last.get("rc") == 127 or any(word in said.lower() for word in _NO_PYTHON_SAYS):
        return Reach(host, NO_PYTHON, said), None
    return Reach(host, BROKEN if last else UNREACHABLE, said or "no task ran on it"), None


def _said(attempt: Mapping[str, object]) -> str:
    text = " ".join(f"{attempt.get('msg') or ''} {attempt.get('module_stderr') or ''}".split())
    return safe_text(text, _LONGEST)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control as a value.

Private to this collection, pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from .references import Reference

SEVERITIES = ("info", "low", "medium", "high", "critical")

# What a control looks at. Those up to system are read on the host, those up to attacks are what happened when the protocol was spoken.
LOOKS_AT = (
    "listeners", "files", "unit", "processes", "firewall", "system", "probes", "mesh", "attacks", "vulnerabilities", "coverage", "waivers", "policy"
)


@dataclass(frozen=True)
class Control:
    """One question with a yes or no answer.

    remedy: what makes it pass on any BEAM host, as an imperative. role: the role of this collection that does it, empty where none does. references:
    where the rule comes from. audit_only: it is about what no role of this collection sets, so that the verification of a cluster leaves it out.
    """

    id: str
    title: str
    why: str
    remedy: str
    role: str
    references: tuple[Reference, ...]
    severity: str
    looks_at: str
    audit_only: bool = False

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(f"{self.id}: unknown severity {self.severity!r}")
        if self.looks_at not in LOOKS_AT:
            raise ValueError(f"{self.id}: unknown subject {self.looks_at!r}")

    @property
    def fix(self) -> str:
        return f"{self.remedy} Role {self.role} does it." if self.role else self.remedy

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An advisory: something that is worth knowing and fails nothing by itself.

Private to this collection.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Advisory:
    """`control` is its name, which a waiver may name; `severity` is one of `info`, `low`, `medium`, `high`, `critical`."""

    control: str
    severity: str
    host: str
    title: str
    detail: str = ""
    fix: str = ""

    def as_dict(self) -> dict[str, str]:
        """The shape in `beam_plan` and in the report's evidence."""
        return asdict(self)

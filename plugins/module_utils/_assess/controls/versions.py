# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of versions, and of what is known about them.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control

ADVISORIES_AGE = "advisories-age"
ADVISORIES_AGE_MAX = 30
"""Days after which a table of known vulnerabilities is too old."""

CONTROLS = (
    Control(
        ADVISORIES_AGE,
        f"The table of known vulnerabilities is not older than {ADVISORIES_AGE_MAX} days",
        "Vulnerabilities that were published after the date of the table are not in the report. OTP published some in every month of 2026.",
        "Make a newer table with plugins/plugin_utils/derive_advisories.py, and set beam_advisories_file to it.",
        "",
        (("Known vulnerabilities, and how to make a newer table", "https://github.com/beam-cluster/beam.cluster/blob/main/docs/advisories.md"),
         ("Erlang Ecosystem Foundation CNA", "https://cna.erlef.org")),
        "medium",
        "advisories",
    ),
)

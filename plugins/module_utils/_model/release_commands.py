# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of the start script of a release, of mix release and of relx.

Private to this collection, pure.
"""

from __future__ import annotations

STARTING = frozenset((
    "console", "console_boot", "console_clean", "daemon", "daemon_attach", "daemon_boot", "daemon_iex", "foreground", "foreground_clean", "start",
    "start_boot", "start_iex",
))  # fmt: skip
"""Those that start a node."""

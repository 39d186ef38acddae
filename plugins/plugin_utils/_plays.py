# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The play that a task of an action plugin belongs to.

Private to this collection; it runs on the controller only.
"""

from __future__ import annotations

from typing import Any


def play_of(task: Any) -> Any:
    """The play of a task. A task knows its block, and a block its play."""
    parent = task
    while not hasattr(parent, "_play"):
        parent = parent._parent
    return parent._play

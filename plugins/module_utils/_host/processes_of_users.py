# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs as the user of a node at this moment, in its unit or elsewhere: a shell in a terminal multiplexer has the cookie and the key.

Private to this collection. Only numbers and names of programs and units are returned. A tool (rabbitmqctl) ends soon.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from . import proc

LASTS = 30.0
"""Seconds after which a program is no tool that somebody has called."""
_MOST = 20
_EFFECTIVE = re.compile(rb"^Uid:\s+\d+\s+(\d+)", re.MULTILINE)


def of(uid: int, root: str = "/proc") -> list[dict[str, object]]:
    """[{pid, process, unit}] of the processes of a user that have run for a while, at most 20 of each unit."""
    by_unit: dict[object, list[dict[str, object]]] = {}
    for one in _lasting(uid, root):
        by_unit.setdefault(one["unit"], []).append(one)
    return [one for several in by_unit.values() for one in several[:_MOST]]


def _lasting(uid: int, root: str) -> Iterator[dict[str, object]]:
    for pid in sorted(proc.pids(root)):
        user = _EFFECTIVE.search(proc.read(f"{root}/{pid}/status"))
        if user is None or int(user.group(1)) != uid or proc.in_container(pid, root):
            continue
        one, began = proc.describe(pid, root), proc.started(pid, root)
        if one is not None and began is not None and time.time() - began > LASTS:
            yield {"pid": pid, "process": one.process, "unit": one.unit or ""}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's view of a host's units.

Private to this collection.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from . import commands

_PROPERTIES = {
    "Id": "name",
    "LoadState": "load",
    "ActiveState": "active",
    "SubState": "sub",
    "UnitFileState": "enabled",
    "NeedDaemonReload": "need_daemon_reload",
    "MainPID": "main_pid",
    "FragmentPath": "fragment",
    "DropInPaths": "drop_ins",
}


def init() -> str:
    """C(systemd) where it is PID 1 and talks (sd_booted(3)), else the name of PID 1's program."""
    if os.path.isdir("/run/systemd/system"):
        return "systemd"
    try:
        with open("/proc/1/comm", encoding="utf-8") as stream:
            return stream.read().strip()
    except OSError:
        return "unknown"


def show(names: Iterable[str]) -> dict[str, dict[str, object]]:
    """State of each unit, by name. Units that do not exist are there with load 'not-found'. Empty without systemd."""
    wanted = sorted(set(names))
    if not wanted or init() != "systemd":
        return {}
    return parse(commands.output("systemctl", "show", "--no-pager", "-p", ",".join(_PROPERTIES), "--", *wanted) or "")


def parse(text: str) -> dict[str, dict[str, object]]:
    """The output of systemctl show: blocks of Key=value, one for each unit, an empty line between them."""
    found = {}
    for block in text.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" not in values:
            continue
        unit: dict[str, object] = {ours: values.get(theirs, "") for theirs, ours in _PROPERTIES.items() if theirs != "Id"}
        unit["need_daemon_reload"] = unit["need_daemon_reload"] == "yes"
        unit["main_pid"] = int(str(unit["main_pid"] or 0))
        unit["drop_ins"] = str(unit["drop_ins"]).split()
        found[values["Id"]] = unit
    return found


def sockets() -> dict[str, str]:
    """Which socket unit listens where, as 'address:port' -> unit."""
    text = commands.output("systemctl", "list-sockets", "--no-pager", "--no-legend", "--plain", "--full") or ""
    return {words[0]: words[1] for words in (line.split() for line in text.splitlines()) if len(words) >= 2 and words[1].endswith(".socket")}

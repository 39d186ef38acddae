# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What starts a node or an EPMD at the next boot: units, also those of users, generators, cron, at, rc.local, hooks, and scripts that they name.

Private to this collection. Of packages only what an administrator has changed is looked at: their units are those of products. Only paths, names of
units and what is started are returned.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator

from . import job_files

OF_USERS = (
    "/etc/systemd/user/*.service", "/etc/systemd/user/*.service.d/*.conf", "/root/.config/systemd/user/*.service",
    "/home/*/.config/systemd/user/*.service", "/var/lib/*/.config/systemd/user/*.service", "/var/lib/*/*/.config/systemd/user/*.service",
    "/etc/systemd/user-generators/*", "/usr/local/lib/systemd/user-generators/*",
)
"""What user managers start: at boot for users that linger, else when one logs in."""
NODE, EPMD = "a node", "EPMD"
_EXEC = r"^[ \t]*Exec(?:Start|StartPre|StartPost)[ \t]*=[ \t]*[-@:+!|]*"
_STARTS_EPMD = re.compile(
    rf"{_EXEC}(?:\S*/)?epmd[ \t]*(?:-[^\n]*)?$|(?<![\w.-])(?:/\S*/)?epmd[ \t][^\n;|&]*?-(?:daemon|port|address|systemd)\b[^\n;|&]*", re.MULTILINE
)
_ASKS_EPMD = re.compile(r"[ \t]-(?:names|kill|stop)\b")
_STARTS_VM = re.compile(
    r"""(?<![\w.-])(?:/\S*/)?(?:erl|erlexec|iex|elixir|beam\.smp)["']?[ \t](?:[^\n;|&]*?[ \t])?["']?--?s?name["']?[ \t=]+["']?([^\s"']+)[^\n;|&]*"""
)
_STARTS_PRODUCT = re.compile(
    r"(?<![\w.-])(?:/\S*/)?(?:rabbitmq-server[ \t][^\n;|&]*-detached|(?:ejabberdctl|emqx|vernemq)[ \t](?:[^\n;|&]*[ \t])?start)\b"
)
_TOOL = re.compile(r"(?:^|[ \t])--?remsh\b|\btool\.args\b|-dist_listen[ \t]+false\b")
"""In the arguments of a VM that connects to a node and takes no connection."""
_OF_EPMD = re.compile(r"/epmd(?:@[^/]*)?\.(?:service|socket)(?:\.d/[^/]+)?$")
"""Files of the units of EPMD, of which other controls tell."""
_UNIT = re.compile(r"/([^/]+\.service)(?:\.d/[^/]+\.conf)?$")
_PACKAGES = ("/bin/", "/sbin/", "/lib/", "/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/share/")
"""Where a script is a package's: those of products start nodes and tools by what they are told."""
_SYSTEM = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
_MOST = 20


def describe(patterns: Iterable[str] = (*job_files.PLACES, *OF_USERS)) -> list[dict[str, str | None]]:
    """[{what, where, unit}]. unit: the one whose file this is or names; None where that is no unit's."""
    found: list[dict[str, str | None]] = []
    for where, text, job in job_files.texts(patterns):
        unit = _UNIT.search(job)
        if where.startswith(_PACKAGES) or _OF_EPMD.search(job) or unit and not is_wanted(job, unit.group(1)) or not runs(job):
            continue
        # The script of a release makes tools as well as nodes, by what it is told.
        if os.path.isdir(f"{os.path.dirname(os.path.dirname(where))}/releases"):
            continue
        found += [{"what": what, "where": where, "unit": unit.group(1) if unit else None} for what in _started(text.replace("\\\n", " "))]
    return found[:_MOST]


def _started(text: str) -> Iterator[str]:
    if any(not _ASKS_EPMD.search(match.group(0)) for match in _STARTS_EPMD.finditer(text)):
        yield EPMD
    # A script of a product takes the name from a variable.
    script = text.startswith("#!")
    named = (match for match in _STARTS_VM.finditer(text) if not _TOOL.search(match.group(0)))
    if any(not (script and match.group(1).startswith("$")) for match in named) or _STARTS_PRODUCT.search(text):
        yield NODE


def is_wanted(path: str, unit: str) -> bool:
    """Whether something starts a unit: a link of another unit, or a timer, a socket or a path of its name."""
    stem = unit[: -len(".service")]
    template = f"{stem.partition('@')[0]}@*.service" if "@" in stem else unit
    place = os.path.dirname(path) if path.endswith(".service") else os.path.dirname(os.path.dirname(path))
    places = (*_SYSTEM, "/run/systemd/generator", "/run/systemd/generator.early", "/run/systemd/generator.late", place)
    wanted = (f"{one}/*.{kind}/{template}" for one in dict.fromkeys(places) for kind in ("wants", "requires", "upholds"))
    starters = (f"{one}/{stem}.{kind}" for one in dict.fromkeys(places) for kind in ("timer", "socket", "path"))
    return any(glob.glob(pattern) for pattern in wanted) or any(map(os.path.exists, starters))


def runs(path: str) -> bool:
    """systemd leaves out a script of SysV that a unit replaces; a generator and rc.local have to be executable."""
    if path.startswith("/etc/init.d/"):
        return not any(os.path.exists(f"{place}/{os.path.basename(path)}.service") for place in _SYSTEM)
    return os.access(path, os.X_OK) or not (path == "/etc/rc.local" or "-generators/" in path)

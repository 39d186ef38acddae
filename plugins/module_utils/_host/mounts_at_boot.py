# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted over files of nodes at the next boot and not now, and what is mounted there now and will not be again.

Private to this collection. Sources: fstab(5), systemd.mount(5), proc_pid_mountinfo(5). Only paths are returned.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from glob import glob

from . import proc
from .jobs_of_node_users import UNITS

FSTAB, MOUNTED = "/etc/fstab", "/proc/self/mountinfo"
_OF_FSTAB = "/run/systemd/generator"
OURS = ("/etc/beam",)
"""Where nobody has reason to mount something. Data may be on a disk of its own, which another program mounts."""
_OCTAL = re.compile(r"\\([0-7]{3})")
_WHERE = re.compile(r"^[ \t]*Where[ \t]*=[ \t]*(/\S*)[ \t]*$", re.MULTILINE)


def describe(paths: Iterable[str], fstab: str = FSTAB, mounted: str = MOUNTED, units: Sequence[str] = UNITS) -> list[dict[str, str]]:
    """[{path, does, where}] of the first of the paths that each mount is about. does: "mount" at the next boot, where: the file that says so; or
    "unmounted", where: the place."""
    watched = sorted(set(paths))
    now = {_plain(line.split()[4]) for line in (proc.text_of(mounted) or "").splitlines() if len(line.split()) > 4}
    later = [*_of_fstab(proc.text_of(fstab) or "", fstab), *_of_units(units)]
    found = []
    for place, where in dict(later).items():
        path = next((one for one in watched if _is_below(one, place)), None)
        if path and place not in now:
            found.append({"path": path, "does": "mount", "where": where})
    for place in sorted(now.difference(dict(later))):
        path = next((one for one in watched if _is_below(one, place)), None)
        if path and any(_is_below(place, one) for one in OURS):
            found.append({"path": path, "does": "unmounted", "where": place})
    return found


def _plain(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), text)


def _is_below(path: str, place: str) -> bool:
    return place != "/" and (path == place or path.startswith(f"{place}/"))


def _of_fstab(text: str, where: str) -> Iterator[tuple[str, str]]:
    for fields in (line.split() for line in text.splitlines() if not line.lstrip().startswith("#")):
        options: Collection[str] = fields[3].split(",") if len(fields) > 3 else ()
        if len(fields) > 2 and fields[1].startswith("/") and ("noauto" not in options or "x-systemd.automount" in options):
            yield os.path.normpath(_plain(fields[1])), where


def _of_units(directories: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Of those that are enabled. Those of fstab are generated from it."""
    places = [one for one in directories if not one.startswith(_OF_FSTAB)]
    for path in (path for one in places for kind in ("mount", "automount") for path in sorted(glob(f"{one}/*.{kind}"))):
        links = (f"{one}/*.{kind}/{os.path.basename(path)}" for one in directories for kind in ("wants", "requires", "upholds"))
        if any(map(glob, links)):
            yield from ((os.path.normpath(place), path) for place in _WHERE.findall(proc.text_of(path) or ""))

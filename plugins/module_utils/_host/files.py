# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that make a node: who may read them, and what is in those that everybody may.

Private to this collection.
"""

from __future__ import annotations

import glob
import grp
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator

from .proc import user_name

_TREES = ("/etc/beam",)
_PATTERNS = (
    "/etc/systemd/system/*.d/beam.conf",
    "/etc/systemd/system/*.d/zzz-beam.conf",
    "/etc/systemd/system/beam*.service",
    "/etc/profile.d/beam.sh",
    "/var/lib/beam/*/.erlang.cookie",
    "/root/.erlang.cookie",
)
_MOST = 4096
_LARGEST = 1 << 20


def ours(extra: Iterable[str] = ()) -> Iterator[str]:
    """The paths to look at: our trees, our files elsewhere, and those asked for."""
    for tree in _TREES:
        for directory, _directories, names in os.walk(tree):
            yield directory
            yield from (os.path.join(directory, name) for name in names)
    for pattern in _PATTERNS:
        yield from glob.glob(pattern)
    yield from extra


def describe(path: str) -> dict[str, object] | None:
    """One file or directory, None where it is not there. A sum is given of files that everybody may read: those hold no secret."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    mode = stat.S_IMODE(status.st_mode)
    kinds = ((stat.S_ISDIR, "directory"), (stat.S_ISLNK, "link"), (stat.S_ISREG, "file"))
    return {
        "path": path,
        "kind": next((name for judge, name in kinds if judge(status.st_mode)), "other"),
        "mode": f"{mode:04o}",
        "owner": user_name(status.st_uid),
        "group": group,
        "size": status.st_size,
        "sha256": _sum(path) if stat.S_ISREG(status.st_mode) and mode & 0o004 and status.st_size <= _LARGEST else None,
    }


def _sum(path: str) -> str | None:
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return None


def describe_all(extra: Iterable[str] = ()) -> list[dict[str, object]]:
    found = {}
    for path in ours(extra):
        entry = describe(path)
        if entry is not None:
            found[path] = entry
        if len(found) >= _MOST:
            break
    return [found[path] for path in sorted(found)]

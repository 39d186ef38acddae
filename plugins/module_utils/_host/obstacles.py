# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would keep a run from writing its files: a file system that is read-only or full, a file that cannot be changed or has another name,
packages half installed.

Private to this collection. Changes nothing: it asks the file systems and reads flags of files.
"""

from __future__ import annotations

import array
import fcntl
import itertools
import os
import stat
from collections.abc import Iterable

from .._model.host_facts import HARD_LINK, INTERRUPTED
from . import files

READ_ONLY, IMMUTABLE, FULL, NOT_A_DIRECTORY, REFUSED, DANGLING = "read_only", "immutable", "full", "not_a_directory", "refused", "dangling"
PLACES = (
    "/etc/beam", "/etc/systemd/system", "/var/lib", "/etc/environment", "/etc/profile.d/beam.sh",
    *(f"/etc/systemd/system/{unit}.d" for unit in ("epmd.service", "epmd.socket", "nftables.service")),
)  # fmt: skip
"""Where every run writes."""
UPDATES = "/var/lib/dpkg/updates"
LEAST_BYTES = 16 << 20
"""More than all files of ours together, less than any package."""

# FS_IOC_GETFLAGS of linux/fs.h, where a long has 8 bytes; and FS_IMMUTABLE_FL, FS_APPEND_FL.
_GET_FLAGS, _FIXED = 0x80086601, 0x10 | 0x20


def describe(paths: Iterable[str]) -> list[dict[str, str]]:
    """[{path, reason}] for the given files and directories and for PLACES; of our files whether each can be changed. What cannot be looked at is no
    obstacle."""
    found: dict[tuple[str, str], None] = {}
    for path in dict.fromkeys((*PLACES, *paths)):
        obstacle = _obstacle(path)
        if obstacle:
            found.setdefault(obstacle)
    for path in sorted(itertools.islice(files.ours(), files.MOST)):
        if is_fixed(os.path.realpath(path)):
            found.setdefault((path, IMMUTABLE))
    if _interrupted(UPDATES):
        found.setdefault((UPDATES, INTERRUPTED))
    return [{"path": path, "reason": reason} for path, reason in found]


def links(paths: Iterable[str]) -> dict[str, str]:
    """Where those of the paths lie in truth that lead through a link: data on a disk of its own."""
    return {path: os.path.realpath(path) for path in paths if os.path.realpath(path) != path}


def _obstacle(path: str) -> tuple[str, str] | None:
    place = os.path.realpath(path)
    try:
        if is_fixed(place):
            return path, IMMUTABLE
        if os.path.islink(path) and not os.path.exists(path):
            return path, DANGLING
        # A new file takes the place of the old one, and another name of that one would keep the old content.
        if os.path.isfile(place) and os.stat(place).st_nlink > 1:
            return path, HARD_LINK
        while not os.path.isdir(place):
            # Also of a path below a file: lstat ends with ENOTDIR there.
            if os.path.lexists(place) and place != os.path.realpath(path):
                return place, NOT_A_DIRECTORY
            place = os.path.dirname(place)
        if is_fixed(place):
            return place, IMMUTABLE
        space = os.statvfs(place)
    except OSError:
        return None
    if space.f_flag & os.ST_RDONLY:
        return place, READ_ONLY
    # Some file systems have no fixed number of files.
    if space.f_bavail * space.f_frsize < LEAST_BYTES or (space.f_files and not space.f_favail):
        return place, FULL
    # A server of NFS answers for itself (root_squash), and so does FUSE.
    if os.geteuid() == 0 and not os.access(place, os.W_OK | os.X_OK, effective_ids=True):
        return place, REFUSED
    return None


def is_fixed(path: str) -> bool:
    """Whether nobody can change a file or directory, root included: chattr +i or +a. False where the file system has no such flags."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode) and not stat.S_ISDIR(os.lstat(path).st_mode):
            return False
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    flags = array.array("l", [0])
    try:
        fcntl.ioctl(descriptor, _GET_FLAGS, flags, True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return bool(flags[0] & _FIXED)


def _interrupted(directory: str) -> bool:
    """As apt finds out that dpkg was killed: it left numbered files there (apt-pkg/deb/debsystem.cc, CheckUpdates)."""
    try:
        return any(name.isdigit() for name in os.listdir(directory))
    except OSError:
        return False

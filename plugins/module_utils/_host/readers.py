# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which users beside root can read a file: by its mode, its ACL, and the directories that lead to it.

Private to this collection.
"""

from __future__ import annotations

import functools
import grp
import os
import pwd
import stat
import struct

from .writers import ACL, ACL_GROUP, ACL_MASK, ACL_OWN_GROUP, ACL_USER, acl_entries, directories, user_name

EVERYBODY = "everybody"
_READ, _ENTER = 4, 1
_MOST_NAMES = 5


@functools.lru_cache(maxsize=None)
def members(gid: int) -> frozenset[str]:
    """The users of a group, root excepted: its members, and those whose own group it is."""
    try:
        listed = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        listed = set()
    listed |= {one.pw_name for one in pwd.getpwall() if one.pw_gid == gid}
    return frozenset(listed - {"root"})


def _entitled(path: str, right: int) -> set[str]:
    """The users with a right on one file or directory: 'everybody', or their names. Raises OSError."""
    status = os.stat(path)
    mode = stat.S_IMODE(status.st_mode)
    if mode & right:
        return {EVERYBODY}
    found = {user_name(status.st_uid)} if status.st_uid and mode >> 6 & right else set()
    acl: list[tuple[int, int, int]] = []
    try:
        acl = acl_entries(os.getxattr(path, ACL))
    except (OSError, struct.error):
        pass
    # With an ACL, the group's bits are its mask.
    mask = next((rights for tag, rights, _who in acl if tag == ACL_MASK), right)
    if mode >> 3 & right and not acl:
        found |= members(status.st_gid)
    for tag, rights, who in acl:
        if tag == ACL_USER and rights & mask & right and who:
            found.add(user_name(who))
        elif tag in (ACL_GROUP, ACL_OWN_GROUP) and rights & mask & right:
            found |= members(status.st_gid if tag == ACL_OWN_GROUP else who)
    return found


def entering(directory: str) -> set[str]:
    """The users other than root who may enter a directory, as far as itself says. Raises OSError."""
    return _entitled(directory, _ENTER)


class Readers:
    """Who can read a path; each directory is looked at once."""

    def __init__(self) -> None:
        self._entering: dict[str, set[str]] = {}

    def _enter(self, directory: str) -> set[str]:
        if directory not in self._entering:
            self._entering[directory] = _entitled(directory, _ENTER)
        return self._entering[directory]

    def of(self, path: str) -> list[str]:
        """The users other than root who can read a file: 'everybody' alone, or some names. Raises OSError."""
        found = _entitled(path, _READ)
        for directory in directories(path):
            entering = self._enter(directory)
            if EVERYBODY not in entering:
                found = entering if EVERYBODY in found else found & entering
        return [EVERYBODY] if EVERYBODY in found else sorted(found)[:_MOST_NAMES]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who beside root can put another file in a file's place: whoever may write one of the directories that lead to it.

Private to this collection. The file's own mode does not help against that, and neither does a directory's sticky bit: it keeps what is there, not
what comes when it is gone. ACLs count (acl(5)).
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import struct
from collections.abc import Callable, Iterator

_MOST_LINKS = 40
ACL = "system.posix_acl_access"
_ACL_HEADER = struct.Struct("<I")
_ACL_ENTRY = struct.Struct("<HHI")
ACL_USER, ACL_OWN_GROUP, ACL_GROUP, ACL_MASK = 0x02, 0x04, 0x08, 0x10
_WRITE = 2


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def acl_entries(raw: bytes) -> list[tuple[int, int, int]]:
    """Tag, rights and user or group of each entry of an ACL: the value of system.posix_acl_access (linux/posix_acl_xattr.h)."""
    return [_ACL_ENTRY.unpack_from(raw, start) for start in range(_ACL_HEADER.size, len(raw) - _ACL_ENTRY.size + 1, _ACL_ENTRY.size)]


def acl_writers(raw: bytes, group: int) -> set[str]:
    """The users and groups that an ACL lets write, the own group of its file or directory among them."""
    entries = acl_entries(raw)
    mask = next((rights for tag, rights, _who in entries if tag == ACL_MASK), _WRITE)
    named: dict[int, Callable[[int], str]] = {ACL_USER: user_name, ACL_GROUP: lambda gid: f"group {group_name(gid)}"}
    entries = [(ACL_GROUP, rights, group) if tag == ACL_OWN_GROUP else (tag, rights, who) for tag, rights, who in entries]
    return {named[tag](who) for tag, rights, who in entries if tag in named and rights & mask & _WRITE and (tag, who) != (ACL_USER, 0)}


def writers(directory: str) -> frozenset[str]:
    """Users other than root who may write a directory: 'beam', 'group adm', 'everybody'. Its owner may, whatever its mode. Raises OSError."""
    status = os.lstat(directory)
    found = set()
    if status.st_uid:
        found.add(user_name(status.st_uid))
    if status.st_mode & stat.S_IWOTH:
        found.add("everybody")
    try:
        # With an ACL, the group's bits are its mask.
        found |= acl_writers(os.getxattr(directory, ACL, follow_symlinks=False), status.st_gid)
    except (OSError, struct.error):
        found |= {f"group {group_name(status.st_gid)}"} if status.st_mode & stat.S_IWGRP else set()
    return frozenset(found)


def directories(path: str) -> Iterator[str]:
    """The directories that lead to a path, as the kernel walks it: those above it, and those above every link on the way. Raises OSError."""
    left = list(reversed(os.path.abspath(path).split("/")[1:]))
    here = "/"
    links = 0
    while left:
        yield here
        name = left.pop()
        if name in ("", "."):
            continue
        if name == "..":
            here = os.path.dirname(here)
            continue
        step = os.path.join(here, name)
        if os.path.islink(step):
            links += 1
            if links > _MOST_LINKS:
                raise OSError("too many links")
            target = os.readlink(step)
            left.extend(reversed(target.split("/")))
            here = "/" if target.startswith("/") else here
        else:
            here = step


class Above:
    """Who may write above a path; each directory is looked at once."""

    def __init__(self) -> None:
        self._writers: dict[str, frozenset[str] | None] = {}

    def _of(self, directory: str) -> frozenset[str] | None:
        if directory not in self._writers:
            try:
                self._writers[directory] = writers(directory)
            except OSError:
                self._writers[directory] = None
        return self._writers[directory]

    def of(self, path: str) -> dict[str, list[str] | None]:
        """replaceable_by: those users; replaceable_through: the directories that they may write. Both None where one could not be looked at."""
        try:
            found = {directory: self._of(directory) for directory in directories(path)}
        except OSError:
            found = {"": None}
        if None in found.values():
            return {"replaceable_by": None, "replaceable_through": None}
        return {
            "replaceable_by": sorted({user for users in found.values() for user in users or ()}),
            "replaceable_through": sorted(directory for directory, users in found.items() if users),
        }

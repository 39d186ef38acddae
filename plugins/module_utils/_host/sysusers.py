# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which users systemd-sysusers puts into groups of nodes, and nodes' users into which groups, the next time it runs: at a boot, or with a package.

Private to this collection. Source: sysusers.d(5). It changes no user that exists, but adds it to groups.
"""

from __future__ import annotations

import grp
import pwd
from collections.abc import Collection, Iterator, Sequence

from .tmpfiles import lines

DIRECTORIES = ("/etc/sysusers.d", "/run/sysusers.d", "/usr/local/lib/sysusers.d", "/usr/lib/sysusers.d")
"""In the order of their rank."""


def describe(users: Collection[str], directories: Sequence[str] = DIRECTORIES) -> list[dict[str, str]]:
    """[{user, group, where}] of the memberships that there are not yet: of users of nodes in any group, and of others in the main group of one."""
    known = {user: _main_group(user) for user in users}
    main = set(filter(None, known.values()))
    found: list[dict[str, str]] = []
    for where, fields in lines(directories):
        for user, group in _joins(fields):
            one = {"user": user, "group": group, "where": where}
            if (user in known or group in main) and user != "root" and not _is_member(user, group) and one not in found:
                found.append(one)
    return found


def _joins(fields: Sequence[str]) -> Iterator[tuple[str, str]]:
    kind, name, about = [*fields, "", ""][:3]
    if kind == "m":
        yield name, about
    elif kind.rstrip("!") == "u" and ":" in about and not _exists(name):
        group = about.partition(":")[2]
        yield name, _group_name(group) if group.isdigit() else group


def _exists(user: str) -> bool:
    try:
        return bool(pwd.getpwnam(user))
    except KeyError:
        return False


def _group_name(number: str) -> str:
    try:
        return grp.getgrgid(int(number)).gr_name
    except (KeyError, OverflowError):
        return number


def _main_group(user: str) -> str:
    try:
        return _group_name(str(pwd.getpwnam(user).pw_gid))
    except KeyError:
        return ""


def _is_member(user: str, group: str) -> bool:
    try:
        return _main_group(user) == group or user in grp.getgrnam(group).gr_mem
    except KeyError:
        return False

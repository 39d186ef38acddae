# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that variables of a unit name and that its user may write to: uploads, a database of SQLite, logs of the application.

Private to this collection. A running VM has none of them open for longer than a moment. Neither names of variables nor other values leave the host.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat

_PATH = re.compile(r"(?:sqlite3?:(?://)?|file:(?://)?)?(/[\w.@+-]+(?:/[\w.@+-]+)+)/?(?:\?.*)?")
_OURS = re.compile(r"HOME|PATH|PWD|RELEASE_.*|RELX_.*|ERL_.*|BINDIR|ROOTDIR|VMARGS_PATH|TMPDIR")
_CODE = ("bin", "lib", "releases")


def of_variable(name: str, value: str, user: str, release: str) -> str:
    """The directory that a variable names, or in which the file lies that it names; empty where it names none, or its user may not write there, or
    code of the release is in it. user: of the unit. A file that is not there yet counts."""
    match = _PATH.fullmatch(value)
    if match is None or _OURS.fullmatch(name) or not user:
        return ""
    path = os.path.realpath(match.group(1))
    path = path if os.path.isdir(path) else os.path.dirname(path)
    root = os.path.realpath(release) if release else ""
    return path if not (root and _has_code(path, root)) and _may_write(path, user) else ""


def _has_code(path: str, root: str) -> bool:
    below = path[len(root) + 1 :].partition("/")[0] if path.startswith(f"{root}/") else ""
    return f"{root}/".startswith(f"{path}/") or below in _CODE or below.startswith("erts-")


def _may_write(path: str, user: str) -> bool:
    """By owner, group and mode. What an ACL gives is not seen."""
    try:
        account, status = pwd.getpwnam(user), os.stat(path)
    except (KeyError, OSError):
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    if status.st_uid == account.pw_uid:
        return bool(status.st_mode & 0o200)
    groups = {account.pw_gid, *(one.gr_gid for one in grp.getgrall() if user in one.gr_mem)}
    return bool(status.st_mode & (0o020 if status.st_gid in groups else 0o002))

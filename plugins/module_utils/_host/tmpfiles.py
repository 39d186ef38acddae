# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd-tmpfiles does to files at the next boot: lines that open, replace or remove them.

Private to this collection. Source: tmpfiles.d(5). Only paths and the kind of the change are returned.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import shlex
import stat
from collections.abc import Iterable, Iterator, Sequence

from . import proc
from .writers import group_name, user_name

DIRECTORIES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d")
"""In the order of their rank: of files with the same name the first one counts."""
_SETS = "fFdDevqQpCzZm"
_ACL, _BELOW, _REMOVES, _REPLACES = "aA", "ZAR", "rRD", "FwL"
_MODE = re.compile(r"(~?)([0-7]{1,5})")
_MOST = 20


def describe(paths: Iterable[str], directories: Sequence[str] = DIRECTORIES) -> list[dict[str, str]]:
    """[{path, does, where}] of the lines that change one of the paths or a directory above it. does: "mode 0644", "owner alice", "group adm", "ACL",
    "replace", "remove". A mode counts for rights that the path does not give now, an owner or a group if it is neither root's nor the present one, a
    group also only for rights that not everybody has."""
    watched = sorted(set(paths))
    above = {parent for path in watched for parent in _parents(path)}
    found: list[dict[str, str]] = []
    for where, fields in lines(directories):
        if not fields[1].startswith("/"):
            continue
        kind, pattern = fields[0], os.path.normpath(fields[1])
        for path in _meant(pattern, kind[0] in _BELOW, watched, above.difference(watched)):
            for does in dict.fromkeys(_does(kind, fields[2:5], path, path in watched)):
                one = {"path": path, "does": does, "where": where}
                if one not in found:
                    found.append(one)
    return found[:_MOST]


def lines(directories: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """File and fields of each line of a configuration in such directories. Of sysusers.d, too."""
    counted: set[str] = set()
    for directory in directories:
        for path in sorted(glob.glob(f"{directory}/*.conf")):
            if os.path.basename(path) in counted:
                continue
            counted.add(os.path.basename(path))
            for line in (proc.text_of(path) or "").splitlines():
                try:
                    fields = shlex.split(line, comments=False)
                except ValueError:
                    continue
                if len(fields) > 1 and fields[0] and not line.lstrip().startswith("#"):
                    yield path, fields


def _parents(path: str) -> Iterator[str]:
    while path not in ("/", ""):
        path = os.path.dirname(path)
        yield path


def _meant(pattern: str, below: bool, watched: Iterable[str], above: Iterable[str]) -> Iterator[str]:
    """The paths that a line is about: those that its pattern matches, and with a kind that goes down the tree those below."""
    for path in watched:
        if any(fnmatch.fnmatchcase(one, pattern) for one in (path, *(_parents(path) if below else ()))):
            yield path
    yield from (path for path in sorted(above) if fnmatch.fnmatchcase(path, pattern))


def _does(kind: str, fields: Sequence[str], path: str, of_file: bool) -> Iterator[str]:
    try:
        status = os.stat(path)
    except OSError:
        return
    letter = kind[0]
    if letter in _ACL:
        yield "ACL"
    elif letter in _REMOVES:
        yield "remove"
    elif of_file and (letter in _REPLACES or kind.startswith(("f+", "C+"))):
        yield "replace"
    if letter not in _SETS:
        return
    said, user, group = [*fields, "-", "-", "-"][:3]
    mode, now = _MODE.fullmatch(said), stat.S_IMODE(status.st_mode)
    # A mask of the rights that a file has (~) gives it none.
    after = int(mode.group(2), 8) if mode and not mode.group(1) else now
    if after & ~now & 0o077:
        yield f"mode {said}"
    if user not in ("-", "root", "0", user_name(status.st_uid), str(status.st_uid)) and not user.startswith(":"):
        yield f"owner {user}"
    if group not in ("-", "root", "0", group_name(status.st_gid), str(status.st_gid)) and not group.startswith(":") and after >> 3 & ~after & 7:
        yield f"group {group}"

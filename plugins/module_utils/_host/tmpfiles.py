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
from collections.abc import Collection, Iterable, Iterator, Sequence

from . import proc
from .writers import group_name, user_name

DIRECTORIES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d")
"""In the order of their rank: of files with the same name the first one counts."""
_SETS = "fFdDevqQpCzZm"
_ACL, _BELOW, _REMOVES, _REPLACES = "aA", "ZAR", "rRD", "FwL"
_AGES = "dDevqQC"
"""Kinds whose age has the timer systemd-tmpfiles-clean remove old files, daily."""
_SPECIFIERS = {
    "%%": "%", "%C": "/var/cache", "%L": "/var/log", "%S": "/var/lib", "%T": "/tmp", "%U": "0", "%V": "/var/tmp", "%g": "root", "%h": "/root",
    "%t": "/run", "%u": "root",
}
_MODE = re.compile(r"(~?)([0-7]{1,5})")
_MOST = 20


def describe(paths: Iterable[str], directories: Sequence[str] = DIRECTORIES) -> list[dict[str, str]]:
    """[{path, does, where}] of the lines that change one of the paths or a directory above it. does: "mode 0644", "owner alice", "group adm", "ACL",
    "replace", "remove", "remove what is older than 10d". A mode counts for rights that the path does not give now, an owner or a group if it is
    neither root's nor the present one, a group also only for rights that not everybody has."""
    watched = sorted(set(paths))
    above = {parent for path in watched for parent in _parents(path)}
    found: list[dict[str, str]] = []
    said = [(where, fields, os.path.normpath(_expanded(fields[1]))) for where, fields in lines(directories)]
    patterns = {pattern for _where, _fields, pattern in said}
    for where, fields, pattern in said:
        if not pattern.startswith("/"):
            continue
        kind = fields[0]
        does = [
            (path, one) for path in _meant(pattern, kind[0] in _BELOW, watched, above.difference(watched))
            for one in dict.fromkeys(_does(kind, fields[2:5], path, path in watched))
        ]
        age = fields[5] if len(fields) > 5 and kind[0] in _AGES and "!" not in kind else "-"
        if age not in ("-", ""):
            does += [(path, f"remove what is older than {age}") for path in watched if _ages(path, pattern, age.startswith("~"), patterns)]
        for one in ({"path": path, "does": one, "where": where} for path, one in does):
            if one not in found:
                found.append(one)
    return found[:_MOST]


def _expanded(path: str) -> str:
    """A path with the specifiers of systemd-tmpfiles for the host (tmpfiles.d(5)); those that have nothing to do with files of nodes stay."""
    host = os.uname().nodename
    specifiers = {**_SPECIFIERS, "%H": host, "%l": host.partition(".")[0]}
    return re.sub("%.", lambda match: specifiers.get(match.group(), match.group()), path)


def _ages(path: str, pattern: str, keeps_first: bool, patterns: Collection[str]) -> bool:
    """Whether a file is in a directory of which old files are removed, and neither itself nor a directory between has a line of its own, which counts
    for it instead. keeps_first: what is in the directory itself stays."""
    if not os.path.isfile(path):
        return False
    between = [path]
    for directory in _parents(path):
        if leads_to(pattern, directory):
            return not (keeps_first and len(between) == 1) and not any(leads_to(own, one) for one in between for own in patterns)
        between.append(directory)
    return False


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


def leads_to(pattern: str, path: str, below: bool = False) -> bool:
    """Whether a pattern of paths, in which a wildcard stands for a part of a name, means a path. below: or a directory above it."""
    parts, wanted = os.path.normpath(pattern).strip("/").split("/"), path.strip("/").split("/")
    if parts == [""]:
        return below or wanted == [""]
    whole = len(parts) == len(wanted) or below and len(parts) < len(wanted)
    return whole and all(fnmatch.fnmatchcase(one, part) for part, one in zip(parts, wanted))


def _meant(pattern: str, below: bool, watched: Iterable[str], above: Iterable[str]) -> Iterator[str]:
    """The paths that a line is about: those that its pattern matches, and with a kind that goes down the tree those below."""
    for path in watched:
        if any(leads_to(pattern, one) for one in (path, *(_parents(path) if below else ()))):
            yield path
    yield from (path for path in sorted(above) if leads_to(pattern, path))


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

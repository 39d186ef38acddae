# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process sees otherwise than the host: files in its own mounts; and programs that give more than their caller has.

Private to this collection. A unit has mounts of its own (BindPaths=, TemporaryFileSystem=, RootDirectory=): the file that a check has read need not
be the one that the node reads at the same path.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence

_TREE = re.compile(r"/etc/beam/[^/\s'\"]+")
_MOST = 1000
_CAPABILITY = "security.capability"


def differing(arguments: Sequence[str], variables: Mapping[str, bytes], home: str, inside: str) -> list[str] | None:
    """The files of a node, in its directories below /etc/beam and its cookie file, that are not the host's at the same path. None if unknown.

    inside: where the process's file system begins, as /proc/PID/root.
    """
    if not inside:
        return None
    words = [*arguments, *(value.decode("utf-8", "replace") for name, value in variables.items() if name.startswith("ERL_"))]
    trees = {tree for word in words for tree in _TREE.findall(word)}
    return differing_in(sorted(tree for tree in trees if os.path.isdir(tree) or os.path.isdir(f"{inside}{tree}")), f"{home}/.erlang.cookie", inside)


def differing_in(trees: Iterable[str], cookie_file: str, inside: str) -> list[str] | None:
    paths = {cookie_file} if cookie_file.startswith("/") else set()
    for tree in trees:
        paths.update(_below(tree))
        paths.update(path[len(inside) :] for path in _below(f"{inside}{tree}"))
    if len(paths) > _MOST:
        return None
    try:
        return sorted(path for path in paths if _identity(path) != _identity(f"{inside}{path}"))
    except OSError:
        return None


def _below(tree: str) -> Iterator[str]:
    for directory, _directories, names in os.walk(tree):
        yield from (os.path.join(directory, name) for name in names)


def _identity(path: str) -> tuple[int, int] | None:
    """Device and number of a file; None where it is not there. Raises OSError where that cannot be seen."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def privileged_programs(directories: Iterable[str]) -> list[str] | None:
    """The programs in some directories that give rights to whoever starts them: "PATH (setuid)", "PATH (setgid)", "PATH (capabilities)"."""
    found = []
    for directory in sorted(set(filter(None, directories))):
        try:
            names = sorted(os.listdir(directory))
        except FileNotFoundError:
            continue
        except OSError:
            return None
        for path in (os.path.join(directory, name) for name in names):
            try:
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode):
                    found += [f"{path} ({kind})" for kind in _gives(path, status.st_mode)]
            except FileNotFoundError:
                continue
            except OSError:
                return None
    return found


def _gives(path: str, mode: int) -> Iterator[str]:
    if mode & stat.S_ISUID:
        yield "setuid"
    if mode & stat.S_ISGID and mode & stat.S_IXGRP:
        yield "setgid"
    try:
        if os.getxattr(path, _CAPABILITY):
            yield "capabilities"
    except OSError:
        # No such attribute, or a file system that has none.
        return

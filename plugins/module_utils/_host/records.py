# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of what was on a host before a role changed it, and how it is kept in a file.

Private to this collection. It holds paths, owners, modes and names, and no content of a file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from .._model.installed import HEADER

DIRECTORY = "/etc/beam/"
"""All files below it are ours."""

BLOCK = "BEGIN beam.cluster"


@dataclass(frozen=True)
class Record:
    """`paths` is path -> owner, group (numbers as text) and mode (octal, 0750). The rest are names that were enabled, active or there."""

    paths: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    enabled: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    def encode(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def decode(text: str) -> Record:
    """A record as text, ours or the lines of version 0.1.0: `path <path> <uid> <gid> <mode>`, `enabled <unit>`, `active <unit>`, `user <name>`.

    An empty one is of a host that was hardened before anything was recorded. ValueError if it is neither.
    """
    if text.startswith("{"):
        value = json.loads(text)
        try:
            return Record(dict(value["paths"]), tuple(value["enabled"]), tuple(value["active"]), tuple(value["users"]))
        except KeyError as error:
            raise ValueError(f"{error} is missing.") from error
    paths: dict[str, dict[str, str]] = {}
    names: dict[str, list[str]] = {"enabled": [], "active": [], "user": []}
    for line in text.splitlines():
        kind, _space, rest = line.partition(" ")
        if kind == "path":
            path, owner, group, mode = rest.rsplit(" ", 3)
            paths[path] = {"owner": owner, "group": group, "mode": mode.zfill(4)}
        elif kind in names:
            names[kind].append(rest)
        else:
            raise ValueError(f"the line {line!r} is none of a record.")
    return Record(paths, tuple(names["enabled"]), tuple(names["active"]), tuple(names["user"]))


def read(path: str) -> Record | None:
    """The record in a file, None if there is none. ValueError and OSError with their reasons."""
    try:
        with open(path, encoding="utf-8") as stream:
            return decode(stream.read())
    except FileNotFoundError:
        return None


def looked_at(paths: Iterable[str]) -> dict[str, dict[str, str]]:
    """Owner, group and mode of those that exist."""
    found = {}
    for path in paths:
        if os.path.exists(path):
            seen = os.lstat(path)
            found[path] = {"owner": str(seen.st_uid), "group": str(seen.st_gid), "mode": f"{stat.S_IMODE(seen.st_mode):04o}"}
    return found


def ours(files: Iterable[str]) -> list[str]:
    """Those that exist and that a role has written: all below `DIRECTORY`, elsewhere those with our header."""
    return [path for path in files if (os.path.lexists(path) if path.startswith(DIRECTORY) else _contains(path, HEADER))]


def with_block(files: Iterable[str]) -> list[str]:
    """Those with a block of ours."""
    return [path for path in files if _contains(path, BLOCK)]


def _contains(path: str, words: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return words.encode() in stream.read()
    except OSError:
        return False


def write(path: str, record: Record, replaced: str | None) -> None:
    """Keeps a record, and a copy of the file that ours takes the place of. The record comes last: with it, the rest is there as well."""
    directory = os.path.dirname(path)
    os.makedirs(os.path.dirname(directory), mode=0o755, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory)
    os.chmod(directory, 0o700)
    if replaced and os.path.exists(replaced):
        _copy(replaced, f"{path}.file")
    _replace(path, record.encode().encode())


def _copy(source: str, target: str) -> None:
    """A copy that nobody but root reads until it has the owner and mode of its source."""
    with open(source, "rb") as stream:
        _replace(target, stream.read())
    seen = os.stat(source)
    os.chown(target, seen.st_uid, seen.st_gid)
    shutil.copystat(source, target)


def _replace(path: str, data: bytes) -> None:
    new = f"{path}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(new, path)


def remove(path: str) -> None:
    """Forgets a record, its copy first: with the record gone a later run keeps a new one."""
    for name in (f"{path}.file", path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)

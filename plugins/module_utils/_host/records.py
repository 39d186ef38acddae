# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of what was on a host before a role changed it, and how it is kept in a file.

Private to this collection. It holds paths, owners, modes, extended attributes and names, and no content of a file.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .._model.installed import HEADER
from . import blocks

DIRECTORY = "/etc/beam/"
"""All files below it are ours."""

BLOCK = "BEGIN beam.cluster"


@dataclass(frozen=True)
class Record:
    """`paths` is path -> owner, group (numbers as text), mode (octal, 0750), extended (attributes, see blocks.py) and open_end (whether the last line
    had no end). The rest are names that were enabled, active or there."""

    paths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    enabled: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    users: tuple[str, ...] = ()

    def encode(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    def shown(self) -> Record:
        """What may leave the host: an extended attribute can hold anything."""
        return replace(self, paths={path: {name: one[name] for name in ("owner", "group", "mode")} for path, one in self.paths.items()})


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
    paths: dict[str, dict[str, Any]] = {}
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


def looked_at(paths: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Of those that exist, at the end of their links: what a role could change beside the content."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        if os.path.exists(path):
            seen = os.stat(path)
            found[path] = {
                "owner": str(seen.st_uid), "group": str(seen.st_gid), "mode": f"{stat.S_IMODE(seen.st_mode):04o}",
                "extended": blocks.attributes(os.path.realpath(path)), "open_end": stat.S_ISREG(seen.st_mode) and _has_open_end(path),
            }  # fmt: skip
    return found


def _has_open_end(path: str) -> bool:
    with open(path, "rb") as stream:
        return stream.read()[-1:] not in (b"", b"\n")


def give_back(paths: Mapping[str, Mapping[str, Any]], path: str) -> bool:
    """Owner, group, mode and extended attributes of a path that was recorded. Returns whether any was different."""
    one = paths.get(path)
    if one is None or not os.path.exists(path):
        return False
    file = os.open(os.path.realpath(path), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        return blocks.set_attributes(file, int(one["owner"]), int(one["group"]), int(one["mode"], 8), one.get("extended") or {})
    finally:
        os.close(file)


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
    blocks.make_directories(os.path.dirname(directory))
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory)
    os.chmod(directory, 0o700)
    if replaced and os.path.lexists(replaced):
        _copy(replaced, f"{path}.file")
    blocks.replace(path, record.encode().encode(), os.geteuid(), os.getegid(), 0o600, {})


def _copy(source: str, target: str) -> None:
    """A copy with everything of its source; of a link a link."""
    seen = os.lstat(source)
    if stat.S_ISLNK(seen.st_mode):
        new = f"{target}.beam-new"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)
        os.symlink(os.readlink(source), new)
        os.lchown(new, seen.st_uid, seen.st_gid)
        os.replace(new, target)
        return
    with open(source, "rb") as stream:
        blocks.replace(target, stream.read(), seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode), blocks.attributes(source))


def remove(path: str, replaced: str | None = None) -> None:
    """Forgets a record, its copy first, which is put back in its place: with the record gone a later run keeps a new one."""
    if replaced and os.path.lexists(f"{path}.file"):
        _copy(f"{path}.file", replaced)
    for name in (f"{path}.file", path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)

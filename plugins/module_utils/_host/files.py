# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that make a node: who may read them, and what is in those that everybody may.

Private to this collection.
"""

from __future__ import annotations

import glob
import hashlib
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .._model.installed import DROP_IN, OLD_DROP_IN
from .writers import Above, group_name, user_name

_TREES = ("/etc/beam",)
_PATTERNS = (
    f"/etc/systemd/system/*.d/{OLD_DROP_IN}",
    f"/etc/systemd/system/*.d/{DROP_IN}",
    "/etc/systemd/system/beam*.service",
    "/etc/profile.d/beam.sh",
    "/var/lib/beam/*/.erlang.cookie",
)
_OTHERS = ("/root/.erlang.cookie",)
"""Files that no role writes, and that every observation is about."""
MOST = 4096
_LARGEST = 1 << 20


def ours() -> Iterator[str]:
    """Our trees, and our files elsewhere."""
    for tree in _TREES:
        for directory, _directories, names in os.walk(tree):
            yield directory
            yield from (os.path.join(directory, name) for name in names)
    for pattern in _PATTERNS:
        yield from glob.glob(pattern)


def describe(path: str, above: Above) -> dict[str, object]:
    """One file or directory. A sum is given of files that everybody may read: those hold no secret. Raises OSError where it cannot be looked at."""
    status = os.lstat(path)
    mode = stat.S_IMODE(status.st_mode)
    kinds = ((stat.S_ISDIR, "directory"), (stat.S_ISLNK, "link"), (stat.S_ISREG, "file"))
    return {
        "path": path,
        "kind": next((name for is_kind, name in kinds if is_kind(status.st_mode)), "other"),
        "mode": f"{mode:04o}",
        "owner": user_name(status.st_uid),
        "group": group_name(status.st_gid),
        "size": status.st_size,
        "modified": status.st_mtime,
        "links": status.st_nlink if stat.S_ISREG(status.st_mode) else None,
        "sha256": _sum(path) if stat.S_ISREG(status.st_mode) and mode & 0o004 and status.st_size <= _LARGEST else None,
        **above.of(path),
    }


def _sum(path: str) -> str | None:
    try:
        with open(path, "rb") as stream:
            return hashlib.sha256(stream.read()).hexdigest()
    except OSError:
        return None


@dataclass(frozen=True)
class Listing:
    """entries: what describe() says of each, by path. missing: asked for and not there. whole: False where there was more than is listed."""

    entries: list[dict[str, object]]
    missing: list[str]
    whole: bool


def describe_all(asked: Iterable[str] = ()) -> Listing:
    """The files asked for, then ours, up to a limit."""
    above = Above()
    found: dict[str, dict[str, object]] = {}
    missing = []
    whole = True
    for path, wanted in itertools.chain(((path, True) for path in asked), ((path, False) for path in (*_OTHERS, *ours()))):
        if path in found:
            continue
        if len(found) >= MOST:
            whole = False
            break
        try:
            found[path] = describe(path, above)
        except (FileNotFoundError, NotADirectoryError):
            if wanted:
                missing.append(path)
        except (OSError, ValueError):
            # Behind a directory that is not ours to read: nobody knows whether it is there.
            continue
    return Listing([found[path] for path in sorted(found)], sorted(set(missing)), whole)

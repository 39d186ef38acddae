# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who beside root can write the code that a VM loads.

Private to this collection.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from .writers import Above, writers

_LOADED = (".beam", ".so", ".app")


def replaceable(paths: Iterable[str]) -> list[dict[str, object]] | None:
    """The directories (and archives) of a code path in which somebody beside root can put a module: [{path, by}]. None where one cannot be looked at.

    The path "." is left out: it is the working directory, which a node's user may write.
    """
    above = Above()
    found: list[dict[str, object]] = []
    for path in dict.fromkeys(paths):
        if not os.path.isabs(path) or not os.path.lexists(path):
            continue
        by = above.of(os.path.join(path, "any.beam"))["replaceable_by"]
        if by is None:
            return None
        if by:
            found.append({"path": path, "by": by})
        try:
            found += _files(path, above, set(by))
        except OSError:
            return None
    return found


def _files(directory: str, above: Above, known: set[str]) -> Iterator[dict[str, object]]:
    """The modules and libraries in a directory that somebody else can write, whoever owns the directory. An archive is one itself."""
    try:
        names = [os.path.join(directory, name) for name in os.listdir(directory)] if os.path.isdir(directory) else [directory]
    except FileNotFoundError:
        return
    for path in names:
        if path != directory and not path.endswith(_LOADED):
            continue
        try:
            by = set(writers(os.path.realpath(path)))
        except FileNotFoundError:
            # It has gone since, or is a link to nothing.
            continue
        if os.path.islink(path):
            leading = above.of(path)["replaceable_by"]
            if leading is None:
                raise OSError(f"the directories above {path} cannot be looked at")
            by.update(leading)
        if by - known:
            yield {"path": path, "by": sorted(by - known)}

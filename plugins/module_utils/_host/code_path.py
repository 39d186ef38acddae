# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who beside root can write the code that a VM loads, and which of its directories it was not started with.

Private to this collection.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from . import proc
from .vm_flags import flags_of, value_of
from .writers import Above, writers

_LOADED = (".beam", ".so", ".app")
_DEEPEST = 3


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
            found += _native(path, above, set(by))
        except OSError:
            return None
    return found


def added(node: str, paths: Iterable[str], root: str = "/proc") -> list[str] | None:
    """The directories of a code path that are neither in the OTP of the node's VM nor named in its arguments or ERL_LIBS: code:add_path/1 adds such.
    None where the VM is not known. "." is the working directory, which every VM has."""
    machines = [one for one in proc.beam_processes(root) if one.flags.name in (node, node.partition("@")[0]) and not one.container]
    if len(machines) != 1:
        return None
    base = f"{root}/{machines[0].pid}"
    arguments = [part.decode("utf-8", "replace") for part in proc.read(f"{base}/cmdline").split(b"\0")[:-1]]
    otp = value_of(arguments, "-root")
    if not otp:
        return None
    named = {os.path.normpath(value) for flag, values in flags_of(arguments[1:]) if flag in ("-pa", "-pz", "-path") for value in values}
    libraries = re.findall(rb"(?:^|\0)ERL_LIBS=([^\0]*)", proc.read(f"{base}/environ"))
    trees = [otp, *(place for text in libraries for place in text.decode("utf-8", "replace").split(":") if place)]
    return [
        path for path in dict.fromkeys(map(os.path.normpath, paths))
        if path != "." and path not in named and not any(path == tree or path.startswith(f"{tree.rstrip('/')}/") for tree in trees)
    ]


def _native(directory: str, above: Above, known: set[str]) -> Iterator[dict[str, object]]:
    """The native code beside the modules of an application: NIFs and programs below priv. A NIF runs in the VM itself."""
    priv = os.path.join(os.path.dirname(directory.rstrip("/")), "priv")
    if os.path.basename(directory.rstrip("/")) != "ebin" or not os.path.isdir(priv):
        return
    for place, below, names in os.walk(priv):
        if place[len(priv) :].count("/") >= _DEEPEST:
            below.clear()
        by = above.of(os.path.join(place, "any.so"))["replaceable_by"]
        if by is None:
            raise OSError(f"the directories above {place} cannot be looked at")
        if set(by) - known:
            yield {"path": place, "by": sorted(set(by) - known)}
        for path in (os.path.join(place, name) for name in names):
            try:
                mine = set(writers(os.path.realpath(path))) if _is_native(path) else set()
            except FileNotFoundError:
                continue
            if mine - known - set(by):
                yield {"path": path, "by": sorted(mine - known - set(by))}


def _is_native(path: str) -> bool:
    return path.endswith(".so") or bool(os.stat(path).st_mode & 0o111)


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

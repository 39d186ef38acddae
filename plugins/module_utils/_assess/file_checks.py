# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of files: owner, mode, and who else can put another file in their place.

Private to this collection, pure. See host_checks.py.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .._model.observation import FileFacts, Observation
from .finding import NOT_TESTED, Result, result
from .target import HostTarget, NodeTarget

SECRET = (0o400,)
EVALUATED = (0o644, 0o444)


@dataclass
class _Looked:
    """What came of looking at files: problems, and what nobody could see."""

    problems: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def result(self, subject: str, good: str) -> Result:
        if self.unseen and not self.problems:
            return Result(subject, NOT_TESTED, tuple(self.unseen))
        return result(subject, self.problems, good)


def exists(seen: Observation, path: str) -> bool | None:
    """Whether a file is there; None where nobody could look."""
    said = seen.exists(path)
    if said is not None or not seen.privileged or "files" in seen.unknown:
        return said
    # A directory that is listed itself was listed whole.
    return False if posixpath.dirname(path) in (seen.files or {}) else None


def _look(seen: Observation, path: str, owner: str, modes: Sequence[int], looked: _Looked) -> None:
    entry = (seen.files or {}).get(path)
    if entry is None:
        if exists(seen, path) is None:
            looked.unseen.append(f"{path} was not looked at")
        else:
            looked.problems.append(f"{path} does not exist")
        return
    if entry.kind != "file":
        looked.problems.append(f"{path} is no regular file ({entry.kind})")
    if entry.owner != owner:
        looked.problems.append(f"{path} belongs to {entry.owner}, not to {owner}")
    if entry.mode & 0o7777 not in modes:
        looked.problems.append(f"{path} has mode {entry.mode & 0o7777:04o}, not {' or '.join(f'{mode:04o}' for mode in modes)}")
    _look_above(entry, owner, looked)


def _look_above(entry: FileFacts, owner: str, looked: _Looked) -> None:
    if entry.replaceable_by is None:
        looked.unseen.append(f"the directories above {entry.path} were not looked at")
        return
    others = [who for who in entry.replaceable_by if who != owner]
    if others:
        looked.problems.append(f"{entry.path} can be replaced by {', '.join(others)}: a directory above it belongs to them or is open to them")


def _not_left(seen: Observation, node: NodeTarget, path: str) -> Result:
    """A node without distribution has no use for the file."""
    there = exists(seen, path)
    if there is None:
        return Result(node.node, NOT_TESTED, (f"{path} was not looked at",))
    return result(node.node, [f"{path} is not removed"] if there else [], f"{path} is not there")


def private_key(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        if not node.key_file:
            yield _not_left(seen, node, f"{node.directory}/tls/key.pem")
            continue
        looked = _Looked()
        _look(seen, node.key_file, node.user, SECRET, looked)
        yield looked.result(node.node, node.key_file)


def cookie_file(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        path = node.cookie_file
        if path is None:
            yield Result(node.node, NOT_TESTED, ("where its cookie file is, is not known",))
        elif not host.distributed:
            yield _not_left(seen, node, path)
        else:
            looked = _Looked()
            _look(seen, path, node.user, SECRET, looked)
            yield looked.result(node.node, path)


def options_file(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        looked = _Looked()
        for path in node.evaluated_files:
            _look(seen, path, "root", EVALUATED, looked)
        yield looked.result(node.node, ", ".join(node.evaluated_files))

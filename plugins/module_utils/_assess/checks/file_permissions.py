# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of files: owner, mode, and who else can put another file in their place.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ..._model.confinement_facts import Hardening
from ..._model.observation import FileFacts, Observation
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import CLEAR_TEXT, HostTarget, NodeTarget
from .parts import Check, of_nodes


@dataclass(frozen=True)
class Modes:
    """The modes that a file may have. exact: those that our roles give. never: the bits that no file of its kind may have, whoever made it."""

    exact: tuple[int, ...]
    never: int

    def problem(self, entry: FileFacts, exact: bool) -> str:
        mode = entry.mode & 0o7777
        if exact:
            wanted = " or ".join(f"{one:04o}" for one in self.exact)
            return f"{entry.path} has mode {mode:04o}, not {wanted}" if mode not in self.exact else ""
        return f"{entry.path} has mode {mode:04o}; no bit of {self.never:04o} may be set" if mode & self.never else ""


SECRET = Modes((0o400,), 0o077)
EVALUATED = Modes((0o644, 0o444), 0o022)


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


def _look(seen: Observation, path: str, owner: str, modes: Modes, looked: _Looked, *, exact: bool) -> None:
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
    wrong = modes.problem(entry, exact)
    if wrong:
        looked.problems.append(wrong)
    if modes is SECRET and entry.kind == "file":
        _look_for_links(entry, looked)
    _look_above(entry, owner, looked)


def _look_for_links(entry: FileFacts, looked: _Looked) -> None:
    """Another name of a secret opens it with a command that is about that name, and keeps it when the file is replaced."""
    if entry.links is None:
        looked.unseen.append(f"how many names {entry.path} has was not looked at")
    elif entry.links > 1:
        more = f"{entry.links - 1} more name{'s' if entry.links > 2 else ''} (hard links)"
        looked.problems.append(f"{entry.path} has {more}: find them with find / -xdev -samefile {entry.path}, and remove them")


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


def _private_key(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        if node.tls_versions is None and not node.key_file:
            why = "where its key is, is not known" if node.key_file is None else CLEAR_TEXT
            yield Result(node.node, NOT_TESTED if node.key_file is None else NOT_APPLICABLE, (why,))
            continue
        if not node.key_file:
            yield _not_left(seen, node, f"{node.directory}/tls/key.pem")
            continue
        looked = _Looked()
        for path in (node.key_file, *node.other_keys):
            _look(seen, path, node.user, SECRET, looked, exact=node.exact_modes)
        yield looked.result(node.node, ", ".join((node.key_file, *node.other_keys)))


def _cookie_file(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        path = node.cookie_file
        if path is None:
            yield Result(node.node, NOT_TESTED, ("where its cookie file is, is not known",))
        elif not path:
            yield Result(node.node, NOT_APPLICABLE, ("it has no cookie file: its cookie comes from elsewhere, see argument-list",))
        elif not host.distributed:
            yield _not_left(seen, node, path)
        else:
            looked = _Looked()
            _look(seen, path, node.user, SECRET, looked, exact=node.exact_modes)
            yield looked.result(node.node, path)


_ROOTS = ("/etc/beam/", "/etc/systemd/", "/etc/profile.d/")
"""Where files of ours are root's alone. Those elsewhere lie in a directory of a product, which its package may give to its user: see start-files."""


def _others_that_decide(host: HostTarget, node: NodeTarget, seen: Observation) -> list[str]:
    """What else decides how a node starts: its unit, its guard, the firewall, and all that is in its directory.

    Of those that are missing planned-files tells.
    """
    files = seen.files or {}
    secrets = f"{node.directory}/tls/"
    mine = (path for path, entry in files.items() if node.directory and path.startswith(f"{node.directory}/") and entry.kind == "file")
    planned = (path for path in host.contents or () if path.startswith(_ROOTS))
    found = {*planned, *(path for path in mine if not path.startswith(secrets))}
    return sorted(path for path in found.difference(node.evaluated_files) if path in files)


def _options_file(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        if not node.evaluated_files and not node.directory:
            yield Result(node.node, NOT_APPLICABLE, ("it was started without an option file and without an argument file",))
            continue
        looked = _Looked()
        for path in node.evaluated_files:
            _look(seen, path, "root", EVALUATED, looked, exact=node.exact_modes)
        for path in _others_that_decide(host, node, seen):
            _look(seen, path, "root", EVALUATED, looked, exact=False)
        yield looked.result(node.node, ", ".join(node.evaluated_files))


def _trust_file(host: HostTarget, seen: Observation) -> Iterator[Result]:
    """Who writes the CA file decides which nodes are members, whatever its mode lets others read."""
    for node in host.nodes:
        if node.key_file == "" or node.tls_versions == ():
            yield Result(node.node, NOT_APPLICABLE, (CLEAR_TEXT,))
            continue
        paths = [path for path in (node.ca_file, node.certificate_file, *node.other_trust) if path]
        if not paths:
            yield Result(node.node, NOT_TESTED, ("where its CA file is, is not known",))
            continue
        looked = _Looked()
        for path in paths:
            _look(seen, path, "root", EVALUATED, looked, exact=False)
        yield looked.result(node.node, ", ".join(paths))


def _logs(one: Hardening) -> tuple[str, ...] | None:
    return None if one.open_logs is None else tuple(f"writes {path}, which every user can read" for path in one.open_logs)


CHECKS: Mapping[str, Check] = {
    "private-key": _private_key,
    "cookie-file": _cookie_file,
    "options-file": _options_file,
    "trust-file": _trust_file,
    "log-files": of_nodes(_logs, "not every user can read its log files", "its open files"),
}

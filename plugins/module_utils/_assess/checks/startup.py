# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of who can change what a node reads when it starts: now, at the next boot, or nobody at all.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ..._model.confinement_facts import StartFile
from ..._model.host_facts import HARD_LINK, INTERRUPTED
from ..._model.observation import Observation
from ..._model.system_facts import SystemFacts
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import NEEDS_PLAN, HostTarget, NodeTarget
from .parts import Check, has_ended, vms
from .system import of_system

_MOST = 5
_WRITTEN_AT_START = ("release.args", "release.args.src")
"""Files in the home of a release's node that the unit of the role service writes anew, as the node's user, before each start."""


def _start_files(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = [one for one in vms(host, seen, node) if not has_ended(one)]
        if seen.processes is None or not running:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes") if seen.processes is None else node.no_process,))
            continue
        problems: list[str] = []
        unseen: list[str] = []
        for one in running:
            files = one.hardening.start_files if one.hardening else None
            rewritten = _written_at_start(node) if one.digest is not None else ()
            problems += _changeable(node, files or (), rewritten)
            unseen += [f"pid {one.pid}: the files that it reads when it starts could not be looked at"] if files is None else []
        unit = (seen.units or {}).get(node.unit)
        problems += _changeable(node, (unit.start_files if unit else None) or ())
        if node.unit.endswith(".service") and (unit is None or unit.start_files is None):
            unseen.append(f"the files of {node.unit} were not looked at")
        if unseen and not problems:
            yield Result(node.node, NOT_TESTED, tuple(unseen))
            continue
        found = list(dict.fromkeys(problems))
        more = [f"and {len(found) - _MOST} more files"] if len(found) > _MOST else []
        yield result(node.node, found[:_MOST] + more, "only root can change what it reads when it starts")


def _changeable(node: NodeTarget, files: Iterable[StartFile], rewritten: Collection[str] = ()) -> Iterator[str]:
    for one in files:
        # options-file tells of these.
        if one.path in node.evaluated_files or (node.directory and one.path.startswith(f"{node.directory}/")):
            continue
        own = one.product or one.path in rewritten
        by = [user for user in one.by if not (own and user in (node.user, f"group {node.user}"))]
        if by:
            yield f"{one.path} can be changed or replaced by {', '.join(by)}"


def _written_at_start(node: NodeTarget) -> tuple[str, ...]:
    if not node.cookie_file:
        return ()
    return tuple(f"{node.cookie_file.rpartition('/')[0]}/{name}" for name in _WRITTEN_AT_START)


def _hosts_file(facts: SystemFacts) -> tuple[list[str], str] | None:
    if facts.dist_hosts is None:
        return None
    return [f"{path} exists" for path in facts.dist_hosts], "no home of a node has one"


def _at_boot(host: HostTarget, seen: Observation) -> Iterator[Result]:
    files, joins = (seen.system.tmpfiles, seen.system.sysusers) if seen.system else (None, None)
    own = {node.user for node in host.nodes}
    problems = [_changed(path, does, where) for path, does, where in files or ()]
    # Of the groups that a node's own user gets, node-groups tells.
    problems += [f"{where} puts {user} into the group {group} at the next boot: {_TAKE_OUT}" for user, group, where in joins or () if user not in own]
    if (files is None or joins is None) and not problems:
        yield Result(host.name, NOT_TESTED, (f"{'tmpfiles.d' if files is None else 'sysusers.d'} could not be read",))
        return
    yield result(host.name, problems, "no line of tmpfiles.d or sysusers.d and no job opens, replaces or removes a file of a node")


_TAKE_OUT = "remove that line"
_COMMANDS = ("chmod", "chown", "chgrp", "setfacl", "cp", "install", "ln", "mv", "rm", "rsync", "sed", "shred", "tee", "truncate", "unlink", ">")
"""Of jobs and units. What systemd-tmpfiles does has other names."""
UNMOUNTED = "unmounted"
"""Of a file that a mount shows which no file of the system makes again."""


def _changed(path: str, does: str, where: str) -> str:
    if does == UNMOUNTED:
        return f"{path} is another file from the next boot on: what is mounted at {where} is in no fstab. Run umount {where}, and verify again"
    return f"{where} changes {path} {_when(does)} ({does}): {_TAKE_OUT}"


def _when(does: str) -> str:
    if "older than" in does:
        return "when systemd-tmpfiles-clean.timer runs"
    return "when it runs" if does in _COMMANDS else "at the next boot"


def _changeable_files(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if not host.firewall:
        yield Result(host.name, NOT_APPLICABLE, (f"{NEEDS_PLAN}: which files a run writes",))
        return
    if seen.obstacles is None:
        yield Result(host.name, NOT_TESTED, ("what keeps a run from writing its files was not looked at",))
        return
    # Files of dpkg come and go while it works.
    said = (one.explained() for one in seen.obstacles if one.reason not in (INTERRUPTED, HARD_LINK))
    yield result(host.name, [": ".join(words) for words in said if words], "a run can write its files")


CHECKS: Mapping[str, Check] = {
    "start-files": _start_files,
    "files-at-boot": _at_boot,
    "changeable-files": _changeable_files,
    "hosts-file": of_system(_hosts_file, "the homes of the nodes"),
}

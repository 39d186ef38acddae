# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of a host are made of: who is looked at, and the results for one process, one node or EPMD.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Callable

from ..._model.confinement_facts import Hardening
from ..._model.installed import EPMD_SERVICE
from ..._model.observation import Observation
from ..._model.processes import Process
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import HostTarget, NodeTarget

Check = Callable[[HostTarget, Observation], Iterator[Result]]
Said = Callable[[Hardening], "tuple[str, ...] | None"]
"""Problems of one process, () for none; None where what they depend on is not known."""

NO_EPMD = "no EPMD runs on the host"
EPMD_USER = "epmd"
"""Of Debian's package, and of role epmd."""


def unknown(subjects: Iterable[str], seen: Observation, part: str) -> Iterator[Result]:
    for subject in subjects:
        yield Result(subject, NOT_TESTED, (seen.why_unknown(part),))


def vms(host: HostTarget, seen: Observation, node: NodeTarget) -> list[Process]:
    return [one for one in seen.processes or () if node.is_run_by(one)]


def epmds(seen: Observation) -> list[Process]:
    return [one for one in seen.processes or () if one.program == "epmd"]


def unheard(processes: Iterable[Process]) -> tuple[str, ...]:
    """Why the listeners of the host do not show those of some processes; empty where they do."""
    return tuple(
        f"pid {one.pid} ({one.program}) is in another network namespace than the host: its listeners were not looked at"
        for one in processes if one.own_network
    )


def has_ended(process: Process) -> bool:
    """Whether a process ended while it was looked at: a tool that a unit starts, for example. Its arguments were read, and nothing after them."""
    return process.flags.arguments_read and process.hardening == Hardening()


def about(
    subject: str, processes: Iterable[Process], said: Callable[[Process], "tuple[str, ...] | None"], good: str, what: str, missing: str
) -> Result:
    """The result for some processes. what: names what could not be read of one; missing: why there is no process."""
    problems: list[str] = []
    unseen: list[str] = []
    count = 0
    for one in processes:
        if has_ended(one):
            continue
        count += 1
        found = said(one)
        if found is None:
            unseen.append(f"pid {one.pid}: {what} could not be read")
        problems += [f"pid {one.pid} ({one.program}) {problem}" for problem in found or ()]
    if not count:
        return Result(subject, NOT_TESTED, (missing,))
    if unseen and not problems:
        return Result(subject, NOT_TESTED, tuple(unseen))
    return result(subject, problems, good)


def of_nodes(said: Said, good: str, what: str, *, with_epmd: bool = False, but_root: bool = False) -> Check:
    """The check of the VMs of each node, and of EPMD as a subject of the host where it counts and runs.

    but_root: nothing is said of root's processes.
    """

    def of(one: Process) -> tuple[str, ...] | None:
        if but_root and one.user == "root":
            return ()
        return said(one.hardening) if one.hardening else None

    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        if seen.processes is None:
            for name in (node.node for node in host.nodes):
                yield Result(name, NOT_TESTED, (seen.why_unknown("processes"),))
            return
        for node in host.nodes:
            yield about(node.node, vms(host, seen, node), of, good, what, node.no_process)
        # One that is not the planned one is not confined by any role; epmd-listeners finds it where it matters.
        others = [one for one in epmds(seen) if host.members is None or one.unit == EPMD_SERVICE] if with_epmd else []
        if others:
            yield about(host.name, others, of, good, what, NO_EPMD)

    return check


def of_epmd(said: Said, good: str, what: str) -> Check:
    def of(one: Process) -> tuple[str, ...] | None:
        return said(one.hardening) if one.hardening else None

    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        if seen.processes is None:
            yield Result(host.name, NOT_TESTED, (seen.why_unknown("processes"),))
        elif not epmds(seen):
            yield Result(host.name, NOT_APPLICABLE, (NO_EPMD,))
        else:
            yield about(host.name, epmds(seen), of, good, what, NO_EPMD)

    return check

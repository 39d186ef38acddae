# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of running processes: the node is the one that the files describe, its VM is the OTP on disk, no debugger or remote shell is at work.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..._model.confinement_facts import Hardening
from ..._model.observation import Observation
from ..._model.processes import Process
from ..._model.restart_reasons import vm_problems
from ..controls.thresholds import SHELL_HOURS_MAX
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import NEEDS_PLAN, HostTarget, NodeTarget
from .parts import Check, has_ended, of_nodes, unknown, vms
from .units import not_looked_at, units

STALE = "was started before its files were last changed"
_HOUR = 3600


def _running_process(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield from unknown((node.node for node in host.nodes), seen, "processes")
        return
    for node, unit in units(host, seen):
        if node.drop_in is None and (unit is None or unit.digest is None):
            # Only the role service writes a digest of the files into a unit.
            yield Result(node.node, NOT_APPLICABLE, (f"{NEEDS_PLAN}: its unit has no digest of the files that the node was started with",))
            continue
        if unit is None:
            yield not_looked_at(node)
            continue
        running = [one for one in seen.processes if node.is_run_by(one) and (not host.distributed or _is(one, node))]
        problems = [] if unit.digest else [f"{node.unit}: its environment has no digest of the files"]
        if not running:
            problems.append(f"no process of {node.unit} runs {node.node}")
        problems += [f"pid {one.pid} runs as {one.user}, not as {node.user}" for one in running if one.user != node.user]
        if not host.distributed:
            named = [one for one in running if one.flags.arguments_read and one.flags.distribution_possible]
            problems += [f"pid {one.pid} can be given a name, {one.flags.name or 'at runtime'}" for one in named]
        # Another user's environment and arguments are hidden from whoever is not root.
        unread = [one for one in running if not one.flags.arguments_read or (one.digest is None and not seen.privileged)]
        stale = [one for one in running if unit.digest not in (None, one.digest) and one not in unread]
        problems += [f"pid {one.pid} {STALE}" for one in stale]
        problems += [f"pid {one.pid} {said}" for one in running if one.hardening for said in _own_view(one.hardening.elsewhere or ())]
        if unread and not problems:
            yield Result(node.node, NOT_TESTED, tuple(f"pid {one.pid}: its arguments and environment could not be read" for one in unread))
            continue
        unseen = [one for one in running if not has_ended(one) and (one.hardening is None or one.hardening.elsewhere is None)]
        if unseen and not problems:
            yield Result(node.node, NOT_TESTED, tuple(f"pid {one.pid}: which files it sees could not be looked at" for one in unseen))
            continue
        yield result(node.node, problems, f"pid {', '.join(str(one.pid) for one in running)} has the digest of the files")


def _own_view(paths: Sequence[str]) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        yield f"sees another {', '.join(paths[:3])}{more} than the host: remove BindPaths=, TemporaryFileSystem= or RootDirectory= from its unit"


def _running_vm(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield from unknown((node.node for node in host.nodes), seen, "processes")
        return
    for node in host.nodes:
        running = [one for one in seen.processes if node.is_run_by(one)]
        problems = [problem for one in running for problem in vm_problems(one)]
        unread = [f"pid {one.pid}: its program could not be read" for one in running if one.vm is None]
        if not running:
            unread.append(node.no_process)
        if unread and not problems:
            yield Result(node.node, NOT_TESTED, tuple(unread))
            continue
        versions = ", ".join(f"pid {one.pid} runs OTP {one.vm.version or 'of an unknown version'}" for one in running if one.vm)
        yield result(node.node, problems, f"{versions}, the one on disk")


def _is(process: Process, node: NodeTarget) -> bool:
    """Whether a process of the node's unit is the node. One whose arguments could not be read may be."""
    return not process.flags.arguments_read or process.flags.name in (node.node, node.name)


def _tracer(one: Hardening) -> tuple[str, ...] | None:
    if one.traced_by is None:
        return None
    said = f"is traced by {one.traced_by}, which reads and changes its memory, the cookie and the key in it: end that program"
    return (said,) if one.traced_by else ()


def _switches_read(process: Process) -> bool:
    return process.hardening is not None and process.hardening.switches is not None


def _remote_shells(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("processes"),))
        return
    machines = [one for one in seen.processes if one.is_vm]
    unread = [f"pid {one.pid}: its arguments could not be read" for one in machines if not (_switches_read(one) or has_ended(one))]
    problems = []
    for one in machines:
        shell = bool(one.hardening and "remsh" in (one.hardening.switches or ()))
        hours = (seen.epoch - one.started) / _HOUR if shell and seen.epoch is not None and one.started is not None else 0.0
        if hours > SHELL_HOURS_MAX:
            problems.append(f"pid {one.pid} (user {one.user}) is a remote shell and {hours:.0f} hours old")
    if unread and not problems:
        yield Result(host.name, NOT_TESTED, tuple(unread))
        return
    yield result(host.name, problems, "no remote shell has been open for too long")


def _boot_server(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = vms(host, seen, node)
        facts = running[0].hardening if running else None
        if facts is None or facts.kernel is None or not running[0].flags.arguments_read:
            yield Result(node.node, NOT_TESTED, (f"the parameters of {node.node} could not be read" if running else node.no_process,))
            continue
        started = {**facts.kernel, **running[0].flags.kernel}.get("start_boot_server") == "true"
        problems = [f"pid {running[0].pid} runs with start_boot_server true: the hosts of boot_server_slaves read every file that the node can read"]
        yield result(node.node, problems if started else [], "it serves no files to other hosts")


CHECKS: Mapping[str, Check] = {
    "running-process": _running_process,
    "running-vm": _running_vm,
    "traced-processes": of_nodes(_tracer, "no program traces it", "whether a program traces it", with_epmd=True),
    "remote-shells": _remote_shells,
    "boot-server": _boot_server,
}

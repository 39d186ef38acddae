# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of what else runs beside the members on their hosts: other VMs with distribution, and names in EPMD.

Private to this collection, pure. See on_hosts.py. A tool (a remote shell, rabbitmqctl) connects to a node from its own host, and ends soon. It is no
finding while nobody but the node can reach it: it does not listen, or on loopback, or within the limits that the plan gives to tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..._model.observation import Listener, Observation
from ..._model.processes import Process
from ..controls.thresholds import PORTS_MAX
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import NEEDS_MEMBERS, HostTarget


def _other_machines(host: HostTarget, seen: Observation) -> list[Process]:
    """VMs that are no member's: in no planned unit. What a planned unit starts is looked at with that unit."""
    units = {node.unit for node in host.nodes}
    processes = [one for one in seen.processes or () if one.unit not in units]
    return [one for one in (*processes, *(seen.contained or ())) if one.is_vm]


def _sockets(process: Process, seen: Observation) -> list[Listener]:
    return [one for one in seen.listeners or () if one.pid == process.pid]


def _named_ports(process: Process) -> frozenset[int]:
    """The ports for peers that the flags and the configuration of a VM name: a fixed one, or a range of at most as many as PORTS_MAX."""
    parameters = {**((process.hardening.kernel if process.hardening else None) or {}), **process.flags.kernel}
    fixed = {process.flags.fixed_port or "", parameters.get("erl_epmd_node_listen_port", "")}
    first, last = (parameters.get(f"inet_dist_listen_{end}", "") for end in ("min", "max"))
    several = range(int(first), min(int(last), int(first) + PORTS_MAX) + 1) if first.isdigit() and last.isdigit() else ()
    return frozenset({*(int(port) for port in fixed if port.isdigit()), *several})


def _within_limits(host: HostTarget, process: Process, listening: Iterable[Listener]) -> bool:
    """Whether a VM listens only where a tool of a node may: at the node's own address, in its ports for tools, as its user or root."""
    return any(
        process.user in (node.user, "root") and all(one.address == node.address and node.is_tool_port(one.port) for one in listening)
        for node in host.nodes
    )


def _problem(host: HostTarget, process: Process, seen: Observation) -> str | None:
    """Why a VM that is no member's is open to others; None where it is not."""
    listening = _sockets(process, seen)
    exposed = [one for one in listening if not one.loopback]
    ports = {one.port for one in listening}
    registered = sorted(name for name, port in (seen.epmd_names or {}).items() if port in ports)
    flags = process.flags
    # A VM that gets its name at runtime asks no EPMD where it has a port of its own.
    named = _named_ports(process)
    fixed = bool(named) and (process.own_network or any(port in named for port in ports))
    if not (flags.name or registered or fixed):
        return None
    if (process.container or process.own_network) and not listening:
        # It listens in a network of its own, which is not to be seen from here.
        if not flags.listens or flags.hidden:
            return None
        where = f"{'in a container, ' if process.container else ''}in a network of its own"
    elif not exposed or _within_limits(host, process, exposed):
        return None
    else:
        where = f"{'in a container, ' if process.container else ''}listens on {', '.join(one.at for one in exposed)}"
    name = flags.name or next(iter(registered), "a VM without a name")
    said = f", EPMD names it {', '.join(registered)}" if registered else ""
    return f"{name} (pid {process.pid}, {process.unit or 'no unit'}, user {process.user}) {where}{said}"


def unplanned_nodes(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if host.members is None:
        yield Result(host.name, NOT_APPLICABLE, (NEEDS_MEMBERS,))
        return
    for part, facts in (("processes", seen.processes), ("listeners", seen.listeners)):
        if facts is None:
            yield Result(host.name, NOT_TESTED, (seen.why_unknown(part),))
            return
    others = _other_machines(host, seen)
    problems = [f"not planned: {problem}" for problem in (_problem(host, one, seen) for one in others) if problem]
    problems += _at_boot(host, seen)
    unread = [] if seen.system and seen.system.starts is not None and seen.privileged else ["what starts nodes at the next boot was not looked at"]
    unread += [f"pid {one.pid}: its arguments could not be read" for one in others if not one.flags.arguments_read]
    if unread and not problems:
        yield Result(host.name, NOT_TESTED, tuple(unread))
        return
    yield result(host.name, problems, f"no VM takes connections beside {', '.join(node.node for node in host.nodes)}")


def _at_boot(host: HostTarget, seen: Observation) -> Iterator[str]:
    """What starts other nodes later. Of a unit that runs, its VM is looked at."""
    own = {node.unit for node in host.nodes} | {one.unit for one in seen.processes or () if one.unit}
    own = {name for unit in own - {""} for name in (unit, re.sub(r"@.*(?=\.service$)", "@", unit))}
    for what, where, unit in (seen.system.starts if seen.system else None) or ():
        if unit not in own:
            yield f"{where} starts {what} at the next boot or later, which is not planned: remove that line, or the file"


def is_explained(host: HostTarget, seen: Observation, name: str, port: int) -> bool:
    """Whether a name is a tool's that is there for a moment, or of a VM that unplanned-nodes has named already."""
    if any(node.tool_prefix and name.startswith(node.tool_prefix) for node in host.nodes):
        return True
    pids = {one.pid for one in seen.listeners or () if one.port == port}
    for process in _other_machines(host, seen):
        if process.pid in pids:
            listening = _sockets(process, seen)
            exposed = [one for one in listening if not one.loopback]
            return _problem(host, process, seen) is not None or (process.flags.hidden and _within_limits(host, process, exposed))
    return False

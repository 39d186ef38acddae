# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of EPMD: where it listens, as whom and how it runs, and which nodes it names.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..._model.confinement_facts import Hardening
from ..._model.installed import DROP_IN, EPMD_SERVICE
from ..._model.observation import Observation, Unit
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import HostTarget, NodeTarget
from .firewall import EPMD_SOCKET
from .parts import EPMD_USER, NO_EPMD, Check, epmds, of_epmd, unheard, unknown
from .unplanned_nodes import is_explained

EPMD_DROP_IN = f"/etc/systemd/system/epmd.socket.d/{DROP_IN}"
"""Of role epmd."""

_EPMD_PROGRAMS = ("epmd", "systemd")
"""What holds EPMD's port: systemd holds its socket for it."""


def _epmd_listeners(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.listeners is None:
        yield from unknown([host.name], seen, "listeners")
        return
    found = [one for one in seen.listeners if one.port == host.epmd_port]
    if unheard(epmds(seen)) and not found and not host.epmd_listen:
        yield Result(host.name, NOT_TESTED, unheard(epmds(seen)))
        return
    if host.epmd_listen is None:
        # One at another port is one of these nodes, too (ERL_EPMD_PORT).
        found += [one for one in seen.listeners if one.process == "epmd" and one not in found]
        at = ", ".join(sorted({f"{one.address}:{one.port}" for one in found}))
        problems = [f"listens on every network of the host: {one}" for one in found if one.wildcard]
        yield result(host.name, problems, f"listens on {at}" if found else f"nothing listens at port {host.epmd_port}")
        return
    if not host.epmd_listen:
        yield result(host.name, [f"EPMD must not run here, and {one} listens" for one in found], f"nothing listens at port {host.epmd_port}")
        return
    problems = [f"listens on {one}" for one in found if not one.loopback and one.address not in host.epmd_listen]
    problems += [f"another program than EPMD listens on {one}" for one in found if one.process not in (None, *_EPMD_PROGRAMS)]
    here = {one.address for one in found}
    socket = (seen.units or {}).get(EPMD_SOCKET)
    # Its file changed, and systemd was reloaded: version 252 lets go of the socket then.
    again = f", and {EPMD_SOCKET} is active: run systemctl restart {EPMD_SOCKET}" if not found and socket and socket.active == "active" else ""
    if not any(one.wildcard for one in found):
        wanted = sorted(address for address in host.epmd_listen - here if address not in ("127.0.0.1", "::1"))
        problems += [f"nothing listens on {address}:{host.epmd_port}{again}" for address in wanted]
    problems += _at_next_start(seen)
    # With another port, a second one answers beside it.
    problems += [f"another EPMD listens on {one}" for one in seen.listeners if one.process == "epmd" and one.port != host.epmd_port]
    unseen = [f"which program listens on {one.address}:{one.port} is not known" for one in found if one.process is None]
    unseen += [f"{EPMD_SOCKET} was not looked at"] if socket is None or None in (socket.drop_ins, socket.stale) else []
    if unseen and not problems:
        yield Result(host.name, NOT_TESTED, tuple(unseen))
        return
    yield result(host.name, problems, f"port {host.epmd_port} on {', '.join(sorted(here))}")


def _at_next_start(seen: Observation) -> Iterator[str]:
    """Why EPMD's socket may listen elsewhere from its next start on: it does not use the drop-in of role epmd, or one that comes after it."""
    socket = (seen.units or {}).get(EPMD_SOCKET)
    drop_ins = socket.drop_ins if socket else None
    masked = [name for name in (EPMD_SOCKET, EPMD_SERVICE) for unit in ((seen.units or {}).get(name),) if unit and _is_masked(unit)]
    yield from (f"{name} is masked: EPMD cannot start again. Run systemctl unmask{_of_run(seen, name)} {name}" for name in masked)
    if EPMD_SOCKET in masked:
        return
    if socket and socket.stale:
        yield f"{EPMD_SOCKET}: systemd has not read its files since they changed. Run systemctl daemon-reload"
    if drop_ins is not None and EPMD_DROP_IN not in drop_ins:
        yield f"{EPMD_SOCKET} does not use {EPMD_DROP_IN}, and listens everywhere from its next start on. Run beam.cluster.site"
    elif drop_ins and drop_ins[-1] != EPMD_DROP_IN:
        later = ", ".join(drop_ins[drop_ins.index(EPMD_DROP_IN) + 1 :])
        yield f"{later} comes after {EPMD_DROP_IN} and can undo it. Remove it, and run beam.cluster.site"


def _of_run(seen: Observation, name: str) -> str:
    """A mask in /run is removed by name."""
    unit = (seen.units or {}).get(name)
    return " --runtime" if unit and unit.enabled == "masked-runtime" else ""


def _is_masked(unit: Unit) -> bool:
    return "masked" in (unit.load, str(unit.enabled).partition("-")[0])


def _epmd_needed(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.listeners is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("listeners"),))
        return
    found = [one for one in seen.listeners if one.port == host.epmd_port]
    elsewhere = [one for one in seen.listeners if one.process == "epmd" and one.port != host.epmd_port]
    planned = bool(host.nodes) and host.distributed and bool(host.epmd_listen)
    if not found and unheard(epmds(seen)):
        yield Result(host.name, NOT_TESTED, unheard(epmds(seen)))
    elif elsewhere and host.members is None:
        yield Result(host.name, NOT_TESTED, tuple(f"which nodes EPMD names on {one} was not asked" for one in elsewhere))
    elif not found:
        yield result(host.name, [], f"nothing listens at port {host.epmd_port}")
    elif planned or seen.epmd_names:
        yield result(host.name, [], f"EPMD names {', '.join(sorted(seen.epmd_names or {})) or 'the nodes of the plan'}")
    elif seen.epmd_names is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("epmd_names"),))
    else:
        yield result(host.name, [f"EPMD listens on {', '.join(sorted({one.address for one in found}))} and names no node"], "")


def _epmd_commands(one: Hardening) -> tuple[str, ...] | None:
    if one.switches is None or one.variables is None:
        return None
    relaxed = [f"runs with {text}" for text, there in (
        ("-relaxed_command_check", "relaxed_command_check" in one.switches),
        ("ERL_EPMD_RELAXED_COMMAND_CHECK", "ERL_EPMD_RELAXED_COMMAND_CHECK" in one.variables),
    ) if there]
    return tuple(relaxed)


def _epmd_debug(one: Hardening) -> tuple[str, ...] | None:
    if one.switches is None:
        return None
    return ("runs in debug mode",) if "debug" in one.switches else ()


def _epmd_replaced(one: Hardening) -> tuple[str, ...] | None:
    if one.replaced is None:
        return None
    return ("runs a program that is no longer the file on disk",) if one.replaced else ()


def _epmd_user(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("processes"),))
        return
    if not epmds(seen):
        yield Result(host.name, NOT_APPLICABLE, (NO_EPMD,))
        return
    machines = {one.user for one in seen.processes if one.is_vm}
    problems = [f"EPMD (pid {one.pid}) runs as root" for one in epmds(seen) if one.user == "root"]
    planned = EPMD_USER if host.members is not None and host.epmd_listen else ""
    others = [one for one in epmds(seen) if planned and one.user not in (planned, "root", "", *machines)]
    problems += [f"EPMD (pid {one.pid}) runs as {one.user}, not as {planned}: remove User= from the drop-ins of {one.unit}" for one in others]
    problems += [f"EPMD (pid {one.pid}) runs as {one.user}, which runs a node, too" for one in epmds(seen) if one.user in machines - {"root"}]
    unknown = [one.pid for one in seen.processes if not one.user and (one.is_vm or one.program == "epmd")]
    if unknown and not problems:
        yield Result(host.name, NOT_TESTED, (f"the user of pid {unknown[0]} is not known",))
        return
    yield result(host.name, problems, f"EPMD runs as {', '.join(sorted({one.user for one in epmds(seen)}))}")


def _names(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if not host.distributed or host.epmd_listen == frozenset():
        for node in host.nodes:
            yield Result(node.node, NOT_APPLICABLE, ("the node does not use EPMD",))
        return
    if seen.epmd_names is None or seen.listeners is None:
        why = seen.why_unknown("epmd_names" if seen.epmd_names is None else "listeners")
        for node in host.nodes:
            yield Result(node.node, NOT_TESTED, (why,))
        return
    for node in host.nodes:
        port = seen.epmd_names.get(node.name)
        if node.pid is None and not node.unit and port is not None:
            yield _registered(node, seen, port)
            continue
        listening = [one for one in seen.listeners if (one.unit == node.unit if node.pid is None else one.pid == node.pid)]
        actual = ", ".join(one.at for one in listening if node.ports is None or node.ports.first <= one.port <= node.ports.last)
        problems = []
        if not actual:
            yield Result(node.node, NOT_APPLICABLE, ("the node does not listen: see distribution-listeners",))
            continue
        if port is None:
            problems.append(f"EPMD does not know the name {node.name}: peers cannot find the node")
        elif not any(one.port == port for one in listening):
            problems.append(f"EPMD names port {port} for {node.name}, while the node listens on {actual}. Port {port}: {_holder(seen, port)}")
        yield result(node.node, problems, f"EPMD names port {port} for {node.name}")
    planned = {node.name for node in host.nodes}
    foreign = [(name, port) for name, port in sorted(seen.epmd_names.items()) if name not in planned]
    problems = [
        f"EPMD names {name} at port {port}: {_holder(seen, port)}" for name, port in foreign if not is_explained(host, seen, name, port)
    ]
    yield result(host.name, problems, "EPMD names no other node")


def _registered(node: NodeTarget, seen: Observation, port: int) -> Result:
    """A name in EPMD of which no VM of the host is known."""
    held = [one for one in seen.listeners or () if one.port == port]
    machines = {one.pid for one in (*(seen.processes or ()), *(seen.contained or ())) if one.is_vm}
    if held and (None in (seen.processes, seen.contained) or all(one.pid is None for one in held)):
        return Result(node.node, NOT_TESTED, (f"which process listens at port {port} is not known",))
    good = any(one.pid in machines for one in held)
    return result(node.node, [] if good else [f"EPMD names {node.name} at port {port}: {_holder(seen, port)}"], f"a VM listens at port {port}")


def _holder(seen: Observation, port: int) -> str:
    held = [one for one in seen.listeners or () if one.port == port]
    if not held:
        return "nothing listens there"
    return f"held by pid {held[0].pid} ({held[0].process or 'an unknown process'}, {held[0].unit or 'no unit'})"


CHECKS: Mapping[str, Check] = {
    "epmd-listeners": _epmd_listeners,
    "epmd-names": _names,
    "epmd-needed": _epmd_needed,
    "epmd-user": _epmd_user,
    "epmd-commands": of_epmd(_epmd_commands, "EPMD runs with its checks of commands", "its arguments or environment"),
    "epmd-debug": of_epmd(_epmd_debug, "EPMD does not run in debug mode", "its arguments"),
    "epmd-running": of_epmd(_epmd_replaced, "EPMD is the program on disk", "its program"),
}

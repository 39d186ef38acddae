# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a node's unit: its drop-in, guard and state, its sandbox, its limit for core dumps.

Private to this collection, pure. See on_hosts.py. How a process is confined, whatever its unit says, is in confinement.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..._model.installed import DROP_IN, EPMD_SERVICE
from ..._model.observation import Observation, Unit
from ..._model.processes import Process
from ..._model.system_facts import SystemFacts
from ..controls.thresholds import LOW_PORTS_EXPOSURE, SANDBOX_EXPOSURE_MAX
from ..finding import FAILED, NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import HostTarget, NodeTarget
from .firewall import elsewhere, undone
from .parts import EPMD_USER, Check, epmds, has_ended


def units(host: HostTarget, seen: Observation) -> Iterator[tuple[NodeTarget, Unit | None]]:
    for node in host.nodes:
        yield node, (seen.units or {}).get(node.unit)


def not_looked_at(node: NodeTarget, what: str = "") -> Result:
    return Result(node.node, NOT_TESTED, (f"{node.unit or f'the unit of {node.node}'}{what} was not looked at",))


def _without_unit(node: NodeTarget, seen: Observation, missing: str) -> Result | None:
    """The result for a node that runs in no service; None where it runs in one. missing: what it lacks then."""
    if node.directory or node.unit.endswith(".service"):
        return None
    if seen.init is not None and seen.init != "systemd":
        return Result(node.node, NOT_APPLICABLE, ("the host does not run systemd",))
    if node.pid is None:
        return Result(node.node, NOT_TESTED, (f"its process is not known{'' if seen.privileged else ': only root sees who listens'}",))
    return Result(node.node, FAILED, (f"pid {node.pid} runs in {node.unit or 'no unit'}, not in a service: {missing}",))


def _unit_floor(node: NodeTarget, unit: Unit | None) -> Result:
    """What holds for the unit of any node."""
    if unit is None or None in (unit.user, unit.stale, unit.at_boot):
        return not_looked_at(node)
    problems = [f"{node.unit} runs as root"] if unit.user in ("", "root") and node.user in ("", "root") else []
    return result(node.node, [*_unit_state(node, unit), *problems], f"{node.unit} is active, enabled, runs as {node.user}")


def _unit_state(node: NodeTarget, unit: Unit) -> Iterator[str]:
    if unit.stale:
        yield f"{node.unit}: systemd has not read its files since they changed"
    if unit.active != "active":
        yield f"{node.unit} is {unit.active or 'unknown'}"
    if unit.enabled != "enabled":
        yield f"{node.unit} is {unit.enabled or 'unknown'}, not enabled: it does not start at boot"
    elif unit.at_boot is False:
        yield f"the default target of the host does not start {node.unit}: run systemctl set-default multi-user.target"


_BESIDE = "/etc/systemd/system/"
_NOT_AT_BOOT = "from the next boot on the node starts without it, or not at all. Run the playbook site again"


def _needed(node: NodeTarget) -> tuple[str, str]:
    return f"requires/{node.guard}", f"wants/{node.watch}"


def _unit_drop_in(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node, unit in units(host, seen):
        if node.drop_in is None:
            yield _without_unit(node, seen, "nothing starts it at boot") or _unit_floor(node, unit)
            continue
        watcher, guard = (seen.units or {}).get(node.watch), (seen.units or {}).get(node.guard)
        known = unit is not None and None not in (unit.drop_ins, unit.user, unit.stale, unit.requires, unit.links, unit.at_boot)
        if unit is None or watcher is None or guard is None or unit.drop_ins is None or not known:
            yield not_looked_at(node)
            continue
        problems = []
        if node.drop_in not in unit.drop_ins:
            problems.append(f"{node.unit} does not use {node.drop_in}")
        elif unit.drop_ins[-1] != node.drop_in:
            problems.append(f"{node.unit}: {unit.drop_ins[-1]} comes after {node.drop_in} and can undo it")
        if node.guard not in (unit.requires or ()):
            problems.append(f"{node.unit} does not require its guard, {node.guard}")
        elif watcher.active != "active":
            problems.append(f"{node.watch} is {watcher.active or 'unknown'}: nothing watches the flags of the node's VMs")
        problems += [f"{_BESIDE}{node.unit}.{one} is no link to that unit: {_NOT_AT_BOOT}" for one in _needed(node) if one not in (unit.links or ())]
        problems += [*undone(node.watch, watcher), *undone(node.guard, guard)]
        if node.kind == "erlang":
            # The unit of a bare node is ours whole.
            problems += elsewhere(node.unit, unit)
        problems += _unit_state(node, unit)
        if unit.user != node.user:
            problems.append(f"{node.unit} runs as {unit.user or 'root'}, not as {node.user}")
        if None in (watcher.stale, watcher.drop_ins, guard.stale, guard.drop_ins) and not problems:
            yield not_looked_at(node, f": {node.watch} or {node.guard}")
            continue
        yield result(node.node, problems, f"{node.unit} is active, enabled, runs as {node.user}")


def _unit_sandbox(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node, unit in units(host, seen):
        without = _without_unit(node, seen, "it has no sandbox")
        if without:
            yield without
            continue
        if unit is None or unit.exposure is None:
            yield not_looked_at(node, ": its sandbox")
            continue
        weakened = _weakened(node, unit, seen)
        unseen = [one.pid for one in _sandboxed(node, seen) if one.hardening is None or one.hardening.system_writable is None]
        if (unseen or unit.openings is None) and not weakened:
            what = f"what pid {unseen[0]} sees of the file system" if unseen else "what drop-ins add to its sandbox"
            yield not_looked_at(node, f": {what}")
            continue
        limit = SANDBOX_EXPOSURE_MAX + (LOW_PORTS_EXPOSURE if node.low_ports else 0)
        yield _rated(node.node, node.unit, unit.exposure, limit, weakened)
    yield from _epmd_sandbox(host, seen)


def _weakened(node: NodeTarget, unit: Unit, seen: Observation) -> list[str]:
    """What systemd-analyze does not rate, or not enough: what others add to the lists of our drop-in, and a process that is older than its unit."""
    problems = [f"{node.unit}: {opening} lets it out of its sandbox. {_PUT_ELSEWHERE}" for opening in unit.openings or ()]
    outside = [one.pid for one in _sandboxed(node, seen) if one.hardening and one.hardening.system_writable]
    problems += [f"pid {pid} does not run in the sandbox of its unit: it sees /usr as writable. Restart the node" for pid in outside]
    return problems


def _sandboxed(node: NodeTarget, seen: Observation) -> list[Process]:
    """The processes of a node that the drop-in of the role service confines."""
    return [one for one in seen.processes or () if node.drop_in and node.is_run_by(one) and not has_ended(one)]


_PUT_ELSEWHERE = "Remove that line, or put it into beam_service_directives if the node needs it"


def _rated(subject: str, name: str, exposure: float, limit: float, weakened: Sequence[str] = ()) -> Result:
    said = f"{name}: exposure level {exposure}"
    return result(subject, [*weakened, *([f"{said}, not {limit} or lower"] if exposure > limit else [])], said)


def _epmd_sandbox(host: HostTarget, seen: Observation) -> Iterator[Result]:
    """The unit of EPMD: the planned one, or those in which it runs. One that a node started is in the sandbox of the node's unit."""
    planned = host.members is not None
    names = [EPMD_SERVICE] if planned and host.distributed and host.epmd_listen else []
    names += sorted({one.unit or "" for one in epmds(seen)} - {node.unit for node in host.nodes}) if not planned else []
    for name in names:
        unit = (seen.units or {}).get(name)
        if not name.endswith(".service"):
            if seen.init in (None, "systemd"):
                yield Result(host.name, FAILED, (f"EPMD runs in {name or 'no unit'}, not in a service: it has no sandbox",))
        elif unit is None or unit.exposure is None:
            yield Result(host.name, NOT_TESTED, (f"{name}: its sandbox was not looked at",))
        elif planned and None in (unit.openings, unit.drop_ins, unit.stale, unit.start_files, unit.user):
            yield Result(host.name, NOT_TESTED, (f"{name}: what drop-ins do to its sandbox was not looked at",))
        else:
            opened = [f"{name}: {opening} lets it out of its sandbox. Remove that line" for opening in unit.openings or ()] if planned else []
            later = [*_epmd_later(unit)] if planned else []
            yield _rated(host.name, name, unit.exposure, SANDBOX_EXPOSURE_MAX, [*opened, *later])


EPMD_DROP_IN = f"/etc/systemd/system/{EPMD_SERVICE}.d/{DROP_IN}"
"""Of role epmd."""
_AGAIN = "Remove that file, and run systemctl daemon-reload"


def _epmd_later(unit: Unit) -> Iterator[str]:
    """Why the next process of EPMD may be confined otherwise than the running one. Its sockets keep it from a start with each node."""
    drop_ins = list(unit.drop_ins or ())
    if unit.stale:
        yield f"{EPMD_SERVICE}: systemd has not read its files since they changed. Run systemctl daemon-reload"
    if unit.user not in (None, EPMD_USER):
        yield f"{EPMD_SERVICE} runs its next process as {unit.user or 'root'}, not as {EPMD_USER}: remove User= from its drop-ins"
    if EPMD_DROP_IN not in drop_ins:
        yield f"{EPMD_SERVICE} does not use {EPMD_DROP_IN}. Run beam.cluster.site"
    else:
        yield from (f"{path} comes after {EPMD_DROP_IN} and can undo it. {_AGAIN}" for path in drop_ins[drop_ins.index(EPMD_DROP_IN) + 1 :])
    changed = [one.path for one in unit.start_files or () if one.changed and one.path in drop_ins]
    yield from (f"{path} was changed after {EPMD_SERVICE} started, and is in force at its next start. {_AGAIN}" for path in changed)


_HANDLERS = ("/lib/systemd/systemd-coredump", "/usr/lib/systemd/systemd-coredump", "/usr/share/apport/apport")
"""Programs of distributions that get core dumps: the first one keeps none of a process that may dump none. crash-dumps looks where both keep them."""


def _program(pattern: str | None) -> str:
    """The program that gets core dumps, whatever the limit of a process: core(5). Empty where there is none, or one of _HANDLERS."""
    program = pattern[1:].split(" ")[0] if pattern and pattern.startswith("|") else ""
    return "" if program in _HANDLERS else program


def _taken(facts: SystemFacts | None) -> Iterator[str]:
    """Now, and at the next boot."""
    program = _program(facts.core_pattern) if facts else ""
    if program:
        yield f"kernel.core_pattern gives every core dump to {program}, whatever LimitCORE= says: set it to core with sysctl"
    for name, value, where in (facts.sysctls_at_boot if facts else None) or ():
        if name == "kernel.core_pattern" and _program(value):
            yield f"{where} gives every core dump to {_program(value)} at the next boot, whatever LimitCORE= says: remove {name} there"


def _core_dumps(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node, unit in units(host, seen):
        running = [one for one in seen.processes or () if node.is_run_by(one)]
        if not node.directory and unit is None and any(one.core_limit is not None for one in running):
            problems = [f"pid {one.pid} may dump core" for one in running if one.core_limit not in (None, 0)]
            if None in {one.core_limit for one in running} and not problems:
                yield not_looked_at(node, ": the core limit of a process")
                continue
            yield result(node.node, problems, "its process may not dump core")
            continue
        if unit is None or unit.core_limit is None:
            yield not_looked_at(node, ": LimitCORE")
            continue
        problems = [f"{node.unit}: LimitCORE is {unit.core_limit}"] if unit.core_limit != "0" else []
        problems += _taken(seen.system)
        problems += [f"pid {one.pid} was started with another core limit" for one in running if one.core_limit not in (None, 0)]
        unseen = [f"pid {one.pid}: its core limit could not be read" for one in running if one.core_limit is None]
        unseen += ["the settings of the kernel at the next boot were not read"] if seen.system is None or seen.system.sysctls_at_boot is None else []
        if unseen and not problems:
            yield Result(node.node, NOT_TESTED, tuple(unseen))
            continue
        yield result(node.node, problems, f"{node.unit}: LimitCORE is 0")


CHECKS: Mapping[str, Check] = {"unit-drop-in": _unit_drop_in, "unit-sandbox": _unit_sandbox, "core-dumps": _core_dumps}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of what a node starts with: the content of its files, and what is added to them from elsewhere.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from ..._model.environment_variables import is_unneeded
from ..._model.installed import ARGUMENT_FILES, EPMD_SERVICE, START_FILES
from ..._model.observation import Observation, Unit
from ..._model.processes import Process
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import HostTarget, NodeTarget
from .file_permissions import exists
from .parts import epmds, has_ended

# Files that the VM reads when it starts and never again. It takes certificates and members from the others while it runs.
_READ_AT_START = ("vm.args", "ssl_dist.conf", "unit.env")
_OF_PRODUCTS = {
    "rabbitmq": ("-s rabbit",), "ejabberd": ("-s ejabberd",), "release": ("-s elixir", "-run elixir", "-user elixir", "-user Elixir.IEx.CLI"),
}
"""Flags of the products' own start scripts: of mix release those of its scripts elixir and iex; that of relx gives a node none."""
_OTP_OF_HOST = ("erlang", "rabbitmq", "ejabberd")
"""Kinds of nodes that run the OTP of their host."""
_PLACES = ("-boot", "-config", "-pa", "-pz", "-path")
_LOADING = ("-epmd_module", "-loader")
"""Flags with which a VM takes addresses or code from elsewhere: no unit of its own may give them, and no product does."""
_SHARED = ("/tmp/", "/var/tmp/", "/dev/shm/")
_PUT_ELSEWHERE = "remove that line, or put it into beam_service_directives"
_SECOND = 1.0
"""Start times of processes are known to the second."""


def planned_files(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if host.contents is None:
        for node in host.nodes:
            yield Result(node.node, NOT_APPLICABLE, ("the expected content of its files is not known",))
        return
    shared = [path for path in host.contents if not any(path.startswith(f"{node.directory}/") or node.unit in path for node in host.nodes)]
    for node in host.nodes:
        own = [path for path in host.contents if path.startswith(f"{node.directory}/") or node.unit in path]
        if not own:
            yield Result(node.node, NOT_TESTED, ("the expected content of its files was not computed",))
            continue
        problems: list[str] = []
        unseen: list[str] = []
        for path in sorted([*own, *shared]):
            entry = (seen.files or {}).get(path)
            if entry is None and exists(seen, path) is None:
                unseen.append(f"{path} was not looked at")
            elif entry is None and path in node.evaluated_files:
                # options-file says that it is missing.
                continue
            elif entry is None:
                problems.append(f"{path} does not exist")
            elif entry.sha256 is None:
                # Its mode is another control's.
                unseen.append(f"{path}: its content was not looked at, because not everybody may read it")
            elif entry.sha256 != host.contents[path]:
                problems.append(f"{path} differs from the plan")
        changed, unknown = _newer(node, seen)
        problems += changed
        unseen += unknown
        if unseen and not problems:
            yield Result(node.node, NOT_TESTED, tuple(unseen))
            continue
        yield result(node.node, problems, f"{len(own) + len(shared)} files are as planned")


def _newer(node: NodeTarget, seen: Observation) -> tuple[list[str], list[str]]:
    """Files that were changed since the node started, with whatever content: that is in force at its next start, not now. And what is not known."""
    running = [one for one in seen.processes or () if node.is_run_by(one)]
    entries = [entry for entry in ((seen.files or {}).get(f"{node.directory}/{name}") for name in _READ_AT_START) if entry is not None]
    changed: list[str] = []
    unknown = [f"when pid {one.pid} started is not known" for one in running if one.started is None]
    unknown += [f"when {entry.path} was changed is not known" for entry in entries if entry.modified is None and running]
    for process in running:
        for entry in entries:
            if entry.modified is not None and process.started is not None and entry.modified > process.started + _SECOND:
                changed.append(f"{entry.path} was changed after pid {process.pid} started")
    return changed, unknown


def start_environment(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        for node in host.nodes:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes"),))
        return
    for node in host.nodes:
        unit = (seen.units or {}).get(node.unit)
        running = [one for one in seen.processes if node.is_run_by(one)]
        problems = [problem for one in running for problem in _added(node, one, unit)]
        if unit and unit.environment_names:
            problems += [f"{node.unit} gives its next process the variable {name}" for name in adding(node, unit.environment_names)]
        if unit and _is_bare(node):
            problems += [f"{node.unit} runs {command}: {_PUT_ELSEWHERE}" for command in unit.commands or ()]
        unseen = [f"pid {one.pid}: its environment could not be read" for one in running if one.adding is None]
        unseen += [f"pid {one.pid}: its arguments could not be read" for one in running if one.runs is None or not one.flags.arguments_read]
        if unit and _is_bare(node) and unit.commands is None:
            unseen.append(f"what drop-ins let {node.unit} run was not looked at")
        if unit and unit.environment_names is None:
            unseen.append(f"the variables that {node.unit} gives its next process could not be read")
        problems += _libraries(node, running, seen)
        found_first, unlooked = _shadowing(node, running)
        problems += found_first
        unseen += unlooked
        loaded = [one for one in running if _is_bare(node) and not has_ended(one)]
        unseen += [f"pid {one.pid}: its libraries were not looked at" for one in loaded if one.hardening is None or one.hardening.libraries is None]
        if seen.system is None or seen.system.preloaded is None:
            unseen.append("/etc/ld.so.preload could not be read")
        for path in _home_files(node):
            there = exists(seen, path)
            if there:
                problems.append(f"{path} exists: the node runs the code in it when it starts")
            elif there is None:
                unseen.append(f"{path} was not looked at")
        if not running:
            unseen.append(node.no_process)
        if unseen and not problems:
            yield Result(node.node, NOT_TESTED, tuple(unseen))
            continue
        yield result(node.node, problems, "no flag, variable or file adds code to it")
    if host.members is not None and host.distributed and host.epmd_listen:
        yield _of_epmd(host, seen)


def _of_epmd(host: HostTarget, seen: Observation) -> Result:
    """Of the planned EPMD: every node of the host asks it where its peers are."""
    unit = (seen.units or {}).get(EPMD_SERVICE)
    running = [one for one in epmds(seen) if one.unit == EPMD_SERVICE]
    if unit is None or unit.commands is None or unit.environment_names is None:
        return Result(host.name, NOT_TESTED, (f"{EPMD_SERVICE}: what it runs, and its variables, were not looked at",))
    problems = [f"{EPMD_SERVICE} runs {command}: remove that line" for command in unit.commands]
    problems += [f"{EPMD_SERVICE} gives its next process the variable {name}: remove it there" for name in _of_programs(unit.environment_names)]
    problems += [f"EPMD (pid {one.pid}) was started with the variable {name}" for one in running for name in _of_programs(one.adding or ())]
    unseen = tuple(f"EPMD (pid {one.pid}): its environment could not be read" for one in running if one.adding is None)
    return Result(host.name, NOT_TESTED, unseen) if unseen and not problems else result(host.name, problems, "nothing adds code to EPMD")


def _of_programs(names: Iterable[str]) -> list[str]:
    """The variables that add code to any program. EPMD has no use for those of a VM; of its own epmd-commands tells."""
    return sorted(name for name in names if is_unneeded(name, "erlang") and not name.startswith(("ERL_", "HEART_")))


def _is_bare(node: NodeTarget) -> bool:
    """Whether all that it starts with is planned: a node without a product, in a unit of ours."""
    return node.kind == "erlang" and bool(node.directory)


def _shadowing(node: NodeTarget, running: Iterable[Process]) -> tuple[list[str], list[str]]:
    """What start scripts and tools run in the place of a program of the OTP that the node runs; and what is not known. A release brings its own."""
    problems: list[str] = []
    unseen: list[str] = []
    for one in running if node.directory and node.kind in _OTP_OF_HOST else ():
        found = one.hardening.shadowing if one.hardening else None
        if found is None and not has_ended(one):
            unseen.append(f"pid {one.pid}: which programs its PATH leads to was not looked at")
        problems += [f"{path} is found before the program of the node's OTP: start scripts and tools run it. Remove it" for path in found or ()]
    return list(dict.fromkeys(problems)), unseen


def _libraries(node: NodeTarget, running: Iterable[Process], seen: Observation) -> Iterator[str]:
    """Native code in the node that comes neither from the system nor from its OTP. Products bring libraries of their own."""
    for library in (seen.system.preloaded if seen.system else None) or ():
        yield f"/etc/ld.so.preload loads {library} into every program of the host, the node among them: remove it there, and restart the node"
    led_to = {found.path for one in running for found in (one.hardening.libraries if one.hardening else None) or () if found.later}
    for path in sorted(led_to) if node.directory and node.kind in _OTP_OF_HOST else ():
        yield f"the next process of the node loads {path} instead of the library of the system: remove it there, and run ldconfig"
    for one in running if _is_bare(node) else ():
        for found in (one.hardening.libraries if one.hardening else None) or ():
            if found.elsewhere and not found.later:
                yield f"pid {one.pid} has loaded the library {found.path}, which is neither of the system nor of its OTP"


def _home_files(node: NodeTarget) -> list[str]:
    return [f"{posixpath.dirname(node.cookie_file)}/{name}" for name in START_FILES] if node.cookie_file else []


def adding(node: NodeTarget, names: frozenset[str]) -> list[str]:
    return sorted(name for name in names if is_unneeded(name, node.kind))


def _added(node: NodeTarget, process: Process, unit: Unit | None) -> Iterator[str]:
    who = f"pid {process.pid}"
    home = posixpath.dirname(node.cookie_file or "")
    if node.directory and home and process.home and posixpath.normpath(process.home) != posixpath.normpath(home):
        yield f"{who} runs with the home {process.home}, not {home}: the code of .erlang and the cookie come from there. Remove what sets HOME"
    for name in adding(node, process.adding or frozenset()):
        yield f"{who} was started with the variable {name}"
    for path in process.flags.args_files:
        ours = path in {f"{node.directory}/{name}" for name in ARGUMENT_FILES}
        if not ours and (node.kind == "erlang" or path.startswith(_SHARED)):
            yield f"{who} was started with a second -args_file, {path}"
    # The unit of a bare node is ours, and has none.
    of_unit = unit.runs if unit and node.kind != "erlang" else ()
    known = {*of_unit, *_OF_PRODUCTS.get(node.product or node.kind, ())}
    for text in process.runs or ():
        flag, _in, path = text.partition(" in ")
        if not _is_bare(node) and flag.startswith(_PLACES):
            # The start script of every product gives them, and so does whoever starts a node of no plan.
            continue
        place = f", from {path}" if path else ""
        if flag.startswith(_LOADING):
            yield f"{who} was started with {flag}{place}, which is not in its argument files: it takes code or addresses from elsewhere"
        elif flag not in known:
            yield f"{who} was started with {flag}{place}, which is neither in its unit nor in its argument files"

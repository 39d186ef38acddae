# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of how a node's VM and EPMD are confined as they run, and of the secrets that a process shows.

Private to this collection, pure. See host_checks.py. What counts is the process, not its unit: a drop-in that is not in force protects nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Callable

from .._model.confinement_facts import Hardening
from .._model.observation import Observation
from .._model.processes import Process
from .finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from .target import HostTarget, NodeTarget

Check = Callable[[HostTarget, Observation], Iterator[Result]]
Said = Callable[[Hardening], "tuple[str, ...] | None"]
"""Problems of one process, () for none; None where what they depend on is not known."""

NO_EPMD = "no EPMD runs on the host"
_HARMLESS = frozenset({"net_bind_service"})
_FILTERED = 2
_EPMD_UNIT = "epmd.service"
_FROM_BUILD = "used"


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
        others = [one for one in epmds(seen) if host.members is None or one.unit == _EPMD_UNIT] if with_epmd else []
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


def _one(known: bool, problem: str) -> tuple[str, ...]:
    return () if known else (problem,)


def _new_privileges(one: Hardening) -> tuple[str, ...] | None:
    return None if one.no_new_privileges is None else _one(one.no_new_privileges, "can gain privileges: NoNewPrivs is 0")


def _capabilities(one: Hardening) -> tuple[str, ...] | None:
    if one.capabilities is None:
        return None
    beyond = [name for name in one.capabilities if name not in _HARMLESS]
    more = f" and {len(beyond) - 5} more" if len(beyond) > 5 else ""
    return _one(not beyond, f"has the capabilities {', '.join(beyond[:5])}{more}")


def _system_calls(one: Hardening) -> tuple[str, ...] | None:
    return None if one.seccomp is None else _one(one.seccomp == _FILTERED, "runs without a filter of system calls")


def _crash_dump(one: Hardening) -> tuple[str, ...] | None:
    wrong = {
        "default": "writes a crash dump to its working directory: neither ERL_CRASH_DUMP_SECONDS=0 nor ERL_CRASH_DUMP is set",
        "shared": "writes a crash dump to a directory that other users can enter, see ERL_CRASH_DUMP",
    }
    if one.crash_dump is None:
        return None
    return (wrong[one.crash_dump],) if one.crash_dump in wrong else ()


def _cookie_environment(host: HostTarget, seen: Observation) -> Iterator[Result]:
    good, what = "its environment does not hold its cookie", "its environment or its cookie file"
    for node in host.nodes:
        if seen.processes is None:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes"),))
            continue

        def said(one: Process, has_file: bool = node.cookie_file != "") -> tuple[str, ...] | None:
            return _cookie_in(one.hardening, has_file) if one.hardening else None

        yield about(node.node, vms(host, seen, node), said, good, what, node.no_process)


def _cookie_in(one: Hardening, has_file: bool) -> tuple[str, ...] | None:
    if one.variables is None:
        return None
    named = sorted(name for name in one.variables if "COOKIE" in name)
    if one.cookie_in_environment is None:
        # Without a cookie file there is nothing to compare with: then such a variable is the cookie.
        return None if has_file and not named else tuple(f"has the variable {name}, and no readable cookie file" for name in named)
    return _one(not one.cookie_in_environment, f"holds its cookie in its environment{f' ({chr(44).join(named)})' if named else ''}")


def _cookie_release(one: Hardening) -> tuple[str, ...] | None:
    if one.release_cookie is None:
        return None
    return _one(one.release_cookie != _FROM_BUILD, "runs with the cookie in releases/COOKIE of its release")


def _key_log(one: Hardening) -> tuple[str, ...] | None:
    sides = (("server", one.server), ("client", one.client))
    kept = [side for side, options in sides if options and "keep_secrets" in options.names]
    problems = [f"keeps its TLS secrets: keep_secrets is set for the {side}" for side in kept]
    if one.variables is not None and "SSLKEYLOGFILE" in one.variables:
        problems.append("has the variable SSLKEYLOGFILE")
    # An option file that holds code may set anything.
    return None if (one.variables is None or not one.options_read) and not problems else tuple(problems)


def _of_own_user(units: Iterable[str], host: HostTarget) -> list[str]:
    """Services that run as the user of a node and are no node of this host."""
    ours = {node.unit for node in host.nodes}
    return sorted(unit for unit in units if unit.endswith(".service") and unit not in ours and not unit.startswith(("epmd", "user@")))


def _node_user(host: HostTarget, seen: Observation) -> Iterator[Result]:
    users = seen.system.service_users if seen.system else None
    for node in host.nodes:
        running = vms(host, seen, node)
        if seen.processes is None or not running:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes") if seen.processes is None else node.no_process,))
            continue
        # A planned user is another one, and running-process compares them.
        problems = [f"pid {one.pid} runs as root" for one in running if one.user == "root" == (node.user or "root")]
        # The user of a planned node is the operator's choice.
        asked = running if host.members is None else []
        shared = {one.user: _of_own_user((users or {}).get(one.user, ()), host) for one in asked if one.user != "root"}
        problems += [f"{', '.join(units)} runs as the user {user}, too" for user, units in shared.items() if units]
        if users is None and asked and not problems:
            yield Result(node.node, NOT_TESTED, ("what else runs as its user was not looked at",))
            continue
        nameless = [one.pid for one in running if not one.user]
        if nameless and not problems:
            yield Result(node.node, NOT_TESTED, (f"the user of pid {nameless[0]} is not known",))
            continue
        users_of = ", ".join(sorted({one.user for one in running}))
        yield result(node.node, problems, f"runs as {users_of}{', as no other service does' if asked else ''}")


def _epmd_user(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("processes"),))
        return
    if not epmds(seen):
        yield Result(host.name, NOT_APPLICABLE, (NO_EPMD,))
        return
    machines = {one.user for one in seen.processes if one.is_vm}
    problems = [f"EPMD (pid {one.pid}) runs as root" for one in epmds(seen) if one.user == "root"]
    problems += [f"EPMD (pid {one.pid}) runs as {one.user}, which runs a node, too" for one in epmds(seen) if one.user in machines - {"root"}]
    unknown = [one.pid for one in seen.processes if not one.user and (one.is_vm or one.program == "epmd")]
    if unknown and not problems:
        yield Result(host.name, NOT_TESTED, (f"the user of pid {unknown[0]} is not known",))
        return
    yield result(host.name, problems, f"EPMD runs as {', '.join(sorted({one.user for one in epmds(seen)}))}")


def _cookie_arguments(host: HostTarget, seen: Observation) -> Iterator[Result]:
    found = seen.system.cookie_arguments if seen.system else None
    if found is None or not seen.privileged:
        yield Result(host.name, NOT_TESTED, ("the arguments of all processes were not compared with the cookies",))
        return
    problems = [f"pid {one.pid} ({one.process}, user {one.user}) shows a node's cookie in its arguments" for one in found]
    yield result(host.name, problems, "no process shows a node's cookie")


CHECKS: Mapping[str, Check] = {
    "node-user": _node_user,
    "epmd-user": _epmd_user,
    "no-new-privileges": of_nodes(_new_privileges, "cannot gain privileges", "its status", with_epmd=True),
    "capabilities": of_nodes(_capabilities, "has no capability that it does not need", "its status", with_epmd=True),
    "system-calls": of_nodes(_system_calls, "a filter of system calls is in force", "its status", with_epmd=True),
    "crash-dump-settings": of_nodes(_crash_dump, "a crash dump is off, or goes to a private directory", "its environment"),
    "cookie-arguments": _cookie_arguments,
    "cookie-environment": _cookie_environment,
    "cookie-release": of_nodes(_cookie_release, "its cookie is not that of a release", "its cookie file or releases/COOKIE"),
    "key-log": of_nodes(_key_log, "it writes no TLS secrets", "its environment"),
}

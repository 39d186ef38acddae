# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of how a node's VM and EPMD are confined as they run: user, groups, capabilities, system calls, crash dumps.

Private to this collection, pure. See on_hosts.py. What counts is the process, not its unit: a drop-in that is not in force protects nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..._model.confinement_facts import Hardening
from ..._model.observation import Observation
from ..finding import FAILED, NOT_TESTED, PASSED, Result, result
from ..target import HostTarget
from .parts import Check, of_nodes, vms

_MIGHTY = frozenset(
    "root admin disk docker incus incus-admin kmem libvirt lxd microk8s shadow staff sudo wheel".split()
)
"""Groups that give the whole host, the programs in /usr/local, or the passwords of its users."""
_LEAVE = "remove it with gpasswd -d"
_HARMLESS = frozenset({"net_bind_service"})
_FILTERED = 2


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


def _groups(one: Hardening) -> tuple[str, ...] | None:
    if one.groups is None:
        return None
    found = sorted(_MIGHTY.intersection(one.groups))
    return (f"is in the group {', '.join(found)}",) if found else ()


def _node_groups(host: HostTarget, seen: Observation) -> Iterator[Result]:
    users = {node.node: node.user for node in host.nodes}
    accounts = (seen.secrets.accounts if seen.secrets else None) or {}
    good = "it is in no group with the rights of root"
    # Of a process that runs as root, node-user and epmd-user tell.
    for found in of_nodes(_groups, good, "its groups", with_epmd=True, but_root=True)(host, seen):
        user = users.get(found.subject, "")
        groups = accounts[user].groups if user in accounts else ()
        mighty = sorted(_MIGHTY.intersection(groups or ())) if user != "root" else []
        later = [f"the user {user} is in the group {name}, and so is the next process of the node: {_LEAVE} {user} {name}" for name in mighty]
        joins = seen.system.sysusers if seen.system else None
        later += [
            f"{where} puts the user {name} into the group {group} at the next boot: remove that line"
            for name, group, where in joins or () if name == user and group in _MIGHTY
        ]
        if (groups is None or joins is None) and found.status == PASSED and not later:
            yield Result(found.subject, NOT_TESTED, (f"the groups of the user {user} were not looked at",))
        elif later and found.status != FAILED:
            yield result(found.subject, later, good)
        else:
            yield found


CHECKS: Mapping[str, Check] = {
    "node-user": _node_user,
    "node-groups": _node_groups,
    "no-new-privileges": of_nodes(_new_privileges, "cannot gain privileges", "its status", with_epmd=True),
    "capabilities": of_nodes(_capabilities, "has no capability that it does not need", "its status", with_epmd=True),
    "system-calls": of_nodes(_system_calls, "a filter of system calls is in force", "its status", with_epmd=True),
    "crash-dump-settings": of_nodes(_crash_dump, "a crash dump is off, or goes to a private directory", "its environment"),
}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of our own firewall table: whom it lets in, and when it is loaded.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._model.firewall_facts import Admission, BeamTable
from ..._model.installed import DROP_IN
from ..._model.observation import Observation, Unit
from ..._model.ports import joined
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import EXTERNAL_FIREWALL, NEEDS_MEMBERS, NEEDS_PLAN, HostTarget

FIREWALL_UNIT = "beam-firewall.service"
EPMD_SOCKET = "epmd.socket"
RULES_FILE = "/etc/beam/firewall.nft"
NFTABLES = "nftables.service"
KEEPS_OURS = f"/etc/systemd/system/{NFTABLES}.d/{DROP_IN}"
_FLUSHES = f"does not use {KEEPS_OURS}, and removes the table inet beam_cluster when it starts, reloads or stops. Run the playbook site again"
_WAITS = (
    "is enabled and does not run: its rules come into force at the next boot, and nothing shows now whether they let the members in. Start it and "
    "verify again, or disable it"
)
_LOAD_AGAIN = f"remove that command, or run systemctl reload {FIREWALL_UNIT} behind it in the same file"


def firewall_rules(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if host.external_firewall:
        yield Result(host.name, NOT_APPLICABLE, (EXTERNAL_FIREWALL,))
        return
    if host.members is None:
        yield Result(host.name, NOT_APPLICABLE, (NEEDS_MEMBERS,))
        return
    if seen.firewall is None or not seen.firewall.readable:
        yield Result(host.name, NOT_TESTED, ("the kernel's rules could not be read",))
        return
    table = seen.firewall.beam
    if table is None:
        yield result(host.name, ["the table inet beam_cluster is not loaded"], "")
        return
    problems = _problems(host, host.members, table)
    problems += [f"{rule}, so that one from elsewhere comes in as a member's: delete that rule" for rule in seen.firewall.rewriting or ()]
    unread = None in (table.admits, table.dormant, table.hooks, seen.firewall.rewriting)
    if (unread or table.as_in_file is None) and not problems:
        why = "could not be read" if unread else f"could not be compared with {RULES_FILE}"
        yield Result(host.name, NOT_TESTED, (f"the rules of the table inet beam_cluster {why}",))
        return
    yield result(host.name, problems, f"lets in {len(table.members)} members at the ports {joined(table.ports)}, and drops the rest")


def _problems(host: HostTarget, members: frozenset[str], table: BeamTable) -> list[str]:
    there = frozenset(table.members)
    problems = ["the table inet beam_cluster is dormant: the kernel does not use it"] if table.dormant else []
    if table.hooks is not None and "input" not in table.hooks:
        problems.append("no chain of the table inet beam_cluster sees incoming packets")
    problems += [f"lets in {address}, which is no member" for address in sorted(there - members)]
    problems += [f"does not let in the member {address}" for address in sorted(members - there)]
    if joined(table.ports) != joined(host.guarded_ports):
        problems.append(f"guards the ports {joined(table.ports)}, not {joined(host.guarded_ports)}")
    for admission in table.open_to_others(members, host.guarded_ports) or ():
        beyond = admission.beyond(members)
        # The sets have been compared above.
        if not set(beyond) <= there - members:
            problems.append(_open(admission, beyond))
    if table.as_in_file is False:
        problems.append(f"the loaded table is not the one in {RULES_FILE}. Run systemctl reload {FIREWALL_UNIT}")
    return problems


def _open(admission: Admission, beyond: tuple[str, ...]) -> str:
    who = "every address" if beyond == ("any",) else ", ".join(beyond)
    return f"{'lets' if admission.certain else 'may let'} in {who} (IPv{admission.family}): {admission.rule}"


_OF_DISTRIBUTION = ("/usr/lib/systemd/system/service.d/", "/lib/systemd/system/service.d/")
"""Drop-ins for all services. Those in /etc and /run are somebody's."""


def elsewhere(name: str, unit: Unit) -> Iterator[str]:
    """What takes the place of the file of a unit that our roles have written."""
    ours = f"/etc/systemd/system/{name}"
    if unit.fragment not in (None, "", ours):
        yield f"{name} is read from {unit.fragment}, not from {ours}: remove that file, and run systemctl daemon-reload"


def undone(name: str, unit: Unit) -> Iterator[str]:
    """What takes the place of a unit that our roles have written whole, and what can change it."""
    if unit.stale:
        yield f"{name}: systemd has not read its files since they changed"
    yield from elsewhere(name, unit)
    for path in unit.drop_ins or ():
        if not path.startswith(_OF_DISTRIBUTION):
            yield f"{name} has the drop-in {path}, which can change what it does: remove it, and run systemctl daemon-reload"


def firewall_boot(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if host.external_firewall:
        yield Result(host.name, NOT_APPLICABLE, (EXTERNAL_FIREWALL,))
        return
    if not host.firewall:
        yield Result(host.name, NOT_APPLICABLE, (f"{NEEDS_PLAN}: which firewall is to protect the nodes",))
        return
    units = seen.units or {}
    own = units.get(FIREWALL_UNIT)
    if own is None:
        yield Result(host.name, NOT_TESTED, (f"{FIREWALL_UNIT} was not looked at",))
        return
    problems, unseen = [], []
    if own.active != "active":
        problems.append(f"{FIREWALL_UNIT} is {own.active or 'unknown'}")
    if own.enabled != "enabled":
        problems.append(f"{FIREWALL_UNIT} is {own.enabled or 'unknown'}, not enabled")
    problems += undone(FIREWALL_UNIT, own)
    undoing = seen.firewall.undoing if seen.firewall else None
    problems += [f"{path} removes or changes the table inet beam_cluster when it runs: {_LOAD_AGAIN}" for path in undoing or ()]
    waiting = seen.firewall.waiting if seen.firewall else None
    problems += [f"{name} {_WAITS}" for name in waiting or ()]
    if undoing is None or waiting is None:
        unseen.append("what else changes the tables of nftables was not looked at")
    other = units.get(NFTABLES)
    if other is None or not other.load or other.drop_ins is None or other.stale is None:
        unseen.append(f"{NFTABLES} was not looked at")
    elif other.load == "loaded":
        problems += [f"{NFTABLES}: systemd has not read its files since they changed: run systemctl daemon-reload"] if other.stale else []
        problems += [f"{NFTABLES} {_FLUSHES}"] if KEEPS_OURS not in other.drop_ins else []
    if own.stale is None or own.drop_ins is None:
        unseen.append(f"{FIREWALL_UNIT}: its files and drop-ins were not looked at")
    sockets = [EPMD_SOCKET] if host.epmd_listen else []
    for name in [*sockets, *(node.unit for node in host.nodes)]:
        unit = units.get(name)
        if unit is None or unit.after is None or unit.requires is None:
            unseen.append(f"{name} was not looked at")
            continue
        if FIREWALL_UNIT not in unit.after:
            problems.append(f"{name} may start before {FIREWALL_UNIT}")
        if name != EPMD_SOCKET and FIREWALL_UNIT not in unit.requires:
            problems.append(f"{name} does not require {FIREWALL_UNIT}")
    if unseen and not problems:
        yield Result(host.name, NOT_TESTED, tuple(unseen))
        return
    yield result(host.name, problems, "loaded, enabled, required by the nodes and before them")

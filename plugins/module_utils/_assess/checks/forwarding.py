# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of what forwards connections to EPMD and to the ports of nodes, past the firewall of the members.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..._model.observation import Observation
from ..._model.system_facts import Forward
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import NEEDS_MEMBERS, HostTarget
from .parts import Check


def _forwarded(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if host.members is None:
        yield Result(host.name, NOT_APPLICABLE, (NEEDS_MEMBERS,))
        return
    found = seen.system.forwards if seen.system else None
    if found is None or not seen.privileged:
        yield Result(host.name, NOT_TESTED, ("what forwards connections was not looked at",))
        return
    problems = [_said(one) for one in found if _guarded(host, one.port) and _of_cluster(host, host.members, seen, one)]
    yield result(host.name, list(dict.fromkeys(problems)), "nothing forwards connections to EPMD or to a node's port")


def _guarded(host: HostTarget, port: int) -> bool:
    return port == host.epmd_port or any(first <= port <= last for first, last in host.guarded_ports)


def _of_cluster(host: HostTarget, members: frozenset[str], seen: Observation, one: Forward) -> bool:
    if one.address is None or one.address.startswith("127.") or one.address in ("::1", "0.0.0.0", "::"):
        return True
    names = {seen.hostname, *(node.host_part for node in host.nodes)}
    return one.address in members | host.addresses or one.address in names or one.address in {other.address for other in seen.addresses or ()}


def _said(one: Forward) -> str:
    where = "this host" if one.address is None else f"[{one.address}]" if ":" in one.address else one.address
    return f"{one.by} forwards connections to {where}:{one.port}: see {one.where}"


CHECKS: Mapping[str, Check] = {"forwarded-ports": _forwarded}

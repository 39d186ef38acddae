# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of products' ports for their clients: what is in clear text on a network.

Private to this collection, pure. See on_hosts.py. A listener is what was seen; which protocol it speaks, its product's configuration says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..._model.addresses import is_address, is_loopback
from ..._model.client_port_facts import OPTIONAL, YES, ClientPort, ClientPorts
from ..._model.observation import Listener, Observation
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import HostTarget, NodeTarget
from .parts import Check, unheard, vms

MANAGED = ("the management interface", "the metrics")
"""Protocols that rabbitmq-management is about."""
_RABBITMQ, _EJABBERD = "rabbitmq", "ejabberd"
_MANAGEMENT_PORTS = {15672: MANAGED[0], 15692: MANAGED[1]}


def _product(node: NodeTarget) -> str:
    return node.product or node.kind


def _open(host: HostTarget, node: NodeTarget, seen: Observation) -> list[Listener]:
    """Where a node listens for others than its peers, on a network."""
    first, last = (node.ports.first, node.ports.last) if node.ports else (0, -1)
    return [
        one for one in seen.listeners or ()
        if not one.loopback and one.port not in (host.epmd_port, node.port) and not first <= one.port <= last and _may_be_of(node, one)
    ]


def _may_be_of(node: NodeTarget, one: Listener) -> bool:
    return one.pid is None or (one.pid == node.pid if node.pid is not None else one.unit == node.unit)


def _ports_of(node: NodeTarget, seen: Observation) -> ClientPorts | None:
    return ((seen.system.client_ports if seen.system else None) or {}).get(_product(node))


def _client_ports(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        found = _ports_of(node, seen)
        if seen.listeners is None:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("listeners"),))
        elif unheard(vms(host, seen, node)):
            yield Result(node.node, NOT_TESTED, unheard(vms(host, seen, node)))
        elif found is None and (seen.system is None or seen.system.client_ports is None):
            yield Result(node.node, NOT_TESTED, ("the configuration of products was not looked at",))
        elif found is None:
            yield Result(node.node, NOT_APPLICABLE, (f"which protocols clients of {_product(node) or 'this node'} speak is not known",))
        else:
            yield _clear(node, found, _open(host, node, seen))


def _clear(node: NodeTarget, found: ClientPorts, listeners: Sequence[Listener]) -> Result:
    by_port: dict[int, list[ClientPort]] = {}
    for one in found.ports:
        by_port.setdefault(one.port, []).append(one)
    problems, unknown = [], []
    for listener in listeners:
        configured = by_port.get(listener.port)
        if configured is None:
            unknown.append(f"which protocol it speaks on {listener} is not known{f': {found.unread} was not read' if found.unread else ''}")
            continue
        worst = next((one for one in configured if one.tls != YES), None)
        if worst is None or worst.protocol in MANAGED:
            continue
        if found.unread and worst.setting == "its default":
            unknown.append(f"whether {worst.protocol} on {listener} has TLS is not known: {found.unread} was not read")
            continue
        what = "may continue without TLS" if worst.tls == OPTIONAL else "is in clear text"
        problems.append(f"{worst.protocol} {what} on {listener}: {worst.setting}")
    if unknown and not problems:
        return Result(node.node, NOT_TESTED, tuple(unknown))
    return result(node.node, problems, "no port for clients is in clear text on a network")


def _management(host: HostTarget, seen: Observation) -> Iterator[Result]:
    nodes = [node for node in host.nodes if _RABBITMQ in (node.product, node.kind)]
    if not nodes:
        yield Result(host.name, NOT_APPLICABLE, ("no node of rabbitmq runs on this host",))
        return
    for node in nodes:
        if seen.listeners is None:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("listeners"),))
            continue
        if unheard(vms(host, seen, node)):
            yield Result(node.node, NOT_TESTED, unheard(vms(host, seen, node)))
            continue
        found = _ports_of(node, seen)
        encrypted = {one.port for one in found.ports if one.tls == YES} if found else frozenset()
        clear = {port: name for port, name in _MANAGEMENT_PORTS.items() if port not in encrypted}
        clear.update((one.port, one.protocol) for one in (found.ports if found else ()) if one.protocol in MANAGED and one.port not in encrypted)
        problems = [f"{clear[one.port]} is in clear text on {one}" for one in _open(host, node, seen) if one.port in clear]
        problems += _with_next_start(seen, clear)
        yield result(node.node, problems, "no management interface and no metrics in clear text on a network")


_PLUGINS = {"rabbitmq_management": ("management", MANAGED[0]), "rabbitmq_prometheus": ("prometheus", MANAGED[1])}
"""Plugins by name, with the beginning of their settings and what they serve."""


def _with_next_start(seen: Observation, clear: Mapping[int, str]) -> Iterator[str]:
    """Plugins that are enabled and do not run, so that the next start opens their ports."""
    settings = ((seen.system.settings if seen.system else None) or {}).get(_RABBITMQ, {})
    heard = {one.port for one in seen.listeners or ()}
    for plugin in settings.get("plugins", "").split():
        prefix, what = _PLUGINS.get(plugin, ("", ""))
        ports = [port for port, name in clear.items() if name == what]
        if ports and not heard.intersection(ports) and not is_local(settings.get(f"{prefix}.tcp.ip", "0.0.0.0")):
            yield f"{what} will be in clear text on port {ports[0]} from the next start on: run rabbitmq-plugins disable --offline {plugin}"


def is_local(address: str) -> bool:
    return is_address(address) and is_loopback(address)


def _commands(host: HostTarget, seen: Observation) -> Iterator[Result]:
    nodes = [node for node in host.nodes if _EJABBERD in (node.product, node.kind)]
    if not nodes:
        yield Result(host.name, NOT_APPLICABLE, ("no node of ejabberd runs on this host",))
    for node in nodes:
        found = _ports_of(node, seen)
        unknown = unheard(vms(host, seen, node))
        if seen.listeners is None or found is None or unknown:
            why = unknown or (seen.why_unknown("listeners") if seen.listeners is None else "the configuration of ejabberd was not looked at",)
            yield Result(node.node, NOT_TESTED, why)
            continue
        ports = {one.port: one for one in found.ports if one.commands}
        problems = [f"the API for commands answers on {one}: {ports[one.port].setting}" for one in _open(host, node, seen) if one.port in ports]
        if found.unread and not problems:
            yield Result(node.node, NOT_TESTED, (f"{found.unread} was not read",))
            continue
        yield result(node.node, problems, "no API for commands answers on a network")


CHECKS: Mapping[str, Check] = {"client-ports": _client_ports, "rabbitmq-management": _management, "ejabberd-api": _commands}

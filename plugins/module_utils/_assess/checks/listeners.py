# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of listeners: where a node listens for its peers, in which range, whether it has to, and how far IPv6 opens its other ports.

Private to this collection, pure. See on_hosts.py. Those of EPMD are in epmd.py, VMs that are no members in unplanned_nodes.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..._model.observation import Listener, Observation
from ..._model.ports import PortRange
from ..._model.processes import Process
from ..controls.thresholds import PORTS_MAX
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import DYNAMIC, HostTarget, NodeTarget
from .parts import Check, unheard, unknown, vms

_CARRIERS_WITH_TLS = ("inet_tls", "inet6_tls")
"""Those of OTP. Of another one, its module decides whether there is any TLS."""


def _distribution_listeners(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.listeners is None:
        yield from unknown((node.node for node in host.nodes), seen, "listeners")
        return
    for node in host.nodes:
        if node.ports is None or node.address is None:
            yield _not_everywhere(node, seen.listeners)
            continue
        first, last = node.ports.first, node.ports.last
        # At a fixed port, the host's other nodes have the same one at addresses of their own.
        others = {(other.unit, other.address) for other in host.nodes if other.node != node.node}
        found = [one for one in seen.listeners if first <= one.port <= last and (one.unit, one.address) not in others]
        if not host.distributed:
            own = [one for one in seen.listeners if one.unit == node.unit and one not in found]
            problems = [f"listens on {one}" for one in found + (own if node.kind == "erlang" else [])]
            yield result(node.node, problems, f"nothing listens at the ports {first}-{last}")
            continue
        problems = [*_listening_elsewhere(node, node.ports, found, seen.listeners), *_lost_flags(host, node, seen)]
        yield result(node.node, problems, f"listens on {', '.join(f'{one.address}:{one.port}' for one in found)}")


def _not_everywhere(node: NodeTarget, listeners: Sequence[Listener]) -> Result:
    """Where nobody said at which address a node is to listen, it is to listen at one that somebody chose."""
    if node.port is None:
        if node.found == DYNAMIC:
            return Result(node.node, NOT_APPLICABLE, ("it has a dynamic node name and does not listen",))
        why = "EPMD does not name its port, and no flag sets one: which listener is the distribution's is not known"
        return Result(node.node, NOT_TESTED, (why,))
    found = [one for one in listeners if one.port == node.port and one.pid in (node.pid, None)]
    if not found:
        return Result(node.node, NOT_TESTED, (f"nothing listens at its port {node.port}",))
    problems = [f"listens on every network of the host: {one}" for one in found if one.wildcard]
    return result(node.node, problems, f"listens on {', '.join(f'{one.address}:{one.port}' for one in found)}")


def _listening_elsewhere(node: NodeTarget, range_: PortRange, found: Sequence[Listener], listeners: Sequence[Listener]) -> list[str]:
    """range_: the node's ports; found: the listeners at them."""
    ports = f"{range_}"
    problems = [f"listens on {one}" for one in found if one.address != node.address and not one.loopback]
    foreign = [one for one in found if (one.unit or one.pid is not None) and one.unit != node.unit]
    problems += [f"another process has a port of its range {ports}: {one}" for one in foreign]
    if not any((one.address == node.address or one.wildcard) and one not in foreign for one in found):
        problems.append(f"nothing listens on {node.address} at the ports {ports}")
    own_ports: dict[int | None, set[int]] = {}
    for one in found:
        if one not in foreign:
            own_ports.setdefault(one.pid, set()).add(one.port)
    for pid, several in own_ports.items():
        if pid is not None and len(several) > 1:
            problems.append(f"pid {pid} listens at several ports of its range {ports}: {', '.join(map(str, sorted(several)))}. Peers use one of them")
    # A node without a product has no port but the one for its peers. What else a product listens on is the product's affair.
    if node.kind == "erlang":
        own = [one for one in listeners if one.unit == node.unit and str(one.process).startswith("beam")]
        beyond = [one for one in own if not range_.first <= one.port <= range_.last]
        problems += [f"listens outside its port range on {one}" for one in beyond]
    return problems


def _lost_flags(host: HostTarget, node: NodeTarget, seen: Observation) -> Iterator[str]:
    """VMs of a node, of its unit or started by hand, that have a name and not the flags that say how the node is connected."""
    wanted = ("inet_dist_use_interface", "inet_dist_listen_min", "inet_dist_listen_max")
    for one in seen.processes or ():
        flags = one.flags
        ours = one.unit == node.unit or flags.name in (node.node, node.name)
        if not one.is_vm or not ours or flags.name is None or not flags.listens:
            continue
        lost = [f"-kernel {name}" for name in wanted if name not in flags.kernel]
        if node.tls_versions and not (flags.proto_dist_given and flags.proto_dist in _CARRIERS_WITH_TLS):
            lost.append("-proto_dist with TLS")
        elif flags.proto_dist_given > 1:
            # Each -proto_dist opens its own listener. Before OTP 27.1, two of them mean clear text.
            lost.append(f"one -proto_dist alone, it has {flags.proto_dist_given},")
        if node.tls_versions and flags.ssl_options_file is None:
            lost.append("-ssl_dist_optfile")
        if lost:
            own = [at for at in seen.listeners or () if at.pid == one.pid and not at.loopback]
            open_at = [str(at) for at in own if node.ports and not node.ports.first <= at.port <= node.ports.last]
            where = f" and listens on {', '.join(open_at)}" if open_at else ""
            yield f"pid {one.pid} ({one.unit or 'no unit'}) runs without {', '.join(lost)}{where}"


def _ipv6(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.listeners is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("listeners"),))
        return
    if seen.ipv6 is False:
        yield Result(host.name, NOT_APPLICABLE, ("the kernel has no IPv6",))
        return
    machines = {one.pid for one in seen.processes or () if one.is_vm}
    # Those of EPMD and of the distribution are looked at by epmd-listeners and distribution-listeners.
    ports = {one.port for one in seen.listeners if one.pid in machines} - {host.epmd_port, *(node.port for node in host.nodes)}
    problems = []
    for port in sorted(ports):
        here = [one for one in seen.listeners if one.port == port]
        narrow = [one for one in here if ":" not in one.address and not one.wildcard]
        if narrow and not any(one.address == "0.0.0.0" for one in here):
            at = ", ".join(sorted({one.address for one in narrow}))
            problems += [f"listens on every IPv6 address, and on {at} only over IPv4: {one}" for one in here if one.address == "::"]
    unseen = unheard(one for one in seen.processes or () if one.is_vm)
    if unseen and not problems:
        yield Result(host.name, NOT_TESTED, unseen)
        return
    yield result(host.name, problems, "no port is open to more networks over IPv6 than over IPv4")


def _port_of(parameters: Mapping[str, str], name: str) -> int | None:
    value = parameters.get(name, "")
    return int(value) if value.isdigit() else None


def _port_range(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        if not host.distributed:
            yield Result(node.node, NOT_APPLICABLE, ("the node has no distribution",))
            continue
        if node.ports is not None:
            yield result(node.node, [], f"its port range is {node.ports}, as planned")
            continue
        running = vms(host, seen, node)
        if not running:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes") if seen.processes is None else node.no_process,))
            continue
        yield _range_of(node, running[0])


def _range_of(node: NodeTarget, process: Process) -> Result:
    if not process.flags.listens or process.flags.proto_dist == "none":
        return Result(node.node, NOT_APPLICABLE, ("it does not listen for peers",))
    configured = process.hardening.kernel if process.hardening else None
    parameters = {**(configured or {}), **process.flags.kernel}
    fixed = process.flags.fixed_port or parameters.get("erl_epmd_node_listen_port")
    if fixed:
        return result(node.node, [], f"listens at the fixed port {fixed}")
    first, last = _port_of(parameters, "inet_dist_listen_min"), _port_of(parameters, "inet_dist_listen_max")
    if first is None and not process.flags.arguments_read or first is None and configured is None and process.flags.config_files:
        return Result(node.node, NOT_TESTED, ("its arguments or configuration files could not be read",))
    if first is None:
        return result(node.node, [f"pid {process.pid} runs without inet_dist_listen_min: it listens at any free port"], "")
    return _limited(node, first, last or 65535)


def _limited(node: NodeTarget, first: int, last: int) -> Result:
    wide = last - first + 1 > PORTS_MAX
    return result(node.node, [f"its range {first}-{last} has more than {PORTS_MAX} ports"] if wide else [], f"its port range is {first}-{last}")


def _needed(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = vms(host, seen, node)
        open_at = [one for one in seen.listeners or () if one.port == node.port and one.pid in (node.pid, None) and not one.loopback]
        if seen.listeners is None or not running:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("listeners") if seen.listeners is None else node.no_process,))
        elif node.port is None:
            yield Result(node.node, NOT_APPLICABLE, ("its port is not known",))
        elif unheard(running):
            yield Result(node.node, NOT_TESTED, unheard(running))
        else:
            yield _used(node, running[0], open_at)


def _used(node: NodeTarget, process: Process, open_at: list[Listener]) -> Result:
    facts = process.hardening
    if not open_at:
        return result(node.node, [], "it listens on loopback only, or not at all")
    if facts is None or facts.incoming is None or facts.outgoing is None:
        return Result(node.node, NOT_TESTED, (f"pid {process.pid}: its connections could not be read",))
    if node.port in facts.incoming:
        return result(node.node, [], "a peer of another host is connected")
    if facts.outgoing:
        return Result(node.node, NOT_APPLICABLE, (f"{facts.outgoing} connections lead to other hosts; only the node knows if a peer is among them",))
    return result(node.node, [f"listens on {', '.join(map(str, open_at))}, and no peer of another host is connected"], "")


CHECKS: Mapping[str, Check] = {
    "distribution-listeners": _distribution_listeners,
    "port-range": _port_range,
    "distribution-needed": _needed,
    "ipv6-exposure": _ipv6,
}

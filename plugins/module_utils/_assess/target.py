# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is assessed, and what is expected of it: the cluster, its hosts and its nodes.

Private to this collection, pure. Checks and probes read these values and never a plan; Target.from_plan() is the one place that knows a plan's shape.
Where an expectation may be None, None means that nobody said. Addresses are in one spelling (door.same_address).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._model.door import same_address
from .._model.installed import DROP_IN, GUARD, WATCH
from .._model.ports import PortRange, joined
from .._wire.constants import EPMD_PORT

OFF = "beam_mode is off: the nodes have no distribution"
CLEAR_TEXT = "beam_tls is false: the nodes show no certificate, see plaintext"
EXTERNAL_FIREWALL = "beam_firewall is external: the attacks from outside show what it lets through"


@dataclass(frozen=True)
class NodeTarget:
    """One member.

    host: inventory name, empty where it is known by its node name only; then everything after in_run is None or empty. kind: "erlang" for a node
    without a product, else the product's kind. port: where it listens; None: EPMD knows. tls_versions: () means clear text. kernel: parameters of the
    application kernel by name. evaluated_files: files that the VM evaluates when it starts.
    """

    node: str
    host: str
    address: str
    ports: PortRange
    port: int | None = None
    hidden: bool = False
    in_run: bool = False
    kind: str = ""
    unit: str = ""
    user: str = ""
    directory: str = ""
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    cookie_file: str | None = None
    evaluated_files: tuple[str, ...] = ()
    tls_versions: tuple[str, ...] = ()
    kernel: Mapping[str, object] | None = None

    @property
    def name(self) -> str:
        return self.node.partition("@")[0]

    @property
    def host_part(self) -> str:
        return self.node.partition("@")[2]

    @property
    def drop_in(self) -> str:
        """The drop-in of role service. Its name sorts last, so that it wins."""
        return f"/etc/systemd/system/{self.unit}.d/{DROP_IN}"

    @property
    def guard(self) -> str:
        """The unit that looks at what the node's unit will get, before each start."""
        return f"{GUARD}{self.unit}"

    @property
    def watch(self) -> str:
        """The unit that looks at the node's VMs for as long as they run."""
        return f"{WATCH}{self.unit}"


@dataclass(frozen=True)
class HostTarget:
    """One host with members on it.

    distributed: whether its nodes are to speak to anybody at all. epmd_listen: addresses, without loopback; None: EPMD must not run. members:
    addresses that the firewall has to let in at guarded_ports, and no others. firewall: which back end ("external": none of ours).
    """

    name: str
    nodes: tuple[NodeTarget, ...]
    in_run: bool
    distributed: bool
    addresses: frozenset[str]
    epmd_port: int
    epmd_listen: frozenset[str] | None
    members: frozenset[str]
    guarded_ports: tuple[tuple[int, int], ...]
    firewall: str

    @property
    def external_firewall(self) -> bool:
        return self.firewall == "external"


@dataclass(frozen=True)
class Target:
    """The cluster that is assessed. mode: "cluster", "standalone" (nodes reach those of their own host) or "off". members: all, sorted by name."""

    group: str
    mode: str
    tls: bool
    tls_versions: tuple[str, ...]
    epmd_port: int
    connect_all: bool
    hosts: Mapping[str, HostTarget]
    members: tuple[NodeTarget, ...]

    @classmethod
    def from_plan(cls, plan: Mapping[str, Any]) -> Target:
        """From the value of beam_plan. Raises KeyError where it is no plan."""
        mode, epmd_port = str(plan["mode"]), int(plan.get("epmd_port") or EPMD_PORT)
        details = {(host, entry["node"]): entry for host, own in plan["hosts"].items() for entry in own.get("nodes") or ()}
        running = {host for host, own in plan["hosts"].items() if own.get("in_run")}
        nodes = [_node(entry, details.get((entry.get("host"), entry["node"])) or {}, running, mode) for entry in plan["members"]]
        by_host: dict[str, list[NodeTarget]] = {}
        for node in nodes:
            by_host.setdefault(node.host, []).append(node)
        members = frozenset(map(same_address, plan.get("addresses") or ()))
        hosts = {name: _host(name, own, by_host.get(name, ()), members, mode, epmd_port) for name, own in plan["hosts"].items()}
        return cls(
            group=str(plan.get("group") or ""),
            mode=mode,
            tls=bool(plan["tls"]),
            tls_versions=tuple(plan.get("tls_versions") or ()),
            epmd_port=epmd_port,
            connect_all=bool((plan.get("settings") or {}).get("connect_all", True)),
            hosts=hosts,
            members=tuple(nodes),
        )

    @property
    def off(self) -> bool:
        return self.mode == "off"

    @cached_property
    def running(self) -> tuple[NodeTarget, ...]:
        """Members whose host is in the run."""
        return tuple(node for node in self.members if node.in_run)

    @cached_property
    def by_name(self) -> Mapping[str, NodeTarget]:
        return {node.node: node for node in self.members}

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Place of each node in members."""
        return {node.node: at for at, node in enumerate(self.members)}

    @cached_property
    def _of_host(self) -> Mapping[str, tuple[NodeTarget, ...]]:
        found: dict[str, list[NodeTarget]] = {}
        for node in self.members:
            found.setdefault(node.host, []).append(node)
        return {host: tuple(nodes) for host, nodes in found.items()}

    def node(self, name: str) -> NodeTarget:
        """Raises KeyError where there is no such member."""
        return self.by_name[name]

    def hosts_of(self, *nodes: str) -> tuple[str, ...]:
        """Inventory names of the hosts of these nodes, as far as they are known."""
        hosts = (self.by_name[node].host for node in nodes if node in self.by_name)
        return tuple(host for host in hosts if host)

    def reachable(self, source: str) -> Sequence[NodeTarget]:
        """The members that a node can be connected to, itself included: all, those of its own host, or none where there is no distribution."""
        if self.mode == "cluster":
            return self.members
        return self._of_host[self.by_name[source].host] if self.mode == "standalone" else ()

    @cached_property
    def host_parts(self) -> frozenset[str]:
        """What follows the @ in the names of the members."""
        return frozenset(node.host_part for node in self.members)

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The cluster addresses of all members."""
        return frozenset(node.address for node in self.members)


def _node(entry: Mapping[str, Any], own: Mapping[str, Any], running: set[str], mode: str) -> NodeTarget:
    host = entry.get("host") or ""
    tls = own.get("tls") or {}
    directory, home = str(own.get("directory") or ""), own.get("home")
    evaluated = ["vm.args", *(() if mode == "off" else ("inetrc", "allow.conf")), *(("ssl_dist.conf",) if tls else ())]
    return NodeTarget(
        node=entry["node"],
        host=host,
        address=same_address(entry["address"]),
        ports=PortRange(entry["ports"]["first"], entry["ports"]["last"]),
        port=entry.get("port"),
        hidden=bool(entry.get("hidden")),
        in_run=host in running,
        kind=str(own.get("kind") or ""),
        unit=str(own.get("unit") or ""),
        user=str(own.get("user") or ""),
        directory=directory,
        ca_file=tls.get("ca"),
        certificate_file=tls.get("certificate"),
        key_file=tls.get("key"),
        cookie_file=f"{home}/.erlang.cookie" if home else None,
        evaluated_files=tuple(f"{directory}/{name}" for name in evaluated) if directory else (),
        tls_versions=tuple(tls.get("versions") or ()),
        kernel=own.get("kernel"),
    )


def _host(
    name: str, own: Mapping[str, Any], nodes: Sequence[NodeTarget], members: frozenset[str], mode: str, epmd_port: int
) -> HostTarget:
    listen = own["epmd"]["listen"]
    firewall = own["firewall"]
    return HostTarget(
        name=name,
        nodes=tuple(nodes),
        in_run=bool(own.get("in_run")),
        distributed=mode != "off",
        addresses=frozenset(map(same_address, own.get("addresses") or ())),
        epmd_port=int(own["epmd"].get("port") or epmd_port),
        epmd_listen=frozenset(address for address in map(same_address, listen) if address not in ("127.0.0.1", "::1")) if listen else None,
        members=members,
        guarded_ports=tuple(joined(firewall.get("ports") or ())),
        firewall=str(firewall["backend"]),
    )

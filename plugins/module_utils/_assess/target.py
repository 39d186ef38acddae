# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is assessed, and what is expected of it: the cluster, its hosts and its nodes.

Private to this collection, pure. Checks and probes read these values and never a plan. Target.from_plan() is the one place that knows a plan's shape,
discover.py makes a target of hosts that nobody planned. Where an expectation is None (or an empty text), nobody said: a check then falls to the floor
that holds for any BEAM host, or is not applicable, and names what it would need. Addresses are in one spelling (door.same_address).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .._model.installed import DROP_IN, GUARD, WATCH
from .._model.ports import PortRange, joined
from .._model.processes import Process
from .._model.product_data import ProductData
from .._model.untrusted_json import same_address
from .._wire.constants import EPMD_PORT

OFF = "beam_mode is off: the nodes have no distribution"
CLEAR_TEXT = "the node speaks clear text and shows no certificate, see plaintext"
EXTERNAL_FIREWALL = "beam_firewall is external: the attacks from outside show what it lets through"
NO_CRL = "beam_pki_crl is false: no node checks for revoked certificates"
NEEDS_PLAN = "needs a plan"
NEEDS_MEMBERS = f"{NEEDS_PLAN}: which nodes are members"
NEEDS_OWN_CREDENTIALS = "only the node itself knows: set beam_audit_credentials, so that it is asked on its host with its own cookie and key"
NEEDS_CREDENTIALS = "needs a member's certificate and cookie, which beam.cluster.verify uses"

DYNAMIC = "dynamic"
"""How a node was found that has no name of its own: the first node that it connects to gives it one."""


@dataclass(frozen=True)
class NodeTarget:
    """One node: a member of a plan, or one that was discovered on a host.

    host: inventory name, empty where it is known by its node name only; then everything after in_run is None or empty. address, ports: where it is to
    listen, None where nobody said. kind: "erlang" for a node without a product, else the product's kind. port: where it listens; None: EPMD knows.
    directory: of our own files, empty where none are expected. cookie_file, key_file: None where nobody said, empty where there is to be none.
    tls_versions: () means clear text, None that nobody said. kernel: parameters of the application kernel by name. evaluated_files: files that the
    VM evaluates when it starts. exact_modes: whether files have to have the very modes that our roles give, or any that are as strict.
    low_ports: whether its unit keeps the capability to listen on ports below 1024. tool_prefix: what the names of its product's tools begin with;
    tool_ports: where these tools listen.

    Of a discovered node. pid: its process, None where it is not known. seen_at: addresses at which it listens, the most public one first.
    found: how it was found (discover.py). product: by its traces. other_keys, other_trust: keys, and certificates and CA files, that its TLS options
    name beside the first ones: of the client, for example.
    """

    node: str
    host: str
    address: str | None
    ports: PortRange | None
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
    tls_versions: tuple[str, ...] | None = ()
    kernel: Mapping[str, object] | None = None
    tool_prefix: str = ""
    tool_ports: PortRange | None = None
    exact_modes: bool = True
    low_ports: bool = False
    pid: int | None = None
    seen_at: tuple[str, ...] = ()
    found: str = ""
    product: str = ""
    other_keys: tuple[str, ...] = ()
    other_trust: tuple[str, ...] = ()

    @property
    def own_name(self) -> str:
        """Its node name. Two discovered nodes of one name have their host after a slash in `node`, which no node name can have."""
        return self.node.partition("/")[0]

    @property
    def reached_at(self) -> str:
        """The address at which it is reached: the planned one, else the most public one that it listens at; empty where it listens for nobody."""
        return self.address or next(iter(self.seen_at), "")

    @property
    def name(self) -> str:
        return self.node.partition("@")[0]

    @property
    def host_part(self) -> str:
        return self.own_name.partition("@")[2]

    def is_tool_port(self, port: int) -> bool:
        """Whether a tool of the node may listen there."""
        return any(one.first <= port <= one.last for one in (self.ports, self.tool_ports) if one is not None)

    @property
    def drop_in(self) -> str | None:
        """The drop-in of role service, None where it is not expected. Its name sorts last, so that it wins."""
        return f"/etc/systemd/system/{self.unit}.d/{DROP_IN}" if self.directory else None

    @property
    def guard(self) -> str:
        """The unit that looks at what the node's unit will get, before each start."""
        return f"{GUARD}{self.unit}"

    @property
    def no_process(self) -> str:
        """What to say where no VM of the node was seen."""
        return f"no process of {self.unit} runs" if self.unit else f"the process of {self.node} is not known"

    def is_run_by(self, process: Process) -> bool:
        """Whether a VM belongs to this node: its very process where that is known, else a process of its unit."""
        return process.is_vm and (process.pid == self.pid if self.pid is not None else bool(self.unit) and process.unit == self.unit)

    @property
    def watch(self) -> str:
        """The unit that looks at the node's VMs for as long as they run."""
        return f"{WATCH}{self.unit}"


@dataclass(frozen=True)
class HostTarget:
    """One host with members on it.

    distributed: whether its nodes are to speak to anybody at all. epmd_listen: addresses of EPMD, loopback among them; empty: it must not run; None:
    nobody said. members: addresses that the firewall has to let in at guarded_ports, and no others; None: nobody said. firewall: which back end
    ("external": none of ours, empty: nobody said). contents: sha256 of what files are to contain, by path; None: nobody said. contained: nodes in
    containers on this host, seen from the host only. bare: no BEAM runs there, nor EPMD.
    """

    name: str
    nodes: tuple[NodeTarget, ...]
    in_run: bool
    distributed: bool
    addresses: frozenset[str]
    epmd_port: int
    epmd_listen: frozenset[str] | None
    members: frozenset[str] | None
    guarded_ports: tuple[tuple[int, int], ...]
    firewall: str
    contents: Mapping[str, str] | None = None
    contained: tuple[NodeTarget, ...] = ()
    bare: bool = False

    @property
    def external_firewall(self) -> bool:
        return self.firewall == "external"


@dataclass(frozen=True)
class Target:
    """What is assessed. members: all nodes, sorted by name. departing: nodes that leave. crl: whether nodes have to refuse revoked certificates.

    mode: "cluster", "standalone" (nodes reach those of their own host), "off", or empty where nobody said who belongs together. tls: None where
    nobody said.
    """

    group: str
    mode: str
    tls: bool | None
    tls_versions: tuple[str, ...]
    epmd_port: int
    connect_all: bool
    hosts: Mapping[str, HostTarget]
    members: tuple[NodeTarget, ...]
    departing: frozenset[str] = frozenset()
    crl: bool = False

    @classmethod
    def from_plan(cls, plan: Mapping[str, Any], contents: Mapping[str, Mapping[str, str]] | None = None) -> Target:
        """From the value of beam_plan. contents: see HostTarget, by host. Raises KeyError where it is no plan."""
        mode, epmd_port = str(plan["mode"]), int(plan.get("epmd_port") or EPMD_PORT)
        details = {(host, entry["node"]): entry for host, own in plan["hosts"].items() for entry in own.get("nodes") or ()}
        running = {host for host, own in plan["hosts"].items() if own.get("in_run")}
        nodes = [_node(entry, details.get((entry.get("host"), entry["node"])) or {}, running, mode) for entry in plan["members"]]
        by_host: dict[str, list[NodeTarget]] = {}
        for node in nodes:
            by_host.setdefault(node.host, []).append(node)
        members = frozenset(map(same_address, plan.get("addresses") or ()))
        said = contents or {}
        hosts = {name: _host(name, own, by_host.get(name, ()), members, mode, epmd_port, said.get(name)) for name, own in plan["hosts"].items()}
        return cls(
            group=str(plan.get("group") or ""),
            mode=mode,
            tls=bool(plan["tls"]),
            tls_versions=tuple(plan.get("tls_versions") or ()),
            epmd_port=epmd_port,
            connect_all=bool((plan.get("settings") or {}).get("connect_all", True)),
            hosts=hosts,
            members=tuple(nodes),
            departing=frozenset(node["node"] for node in plan.get("departing_nodes") or ()),
            crl=bool(plan.get("crl")),
        )

    @property
    def off(self) -> bool:
        return self.mode == "off"

    @property
    def planned(self) -> bool:
        """Whether it is known which nodes are members of one cluster."""
        return bool(self.mode)

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
    def addresses_by_host_part(self) -> Mapping[str, frozenset[str]]:
        """The addresses from which nodes with a host part connect to other hosts."""
        found: dict[str, set[str]] = {}
        for node in self.members:
            host = self.hosts.get(node.host)
            found.setdefault(node.host_part, set()).update(filter(None, (node.address,)), host.addresses if host else ())
        return {part: frozenset(addresses) for part, addresses in found.items()}

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The cluster addresses of all members, as far as they are planned."""
        return frozenset(node.address for node in self.members if node.address)

    @cached_property
    def peer_addresses(self) -> frozenset[str]:
        """Every address from which a member may connect."""
        return self.addresses.union(*(host.addresses for host in self.hosts.values()))


def _node(entry: Mapping[str, Any], own: Mapping[str, Any], running: set[str], mode: str) -> NodeTarget:
    host = entry.get("host") or ""
    tls = own.get("tls") or {}
    product = ProductData.parse(own.get("product_data") or {})
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
        tool_prefix=product.tool_prefix,
        tool_ports=product.tool_ports,
        low_ports=bool(product.capabilities),
    )


def _host(
    name: str,
    own: Mapping[str, Any],
    nodes: Sequence[NodeTarget],
    members: frozenset[str],
    mode: str,
    epmd_port: int,
    contents: Mapping[str, str] | None,
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
        epmd_listen=frozenset(map(same_address, listen)) if listen else frozenset(),
        members=members,
        guarded_ports=tuple(joined(firewall.get("ports") or ())),
        firewall=str(firewall["backend"]),
        contents=None if contents is None else dict(contents),
    )

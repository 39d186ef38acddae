# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as a value, and what it is made from.

Private to this collection. The shape that roles see is C(Cluster.as_dict).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import addresses
from .addresses import Address
from .inputs import MISSING
from .names import NodeName
from .ports import EPMD_PORT, Window, joined

CONFIGURATION = "/etc/beam"
"""Directory of all files of ours on a host; each node has one of its own below it."""

SECRETS_REQUIRED = ("cookie", "ca_passphrase")


@dataclass(frozen=True)
class Node:
    """One member: an Erlang node with its address and its window.

    C(host) is its inventory name, empty where it is known from C(beam_members) only. What follows C(window) is None or empty there too.
    C(peer_ports) are further ports of the product on which its peers, and nobody else, have business. C(modes) are those that it can run in,
    C(names) the kinds of names that it can bear, all where it is empty. C(tools_listen): its nodes dial its tools.
    C(links) is C(kept) where the product takes a cut link for a split cluster, C(caveats) what its peers say to each other that TLS does not
    cover: address family -> what and what to do.
    """

    node: NodeName
    host: str
    address: Address
    window: Window
    product: str = ""
    kind: str = ""
    unit: str = ""
    user: str = ""
    group: str = ""
    home: str = ""
    peer_ports: tuple[Window, ...] = ()
    hidden: bool = False
    kernel: Mapping[str, object] = field(default_factory=dict)
    modes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    tools_listen: bool = False
    links: str = "cut"
    caveats: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def as_member(self, port: int | None) -> dict[str, object]:
        """C(port): where it listens, null where epmd has to be asked."""
        return {
            "node": str(self.node),
            "name": self.node.name,
            "host_part": self.node.host_part,
            "host": self.host or None,
            "address": str(self.address),
            "ports": self.window.as_dict(),
            "port": port,
            "inet_tuple": addresses.inet_tuple(self.address),
            "hidden": self.hidden,
        }

    def as_dict(self, port: int | None, settings: Mapping[str, object], tls_versions: Sequence[str]) -> dict[str, object]:
        """C(tls_versions): empty where the node does not speak TLS."""
        directory = f"{CONFIGURATION}/{self.node}"
        return {
            **{key: value for key, value in self.as_member(port).items() if key != "host"},
            **_on_its_host(self),
            "kernel": {**settings, **self.kernel},
            "tls": {
                "ca": f"{directory}/tls/ca.pem",
                "certificate": f"{directory}/tls/cert.pem",
                "key": f"{directory}/tls/key.pem",
                "versions": list(tls_versions),
            }
            if tls_versions
            else None,
        }


@dataclass(frozen=True)
class Former:
    """A node of which nothing of ours is to stay on its host. C(addresses) are where its peers have found it, as far as anybody can say."""

    node: NodeName
    host: str
    product: str
    kind: str
    unit: str
    user: str
    group: str
    home: str
    addresses: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        return {
            "node": str(self.node),
            "name": self.node.name,
            **_on_its_host(self),
        }


@dataclass(frozen=True)
class Inventory:
    """All that the plan is made from. Mappings go from inventory name to value unless said otherwise.

    C(values) is variable -> host -> settled value (see C(inputs.settle)); C(secrets) the same for the secrets, kept out of C(repr).
    C(run) are the hosts of this play that are still in it. C(observed) holds what the module C(observe) saw of them.
    C(products) is the products' data by name, C(defaults) those of the role's argument spec.
    """

    groups: Mapping[str, Sequence[str]]
    run: Sequence[str]
    values: Mapping[str, Mapping[str, object]]
    secrets: Mapping[str, Mapping[str, object]] = field(repr=False)
    observed: Mapping[str, Mapping[str, Any]]
    products: Mapping[str, Mapping[str, object]]
    defaults: Mapping[str, object]
    backdate_seconds: int = 3600
    requires: Sequence[str] = SECRETS_REQUIRED
    inventory_dir: str | None = None

    def value(self, variable: str, host: str) -> object:
        """A host's value, the default where it has none, MISSING where there is none either."""
        value = self.values.get(variable, {}).get(host, MISSING)
        return self.defaults.get(variable, MISSING) if value is MISSING or value is None else value


def _on_its_host(node: Node | Former) -> dict[str, object]:
    """What runs it, as whom, and where its things are."""
    return {
        "product": node.product,
        "kind": node.kind,
        "unit": node.unit,
        "user": node.user,
        "group": node.group,
        "home": node.home,
        "directory": f"{CONFIGURATION}/{node.node}",
    }


@dataclass(frozen=True)
class Change:
    """Something that a host's own files and rules do not know of yet. C(removes): somebody in them is no member any more."""

    text: str
    removes: bool = False


@dataclass(frozen=True)
class Cluster:
    """The plan. Valid by construction: C(planning.plan) makes one only where no rule is broken.

    C(leaving) are nodes of hosts whose C(beam_state) is absent: no members. C(carrier) is what the distribution runs over, as C(-proto_dist)
    calls it; C(strangers) are nodes that run with another, and C(full_stop) is whether all may be stopped for it. C(restart) is whether nodes may
    restart where the product says that it costs its users something, auto or force. C(settings) are kernel
    parameters, C(tls) is whether the nodes speak TLS to each other. C(interfaces) is (host, address) -> interface, C(firewalls) is host -> back
    end; C(changes) and C(findings) are what the hosts of the run should be told.
    """

    group: str
    names: str
    family: int
    mode: str
    discovery: str
    carrier: str
    strangers: tuple[str, ...]
    full_stop: bool
    restart: str
    settings: Mapping[str, object]
    tls: bool
    tls_versions: tuple[str, ...]
    ca_dir: str | None
    requires: tuple[str, ...]
    waivers: tuple[dict[str, object], ...]
    members: tuple[Node, ...]
    leaving: tuple[Former, ...]
    run: frozenset[str]
    interfaces: Mapping[tuple[str, str], str]
    firewalls: Mapping[str, str]
    outsiders: tuple[str, ...]
    changes: Mapping[str, Sequence[Change]]
    findings: tuple[dict[str, str], ...]

    def as_dict(self) -> dict[str, object]:
        """The shape of C(beam_plan)."""
        by_host: dict[str, list[Node]] = {}
        for member in self.members:
            if member.host:
                by_host.setdefault(member.host, []).append(member)
        former: dict[str, list[Former]] = {}
        for node in self.leaving:
            former.setdefault(node.host, []).append(node)
        return {
            "group": self.group,
            "names": self.names,
            "family": self.family,
            "mode": self.mode,
            "discovery": self.discovery,
            "carrier": self.carrier,
            "strangers": list(self.strangers),
            "full_stop": self.full_stop,
            "restart": self.restart,
            "settings": dict(self.settings),
            "tls": self.tls,
            "tls_versions": list(self.tls_versions),
            "epmd_port": EPMD_PORT,
            "ca_dir": self.ca_dir,
            "requires": list(self.requires),
            "waivers": list(self.waivers),
            "members": [member.as_member(self._port(member)) for member in self.members],
            "addresses": _unique_addresses(self.members),
            "hosts": {host: self._host(host, nodes) for host, nodes in sorted(by_host.items())},
            "leaving": {
                host: {
                    "in_run": host in self.run,
                    "addresses": sorted({address for node in nodes for address in node.addresses}.difference(_unique_addresses(self.members))),
                    "nodes": [node.as_dict() for node in nodes],
                }
                for host, nodes in sorted(former.items())
            },
            "outsiders": list(self.outsiders),
            "changes": {host: [change.text for change in changes] for host, changes in sorted(self.changes.items())},
            "findings": list(self.findings),
        }

    def _host(self, host: str, nodes: Sequence[Node]) -> dict[str, object]:
        own = _unique_addresses(nodes)
        first = str(nodes[0].address)
        epmd = ["127.0.0.1", "::1", *own] if self.discovery == "epmd" and self.mode != "off" else []
        windows = [window for node in nodes for window in (node.window, *node.peer_ports)]
        # In the kernel's spelling, so that the live table can be compared with it.
        guarded = joined([(EPMD_PORT, EPMD_PORT), *((window.first, window.last) for window in windows)])
        return {
            "in_run": host in self.run,
            "address": first,
            "addresses": own,
            "interface": self.interfaces.get((host, first)),
            "nodes": [node.as_dict(self._port(node), self.settings, self.tls_versions if self.tls else ()) for node in nodes],
            "firewall": {"backend": self.firewalls.get(host, "nftables"), "ports": [list(ports) for ports in guarded], "own": own},
            "epmd": {"listen": list(dict.fromkeys(epmd)), "port": EPMD_PORT},
        }

    def _port(self, member: Node) -> int | None:
        return member.window.first if self.discovery == "fixed_port" else None


def _unique_addresses(nodes: Sequence[Node]) -> list[str]:
    """Where the nodes can be reached from other hosts: nowhere, if they are on loopback."""
    return sorted({str(node.address) for node in nodes if not node.address.is_loopback}, key=addresses.sort_key)

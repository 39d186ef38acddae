# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as a value, and what it is made from.

Private to this collection. The shape that roles see is `Cluster.as_dict`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property

from .._model import addresses
from .._model.addresses import Address
from .._model.advisories import Advisory
from .._model.certificate_names import certificate_names
from .._model.names import NodeName
from .._model.observation import HostAddress, Observation
from .._model.ports import PortRange, joined
from .._model.product_data import ProductData
from .._model.reserved_flags import FLAGS
from .._model.waivers import Waiver
from .._wire.constants import EPMD_PORT, PROBE_NAME
from . import ca_dir
from .epmd_addresses import epmd_addresses
from .units_and_users import CONFIGURATION, Runtime
from .variable_names import MISSING

SECRETS_REQUIRED = ("cookie", "ca_passphrase")


@dataclass(frozen=True)
class Node:
    """One member: an Erlang node with its address, its ports, and how its host runs it.

    `host` is its inventory name, empty where it is known from `beam_members` alone; `runtime` is empty there, too.
    """

    node: NodeName
    host: str
    address: Address
    port_range: PortRange
    runtime: Runtime = Runtime()
    hidden: bool = False

    def as_member(self, port: int | None) -> dict[str, object]:
        """`port`: where it listens, None where EPMD has to be asked."""
        return {
            "node": str(self.node),
            "name": self.node.name,
            "host_part": self.node.host_part,
            "host": self.host or None,
            "address": str(self.address),
            "ports": self.port_range.as_dict(),
            "port": port,
            "inet_tuple": addresses.inet_tuple(self.address),
            "hidden": self.hidden,
        }

    def as_dict(self, port: int | None, settings: Mapping[str, object], tls_versions: Sequence[str]) -> dict[str, object]:
        """`tls_versions`: empty where the node does not speak TLS."""
        directory = f"{CONFIGURATION}/{self.node}"
        return {
            **{key: value for key, value in self.as_member(port).items() if key != "host"},
            **self.runtime.as_dict(self.node),
            "kernel": {**settings, **self.runtime.data.kernel},
            "certificate_names": certificate_names(self.node.host_part),
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
class Departing:
    """A node that leaves the cluster, with its host (`beam_state: absent`) or alone (`state: absent` in `beam_nodes`). It is no member.

    `addresses` are where its peers have found it, as far as the inventory and its own firewall table say.
    """

    node: NodeName
    host: str
    runtime: Runtime
    addresses: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        return {"node": str(self.node), "name": self.node.name, **self.runtime.as_dict(self.node)}


@dataclass(frozen=True)
class Inventory:
    """All that the plan is made from. Mappings go from inventory name to value unless said otherwise.

    `values` is variable -> host -> settled value (see `inputs.effective_values`); `secrets` the same for the secrets, kept out of `repr`.
    `run` are the hosts of this play that are still in it. `observed` holds what the module `observe` saw of them. `sandbox` are the directives of
    beam_service_directives that the plan looks for, see unit_directives.ALLOWED. `compromised`: this run answers to what `beam_compromised` names.
    `has_ca` says whether a directory has the key and the certificate of a CA.
    `products` is the products' data by name, `defaults` those of the role's argument spec. `controls` are the ids that a waiver may name, `today`
    is the day by which waivers are validated, `now` the time in UTC by which nodes may restart.
    """

    groups: Mapping[str, Sequence[str]]
    run: Sequence[str]
    values: Mapping[str, Mapping[str, object]]
    secrets: Mapping[str, Mapping[str, object]] = field(repr=False)
    observed: Mapping[str, Observation]
    products: Mapping[str, ProductData]
    defaults: Mapping[str, object]
    backdate_seconds: int = 3600
    requires: Sequence[str] = SECRETS_REQUIRED
    preflight: bool = True
    compromised: bool = False
    has_ca: Callable[[str], bool] = bool
    ca_places: ca_dir.Places = ca_dir.Places()
    controls: Collection[str] = ()
    today: datetime.date = datetime.date.min
    now: datetime.datetime = datetime.datetime.min
    sandbox: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def value(self, variable: str, host: str) -> object:
        """A host's value, the default where it has none, MISSING where there is none either."""
        value = self.values.get(variable, {}).get(host, MISSING)
        return self.defaults.get(variable, MISSING) if value is MISSING or value is None else value

    def seen(self, host: str) -> Observation:
        """What was observed on a host; all unknown where it was not."""
        return self.observed.get(host) or Observation(host)

    def seen_addresses(self, host: str) -> Sequence[HostAddress]:
        """The addresses of a host as it was observed; empty where it was not."""
        return self.seen(host).addresses or ()

    @cached_property
    def run_set(self) -> frozenset[str]:
        return frozenset(self.run)

    @cached_property
    def group_sets(self) -> Mapping[str, frozenset[str]]:
        return {name: frozenset(hosts) for name, hosts in self.groups.items()}


@dataclass(frozen=True)
class Change:
    """Something that a host's own files and rules do not know of yet. `removes`: somebody in them is no member any more."""

    text: str
    removes: bool = False


@dataclass(frozen=True)
class Transition:
    """What this run changes on the way to the cluster, as opposed to what the cluster is.

    `incompatible_nodes` run with another transport and have to be stopped together, if `full_stop` allows it. `restart` says what
    becomes of a restart that the product objects to, auto or force. `window_opens` is when nodes may restart, None for now.
    `changes` are what hosts of the run do not know yet, by host.
    """

    incompatible_nodes: tuple[str, ...]
    full_stop: bool
    restart: str
    departing: tuple[Departing, ...]
    changes: Mapping[str, Sequence[Change]]
    window_opens: datetime.datetime | None = None


@dataclass(frozen=True)
class Revocation:
    """crl: whether nodes check. revoke, unrevoke: node names, serial numbers and paths, as the operator wrote them."""

    crl: bool = False
    revoke: tuple[str, ...] = ()
    unrevoke: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compromised:
    """names: what the operator named, each by its one name. hosts: nobody connects to them, and `nodes`, all of theirs, are no members any more.
    keys: nodes that get a new key. cookie, ca: whether these have to be replaced whatever else is done."""

    names: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    cookie: bool = False
    ca: bool = False


@dataclass(frozen=True)
class Cluster:
    """The plan. Valid by construction: `planning.plan` makes one only where no rule is broken.

    `proto_dist` is the transport of the distribution as the flag -proto_dist calls it, `none` without distribution. `settings` are kernel
    parameters. `interfaces` is (host, address) -> interface, `firewalls` is host -> back end, `run` are the hosts of this run, `without_ipv6` those
    whose kernel has no IPv6.
    """

    group: str
    name_type: str
    address_family: int
    mode: str
    discovery: str
    proto_dist: str
    settings: Mapping[str, object]
    tls: bool
    tls_versions: tuple[str, ...]
    ca_dir: str | None
    revocation: Revocation
    requires: tuple[str, ...]
    waivers: tuple[Waiver, ...]
    members: tuple[Node, ...]
    run: frozenset[str]
    interfaces: Mapping[tuple[str, str], str]
    firewalls: Mapping[str, str]
    without_ipv6: frozenset[str]
    outsiders: tuple[str, ...]
    advisories: tuple[Advisory, ...]
    transition: Transition
    vulnerabilities_file: str | None = None
    compromised: Compromised | None = None

    def as_dict(self) -> dict[str, object]:
        """The shape of `beam_plan`."""
        by_host: dict[str, list[Node]] = {}
        for member in self.members:
            if member.host:
                by_host.setdefault(member.host, []).append(member)
        departing: dict[str, list[Departing]] = {}
        for node in self.transition.departing:
            departing.setdefault(node.host, []).append(node)
        absent = {host: [node.as_dict() for node in departing.pop(host)] for host in by_host if host in departing}
        return {
            "group": self.group,
            "name_type": self.name_type,
            "address_family": self.address_family,
            "mode": self.mode,
            "discovery": self.discovery,
            "proto_dist": self.proto_dist,
            "incompatible_nodes": list(self.transition.incompatible_nodes),
            "full_stop": self.transition.full_stop,
            "restart": self.transition.restart,
            "restart_from": self.transition.window_opens.strftime("%a %Y-%m-%d %H:%M UTC") if self.transition.window_opens else "",
            "settings": dict(self.settings),
            "tls": self.tls,
            "tls_versions": list(self.tls_versions),
            "epmd_port": EPMD_PORT,
            "probe_name": PROBE_NAME,
            "reserved_flags": list(FLAGS),
            "ca_dir": self.ca_dir,
            "crl": self.revocation.crl,
            "revoke": list(self.revocation.revoke),
            "unrevoke": list(self.revocation.unrevoke),
            "requires": list(self.requires),
            "waivers": [waiver.as_dict() for waiver in self.waivers],
            "members": [member.as_member(self._port(member)) for member in self.members],
            "addresses": _unique_addresses(self.members),
            "hosts": {host: {**self._host(host, nodes), "absent": absent.get(host, [])} for host, nodes in sorted(by_host.items())},
            "departing": {
                host: {
                    "in_run": host in self.run,
                    "addresses": sorted({address for node in nodes for address in node.addresses}.difference(_unique_addresses(self.members))),
                    "nodes": [node.as_dict() for node in nodes],
                }
                for host, nodes in sorted(departing.items())
            },
            "departing_nodes": [node.as_dict() for node in self.transition.departing],
            "outsiders": list(self.outsiders),
            "changes": {host: [change.text for change in changes] for host, changes in sorted(self.transition.changes.items())},
            "advisories": [advisory.as_dict() for advisory in self.advisories],
            "vulnerabilities_file": self.vulnerabilities_file,
            "compromised": asdict(self.compromised) if self.compromised else None,
        }

    def _host(self, host: str, nodes: Sequence[Node]) -> dict[str, object]:
        own = _unique_addresses(nodes)
        first = str(nodes[0].address)
        registers = self.discovery == "epmd" and self.mode != "off"
        port_ranges = [port_range for node in nodes for port_range in (node.port_range, *node.runtime.data.peer_ports)]
        # In the kernel's spelling, so that the live table can be compared with it.
        guarded = joined([(EPMD_PORT, EPMD_PORT), *((port_range.first, port_range.last) for port_range in port_ranges)])
        return {
            "in_run": host in self.run,
            "address": first,
            "addresses": own,
            "interface": self.interfaces.get((host, first)),
            "nodes": [node.as_dict(self._port(node), self.settings, self.tls_versions if self.tls else ()) for node in nodes],
            "firewall": {"backend": self.firewalls.get(host, "nftables"), "ports": [list(ports) for ports in guarded], "own": own},
            "epmd": {"listen": epmd_addresses(own, host not in self.without_ipv6) if registers else [], "port": EPMD_PORT},
        }

    def _port(self, member: Node) -> int | None:
        return member.port_range.first if self.discovery == "fixed_port" else None


def _unique_addresses(nodes: Sequence[Node]) -> list[str]:
    """Where the nodes can be reached from other hosts: nowhere, if they are on loopback."""
    return sorted({str(node.address) for node in nodes if not node.address.is_loopback}, key=addresses.sort_key)

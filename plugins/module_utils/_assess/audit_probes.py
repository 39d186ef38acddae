# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes of an audit: attacks that need no credentials, from each host to its own nodes, from other hosts, and from outside.

Private to this collection, pure. Which attacks there are is data (attacks.py); here is only from where they are tried on nodes that nobody planned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .._model.observation import Observation
from .._wire.constants import PROBE_NAME
from .attacks import ATTACK_BY_ID, KNOWN_COOKIE, Attack
from .audit_default_cookies import cookie_of
from .audit_default_cookies import probes as known_probes
from .outsider_connectivity import QUIET_PORTS, SSH
from .probes import KNOWN, OUTSIDE, REACHES, VANTAGES, Probe, Questions, options
from .target import DYNAMIC, HostTarget, NodeTarget, Target

CLEAR, ENCRYPTED = ("plaintext", "wrong-cookie"), ("old-tls", "no-certificate", "foreign-certificate")
"""Attacks that a probe without credentials can make: first those that speak clear text, then those that speak TLS, to nodes that do."""

_ANY_TLS = ("tlsv1.2", "tlsv1.3")
_OLD_TLS = ("tlsv1", "tlsv1.1")


def options_without_credentials(probe: Probe) -> dict[str, Any]:
    """A probe as an entry of dist_probe's targets: no certificate of a member, and a cookie that is nobody's."""
    asked = {**options(probe), "node": probe.target.partition("/")[0]}
    if asked.get("epmd_only") or probe.control == REACHES:
        return {**asked, "epmd_only": True}
    if probe.control == KNOWN:
        return {**{key: value for key, value in asked.items() if key != "name"}, "cookie": cookie_of(probe), "plaintext": True}
    attack = ATTACK_BY_ID[probe.control]
    if attack.shows.cookie == "known":
        return {**asked, "cookie": KNOWN_COOKIE, "plaintext": True}
    versions = _OLD_TLS if attack.shows.tls == "old" else _ANY_TLS
    asked.pop("cookie", None)
    return {
        **asked,
        "wrong_cookie": True,
        "present": "foreign" if attack.shows.certificate == "foreign" else "none",
        **({} if asked.get("plaintext") else {"tls": {"versions": list(versions), "verify": False}}),
    }


def with_own_credentials(node: NodeTarget) -> dict[str, Any] | None:
    """What mesh_info needs to ask a node on its own host: paths of its own cookie and PEM files. None where they, or its address, are not known."""
    files = {"ca": node.ca_file, "certificate": node.certificate_file, "key": node.key_file}
    if not (node.cookie_file and node.seen_at and node.port) or node.key_file is None or (node.key_file and None in files.values()):
        return None
    return {
        "node": node.own_name,
        "host": node.host,
        "name": f"{PROBE_NAME}@{node.host_part}",
        "address": node.seen_at[0],
        "port": node.port,
        "cookie_file": node.cookie_file,
        "tls": files if node.key_file else None,
    }


@dataclass(frozen=True)
class AuditQuestions(Questions):
    """The probes of a discovered target. listeners: ports with a listener, by host. vantages: other hosts that probe each host, at most.

    known_cookies: whether default cookies are tried on the nodes of a host from there.
    """

    listeners: Mapping[str, frozenset[int]] = field(default_factory=dict)
    vantages: int = VANTAGES
    known_cookies: bool = False

    @classmethod
    def of(cls, target: Target, seen: Mapping[str, Observation], *, known_cookies: bool = False) -> AuditQuestions:
        return cls(
            target,
            {name: tuple(one.address for one in own.addresses) for name, own in seen.items() if own.addresses is not None},
            listeners={name: frozenset(one.port for one in own.listeners) for name, own in seen.items() if own.listeners is not None},
            known_cookies=known_cookies,
        )

    def as_dict(self) -> dict[str, Any]:
        """What a host needs to know of all others to make its probes, as plain data. from_dict() reads it."""
        return {
            "epmd_port": self.target.epmd_port,
            "known_cookies": self.known_cookies,
            "addresses": {name: list(own) for name, own in self.addresses.items()},
            "listeners": {name: sorted(own) for name, own in self.listeners.items()},
            "nodes": [
                {"node": node.node, "host": node.host, "port": node.port, "seen_at": list(node.seen_at)}
                for node in self._probed
            ],
            "asked": [asked for asked in map(with_own_credentials, self._probed) if asked],
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> AuditQuestions:
        """Raises KeyError or TypeError where it is nothing that as_dict() made."""
        nodes = tuple(
            NodeTarget(one["node"], one["host"], None, None, one["port"], in_run=True, seen_at=tuple(one["seen_at"])) for one in raw["nodes"]
        )
        port = int(raw["epmd_port"])
        names = {*raw["addresses"], *(one.host for one in nodes)}
        hosts = {name: HostTarget(name, (), True, True, frozenset(), port, None, None, (), "") for name in names}
        target = Target("", "", None, (), port, False, hosts, nodes)
        listeners = {name: frozenset(own) for name, own in raw["listeners"].items()}
        addresses = {name: tuple(own) for name, own in raw["addresses"].items()}
        return cls(target, addresses, listeners=listeners, known_cookies=raw["known_cookies"] is True)

    @cached_property
    def _probed(self) -> tuple[NodeTarget, ...]:
        """Nodes that listen, or may listen: all but those with a dynamic name."""
        return tuple(node for node in self.target.running if node.found != DYNAMIC)

    @cached_property
    def pairs(self) -> int:
        """Nobody said which nodes are connected."""
        return 0

    def connected(self, source: str) -> Sequence[NodeTarget]:
        return ()

    def attacks(self, vantage: str, source: str = "") -> list[Probe]:
        """What is probed from one place: a host of the inventory, or an outsider, which is no host with nodes of its own."""
        return [probe for node in self._probed for probe in self._from(vantage, node)]

    def expected(self, outsiders: Sequence[str]) -> Iterator[Probe]:
        """Without those of other hosts: a node that they do not reach is tested by its own host."""
        for node in self._probed:
            yield from self._from(node.host, node)
            for outsider in outsiders:
                if outsider != node.host:
                    yield from self._from_outside(outsider, node)

    def of_vantage(self, vantage: str, outside: bool) -> list[Probe]:
        """Every probe of one place. With outside it attacks as a host outside the cluster, else as a host of the inventory."""
        made: list[Probe] = []
        for node in self._probed:
            if outside:
                made += self._from_outside(vantage, node)
            elif vantage == node.host or vantage in self._others[node.host]:
                made += self._from(vantage, node)
        hosts = {probe.host: probe for probe in made}
        return [*made, *(probe for host in hosts for probe in self._ways(vantage, host, made))]

    @cached_property
    def _others(self) -> Mapping[str, tuple[str, ...]]:
        """For each host the other hosts with nodes that probe it, spread over all."""
        hosts = sorted({node.host for node in self.target.running})
        count = min(self.vantages, len(hosts) - 1)
        steps = [1 + step * (len(hosts) - 1) // count for step in range(count)] if count > 0 else []
        return {host: tuple(hosts[(at + step) % len(hosts)] for step in steps) for at, host in enumerate(hosts)}

    def _from(self, vantage: str, node: NodeTarget) -> Iterator[Probe]:
        own = vantage == node.host
        address = next(iter(node.seen_at if own else self._elsewhere(node)), "")
        network = "own" if own else "cluster"
        for control in (*CLEAR, *ENCRYPTED) if address and node.port is not None else ():
            if own or control != "wrong-cookie":
                yield Probe(control, vantage, "", node.node, node.host, address, node.port, network)
        if own and self.known_cookies and address and node.port is not None:
            yield from known_probes(vantage, node, address)
        if own:
            yield from self._as_other_user(vantage, node)

    def _as_other_user(self, vantage: str, node: NodeTarget) -> Iterator[Probe]:
        for attack in ATTACK_BY_ID.values():
            if attack.vantage == "user":
                for address, port in self._doors(attack, node, node.seen_at[:1]):
                    yield Probe(attack.id, vantage, "", node.node, node.host, address, port, "own")

    def _from_outside(self, vantage: str, node: NodeTarget) -> Iterator[Probe]:
        addresses = [one for one in self.public_addresses(node.host) if one not in self.addresses.get(vantage, ())]
        for attack in ATTACK_BY_ID.values():
            if attack.vantage == "outside":
                for address, port in self._doors(attack, node, addresses):
                    yield Probe(attack.id, vantage, "", node.node, node.host, address, port, "public")

    def _doors(self, attack: Attack, node: NodeTarget, addresses: Iterable[str]) -> Iterator[tuple[str, int]]:
        epmd = self.target.epmd_port
        port = epmd if attack.protocol == "epmd" else node.port
        if port is None or attack.protocol == "epmd" and epmd not in self.listeners.get(node.host, {epmd}):
            return
        if attack.protocol == "epmd" and attack.vantage == "user":
            addresses = ("127.0.0.1",)
        for address in addresses:
            yield address, port

    def _elsewhere(self, node: NodeTarget) -> Iterator[str]:
        """Addresses at which other hosts may reach a node."""
        for address in node.seen_at:
            if address in self.public_addresses(node.host):
                yield address

    def _ways(self, vantage: str, host: str, made: Sequence[Probe]) -> Iterator[Probe]:
        """The positive control of each address: a port that is closed, and the SSH server where there is one."""
        if vantage == host:
            return
        here = self.listeners.get(host, frozenset())
        ports = [next((port for port in QUIET_PORTS if port not in here), QUIET_PORTS[0]), *([SSH] if SSH in here else [])]
        there = [probe for probe in made if probe.host == host]
        for address in dict.fromkeys(probe.address for probe in there):
            for port in ports:
                yield Probe(REACHES, vantage, "", there[0].target, host, address, port, "public")


NAME = OUTSIDE
"""The one name under which an audit speaks to nodes: each new name costs a node an atom for ever."""

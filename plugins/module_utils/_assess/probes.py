# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes of a target: from where, to where, for which control; and the options of dist_probe that make one.

Private to this collection, pure: nothing here connects to anything.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from .._model.untrusted_json import as_float, as_int, same_address
from .._wire.constants import PROBE_NAME
from .attacks import ATTACK_BY_ID, ATTACKS, KNOWN_COOKIE, OWN, PORTS_PER_RANGE_MAX, SIGNED, Attack, ProbeCredentials
from .target import HostTarget, NodeTarget, Target

CONNECT = "mesh-connected"
"""The control of an honest connection."""

REACHES = "reaches"
"""The positive control of a place: a port of the host that is no node's. Any answer, a refusal too, shows that packets arrive."""

KNOWN = "known-cookie"
"""The control of a product's default cookie, see checks/audit_default_cookies.py."""

IMPOSTOR = "beam_impostor"
"""Name part that claims another member's host. Not the probe's own name, which that host may be using at the same moment."""

OUTSIDE = f"{PROBE_NAME}@outside.invalid"
"""Node name of a probe that has no node's credentials."""

PAIRS_MAX = 2500
VANTAGES = 3


@dataclass(frozen=True)
class Probe:
    """One question to one port.

    control: the control that it serves; CONNECT for an honest connection. vantage: inventory name of the host that asks. source: the node whose
    credentials it uses, empty from outside. port: None where EPMD has to be asked for it. network: "cluster", "public" or "own". claim: a full node
    name to claim, empty for the probe's own.
    """

    control: str
    vantage: str
    source: str
    target: str
    host: str
    address: str
    port: int | None
    network: str
    claim: str = ""

    @property
    def attack(self) -> Attack | None:
        """The attack that it makes, None for an honest connection."""
        return ATTACK_BY_ID.get(self.control)

    @property
    def credentials(self) -> ProbeCredentials:
        return self.attack.shows if self.attack else OWN

    @property
    def asker(self) -> str:
        """The node that asks; the host where there is none."""
        return self.source or self.vantage

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Probe:
        """Raises TypeError where a part is missing."""
        return cls(**{one.name: raw[one.name] for one in fields(cls) if one.name in raw})


@dataclass(frozen=True)
class Session:
    """TLS as the probe saw it. peer: the peer's certificate as x509.py reads it, None where it showed none. facts: all of it, as plain data."""

    version: str | None
    peer: Mapping[str, object] | None
    facts: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: object) -> Session | None:
        if not isinstance(raw, Mapping):
            return None
        peer = raw.get("peer")
        return cls(raw.get("version"), peer if isinstance(peer, Mapping) and peer else None, raw)


@dataclass(frozen=True)
class Answer:
    """The result of a probe: code as in the table of _wire.codes, empty where no probe could be made; stage as in codes.STAGES.

    source_address: the address from which it was made, None where that is not known.
    """

    probe: Probe
    code: str
    stage: str = ""
    milliseconds: float | None = None
    port: int | None = None
    tls: Session | None = None
    message: str = ""
    source_address: str | None = None

    @classmethod
    def parse(cls, probe: Probe, raw: Mapping[str, object]) -> Answer:
        """From an answer of dist_probe."""
        return cls(
            probe=probe,
            code=str(raw.get("code") or ""),
            stage=str(raw.get("stage") or ""),
            milliseconds=as_float(raw.get("milliseconds")),
            port=as_int(raw.get("port")),
            tls=Session.parse(raw.get("tls")),
            message=str(raw.get("message") or ""),
            source_address=same_address(str(raw["source_address"])) if raw.get("source_address") else None,
        )

    @property
    def connected(self) -> bool:
        return self.code == "connected"


@dataclass(frozen=True)
class Scope:
    """How much of the mesh is probed.

    pairs_max: ordered pairs of nodes up to which every pair is. Beyond, each node is the target of `vantages` others and the source for as many.
    """

    pairs_max: int = PAIRS_MAX
    vantages: int = VANTAGES


FULL = Scope()


@dataclass(frozen=True)
class Questions:
    """Every probe of a target. addresses: all addresses of each host, in one spelling, by inventory name."""

    target: Target
    addresses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scope: Scope = FULL

    @cached_property
    def pairs(self) -> int:
        """Ordered pairs of nodes of which the first is in the run and may reach the second."""
        return sum(len(self.target.reachable(node.node)) - 1 for node in self.target.running if not self.target.off)

    @cached_property
    def sampled(self) -> bool:
        """Whether not every pair is probed. Only a cluster over several hosts can be too large."""
        return self.target.mode == "cluster" and self.pairs > self.scope.pairs_max

    @cached_property
    def _shared(self) -> frozenset[str]:
        """Addresses that more than one host has (bridges of container engines): from another host such an address is that host's own."""
        counts = Counter(address for own in self.addresses.values() for address in set(own))
        return frozenset(address for address, count in counts.items() if count > 1)

    @cached_property
    def _public(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(self._public_of(host)) for name, host in self.target.hosts.items()}

    def _public_of(self, host: HostTarget) -> Iterator[str]:
        for text in self.addresses.get(host.name, ()):
            address = ipaddress.ip_address(text.partition("%")[0])
            if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
                continue
            if text not in self.target.addresses and text not in host.addresses and text not in self._shared:
                yield text

    def public_addresses(self, host: str) -> tuple[str, ...]:
        """Every address of a host that is reachable from elsewhere, its own alone, and not the cluster's."""
        return self._public.get(host, ())

    @cached_property
    def _other_hosts(self) -> Mapping[str, tuple[str, ...]]:
        """For each node the next two host parts in the order of the members that are not its own."""
        return {node.node: tuple(itertools.islice(self._host_parts_after(at), 2)) for at, node in enumerate(self.target.members)}

    def _host_parts_after(self, at: int) -> Iterator[str]:
        members = self.target.members
        seen = {members[at].host_part}
        for step in range(1, len(members)):
            part = members[(at + step) % len(members)].host_part
            if part not in seen:
                seen.add(part)
                yield part

    def claim(self, source: str, target: str) -> str:
        """A name on another member's host: the next one in order, so that no two members claim the same name to the same node at once.

        The target's own host is the last resort, for a cluster of two. Empty where the cluster has one host only.
        """
        parts = self._other_hosts[source]
        own = self.target.node(target).host_part
        return f"{IMPOSTOR}@{next((part for part in parts if part != own), parts[0])}" if parts else ""

    def _ring(self, members: Sequence[NodeTarget]) -> Mapping[str, tuple[NodeTarget, ...]]:
        """For each node `vantages` others, spread over all: each is the source of as many pairs as it is the target of."""
        size = len(members)
        count = max(1, min(self.scope.vantages, size - 1))
        steps = [1 + step * (size - 1) // count for step in range(count)]
        return {node.node: tuple(members[(at + step) % size] for step in steps) for at, node in enumerate(members)}

    @cached_property
    def _ring_of_members(self) -> Mapping[str, tuple[NodeTarget, ...]]:
        return self._ring(self.target.members)

    @cached_property
    def _ring_of_running(self) -> Mapping[str, tuple[NodeTarget, ...]]:
        return self._ring(self.target.running)

    def attacked(self, source: str) -> Sequence[NodeTarget]:
        """The nodes that a member attacks: those of the run other than itself, or itself where it is alone in the run."""
        if self.sampled:
            return self._ring_of_running[source]
        running = [node for node in self.target.reachable(source) if node.in_run]
        return [node for node in running if node.node != source] or running

    def connected(self, source: str) -> Sequence[NodeTarget]:
        """The nodes that a member connects to, itself included: proof that its own port is open."""
        if not self.sampled:
            return self.target.reachable(source)
        chosen = {node.node: node for node in (*self._ring_of_members[source], *self._ring_of_running[source])}
        return [self.target.node(source), *(node for name, node in chosen.items() if name != source)]

    def connects(self, source: str) -> list[Probe]:
        """The honest connections of one node. With EPMD they prove its answer too: the port is asked for."""
        vantage = self.target.node(source).host
        return [Probe(CONNECT, vantage, source, node.node, node.host, node.reached_at, node.port, "cluster") for node in self.connected(source)]

    def attacks(self, vantage: str, source: str = "") -> list[Probe]:
        """The attacks of one vantage: a member's node, or a host outside the cluster where source is empty."""
        target = self.target
        targets_of: dict[str, Sequence[NodeTarget]] = {"outside": [] if source else target.running, "member": [], "user": []}
        if source and not target.off:
            own = target.node(source)
            # Another firewall is asked what it lets through, not which user asks.
            external = own.host not in target.hosts or target.hosts[own.host].external_firewall
            targets_of.update(member=self.attacked(source), user=[own] if own.in_run and not external else [])
        probes: list[Probe] = []
        for attack in ATTACKS:
            if self.applies(attack):
                for node in targets_of[attack.vantage]:
                    probes += self._expand(attack, vantage, source, node)
        return probes

    def expected(self, outsiders: Sequence[str]) -> Iterator[Probe]:
        """Every attack that has to be made: from the nodes of the run, and from hosts outside the cluster."""
        for node in self.target.running:
            yield from self.attacks(node.host, node.node)
        for outsider in outsiders:
            yield from self.attacks(outsider)

    def applies(self, attack: Attack) -> bool:
        if attack.needs_tls and not self.target.tls:
            return False
        if attack.shows.certificate == "revoked" and not self.target.crl:
            return False
        return attack.shows.tls != "old" or "tlsv1.2" not in self.target.tls_versions

    def _places(self, attack: Attack, vantage: str, node: NodeTarget) -> Iterator[tuple[str, str]]:
        """(address, network) at which an attack tries a node."""
        public = [(address, "public") for address in self.public_addresses(node.host)]
        cluster = [(node.reached_at, "cluster")]
        epmd = attack.protocol == "epmd"
        if epmd and self.target.mode == "cluster" and not self.target.hosts[node.host].epmd_listen:
            # Where there is to be no EPMD, its port must not answer to members either.
            public += cluster
        # A node listens at its cluster address only, EPMD on loopback too.
        own_host = [*([("127.0.0.1", "own"), ("::1", "own")] if epmd else []), (node.reached_at, "own")]
        for address, network in {"cluster": cluster, "public": public, "any": [*cluster, *public], "own": own_host}[attack.network]:
            if attack.vantage == "outside" and (address in self.addresses.get(vantage, ()) or self.target.mode != "cluster" and network == "cluster"):
                continue
            yield address, network

    def _expand(self, attack: Attack, vantage: str, source: str, node: NodeTarget) -> Iterator[Probe]:
        claim = self.claim(source, node.node) if attack.shows.name == "another_member" else ""
        if attack.shows.name == "another_member" and not claim:
            return
        ports: Iterable[int | None] = [node.port]
        if attack.protocol == "epmd":
            ports = [self.target.epmd_port]
        elif attack.stage == "connect" and node.ports:
            ports = range(node.ports.first, min(node.ports.last, node.ports.first + PORTS_PER_RANGE_MAX - 1) + 1)
        for address, network in self._places(attack, vantage, node):
            for port in ports:
                yield Probe(attack.id, vantage, source, node.node, node.host, address, port, network, claim)


def options(probe: Probe, source: NodeTarget | None = None, signed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A probe as an entry of dist_probe's targets, whose other options hold the source's own certificate, key and cookie.

    signed: paths of the certificates of attacks.SIGNED for the source's own key. The cluster's own network is entered from the source's cluster
    address: another one of its host would be no member's.
    """
    shows = probe.credentials
    asked: dict[str, Any] = {"node": probe.target, "host": probe.address, "label": probe.control, "expect": ["any"]}
    if probe.port is not None:
        asked["port"] = probe.port
    if probe.control == REACHES or (probe.attack and probe.attack.protocol == "epmd"):
        return {**asked, "epmd_only": True}
    if source and probe.network == "cluster":
        asked["source"] = source.address
    if probe.claim:
        asked["name"] = probe.claim
    if shows.certificate in ("none", "foreign"):
        asked["present"] = shows.certificate
    tls: dict[str, Any] = {}
    if shows.tls == "old":
        tls["versions"] = ["tlsv1.2"]
    elif shows.tls == "unverified":
        tls["verify"] = False
    if shows.certificate in SIGNED:
        tls["certificate"] = (signed or {}).get(shows.certificate, "")
    if shows.tls == "plaintext":
        asked["plaintext"] = True
    elif tls:
        asked["tls"] = tls
    if shows.cookie == "random":
        asked["wrong_cookie"] = True
    elif shows.cookie == "known":
        asked["cookie"] = KNOWN_COOKIE
    return asked

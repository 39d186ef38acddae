# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who knocks where: the probes of a plan, each with the control that it serves, and what came of each.

Private to this collection. Pure: nothing here connects to anything. C(plan) is the value of C(beam_plan);
C(addresses) is C({host: [every address of that host]}) as observed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Iterable, Iterator, Mapping, Sequence

from .controls import ATTACK_BY_ID, ATTACKS, PORTS_PER_WINDOW_MAX, Attack
from .target import _members, host_part, in_run, public_addresses, reachable

CONNECT = "mesh-connected"
SELF = "self"
"""A node's own connection to its own port: proof that something listens there, and no part of the mesh."""

IMPOSTOR = "beam_impostor"
"""Name part that claims another member's host. Not the probe's own name, which that host may be using at the same moment."""


@dataclass(frozen=True)
class Probe:
    """One question to one port.

    C(control) is the control that it serves, or C(self). C(vantage) is the inventory name of the host that asks and C(source)
    the node whose credentials it uses (empty from outside). C(port) is null where EPMD is to be asked for it. C(claim) is a
    full node name to claim, or empty for the probe's own.
    """

    control: str
    vantage: str
    source: str
    target: str
    host: str
    address: str
    port: int | None
    network: str
    present: str
    claim: str = ""

    def request(self) -> dict[str, Any]:
        """As plain data, for a playbook."""
        return asdict(self)


@dataclass(frozen=True)
class Answer:
    """What came of a probe: C(code) as in the table of the wire's codes, C(stage) in the wire's own words."""

    probe: Probe
    code: str
    stage: str = ""
    milliseconds: float | None = None
    port: int | None = None
    tls: Mapping[str, Any] | None = None
    message: str = ""


def _ports(member: Mapping[str, Any]) -> range:
    first, last = member["ports"]["first"], member["ports"]["last"]
    return range(first, min(last, first + PORTS_PER_WINDOW_MAX - 1) + 1)


def connect_probes(plan: Mapping[str, Any], source: str) -> list[Probe]:
    """From one node to itself and to every other node that it may reach, in this run or not."""
    vantage = next(member["host"] for member in _members(plan) if member["node"] == source)
    probes = []
    for member in reachable(plan, source):
        # With EPMD both prove its answer too: the port is asked for.
        control = SELF if member["node"] == source else CONNECT
        probes.append(Probe(control, vantage, source, member["node"], member.get("host") or "", member["address"], member["port"], "cluster", "own"))
    return probes


def attack_of(probe: Probe) -> Attack | None:
    """The attack that a probe makes; null for an honest one."""
    return ATTACK_BY_ID.get(probe.control)


def _attacked(plan: Mapping[str, Any], source: str) -> Iterator[Mapping[str, Any]]:
    """The nodes that a member attacks: those of the run other than itself, or itself where it is alone in the run."""
    running = [member for member in reachable(plan, source) if in_run(plan, member)]
    others = [member for member in running if member["node"] != source]
    yield from others or running


def _claim(plan: Mapping[str, Any], source: str, target: str) -> str:
    """A name on another member's host: the next one in order, so that no two members claim the same name to the same node at once.

    The target's own host is the last resort, for a cluster of two. Empty where the cluster has one host only.
    """
    nodes = [member["node"] for member in _members(plan)]
    at = nodes.index(source)
    ring = nodes[at + 1 :] + nodes[:at]
    strangers = [node for node in ring if host_part(node) != host_part(source)]
    strangers.sort(key=lambda node: host_part(node) == host_part(target))
    return f"{IMPOSTOR}@{host_part(strangers[0])}" if strangers else ""


NEED_TLS = frozenset({"old_tls", "no_certificate", "foreign_certificate", "expired_certificate", "other_name"})
"""What an attack shows that means nothing to a node that speaks clear text: no certificate says there who a peer is."""


def _applies(plan: Mapping[str, Any], attack: Attack) -> bool:
    if not plan["tls"] and attack.present in NEED_TLS:
        return False
    return attack.id != "old-tls" or "tlsv1.2" not in plan["tls_versions"]


def _expand(
    plan: Mapping[str, Any], attack: Attack, vantage: str, source: str, member: Mapping[str, Any], addresses: Mapping[str, Sequence[str]]
) -> Iterator[Probe]:
    host = member.get("host") or ""
    public = [(address, "public") for address in public_addresses(plan, host, addresses)]
    cluster = [(member["address"], "cluster")]
    if attack.aim == "epmd" and plan["mode"] == "cluster" and not plan["hosts"][host]["epmd"]["listen"]:
        # Where there is to be no EPMD, its port must not answer to members either.
        public += cluster
    # A node listens at its cluster address only, EPMD on loopback too.
    own_host = [*([("127.0.0.1", "own"), ("::1", "own")] if attack.aim == "epmd" else []), (member["address"], "own")]
    where = {"cluster": cluster, "public": public, "any": [*cluster, *public], "own": own_host}[attack.network]
    own = set(addresses.get(vantage, ()))
    for address, network in where:
        if attack.vantage == "outside" and (address in own or plan["mode"] != "cluster" and network == "cluster"):
            continue
        ports: Iterable[int | None]
        if attack.aim == "epmd":
            ports = [plan["epmd_port"]]
        elif attack.present in ("nothing", "user_nothing"):
            ports = _ports(member)
        else:
            ports = [member["port"]]
        claim = _claim(plan, source, member["node"]) if attack.present == "other_name" else ""
        if attack.present == "other_name" and not claim:
            continue
        for port in ports:
            yield Probe(attack.id, vantage, source, member["node"], host, address, port, network, attack.present, claim)


def attack_probes(plan: Mapping[str, Any], vantage: str, source: str, addresses: Mapping[str, Sequence[str]]) -> list[Probe]:
    """What one vantage tries: a member's node (C(source) is its name) or, with an empty C(source), a host outside the cluster."""
    running = [member for member in _members(plan) if in_run(plan, member)]
    targets_of = {
        "outside": [] if source else running,
        "member": list(_attacked(plan, source)) if source else [],
        # Somebody else's firewall is asked what it lets through, not who is on the host.
        "user": [member for member in running if member["node"] == source and plan["hosts"][member["host"]]["firewall"]["backend"] != "external"],
    }
    if plan["mode"] == "off":
        # Nobody has a key to show, and there is nothing to be kept from other users.
        targets_of.update(member=[], user=[])
    probes: list[Probe] = []
    for attack in ATTACKS:
        targets = targets_of[attack.vantage] if _applies(plan, attack) else []
        for member in targets:
            probes += _expand(plan, attack, vantage, source, member, addresses)
    return probes


def target(plan: Mapping[str, Any], probe: Probe, expired: str = "") -> dict[str, Any]:
    """A probe in the words of M(beam.cluster.dist_probe), whose own options hold the node's certificate, key and cookie.

    C(expired) is the path of an expired certificate for the node's own key. The cluster's own network is entered from the node's own
    cluster address: another one of the host's would be no member's.
    """
    ask: dict[str, Any] = {"node": probe.target, "host": probe.address, "label": probe.control, "expect": ["any"]}
    if probe.port is not None:
        ask["port"] = probe.port
    if probe.source and probe.network == "cluster":
        ask["source"] = next(member["address"] for member in _members(plan) if member["node"] == probe.source)
    if probe.claim:
        ask["name"] = probe.claim
    shown: dict[str, dict[str, Any]] = {
        "plaintext": {"plaintext": True},
        "old_tls": {"tls": {"versions": ["tlsv1.2"]}},
        "no_certificate": {"present": "none"},
        "foreign_certificate": {"present": "foreign"},
        "expired_certificate": {"tls": {"certificate": expired}},
        "nothing": {"present": "none", "wrong_cookie": True, "tls": {"verify": False}},
        "user_nothing": {"present": "none", "wrong_cookie": True, "tls": {"verify": False}},
    }
    ask.update(shown.get(probe.present, {}))
    return ask

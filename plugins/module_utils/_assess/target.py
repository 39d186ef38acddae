# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is judged: the members of a plan, where they are, and who of them is in the run. Private to this collection; pure."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Any, Mapping, Sequence

if TYPE_CHECKING:
    from .finding import Evidence


_OFF = "beam_mode is off: there is nothing to speak to"


def _off(evidence: Evidence) -> bool:
    return bool(evidence.plan["mode"] == "off")


def _hosts_of(evidence: Evidence, *nodes: str) -> tuple[str, ...]:
    by_node = {member["node"]: member.get("host") or "" for member in evidence.plan["members"]}
    return tuple(host for host in (by_node.get(node, "") for node in nodes) if host)


def _running_nodes(evidence: Evidence) -> list[Mapping[str, Any]]:
    return [member for member in evidence.plan["members"] if in_run(evidence.plan, member)]


def addresses_of(hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """C({host: [address]}) from what was observed."""
    seen = {name: (own or {}).get("observed") or {} for name, own in hosts.items()}
    return {name: [entry["address"] for entry in observed["addresses"]] for name, observed in seen.items() if observed}


def host_part(node: str) -> str:
    return node.partition("@")[2]


def _members(plan: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(plan["members"])


def in_run(plan: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
    """Whether a member's host is part of this run (and was observed)."""
    host = member.get("host")
    return bool(host) and bool(plan["hosts"].get(host, {}).get("in_run"))


def public_addresses(plan: Mapping[str, Any], host: str, addresses: Mapping[str, Sequence[str]]) -> list[str]:
    """Every address of a host that is not the cluster's, reachable from elsewhere, and its own.

    Left out: loopback, link-local, and what more than one host has (bridges of container engines: from another host such an address
    is that host's own).
    """
    shared = Counter(address for own in addresses.values() for address in set(own))
    cluster = {member["address"] for member in _members(plan)} | set(plan["hosts"].get(host, {}).get("addresses", ()))
    public = []
    for text in addresses.get(host, ()):
        address = ipaddress.ip_address(text.partition("%")[0])
        if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
            continue
        if text in cluster or shared[text] > 1:
            continue
        public.append(text)
    return public


def reachable(plan: Mapping[str, Any], source: str) -> list[Mapping[str, Any]]:
    """The members that a node can be connected to, itself included: all, those of its own host, or (without distribution) nobody."""
    mode = plan["mode"]
    host = next(member.get("host") for member in _members(plan) if member["node"] == source)
    return [member for member in _members(plan) if mode == "cluster" or (mode == "standalone" and member.get("host") == host)]

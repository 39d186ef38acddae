# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster address of a node: given, or that of an interface, or the one that Ansible connects to.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from .._model import addresses
from .._model.addresses import Address
from .._model.problems import Problems, join_names, shown
from .cluster import Inventory
from .cluster_variables import Shape
from .variable_names import MISSING

LOOPBACK = {4: addresses.parse("127.0.0.1"), 6: addresses.parse("::1")}


@dataclass(frozen=True)
class InterfaceChoice:
    """An address was taken from an interface: the variable that names it, and the address families that it has for peers."""

    variable: str
    interface: str
    families: frozenset[int]


Placed = Union[tuple[Address, "InterfaceChoice | None"], None]


def place(inventory: Inventory, shape: Shape, host: str, entry: Mapping[str, object], where: str, problems: Problems) -> Placed:
    """`address`, else the one of `interface`, of the entry, else of the host; else `ansible_host` where that is an IP address.

    Loopback in the modes without peers. None, and a problem, where there is no usable address.
    """
    scalars = {name: inventory.value(f"beam_{name}", host) for name in ("address", "interface")}
    own = {name: value for name, value in scalars.items() if value is not MISSING}
    if shape.alone:
        given = entry.get("address") or own.get("address")
        return LOOPBACK[6 if isinstance(given, str) and ":" in given else 4], None
    for source, prefix in ((entry, where), (own, "beam_")):
        if source.get("address") is not None:
            return _plain(read_address(host, f"{prefix}address", source["address"], problems))
        if source.get("interface") is not None:
            return _interface_address(inventory, host, f"{prefix}interface", source["interface"], problems)
    fallback = inventory.value("ansible_host", host)
    if addresses.is_address(fallback):
        return _plain(read_address(host, "ansible_host", fallback, problems))
    if addresses.is_address(host) and fallback is MISSING:
        return _plain(read_address(host, "inventory_hostname", host, problems))
    problems.add(
        host,
        "beam_address",
        "address_missing",
        "the host has no cluster address.",
        "set beam_address, or beam_interface where every member is in the run.",
    )
    return None


def read_address(host: str, where: str, value: object, problems: Problems) -> Address | None:
    """An address that peers can reach; None, and a problem, where it is none."""
    try:
        address = addresses.parse(value)
    except ValueError as error:
        problems.add(
            host, where, "address_format", f"{error}.", "write the IP address at which peers reach the member; names are not looked up in DNS."
        )
        return None
    reason = addresses.unusable(address)
    if reason:
        problems.add(host, where, "address_unusable", f"{address} {reason}.", "write the address on the cluster's network.")
        return None
    return address


def _plain(address: Address | None) -> Placed:
    return None if address is None else (address, None)


def _interface_address(inventory: Inventory, host: str, where: str, interface: object, problems: Problems) -> Placed:
    """The one usable address of an interface, IPv4 before IPv6. The host must be in the run: only its observation has the addresses."""
    if not inventory.seen(host):
        problems.add(
            host,
            where,
            "interface_not_observed",
            "only an interface is named, and the host is not in this run, so its address is not known.",
            "set beam_address, or run for all members at once.",
        )
        return None
    seen = [entry for entry in inventory.seen_addresses(host) if entry.interface == interface]
    if not seen:
        problems.add(
            host,
            where,
            "interface_missing",
            f"the host has no interface {shown(interface)} with an address.",
            "name one of its interfaces, or set beam_address.",
        )
        return None
    literals = [addresses.parse(entry.address) for entry in seen if "%" not in entry.address]
    usable = [address for address in literals if not addresses.unusable(address)]
    families = frozenset(address.version for address in usable)
    for version in (4, 6):
        family = [address for address in usable if address.version == version]
        if len(family) == 1:
            return family[0], InterfaceChoice(where, str(interface), families)
        if family:
            problems.add(
                host,
                where,
                "interface_ambiguous",
                f"the interface {shown(interface)} has {len(family)} IPv{version} addresses: {join_names(str(address) for address in family)}.",
                "set beam_address to the one to use.",
            )
            return None
    problems.add(
        host,
        where,
        "interface_missing",
        f"the interface {shown(interface)} has no address that peers can reach.",
        "name another one, or set beam_address.",
    )
    return None

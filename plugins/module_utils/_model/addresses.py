# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of a cluster's members: literal IP addresses that peers can reach, and how Erlang writes them.

Private to this collection.
"""

from __future__ import annotations

import ipaddress
from typing import Union

from .problems import shown

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def parse(value: object) -> Address:
    """The address in a value of the inventory. `ValueError` says what is wrong with it.

    A zone (fe80::1%eth0) is refused: it has a meaning on one host only, and all hosts are told the cluster address.
    """
    if not isinstance(value, str):
        raise ValueError("an address is a string")
    if "%" in value:
        raise ValueError(f"{shown(value)} has a zone, which has a meaning on one host only")
    try:
        return ipaddress.ip_address(value.strip())
    except ValueError:
        raise ValueError(f"{shown(value)} is no IPv4 or IPv6 address") from None


def is_address(value: object) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


def is_loopback(text: str) -> bool:
    """Whether a text is a loopback address, with a zone or without; false where it is no address."""
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def unusable(address: Address) -> str | None:
    """Why peers cannot reach a member at this address, or None where they can."""
    if address.is_unspecified:
        return "means every address"
    if address.is_loopback:
        return "is a loopback address, which no peer can reach"
    if address.is_multicast:
        return "is a multicast address"
    if address.is_link_local:
        return "is a link-local address, which needs a zone"
    if address.version == 4 and address == ipaddress.IPv4Address("255.255.255.255"):
        return "is the broadcast address"
    if address.version == 6 and address.ipv4_mapped is not None:
        return "is an IPv4-mapped IPv6 address"
    return None


def inet_tuple(address: Address) -> str:
    """As in `inet:ip_address()`: `{10,0,0,1}` or eight 16-bit numbers in decimal."""
    if address.version == 4:
        parts = list(address.packed)
    else:
        parts = [int(group, 16) for group in address.exploded.split(":")]
    return "{" + ",".join(str(part) for part in parts) + "}"


def sort_key(text: str) -> tuple[int, int]:
    """Numeric order, IPv4 first, for addresses as text."""
    address = ipaddress.ip_address(text)
    return (address.version, int(address))

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses and ports of a TCP packet a rule of nftables reads or writes, by name (ip saddr) or by bits (@nh,96,32).

Private to this collection. Pure: the JSON of libnftables-json(5). Offsets as in RFC 791, RFC 8200 and RFC 9293; of IPv4 without options.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

SADDR, DADDR, SPORT, DPORT = "saddr", "daddr", "sport", "dport"
_TCP = frozenset({"tcp", 6})
_OTHERS = frozenset({"udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "igmp", "gre", "esp", "ah", "comp"})
_VERSIONS: Mapping[object, int] = {"ip": 4, "ipv4": 4, "ip6": 6, "ipv6": 6}
_HEADERS: Mapping[int, Mapping[str, tuple[int, int]]] = {
    4: {SADDR: (96, 128), DADDR: (128, 160), SPORT: (160, 176), DPORT: (176, 192)},
    6: {SADDR: (64, 192), DADDR: (192, 320), SPORT: (320, 336), DPORT: (336, 352)},
}
"""By version of IP the first bit of each field in the network header and what follows it, and the bit behind the field."""
_NEXT = ({"protocol": "ip", "field": "protocol"}, {"protocol": "ip6", "field": "nexthdr"})
_ETHERNET = (112, 144, 176)
"""Where the network header begins in a frame: without a VLAN's tag, with one, with two."""
_PORTS: Mapping[str, tuple[int, int]] = {SPORT: (0, 16), DPORT: (16, 32)}


def named(expression: object) -> str | None:
    """The field that an expression is, and nothing else of a packet."""
    payload = expression.get("payload") if isinstance(expression, Mapping) else None
    if not isinstance(payload, Mapping):
        return None
    if payload.get("base") == "th":
        first, length = payload.get("offset"), payload.get("len")
        return next((name for name, (begin, end) in _PORTS.items() if (first, length) == (begin, end - begin)), None)
    name, protocol = payload.get("field"), payload.get("protocol")
    ports, addresses = protocol in ("tcp", "th") and name in (SPORT, DPORT), protocol in ("ip", "ip6") and name in (SADDR, DADDR)
    return str(name) if ports or addresses else None


def written(mangle: Mapping[str, Any], rule: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Each field that a statement writes to, wholly or in part, and its new value as nft has it; None where the bits do not say it."""
    key = mangle.get("key")
    name = named(key)
    if name:
        yield name, mangle.get("value")
        return
    payload = key.get("payload") if isinstance(key, Mapping) else None
    first, length = (payload.get("offset"), payload.get("len")) if isinstance(payload, Mapping) else (None, None)
    if not isinstance(payload, Mapping) or not isinstance(first, int) or not isinstance(length, int):
        return
    found: dict[str, object] = {}
    for name, begin, end in _layouts(payload.get("base"), _versions(rule)):
        if first < end and begin < first + length:
            whole = first <= begin and end <= first + length
            found.setdefault(name, _value(mangle.get("value"), first + length - end, end - begin) if whole else None)
    yield from found.items()


def _layouts(base: object, versions: Iterable[int]) -> Iterator[tuple[str, int, int]]:
    if base == "th":
        yield from ((name, begin, end) for name, (begin, end) in _PORTS.items())
    for start in _ETHERNET if base == "ll" else (0,) if base == "nh" else ():
        for version in versions:
            yield from ((name, start + begin, start + end) for name, (begin, end) in _HEADERS[version].items())


def _value(bits: object, below: int, length: int) -> object:
    """A field in the number that is written, with `below` bits behind it."""
    if not isinstance(bits, int):
        return None
    number = bits >> below & (1 << length) - 1
    return number if length == 16 else str(ipaddress.IPv4Address(number) if length == 32 else ipaddress.IPv6Address(number))


def _versions(rule: Mapping[str, Any]) -> tuple[int, ...]:
    """The versions of IP of the packets that a rule is about."""
    said = [rule.get("family"), *(right for key, right in _required(rule) if key in ("nfproto", "protocol"))]
    return next(((_VERSIONS[one],) for one in said if isinstance(one, str) and one in _VERSIONS), (4, 6))


def is_about_tcp(rule: Mapping[str, Any]) -> bool:
    """Whether packets of TCP can match a rule: it neither asks for another protocol nor uses a field of one."""
    for key, right in _required(rule):
        listed = right.get("set") if isinstance(right, Mapping) else [right]
        simple = isinstance(listed, list) and all(isinstance(one, int) or isinstance(one, str) and not one.startswith("@") for one in listed)
        if key == "l4proto" and simple and isinstance(listed, list) and not _TCP.intersection(listed):
            return False
    return not _OTHERS.intersection(_protocols(rule.get("expr")))


def _protocols(part: object) -> Iterator[str]:
    """The protocols whose fields a part of a rule uses."""
    if isinstance(part, Mapping):
        payload = part.get("payload")
        yield from [str(payload.get("protocol"))] if isinstance(payload, Mapping) else ()
    for one in part.values() if isinstance(part, Mapping) else part if isinstance(part, (list, tuple)) else ():
        yield from _protocols(one)


def _required(rule: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """What a rule asks of the kind of a packet: the key and what it has to be."""
    for match in (statement.get("match") for statement in rule.get("expr") or ()):
        left = match.get("left") if isinstance(match, Mapping) and match.get("op") == "==" else None
        if isinstance(left, Mapping) and isinstance(left.get("meta"), Mapping):
            yield str(left["meta"].get("key")), match.get("right")
        elif isinstance(left, Mapping) and left.get("payload") in _NEXT:
            yield "l4proto", match.get("right")

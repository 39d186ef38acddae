# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a table of nftables lets in, worked out from its rules: the ports, sources and destinations of every TCP packet that it does not drop.

Private to this collection. Pure: the JSON of libnftables-json(5) in, admissions out (_model/firewall_facts.py). Packets are products of sets: over lo
or not, source, destination, port. A condition that is not understood may hold or not: an accept behind it counts, a drop does not. So the answer is
never smaller than the truth.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]
Interval = tuple[int, int]
Set = tuple[Interval, ...]
"""Sorted intervals that neither touch nor overlap; both ends are included."""
Box = tuple[Set, Set, Set, Set]
"""A product of sets: over lo (1) or not (0), source, destination, port."""

LOOPBACK, SOURCE, DESTINATION, PORT = range(4)
_NEVER = "never"
_UNKNOWN = "unknown"
_NEUTRAL = {"counter", "log", "comment", "notrack"}
_VERDICTS = {"accept", "drop", "reject", "jump", "goto", "return", "continue"}
_MOST_BOXES = 512
_DEEPEST = 16
_FAMILIES = {"ip": (4,), "ip6": (6,), "inet": (4, 6)}


class TooComplex(Exception):
    """The rules cannot be worked out within bounds."""


# -- sets of numbers ------------------------------------------------------------------------------------------------------------------------


def union(intervals: Iterable[Interval]) -> Set:
    merged: list[list[int]] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], last)
        elif first <= last:
            merged.append([first, last])
    return tuple((first, last) for first, last in merged)


def intersection(one: Set, other: Set) -> Set:
    found = []
    left = right = 0
    while left < len(one) and right < len(other):
        first, last = max(one[left][0], other[right][0]), min(one[left][1], other[right][1])
        if first <= last:
            found.append((first, last))
        if one[left][1] < other[right][1]:
            left += 1
        else:
            right += 1
    return tuple(found)


def difference(one: Set, other: Set) -> Set:
    found = []
    for first, last in one:
        for begin, end in other:
            if end < first or begin > last:
                continue
            if begin > first:
                found.append((first, begin - 1))
            first = end + 1
            if first > last:
                break
        if first <= last:
            found.append((first, last))
    return tuple(found)


def everything(family: int) -> Box:
    addresses: Set = ((0, 2 ** (32 if family == 4 else 128) - 1),)
    return (((0, 1),), addresses, addresses, ((0, 65535),))


def common(one: Box, other: Box) -> Box | None:
    found = tuple(intersection(a, b) for a, b in zip(one, other))
    return found if all(found) else None  # type: ignore[return-value]


def without(box: Box, other: Box) -> list[Box]:
    """A box without another, as boxes: at most one for each dimension."""
    shared = common(box, other)
    if shared is None:
        return [box]
    found = []
    rest = list(box)
    for dimension in range(4):
        outside = difference(rest[dimension], shared[dimension])
        if outside:
            found.append((*rest[:dimension], outside, *rest[dimension + 1 :]))
        rest[dimension] = shared[dimension]
    return found  # type: ignore[return-value]


def less(boxes: Iterable[Box], other: Box) -> list[Box]:
    found = [part for box in boxes for part in without(box, other)]
    if len(found) > _MOST_BOXES:
        raise TooComplex("the rules of the table have too many conditions")
    return found


# -- rules as conditions --------------------------------------------------------------------------------------------------------------------


def values(value: Any) -> Iterable[Any]:
    """The single values in a set's elements or in the right side of a match: {'set': [...]}, {'elem': {'val': x}}, or x itself."""
    if isinstance(value, Mapping) and "set" in value:
        value = value["set"]
    if isinstance(value, Mapping) and "elem" in value:
        value = value["elem"]["val"]
    if isinstance(value, list):
        for one in value:
            yield from values(one)
    else:
        yield value


def _number(value: Any) -> int:
    return value if isinstance(value, int) else int(ipaddress.ip_address(value))


def _interval(value: Any) -> Interval:
    """Raises ValueError for what is neither a number, an address, a network nor a range of them."""
    if isinstance(value, Mapping) and "prefix" in value:
        network = ipaddress.ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}", strict=False)
        return int(network.network_address), int(network.broadcast_address)
    if isinstance(value, Mapping) and "range" in value:
        first, last = value["range"]
        return _number(first), _number(last)
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        return _number(value), _number(value)
    raise ValueError("an element of another kind")


_ADDRESSES = {("ip", "saddr"): (4, SOURCE), ("ip", "daddr"): (4, DESTINATION), ("ip6", "saddr"): (6, SOURCE), ("ip6", "daddr"): (6, DESTINATION)}
_TCP = {"tcp", 6}


@dataclass
class Table:
    """One table of one family of packets: its chains, rules and sets."""

    family: int
    dynamic: set[str] = field(default_factory=set)
    sets: dict[str, Json] = field(default_factory=dict)
    rules: dict[str, list[Sequence[Json]]] = field(default_factory=dict)
    admitted: list[tuple[Box, bool, str]] = field(default_factory=list)

    def _set(self, right: Any) -> Set | None:
        """The numbers on the right side of a match; None where they are unknown. A set that packets change is unknown."""
        try:
            if isinstance(right, str) and right.startswith("@"):
                named = self.sets[right[1:]]
                if right[1:] in self.dynamic or "dynamic" in (named.get("flags") or ()):
                    return None
                right = named.get("elem", [])
            return union(_interval(one) for one in values(right))
        except (ValueError, KeyError, TypeError):
            return None

    def _constant(self, mine: set[Any], right: Any, negated: bool) -> str | None:
        """A condition on what all these packets have alike: None where it holds, else why not."""
        if isinstance(right, str) and right.startswith("@"):
            return _UNKNOWN
        holds = bool(mine.intersection(one for one in values(right) if isinstance(one, (str, int))))
        return None if holds is not negated else _NEVER

    def _match(self, match: Json, box: list[Set]) -> str | None:
        """Narrow a box by one match. None, or why that cannot be: it never holds, or is not understood."""
        left, right, op = match.get("left"), match.get("right"), match.get("op")
        if op not in ("==", "!=", "in") or not isinstance(left, Mapping):
            return _UNKNOWN
        negated = op == "!="
        payload, meta = left.get("payload") or {}, (left.get("meta") or {}).get("key")
        where = (payload.get("protocol"), payload.get("field"))
        if meta in ("iif", "iifname"):
            if not isinstance(right, str) or right != "lo":
                # Another interface than lo, by its name: no packet over lo, and maybe one over that.
                return _UNKNOWN
            return self._narrow(box, LOOPBACK, ((1, 1),), negated)
        if meta == "nfproto":
            return self._constant({f"ipv{self.family}"}, right, negated)
        if meta == "protocol":
            return self._constant({"ip" if self.family == 4 else "ip6"}, right, negated)
        if meta == "l4proto":
            return self._constant(_TCP, right, negated)
        if where in (("ip", "protocol"), ("ip6", "nexthdr")):
            return self._constant(_TCP, right, negated) if where[0] == ("ip" if self.family == 4 else "ip6") else _NEVER
        if where in _ADDRESSES:
            family, dimension = _ADDRESSES[where]
            return self._narrow(box, dimension, self._set(right), negated) if family == self.family else _NEVER
        if where in (("tcp", "dport"), ("th", "dport")):
            return self._narrow(box, PORT, self._set(right), negated)
        if where[0] in ("udp", "udplite", "sctp", "dccp", "icmp", "icmpv6"):
            return _NEVER
        return _UNKNOWN

    def _narrow(self, box: list[Set], dimension: int, found: Set | None, negated: bool) -> str | None:
        if found is None:
            return _UNKNOWN
        box[dimension] = difference(box[dimension], found) if negated else intersection(box[dimension], found)
        return None if box[dimension] else _NEVER

    def condition(self, rule: Sequence[Json]) -> tuple[Box | None, bool, str, Any]:
        """The packets that a rule is about (None: none), whether that is all that it asks, its verdict and the verdict's argument."""
        box = list(everything(self.family))
        certain = True
        for statement in rule:
            kind, body = next(iter(statement.items()))
            if kind in _VERDICTS:
                return tuple(box), certain, kind, body  # type: ignore[return-value]
            if kind == "match":
                problem = self._match(body, box)
                if problem == _NEVER:
                    return None, True, "continue", None
                certain = certain and problem is None
            elif kind in ("vmap", "queue"):
                return tuple(box), False, "accept", None  # type: ignore[return-value]
            elif kind not in _NEUTRAL:
                certain = False
        return tuple(box), certain, "continue", None  # type: ignore[return-value]

    def walk(self, chain: str, boxes: list[Box], certain: bool, deep: int = 0) -> list[Box]:
        """Send packets through a chain; what is accepted is kept, what comes out at its end is returned."""
        if deep > _DEEPEST:
            raise TooComplex("chains of the table call each other too deeply")
        back: list[Box] = []
        for rule in self.rules.get(chain, ()):
            asked, known, verdict, body = self.condition(rule)
            if asked is None or verdict == "continue":
                continue
            matched = [shared for shared in (common(box, asked) for box in boxes) if shared is not None]
            if not matched:
                continue
            passed: list[Box] = []
            if verdict == "accept":
                self.admitted += [(box, certain and known, words(rule)) for box in matched]
            elif verdict in ("jump", "goto"):
                passed = self.walk(str((body or {}).get("target")), matched, certain and known, deep + 1)
            elif verdict == "return":
                back += matched
            if known:
                boxes = less(boxes, asked)
                (back if verdict == "goto" else boxes).extend(passed)
            elif verdict == "goto":
                back += passed
            if len(boxes) + len(back) > _MOST_BOXES:
                raise TooComplex("the rules of the table have too many conditions")
        return boxes + back


def words(rule: Sequence[Json]) -> str:
    """A rule about as nft prints it."""
    return " ".join(filter(None, map(_statement, rule)))


def _statement(statement: Json) -> str:
    kind, body = next(iter(statement.items()))
    if kind in _NEUTRAL:
        return ""
    if kind != "match":
        return f"{kind} {body['target']}" if isinstance(body, Mapping) and "target" in body else str(kind)
    left, right = body.get("left"), body.get("right")
    name = json.dumps(left)
    if isinstance(left, Mapping) and "payload" in left:
        name = f"{left['payload'].get('protocol')} {left['payload'].get('field')}"
    elif isinstance(left, Mapping) and "meta" in left:
        name = str(left["meta"].get("key"))
    elif isinstance(left, Mapping) and "ct" in left:
        name = f"ct {left['ct'].get('key')}"
    shown = right if isinstance(right, (str, int)) else json.dumps(right)
    return f"{name} {'!= ' if body.get('op') == '!=' else ''}{shown}"


# -- a table --------------------------------------------------------------------------------------------------------------------------------


def admissions(objects: Iterable[Json], family: str, name: str, dormant: bool = False) -> list[dict[str, object]]:
    """Everything that a table lets in to this host, for JSON, see Admission. Raises TooComplex.

    Only base chains of type filter at the hooks input and prerouting can keep a packet from the host. A dormant table keeps none; the JSON of nft
    does not say whether it is one (1.0.6 prints what happens to be in memory).
    """
    bodies = [(kind, body) for entry in objects for kind, body in entry.items() if isinstance(body, Mapping)]
    mine = [(kind, body) for kind, body in bodies if (body.get("family"), body.get("table")) == (family, name)]
    bases = [body for kind, body in mine if kind == "chain" and body.get("hook") in ("input", "prerouting") and body.get("type") == "filter"]
    found = []
    for version in (4, 6):
        why = "the table is dormant" if dormant else "no chain of the table filters what comes in"
        current: list[tuple[Box, bool, str]] = [(everything(version), True, why)]
        if not dormant and version in _FAMILIES.get(family, ()):
            for base in sorted(bases, key=lambda chain: (chain["hook"] != "prerouting", str(chain.get("prio")))):
                current = _through(mine, base, version, current)
        found += [_as_dict(version, *one) for one in current]
    return found


def _changed_by_packets(mine: Iterable[tuple[str, Json]]) -> set[str]:
    """Names of the sets to which rules add: the JSON of older nft does not call them dynamic."""
    statements = [statement for kind, body in mine if kind == "rule" for statement in body.get("expr") or ()]
    bodies = [body for one in statements for body in one.values() if isinstance(body, Mapping)]
    return {str(body["set"]).lstrip("@") for body in bodies if "set" in body and "op" in body}


def _through(mine: Sequence[tuple[str, Json]], base: Json, version: int, before: Iterable[tuple[Box, bool, str]]) -> list[tuple[Box, bool, str]]:
    """What a base chain leaves of what came through the one before it."""
    table = Table(version, dynamic=_changed_by_packets(mine))
    for kind, body in mine:
        if kind == "set":
            table.sets[str(body.get("name"))] = body
        elif kind == "rule":
            table.rules.setdefault(str(body.get("chain")), []).append(body.get("expr") or ())
    found: list[tuple[Box, bool, str]] = []
    for box, certain, _why in before:
        table.admitted = []
        rest = table.walk(str(base.get("name")), [box], certain)
        found += table.admitted
        if base.get("policy", "accept") == "accept":
            found += [(one, certain, f"the policy of chain {base.get('name')} is accept") for one in rest]
    return found


def _as_dict(family: int, box: Box, certain: bool, rule: str) -> dict[str, object]:
    return {
        "family": family,
        "loopback": box[LOOPBACK] == ((1, 1),),
        "sources": _addresses(family, box[SOURCE]),
        "destinations": _addresses(family, box[DESTINATION]),
        "ports": [list(pair) for pair in box[PORT]],
        "certain": certain,
        "rule": rule,
    }


def _addresses(family: int, found: Set) -> list[str] | None:
    """As text; None for all of them."""
    kind = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    if found == everything(family)[SOURCE]:
        return None
    texts = []
    for first, last in found:
        begin, end = kind(first), kind(last)
        networks = list(ipaddress.summarize_address_range(begin, end))
        if first == last:
            texts.append(str(begin))
        else:
            texts.append(str(networks[0]) if len(networks) == 1 else f"{begin}-{end}")
    return texts

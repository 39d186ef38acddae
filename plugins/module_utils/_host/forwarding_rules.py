# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the kernel that lead connections to other ports or hosts: of nftables, iptables and IPVS.

Private to this collection. Pure, but for of_kernel() and rewriting(). Each is (by, where, address, port); an address of None is the host's own, a
port of None every port. The JSON is that of libnftables-json(5); /proc/net/ip_vs is described in ip_vs_ctl.c.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from . import commands, packet_fields, proc
from .packet_fields import DADDR, DPORT, SADDR, SPORT

_Chain = TypeVar("_Chain", bound=Hashable)
_TRANSLATES = ("dnat", "redirect", "tproxy")
_SAVED = re.compile(r"^-A (\S+) .*-j (?:DNAT|DNPT|NETMAP|REDIRECT|TPROXY)\b.*$", re.MULTILINE)
_SAVED_TABLES = ("nat", "mangle")
"""Of iptables: those that lead packets elsewhere. TPROXY and DNPT are for mangle alone (iptables-extensions(8))."""
_SAVED_TO = re.compile(r"--to-destination (\[[^\]]+\]|[^:\s-]+)?(?:-[^:\s]+)?(?::(\d+(?:-\d+)?))?|--(?:to-ports|on-port) (\d+(?:-\d+)?)")
_SAVED_PORT = re.compile(r"--dports? ([\d:,]+)")
_SAVED_NEGATED = re.compile(r"! --dports? ")
_REAL_SERVER = re.compile(r"^\s*->\s+(\[[0-9A-Fa-f:]+\]|[0-9A-Fa-f]{8}):([0-9A-Fa-f]{4})\s", re.MULTILINE)
_SAVED_GOES_TO = re.compile(r"^-A (\S+) .*-[jg] (\S+)(.*)$", re.MULTILINE)
_SAVED_SOURCES = ("MASQUERADE", "NETMAP", "SNAT", "SNPT")
"""Targets of iptables that write the source address of what comes in, in chain INPUT and in chains that it leads to."""
_SAVED_COPY = re.compile(r"--(?:gateway|oif) (\S+)")
_PARTS_MAX = 4096


def of_kernel(objects: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str | None, int | None]]:
    """Of all of them, as the kernel has them now. objects: of its nftables."""
    objects = list(objects)
    yield from of_rules(objects)
    yield from (found for saved in _saved(objects) for found in of_saved(*saved))
    yield from of_ipvs(proc.text_of("/proc/net/ip_vs") or "")


def of_rules(objects: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str | None, int | None]]:
    """A rule that names no new port keeps the ones that it is about: those that it matches, or all."""
    objects = list(objects)
    sets = _sets(objects)
    for rule in (entry["rule"] for entry in objects if isinstance(entry.get("rule"), Mapping)):
        if not packet_fields.is_about_tcp(rule):
            continue
        where = f"table {rule.get('family')} {rule.get('table')}, chain {rule.get('chain')}"
        matched: dict[str | None, list[int] | None] = {}
        every: list[int | None]
        for statement in rule.get("expr") or ():
            kind, body = next(iter(statement.items()), ("", None))
            said: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
            about = packet_fields.named(said.get("left") if kind == "match" else said.get("key") if kind == "vmap" else None)
            if about in (SPORT, DPORT) and kind == "match":
                matched[about] = _numbers(_resolved(said.get("right"), rule, sets)) if said.get("op") in ("==", "in") else None
            elif about in (SPORT, DPORT):
                matched[about] = [number for key, _verdict in _pairs(_resolved(said.get("data"), rule, sets)) for number in _numbers(key)]
            elif kind == "mangle":
                # Without a state of the connection: our table has let the packet pass by its other port, or sees it no more.
                for field, value in packet_fields.written(said, rule):
                    # A rule that writes the source port leads the answers of a node back, if it is not about what is sent to one.
                    asked = matched.get(SPORT, [] if DPORT in matched else None) if field == SPORT else matched.get(DPORT)
                    every = [*(_numbers(_mapped(value, rule, sets)) if field == DPORT else ())] or ([None] if asked is None else [*asked])
                    to = _addresses(_mapped(value, rule, sets)) if field == DADDR else []
                    yield from (("a rule that rewrites packets", where, one, port) for one in to or [None] for port in every if field != SADDR)
            elif kind in _TRANSLATES:
                for address, ports in _targets(said, rule, sets):
                    asked = matched.get(DPORT)
                    every = [*ports] or ([None] if asked is None else [*asked])
                    yield from ((f"a rule with {kind}", where, address, port) for port in every)


def _sets(objects: Iterable[Mapping[str, Any]]) -> dict[tuple[object, object, object], object]:
    """The elements of all named sets and maps, by family, table and name."""
    named = (one for entry in objects for kind, one in entry.items() if kind in ("set", "map") and isinstance(one, Mapping))
    return {(one.get("family"), one.get("table"), one.get("name")): one.get("elem") or [] for one in named}


def _resolved(value: object, rule: Mapping[str, Any], sets: Mapping[tuple[object, object, object], object]) -> object:
    """What a named set or map holds; any other value as it is."""
    if isinstance(value, str) and value.startswith("@"):
        return {"set": sets.get((rule.get("family"), rule.get("table"), value[1:]), [])}
    return value


def _pairs(value: object) -> Iterator[tuple[object, object]]:
    """Key and value of each element of a map."""
    elements = value.get("set") if isinstance(value, Mapping) else None
    for one in elements if isinstance(elements, Sequence) else ():
        if isinstance(one, Sequence) and not isinstance(one, str) and len(one) == 2:
            yield one[0], one[1]


def _targets(
    said: Mapping[str, Any], rule: Mapping[str, Any], sets: Mapping[tuple[object, object, object], object]
) -> Iterator[tuple[str | None, list[int]]]:
    """Address and ports to which a statement translates; of a map one for each of its elements."""
    address, ports = said.get("addr"), _numbers(_mapped(said.get("port"), rule, sets))
    if not (isinstance(address, Mapping) and "map" in address):
        yield from ((one, ports) for one in _addresses(address) or [None])
        return
    body = address["map"]
    by_port = packet_fields.named(body.get("key")) == DPORT
    elements = list(_pairs(_resolved(body.get("data"), rule, sets)))
    if not elements:
        yield None, ports
    for key, value in elements:
        parts = value["concat"] if isinstance(value, Mapping) and isinstance(value.get("concat"), Sequence) else [value]
        own = [number for part in parts[1:] for number in _numbers(part)] or ports or (_numbers(key) if by_port else [])
        yield from ((one, own) for one in _addresses(parts[0]) or [None])


def _mapped(value: object, rule: Mapping[str, Any], sets: Mapping[tuple[object, object, object], object]) -> object:
    """The values that a map gives; any other value as it is."""
    if isinstance(value, Mapping) and isinstance(value.get("map"), Mapping):
        return {"set": [one for _key_, one in _pairs(_resolved(value["map"].get("data"), rule, sets))]}
    return value


def _addresses(value: object) -> list[str | None]:
    """Each address that is named; the ends of a range."""
    if isinstance(value, Mapping):
        found = value.get("range") or value.get("set") or []
        return [one for part in found for one in _addresses(part)] if isinstance(found, Sequence) else []
    return [value] if isinstance(value, str) and not value.startswith("@") else []


def _numbers(value: object) -> list[int]:
    if isinstance(value, Mapping) and isinstance(value.get("elem"), Mapping):
        return _numbers(value["elem"].get("val"))
    if isinstance(value, Mapping) and isinstance(value.get("set"), Sequence):
        return [number for one in value["set"] for number in _numbers(one)]
    if isinstance(value, Mapping) and isinstance(value.get("range"), Sequence):
        first, last = value["range"]
        return list(range(first, last + 1)) if isinstance(first, int) and isinstance(last, int) else []
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


def _saved(objects: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """What iptables-save prints, with the program and the table. nft lists rules of iptables-nft without what they do, of iptables-legacy none."""
    if any("xt" in statement for entry in objects for statement in (entry.get("rule") or {}).get("expr") or ()):
        for program, table in itertools.product(("iptables", "ip6tables"), _SAVED_TABLES):
            yield commands.output(f"{program}-save", "-t", table) or "", program, table
    for names, program in (("/proc/net/ip_tables_names", "iptables-legacy"), ("/proc/net/ip6_tables_names", "ip6tables-legacy")):
        # Without this look it would load the table that it lists.
        loaded = (proc.text_of(names) or "").split()
        for table in (one for one in _SAVED_TABLES if one in loaded):
            yield commands.output(f"{program}-save", "-t", table) or "", program, table


def of_saved(text: str, program: str, table: str = "nat") -> Iterator[tuple[str, str, str | None, int | None]]:
    """The same of the output of iptables-save."""
    for match in _SAVED.finditer(text):
        rule = match.group(0)
        to = _SAVED_TO.search(rule)
        said = [port for port in (to.group(2), to.group(3)) if port] if to else []
        if not said and not _SAVED_NEGATED.search(rule):
            said = [part for ports in _SAVED_PORT.findall(rule) for part in ports.split(",")]
        ports: list[int | None] = [number for part in said for number in port_range(part)]
        address = to.group(1) if to else None
        yield from ((f"a rule of {program}", f"table {table}, chain {match.group(1)}", address, port) for port in ports or [None])


def port_range(text: str) -> Iterable[int]:
    first, last = (re.split(r"[:-]", text) + [""])[:2]
    return range(int(first), int(last or first) + 1) if first.isdigit() else ()


def of_ipvs(text: str) -> Iterator[tuple[str, str, str | None, int | None]]:
    """Of the virtual services of the kernel (ipvsadm), in the text of /proc/net/ip_vs: their real servers."""
    for address, port in _REAL_SERVER.findall(text)[:_PARTS_MAX]:
        plain = address.strip("[]") if address.startswith("[") else str(ipaddress.IPv4Address(int(address, 16)))
        yield "a virtual service of IPVS", "ipvsadm -L -n", str(ipaddress.ip_address(plain)), int(port, 16)


def rewriting(objects: Iterable[Mapping[str, Any]], ours: tuple[str, str], own: Collection[str] = ()) -> list[str]:
    """The rules of others that give packets another source address before a node sees them, or lead them to another interface: they come as a
    member's, or over lo. ours: family and name of our table. own: the addresses of the host, to which packets go over lo."""
    objects = list(objects)
    found = rewriting_rules(objects, ours, own)
    found += [one for text, program, table in _saved(objects) for one in rewriting_saved(text, program, table, own)]
    return list(dict.fromkeys(found))


def rewriting_rules(objects: Iterable[Mapping[str, Any]], ours: tuple[str, str], own: Collection[str] = ()) -> list[str]:
    """The same of nftables alone."""
    objects = [entry for entry in objects if _place(entry.get("rule"))[:2] != ours]
    sets = _sets(objects)
    incoming = _incoming(objects)
    found = []
    for rule in (entry["rule"] for entry in objects if isinstance(entry.get("rule"), Mapping)):
        if not packet_fields.is_about_tcp(rule):
            continue
        where = f"table {rule.get('family')} {rule.get('table')}, chain {rule.get('chain')}"
        for statement in rule.get("expr") or ():
            kind, body = next(iter(statement.items()), ("", None))
            said: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
            writes = kind == "mangle" and any(field == SADDR for field, _value in packet_fields.written(said, rule))
            if writes or kind == "snat" and _place(rule) in incoming:
                found.append(f"{where} gives packets another source address")
            elif kind in ("fwd", "dup"):
                to = [one for key in ("dev", "addr") for one in _addresses(_mapped(said.get(key), rule, sets)) if one]
                if any(_is_here(one, own) for one in to):
                    found.append(f"{where} leads packets to the interface lo")
    return found


def rewriting_saved(text: str, program: str, table: str, own: Collection[str] = ()) -> Iterator[str]:
    """The same of the output of iptables-save."""
    rules = _SAVED_GOES_TO.findall(text)
    incoming = _reached({"INPUT"}, {(chain, target) for chain, target, _rest in rules})
    for chain, target, rest in rules:
        if target in _SAVED_SOURCES and chain in incoming:
            yield f"{program}: table {table}, chain {chain} gives packets another source address"
        elif target == "TEE" and any(_is_here(to, own) for to in _SAVED_COPY.findall(rest)):
            yield f"{program}: table {table}, chain {chain} leads packets to the interface lo"


def _place(chain_or_rule: object) -> tuple[object, ...]:
    return tuple(chain_or_rule.get(key) for key in ("family", "table", "chain")) if isinstance(chain_or_rule, Mapping) else ()


def _incoming(objects: Iterable[Mapping[str, Any]]) -> Collection[tuple[object, ...]]:
    """The chains of nftables through which packets for this host go."""
    bases, leads = set(), set()
    for entry in objects:
        chain, rule = entry.get("chain"), entry.get("rule")
        if isinstance(chain, Mapping) and chain.get("hook") == "input":
            bases.add(_place({**chain, "chain": chain.get("name")}))
        if isinstance(rule, Mapping):
            leads |= {(_place(rule), _place({**rule, "chain": target})) for target in _goes_to(rule.get("expr"))}
    return _reached(bases, leads)


def _goes_to(part: object) -> Iterator[str]:
    """The chains to which a part of a rule jumps or goes, those of a map of verdicts too."""
    if isinstance(part, Mapping):
        target = part.get("target")
        yield from [target] if isinstance(target, str) else ()
    for one in part.values() if isinstance(part, Mapping) else part if isinstance(part, (list, tuple)) else ():
        yield from _goes_to(one)


def _reached(bases: Collection[_Chain], leads: Collection[tuple[_Chain, _Chain]]) -> set[_Chain]:
    """The chains that packets come to from these, by what leads from one to another."""
    reached = set(bases)
    while more := {after for before, after in leads if before in reached} - reached:
        reached |= more
    return reached


def _is_here(to: str, own: Collection[str]) -> bool:
    """Whether packets to an interface or an address come in over lo."""
    return to in ("lo", "::1", *own) or to.startswith("127.")

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which firewall is in charge of a host, whether it drops by default, and what our own table holds. Reads, never changes.

Private to this collection. The JSON is that of libnftables-json(5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._model.installed import TABLE
from . import commands, firewall_admissions, forwarding_at_boot, interfaces, nftables_service, proc
from .firewall_admissions import values
from .firewall_at_boot import FAMILY, FILE, UNIT, ufw_enabled, undoing, waiting
from .forwarding_rules import rewriting

# A ruleset of some ten thousand elements takes nft more than the time of an ordinary question.
_SECONDS = 20.0


def ruleset() -> list[Mapping[str, Any]] | None:
    """All objects of the kernel's nftables, None where nobody can be asked: no nft, or no privilege."""
    text = commands.output("nft", "-j", "list", "ruleset", seconds=_SECONDS)
    if text is None:
        return None
    try:
        return json.loads(text).get("nftables", []) if text.strip() else []
    except ValueError:
        return None


def _ours(entry: Mapping[str, Any]) -> bool:
    return entry.get("family") == FAMILY and entry.get("table", entry.get("name")) == TABLE


def drops_by_default(objects: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a base chain of somebody else drops a new TCP connection from another host that matches no rule with a condition of its own.

    By policy, by a last rule, or in a chain that it jumps to: what the rules do counts, as iptables-nft, docker and cloud images write them.
    """
    bases: list[tuple[tuple[str, str, str], bool]] = []
    rules: dict[tuple[str, str, str], list[Sequence[Mapping[str, Any]]]] = {}
    for entry in objects:
        chain, rule = entry.get("chain"), entry.get("rule")
        if chain and chain.get("hook") == "input" and chain.get("type") == "filter" and not _ours(chain):
            bases.append(((chain["family"], chain["table"], chain["name"]), chain.get("policy") == "drop"))
        if rule:
            rules.setdefault((rule["family"], rule["table"], rule["chain"]), []).append(rule.get("expr") or ())
    return any((end := _end(name, rules)) == "drop" or (end == "" and drops) for name, drops in bases)


def masquerades(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """The tables that give forwarded packets an address of this host: those of containers, of guests and of networks behind it.

    docker and podman write them by iptables-nft, of which some nft print no more than `xt`: in a table called nat that is taken for one.
    """
    found = set()
    for entry in objects:
        rule = entry.get("rule")
        if not isinstance(rule, Mapping):
            continue
        for statement in rule.get("expr") or ():
            kind, body = next(iter(statement.items()))
            name = str(body.get("name")) if isinstance(body, Mapping) else ""
            hidden = kind == "xt" and not isinstance(body, Mapping) and rule.get("table") == "nat" and rule.get("chain") == "POSTROUTING"
            if kind in ("masquerade", "snat") or kind == "xt" and name in ("MASQUERADE", "SNAT") or hidden:
                found.add(f"{rule.get('family')} {rule.get('table')}")
    return sorted(found)


def forwards() -> bool | None:
    """Whether the kernel forwards packets at all."""
    read = [proc.read(path).strip() for path in ("/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding")]
    return None if not any(read) else b"1" in read


_NEUTRAL = ("counter", "log", "comment", "limit", "notrack")
_NO_VERDICT = ("LOG", "NFLOG", "MARK", "CONNMARK", "TRACE", "comment")
_DROPS = ("drop", "reject")
_EVERY_NEW_CONNECTION = (("meta", "l4proto"), ("ip", "protocol"), ("ip6", "nexthdr"), ("ct", "state"), ("meta", "nfproto"))


def _end(chain: tuple[str, str, str], rules: Mapping[tuple[str, str, str], Sequence[Sequence[Mapping[str, Any]]]], deep: int = 0) -> str:
    """What becomes of such a packet in a chain: drop, accept, or "" where it comes out at its end."""
    for rule in rules.get(chain, ()) if deep < 16 else ():
        verdict, target = _verdict(rule)
        if verdict in ("jump", "goto"):
            end = _end((*chain[:2], target), rules, deep + 1)
            if end or verdict == "goto":
                return end
        elif verdict:
            return "" if verdict == "return" else verdict
    return ""


def _verdict(rule: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The verdict of a rule and the chain that it names, if the rule is about every such packet; else "" and ""."""
    for number, statement in enumerate(rule):
        kind, body = next(iter(statement.items()))
        if kind in _DROPS:
            return "drop", ""
        if kind in ("accept", "return"):
            return str(kind), ""
        if kind in ("jump", "goto"):
            return str(kind), str((body or {}).get("target"))
        if kind == "xt":
            # Some nft print null. A match has a verdict behind it.
            if not isinstance(body, Mapping):
                return ("drop", "") if number == len(rule) - 1 else ("", "")
            name = str(body.get("name"))
            if body.get("type") == "target" and name not in _NO_VERDICT:
                return ("drop" if name in ("REJECT", "DROP") else "", "")
            if body.get("type") != "target" and name != "comment":
                return "", ""
        elif kind == "match" and not _holds(body) or kind != "match" and kind not in _NEUTRAL:
            return "", ""
    return "", ""


def _holds(match: Mapping[str, Any]) -> bool:
    """Whether a match is true of every new TCP connection that comes over another interface than lo."""
    left, right, negated = match.get("left"), match.get("right"), match.get("op") == "!="
    if not isinstance(left, Mapping):
        return False
    kind, body = next(iter(left.items()))
    where = (body.get("protocol"), body.get("field")) if kind == "payload" else (kind, body.get("key")) if isinstance(body, Mapping) else ("", "")
    said = {one for one in values(right) if isinstance(one, (str, int))}
    if where in (("meta", "iifname"), ("meta", "iif")):
        return negated and said == {"lo"}
    if where not in _EVERY_NEW_CONNECTION:
        return False
    mine = {("meta", "nfproto"): {"ipv4"}, ("ct", "state"): {"new"}}.get(where, {"tcp", 6})
    return bool(mine & said) is not negated


def _address(value: Any) -> str:
    if isinstance(value, Mapping) and "prefix" in value:
        return f"{value['prefix']['addr']}/{value['prefix']['len']}"
    if isinstance(value, Mapping) and "range" in value:
        return "-".join(str(end) for end in value["range"])
    return str(value)


def _ports(value: Any) -> tuple[int, int] | None:
    if isinstance(value, Mapping) and "range" in value:
        first, last = value["range"]
        return (first, last)
    return (value, value) if isinstance(value, int) else None


def is_dormant(text: str | None) -> bool | None:
    """Whether the kernel is told not to use a table, from nft's own words for it; None where there are none."""
    return None if text is None else re.search(r"^\s+flags [^\n]*\bdormant\b", text.partition("{")[2].partition("{")[0], re.MULTILINE) is not None


def _flagged(objects: Iterable[Mapping[str, Any]]) -> bool:
    """Whether nft's JSON calls our table dormant. That it does not says nothing: nft 1.0.6 prints what happens to be in memory."""
    tables = (entry["table"] for entry in objects if isinstance(entry.get("table"), Mapping))
    return any(_ours(table) and "dormant" in _words(table.get("flags")) for table in tables)


def _words(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def our_table(objects: Iterable[Mapping[str, Any]], dormant: bool | None = False) -> dict[str, object] | None:
    """What our table knows and lets in, None where there is no such table.

    Members are the elements of its address sets, own addresses those of the sets whose name begins with own, ports those of its set of that name
    and of matches on a destination port. admits: see firewall_admissions.admissions(); None where its rules are more than can be worked out, or where
    nobody knows whether the table is dormant.
    """
    objects = list(objects)
    present = False
    hooks: set[str] = set()
    members: set[str] = set()
    own: set[str] = set()
    ports: set[tuple[int, int]] = set()
    for entry in objects:
        kind, body = next(iter(entry.items()))
        if not isinstance(body, Mapping) or not _ours(body):
            continue
        present = True
        if kind == "chain" and body.get("hook"):
            hooks.add(str(body["hook"]))
        elif kind == "set" and body.get("type") in ("ipv4_addr", "ipv6_addr"):
            (own if str(body.get("name")).startswith("own") else members).update(_address(value) for value in values(body.get("elem", [])))
        elif kind == "set" and body.get("name") == "ports":
            ports |= {port_range for port_range in map(_ports, values(body.get("elem", []))) if port_range}
        elif kind == "rule":
            for part in body.get("expr", ()):
                match = part.get("match", {})
                left = match.get("left")
                if isinstance(left, Mapping) and left.get("payload", {}).get("field") == "dport":
                    ports |= {port_range for port_range in map(_ports, values(match.get("right"))) if port_range}
    if not present:
        return None
    try:
        admits = None if dormant is None else firewall_admissions.admissions(objects, FAMILY, TABLE, dormant)
    except firewall_admissions.TooComplex:
        admits = None
    return {
        "members": sorted(members),
        "own": sorted(own),
        "ports": [list(port_range) for port_range in sorted(ports)],
        "dormant": dormant,
        "hooks": sorted(hooks),
        "admits": admits,
    }


def summary(units: Mapping[str, Mapping[str, object]] | None) -> dict[str, object]:
    """in_charge is who would undo rules of others: firewalld or ufw where active, else nftables where it is installed."""
    objects = ruleset()
    active = {name for name, unit in (units or {}).items() if unit.get("active") == "active"}
    if "firewalld.service" in active:
        in_charge = "firewalld"
    elif ufw_enabled():
        in_charge = "ufw"
    else:
        in_charge = "nftables" if commands.find("nft") else "none"
    return {
        "nft": commands.find("nft") is not None,
        "readable": objects is not None,
        "drops_by_default": None if objects is None else drops_by_default(objects),
        "masquerades": None if objects is None or forwards() is None else masquerades(objects) if forwards() else [],
        "in_charge": in_charge,
        "at_boot": None if units is None else units.get(UNIT, {}).get("enabled") == "enabled",
        "beam": _table_now(objects or []),
        "undoing": undoing(),
        "waiting": None if units is None else waiting(units, objects),
        "loads": None if units is None else nftables_service.loads(units.get("nftables.service", {})),
        "rewriting": None if objects is None else _rewriting(objects),
    }


def _rewriting(objects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Now, and when the files of nftables are loaded the next time."""
    now = rewriting(objects, (FAMILY, TABLE), [one[1] for one in interfaces.list_addresses() or ()])
    return [*now, *forwarding_at_boot.rewriting((FAMILY, TABLE))]


def _table_now(objects: Sequence[Mapping[str, Any]]) -> dict[str, object] | None:
    if not any(_ours(body) for entry in objects for body in entry.values() if isinstance(body, Mapping)):
        return None
    said = is_dormant(commands.output("nft", "-t", "list", "table", FAMILY, TABLE, seconds=_SECONDS))
    found = our_table(objects, True if _flagged(objects) else said)
    return None if found is None else {**found, "as_in_file": as_in_file()}


def as_in_file() -> bool | None:
    """Whether the loaded table is what its file loads: every chain and set, those of outgoing packets, too. None where that could not be compared.

    The kernel's own listing of the file is made in a network namespace that ends with the question.
    """
    loaded = commands.output("nft", "-s", "list", "table", FAMILY, TABLE, seconds=_SECONDS)
    script = f'nft -f "$0" && nft -s list table {FAMILY} {TABLE}'
    planned = commands.output("unshare", "--net", "sh", "-c", script, FILE, seconds=_SECONDS) if loaded is not None else None
    return None if loaded is None or planned is None else loaded == planned

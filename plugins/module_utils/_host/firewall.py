# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which firewall is in charge of a host, whether it drops by default, and what our own table holds. Reads, never changes.

Private to this collection. The JSON is that of libnftables-json(5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from . import commands, nftables
from .nftables import values

FAMILY = "inet"
TABLE = "beam_cluster"
UNIT = "beam-firewall.service"
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
    """Whether a base chain of somebody else drops what comes in and matches no rule: by policy, or by a last rule without a condition."""
    chains: dict[tuple[str, str, str], bool] = {}
    for entry in objects:
        chain = entry.get("chain")
        if chain and chain.get("hook") == "input" and not _ours(chain):
            chains[(chain["family"], chain["table"], chain["name"])] = chain.get("policy") == "drop"
    for entry in objects:
        rule = entry.get("rule")
        if not rule:
            continue
        key = (rule["family"], rule["table"], rule["chain"])
        verdicts = [next(iter(part)) for part in rule.get("expr", ()) if next(iter(part)) not in ("counter", "log", "comment")]
        if key in chains and verdicts and verdicts[0] in ("drop", "reject"):
            chains[key] = True
    return any(chains.values())


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


def our_table(objects: Iterable[Mapping[str, Any]], dormant: bool | None = False) -> dict[str, object] | None:
    """What our table knows and lets in, None where there is no such table.

    Members are the elements of its address sets, own addresses those of the sets whose name begins with own, ports those of its set of that name
    and of matches on a destination port. admits: see nftables.admissions(); None where its rules are more than can be worked out, or where nobody
    knows whether the table is dormant.
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
        admits = None if dormant is None else nftables.admissions(objects, FAMILY, TABLE, dormant)
    except nftables.TooComplex:
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
    elif _ufw_enabled():
        in_charge = "ufw"
    else:
        in_charge = "nftables" if commands.find("nft") else "none"
    return {
        "nft": commands.find("nft") is not None,
        "readable": objects is not None,
        "drops_by_default": None if objects is None else drops_by_default(objects),
        "in_charge": in_charge,
        "at_boot": None if units is None else units.get(UNIT, {}).get("enabled") == "enabled",
        "beam": _table_now(objects or []),
    }


def _table_now(objects: Iterable[Mapping[str, Any]]) -> dict[str, object] | None:
    if not any(_ours(body) for entry in objects for body in entry.values() if isinstance(body, Mapping)):
        return None
    return our_table(objects, is_dormant(commands.output("nft", "-t", "list", "table", FAMILY, TABLE, seconds=_SECONDS)))


def _ufw_enabled() -> bool:
    """ufw's own file decides. Its unit is active also where ufw is off, and inactive where ufw was turned on by hand since the boot."""
    try:
        with open("/etc/ufw/ufw.conf", encoding="utf-8") as stream:
            return any(line.strip().lower() == "enabled=yes" for line in stream)
    except OSError:
        return False

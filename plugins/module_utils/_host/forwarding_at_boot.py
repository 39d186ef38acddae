# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules that lead connections to other ports in the files of firewalls: in force from the next boot or reload on, whatever the kernel has now.

Private to this collection. nft itself reads its file, in a network namespace that ends with the question. Sources: nft(8), iptables-restore(8),
firewalld.zone(5), firewalld.direct(5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from glob import glob
from typing import Any

from . import commands, forwarding_rules, proc

NFTABLES = ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf")
SAVED = ("/etc/iptables/rules.v[46]", "/etc/sysconfig/ip*tables", "/etc/ufw/*.rules")
FIREWALLD = ("/etc/firewalld/zones/*.xml", "/etc/firewalld/policies/*.xml", "/etc/firewalld/direct.xml")
_SECONDS = 10.0
_SCRIPT = 'nft -f "$0" && nft -j list ruleset'
_TRANSLATES = re.compile(r"^[^#\n]*\b(?:dnat|dup|fwd|include|masquerade|redirect|set|snat|tproxy)\b", re.MULTILINE)
_LEADS = re.compile(r"^[^#\n]*\b(?:dnat|redirect|tproxy)\b[^#\n;]*?[: \t](\d{2,5})(?![\d.])", re.MULTILINE)
"""In a file that nft does not read there: it names an interface by its number (iif), for example."""
_FORWARD_PORT = re.compile(r"<forward-port\b([^>]*)>")
_ATTRIBUTE = re.compile(r"([\w-]+)=[\"']([^\"']*)[\"']")
_DIRECT = re.compile(r"<(?:rule|passthrough)\b[^>]*>([^<]*)<")

Found = tuple[str, str, "str | None", "int | None"]


def loaded_later(patterns: tuple[str, ...] = NFTABLES) -> dict[str, list[Mapping[str, Any]] | None]:
    """By file, the objects that nft would make of it; None where it does not read it there."""
    return {path: _objects(path) for pattern in patterns for path in sorted(glob(pattern))}


def _objects(path: str) -> list[Mapping[str, Any]] | None:
    # nft has the kernel load modules: a file that changes no packet is not worth that.
    if not _TRANSLATES.search(proc.text_of(path) or ""):
        return []
    text = commands.output("unshare", "--net", "sh", "-c", _SCRIPT, path, seconds=_SECONDS)
    try:
        found = json.loads(text)["nftables"] if text else None
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, list) else None


def of_files() -> Iterator[Found]:
    """As forwarding_rules.of_kernel()."""
    for path, objects in loaded_later().items():
        if objects is None:
            yield from (("a rule", path, None, int(port)) for port in _LEADS.findall(proc.text_of(path) or ""))
        else:
            rules = forwarding_rules.of_rules(objects)
            yield from ((by, f"{path}, {where}", address, port) for by, where, address, port in rules)
    for path in (path for pattern in SAVED for path in sorted(glob(pattern))):
        saved = forwarding_rules.of_saved(proc.text_of(path) or "", "iptables")
        yield from ((by, f"{path}, {where}", address, port) for by, where, address, port in saved)
    for path in (path for pattern in FIREWALLD for path in sorted(glob(pattern))):
        yield from of_firewalld(proc.text_of(path) or "", path)


def of_firewalld(text: str, path: str) -> Iterator[Found]:
    for attributes in map(dict, map(_ATTRIBUTE.findall, _FORWARD_PORT.findall(text))):
        ports = str(attributes.get("to-port") or attributes.get("port") or "")
        if attributes.get("protocol", "tcp") == "tcp" and ports:
            for port in forwarding_rules.port_range(ports):
                yield "a port that firewalld forwards", path, str(attributes.get("to-addr") or "") or None, port
    for rule in _DIRECT.findall(text):
        yield from ((by, path, address, port) for by, _where, address, port in forwarding_rules.of_saved(f"-A direct {rule}", "firewalld"))


def rewriting(ours: tuple[str, str]) -> list[str]:
    """As forwarding_rules.rewriting()."""
    found = ((path, rule) for path, objects in loaded_later().items() for rule in forwarding_rules.rewriting_rules(objects or (), ours))
    return [f"{path}, {rule} (from its next load on)" for path, rule in found]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes our firewall table away, or changes it, at the next boot or at a later time, and which other firewalls wait for that boot. Reads, never
changes.

Private to this collection.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._model.installed import DROP_IN, TABLE
from . import proc
from .job_files import PLACES

FAMILY = "inet"
UNIT = "beam-firewall.service"
FILE = "/etc/beam/firewall.nft"
OTHERS = (
    "arno-iptables-firewall.service", "ferm.service", "firehol.service", "firewalld.service", "foomuuri.service", "ip6tables.service",
    "iptables.service", "netfilter-persistent.service", "nftables.service", "shorewall.service", "shorewall6.service", "ufw.service",
)
"""Units that load rules of others."""


def waiting(units: Mapping[str, Mapping[str, object]], objects: Iterable[Mapping[str, Any]] | None) -> list[str]:
    """The firewalls that do not run now and will at the next boot: their rules are not among objects, the kernel's, yet."""
    ends = ("inactive", "failed")
    found = [name for name in OTHERS if name in units and units[name].get("enabled") == "enabled" and units[name].get("active") in ends]
    chains = (str((entry.get("chain") or {}).get("name")) for entry in objects or ())
    if "ufw.service" in found and (not ufw_enabled() or any(name.startswith("ufw-") for name in chains)):
        found.remove("ufw.service")
    return found


_OF_OURS = (
    rf"\b(?:add|create|insert|replace|rename|reset|delete|destroy|flush)[ \t]+(?:table|chain|rule|set|map|element)[ \t]+{FAMILY}[ \t]+{TABLE}\b"
)
"""A command of nft that changes our table: one that adds an element lets somebody in."""
_UNDOES = rf"(?:\bflush[ \t]+ruleset\b|{_OF_OURS})"
_REMOVES = re.compile(rf"\bnft\b.*{_UNDOES}|{_UNDOES}.*\|.*\bnft\b", re.IGNORECASE)
_HARMLESS = re.compile(r"^(?:[ \t]*#(?!!).*|.*\bnft\b[^\n]*[ \t](?:-[a-z]*c[a-z]*|--check)\b.*)$", re.MULTILINE | re.IGNORECASE)
"""Comments, and lines in which nft only looks at a file."""
_NAMED = re.compile(r"(?<![\w.~/])/[^\s;&|\"'<>()`:,]+")
_SCRIPTS_DEEP = 3
_LOADS = re.compile(r"\bnft\b[^\n]*[ \t](?:-[a-z]*f|--file)\b", re.IGNORECASE)
"""nft loads a file: which one may be said elsewhere in the text."""
_FLUSHES = re.compile(rf"^[ \t]*(?:flush[ \t]+ruleset\b|table[ \t]+{FAMILY}[ \t]+{TABLE}\b|{_OF_OURS})", re.MULTILINE)
"""In a file of nft."""
_NEEDS_OURS = re.compile(rf"^[ \t]*(?:After|Requires|Requisite|Wants|BindsTo|PartOf|Upholds)[ \t]*=.*\b{re.escape(UNIT)}.*$", re.MULTILINE)
_IS_BEFORE = re.compile(rf"^[ \t]*Before[ \t]*=.*\b{re.escape(UNIT)}", re.MULTILINE)
_STEM = re.escape(UNIT.partition(".")[0])
_LOADS_OURS = re.compile(
    rf"\bsystemctl\b[^\n;|&]*?[ \t](?:try-)?re(?:load|start)[\w-]*[ \t][^\n;|&]*\b{_STEM}\b|\bservice[ \t]+{_STEM}[ \t]+re(?:load|start)\b"
    rf"|{re.escape(FILE)}"
)
"""To start a unit that is active does nothing."""
_INCLUDES = re.compile(r"^[ \t]*include[ \t]+[\"']?([^\s\"';]+)", re.MULTILINE)
_OUR_RULES = re.compile(rf"^[ \t]*include[^\n]*{re.escape(FILE[:-1])}(?:t|\[t\])", re.MULTILINE)
_INCLUDED_FROM = "/etc"
_INCLUDES_DEEP = 8


def undoing(patterns: Iterable[str] = PLACES) -> list[str]:
    """The files that remove or change our table, and do not load it again behind that: those of the patterns, and the scripts that they name. Of
    nftables.service our drop-in of it takes care, and what comes after that can undo it."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = [(os.path.realpath(path), 0) for pattern in patterns for path in glob.glob(pattern)]
    while todo:
        path, deep = todo.pop()
        text = proc.text_of(path) or "" if path not in seen and os.path.isfile(path) and not _before_ours(path) else ""
        seen.add(path)
        # Of the files that a job names, those are scripts that begin like one.
        if not text or deep and not text.startswith("#!"):
            continue
        text = _HARMLESS.sub("", text.replace("\\\n", " "))
        if _IS_BEFORE.search(text):
            continue
        is_script = text.startswith("#!")
        # A unit that starts after ours does not load it: what counts is the last word.
        text = _LOADS_OURS.split(_NEEDS_OURS.sub("", text))[-1]
        loaded = (one for named in _NAMED.findall(text) for one in _rules_in(named, 0)) if _LOADS.search(text) else ()
        written = "nft" in text and (deep or is_script) and _FLUSHES.search(text)
        if _REMOVES.search(text) or written or any(map(_FLUSHES.search, loaded)):
            found.add(path)
        elif deep < _SCRIPTS_DEEP:
            todo += [(os.path.realpath(named), deep + 1) for named in _NAMED.findall(text)]
    return sorted(found)


def _rules_in(pattern: str, deep: int) -> Iterator[str]:
    """The text of a file of nft, and of those that it includes, behind what loads our table: names may have wildcards."""
    for path in sorted(glob.glob(pattern)):
        text = _OUR_RULES.split((proc.text_of(path) or "") if os.path.isfile(path) and path != FILE else "")[-1]
        yield text
        for included in _INCLUDES.findall(text) if deep < _INCLUDES_DEEP else ():
            yield from _rules_in(os.path.join(_INCLUDED_FROM, included), deep + 1)


def _before_ours(path: str) -> bool:
    """Whether a file of nftables.service is ours, or comes before ours, which sets every command anew."""
    directory, name = os.path.split(path)
    return name == "nftables.service" or os.path.basename(directory) == "nftables.service.d" and name <= DROP_IN


def ufw_enabled() -> bool:
    """ufw's own file decides. Its unit is active also where ufw is off, and inactive where ufw was turned on by hand since the boot."""
    try:
        with open("/etc/ufw/ufw.conf", encoding="utf-8") as stream:
            return any(line.strip().lower() == "enabled=yes" for line in stream)
    except OSError:
        return False

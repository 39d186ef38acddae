# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults are tried, together in which run of `verify`, and what a report says of each.

A batch has several faults for each host, of those that alter different things. Faults whose scripts ask for the host's name run on any host. Faults
may hide each other all the same, so one that a batch did not show is tried again alone on its host.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from fault import ANCHORS, BESIDE, CERTIFICATE, COOKIE, FIREWALL, GONE, KEY, LIVE, MESH, NODE, OPTIONS, Fault

HOSTS = ("n1", "n2", "n3")
SMALL = ("the client verifies nobody", "a node of another unit on every address", "a second CA in ca.pem")
"""The faults of `make test`: one on each host, in one run of verify."""


def all_faults(product: str) -> list[Fault]:
    found: list[Fault] = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in ("fault", "makers", "batches", "unseeded", "conftest") and not path.stem.startswith("test_"):
            found += importlib.import_module(path.stem).FAULTS
    return [fault for fault in found if fault.product == product]


def selected(faults: Iterable[Fault], words: str) -> list[Fault]:
    """The faults that a comma-separated list names: "small", a part of a name, or a control. Empty: all."""
    parts = [part.strip() for part in words.split(",") if part.strip()]
    if not parts:
        return list(faults)
    wanted = [*(SMALL if "small" in parts else ()), *(part for part in parts if part != "small")]
    return [fault for fault in faults if any(part == fault.control or part in fault.name for part in wanted)]


def movable(fault: Fault) -> bool:
    """Whether a fault can be tried on any host: its scripts say so by asking for the host's name, or name no host at all."""
    return fault.host == "n1" and not re.search(r"\bn[123]\b", " ".join((fault.breaks, fault.repair, *fault.names)))


_ONE = frozenset({OPTIONS, GONE, KEY, ANCHORS, COOKIE, FIREWALL})
"""What a host has one of: a second fault would replace the first one."""
_RUNNING = frozenset({NODE, OPTIONS, LIVE})
_HARMLESS = frozenset({OPTIONS, LIVE, FIREWALL})
"""What keeps no other node from connecting."""
_AT_REST = frozenset({CERTIFICATE, KEY, ANCHORS, COOKIE})
_ORDER = (NODE, OPTIONS, LIVE, GONE, KEY, CERTIFICATE, ANCHORS, COOKIE, MESH, FIREWALL, BESIDE)
"""What restarts a node comes before what a restart would undo or start."""


def hides(one: Fault, other: Fault) -> bool:
    """Whether faults must not be tried together. Connections can be looked at where nothing else keeps nodes from connecting.

    A node is asked with its own cookie and certificate. On one host, two findings of the same control are told apart by their first words, where
    neither restarts the node.
    """
    altered = {one.alters, other.alters}
    if MESH in altered:
        return altered == {MESH} or not altered <= {MESH, BESIDE, *(_HARMLESS if one.host != other.host else ())}
    if one.host != other.host:
        return False
    if altered & _RUNNING and altered & _AT_REST or altered in ({KEY, CERTIFICATE}, {OPTIONS, GONE}):
        return True
    # A cookie that is weak is searched for in no file.
    if COOKIE in altered and "cookie-copies" in (one.control, other.control):
        return True
    if one.alters == other.alters and one.alters in _ONE:
        return True
    same = one.names[0] in other.names[0] or other.names[0] in one.names[0]
    return one.control == other.control and (not altered <= {BESIDE, LIVE} or same)


def batches(faults: Sequence[Fault], hosts: Sequence[str] = HOSTS) -> list[list[Fault]]:
    """The faults, each on the host that it is tried on, in an order in which none undoes another."""
    made: list[list[Fault]] = []
    for fault in sorted(faults, key=lambda one: _ORDER.index(one.alters)):
        places = hosts if movable(fault) else (fault.host,)
        placed = [replace(fault, host=host) for host in places]
        for batch in made:
            free = [one for one in placed if not any(hides(one, other) for other in batch)]
            if free:
                batch.append(min(free, key=lambda one: sum(one.host == other.host for other in batch)))
                break
        else:
            made.append([placed[0]])
    return [sorted(batch, key=lambda one: _ORDER.index(one.alters)) for batch in made]


def one_each(faults: Iterable[Fault]) -> list[list[Fault]]:
    """Faults of one batch in batches with one fault for each host."""
    by_host: dict[str, list[Fault]] = {}
    for fault in faults:
        by_host.setdefault(fault.host, []).append(fault)
    return [[one for one in row if one] for row in zip_longest(*by_host.values())]


@dataclass(frozen=True)
class Result:
    """What became of a fault. found: its control failed on its host; named: the details say every word. mended: None where that was not tried."""

    found: bool
    named: bool
    details: tuple[str, ...]
    others: tuple[str, ...] = ()
    mended: bool | None = None


def findings(report: Mapping[str, Any], host: str, control: str = "") -> list[Mapping[str, Any]]:
    """What failed on a host, or could not be tested."""
    bad = [one for one in report["findings"] if one["status"] in ("failed", "not_tested") and (host in one["hosts"] or host == one["subject"])]
    return [one for one in bad if control in ("", one["control"])]


def result(report: Mapping[str, Any], fault: Fault, *, crowded: bool = False) -> Result:
    """crowded: another fault fails the same control on the same host, so only a detail with every word is this fault's."""
    failed = [one for one in findings(report, fault.host, fault.control) if one["status"] == "failed"]
    details = tuple(detail for one in failed for detail in one["details"])
    texts = details if crowded else ("\n".join(details),)
    named = bool(failed) and any(all(word in text for word in fault.names) for text in texts)
    others = sorted({one["control"] for one in findings(report, fault.host) if one["control"] != fault.control and not one.get("cause_subject")})
    return Result(named if crowded else bool(failed), named, details, tuple(others))


def results(report: Mapping[str, Any], batch: Sequence[Fault]) -> dict[str, Result]:
    count = Counter((fault.host, fault.control) for fault in batch)
    return {fault.name: result(report, fault, crowded=count[fault.host, fault.control] > 1) for fault in batch}

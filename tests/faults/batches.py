# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults are tried, together in which run of `verify`, and what a report says of each.

A batch has one fault for each host. Faults whose scripts ask for the host's name run on any host. Faults may hide each other all the same, so a fault
that a batch did not show is tried again alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fault import Fault

HOSTS = ("n1", "n2", "n3")
SMALL = ("the client verifies nobody", "a node of another unit on every address", "a second CA in ca.pem")
"""The faults of `make test`: one on each host, in one run of verify."""


def all_faults(product: str) -> list[Fault]:
    found: list[Fault] = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in ("fault", "batches", "conftest") and not path.stem.startswith("test_"):
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
    return fault.host == "n1" and not any(f"@{host}" in fault.breaks or host in fault.names for host in HOSTS)


def batches(faults: Sequence[Fault], hosts: Sequence[str] = HOSTS) -> list[list[Fault]]:
    """The faults, each on the host that it is tried on, as many at once as there are hosts. No control twice in a batch."""
    made: list[dict[str, Fault]] = []
    for fault in faults:
        places = hosts if movable(fault) else (fault.host,)
        for batch in made:
            free = [host for host in places if host not in batch]
            if free and fault.control not in {other.control for other in batch.values()}:
                batch[free[0]] = replace(fault, host=free[0])
                break
        else:
            made.append({places[0]: replace(fault, host=places[0])})
    return [list(batch.values()) for batch in made]


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


def result(report: Mapping[str, Any], fault: Fault) -> Result:
    failed = [one for one in findings(report, fault.host, fault.control) if one["status"] == "failed"]
    details = tuple(detail for one in failed for detail in one["details"])
    text = "\n".join(details)
    others = sorted({one["control"] for one in findings(report, fault.host) if one["control"] != fault.control and not one.get("cause_subject")})
    return Result(bool(failed), bool(failed) and all(word in text for word in fault.names), details, tuple(others))

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port range: the TCP ports on which one node may listen for its peers.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .._wire.constants import EPMD_PORT
from .problems import shown

LOWEST = 1024
HIGHEST = 65535
"""Ports below 1024 want a privilege that the node's sandbox takes away."""

_PORT_RANGE = re.compile(r"\s*([0-9]{1,5})\s*(?:-\s*([0-9]{1,5})\s*)?")


class PortRangeError(ValueError):
    """A port range that no node can have. `rule` is the name of what it breaks."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


@dataclass(frozen=True, order=True)
class PortRange:
    """Ports `first` to `last`, both included."""

    first: int
    last: int

    @classmethod
    def parse(cls, value: object) -> PortRange:
        """From 9100, '9100' or '9100-9109', checked."""
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise PortRangeError("ports_format", "the value is neither a port nor a range of ports.")
        match = _PORT_RANGE.fullmatch(str(value) if isinstance(value, str) or abs(value) <= HIGHEST else "")
        if match is None:
            raise PortRangeError("ports_format", f"{shown(value)} is neither a port nor a range of ports.")
        first = int(match.group(1))
        port_range = cls(first, int(match.group(2) or first))
        if port_range.last < port_range.first:
            raise PortRangeError("port_range_reversed", f"the port range {port_range} ends before it begins.")
        if port_range.first < LOWEST or port_range.last > HIGHEST:
            raise PortRangeError("port_range_bounds", f"the port range {port_range} is not within {LOWEST}-{HIGHEST}.")
        if port_range.first <= EPMD_PORT <= port_range.last:
            raise PortRangeError("port_range_overlaps_epmd", f"the port range {port_range} contains EPMD's port {EPMD_PORT}.")
        return port_range

    @property
    def size(self) -> int:
        return self.last - self.first + 1

    def overlaps(self, other: PortRange) -> bool:
        return self.first <= other.last and other.first <= self.last

    def shared(self, count: int) -> list[PortRange]:
        """The port range cut into `count` equal port ranges side by side, what is left over stays unused."""
        if count > self.size:
            raise PortRangeError("port_range_too_small", f"the port range {self} has {self.size} ports for {count} nodes.")
        each = self.size // count
        return [PortRange(self.first + index * each, self.first + (index + 1) * each - 1) for index in range(count)]

    def as_dict(self) -> dict[str, int]:
        return {"first": self.first, "last": self.last}

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def joined(pairs: Iterable[object]) -> list[tuple[int, int]]:
    """Ranges of ports, each (first, last) or `first-last`, as the kernel spells them: sorted, those that touch or overlap as one."""
    ranges: list[tuple[int, int]] = []
    for pair in pairs:
        first, last = (pair[0], pair[-1]) if isinstance(pair, (list, tuple)) else (str(pair).partition("-")[0], str(pair).rpartition("-")[2])
        ranges.append((int(first), int(last)))
    result: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result

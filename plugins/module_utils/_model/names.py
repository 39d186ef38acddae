# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Node names: what Erlang takes, and whether a name is short, long or an IP name.

Private to this collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import addresses
from .problems import shown

# The part before the @ as net_kernel checks it (valid_name_head). The host part is ours, and stricter than net_kernel: it becomes
# a directory, a certificate's name and a term in files.
_NAME = re.compile(r"[0-9A-Za-z_-]+")
_LABEL = re.compile(r"[0-9A-Za-z_](?:[0-9A-Za-z_-]*[0-9A-Za-z_])?")
LONGEST = 255
"""Characters of an atom, and so of a node name."""


def _is_literal(host: str) -> bool:
    """An IP address and nothing else, space around it included."""
    return host == host.strip() and addresses.is_address(host)


@dataclass(frozen=True, order=True)
class NodeName:
    """A full node name, `name@host_part`."""

    name: str
    host_part: str

    @classmethod
    def parse(cls, value: object) -> NodeName:
        """`ValueError` says what is wrong with the name."""
        if not isinstance(value, str) or value.count("@") != 1:
            raise ValueError(f"{shown(value)} is not of the form name@host.")
        name, host = value.split("@")
        if not _NAME.fullmatch(name):
            raise ValueError(f"{shown(name)} before the @ may hold letters, digits, _ and - only.")
        if not host:
            raise ValueError(f"{shown(value)} has nothing after the @.")
        if len(value) > LONGEST:
            raise ValueError(f"the name has {len(value)} characters, Erlang takes {LONGEST}.")
        if not _is_literal(host) and not all(_LABEL.fullmatch(label) for label in host.split(".")):
            raise ValueError(f"{shown(host)} after the @ is neither a host name nor an IP address.")
        return cls(name, host)

    @property
    def kind(self) -> str:
        """`ip` and `long` start with -name, `short` with -sname."""
        if addresses.is_address(self.host_part):
            return "ip"
        return "long" if "." in self.host_part else "short"

    def __str__(self) -> str:
        return f"{self.name}@{self.host_part}"

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports of a product for its clients, as its configuration says; made by _host/client_ports.py.

Private to this collection. See observation.py for the rules of every field: None is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .untrusted_json import as_int, as_mapping, as_text, each, safe_text

NO, OPTIONAL, YES = "no", "optional", "yes"
"""Whether a port speaks TLS; optional: a client may go on without it."""


@dataclass(frozen=True)
class ClientPort:
    """One port. protocol: "AMQP", "the management interface". tls: NO, OPTIONAL or YES. setting: what makes it so, with its file.

    commands: whether a client of it can run the product's administrative commands (ejabberd's API).
    """

    port: int
    protocol: str
    tls: str
    setting: str
    commands: bool = False

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> ClientPort | None:
        port, tls = as_int(raw.get("port")), as_text(raw.get("tls"))
        if port is None or tls not in (NO, OPTIONAL, YES):
            return None
        return cls(port, as_text(raw.get("protocol")) or "", tls, as_text(raw.get("setting")) or "", raw.get("commands") is True)


@dataclass(frozen=True)
class ClientPorts:
    """All ports of one product on a host. unread: why some may be missing or other than they are, empty where all is known."""

    ports: tuple[ClientPort, ...]
    unread: str = ""

    @classmethod
    def parse(cls, raw: object) -> ClientPorts | None:
        ports = each(raw.get("ports"), ClientPort.parse) if isinstance(raw, Mapping) else None
        return None if ports is None or not isinstance(raw, Mapping) else cls(ports, as_text(raw.get("unread")) or "")


def parse_all(raw: object) -> Mapping[str, ClientPorts] | None:
    """By product; None where one is of another shape."""
    if not isinstance(raw, Mapping):
        return None
    found = {safe_text(name): ClientPorts.parse(own) for name, own in as_mapping(raw).items()}
    known = {name: own for name, own in found.items() if own is not None}
    return known if len(known) == len(found) else None

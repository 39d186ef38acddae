# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From which of its addresses a host connects to another one. Sends nothing: the kernel only looks up its route.

Private to this collection. For an address of the host itself, that is this address (ip-route(8), table local).
"""

from __future__ import annotations

import socket

_DISCARD = 9


def source_address(address: str, bound: str | None = None) -> str | None:
    """bound: the address that the connection is bound to. None where no route leads there, or `address` is no address."""
    if bound:
        return bound
    try:
        family, _kind, _protocol, _name, where = socket.getaddrinfo(address, _DISCARD, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(where)
            return str(probe.getsockname()[0])
    except (OSError, UnicodeError):
        return None

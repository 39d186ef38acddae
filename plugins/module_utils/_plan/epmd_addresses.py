# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the EPMD of a host listens (ERL_EPMD_ADDRESS, the addresses of epmd.socket).

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Sequence


def epmd_addresses(own: Sequence[str], has_ipv6: bool) -> list[str]:
    """Loopback, where nodes register, and the cluster addresses of the host's nodes, where peers ask."""
    return list(dict.fromkeys(["127.0.0.1", *(["::1"] if has_ipv6 else []), *own]))

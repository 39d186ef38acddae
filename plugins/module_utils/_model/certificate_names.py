# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names in the certificate of a node, for which its peers look.

Private to this collection, pure.
"""

from __future__ import annotations

from . import addresses


def certificate_names(host_part: str) -> list[str]:
    """The subject alternative names of a node's certificate. OTP before 26.2.3 compares an address as a DNS name, later releases as an address."""
    return [f"DNS:{host_part}", *([f"IP:{addresses.parse(host_part)}"] if addresses.is_address(host_part) else [])]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CRLs of a whole cluster, as observe returns them."""

from __future__ import annotations

from typing import Any


def crl(name: str, **values: Any) -> dict[str, Any]:
    """The CRL of that CA in the directory of a node."""
    dates = {"this_update": "2026-11-01T00:00:00Z", "next_update": "2027-01-30T00:00:00Z"}
    return {"path": f"/etc/beam/beam@{name}/crl/0a0b0c0d.r0", "issuer": "CN=beam root", "found": True, "revoked": 1, **dates, **values}

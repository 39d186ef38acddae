# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes that are registered with the EPMD of this host.

Private to this collection.
"""

from __future__ import annotations

from typing import Any

from .._wire.errors import WireError
from .runner import names_all

_SECONDS = 5.0


def registered(address: str, port: int) -> dict[str, int]:
    """Ports by name (the part before the @). Raises WireError, with the code, if EPMD does not answer."""
    answer: dict[str, Any]
    (answer,) = names_all([(address, port)], source=None, timeout=_SECONDS, concurrency=1)
    if answer["code"] != "connected":
        raise WireError(str(answer["message"]), code=str(answer["code"]))
    return {node["name"]: node["port"] for node in answer["nodes"]}

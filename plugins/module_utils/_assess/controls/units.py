# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of a node's unit.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import ANALYZE, ERL, EXEC, UNIT
from .thresholds import LOW_PORTS_EXPOSURE, SANDBOX_EXPOSURE_MAX

CONTROLS = (
    Control(
        "unit-drop-in",
        "The unit runs with the drop-in, as the node's user, and starts at boot",
        "Without the drop-in the node has other flags. A node that does not start at boot is missing after the next boot.",
        "Write the drop-in, run systemctl daemon-reload, enable the unit and restart it. Rename a drop-in that sorts after it.",
        "service",
        (UNIT,),
        "high",
        "unit",
    ),
    Control(
        "unit-sandbox",
        f"systemd rates the exposure of the units of a node and of EPMD {SANDBOX_EXPOSURE_MAX} or lower; of a node that listens on low ports "
        f"{SANDBOX_EXPOSURE_MAX + LOW_PORTS_EXPOSURE}",
        "The sandbox limits what an attacker's code in a node or in EPMD can reach on the host.",
        "Set the sandbox directives of systemd.exec(5) in a drop-in. Remove later directives of the unit that override them. The role epmd writes "
        "the drop-in of epmd.service.",
        "service",
        (ANALYZE, EXEC),
        "medium",
        "unit",
    ),
    Control(
        "core-dumps",
        "The node leaves no core dump",
        "A core dump holds the memory of the VM: the cookie, the TLS keys and the data.",
        "Set LimitCORE=0 in a drop-in and restart the node; a running process keeps its limit.",
        "service",
        (EXEC, ERL),
        "medium",
        "unit",
    ),
)

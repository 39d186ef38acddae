# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the firewall of a host, and of what forwards connections past it.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import SECURE_CODING, UNIT

CONTROLS = (
    Control(
        "firewall-rules",
        "Exactly the members can reach EPMD and the distribution ports through the firewall",
        "The firewall protects a node from flaws in EPMD, TLS and the handshake. The OTP packages of Debian have some.",
        "Load the table inet beam_cluster. It accepts packets from members to these ports and drops all others, for IPv4 and IPv6.",
        "firewall",
        (SECURE_CODING,),
        "critical",
        "firewall",
    ),
    Control(
        "firewall-boot",
        "The firewall is loaded before the node, at every boot",
        "If the listener starts before the rules are loaded, it is open to everybody until then.",
        "Enable beam-firewall.service, and add it to After= and Requires= of the node's unit.",
        "firewall",
        (UNIT,),
        "high",
        "firewall",
    ),
    Control(
        "forwarded-ports",
        "Nothing on a member's host forwards connections to EPMD or to a node's port",
        "A proxy (socat, HAProxy, nginx, systemd-socket-proxyd) or a rule with DNAT opens the port to everybody who reaches it. The firewall of the "
        "node sees a connection from a member.",
        "Stop the program or delete the rule that the finding names. Remove it from the configuration that starts it at boot.",
        "",
        (SECURE_CODING,),
        "high",
        "system",
    ),
)

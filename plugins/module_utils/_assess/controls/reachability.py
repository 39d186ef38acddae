# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what hosts outside, members at public addresses, and other users of a host reach. All are attacks.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import EPMD, PROTOCOL, SECURE_CODING

CONTROLS = (
    Control(
        "outside-epmd",
        "EPMD does not answer hosts outside the cluster",
        "EPMD gives the names and ports of the nodes to an attacker without authentication.",
        "Drop packets from other hosts to EPMD's port, and bind EPMD to the cluster address.",
        "firewall",
        (SECURE_CODING,),
        "high",
        "attacks",
    ),
    Control(
        "outside-distribution-port",
        "Hosts outside the cluster do not reach a node's port",
        "Before authentication, each name costs the node an atom that is never freed, and silent connections keep its peers from connecting.",
        "Drop packets from other hosts to the port range, and set inet_dist_use_interface.",
        "firewall",
        (SECURE_CODING, PROTOCOL),
        "critical",
        "attacks",
    ),
    Control(
        "member-public-epmd",
        "EPMD does not answer on a public address, not even to a member",
        "What a member reaches over a public network, others on that network may reach, too.",
        "Bind EPMD to loopback and the cluster address.",
        "epmd",
        (SECURE_CODING,),
        "medium",
        "attacks",
    ),
    Control(
        "member-public-distribution-port",
        "A node does not listen on a public address, not even for a member",
        "What a member reaches over a public network, others on that network may reach, too.",
        "Set inet_dist_use_interface.",
        "distribution",
        (SECURE_CODING,),
        "high",
        "attacks",
    ),
    Control(
        "local-epmd",
        "EPMD does not answer other users of the host",
        "A user that reaches EPMD can register the name of a node that is down. Its peers then connect to that user's process.",
        "Reject connections over lo from other users than root and those of the nodes. beam_firewall_local_users lists exceptions.",
        "firewall",
        (SECURE_CODING, EPMD),
        "medium",
        "attacks",
    ),
    Control(
        "local-distribution-port",
        "Other users of the host do not reach a node's port",
        "Peers and the network's firewall cannot tell which user of a member's host connects.",
        "Reject connections over lo from other users than root and those of the nodes. beam_firewall_local_users lists exceptions.",
        "firewall",
        (SECURE_CODING,),
        "medium",
        "attacks",
    ),
)

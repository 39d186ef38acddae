# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what can be reached, and from where: EPMD, the distribution ports, the firewall.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import EPMD, KERNEL, PROTOCOL, SECURE_CODING, UNIT, Control

CONTROLS = (
    Control(
        "epmd-listeners",
        "EPMD listens on loopback and the cluster address only, or not at all",
        "EPMD gives the names and ports of all nodes to everybody who asks, without authentication. Slow connections exhaust it.",
        "Set ListenStream= in epmd.socket (or ERL_EPMD_ADDRESS) to these addresses. Stop any other process on the port that the finding names.",
        "epmd",
        (SECURE_CODING, EPMD),
        "high",
        "listeners",
    ),
    Control(
        "distribution-listeners",
        "A node listens for its peers on its cluster address only, or not at all",
        "A peer that completes the handshake runs code as the node's user. A handshake that cannot start cannot be attacked.",
        "Set -kernel inet_dist_use_interface, inet_dist_listen_min and inet_dist_listen_max, and restart the node. Where flags are lost, find the "
        "drop-in or file that sets ERL_AFLAGS with systemctl cat. End a VM that was started by hand.",
        "distribution",
        (SECURE_CODING, KERNEL),
        "critical",
        "listeners",
    ),
    Control(
        "firewall-rules",
        "The firewall lets exactly the members reach EPMD and the distribution ports",
        "It protects a node from flaws in EPMD, TLS and the handshake. The OTP packages of Debian have some.",
        "Load the table inet beam_cluster: it accepts the members at these ports and drops every other packet to them, in both address families.",
        "firewall",
        (SECURE_CODING,),
        "critical",
        "firewall",
    ),
    Control(
        "firewall-boot",
        "The firewall is loaded before the node, at every boot",
        "If the listener starts before the rules, it is open to everybody in between.",
        "Enable beam-firewall.service, and let the node's unit have it in After= and Requires=.",
        "firewall",
        (UNIT,),
        "high",
        "firewall",
    ),
    Control(
        "forwarded-ports",
        "Nothing on a member's host forwards connections to EPMD or to a node's port",
        "A proxy (socat, HAProxy, nginx, systemd-socket-proxyd) or a rule with DNAT opens the port for everybody that reaches it. For the firewall "
        "of the node the connection comes from a member.",
        "Stop the program, or delete the rule, that the finding names, and remove it from the configuration that starts it at boot.",
        "",
        (SECURE_CODING,),
        "high",
        "system",
    ),
    Control(
        "outside-epmd",
        "EPMD does not answer hosts outside the cluster",
        "An attacker asks for names and ports of the nodes first, and EPMD has no authentication.",
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
        "Peers and the network's firewall see a member's host, whichever user connects.",
        "Reject connections over lo from other users than root and those of the nodes. beam_firewall_local_users lists exceptions.",
        "firewall",
        (SECURE_CODING,),
        "medium",
        "attacks",
    ),
)

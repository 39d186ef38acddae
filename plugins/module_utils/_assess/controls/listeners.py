# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of where nodes listen for their peers, and of VMs that are no members.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import DISTRIBUTED, EEF_DISTRIBUTION, KERNEL, SECURE_CODING
from .thresholds import PORTS_MAX

CONTROLS = (
    Control(
        "distribution-listeners",
        "A node listens for its peers on its cluster address only, or not at all",
        "A peer that completes the handshake runs code as the node's user. A handshake that cannot start cannot be attacked.",
        "Set -kernel inet_dist_use_interface, inet_dist_listen_min and inet_dist_listen_max, and restart the node. If flags are lost, find the "
        "drop-in or file that sets ERL_AFLAGS with systemctl cat. Stop a VM that was started by hand.",
        "distribution",
        (SECURE_CODING, KERNEL),
        "critical",
        "listeners",
    ),
    Control(
        "port-range",
        f"A node listens for peers at a fixed port, or in a range of {PORTS_MAX} ports or fewer",
        "A node without a range listens on any free port, so no firewall rule can accept exactly its peers.",
        "Set inet_dist_listen_min and inet_dist_listen_max (beam_ports), FIREWALL_WINDOW or ERL_DIST_PORT, and restart the node.",
        "distribution",
        (KERNEL, EEF_DISTRIBUTION),
        "medium",
        "listeners",
    ),
    Control(
        "distribution-needed",
        "A node without a connection to another host listens on loopback only, or not at all",
        "A distribution port that no peer uses is useful to attackers only.",
        "Start the node with -kernel inet_dist_use_interface '{127,0,0,1}', or without distribution: -proto_dist none, RELEASE_DISTRIBUTION=none, "
        "beam_mode: standalone or off.",
        "distribution",
        (EEF_DISTRIBUTION, SECURE_CODING),
        "medium",
        "listeners",
        audit_only=True,
    ),
    Control(
        "ipv6-exposure",
        "The ports of a node for its clients are not more exposed over IPv6 than over IPv4",
        "A listener that is bound to one IPv4 address and to every IPv6 address is open to all networks that have IPv6, often unseen.",
        "Bind the IPv6 listener to one address in the product's configuration, as the IPv4 listener is.",
        "",
        (SECURE_CODING,),
        "medium",
        "listeners",
        audit_only=True,
    ),
    Control(
        "unplanned-nodes",
        "No other Erlang VM on a member's host accepts distribution connections, now or from the next boot on",
        "Everybody who reaches such a VM and knows its cookie runs code on the host, beside the nodes of the cluster.",
        "Stop the VM, or start it without -name, -sname and -proto_dist. If it has to run, harden it, or move it to another host. Remove what starts "
        "a second node or a second EPMD later: the line of cron or rc.local, the unit (also of a user: ~/.config/systemd/user), the generator.",
        "",
        (SECURE_CODING, DISTRIBUTED),
        "high",
        "listeners",
    ),
)

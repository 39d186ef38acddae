# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the links between members and of the settings that they share.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import EPMD, KERNEL, NODES, PROTOCOL, TLS_GUIDE

CONTROLS = (
    Control(
        "mesh-connected",
        "Nodes connect to each other, over TLS where it is planned, and each proves its name",
        "Neither flags nor the state of a unit prove TLS: with -proto_dist given twice, OTP before 27.1 speaks clear text. Only a connection proves "
        "it.",
        "Look up the code of the finding in docs/codes.md, which names the layer that refused the connection.",
        "",
        (TLS_GUIDE, PROTOCOL),
        "critical",
        "probes",
    ),
    Control(
        "mesh-members",
        "Every node is connected to every other member, and to no other node",
        "Probes that reach all nodes do not prove that the nodes reach each other. A non-member that is connected can run code on all nodes.",
        "For a missing node: read the log of the node that the finding names. For a non-member: stop it, then change the cookie and the "
        "certificates, because it has both.",
        "",
        (NODES,),
        "critical",
        "mesh",
    ),
    Control(
        "mesh-settings",
        "Every node runs with the planned parameters for lost connections",
        "If nodes disagree about when a peer is lost, the cluster splits.",
        "Set beam_net_ticktime and the other variables of the cluster once for all. Remove the product's own settings that override them.",
        "distribution",
        (KERNEL,),
        "medium",
        "mesh",
    ),
    Control(
        "mesh-node",
        "No node prevents its peers from connecting",
        "One node with another cookie, a bad certificate or a wrong registration breaks all its connections. The finding names that node and the "
        "cause.",
        "Follow the finding: it names the node, the cause and the fix.",
        "",
        (TLS_GUIDE, EPMD),
        "critical",
        "probes",
    ),
)

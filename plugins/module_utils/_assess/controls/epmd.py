# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of EPMD.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import EPMD, SECURE_CODING

CONTROLS = (
    Control(
        "epmd-listeners",
        "EPMD listens on loopback and the cluster address only, or not at all",
        "EPMD gives the names and ports of all nodes to everybody who connects, without authentication. Slow connections exhaust it.",
        "Set ListenStream= in epmd.socket (or ERL_EPMD_ADDRESS) to these addresses. Stop any other process on the port that the finding names.",
        "epmd",
        (SECURE_CODING, EPMD),
        "high",
        "listeners",
    ),
    Control(
        "epmd-names",
        "EPMD names the planned nodes at their own ports, and no other nodes",
        "Peers connect to the port that EPMD names. Any local user that reaches EPMD can take the name of a node that is not registered.",
        "Stop the process that holds the name, then restart the node so that it registers again.",
        "epmd",
        (EPMD,),
        "high",
        "listeners",
    ),
    Control(
        "epmd-needed",
        "EPMD runs only on hosts with a node that uses it",
        "A local user can register any name with an EPMD that no node uses. Peers then connect to that user.",
        "Stop it: systemctl disable --now epmd.socket epmd.service. Without EPMD, set beam_discovery: fixed_port.",
        "epmd",
        (SECURE_CODING, EPMD),
        "medium",
        "listeners",
    ),
    Control(
        "epmd-user",
        "EPMD runs as its own user: not root, not a node's user",
        "EPMD reads packets from everybody who reaches it. If it runs as a node's user, a flaw in it gives access to the node's cookie and key.",
        "Start EPMD by epmd.socket and epmd.service with User=epmd, before the first node starts one.",
        "epmd",
        (EPMD, SECURE_CODING),
        "medium",
        "processes",
    ),
    Control(
        "epmd-commands",
        "EPMD refuses commands of local programs to stop, or to release a name",
        "With -relaxed_command_check every local user can stop EPMD, or take the name of a running node.",
        "Remove -relaxed_command_check and ERL_EPMD_RELAXED_COMMAND_CHECK, and restart EPMD.",
        "epmd",
        (EPMD,),
        "medium",
        "processes",
    ),
    Control(
        "epmd-debug",
        "EPMD does not run in debug mode",
        "With -d EPMD logs every request without a limit: names, addresses and ports of its clients.",
        "Start EPMD without -d and -debug.",
        "epmd",
        (EPMD,),
        "low",
        "processes",
    ),
    Control(
        "epmd-running",
        "The running EPMD is the program on disk",
        "An upgrade changes files. EPMD keeps running with the flaws of the old program, often for years.",
        "Restart it: systemctl restart epmd.service.",
        "epmd",
        (EPMD,),
        "medium",
        "processes",
        audit_only=True,
    ),
)

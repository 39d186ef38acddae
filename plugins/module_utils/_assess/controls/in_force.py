# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what a running node has in force, as it says itself, and of its links as its host's kernel sees them.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import DISTRIBUTED, EPMD, ERL, KERNEL, NET_KERNEL, NODES, SECURE_CODING, TLS_GUIDE, Control

_AUTH = ("erlang:set_cookie/2", "https://www.erlang.org/doc/apps/erts/erlang.html#set_cookie/2")

CONTROLS = (
    Control(
        "tls-options",
        "The running node verifies its peers with the planned TLS options, as server and as client",
        "Each side of a connection verifies with options of its own. A client with verify_none connects to everybody, and every handshake between "
        "honest nodes works all the same.",
        "Set both lists of the option file: verify_peer, the cluster's CA file, the planned versions, fail_if_no_peer_cert for the server. Remove "
        "verify_fun and partial_chain. Restart the node.",
        "distribution",
        (TLS_GUIDE, ("ssl(3), verify and verify_fun", "https://www.erlang.org/doc/apps/ssl/ssl.html")),
        "critical",
        "mesh",
    ),
    Control(
        "allow-list",
        "The running node lets members connect by name, and no other names",
        "Every name in net_kernel's allow list may connect with the cookie and a certificate of the CA.",
        "net_kernel:allow/1 only adds names, so that a name stays until the node restarts: run beam.cluster.restart. The name of a host that left is "
        "accepted while the host is in the inventory with beam_state: absent. If no host left, find out who added the name.",
        "distribution",
        (NET_KERNEL,),
        "high",
        "mesh",
    ),
    Control(
        "peer-cookies",
        "The running node uses one cookie for all members",
        "erlang:set_cookie/2 and -setcookie NODE COOKIE give a peer a cookie of its own. It stays until the node restarts, whatever is rotated.",
        "Remove the call or the flag, and restart the node.",
        "distribution",
        (_AUTH, DISTRIBUTED),
        "medium",
        "mesh",
    ),
    Control(
        "links",
        "Every link that is up leads to a member, and uses TLS where it is planned",
        "A link outlives the settings that it was made with. A link to a non-member, or in clear text, stays until somebody cuts it.",
        "Cut the link with erlang:disconnect_node/1, or restart the node. Find out how the peer could connect.",
        "",
        (NODES, SECURE_CODING),
        "critical",
        "mesh",
    ),
    Control(
        "planned-files",
        "The files that a node starts with contain what the plan says",
        "A changed file is in force after the next start, if it is not already.",
        "Run beam.cluster.site: it writes the files again and restarts the node if needed. Put changes of your own into the inventory.",
        "distribution",
        (TLS_GUIDE, ERL),
        "high",
        "files",
    ),
    Control(
        "unplanned-nodes",
        "No other Erlang VM on a member's host takes distribution connections",
        "Everybody who reaches such a VM and knows its cookie runs code on the host, beside the nodes of the cluster.",
        "Stop the VM, or start it without -name, -sname and -proto_dist. If it has to run, harden it, or move it to another host.",
        "",
        (SECURE_CODING, DISTRIBUTED),
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
        "start-environment",
        "Nothing but the unit, its files and the plan adds code or flags to the node",
        "Variables such as ERL_ZFLAGS and ERL_LIBS, a file .erlang in the home, a second -args_file and -eval change what a node runs, unseen in its "
        "configuration.",
        "Remove the variable, the file or the flag that the finding names, and restart the node. Put flags into beam_distribution_extra_args.",
        "service",
        (ERL, KERNEL),
        "high",
        "processes",
    ),
    Control(
        "code-path",
        "The node's user cannot write the code that the node loads",
        "Whoever runs code in a node writes a module that the node loads after its next start, too.",
        "Let root own the directory, and remove write access of the node's user and of others.",
        "",
        (("code(3)", "https://www.erlang.org/doc/apps/kernel/code.html"),),
        "medium",
        "files",
    ),
    Control(
        "running-code",
        "The modules of the running node that decide who connects are those of its OTP",
        "A module that is loaded from elsewhere, or was replaced while the node runs, undoes every setting: no file and no flag shows it.",
        "Restart the node. Remove the -pa, ERL_LIBS or boot script that the module comes from, and the tool that loads it.",
        "",
        (("code(3)", "https://www.erlang.org/doc/apps/kernel/code.html"), SECURE_CODING),
        "critical",
        "mesh",
    ),
    Control(
        "mesh-node",
        "No node keeps its peers from connecting",
        "One node with another cookie, a bad certificate or a wrong registration breaks all its connections. The finding names that node and the "
        "cause.",
        "Do what the finding says.",
        "",
        (TLS_GUIDE, EPMD),
        "critical",
        "probes",
    ),
)

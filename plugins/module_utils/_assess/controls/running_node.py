# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what a running node answers when it is asked: what it has loaded and uses, whatever its files say.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import DISTRIBUTED, EEF_ATOMS, NET_KERNEL, NODES, PROTOCOL, SECURE_CODING, TLS_GUIDE, Control

ATOMS_PART_MAX = 0.5
"""Part of its table of atoms that a node may use."""

_SSH = ("ssh(6), ssh:daemon/2", "https://www.erlang.org/doc/apps/ssh/ssh.html#daemon/2")
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
        "code-path",
        "The node's user cannot write the code that the node loads",
        "Code in a node could write a module that the node loads after its next start, too.",
        "Let root own the directory, and remove write access of the node's user and of others.",
        "",
        (("code(3)", "https://www.erlang.org/doc/apps/kernel/code.html"),),
        "medium",
        "files",
    ),
    Control(
        "running-code",
        "The modules of the running node that decide who connects are those of its OTP, and every module of a bare node comes from its code path",
        "A module that is loaded from elsewhere, or was replaced while the node runs, undoes every setting: no file and no flag shows it.",
        "Restart the node. Remove the -pa, ERL_LIBS or boot script that the module comes from, and the tool that loads it.",
        "",
        (("code(3)", "https://www.erlang.org/doc/apps/kernel/code.html"), SECURE_CODING),
        "critical",
        "mesh",
    ),
    Control(
        "ssh-daemons",
        "No SSH server runs in a node",
        "ssh:daemon gives an Erlang shell by default: code in the node for a password or key, beside the cookie and the certificates.",
        "Stop it with ssh:stop_daemon/1, and remove the call that starts it. If it has to run, waive this control and restrict its users.",
        "",
        (_SSH, SECURE_CODING),
        "high",
        "mesh",
    ),
    Control(
        "atom-table",
        f"A node uses at most {100 * ATOMS_PART_MAX:.0f} percent of its table of atoms",
        "Atoms are never freed. Each handshake with a new name costs one, before the cookie is proven. A node with a full table stops.",
        "Find what makes atoms (binary_to_atom of input), restart the node, and set a larger table with +t. Close the port to others.",
        "",
        (EEF_ATOMS, PROTOCOL),
        "medium",
        "mesh",
    ),
)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what a running node answers when it is asked: what it has loaded and uses, whatever its files say.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import BOOT_SERVER, DISTRIBUTED, EEF_ATOMS, NET_KERNEL, NODES, PROTOCOL, SECURE_CODING, TLS_GUIDE
from .thresholds import ATOMS_PART_MAX

_SSH = ("ssh(6), ssh:daemon/2", "https://www.erlang.org/doc/apps/ssh/ssh.html#daemon/2")
_AUTH = ("erlang:set_cookie/2", "https://www.erlang.org/doc/apps/erts/erlang.html#set_cookie/2")

CONTROLS = (
    Control(
        "tls-options",
        "The running node verifies its peers with the planned TLS options, as server and as client",
        "Each side of a connection verifies with its own options. A client with verify_none connects to everybody, and no handshake between honest "
        "nodes shows this.",
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
        "A node with a name in net_kernel's allow list, the cookie and a certificate of the CA can connect.",
        "Run beam.cluster.restart: net_kernel:allow/1 only adds names, so a name stays until the node restarts. The finding does not list the name "
        "of a removed host while that host is in the inventory with beam_state: absent. If you removed no host, find out who added the name.",
        "distribution",
        (NET_KERNEL,),
        "high",
        "mesh",
    ),
    Control(
        "peer-cookies",
        "The running node uses one cookie for every node",
        "erlang:set_cookie/2 and -setcookie NODE COOKIE set a separate cookie for a peer. It stays until the node restarts, even if the cookie is "
        "rotated.",
        "Remove the call or the flag, and restart the node.",
        "distribution",
        (_AUTH, DISTRIBUTED),
        "medium",
        "mesh",
    ),
    Control(
        "member-addresses",
        "The running node looks for each member at its planned address, whatever /etc/hosts and DNS say",
        "Where a name leads decides to which host a node connects. In clear text that host sees an answer to its challenge. inet_db:add_host/2 "
        "changes it in a running node, and no file shows this.",
        "Run beam.cluster.site: it sends the list of members to the running node. If the finding stays, restart the node, and find out what calls "
        "inet_db:add_host/2 or inet_db:set_lookup/1.",
        "distribution",
        (("inet(3), configuration", "https://www.erlang.org/doc/apps/erts/inet_cfg.html"), DISTRIBUTED),
        "medium",
        "mesh",
    ),
    Control(
        "links",
        "Every link that is up leads to a member, and uses TLS where it is planned",
        "A link stays up when settings change. A link to a non-member, or in clear text, stays until it is cut.",
        "Cut the link with erlang:disconnect_node/1, or restart the node. Find out how the peer could connect.",
        "",
        (NODES, SECURE_CODING),
        "critical",
        "mesh",
    ),
    Control(
        "code-path",
        "The node's user cannot write the code that the node loads",
        "An attacker's code in the node could write a module that the node loads after every start.",
        "Set owner root for the directory, and remove write permission of the node's user and of others.",
        "",
        (("code(3)", "https://www.erlang.org/doc/apps/kernel/code.html"),),
        "medium",
        "files",
    ),
    Control(
        "running-code",
        "The modules of the running node that decide about connections are those of its OTP, and all modules of a bare node come from its code path",
        "A module that is loaded from elsewhere, or was replaced in the running node, can override every setting. No file and no flag shows it. The "
        "modules of RabbitMQ and ejabberd that decide about logins are compared with their files, too.",
        "Restart the node. Remove the -pa, ERL_LIBS or boot script that the module comes from, and the tool that loads it.",
        "",
        (("code(3)", "https://www.erlang.org/doc/apps/kernel/code.html"), SECURE_CODING),
        "critical",
        "mesh",
    ),
    Control(
        "ssh-daemons",
        "No SSH server runs in a node",
        "ssh:daemon gives an Erlang shell by default: a password or key is then enough to run code in the node, without cookie and certificate.",
        "Stop it with ssh:stop_daemon/1, and remove the call that starts it. If it has to run, waive this control and restrict its users.",
        "",
        (_SSH, SECURE_CODING),
        "high",
        "mesh",
    ),
    Control(
        "boot-server-running",
        "No boot server runs in a node",
        "erl_boot_server sends files to every host in its list, checks only the address, and uses clear text. Any code in the node can start it.",
        "Find out what called erl_boot_server:start/1, remove the call and the parameter start_boot_server, and restart the node. Then change the "
        "cookie and the keys: somebody may have read them.",
        "",
        (BOOT_SERVER,),
        "high",
        "mesh",
    ),
    Control(
        "rabbitmq-logins-running",
        "The running RabbitMQ lets guest connect from its own host only, and no user in with a password that everybody knows, or with none",
        "Everybody knows the password of guest, an administrator, and scanners try others like it. Users and parameters of a running node are in no "
        "configuration file.",
        "Run rabbitmqctl change_password or delete_user for the user that the finding names. For parameters, restart the node; if the finding stays, "
        "remove loopback_users and anonymous_login_user from its configuration.",
        "",
        (("RabbitMQ, Access control", "https://www.rabbitmq.com/docs/access-control"),),
        "high",
        "mesh",
    ),
    Control(
        "atom-table",
        f"A node uses at most {100 * ATOMS_PART_MAX:.0f} percent of its atom table",
        "Atoms are never freed. Each handshake with a new name costs one, before the cookie is proven. A node with a full table stops.",
        "Find the code that creates atoms (binary_to_atom of input), restart the node, and set a larger table with +t. Drop packets from "
        "non-members to its port.",
        "",
        (EEF_ATOMS, PROTOCOL),
        "medium",
        "mesh",
    ),
)

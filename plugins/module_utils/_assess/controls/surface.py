# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what else can be reached in a node: EPMD's liberties, other shells, IPv6, atoms; and whether it has to be reached at all.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import DISTRIBUTED, EEF_ATOMS, EEF_DISTRIBUTION, EPMD, KERNEL, PROTOCOL, SECURE_CODING, Control

ATOMS_PART_MAX = 0.5
"""Part of its table of atoms that a node may use."""

PORTS_MAX = 100
"""Ports in the range of one node."""

SHELL_HOURS_MAX = 24
"""Age of a remote shell in hours."""

_SSH = ("ssh(6), ssh:daemon/2", "https://www.erlang.org/doc/apps/ssh/ssh.html#daemon/2")
_NET_ADM = ("net_adm(3), .hosts.erlang", "https://www.erlang.org/doc/apps/kernel/net_adm.html")

CONTROLS = (
    Control(
        "epmd-needed",
        "EPMD runs only on hosts with a node that uses it",
        "An EPMD without a node is open for the names of others: a local user registers a name, and peers connect to that user.",
        "Stop it: systemctl disable --now epmd.socket epmd.service. Without EPMD, set beam_discovery: fixed_port.",
        "epmd",
        (SECURE_CODING, EPMD),
        "medium",
        "listeners",
    ),
    Control(
        "epmd-commands",
        "EPMD obeys no command to stop or to release a name from local programs",
        "With -relaxed_command_check every local user stops EPMD or takes the name of a node that runs.",
        "Remove -relaxed_command_check and ERL_EPMD_RELAXED_COMMAND_CHECK, and restart EPMD.",
        "epmd",
        (EPMD,),
        "medium",
        "processes",
    ),
    Control(
        "epmd-debug",
        "EPMD does not run in debug mode",
        "With -d it writes every request to its output: names, addresses and ports of all that ask, without a limit.",
        "Start EPMD without -d and -debug.",
        "epmd",
        (EPMD,),
        "low",
        "processes",
    ),
    Control(
        "ipv6-exposure",
        "The ports of a node for its clients are not more exposed over IPv6 than over IPv4",
        "A listener that is bound to one IPv4 address and to every IPv6 address is open to all networks that have IPv6, often unseen.",
        "Bind the IPv6 listener in the product's configuration to the address that is meant, as the one of IPv4 is.",
        "",
        (SECURE_CODING,),
        "medium",
        "listeners",
        audit_only=True,
    ),
    Control(
        "port-range",
        f"A node listens for peers at a fixed port, or in a range of {PORTS_MAX} ports or fewer",
        "A node without a range takes any free port, so that no firewall can let exactly its peers in.",
        "Set inet_dist_listen_min and inet_dist_listen_max (beam_ports), FIREWALL_WINDOW or ERL_DIST_PORT, and restart the node.",
        "distribution",
        (KERNEL, EEF_DISTRIBUTION),
        "medium",
        "listeners",
    ),
    Control(
        "distribution-needed",
        "A node without a connection to another host listens on loopback only, or not at all",
        "Distribution that no peer uses is a door for others only.",
        "Start the node with -kernel inet_dist_use_interface '{127,0,0,1}', or without distribution: -proto_dist none, RELEASE_DISTRIBUTION=none, "
        "beam_mode: standalone or off.",
        "distribution",
        (EEF_DISTRIBUTION, SECURE_CODING),
        "medium",
        "listeners",
        audit_only=True,
    ),
    Control(
        "remote-shells",
        f"No remote shell is open for more than {SHELL_HOURS_MAX} hours",
        "A forgotten shell in a terminal multiplexer runs code in the node for the next user of that terminal.",
        "Leave the shell: press Ctrl-G and q, or end its process.",
        "",
        (DISTRIBUTED,),
        "low",
        "processes",
        audit_only=True,
    ),
    Control(
        "boot-server",
        "A node serves no code and no files to other hosts",
        "erl_boot_server gives files to every host in its list, by address alone and in clear text: the cookie file is one of them.",
        "Remove start_boot_server from the parameters of the application kernel, and restart the node.",
        "",
        (("erl_boot_server(3)", "https://www.erlang.org/doc/apps/kernel/erl_boot_server.html"), KERNEL),
        "high",
        "processes",
        audit_only=True,
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
    Control(
        "hosts-file",
        "No file .hosts.erlang lies in the home of a node",
        "net_adm:world/0 connects to every node on the hosts in this file: also to nodes of others.",
        "Remove the file. List the peers in the configuration of the node.",
        "",
        (_NET_ADM,),
        "low",
        "files",
        audit_only=True,
    ),
)

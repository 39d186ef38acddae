# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what a node reads when it starts.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import EEF_RELEASES, ERL, KERNEL, SECURE_CODING, TLS_GUIDE, Control

_NET_ADM = ("net_adm(3), .hosts.erlang", "https://www.erlang.org/doc/apps/kernel/net_adm.html")

CONTROLS = (
    Control(
        "start-files",
        "Only root can change the files and directories that a node reads when it starts",
        "Code in the node, or another user, that writes one of them comes back with every start: arguments, configuration and boot files, start "
        "scripts, environment files and directories of code decide what the VM runs.",
        "Let root own the files that the finding names and the directories above them, with mode 0644 and 0755: chown root, chmod go-w. "
        "Give the node another directory for its data.",
        "",
        (ERL, SECURE_CODING, EEF_RELEASES),
        "high",
        "files",
    ),
    Control(
        "options-file",
        "Files that the VM evaluates at start belong to root, and no other user can write or replace them",
        "The TLS options file is an Erlang expression that the VM evaluates. A user who writes or replaces it runs code in the node and can turn "
        "verification off. Arguments, the unit, its guard and the rules of the firewall decide as much.",
        "Set owner root and mode 0644. Let no other user own, or write, a directory above these files.",
        "distribution",
        (TLS_GUIDE,),
        "critical",
        "files",
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

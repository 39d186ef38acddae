# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of what a node reads when it starts, and of what keeps it from being changed.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import EEF_RELEASES, ERL, KERNEL, SECURE_CODING, SYSUSERS, TLS_GUIDE, TMPFILES

_NET_ADM = ("net_adm(3), .hosts.erlang", "https://www.erlang.org/doc/apps/kernel/net_adm.html")
_CHATTR = ("chattr(1)", "https://man7.org/linux/man-pages/man1/chattr.1.html")

CONTROLS = (
    Control(
        "start-files",
        "Only root can change the files and directories that a node reads when it starts",
        "Code that is written to one of these files runs at every start. Arguments, configuration and boot files, start scripts, environment files "
        "and code directories decide what the VM runs.",
        "Set owner root and mode 0644 for the files that the finding names, and owner root and mode 0755 for the directories above them: chown "
        "root, chmod go-w. Use another directory for the node's data.",
        "",
        (ERL, SECURE_CODING, EEF_RELEASES),
        "high",
        "files",
    ),
    Control(
        "options-file",
        "Files that the VM evaluates at start belong to root, and no other user can write or replace them",
        "The TLS options file is an Erlang expression that the VM evaluates. A user who writes or replaces it runs code in the node and can turn "
        "verification off. Arguments, the unit, its guard and the firewall rules are as critical.",
        "Set owner root and mode 0644. Remove ownership and write permission on the directories above these files from other users.",
        "distribution",
        (TLS_GUIDE,),
        "critical",
        "files",
    ),
    Control(
        "planned-files",
        "The files that a node starts with contain what the plan says",
        "A changed file is in force after the next start, or already.",
        "Run beam.cluster.site: it writes the files again and restarts the node if needed. Make your own changes in the inventory.",
        "distribution",
        (TLS_GUIDE, ERL),
        "high",
        "files",
    ),
    Control(
        "start-environment",
        "Only the unit, its files and the plan add code or flags to the node",
        "Variables such as ERL_ZFLAGS and ERL_LIBS, a file .erlang in the home, a second -args_file and -eval change what a node runs, and its "
        "configuration does not show it.",
        "Remove the variable, the file or the flag that the finding names, and restart the node. Add your own flags to beam_distribution_extra_args.",
        "service",
        (ERL, KERNEL),
        "high",
        "processes",
    ),
    Control(
        "files-at-boot",
        "No line of tmpfiles.d or sysusers.d and no job opens, replaces or removes a file of a node",
        "systemd-tmpfiles sets owner, mode and ACL of files at each boot, and when packages are installed. A line can undo a mode long after it was "
        "verified. systemd-sysusers adds users to groups at the same times. A job of cron, a hook or a unit can do the same with chmod or cp, and a "
        "mount of fstab hides files.",
        "Remove the line that the finding names. Of a file in /usr/lib/tmpfiles.d or /usr/lib/sysusers.d, put a file of the same name without the "
        "line into /etc/tmpfiles.d or /etc/sysusers.d.",
        "",
        (TMPFILES, SYSUSERS),
        "medium",
        "files",
    ),
    Control(
        "changeable-files",
        "Root can change the files of the nodes",
        "A key, a certificate or a cookie that cannot be changed stays in force when it ends or is known to others: renewal, rotation and the "
        "response to a compromise stop at that file.",
        "Remove the attributes of the file with chattr -i -a, mount its file system read-write, or free space, as the finding says.",
        "",
        (_CHATTR,),
        "medium",
        "files",
    ),
    Control(
        "hosts-file",
        "There is no file .hosts.erlang in the home of a node",
        "net_adm:world/0 connects to every node on the hosts in this file, also to nodes of other clusters.",
        "Remove the file. List the peers in the configuration of the node.",
        "",
        (_NET_ADM,),
        "low",
        "files",
    ),
)

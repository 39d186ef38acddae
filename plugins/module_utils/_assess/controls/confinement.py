# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of how a running node and EPMD are confined.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import CRASH_DUMPS, EEF_CRASH_DUMPS, EEF_SANDBOXING, EXEC, PROC, SECURE_CODING

_CAPABILITIES = ("capabilities(7)", "https://man7.org/linux/man-pages/man7/capabilities.7.html")
_SECCOMP = ("seccomp(2)", "https://man7.org/linux/man-pages/man2/seccomp.2.html")

CONTROLS = (
    Control(
        "node-user",
        "A node runs as its own user, which is not root",
        "Code that an attacker runs in the node has the rights of its user: as root it controls the whole host, as a shared user every service of "
        "that user.",
        "Create a system user for the node and set User= in its unit. Give other services other users.",
        "product",
        (SECURE_CODING, EEF_SANDBOXING),
        "high",
        "processes",
    ),
    Control(
        "node-groups",
        "The running node and EPMD are in no group with the rights of root",
        "Members of the groups docker, disk, shadow, sudo and similar can become root. Code in the node then controls the whole host.",
        "Remove Group= and SupplementaryGroups= from the unit, and the user from the group: gpasswd --delete USER GROUP. Restart the node.",
        "",
        (EXEC, SECURE_CODING),
        "high",
        "processes",
    ),
    Control(
        "no-new-privileges",
        "The running node and EPMD cannot gain privileges",
        "Through a setuid program such as su, code in the node can get rights that its user does not have.",
        "Set NoNewPrivileges=yes in a drop-in of the unit and restart it. The finding shows the state of the process, not the unit file.",
        "service",
        (EXEC, PROC),
        "medium",
        "processes",
    ),
    Control(
        "capabilities",
        "The running node and EPMD have no capability except CAP_NET_BIND_SERVICE",
        "Capabilities are parts of root's rights. Many of them are enough to become root.",
        "Set CapabilityBoundingSet= and AmbientCapabilities= to nothing, or to CAP_NET_BIND_SERVICE, in a drop-in, and restart the unit.",
        "service",
        (_CAPABILITIES, EXEC),
        "high",
        "processes",
    ),
    Control(
        "system-calls",
        "A filter of system calls is in force for the running node and EPMD",
        "Most flaws of the kernel are in system calls that no node needs.",
        "Set SystemCallFilter=@system-service in a drop-in of the unit and restart it.",
        "service",
        (_SECCOMP, EXEC),
        "low",
        "processes",
    ),
    Control(
        "crash-dump-settings",
        "A crash of the node leaves no crash dump, or one in a private directory",
        "A crash dump holds the memory of all processes: the cookie, keys and data. Without a setting it is written to the working directory.",
        "Set ERL_CRASH_DUMP_SECONDS=0, or ERL_CRASH_DUMP to a file in a directory with mode 0700 (beam_service_crash_dump_directory), and restart.",
        "service",
        (CRASH_DUMPS, EEF_CRASH_DUMPS),
        "medium",
        "processes",
    ),
)

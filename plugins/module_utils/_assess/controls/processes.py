# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the processes that run: the node itself, its VM, remote shells.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import BOOT_SERVER, DESIGN, DISTRIBUTED, KERNEL
from .thresholds import SHELL_HOURS_MAX

CONTROLS = (
    Control(
        "running-process",
        "The running node is the one that the files describe",
        "A node keeps the options that it was started with. Files that changed later, or that are hidden by its own mounts, have no effect.",
        "Remove BindPaths=, TemporaryFileSystem= and RootDirectory= if the finding names them, and restart the node.",
        "service",
        (DESIGN,),
        "high",
        "processes",
    ),
    Control(
        "running-vm",
        "The running VM is the OTP on disk",
        "An upgrade changes files. A node keeps the VM and the libraries that it has loaded, with their vulnerabilities, until it restarts.",
        "Restart the node. beam.cluster.site restarts such nodes one at a time.",
        "service",
        (("proc(5), /proc/PID/exe and /proc/PID/maps", "https://man7.org/linux/man-pages/man5/proc_pid_exe.5.html"),),
        "high",
        "processes",
    ),
    Control(
        "traced-processes",
        "No program traces a node or EPMD",
        "Whoever traces a process reads its memory, with the cookie and the key in it, and runs code in it.",
        "End the program that the finding names (a debugger, strace). If nobody on the team started it, see the guide for compromised hosts.",
        "",
        (("ptrace(2)", "https://man7.org/linux/man-pages/man2/ptrace.2.html"),),
        "high",
        "processes",
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
        "A node serves neither code nor files to other hosts",
        "erl_boot_server sends files to every host in its list, checks only the address, and uses clear text. The cookie file is one of these files.",
        "Remove start_boot_server from the parameters of the application kernel, and restart the node.",
        "",
        (BOOT_SERVER, KERNEL),
        "high",
        "processes",
        audit_only=True,
    ),
)

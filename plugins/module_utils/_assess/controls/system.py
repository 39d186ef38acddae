# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the operating system around a node, which no role of this collection sets. Those of verifications are about ways past the roles.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import EEF_CRASH_DUMPS, EEF_SANDBOXING, PKIX, PROC, SECURE_CODING
from .thresholds import CLOCK_SECONDS_MAX

_SYSCTL = ("The kernel's documentation, sysctl", "https://docs.kernel.org/admin-guide/sysctl/kernel.html")
_YAMA = ("The kernel's documentation, Yama", "https://docs.kernel.org/admin-guide/LSM/Yama.html")
_CRYPTTAB = ("crypttab(5)", "https://www.freedesktop.org/software/systemd/man/latest/crypttab.html")
_ADJTIMEX = ("adjtimex(2)", "https://man7.org/linux/man-pages/man2/adjtimex.2.html")

CONTROLS = (
    Control(
        "system-core-dumps",
        "The kernel writes no core dump of programs that change their user, and none to a shared directory",
        "A core dump holds the memory of a process. LimitCORE= of a node's unit does not apply to its tools and to other users.",
        "Set fs.suid_dumpable=0, and kernel.core_pattern to |/bin/false or to systemd-coredump, in a file of /etc/sysctl.d.",
        "",
        (_SYSCTL, EEF_CRASH_DUMPS),
        "low",
        "system",
        audit_only=True,
    ),
    Control(
        "system-ptrace",
        "A process cannot read the memory of another process of its user",
        "Code that runs as the node's user, in a tool or another node, can read the cookie and keys from the node's memory.",
        "Set kernel.yama.ptrace_scope=1 or higher in a file of /etc/sysctl.d.",
        "",
        (_YAMA,),
        "low",
        "system",
        audit_only=True,
    ),
    Control(
        "system-processes",
        "Users do not see the argument lists of other users' processes",
        "Arguments contain names, ports and files of the nodes, and sometimes secrets.",
        "Mount /proc with hidepid=invisible (in /etc/fstab), with gid= for users who need to see them.",
        "",
        (PROC, EEF_SANDBOXING),
        "info",
        "system",
        audit_only=True,
    ),
    Control(
        "system-loopback",
        "No network reaches the loopback addresses of a host",
        "With route_localnet, a host of the same network can send packets to 127.0.0.1. EPMD, management interfaces and nodes that listen there "
        "answer.",
        "Set net.ipv4.conf.all.route_localnet=0, and the same of the interface that the finding names, in /etc/sysctl.d. kube-proxy sets it: use its "
        "nftables or ipvs mode, or drop packets to 127.0.0.0/8 that do not come from lo.",
        "",
        (("Linux, IP sysctl, route_localnet", "https://docs.kernel.org/networking/ip-sysctl.html"),),
        "medium",
        "system",
    ),
    Control(
        "system-swap",
        "Memory is not swapped to a disk in clear text",
        "Cookies and keys in memory are written to the disk, and stay there after the host is switched off.",
        "Encrypt the swap area (crypttab with the option swap), use zram, or run without swap.",
        "",
        (_CRYPTTAB,),
        "low",
        "system",
        audit_only=True,
    ),
    Control(
        "system-time",
        "A time service synchronizes the kernel's clock",
        "With a clock that drifts, renewed certificates are refused, and the times in logs are wrong.",
        "Install a time service: apt install systemd-timesyncd, or chrony. Check it with timedatectl.",
        "",
        (_ADJTIMEX,),
        "medium",
        "system",
        audit_only=True,
    ),
    Control(
        "served-files",
        "No file server gives the keys, cookies and data of nodes to other hosts",
        "A client of NFS chooses the user that it reads as: mode 0400 does not keep it from a key. A share of Samba or rsync that is read as root or "
        "as the node's user has no modes at all.",
        "Remove the export, or export another directory. Of NFS, set all_squash or sec=krb5p; of Samba, remove force user and admin users; of rsync, "
        "set uid to a user of its own. Then change the cookie and the keys: beam_compromised replaces them.",
        "",
        (("exports(5)", "https://man7.org/linux/man-pages/man5/exports.5.html"), SECURE_CODING),
        "high",
        "system",
    ),
    Control(
        "clock-skew",
        f"The clock of a host differs from the controller's by {CLOCK_SECONDS_MAX} seconds or less",
        "Certificates are valid by the clock of the host that checks them: a slow clock refuses new certificates, and accepts expired ones.",
        "Set the clock, and install a time service, for example systemd-timesyncd or chrony.",
        "",
        (PKIX,),
        "medium",
        "system",
    ),
)

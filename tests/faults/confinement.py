# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what a node's process may do, and of programs beside it."""

from __future__ import annotations

from fault import ANCHORS, BESIDE, NODE, Fault
from running_node import DROP_INS, SHELL


def unconfined(name: str, lines: str, control: str, *names: str) -> Fault:
    """A drop-in after all others, in force after a restart."""
    file = f"{DROP_INS}/zzzz-{control}.conf"
    return Fault(
        name=name,
        breaks=f"{SHELL}printf '[Service]\\n%b\\n' '{lines}' > {file}; systemctl daemon-reload; restart",
        control=control,
        names=names,
        repair=f"{SHELL}rm -f {file}; systemctl daemon-reload; restart",
        alters=NODE,
    )


def _writable(name: str, path: str) -> Fault:
    """A file that is as planned, and that every user of the host can change."""
    breaks = f"{SHELL}stat -c %a {path} > $saved/mode; chmod a+w {path}"
    return Fault(name, breaks, "options-file", (path.rpartition("/")[2], "has mode"), f"{SHELL}chmod $(cat $saved/mode) {path}", alters=BESIDE)


_ALL_PRIVILEGES = (
    "NoNewPrivileges=no\\nSystemCallFilter=\\nSystemCallArchitectures=\\nRestrictAddressFamilies=\\nRestrictNamespaces=no\\nRestrictRealtime=no\\n"
    "RestrictSUIDSGID=no\\nMemoryDenyWriteExecute=no\\nLockPersonality=no\\nPrivateDevices=no\\nProtectClock=no\\nProtectHostname=no\\n"
    "ProtectKernelLogs=no\\nProtectKernelModules=no\\nProtectKernelTunables=no\\nDynamicUser=no"
)

FAULTS = (
    unconfined("a node that can gain privileges", _ALL_PRIVILEGES, "no-new-privileges", "can gain privileges"),
    unconfined("a node with a capability", "CapabilityBoundingSet=CAP_NET_ADMIN\\nAmbientCapabilities=CAP_NET_ADMIN", "capabilities", "net_admin"),
    unconfined("a node without a filter of system calls", _ALL_PRIVILEGES, "system-calls", "beam.smp"),
    unconfined(
        "the cookie in the environment of the node",
        "Environment=RELEASE_COOKIE='\"$(cat $home/.erlang.cookie)\"'",
        "cookie-environment",
        "holds its cookie in its environment",
    ),
    Fault(
        name="the cookie in the arguments of a program",
        breaks=SHELL + "systemd-run --quiet --collect --unit=cookie-shown python3 -c 'import time; time.sleep(3600)' $(cat $home/.erlang.cookie)",
        control="cookie-arguments",
        names=("python3", "shows a node's cookie"),
        repair="systemctl stop cookie-shown",
        alters=BESIDE,
    ),
    Fault(
        name="a program that everybody can replace",
        breaks="chmod 0777 /usr/lib/erlang/erts-*/bin",
        control="program-owner",
        names=("can be replaced by", "everybody"),
        repair="chmod 0755 /usr/lib/erlang/erts-*/bin",
        alters=BESIDE,
    ),
    Fault(
        name="a CA file that everybody can write",
        breaks=SHELL + "chmod 0666 $directory/tls/ca.pem",
        control="trust-file",
        names=("ca.pem", "0666"),
        repair=SHELL + "chmod 0644 $directory/tls/ca.pem",
        alters=ANCHORS,
    ),
    _writable("a guard that every user can write", "/etc/beam/guard"),
    _writable("variables of the unit that every user can write", "$directory/unit.env"),
    _writable("rules of the firewall that every user can write", "/etc/beam/firewall.nft"),
    _writable("a drop-in that every user can write", f"{DROP_INS}/zzz-beam.conf"),
    Fault(
        name="flags of tools that the user of the node owns",
        breaks=SHELL + "chown beam $directory/tool.args",
        control="options-file",
        names=("tool.args belongs to beam, not to root",),
        repair=SHELL + "chown root $directory/tool.args",
        alters=BESIDE,
    ),
    Fault(
        name="a module of OTP that the user of the node owns",
        breaks="file=$(ls /usr/lib/erlang/lib/stdlib-*/ebin/lists.beam); chown beam $file",
        control="code-path",
        names=("beam can put code into", "lists.beam"),
        repair="chown root $(ls /usr/lib/erlang/lib/stdlib-*/ebin/lists.beam)",
        alters=BESIDE,
    ),
)

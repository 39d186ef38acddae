# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what the process of a node may do."""

from __future__ import annotations

from fault import BESIDE, Fault
from makers import unconfined

_ALL_PRIVILEGES = (
    "NoNewPrivileges=no\\nSystemCallFilter=\\nSystemCallArchitectures=\\nRestrictAddressFamilies=\\nRestrictNamespaces=no\\nRestrictRealtime=no\\n"
    "RestrictSUIDSGID=no\\nMemoryDenyWriteExecute=no\\nLockPersonality=no\\nPrivateDevices=no\\nProtectClock=no\\nProtectHostname=no\\n"
    "ProtectKernelLogs=no\\nProtectKernelModules=no\\nProtectKernelTunables=no\\nDynamicUser=no"
)
FAULTS = (
    Fault(
        name="the node's user in a group that reads all passwords, before the next start",
        breaks="usermod -aG shadow beam",
        control="node-groups",
        names=("the user beam is in the group shadow, and so is the next process",),
        repair="gpasswd -d beam shadow",
        alters=BESIDE,
    ),
    unconfined("a node that can gain privileges", _ALL_PRIVILEGES, "no-new-privileges", "can gain privileges"),
    unconfined("a node with a capability", "CapabilityBoundingSet=CAP_NET_ADMIN\\nAmbientCapabilities=CAP_NET_ADMIN", "capabilities", "net_admin"),
    unconfined("a node without a filter of system calls", _ALL_PRIVILEGES, "system-calls", "beam.smp"),
    unconfined("a node in a group that writes programs", "SupplementaryGroups=staff", "node-groups", "is in the group staff"),
    unconfined(
        "a node whose crash dump goes to its working directory",
        "UnsetEnvironment=ERL_CRASH_DUMP_SECONDS ERL_CRASH_DUMP",
        "crash-dump-settings",
        "neither ERL_CRASH_DUMP_SECONDS=0 nor ERL_CRASH_DUMP is set",
    ),
    unconfined("a node in a group that reads all passwords", "SupplementaryGroups=shadow", "node-groups", "is in the group shadow"),
)

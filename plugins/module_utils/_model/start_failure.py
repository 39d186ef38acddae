# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a unit did not start, by the lines of its journal.

Private to this collection, pure. Secrets in the lines are removed here a second time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .failure_messages import redact
from .installed import DROP_IN


@dataclass(frozen=True)
class Cause:
    """`seen`: what the journal says. `cause` and `fix` with `{unit}` and `{0}`, the first group of `seen`."""

    seen: re.Pattern[str]
    cause: str
    fix: str


_LOCAL = "/etc/systemd/system/{unit}.d/zz-local.conf"

CAUSES = (
    Cause(re.compile(r"(?:beam guard|release): (.+)"), "{0}", "see docs/guard.md"),
    Cause(
        re.compile(r"Failed to set up mount namespacing: (?:/run/systemd/(?:unit-root|mount-rootfs))?([^:]+): No such file"),
        "{0} is a directory of the unit's sandbox and does not exist",
        "create {0}, or remove it from the settings that name it",
    ),
    Cause(
        re.compile(r"(?:\b(?:erofs|EROFS)\b|[Rr]ead-only file system)"),
        "the unit writes to a directory that its sandbox mounts read-only (ProtectSystem=strict)",
        f"name the directory in ReadWritePaths= in {_LOCAL}",
    ),
    Cause(
        re.compile(r"status=31/SYS|\bSIGSYS\b|[Bb]ad system call"),
        "the unit uses a system call that its sandbox does not allow (SystemCallFilter=)",
        f"allow it with SystemCallFilter= in {_LOCAL}",
    ),
    Cause(
        re.compile(r"\beafnosupport\b|address_family_not_supported|Address family not supported"),
        "the unit uses an address family that its sandbox or the kernel does not have (RestrictAddressFamilies=)",
        f"allow it with RestrictAddressFamilies= in {_LOCAL}, or remove the address from the product's settings",
    ),
    Cause(
        re.compile(r"\beaddrinuse\b|[Aa]ddress already in use"),
        "another program listens on a port of the node",
        "find it with 'ss -tlnp', and stop it or change the port",
    ),
    Cause(
        re.compile(r"the name (\S+) seems to be in use"),
        "another VM is registered with EPMD as {0}",
        "stop that VM: it was started by hand or by another unit",
    ),
    Cause(
        re.compile(r"status=203/EXEC"),
        "the command of the unit cannot be executed: it is missing, not executable, on a file system with noexec, or below /home",
        "check ExecStart= with 'systemctl cat {unit}'",
    ),
    Cause(re.compile(r"status=217/USER"), "the user of the unit does not exist", "create the user that 'systemctl cat {unit}' shows"),
    Cause(
        re.compile(r"status=200/CHDIR"),
        "the working directory of the unit does not exist, or its sandbox hides it (ProtectHome=)",
        "create the directory of WorkingDirectory=, outside /home and /root",
    ),
    Cause(
        re.compile(r"oom-kill|Out of memory|killed by the OOM killer"),
        "the kernel killed the node because memory was exhausted",
        "give the host more memory, or raise MemoryMax= of the unit",
    ),
    Cause(
        re.compile(r"inconsistent_database|incompatible_feature_flags|\bfailed_to_cluster_with\b|inconsistent_cluster"),
        "the node's data does not belong to the cluster that its peers form",
        "compare the cluster status of the nodes with the product's own tool",
    ),
    # Last: many programs write this of a port they are then refused for another reason.
    Cause(
        re.compile(r"\beacces\b|\bEACCES\b|[Pp]ermission denied"),
        "the unit was refused access to a port below 1024 (CapabilityBoundingSet=) or to a file",
        f"give the unit AmbientCapabilities=CAP_NET_BIND_SERVICE in {_LOCAL} if it is a port; check owner and mode if it is a file",
    ),
    Cause(
        re.compile(r"operation timed out"),
        "the node did not report its start in time: it waits for its peers, or loads much data",
        "read the log of the product; raise TimeoutStartSec= of {unit} if the start only takes longer",
    ),
)


def start_failure(lines: Sequence[str], unit: str) -> str:
    """The likely cause of a unit that did not start, and its fix, from the last lines of its journal."""
    for known in CAUSES:
        for line in reversed(lines):
            found = known.seen.search(line)
            if found:
                words = [redact(word) for word in found.groups()]
                return f"{known.cause.format(*words, unit=unit).rstrip('.')}. Fix: {known.fix.format(*words, unit=unit)}."
    return (
        "not known; what the collection adds to the unit is in "
        f"/etc/systemd/system/{unit}.d/{DROP_IN}. Fix: read the lines below, correct what they name, and run the playbook again."
    )

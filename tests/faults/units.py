# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of units, their guards and drop-ins."""

from __future__ import annotations

from fault import BESIDE, MESH, OPTIONS, Fault
from makers import DROP_INS, ETC, REGISTER, SHELL, WATCH, drop_in, epmd_drop_in, new_file, override


def _late(name: str, line: str, control: str, *names: str) -> Fault:
    """A drop-in that comes after all others."""
    file = f"{DROP_INS}/zzzz-{control}.conf"
    return Fault(
        name=name,
        breaks=f"printf '[Service]\\n%b\\n' '{line}' > {file}; systemctl daemon-reload",
        control=control,
        names=names,
        repair=f"rm -f {file}; systemctl daemon-reload",
        alters=BESIDE,
    )


FAULTS = (
    new_file(
        "core dumps for a program after the next boot",
        "/etc/sysctl.d/99-fault-core.conf",
        "kernel.core_pattern = |/usr/local/sbin/fault-core %p\\n",
        "core-dumps",
        "/etc/sysctl.d/99-fault-core.conf gives every core dump to /usr/local/sbin/fault-core at the next boot",
    ),
    epmd_drop_in(
        "an EPMD that can write the system",
        "ReadWritePaths=/etc",
        "unit-sandbox",
        f"epmd.service: ReadWritePaths=/etc in {ETC}/epmd.service.d/zzzz-unit-sandbox.conf lets it out of its sandbox",
    ),
    _late(
        "a sandbox that a later drop-in undoes",
        "ProtectSystem=no\\nPrivateDevices=no\\nSystemCallFilter=\\nRestrictNamespaces=no\\nCapabilityBoundingSet=~",
        "unit-sandbox",
        "exposure level",
    ),
    _late("a later drop-in", "Nice=1", "unit-drop-in", "zzzz-unit-drop-in.conf comes after", "can undo it"),
    _late("core dumps by a later drop-in", "LimitCORE=infinity", "core-dumps", "LimitCORE is infinity"),
    Fault(
        name="a unit that does not start at boot",
        breaks="systemctl disable --quiet beam",
        control="unit-drop-in",
        names=("not enabled: it does not start at boot",),
        repair="systemctl enable --quiet beam",
        alters=BESIDE,
    ),
    Fault(
        name="a guard that is stopped",
        # Nobody stops it alone, until somebody says otherwise.
        breaks=f"mkdir -p {WATCH}; printf '[Unit]\\nRefuseManualStop=no\\n' > {WATCH}/fault.conf\n"
        "systemctl daemon-reload; systemctl stop beam-watch-beam",
        control="unit-drop-in",
        names=("nothing watches the flags",),
        repair=f"rm -rf {WATCH}; systemctl daemon-reload; systemctl start beam-watch-beam",
        alters=BESIDE,
    ),
    Fault(
        name="a host that starts no services at boot",
        breaks="systemctl get-default > $saved/target; systemctl set-default --quiet rescue.target",
        control="unit-drop-in",
        names=("the default target of the host does not start beam.service",),
        repair="systemctl set-default --quiet $(cat $saved/target)",
        alters=BESIDE,
    ),
    Fault(
        name="a node that is enabled for a target that nothing starts",
        breaks=f"{SHELL}mkdir -p {ETC}/fault.target.wants; printf '[Unit]\\n' > {ETC}/fault.target; "
        f"mv {ETC}/multi-user.target.wants/beam.service {ETC}/fault.target.wants/; systemctl daemon-reload",
        control="unit-drop-in",
        names=("the default target of the host does not start beam.service",),
        repair=f"mv {ETC}/fault.target.wants/beam.service {ETC}/multi-user.target.wants/; rm -r {ETC}/fault.target*; systemctl daemon-reload",
        alters=BESIDE,
    ),
    new_file(
        "a drop-in for every service",
        f"{ETC}/service.d/aa-fault.conf",
        "[Service]\\nNice=0\\n",
        "unit-drop-in",
        f"beam-guard-beam.service has the drop-in {ETC}/service.d/aa-fault.conf",
        after="systemctl daemon-reload",
    ),
    Fault(
        name="a file of the unit with a higher rank",
        breaks=f"mkdir -p {ETC}.control; cp {ETC}/beam.service {ETC}.control/beam.service; systemctl daemon-reload",
        control="unit-drop-in",
        names=(f"beam.service is read from {ETC}.control/beam.service",),
        repair=f"rm -f {ETC}.control/beam.service; systemctl daemon-reload",
        alters=BESIDE,
    ),
    drop_in("a sandbox in which the whole system can be written", "ReadWritePaths=/", "unit-sandbox", "ReadWritePaths=/"),
    drop_in("a sandbox with raw packets", "RestrictAddressFamilies=AF_PACKET", "unit-sandbox", "RestrictAddressFamilies=AF_PACKET"),
    drop_in("a sandbox whose filter of system calls allows the rest", "SystemCallFilter=~@obsolete", "unit-sandbox", "SystemCallFilter="),
    Fault(
        name="a node that was started outside of its sandbox",
        breaks=f"{SHELL}printf '[Service]\\nProtectSystem=no\\n' > {DROP_INS}/zzzz-open.conf; systemctl daemon-reload; restart\n"
        f"rm -f {DROP_INS}/zzzz-open.conf; systemctl daemon-reload",
        control="unit-sandbox",
        names=("does not run in the sandbox of its unit",),
        # The node restarted after the fault was seeded, too.
        repair=f"{SHELL}restart",
        # After all that restarts the node.
        alters=OPTIONS,
    ),
    *(
        Fault(
            name=f"a {what} whose link is gone",
            breaks=f"mv {ETC}/beam.service.{kind}/beam-{name}-beam.service $saved/",
            control="unit-drop-in",
            names=(f"{ETC}/beam.service.{kind}/beam-{name}-beam.service is no link to that unit",),
            repair=f"mv $saved/beam-{name}-beam.service {ETC}/beam.service.{kind}/; systemctl daemon-reload",
            alters=BESIDE,
        )
        for what, kind, name in (("guard", "requires", "guard"), ("watcher", "wants", "watch"))
    ),
    Fault(
        name="the node's name in EPMD with another port",
        breaks=SHELL + "systemctl stop beam; sleep 2\n" + REGISTER + "beam 9999; sleep 2; systemctl start beam; sleep 5",
        control="unit-drop-in",
        names=("beam.service is",),
        repair="systemctl stop register; sleep 1; " + SHELL + "restart",
        alters=MESH,
    ),
    Fault(
        name="a stopped node",
        breaks="systemctl stop beam",
        control="unit-drop-in",
        names=("beam.service is inactive",),
        repair=SHELL + "systemctl start beam; up",
        alters=MESH,
    ),
    new_file(
        "an EPMD that is root after its next start",
        f"{ETC}/epmd.service.d/aa-fault.conf",
        "[Service]\\nUser=root\\n",
        "unit-sandbox",
        "epmd.service runs its next process as root, not as epmd",
        after="systemctl daemon-reload",
    ),
    new_file(
        "an EPMD that can gain privileges after its next start",
        f"{ETC}/epmd.service.d/zzzz-fault.conf",
        "[Service]\\nNoNewPrivileges=no\\n",
        "unit-sandbox",
        f"{ETC}/epmd.service.d/zzzz-fault.conf comes after",
        after="systemctl daemon-reload",
    ),
    epmd_drop_in(
        "an EPMD outside of its sandbox",
        "PrivateNetwork=no\\nProtectSystem=no\\nPrivateDevices=no\\nRestrictNamespaces=no\\nCapabilityBoundingSet=~\\nRestrictAddressFamilies=",
        "unit-sandbox",
        "epmd.service: exposure level",
        "not 1.5 or lower",
    ),
    override("a guard that looks at nothing before the next start", "beam-guard-beam.service", "unit-drop-in", BESIDE),
)

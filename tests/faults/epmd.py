# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of EPMD: addresses, names, user."""

from __future__ import annotations

from dataclasses import replace

from fault import BESIDE, MESH, Fault
from makers import REGISTER, SHELL, epmd_drop_in, new_file

_PROGRAM = "$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/epmd.service /lib/systemd/system/epmd.service 2>/dev/null | head -n 1)"
FAULTS = (
    Fault(
        name="a name in EPMD that no process holds",
        breaks=REGISTER + "ghost 9555; sleep 2",
        control="epmd-names",
        names=("EPMD names ghost at port 9555: nothing listens there",),
        repair="systemctl stop register",
        alters=BESIDE,
    ),
    Fault(
        name="EPMD forgot the node and learned another port",
        breaks=SHELL + "systemctl restart epmd.service || systemctl restart epmd.socket; sleep 1\n" + REGISTER + "beam 9999; sleep 2",
        control="epmd-names",
        names=("EPMD names port 9999 for beam, while the node listens on", ":9100"),
        repair="systemctl stop register; sleep 1; " + SHELL + "restart",
        alters=MESH,
    ),
    Fault(
        name="an epmd.socket that listens everywhere, by a later drop-in",
        breaks="printf '[Socket]\\nListenStream=\\nListenStream=0.0.0.0:4369\\nBindIPv6Only=ipv6-only\\n' "
        "> /etc/systemd/system/epmd.socket.d/zzzz-fault.conf\n"
        "systemctl daemon-reload; systemctl stop epmd.socket epmd.service; systemctl start epmd.socket; " + SHELL + "restart",
        control="epmd-listeners",
        names=("0.0.0.0:4369",),
        repair="rm -f /etc/systemd/system/epmd.socket.d/zzzz-fault.conf; systemctl daemon-reload; systemctl stop epmd.socket epmd.service; "
        "systemctl start epmd.socket; " + SHELL + "restart",
    ),
    # systemd 252 has let go of the socket at the reload: EPMD would not start again.
    replace(
        new_file(
            "a drop-in of epmd.socket in the place of ours, for the next boot",
            "/etc/systemd/system.control/epmd.socket.d/zzz-beam.conf",
            "[Socket]\\nBacklog=64\\n",
            "epmd-listeners",
            "epmd.socket does not use /etc/systemd/system/epmd.socket.d/zzz-beam.conf",
            after="systemctl daemon-reload",
        ),
        repair="rm -f /etc/systemd/system.control/epmd.socket.d/zzz-beam.conf; systemctl daemon-reload\n"
        "systemctl --job-mode=ignore-dependencies stop epmd.service epmd.socket; systemctl start epmd.socket",
    ),
    epmd_drop_in(
        "an EPMD that obeys every local program",
        "Environment=ERL_EPMD_RELAXED_COMMAND_CHECK=1",
        "epmd-commands",
        "runs with ERL_EPMD_RELAXED_COMMAND_CHECK",
    ),
    epmd_drop_in("an EPMD in debug mode", f"ExecStart=\\nExecStart={_PROGRAM} -d", "epmd-debug", "runs in debug mode"),
    epmd_drop_in("an EPMD that runs as a user that is not its own", "User=games\\nGroup=games", "epmd-user", "runs as games, not as epmd"),
    *(
        Fault(
            name=f"{unit} that is masked",
            breaks=f"systemctl mask --quiet {unit}",
            control="epmd-listeners",
            names=(f"{unit} is masked: EPMD cannot start again",),
            repair=f"systemctl unmask --quiet {unit}",
            alters=BESIDE,
        )
        for unit in ("epmd.socket", "epmd.service")
    ),
    epmd_drop_in("an EPMD that runs as the node's user", "User=beam\\nGroup=beam", "epmd-user", "runs as beam, which runs a node, too"),
)

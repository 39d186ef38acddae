# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of what a node and EPMD are started with: variables, users, groups, files of others; and of what grows in a node."""

from __future__ import annotations

from confinement import unconfined
from fault import BESIDE, LIVE, NODE, Fault
from in_force import CALL, DROP_INS, RESTART, SHELL

_EPMD = "/etc/systemd/system/epmd.service.d"
_PROGRAM = "$(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/epmd.service /lib/systemd/system/epmd.service 2>/dev/null | head -n 1)"
_STARTED = "/srv/beam-fault"


def _epmd(name: str, lines: str, control: str, *names: str) -> Fault:
    """A drop-in of EPMD after ours. EPMD forgets the node, so that the node has to restart, too."""
    file = f"{_EPMD}/zzzz-{control}.conf"
    again = "systemctl daemon-reload; systemctl restart epmd.service; restart"
    return Fault(
        name=name,
        breaks=f"{SHELL}printf '[Service]\\n%b\\n' \"{lines}\" > {file}; {again}",
        control=control,
        names=names,
        repair=f"{SHELL}rm -f {file}; {again}",
        alters=NODE,
    )


def _changeable(name: str, owner: str, mode: str, *names: str) -> Fault:
    """A file of variables of the unit, as planned or not, that others can change."""
    file, drop_in = f"{_STARTED}/{owner}.env", f"{DROP_INS}/aa-{owner}.conf"
    return Fault(
        name=name,
        breaks=f"mkdir -p {_STARTED}; touch {file}; chown {owner} {file}; chmod {mode} {file}; "
        f"printf '[Service]\\nEnvironmentFile=-{file}\\n' > {drop_in}; systemctl daemon-reload",
        control="start-files",
        names=(f"{file} can be changed or replaced by", *names),
        repair=f"rm -f {drop_in} {file}; systemctl daemon-reload",
        alters=BESIDE,
    )


FAULTS = (
    unconfined(
        "a node whose crash dump goes to its working directory",
        "UnsetEnvironment=ERL_CRASH_DUMP_SECONDS ERL_CRASH_DUMP",
        "crash-dump-settings",
        "neither ERL_CRASH_DUMP_SECONDS=0 nor ERL_CRASH_DUMP is set",
    ),
    unconfined("a node that writes its TLS secrets", "Environment=SSLKEYLOGFILE=/tmp/keys", "key-log", "has the variable SSLKEYLOGFILE"),
    unconfined("a node in a group that reads all passwords", "SupplementaryGroups=shadow", "node-groups", "is in the group shadow"),
    _epmd(
        "an EPMD that obeys every local program",
        "Environment=ERL_EPMD_RELAXED_COMMAND_CHECK=1",
        "epmd-commands",
        "runs with ERL_EPMD_RELAXED_COMMAND_CHECK",
    ),
    _epmd("an EPMD in debug mode", f"ExecStart=\\nExecStart={_PROGRAM} -d", "epmd-debug", "runs in debug mode"),
    _epmd("an EPMD that runs as the node's user", "User=beam\\nGroup=beam", "epmd-user", "runs as beam, which runs a node, too"),
    Fault(
        name="a node with a table of atoms that is more than half full",
        breaks=CALL + "call '[list_to_atom(integer_to_list(N)) || N <- lists:seq(1, 560000)], ok.'",
        control="atom-table",
        names=("of 1048576 atoms",),
        repair=RESTART,
        alters=LIVE,
    ),
    _changeable("variables of the unit that the user of the node owns", "beam", "0644", "beam"),
    _changeable("variables of the unit that everybody can write", "root", "0666", "everybody"),
    Fault(
        name="a start script that another user owns",
        breaks=f"{SHELL}mkdir -p {_STARTED}; printf '#!/bin/sh\\nexec erl -noinput -args_file %s/join.args\\n' $directory > {_STARTED}/start; "
        f"chmod 0755 {_STARTED}/start; chown games {_STARTED}/start; "
        f"printf '[Service]\\nExecStart=\\nExecStart={_STARTED}/start\\n' > {DROP_INS}/aa-start.conf; systemctl daemon-reload",
        control="start-files",
        names=(f"{_STARTED}/start can be changed or replaced by games",),
        repair=f"rm -f {DROP_INS}/aa-start.conf {_STARTED}/start; systemctl daemon-reload",
        alters=BESIDE,
    ),
)

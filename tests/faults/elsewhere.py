# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of code, files and connections that come from elsewhere than the files that are looked at."""

from __future__ import annotations

from fault import BESIDE, NODE, Fault
from in_force import DROP_INS, SHELL

_LOADED = "systemctl daemon-reload; " + SHELL + "restart"


def _variable(name: str) -> Fault:
    """A variable of the unit, which its next process gets."""
    file = f"{DROP_INS}/aa-{name}.conf"
    return Fault(
        name=f"{name} for the next start",
        breaks=f"printf '[Service]\\nEnvironment={name}=/nowhere\\n' > {file}; systemctl daemon-reload",
        control="start-environment",
        names=(name,),
        repair=f"rm -f {file}; systemctl daemon-reload",
        alters=BESIDE,
    )


FAULTS = (
    # -- what a node starts with ------------------------------------------------------------------------------------------------------------------
    _variable("OPENSSL_CONF"),
    _variable("ERL_ROOTDIR"),
    _variable("BASH_ENV"),
    Fault(
        name="another module for the discovery of peers",
        # It does what the usual one does.
        breaks="printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/erl -noinput -epmd_module erl_epmd\\n' "
        f"> {DROP_INS}/aa-module.conf; {_LOADED}",
        control="start-environment",
        names=("was started with -epmd_module erl_epmd",),
        repair=f"rm -f {DROP_INS}/aa-module.conf; {_LOADED}",
        alters=NODE,
    ),
    Fault(
        name="a command before the start that another user owns",
        breaks=f"printf '#!/bin/sh\\nexit 0\\n' > /opt/hook; chmod 0755 /opt/hook; chown games /opt/hook; "
        f"printf '[Service]\\nExecStartPre=+/bin/sh /opt/hook\\n' > {DROP_INS}/aa-hook.conf; systemctl daemon-reload",
        control="start-files",
        names=("/opt/hook can be changed or replaced by games",),
        repair=f"rm -f {DROP_INS}/aa-hook.conf /opt/hook; systemctl daemon-reload",
        alters=BESIDE,
    ),
)

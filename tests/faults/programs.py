# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of programs."""

from __future__ import annotations

from fault import BESIDE, Fault
from makers import OTP, PLACE, owned

_MODULE = f"{OTP}/lib/kernel-*/ebin/net_adm.beam"
_HELPER = f"{OTP}/erts-*/bin/to_erl"

FAULTS = (
    Fault(
        name="a program that everybody can replace",
        breaks="chmod 0777 /usr/lib/erlang/erts-*/bin",
        control="program-owner",
        names=("can be replaced by", "everybody"),
        repair="chmod 0755 /usr/lib/erlang/erts-*/bin",
        alters=BESIDE,
    ),
    owned("a program of OTP that another user owns", f"{OTP}/erts-*/bin/erl_child_setup", "games", "program-owner", "games (", "erl_child_setup"),
    owned("a boot file that the node's user owns", f"{OTP}/bin/start.boot", "beam", "program-owner", "beam (", ".boot"),
    Fault(
        name="a VM that gives every user its owner's rights",
        breaks="chmod u+s /usr/lib/erlang/erts-*/bin/erlexec",
        control="program-owner",
        names=("erlexec (setuid)",),
        repair="chmod u-s /usr/lib/erlang/erts-*/bin/erlexec",
        alters=BESIDE,
    ),
    # -- files of packages: each stays what it does ----------------------------------------------------------------------------------------------
    Fault(
        name="a module of OTP that is not the one of its package",
        breaks=f"cp -p {_MODULE} $saved/module; cd $saved && cp -p module net_adm.beam && "
        "erl -noshell -eval '{ok, _} = beam_lib:strip_files([\"net_adm.beam\"]), halt().' && ! cmp -s module net_adm.beam && "
        f"cat net_adm.beam > $(ls {_MODULE})",
        control="package-files",
        names=("net_adm.beam is another file than the one of its package",),
        repair=f"cp -p $saved/module $(ls {_MODULE})",
        alters=BESIDE,
    ),
    Fault(
        name="a program of OTP that is not the one of its package",
        breaks=f"cp -p {_HELPER} $saved/program; "
        f"cp -p $saved/program $saved/new && printf x >> $saved/new && mv $saved/new $(ls {_HELPER})",
        control="package-files",
        names=("to_erl is another file than the one of its package",),
        repair=f"mv $saved/program $(ls {_HELPER})",
        alters=BESIDE,
    ),
    Fault(
        name="a newer version of an application beside that of OTP",
        breaks=f"cp -a {OTP}/lib/kernel-* {OTP}/lib/kernel-99.0",
        control="package-files",
        names=(f"{OTP}/lib/kernel-99.0 is of no package, and has the name of an application",),
        repair=f"rm -rf {OTP}/lib/kernel-99.0",
        alters=BESIDE,
    ),
    Fault(
        name="a module beside those of OTP",
        breaks=f"cp {_MODULE} $(dirname $(ls {_MODULE}))/fault.beam",
        control="package-files",
        names=("ebin/fault.beam is beside the modules of the package",),
        repair=f"rm -f $(dirname $(ls {_MODULE}))/fault.beam",
        alters=BESIDE,
    ),
    Fault(
        name="a script in the place of the program that tools start",
        breaks=f"cp -P /usr/bin/erl $saved/erl; rm /usr/bin/erl; printf '#!/bin/sh\\nexec {OTP}/bin/erl \"$@\"\\n' > /usr/bin/erl; "
        "chmod 0755 /usr/bin/erl",
        control="package-files",
        names=("/usr/bin/erl is a file, and in its package", "a link"),
        repair="rm /usr/bin/erl; cp -P $saved/erl /usr/bin/erl",
        alters=BESIDE,
    ),
    Fault(
        name="a link to another program than that of its package",
        breaks=f"cp -P /usr/bin/escript $saved/; install -D {OTP}/bin/escript {PLACE}-bin/escript; ln -sfn {PLACE}-bin/escript /usr/bin/escript",
        control="package-files",
        names=("/usr/bin/escript of the package", "leads to a file of no package"),
        repair=f"cp -P --remove-destination $saved/escript /usr/bin/escript; rm -rf {PLACE}-bin",
        alters=BESIDE,
    ),
)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of programs."""

from __future__ import annotations

from fault import BESIDE, Fault
from makers import OTP, owned

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
)

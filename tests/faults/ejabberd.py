# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of ejabberd nodes (PRODUCT=ejabberd): its configuration, and the files of its package."""

from __future__ import annotations

from fault import BESIDE, NODE, Fault

_YML = "/etc/ejabberd/ejabberd.yml"
_MODULE = "$(find /usr/lib -path '*ejabberd*/ebin/ejabberd_auth.beam' | head -n 1)"
_RESTART = "systemctl restart ejabberd && sleep 8"

FAULTS = (
    Fault(
        name="passwords of ejabberd that every user can read",
        breaks=f"stat -c %a {_YML} > $saved/mode; chmod 0644 {_YML}",
        control="ejabberd-files",
        names=(f"its mode lets every user read {_YML}",),
        # A change of its mode is one of the file for the node that runs.
        repair=f"chmod $(cat $saved/mode) {_YML}; {_RESTART}",
        product="ejabberd",
        alters=NODE,
    ),
    Fault(
        name="messages in the log of ejabberd",
        breaks=f"cp -p {_YML} $saved/; sed -i '/^loglevel:/d' {_YML}; echo 'loglevel: debug' >> {_YML}; {_RESTART}",
        control="ejabberd-log-level",
        names=("loglevel is debug",),
        repair=f"cp -p $saved/ejabberd.yml {_YML}; {_RESTART}",
        product="ejabberd",
        alters=NODE,
    ),
    Fault(
        name="a module of ejabberd that is not the one of its package",
        breaks=f"file={_MODULE}; cp -p $file $saved/module; cp -p $file $saved/new; printf x >> $saved/new; cat $saved/new > $file",
        control="package-files",
        names=("ejabberd_auth.beam is another file than the one of its package ejabberd",),
        repair=f"cp -p $saved/module {_MODULE}",
        product="ejabberd",
        alters=BESIDE,
    ),
)

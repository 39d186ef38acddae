# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of TLS options in files, and files of a unit that are gone."""

from __future__ import annotations

from fault import BESIDE, OPTIONS, Fault
from makers import DROP_INS, PLACE, SHELL, unconfined

_NEEDED = "/srv/beam-gone/needed.env"
_RUNTIME = "/run/systemd/system/beam.service.d"
FAULTS = (
    Fault(
        name="an environment file of the unit is gone",
        breaks=f"mkdir -p /srv/beam-gone; printf '[Service]\\nEnvironmentFile={_NEEDED}\\n' > {DROP_INS}/aa-gone.conf; systemctl daemon-reload",
        control="options-running",
        names=(f"{_NEEDED} does not exist any more",),
        repair=f"rm -rf {DROP_INS}/aa-gone.conf /srv/beam-gone; systemctl daemon-reload",
        alters=BESIDE,
    ),
    unconfined("a node that writes its TLS secrets", "Environment=SSLKEYLOGFILE=/tmp/keys", "key-log", "has the variable SSLKEYLOGFILE"),
    Fault(
        name="a drop-in that no start has read",
        breaks=f"printf '[Service]\\nNice=1\\n' > {DROP_INS}/aa-nice.conf; systemctl daemon-reload",
        control="options-running",
        names=("aa-nice.conf was changed after beam.service started",),
        repair=f"rm -f {DROP_INS}/aa-nice.conf; systemctl daemon-reload",
        alters=BESIDE,
    ),
    Fault(
        name="variables of the unit with an old time",
        breaks=f"mkdir -p {PLACE}; echo X=1 > {PLACE}/old.env; touch -d 2020-01-01 {PLACE}/old.env\n"
        f"printf '[Service]\\nEnvironmentFile={PLACE}/old.env\\n' > {DROP_INS}/aa-old.conf; systemctl daemon-reload",
        control="options-running",
        names=("old.env was changed after beam.service started",),
        repair=f"rm -f {DROP_INS}/aa-old.conf {PLACE}/old.env; systemctl daemon-reload",
        alters=BESIDE,
    ),
    Fault(
        name="a drop-in that was removed and is in force",
        breaks=f"{SHELL}mkdir -p {_RUNTIME}; printf '[Service]\\nUMask=0022\\n' > '{_RUNTIME}/aa gone.conf'; systemctl daemon-reload; restart\n"
        f"rm -r {_RUNTIME}; systemctl daemon-reload",
        control="options-running",
        names=(f"{_RUNTIME}/aa gone.conf does not exist any more, and beam.service was started with it",),
        repair=f"{SHELL}restart",
        # After all that restarts the node.
        alters=OPTIONS,
    ),
)

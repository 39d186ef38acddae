# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of files that were removed while the node runs: it has them in memory, and its next start fails or has other settings."""

from __future__ import annotations

from fault import ANCHORS, BESIDE, CERTIFICATE, COOKIE, KEY, NODE, Fault
from running_node import DROP_INS, SHELL

_NEEDED = "/srv/beam-gone/needed.env"


def _removed(name: str, path: str, control: str, alters: str = BESIDE) -> Fault:
    """path: with the variables of SHELL. The file comes back with its time."""
    return Fault(
        name=name,
        breaks=f"{SHELL}mv {path} $saved/removed",
        control=control,
        names=(f"/{path.rpartition('/')[2]} does not exist",),
        repair=f"{SHELL}mv $saved/removed {path}",
        alters=alters,
    )


FAULTS = (
    _removed("the flags of the node are gone", "$directory/vm.args", "options-file", NODE),
    _removed("the TLS options of the node are gone", "$directory/ssl_dist.conf", "options-file", NODE),
    _removed("the variables of the unit are gone", "$directory/unit.env", "planned-files", NODE),
    _removed("the drop-in of the node is gone", f"{DROP_INS}/zzz-beam.conf", "planned-files", NODE),
    _removed("the key of the node is gone", "$directory/tls/key.pem", "private-key", KEY),
    _removed("the certificate of the node is gone", "$directory/tls/cert.pem", "trust-file", CERTIFICATE),
    _removed("the CA file of the node is gone", "$directory/tls/ca.pem", "trust-file", ANCHORS),
    _removed("the cookie file of the node is gone", "$home/.erlang.cookie", "cookie-file", COOKIE),
    Fault(
        name="an environment file of the unit is gone",
        breaks=f"mkdir -p /srv/beam-gone; printf '[Service]\\nEnvironmentFile={_NEEDED}\\n' > {DROP_INS}/aa-gone.conf; systemctl daemon-reload",
        control="options-running",
        names=(f"{_NEEDED} does not exist any more",),
        repair=f"rm -rf {DROP_INS}/aa-gone.conf /srv/beam-gone; systemctl daemon-reload",
        alters=BESIDE,
    ),
)

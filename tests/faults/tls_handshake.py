# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of handshakes that succeed and must not."""

from __future__ import annotations

from fault import LIVE, MESH, OPTIONS, Fault
from makers import CALL, DROP_INS, KEEP_OPTIONS, NOBODY_LISTED, OPTIONS_BACK, RESTART, SHELL

_TAKES_ANY = "s/verify_peer/verify_none/; s/,\\s*\\{fail_if_no_peer_cert, true\\}//"


def _verifies_less(name: str, edit: str, control: str, *names: str) -> Fault:
    """A server that verifies less than it should, and what comes in then."""
    breaks = f"{KEEP_OPTIONS}perl -0pi -e '{edit}' $directory/ssl_dist.conf; restart"
    return Fault(name=name, breaks=breaks, control=control, names=names, repair=OPTIONS_BACK, alters=OPTIONS)


FAULTS = (
    _verifies_less("TLS 1.2 comes in", "s/\\x27tlsv1.3\\x27\\]/\\x27tlsv1.3\\x27, \\x27tlsv1.2\\x27]/", "old-tls", "-> beam@n", "connected"),
    _verifies_less("no certificate comes in", "s/no_peer_cert, true/no_peer_cert, false/", "no-certificate", "-> beam@n"),
    _verifies_less("any certificate comes in", _TAKES_ANY, "foreign-certificate", "-> beam@n"),
    _verifies_less("an expired certificate comes in", _TAKES_ANY, "expired-certificate", "-> beam@n"),
    Fault(
        name="a member takes the name of another",
        breaks=f"{CALL}call '{NOBODY_LISTED}.'",
        control="other-name",
        names=("-> beam@n",),
        repair=RESTART,
        alters=LIVE,
        host="n3",
    ),
    Fault(
        name="a node in clear text",
        breaks=SHELL
        + "cp -p $directory/vm.args $saved/; sed -i '/^-proto_dist/d; /^-ssl_dist/d' $directory/vm.args; sign\n"
        + f"printf '[Service]\\nExecStartPre=\\n' > {DROP_INS}/zzzz-plain.conf; systemctl daemon-reload; restart",
        control="plaintext",
        names=("-> beam@n",),
        repair=SHELL + f"rm -f {DROP_INS}/zzzz-plain.conf; systemctl daemon-reload; cp -p $saved/vm.args $directory/; restart",
        alters=MESH,
    ),
)

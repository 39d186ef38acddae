# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of the TLS handshake of the distribution.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import NET_KERNEL, PROTOCOL, TLS_GUIDE

CONTROLS = (
    Control(
        "plaintext",
        "A handshake in clear text is refused",
        "In clear text everybody on the network path can read and change all data, and guess the cookie from a recorded handshake.",
        "Give the VM -proto_dist inet_tls exactly once. Remove beam_tls: false.",
        "distribution",
        (TLS_GUIDE, PROTOCOL),
        "critical",
        "attacks",
    ),
    Control(
        "old-tls",
        "A TLS version that is not in beam_tls_versions is refused",
        "TLS 1.2 clients of OTP before July 2026 accept a server without a certificate (CVE-2026-55953), and its client certificates cross the "
        "network in clear text.",
        "Set beam_tls_versions: ['tlsv1.3']. While it lists TLS 1.2, there is nothing to test.",
        "distribution",
        (TLS_GUIDE,),
        "high",
        "attacks",
    ),
    Control(
        "no-certificate",
        "TLS without a client certificate is refused",
        "verify_peer alone lets clients without a certificate in on OTP 25 and older.",
        "Set {verify, verify_peer} and {fail_if_no_peer_cert, true} in the server's options of the TLS options file.",
        "distribution",
        (TLS_GUIDE,),
        "critical",
        "attacks",
    ),
    Control(
        "foreign-certificate",
        "A certificate of another CA is refused",
        "TLS does not bind a certificate to a node name: the CA alone decides which node is a member. So nodes must trust only the CA of the "
        "cluster.",
        "Set {verify, verify_peer}, and write only the cluster's own CA to cacertfile.",
        "distribution",
        (TLS_GUIDE,),
        "critical",
        "attacks",
    ),
    Control(
        "expired-certificate",
        "An expired certificate of the cluster's CA is refused",
        "A host that left the cluster still has its key. The end date limits that.",
        "Set {verify, verify_peer}. Remove a verify_fun that accepts everything. Check the node's clock.",
        "distribution",
        (TLS_GUIDE,),
        "high",
        "attacks",
    ),
    Control(
        "other-name",
        "A member's certificate cannot claim another member's host",
        "TLS alone does not bind a node name: with the key of any member an attacker could take over the connections of all others.",
        "Let the node call net_kernel:allow/1 with the names of the members. Another name on the same host stays possible.",
        "distribution",
        (NET_KERNEL,),
        "high",
        "attacks",
    ),
)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controls of TLS options in a node's option file and flags, for hosts whose nodes cannot be asked what they have in force.

Private to this collection, pure.
"""

from __future__ import annotations

from .control import Control
from .references import DISTRIBUTED, ERL, KERNEL, TLS_GUIDE, TLS_HARDENING
from .thresholds import UNREVOKED_DAYS_MAX

FORGIVING = {
    "verify_fun": "a function of its own decides about certificates",
    "partial_chain": "a function of its own decides which CA counts",
    "cacerts": "it trusts CAs beside those of the CA file",
    "server_name_indication": "the name in the peer's certificate is not compared with the one that was dialled",
    "customize_hostname_check": "a function of its own compares names with certificates",
    "psk_identity": "a shared key can take the place of certificates",
    "user_lookup_fun": "a shared key can take the place of certificates",
}
"""Options that can take a verification back, and how."""

_SSL = ("ssl(3)", "https://www.erlang.org/doc/apps/ssl/ssl.html")

CONTROLS = (
    Control(
        "options-verify",
        "The TLS options of a node verify its peers, as server and as client",
        "With verify_none, or a verify_fun that accepts everything, every peer can connect. The first method in RabbitMQ's guide does that.",
        "Set {verify, verify_peer} and a cacertfile for server and client, and {fail_if_no_peer_cert, true} for the server. Remove verify_fun and "
        "the other options that the finding names.",
        "distribution",
        (TLS_GUIDE, TLS_HARDENING),
        "critical",
        "files",
        audit_only=True,
    ),
    Control(
        "options-running",
        "A node was started after the last change of the files that it reads at start, and all of them exist",
        "The present content is not in force, and it is unknown whether the node starts with it. This includes TLS options, arguments, "
        "configuration of the product, and files of the unit.",
        "Check the change, and restore removed files. Then run beam.cluster.restart and beam.cluster.verify. A file that was changed and restored "
        "needs the restart, too: only a start proves that the node starts with it.",
        "",
        (TLS_GUIDE, ERL),
        "high",
        "files",
    ),
    Control(
        "cipher-suites",
        "A node offers no weak cipher suite",
        "Suites without encryption or authentication, with RC4, 3DES, CBC or the key exchange of RSA can be broken or give no forward secrecy.",
        "Set {versions, ['tlsv1.3']}, or list suites of TLS 1.2 with ECDHE and GCM or ChaCha20 only.",
        "distribution",
        (TLS_HARDENING, _SSL),
        "high",
        "files",
        audit_only=True,
    ),
    Control(
        "signature-algorithms",
        "A node accepts no signature with SHA-1 or MD5",
        "Such signatures can be forged. OTP before 26 accepts SHA-1 in TLS 1.2 without a setting.",
        "Set {versions, ['tlsv1.3']}, or signature_algs without sha and md5.",
        "distribution",
        (TLS_HARDENING, _SSL),
        "medium",
        "files",
        audit_only=True,
    ),
    Control(
        "renegotiation",
        "A peer cannot renegotiate TLS 1.2",
        "Renegotiation lets a peer cause the costly part of a handshake again and again. TLS 1.3 does not have it.",
        "Set {versions, ['tlsv1.3']}, or {client_renegotiation, false} for the server.",
        "distribution",
        (TLS_HARDENING, _SSL),
        "medium",
        "files",
        audit_only=True,
    ),
    Control(
        "revocation",
        "A stolen certificate can be revoked, or ends soon",
        f"A copied key works until its certificate ends. Without CRLs, a certificate may be valid for {UNREVOKED_DAYS_MAX} days at most.",
        f"Issue certificates for {UNREVOKED_DAYS_MAX} days or fewer (beam_pki_days), or set {{crl_check, true}} with a CRL for each CA.",
        "pki",
        (TLS_HARDENING, _SSL),
        "high",
        "files",
        audit_only=True,
    ),
    Control(
        "session-resumption",
        "A resumed TLS session does not skip the checks of certificates",
        "A resumed session is not verified again: a certificate that was revoked or has ended in the meantime is accepted.",
        "Set {reuse_sessions, false} for TLS 1.2 and leave out session_tickets for TLS 1.3.",
        "distribution",
        (TLS_HARDENING, _SSL),
        "medium",
        "files",
        audit_only=True,
    ),
    Control(
        "early-data",
        "A node accepts no early data of TLS 1.3",
        "Everybody on the network path can record early data and send it again.",
        "Remove early_data from the TLS options and restart the node.",
        "distribution",
        (TLS_HARDENING, _SSL),
        "medium",
        "files",
        audit_only=True,
    ),
    Control(
        "partition-settings",
        "A node treats lost connections as OTP advises",
        "Without prevent_overlapping_partitions, nodes that lost each other act as two clusters. With a net_ticktime of hours a node does not "
        "notice a dead peer.",
        "Remove -kernel prevent_overlapping_partitions false, and set net_ticktime between 8 and 240 seconds (beam_net_ticktime).",
        "distribution",
        (KERNEL, DISTRIBUTED),
        "medium",
        "processes",
        audit_only=True,
    ),
    Control(
        "key-log",
        "A node writes no TLS secrets, and keeps none in memory for other processes",
        "With SSLKEYLOGFILE or keep_secrets, a recording of the network can be decrypted.",
        "Remove SSLKEYLOGFILE from the environment and keep_secrets from the TLS options, and restart the node.",
        "",
        (TLS_GUIDE,),
        "high",
        "processes",
    ),
)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attacks as data: from where, at which addresses, with which credentials, and what counts as a refusal.

Private to this collection, pure. The control of an attack has the same id. A new attack is an entry here, one in controls/ and one in
guide_coverage.py, a fault in tests/faults or the reason why none is seeded, and `make pages`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .._wire import codes

PORTS_PER_RANGE_MAX = 16
"""Ports of one port range that an attack tries, from its low end."""

KNOWN_COOKIE = "nocookie"
"""The cookie of a node that was started with -nocookie (OTP, auth.erl). Everybody knows it."""


SIGNED = ("expired", "revoked")
"""Certificates that the cluster's own CA has to sign for an attack."""


@dataclass(frozen=True)
class ProbeCredentials:
    """What a probe shows to its peer.

    certificate: "own" (of the source node), "none", "foreign" (of an authority that nobody knows), "expired" or
    "revoked" (both of the cluster's own authority).
    cookie: "own", "known" (KNOWN_COOKIE) or "random". name: "own" (the probe name on the source's host) or "another_member" (on another member's
    host). tls: "planned", "plaintext", "old" (TLS 1.2 only) or "unverified" (takes any certificate of the peer). user: another user of the vantage
    host, empty for the one that the module runs as.
    """

    certificate: str = "own"
    cookie: str = "own"
    name: str = "own"
    tls: str = "planned"
    user: str = ""


OWN = ProbeCredentials()
_NOTHING = ProbeCredentials(certificate="none", cookie="random", tls="unverified")
_OTHER_USER = ProbeCredentials(certificate="none", cookie="random", tls="unverified", user="nobody")


@dataclass(frozen=True)
class Attack:
    """One connection that must be refused.

    vantage: "outside" (a host that is no member), "member" (a member's own address) or "user" (another user of the target's own host). network: the
    target's addresses that are attacked: "cluster", "public" (every other address of that host), "any", or "own" (loopback and the cluster address).
    protocol: "epmd" or "dist". stage: the stage of the connection that has to refuse. refused: the only codes that prove that it did. A connection
    that ends elsewhere before that stage counts as not tested, one that gets past it has succeeded.
    """

    id: str
    vantage: str
    network: str
    protocol: str
    stage: str
    refused: frozenset[str]
    shows: ProbeCredentials = field(default=OWN)

    @property
    def needs_tls(self) -> bool:
        """Whether a node that speaks clear text has nothing that could refuse it: only a certificate says there who a peer is."""
        return self.stage in ("tls", "status") and self.shows.tls != "plaintext"


ATTACKS = (
    Attack("outside-epmd", "outside", "any", "epmd", "connect", codes.BLOCKED, _NOTHING),
    Attack("outside-distribution-port", "outside", "any", "dist", "connect", codes.BLOCKED, _NOTHING),
    Attack("member-public-epmd", "member", "public", "epmd", "connect", codes.BLOCKED, _NOTHING),
    Attack("member-public-distribution-port", "member", "public", "dist", "connect", codes.BLOCKED, _NOTHING),
    Attack("local-epmd", "user", "own", "epmd", "connect", codes.BLOCKED, _OTHER_USER),
    Attack("local-distribution-port", "user", "own", "dist", "connect", codes.BLOCKED, _OTHER_USER),
    Attack("plaintext", "member", "cluster", "dist", "tls", frozenset({"plaintext_on_tls"}), ProbeCredentials(tls="plaintext")),
    Attack(
        "old-tls",
        "member",
        "cluster",
        "dist",
        "tls",
        # No such version; or, where a product wants it listed (late_tls_options_before), no suite of it.
        frozenset({"tls_alert_protocol_version", "tls_alert_insufficient_security"}),
        ProbeCredentials(tls="old"),
    ),
    Attack(
        "no-certificate",
        "member",
        "cluster",
        "dist",
        "tls",
        # TLS 1.3 has an alert of its own for it, TLS 1.2 has not.
        frozenset({"tls_alert_certificate_required", "tls_alert_handshake_failure"}),
        ProbeCredentials(certificate="none"),
    ),
    Attack("foreign-certificate", "member", "cluster", "dist", "tls", frozenset({"tls_alert_unknown_ca"}), ProbeCredentials(certificate="foreign")),
    Attack(
        "expired-certificate",
        "member",
        "cluster",
        "dist",
        "tls",
        frozenset({"tls_alert_certificate_expired"}),
        ProbeCredentials(certificate="expired"),
    ),
    Attack(
        "revoked-certificate",
        "member",
        "cluster",
        "dist",
        "tls",
        frozenset({"tls_alert_certificate_revoked"}),
        ProbeCredentials(certificate="revoked"),
    ),
    # An allow list that is bound to certificates closes the connection without an answer.
    Attack(
        "other-name",
        "member",
        "cluster",
        "dist",
        "status",
        frozenset({"not_allowed", "dropped_status"}),
        ProbeCredentials(name="another_member"),
    ),
    Attack("wrong-cookie", "member", "cluster", "dist", "ack", frozenset({"cookie_refused_theirs"}), ProbeCredentials(cookie="known")),
)

ATTACK_BY_ID = {attack.id: attack for attack in ATTACKS}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything that can be the outcome of speaking to a peer, as data, in one place.

Modules return these codes, playbooks branch on them, the table in the documentation is generated from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """One outcome.

    `category` says what it means for the question "does the peer let us in?":

    * `connected`: it does, and has answered.
    * `refused_by_peer`: the peer itself said no, at the layer named. An attack that ends here was refused.
    * `blocked`: the network did not let us through to the peer.
    * `refused_by_us`: we said no to the peer: it is not who it should be.
    * `unclear`: the peer neither let us in nor said no.
    * `broken`: the probe could not be made. It says nothing about the peer.
    """

    name: str
    layer: str
    category: str
    meaning: str


# RFC 8446 section 6 and RFC 5246 section 7.2; numbers as IANA has them ("TLS Alerts").
TLS_ALERTS: dict[int, str] = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}

# The stages of one probe, in their order. `done` is no place to fail at.
STAGES: tuple[str, ...] = ("resolve", "epmd", "connect", "tls", "status", "challenge", "ack", "ping", "call", "done")


def alert_code(number: int) -> str:
    """The code for a TLS alert that the peer sent."""
    return f"tls_alert_{TLS_ALERTS.get(number, str(number))}"


def _table() -> Iterable[Code]:
    yield Code("connected", "all", "connected", "EPMD, TLS, names and cookies were settled, and the node answered a ping.")

    yield Code("unresolved", "network", "broken", "The host name has no address that could be used.")
    yield Code("closed", "network", "blocked", "The port refused the connection: nothing listens there, or a firewall rejects it.")
    yield Code("filtered", "network", "blocked", "Nothing came back on the attempt to connect until the time was up: a firewall drops it.")
    yield Code("unreachable", "network", "blocked", "There is no route to the host, or a firewall answers that there is none.")
    yield Code("reset", "network", "unclear", "The peer, or something in between, reset the connection at the stage named.")

    yield Code("epmd_closed", "epmd", "blocked", "EPMD's port refused the connection.")
    yield Code("epmd_filtered", "epmd", "blocked", "Nothing came back on the attempt to connect to EPMD.")
    yield Code("epmd_unreachable", "epmd", "blocked", "There is no route to the host that EPMD was asked on.")
    yield Code("epmd_reset", "epmd", "unclear", "The connection to EPMD was reset.")
    yield Code("epmd_dropped", "epmd", "refused_by_peer", "EPMD closed the connection without a whole answer.")
    yield Code("epmd_timeout", "epmd", "unclear", "EPMD took the connection and did not finish its answer in time.")
    yield Code("epmd_protocol_error", "epmd", "unclear", "What answered on EPMD's port does not speak EPMD's protocol.")
    yield Code("not_registered", "epmd", "unclear", "EPMD answered that it knows no node of that name.")

    for number, name in sorted(TLS_ALERTS.items()):
        if name != "close_notify":
            yield Code(f"tls_alert_{name}", "tls", "refused_by_peer", f"The peer ended the TLS handshake with alert {number} ({name}).")
    yield Code("tls_verification", "tls", "refused_by_us",
               "We refused the peer's certificate: wrong CA, wrong name, expired, or without the right purpose.")
    yield Code("tls_protocol_error", "tls", "unclear", "The TLS handshake failed on our side for another reason than the certificate.")
    yield Code("tls_on_plaintext", "tls", "refused_by_us", "We spoke TLS, the port speaks the distribution protocol in clear text.")
    yield Code("plaintext_on_tls", "tls", "refused_by_peer", "We spoke clear text, the port answered with a TLS record.")
    yield Code("dropped_tls", "tls", "unclear", "The peer closed the connection in the TLS handshake without an alert.")
    yield Code("timeout_tls", "tls", "unclear", "The TLS handshake was not finished in time.")

    yield Code("dropped_status", "handshake", "refused_by_peer",
               "The peer closed the connection instead of answering our name; an allow list bound to certificates does so.")
    yield Code("not_allowed", "handshake", "refused_by_peer",
               "The peer does not allow our name (net_kernel:allow/1), or misses flags that it demands.")
    yield Code("nok", "handshake", "unclear", "The peer is connecting to us at the same time and prefers its own attempt.")
    yield Code("alive", "handshake", "unclear", "The peer has a connection with a node of our name already; we left that one alone.")
    yield Code("timeout_status", "handshake", "unclear", "The peer did not answer our name in time.")
    yield Code("dropped_challenge", "handshake", "refused_by_peer", "The peer closed the connection instead of sending its challenge.")
    yield Code("timeout_challenge", "handshake", "unclear", "The peer did not send its challenge in time.")
    yield Code("wrong_node", "handshake", "refused_by_us", "Another node answered than the one asked for; nothing was proven to it.")
    yield Code("flags_missing", "handshake", "refused_by_us", "The peer lacks distribution flags that we require.")
    yield Code("cookie_refused_theirs", "cookie", "refused_by_peer",
               "The peer closed the connection on our proof of the cookie: its cookie is another one.")
    yield Code("cookie_mismatch_ours", "cookie", "refused_by_us", "The peer took our proof, but its own proof of the cookie is wrong.")
    yield Code("digest_reflected", "cookie", "refused_by_us", "The peer sent our own proof or challenge back to us: it does not know the cookie.")
    yield Code("timeout_ack", "cookie", "unclear", "The peer did not answer our proof of the cookie in time.")

    yield Code("dropped_ping", "node", "unclear", "The peer closed the finished connection instead of answering.")
    yield Code("timeout_ping", "node", "unclear", "The peer finished the handshake and did not answer a ping in time.")
    yield Code("ping_refused", "node", "refused_by_peer", "The node answered the ping with no.")
    yield Code("dropped_call", "node", "unclear", "The peer closed the connection before it answered a call.")
    yield Code("timeout_call", "node", "unclear", "The node did not answer a call in time.")
    yield Code("call_failed", "node", "refused_by_peer", "The called function ended with an exception.")
    yield Code("call_refused", "node", "refused_by_peer", "The node did not start the call.")

    yield Code("protocol_error", "any", "unclear", "The peer sent what the protocol does not allow at that stage.")
    yield Code("out_of_order", "any", "unclear", "The peer sent a message that is known, but not due at that stage.")
    yield Code("too_large", "any", "unclear", "The peer announced more than is sane at that stage.")

    yield Code("local_source", "ours", "broken", "The source address asked for is not on this host.")
    yield Code("local_tls", "ours", "broken", "Our own TLS files or versions cannot be used.")
    yield Code("local_md5", "ours", "broken", "This host's Python has no MD5, which the proof of the cookie needs.")
    yield Code("local_resources", "ours", "broken", "This host ran out of something, such as file descriptors.")


CODES: dict[str, Code] = {code.name: code for code in _table()}


def _names(**want: str) -> frozenset[str]:
    return frozenset(name for name, code in CODES.items() if all(getattr(code, field) == value for field, value in want.items()))


REFUSED_TLS: frozenset[str] = _names(layer="tls", category="refused_by_peer")
REFUSED_HANDSHAKE: frozenset[str] = _names(layer="handshake", category="refused_by_peer")
REFUSED_COOKIE: frozenset[str] = _names(layer="cookie", category="refused_by_peer")
REFUSED: frozenset[str] = _names(category="refused_by_peer")
BLOCKED: frozenset[str] = _names(category="blocked")
BROKEN: frozenset[str] = _names(category="broken")

# What `expect` takes besides the codes: a name for a set of them.
GROUPS: dict[str, frozenset[str]] = {
    "any": frozenset(CODES),
    "refused": REFUSED,
    "refused_tls": REFUSED_TLS,
    "refused_handshake": REFUSED_HANDSHAKE,
    "refused_cookie": REFUSED_COOKIE,
    "blocked": BLOCKED,
}


def expand(expect: Iterable[str]) -> frozenset[str]:
    """The codes that a list of codes and group names stands for.

    Raises `ValueError` with the unknown words. Alerts that IANA has no name for are known by their number.
    """
    result: list[str] = []
    unknown: list[str] = []
    for word in expect:
        if word in GROUPS:
            result.extend(GROUPS[word])
        elif word in CODES or _numbered_alert(word):
            result.append(word)
        else:
            unknown.append(word)
    if unknown:
        raise ValueError(f"unknown code: {', '.join(sorted(unknown))}")
    return frozenset(result)


def lookup(name: str) -> Code:
    """The code of that name, also for alerts that have only a number."""
    if name in CODES:
        return CODES[name]
    if _numbered_alert(name):
        return Code(name, "tls", "refused_by_peer", f"The peer ended the TLS handshake with alert {name[10:]}.")
    raise KeyError(name)


def meets(code: str, expect: Iterable[str]) -> bool:
    """Whether an outcome is one of those expected.

    `any` also takes alerts that have only a number; so does `refused`.
    """
    words = list(expect)
    if _numbered_alert(code) and {"any", "refused", "refused_tls"}.intersection(words):
        return True
    return code in expand(words)


def _numbered_alert(word: str) -> bool:
    return word.startswith("tls_alert_") and word[10:].isdigit() and int(word[10:]) < 256

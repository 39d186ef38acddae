# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS as a probe needs it: contexts made once per setting, and what a handshake showed even if it failed.

The certificate and the alert of a peer are taken from the messages of the handshake themselves (`SSLContext._msg_callback`, there since Python
3.8 and meant for debugging). The documented ways give neither: a certificate that OpenSSL refuses is gone by the time the error is raised, in
TLS 1.3 nothing of it can be read from the wire, and the number of an alert is folded into an error text that depends on the build. An interpreter
without it (none is known) loses the peer's certificate where the handshake fails and names the alert from that text.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import os
import ssl
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._wire import codes, x509
from .._wire.errors import Refused, WireError

# As Erlang spells them.
VERSIONS: dict[str, ssl.TLSVersion] = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}
_SPELLED = {"TLSv1": "tlsv1", "TLSv1.1": "tlsv1.1", "TLSv1.2": "tlsv1.2", "TLSv1.3": "tlsv1.3"}

_ALERT = 21
_HANDSHAKE = 22
_CERTIFICATE = 11

# A certificate and key that everybody has, signed by a CA whose key was thrown away: what `present: foreign` shows. Whoever takes it takes anything.
_FOREIGN_CERTIFICATE = (
    "MIIBlDCCATugAwIBAgIUWfTYYVKAeqnDHi0kkfH/OM/ILP4wCgYIKoZIzj0EAwIwIjEgMB4GA1UEAwwXQSBDQSB0aGF0IG5vYm9keSB0cnVzdH"
    "MwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBMxETAPBgNVBAMMCHN0cmFuZ2VyMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
    "6t4/Eb0RqGLccb9Ic6Hzg9j3P/50p9wDQC6px9NIZDHKqy67PLYA9KJQluJ9UQc0+Lu4ImyTlUxWv9BH/u1gvaNcMFowDAYDVR0TAQH/BAIwAD"
    "AOBgNVHQ8BAf8EBAMCB4AwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMBsGA1UdEQQUMBKCEHN0cmFuZ2VyLmludmFsaWQwCgYIKoZI"
    "zj0EAwIDRwAwRAIgUkGwORO2X1J8ob4MUtcQG8Z1aFa0H6piNwhsV+lDimUCIBf8Ze4S/earLh5ggEMXZmHA8GhPqJDyDRedGOUVs2LP"
)
_FOREIGN_KEY = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNhUq6EoQYtzzIZ33zf7N3SDhFuxo/JLgqEqG9JMMX2OhRANCAATq3j8RvRGoYt"
    "xxv0hzofOD2Pc//nSn3ANALqnH00hkMcqrLrs8tgD0olCW4n1RBzT4u7gibJOVTFa/0Ef+7WC9"
)


@dataclass(frozen=True)
class Tls:
    """How to speak TLS. `certificate` and `key`: our own, None for none; `foreign`: show the certificate that nobody should take.

    `verify` False takes any peer; whoever asks for it must not prove a cookie on that connection.
    """

    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    versions: tuple[str, ...] = ("tlsv1.3",)
    foreign: bool = False
    verify: bool = True


@dataclass
class HandshakeRecord:
    """What the messages of one handshake showed."""

    certificate: bytes | None = None
    alert: int | None = None
    version: str | None = None
    cipher: str | None = None
    bytes_received: int = 0


class Session(ssl.SSLObject):
    """An SSL object that carries what its handshake showed."""

    record: HandshakeRecord


def _on_tls_message(session: Any, direction: str, dummy_version: int, content: int, dummy_kind: int, data: bytes) -> None:
    """Called by OpenSSL for each message of each session."""
    record = getattr(session, "record", None)
    if record is None or direction != "read":
        return
    if content == _ALERT and len(data) == 2 and data[1] != 0 and record.alert is None:
        record.alert = data[1]
    elif content == _HANDSHAKE and data[:1] == bytes((_CERTIFICATE,)) and record.certificate is None:
        record.certificate = x509.first_certificate(data)


class Contexts:
    """One context per setting: loading the files costs more than a handshake."""

    def __init__(self) -> None:
        self._made: dict[Tls, ssl.SSLContext] = {}

    def get(self, tls: Tls) -> ssl.SSLContext:
        """The context for a setting. Raises `WireError` with `local_tls` where our own files or versions do not serve."""
        if tls not in self._made:
            try:
                self._made[tls] = _context(tls)
            except (OSError, ValueError, KeyError) as error:
                raise WireError(f"our own TLS settings cannot be used: {_reason(error, tls)}", code="local_tls") from None
        return self._made[tls]


def _reason(error: Exception, tls: Tls) -> str:
    if isinstance(error, ssl.SSLError):
        return f"{error.reason or 'not PEM'} (certificate {tls.certificate}, key {tls.key}, CA {tls.ca})"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}"
    return str(error)


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = Session
    if hasattr(context, "_msg_callback"):
        # The property of the base class: that of SSLContext makes three enumerations of each message, which costs more than its decryption.
        super(ssl.SSLContext, ssl.SSLContext)._msg_callback.__set__(context, _on_tls_message)  # type: ignore[misc] # pylint: disable=protected-access
    wanted = sorted(VERSIONS[version] for version in tls.versions)
    if not wanted:
        raise ValueError("no TLS version is asked for")
    with warnings.catch_warnings():
        # Old versions are asked for only to see them refused.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = wanted[0]
        context.maximum_version = wanted[-1]
    if wanted[0] < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif tls.ca is not None:
        context.load_verify_locations(cafile=tls.ca)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if tls.foreign:
        with _foreign_files() as path:
            context.load_cert_chain(path)
    elif tls.certificate is not None:
        # A key with a passphrase would ask on the terminal, and the module hang.
        context.load_cert_chain(tls.certificate, tls.key, password=_no_passphrase)
    return context


def _no_passphrase() -> str:
    raise ValueError("the key is encrypted; use a key without a passphrase")


@contextlib.contextmanager
def _foreign_files() -> Iterator[str]:
    """The foreign certificate and key as a file: the standard library takes nothing else."""
    handle, path = tempfile.mkstemp(prefix="beam-foreign-")
    try:
        with os.fdopen(handle, "w") as file:
            for kind, text in (("PRIVATE KEY", _FOREIGN_KEY), ("CERTIFICATE", _FOREIGN_CERTIFICATE)):
                file.write(_pem(kind, text))
        yield path
    finally:
        os.unlink(path)


def _pem(kind: str, text: str) -> str:
    lines = base64.encodebytes(base64.b64decode(text)).decode("ascii")
    return f"-----BEGIN {kind}-----\n{lines}-----END {kind}-----\n"


def classify_tls_error(error: ssl.SSLError, record: HandshakeRecord) -> WireError:
    """What a failed handshake means. An alert of the peer's goes before whatever OpenSSL made of it."""
    if record.alert is not None:
        number = record.alert
        return Refused(f"the peer ended TLS with alert {number}, {codes.TLS_ALERTS.get(number, 'unnamed')}", code=codes.alert_code(number))
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(f"the peer's certificate is refused: {error.verify_message}", code="tls_verification")
    reason = error.reason or "no reason given"
    if "ALERT" in reason:
        name = reason.rpartition("ALERT_")[2].lower()
        if name in codes.TLS_ALERTS.values():
            return Refused(f"the peer ended TLS with alert {name}", code=f"tls_alert_{name}")
    if reason in ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE", "UNSUPPORTED_PROTOCOL_VERSION"):
        return WireError("this host's TLS library cannot speak the versions asked for", code="local_tls")
    return WireError(f"the TLS handshake failed: {reason}", code="tls_protocol_error")


def record_negotiated(session: ssl.SSLObject, record: HandshakeRecord) -> None:
    """Keep what a finished handshake agreed on: a session that is closed or refused afterwards does not tell it any more."""
    record.version = _SPELLED.get(session.version() or "")
    cipher = session.cipher()
    record.cipher = cipher[0] if cipher is not None else None
    if record.certificate is None:
        record.certificate = session.getpeercert(True)


# A run asks the same peers many things, and reading a certificate takes a good part of a conversation.
_describe = functools.lru_cache(maxsize=1024)(x509.describe)
_PEER = ("subject", "issuer", "serial", "not_before", "not_after", "key_type", "sans", "purposes", "sha256")


def session_facts(record: HandshakeRecord) -> dict[str, Any]:
    """What is known of a session: `version` and `cipher` (None where none was agreed on) and the `peer`'s certificate, or None."""
    peer: dict[str, Any] | None = None
    if record.certificate:
        with contextlib.suppress(WireError):
            described = _describe(record.certificate)
            peer = {name: described[name] for name in _PEER}
    return {"version": record.version, "cipher": record.cipher, "peer": peer}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public half of a private key, as far as its file holds it (RFC 5958, RFC 8017 A.1.2, RFC 5915). The private half is skipped, not kept.

Private to this collection, pure.
"""

from __future__ import annotations

from . import x509
from .errors import ProtocolError

_RSA = bytes.fromhex("06092a864886f70d010101")
_EC = bytes.fromhex("06072a8648ce3d0201")
_NULL = b"\x05\x00"
_SEQUENCE, _INTEGER, _BIT_STRING, _OCTETS, _OID = 0x30, 0x02, 0x03, 0x04, 0x06
_PARAMETERS, _PUBLIC, _PUBLIC_V2 = 0xA0, 0xA1, 0x81

ENCRYPTED = "ENCRYPTED PRIVATE KEY"


def spki_of(label: str, der: bytes) -> bytes | None:
    """The SubjectPublicKeyInfo of a private key: what a certificate for it holds.

    label: of its PEM block, such as "PRIVATE KEY". None where the file does not hold the public half (Ed25519 in PKCS #8), or has another format.
    """
    try:
        whole, _end = x509.expect(der, 0, _SEQUENCE)
        if label == "PRIVATE KEY":
            return _pkcs8(whole)
        if label == "RSA PRIVATE KEY":
            return _rsa(whole)
        return _ec(whole, b"") if label == "EC PRIVATE KEY" else None
    except (IndexError, ValueError, ProtocolError):
        return None


def _pkcs8(data: bytes) -> bytes | None:
    parts = list(x509.items(data))
    (_tag, algorithm), (_octets, inner) = parts[1], parts[2]
    for tag, value in parts[3:]:
        if tag == _PUBLIC_V2:
            return _element(_SEQUENCE, _element(_SEQUENCE, algorithm), _element(_BIT_STRING, value))
    if algorithm.startswith(_RSA):
        return _rsa(x509.expect(inner, 0, _SEQUENCE)[0])
    if algorithm.startswith(_EC):
        return _ec(x509.expect(inner, 0, _SEQUENCE)[0], algorithm[len(_EC) :])
    return None


def _rsa(data: bytes) -> bytes:
    (_version, _zero), (_n, modulus), (_e, exponent) = list(x509.items(data))[:3]
    key = _element(_SEQUENCE, _element(_INTEGER, modulus), _element(_INTEGER, exponent))
    return _element(_SEQUENCE, _element(_SEQUENCE, _RSA, _NULL), _element(_BIT_STRING, b"\x00", key))


def _ec(data: bytes, curve: bytes) -> bytes | None:
    """curve: the element of the algorithm's parameters, where they stand outside of the key."""
    public = None
    for tag, value in list(x509.items(data))[2:]:
        if tag == _PARAMETERS:
            curve = value
        elif tag == _PUBLIC:
            public = value
    if public is None or not curve:
        return None
    return _element(_SEQUENCE, _element(_SEQUENCE, _EC, curve), public)


def _element(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fields of a certificate revocation list (CRL), read from PEM and DER (RFC 5280 section 5), and the name of its file.

It reads, and verifies no signature. Private to this collection.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from . import x509
from .errors import ProtocolError, WireError

MAX_CRL = 4 * 1024 * 1024
_BLOCK = re.compile(rb"-----BEGIN X509 CRL-----\s+(.*?)-----END X509 CRL-----", re.DOTALL)
_SEQUENCE, _INTEGER, _UTF8 = 0x30, 0x02, 0x0C
_TIMES = (0x17, 0x18)
# OpenSSL, ASN1_MASK_CANON: UTF8, Printable, T61, IA5, Visible, BMP. Only these are brought to one form.
_STRINGS = frozenset((0x0C, 0x13, 0x14, 0x16, 0x1A, 0x1E))
_SPACES = re.compile(r"[ \t\n\v\f\r]+")


@dataclass(frozen=True)
class Crl:
    """issuer: as x509.describe() writes a name. file_hash: what the name of its file begins with. this_update, next_update: UTC, as
    2026-01-31T00:00:00Z; next_update is None where it has none. revoked: serial numbers, in hexadecimal as x509.describe() writes them.
    """

    issuer: str
    file_hash: str
    this_update: str
    next_update: str | None
    revoked: frozenset[str]


def of_pem(text: bytes) -> Crl:
    """The one CRL of a PEM text. Raises `ValueError` where there is none, more than one, or one that is damaged."""
    blocks = _BLOCK.findall(text)
    if len(blocks) != 1 or text.count(b"-----BEGIN") != 1:
        raise ValueError("the file does not have exactly one CRL")
    try:
        return describe(base64.b64decode(b"".join(blocks[0].split()), validate=True))
    except (binascii.Error, WireError):
        raise ValueError("the CRL is damaged") from None


def describe(der: bytes) -> Crl:
    """The fields of one DER CRL. Raises `ProtocolError` for what is none."""
    if len(der) > MAX_CRL:
        raise ProtocolError(f"a CRL of {len(der)} bytes")
    try:
        return _describe(der)
    except (IndexError, ValueError, OverflowError):
        raise ProtocolError("the CRL cannot be read") from None


def _describe(der: bytes) -> Crl:
    whole, end = x509.expect(der, 0, _SEQUENCE)
    if end != len(der):
        raise ProtocolError("bytes follow the CRL")
    body, _end = x509.expect(whole, 0, _SEQUENCE)
    fields = list(x509.items(body))
    if fields[0][0] == _INTEGER:
        fields = fields[1:]
    (_tag, _algorithm), (name_tag, issuer), (since_tag, since), *rest = fields
    if name_tag != _SEQUENCE or since_tag not in _TIMES:
        raise ProtocolError("no CRL")
    until = None
    if rest and rest[0][0] in _TIMES:
        until = x509.time_text(*rest[0])
        rest = rest[1:]
    revoked = []
    if rest and rest[0][0] == _SEQUENCE:
        # The entries of a long list are more than x509.items() takes.
        pos, entries = 0, rest[0][1]
        while pos < len(entries):
            entry, pos = x509.expect(entries, pos, _SEQUENCE)
            revoked.append(x509.serial_text(x509.expect(entry, 0, _INTEGER)[0]))
    return Crl(x509.name_text(issuer), name_hash(issuer), x509.time_text(since_tag, since), until, frozenset(revoked))


def name_hash(name: bytes) -> str:
    """The eight digits by which a CA is found in a directory: `public_key:short_name_hash/1`, `X509_NAME_hash()`.

    name: the content of its DER Name. SHA-1 of the attributes with their values in UTF-8, in small letters, with single spaces; the first four bytes
    as a little-endian number.
    """
    parts = b""
    for _set, relative in x509.items(name):
        values = b""
        for _sequence, pair in x509.items(relative):
            (kind, oid), (tag, value) = list(x509.items(pair))[:2]
            values += _element(_SEQUENCE, _element(kind, oid) + _canonical(tag, value))
        parts += _element(_set, values)
    return f"{int.from_bytes(hashlib.sha1(parts, usedforsecurity=False).digest()[:4], 'little'):08x}"


def _canonical(tag: int, value: bytes) -> bytes:
    if tag not in _STRINGS:
        return _element(tag, value)
    text = _SPACES.sub(" ", x509.text_of(tag, value)).strip(" ")
    return _element(_UTF8, "".join(one.lower() if one.isascii() else one for one in text).encode())


def _element(tag: int, value: bytes) -> bytes:
    size = len(value)
    if size < 0x80:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + value

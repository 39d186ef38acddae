# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few fields of a certificate that are reported, read from DER (RFC 5280, X.690).

This reads; it judges nothing. Whether a certificate is trusted is decided by the TLS library alone.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from .errors import ProtocolError, TooLarge

# TLS allows 2^24; a node's certificate has about 1 KiB.
MAX_CERTIFICATE = 256 * 1024
_MAX_ITEMS = 4096

_SEQUENCE, _SET, _INTEGER, _BIT_STRING, _OCTETS, _OID, _BOOLEAN, _UTC_TIME, _TIME = 0x30, 0x31, 0x02, 0x03, 0x04, 0x06, 0x01, 0x17, 0x18

_TIME_PARTS = re.compile("([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z")
_ATTRIBUTES = {
    "2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
}
_CURVES = {"1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521", "1.3.132.0.10": "secp256k1"}
_KEYS = {"1.3.101.112": "Ed25519", "1.3.101.113": "Ed448", "1.3.101.110": "X25519"}
_PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth", "1.3.6.1.5.5.7.3.3": "codeSigning", "2.5.29.37.0": "anyExtendedKeyUsage",
}

# RFC 5280 section 4.2.1.3, in the order of the bits.
_USAGES = (
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
    "decipherOnly",
)
# Hashes of signature algorithms, by the algorithm's identifier. RSA-PSS names its hash in its parameters.
_HASHES = {
    "1.2.840.113549.1.1.4": "MD5", "1.2.840.113549.1.1.5": "SHA-1", "1.2.840.113549.1.1.11": "SHA-256", "1.2.840.113549.1.1.12": "SHA-384",
    "1.2.840.113549.1.1.13": "SHA-512", "1.2.840.113549.1.1.14": "SHA-224", "1.2.840.10045.4.1": "SHA-1", "1.2.840.10045.4.3.1": "SHA-224",
    "1.2.840.10045.4.3.2": "SHA-256", "1.2.840.10045.4.3.3": "SHA-384", "1.2.840.10045.4.3.4": "SHA-512", "1.3.101.112": "SHA-512",
    "1.3.101.113": "SHAKE-256", "1.2.840.113549.1.1.10": "RSA-PSS",
}


def describe(certificate: bytes) -> dict[str, Any]:
    """The fields of one DER certificate, ready for JSON.

    `subject`, `issuer`: text as RFC 4514 orders it. `sans`: list of `DNS:...`, `IP:...`, `URI:...`, `email:...`. `serial`: hexadecimal.
    `not_before`, `not_after`: UTC, as 2026-01-31T00:00:00Z. `key_type`: as `EC P-256`, `RSA 2048`, `Ed25519`. `purposes`: the extended key usages,
    `usages`: the key usages; None where the certificate does not restrict them. `ca`: whether it may sign certificates. `signature`: hash of its
    signature. `key_id`, `issuer_key_id`: the key identifiers of its own and of its issuer's key, hexadecimal, or None. `sha256`, `spki_sha256`: of
    the certificate and of its public key, hexadecimal. Raises `ProtocolError` for what is no certificate.
    """
    if len(certificate) > MAX_CERTIFICATE:
        raise TooLarge(f"a certificate of {len(certificate)} bytes")
    try:
        return _describe(certificate)
    except (IndexError, ValueError, OverflowError):
        raise ProtocolError("the peer's certificate cannot be read") from None


def _describe(certificate: bytes) -> dict[str, Any]:
    whole, end = expect(certificate, 0, _SEQUENCE)
    if end != len(certificate):
        raise ProtocolError("bytes follow the certificate")
    body, _end = expect(whole, 0, _SEQUENCE)
    fields = list(items(body))
    signed_with = _oid(list(items(list(items(whole))[1][1]))[0][1])
    if fields and fields[0][0] == 0xA0:
        fields = fields[1:]
    (serial_tag, serial), (_tag, issuer), (_tag, validity), (_tag, subject), (_tag, key) = fields[0], *fields[2:6]
    if serial_tag != _INTEGER or not serial:
        raise ProtocolError("a certificate without serial number")
    times = [time_text(tag, value) for tag, value in items(validity)]
    result: dict[str, Any] = {
        "subject": name_text(subject),
        "issuer": name_text(issuer),
        "serial": serial_text(serial),
        "not_before": times[0],
        "not_after": times[1],
        "key_type": _key_type(key),
        "sans": [],
        "purposes": None,
        "usages": None,
        "ca": False,
        "signature": _HASHES.get(signed_with, signed_with),
        "key_id": None,
        "issuer_key_id": None,
        "sha256": hashlib.sha256(certificate).hexdigest(),
        "spki_sha256": hashlib.sha256(_raw_key(body)).hexdigest(),
    }
    for tag, value in fields[6:]:
        if tag == 0xA3:
            extensions, _end = expect(value, 0, _SEQUENCE)
            for _tag, extension in items(extensions):
                parts = list(items(extension))
                result.update(_extension(_oid(parts[0][1]), parts[-1][1]))
    return result


def subject_parts(certificate: bytes) -> list[tuple[str, str]]:
    """Kind (`CN`, or the identifier) and value of each attribute of the subject, in order. Raises `ProtocolError`."""
    try:
        body, _end = expect(expect(certificate, 0, _SEQUENCE)[0], 0, _SEQUENCE)
        fields = list(items(body))
        subject = fields[5 if fields[0][0] == 0xA0 else 4][1]
        pairs = [list(items(pair))[:2] for _set, relative in items(subject) for _sequence, pair in items(relative)]
        return [(_ATTRIBUTES.get(_oid(oid), _oid(oid)), text_of(tag, value)) for (_tag, oid), (tag, value) in pairs]
    except (IndexError, ValueError):
        raise ProtocolError("the certificate cannot be read") from None


def _raw_key(body: bytes) -> bytes:
    """The SubjectPublicKeyInfo, its header included: the sixth field after the version."""
    start = pos = 0
    left = 7 if body[0] == 0xA0 else 6
    while left:
        start = pos
        _tag, _value, pos = _read(body, pos)
        left -= 1
    return body[start:pos]


def _extension(oid: str, value: bytes) -> dict[str, Any]:
    """What an extension says of the fields of describe(); nothing where it is none of them (RFC 5280 section 4.2.1)."""
    if oid == "2.5.29.17":
        return {"sans": _alternative_names(value)}
    if oid == "2.5.29.37":
        usages, _end = expect(value, 0, _SEQUENCE)
        return {"purposes": [_PURPOSES.get(_oid(item), _oid(item)) for _tag, item in items(usages)]}
    if oid == "2.5.29.15":
        bits, _end = expect(value, 0, _BIT_STRING)
        number = int.from_bytes(bits[1:], "big")
        size = 8 * len(bits[1:])
        return {"usages": [name for at, name in enumerate(_USAGES) if at < size and number >> (size - 1 - at) & 1]}
    if oid == "2.5.29.19":
        constraints, _end = expect(value, 0, _SEQUENCE)
        return {"ca": any(tag == _BOOLEAN and item != b"\0" for tag, item in items(constraints))}
    if oid == "2.5.29.14":
        return {"key_id": expect(value, 0, _OCTETS)[0].hex()}
    if oid == "2.5.29.35":
        parts, _end = expect(value, 0, _SEQUENCE)
        return {"issuer_key_id": next((item.hex() for tag, item in items(parts) if tag == 0x80), None)}
    return {}


def _read(data: bytes, pos: int) -> tuple[int, bytes, int]:
    """Tag, content and the position behind one element. Indefinite lengths and high tags do not occur in DER certificates."""
    tag = data[pos]
    length = data[pos + 1]
    pos += 2
    if tag & 0x1F == 0x1F:
        raise ProtocolError("the peer's certificate has a tag that no certificate has")
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or pos + count > len(data):
            raise ProtocolError("the peer's certificate has a length that cannot be")
        length = int.from_bytes(data[pos:pos + count], "big")
        pos += count
    end = pos + length
    if end > len(data):
        raise ProtocolError("the peer's certificate ends early")
    return tag, data[pos:end], end


def expect(data: bytes, pos: int, wanted: int) -> tuple[bytes, int]:
    """The content of an element with this tag, and the position behind it. Raises `ProtocolError` for another one."""
    tag, value, end = _read(data, pos)
    if tag != wanted:
        raise ProtocolError(f"the peer's certificate has tag {tag} where {wanted} has to be")
    return value, end


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element of a sequence or set. Raises `ProtocolError` where one is cut off."""
    pos = 0
    seen = 0
    while pos < len(data):
        seen += 1
        if seen > _MAX_ITEMS:
            raise TooLarge(f"the peer's certificate has a list of more than {_MAX_ITEMS} items")
        tag, value, pos = _read(data, pos)
        yield tag, value


def _oid(data: bytes) -> str:
    if not data or len(data) > 64 or data[-1] & 0x80:
        raise ProtocolError("the peer's certificate has an object identifier that cannot be")
    numbers: list[int] = []
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in [first, numbers[0] - 40 * first] + numbers[1:])


def serial_text(serial: bytes) -> str:
    """The content of a serial number in hexadecimal."""
    return f"{int.from_bytes(serial, 'big', signed=True):X}" if serial[0] < 0x80 else serial.hex().upper()


def text_of(tag: int, data: bytes) -> str:
    """The text of a string of any kind."""
    if tag == 0x1E:
        return data.decode("utf-16-be", "replace")
    return data.decode("utf-8" if tag == 0x0C else "latin-1", "replace")


def name_text(data: bytes) -> str:
    """RFC 4514: last part first, the values of one part joined by +. Special and control characters are escaped: this text gets printed."""
    parts: list[str] = []
    for _set, relative in items(data):
        values: list[str] = []
        for _sequence, pair in items(relative):
            (_tag, oid), (tag, value) = list(items(pair))[:2]
            kind = _oid(oid)
            values.append(f"{_ATTRIBUTES.get(kind, kind)}={_escape(text_of(tag, value))}")
        parts.append("+".join(values))
    return ",".join(reversed(parts))


def _escape(text: str) -> str:
    """RFC 4514 section 2.4; what is not printable as the hexadecimal bytes of its UTF-8."""
    escaped: list[str] = []
    for place, character in enumerate(text):
        outer = place == 0 and character in " #" or place == len(text) - 1 and character == " "
        if outer or character in ',+"\\<>;=':
            escaped.append("\\" + character)
        elif character.isprintable():
            escaped.append(character)
        else:
            escaped.extend(f"\\{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
    return "".join(escaped)


def time_text(tag: int, data: bytes) -> str:
    """A UTCTime or GeneralizedTime, as 2026-01-31T00:00:00Z. Raises `ProtocolError` and `ValueError`."""
    text = data.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if int(text[:2]) < 50 else "19") + text
    elif tag != _TIME:
        raise ProtocolError("the peer's certificate has a time of an unknown kind")
    parts = _TIME_PARTS.fullmatch(text)
    if parts is None:
        raise ProtocolError("the peer's certificate has a time that cannot be")
    year, month, day, hour, minute, second = map(int, parts.groups())
    return datetime.datetime(year, month, day, hour, minute, second).isoformat() + "Z"


def _key_type(data: bytes) -> str:
    algorithm, pos = expect(data, 0, _SEQUENCE)
    parts = list(items(algorithm))
    oid = _oid(parts[0][1])
    if oid == "1.2.840.10045.2.1":
        curve = _oid(parts[1][1]) if len(parts) > 1 and parts[1][0] == _OID else ""
        return f"EC {_CURVES.get(curve, curve or 'unnamed')}"
    if oid == "1.2.840.113549.1.1.1":
        bits, _end = expect(data, pos, _BIT_STRING)
        key, _end = expect(bits, 1, _SEQUENCE)
        modulus, _end = expect(key, 0, _INTEGER)
        return f"RSA {int.from_bytes(modulus, 'big').bit_length()}"
    return _KEYS.get(oid, oid)


def _alternative_names(data: bytes) -> list[str]:
    names, _end = expect(data, 0, _SEQUENCE)
    result: list[str] = []
    for tag, value in items(names):
        kind: str | None = {0x81: "email", 0x82: "DNS", 0x86: "URI"}.get(tag)
        if kind is not None:
            result.append(f"{kind}:{_escape(value.decode('latin-1'))}")
        elif tag == 0x87:
            result.append(f"IP:{ipaddress.ip_address(value)}")
        else:
            result.append(f"other:{tag & 0x1F}")
    return result


def first_certificate(message: bytes) -> bytes | None:
    """The first certificate in a TLS Certificate message (RFC 5246 section 7.4.2; RFC 8446 section 4.4.2), its 4-byte header in front.

    The two layouts differ by the request context in front, which is empty from a server. None where there is none.
    """
    for lead in (0, 1):
        pos = 4 + lead
        if len(message) < pos + 6 or any(message[4:pos]):
            continue
        total = int.from_bytes(message[pos:pos + 3], "big")
        size = int.from_bytes(message[pos + 3:pos + 6], "big")
        if pos + 3 + total == len(message) and 0 < size <= total - 3:
            return message[pos + 6:pos + 6 + size]
    return None

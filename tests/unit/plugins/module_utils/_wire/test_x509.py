# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fields of certificates: read from real ones, and nothing but our own errors from anything else."""

from __future__ import annotations

import pathlib
import ssl
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._wire import x509
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import ProtocolError, WireError
from hypothesis import given
from hypothesis import strategies as st

PEM = pathlib.Path(__file__).parents[1] / "_net" / "pem"


def der(name: Any) -> Any:
    return ssl.PEM_cert_to_DER_cert((PEM / (f"{name}.pem")).read_text())


def test_a_node() -> None:
    assert x509.describe(der("node")) == {
        "subject": "CN=node,O=Tests\\, only",
        "issuer": "CN=Test CA,O=Tests\\, only",
        "serial": "6E6F6465",
        "not_before": "2020-01-01T00:00:00Z",
        "not_after": "2120-01-01T00:00:00Z",
        "key_type": "EC P-256",
        "sans": ["DNS:localhost", "DNS:127.0.0.1", "IP:127.0.0.1", "IP:::1", "URI:urn:x", "email:a@b.test"],
        "purposes": ["serverAuth", "clientAuth"],
        "usages": ["digitalSignature"],
        "ca": False,
        "signature": "SHA-256",
        "key_id": None,
        "issuer_key_id": "dbb341cdb65337acf1cfde6f129f1d7cb4554dcd",
        "sha256": "aca835646509a42da44a69315273d27566fd333c55eddd5f1623d39c35a20fbc",
        "spki_sha256": "69410cdaed6e5f87181755b19a51a4238ca898054c15a6a461d1efd09b8f0457",
    }


@pytest.mark.parametrize("name, field, value", [
    ("rsa", "key_type", "RSA 2048"), ("rsa", "purposes", ["clientAuth"]), ("rsa", "sans", []), ("ed25519", "key_type", "Ed25519"),
    ("ed25519", "purposes", None), ("ed25519", "subject", "CN=ed\u00e9\\0A,O=Tests\\, only"), ("expired", "not_after", "2020-02-01T00:00:00Z"),
    ("ca", "subject", "CN=Test CA,O=Tests\\, only"), ("ca", "ca", True), ("ca", "usages", ["keyCertSign", "cRLSign"]),
    ("ca", "key_id", "dbb341cdb65337acf1cfde6f129f1d7cb4554dcd"), ("ca", "issuer_key_id", None),
])
def test_others(name: Any, field: Any, value: Any) -> None:
    assert x509.describe(der(name))[field] == value


def _tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def _pair(value: str, oid: bytes = b"\x55\x04\x03") -> bytes:
    return _tlv(0x30, _tlv(0x06, oid), _tlv(0x0C, value.encode()))


@pytest.mark.parametrize("sets, text", [
    ([[_pair("a")], [_pair("b")]], "CN=b,CN=a"),
    ([[_pair("a"), _pair("b", b"\x55\x04\x0a")]], "CN=a+O=b"),
    ([[_pair(" a ")]], "CN=\\ a\\ "),
    ([[_pair(" ")]], "CN=\\ "),
    ([[_pair("#a#")]], "CN=\\#a#"),
    ([[_pair("a\u200bb\n")]], "CN=a\\E2\\80\\8Bb\\0A"),
])
def test_names_as_in_rfc_4514(sets: Any, text: Any) -> None:
    assert x509.name_text(b"".join(_tlv(0x31, *pairs) for pairs in sets)) == text


def test_every_cut_and_every_flipped_byte() -> None:
    whole = der("node")
    for cut in range(len(whole)):
        with pytest.raises(WireError):
            x509.describe(whole[:cut])
    with pytest.raises(WireError):
        x509.describe(whole + b"\0")
    for place in range(len(whole)):
        for value in (0, 0x7F, 0x80, 0xFF, whole[place] ^ 1):
            try:
                x509.describe(whole[:place] + bytes((value,)) + whole[place + 1:])
            except WireError:
                pass


def test_a_length_of_four_gigabytes() -> None:
    with pytest.raises(ProtocolError):
        x509.describe(b"\x30\x84\xff\xff\xff\xff" + bytes(100))


@given(st.binary(max_size=100))
def test_nothing_else_is_raised(data: Any) -> None:
    for lead in (b"", b"\x30\x50\x30\x4e"):
        try:
            x509.describe(lead + data)
        except WireError:
            pass


def message(*certificates: Any, context: Any = b"", extensions: Any = b"") -> Any:
    """A TLS Certificate message."""
    body = b"".join(len(item).to_bytes(3, "big") + item + extensions for item in certificates)
    body = context + len(body).to_bytes(3, "big") + body
    return b"\x0b" + len(body).to_bytes(3, "big") + body


def test_the_first_certificate_of_a_message() -> None:
    assert x509.first_certificate(message(b"one", b"two")) == b"one"
    assert x509.first_certificate(message(b"one", b"two", context=b"\0", extensions=b"\0\0")) == b"one"
    assert x509.first_certificate(message()) is None
    assert x509.first_certificate(b"\x0b\0\0") is None
    assert x509.first_certificate(b"") is None

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the certificates of this folder again (needs cryptography). Their keys are no secret: nothing but tests trusts them."""

from __future__ import annotations

import datetime
import ipaddress
import pathlib
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = pathlib.Path(__file__).parent
BOTH = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
NAMES = [
    x509.DNSName("localhost"), x509.DNSName("127.0.0.1"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")), x509.UniformResourceIdentifier("urn:x"), x509.RFC822Name("a@b.test"),
]


def name(text: Any) -> Any:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests, only"), x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject: Any, key: Any, ca_key: Any, names: Any = None, usages: Any = None, until: Any = 2120, is_ca: Any = False) -> Any:
    end = datetime.datetime(until, 2 if until == 2020 else 1, 1)
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("Test CA")).public_key(key.public_key())
    builder = builder.serial_number(int.from_bytes(subject.encode()[:8], "big")).not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(end)
    builder = builder.add_extension(x509.BasicConstraints(is_ca, None), True)
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False)
    builder = builder.add_extension(x509.KeyUsage(digital_signature=not is_ca, key_cert_sign=is_ca, crl_sign=is_ca, **usage), True)
    if is_ca:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    else:
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
    return builder.sign(ca_key, hashes.SHA256())


def write(file: Any, made: Any) -> None:
    (FOLDER / file).write_bytes(made.public_bytes(serialization.Encoding.PEM))


def main() -> None:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    write("ca.pem", certificate("Test CA", ca_key, ca_key, is_ca=True))
    write("node.pem", certificate("node", key, ca_key, NAMES, BOTH))
    write("expired.pem", certificate("expired", key, ca_key, NAMES, BOTH, 2020))
    write("rsa.pem", certificate("rsa", rsa.generate_private_key(65537, 2048), ca_key, None, BOTH[1:]))
    write("ed25519.pem", certificate("ed\u00e9\n", ed25519.Ed25519PrivateKey.generate(), ca_key))
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (FOLDER / "node.key").write_bytes(key.private_bytes(*pem))


if __name__ == "__main__":
    main()

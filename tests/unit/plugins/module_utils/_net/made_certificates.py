# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates made for a test, good ones and broken ones. They need the library cryptography."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import pathlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_rules import Files

pytest.importorskip("cryptography")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
NAMES = ("DNS:127.0.0.1",)
NOW = datetime.datetime.now(datetime.timezone.utc)
LOOPBACK = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
DAY = datetime.timedelta(days=1)


def new_key() -> Any:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Any, passphrase: bytes | None = None) -> bytes:
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


@dataclass
class Ca:
    """A CA of one test."""

    title: str = "made CA"
    key: Any = field(default_factory=new_key)

    @functools.cached_property
    def pem(self) -> bytes:
        return self.sign(self.title, self.key, is_ca=True)

    def sign(
        self, title: str, key: Any, *, names: tuple[str, ...] = ("127.0.0.1",), purposes: tuple[Any, ...] = (SERVER, CLIENT), begin: int = -10,
        end: int = 80, is_ca: bool = False,
    ) -> bytes:
        """A certificate as PEM. begin and end: days from now."""
        builder = x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)]))
        builder = builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.title)])).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOW + begin * DAY).not_valid_after(NOW + end * DAY)
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), True)
        if names and not is_ca:
            builder = builder.add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names), LOOPBACK]), False)
        if purposes and not is_ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass
class Made:
    """The three files of one node in a directory."""

    directory: pathlib.Path

    @property
    def files(self) -> Files:
        return Files(*(str(self.directory / name) for name in ("ca.pem", "cert.pem", "key.pem")))

    def write(self, **contents: bytes) -> Files:
        self.directory.mkdir(exist_ok=True)
        for what, content in contents.items():
            path = pathlib.Path(getattr(self.files, what))
            path.unlink(missing_ok=True)
            path.write_bytes(content)
        return self.files

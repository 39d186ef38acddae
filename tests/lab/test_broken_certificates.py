# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of one's own with which a node could not work: refused before the old ones are replaced, and the node goes on with those."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import Lab
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from test_renew import RENEW, in_file, pids, shown

OWN, TLS = "/run/own", "/etc/beam/beam@n2/tls"
DAY = datetime.timedelta(days=1)
BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
PEM = serialization.Encoding.PEM


def key_pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes = b"") -> str:
    encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Own:
    """What an operator hands in: the three files, signed by the CA of the lab."""

    ca_key: ec.EllipticCurvePrivateKey
    ca: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    files: dict[str, str]

    def signed(
        self, *, names: tuple[str, ...] = ("n2",), begins: float = -1, ends: float = 30, purposes: tuple[x509.ObjectIdentifier, ...] = BOTH
    ) -> Own:
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name("beam@n2"))
            .issuer_name(self.ca.subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins * DAY)
            .not_valid_after(now + ends * DAY)
            .add_extension(x509.ExtendedKeyUsage(purposes), False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
        return self.having(**{"cert.pem": builder.sign(self.ca_key, hashes.SHA256()).public_bytes(PEM).decode()})

    def having(self, **files: str) -> Own:
        return replace(self, files={**self.files, **files})

    def half(self, file: str) -> Own:
        return self.having(**{file: self.files[file][: len(self.files[file]) // 2]})


def other_ca(own: Own) -> Own:
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name("other")).issuer_name(name("other")).public_key(own.key.public_key())
    builder = builder.serial_number(7).not_valid_before(now - DAY).not_valid_after(now + DAY)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    return own.having(**{"ca.pem": builder.sign(own.key, hashes.SHA256()).public_bytes(PEM).decode()})


BROKEN: dict[str, tuple[Callable[[Own], Own], str]] = {
    "half a certificate": (lambda own: own.half("cert.pem"), "the file is cut off or damaged"),
    "half a key": (lambda own: own.half("key.pem"), "key or certificate: they cannot be used"),
    "half a file of CAs": (lambda own: own.half("ca.pem"), "the file is cut off or damaged"),
    "an empty file": (lambda own: own.having(**{"cert.pem": ""}), "the file has no certificate"),
    "a key of another certificate": (
        lambda own: own.having(**{"key.pem": key_pem(ec.generate_private_key(ec.SECP256R1()))}),
        "key: it does not belong to the certificate",
    ),
    "an encrypted key": (lambda own: own.having(**{"key.pem": key_pem(own.key, b"a passphrase")}), "A node needs a key without a passphrase"),
    # What the plan sees, it refuses for all hosts, before the node is asked.
    "no name": (lambda own: own.signed(names=()), "lacks the subject alternative name DNS:n2"),
    "another member's name": (lambda own: own.signed(names=("n1",)), "lacks the subject alternative name DNS:n2"),
    "expired": (lambda own: own.signed(begins=-3, ends=-1), "expired at"),
    "not yet valid": (lambda own: own.signed(begins=2), "certificate: it is not valid before"),
    "for servers alone": (lambda own: own.signed(purposes=BOTH[:1]), "it is not for both server and client authentication"),
    "of another CA": (other_ca, "the CA certificates do not verify it"),
}


@pytest.fixture(scope="module")
def own(lab: Lab) -> Own:
    root = Path(lab.variable("n1", "beam_pki_ca_dir")) / "root"
    ca_key = serialization.load_pem_private_key((root / "key.pem").read_bytes(), lab.variable("n1", "beam_pki_ca_passphrase").encode())
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    text = (root / "certificate.pem").read_text()
    key = ec.generate_private_key(ec.SECP256R1())
    return Own(ca_key, x509.load_pem_x509_certificate(text.encode()), key, {"key.pem": key_pem(key), "ca.pem": text}).signed()


def hand_in(lab: Lab, own: Own, touched: str = "now") -> tuple[int, str]:
    lab.on("n2", f"rm -rf {OWN}; mkdir -m 700 {OWN}")
    for file, text in own.files.items():
        lab.write("n2", f"{OWN}/{file}", text)
    lab.on("n2", f"touch --date='{touched}' {OWN}/*")
    variables = {"beam_pki_certificate": f"{OWN}/cert.pem", "beam_pki_key": f"{OWN}/key.pem", "beam_pki_ca": f"{OWN}/ca.pem"}
    done = lab.play("--limit", "n2", "--extra-vars", json.dumps(variables), playbook=RENEW)
    lab.on("n2", f"rm -r {OWN}")
    return done.returncode, done.stdout


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_refused_on_the_node(lab: Lab, own: Own, kind: str) -> None:
    broken, said = BROKEN[kind]
    before, running, serves = lab.on("n2", f"sha256sum {TLS}/*"), pids(lab), shown(lab, "n2")
    status, output = hand_in(lab, broken(own))
    assert status != 0 and said in " ".join(output.split()), output[-4000:]
    assert "the old ones are still in place" in output or "nothing was touched" in output, output[-4000:]
    assert lab.on("n2", f"sha256sum {TLS}/*") == before and shown(lab, "n2") == in_file(lab, "n2") == serves and pids(lab) == running


def test_a_good_one_is_used_however_old_its_file_is(lab: Lab, own: Own) -> None:
    """The table above would refuse this, too, if it refused everything. A file with an old time alone would never be read by OTP."""
    before, running = shown(lab, "n2"), pids(lab)
    status, output = hand_in(lab, own, "2 years ago")
    assert status == 0, output[-4000:]
    assert shown(lab, "n2") == in_file(lab, "n2") != before and pids(lab) == running
    done = lab.play("--extra-vars", '{"beam_pki_renew": ["beam@n2"]}', playbook=RENEW)
    assert done.returncode == 0, done.stdout[-4000:]

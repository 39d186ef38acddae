# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CRL that would refuse everybody is refused before it is in place; the others are replaced file by file. Made and named by openssl's rules."""

from __future__ import annotations

import datetime
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import crl_files
from ansible_collections.beam.cluster.plugins.module_utils._wire import crl as wire

pytest.importorskip("ansible")
pytest.importorskip("cryptography")
from ansible_collections.beam.cluster.plugins.modules.crl import settle, signed  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
PEM = serialization.Encoding.PEM


class Authority:
    def __init__(self, name: str, organisation: str = "", parent: Authority | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
        self.name = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = parent or self
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(signer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + 100 * DAY)
            .sign(signer.key, hashes.SHA256())
        )
        self.pem = self.certificate.public_bytes(PEM)

    def crl(self, begin: int = -1, end: int = 90, serials: tuple[int, ...] = (), key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(NOW + begin * DAY).next_update(NOW + end * DAY)
        for serial in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(key or self.key, hashes.SHA256()).public_bytes(PEM)


ONE, OTHER = Authority("beam root 2026-01-31T00:00:00Z"), Authority("other")
CHILD = Authority("intermediate", parent=ONE)


def said(texts: list[bytes], ca: bytes = ONE.pem) -> str:
    return "; ".join(crl_files.problems(texts, ca, time.time(), signed))


@pytest.mark.parametrize(
    ("texts", "ca", "words"),
    [
        ([ONE.crl()], ONE.pem, ""),
        ([ONE.crl(), OTHER.crl()], ONE.pem + OTHER.pem, ""),
        ([CHILD.crl()], ONE.pem + CHILD.pem, ""),
        ([], ONE.pem, "there is no CRL of the CA CN=beam root"),
        ([ONE.crl()], ONE.pem + OTHER.pem, "there is no CRL of the CA CN=other"),
        ([ONE.crl()], ONE.pem + CHILD.pem, "there is no CRL of the CA CN=intermediate"),
        ([ONE.crl(begin=-3, end=-1)], ONE.pem, "it ended at"),
        ([ONE.crl(begin=1)], ONE.pem, "it is not valid before"),
        ([ONE.crl(key=OTHER.key)], ONE.pem, "its signature is not that of the CA"),
        ([ONE.crl(), OTHER.crl()], ONE.pem, "the node trusts no such CA"),
        ([ONE.crl()[:200]], ONE.pem, "does not have exactly one CRL"),
        ([ONE.crl().replace(b"\nM", b"\nA", 1)], ONE.pem, "damaged"),
        ([b""], ONE.pem, "does not have exactly one CRL"),
        ([ONE.crl() + OTHER.crl()], ONE.pem, "does not have exactly one CRL"),
        ([ONE.crl()], b"nothing", "CA certificates: the file has no certificate"),
    ],
)
def test_problems(texts: list[bytes], ca: bytes, words: str) -> None:
    found = said(texts, ca)
    assert (words in found) if words else found == "", found


def test_fields() -> None:
    crl = wire.of_pem(ONE.crl(serials=(5, 0x7F00000000000000000000000000000000000001, 0xBEA0C1)))
    assert crl.issuer == "CN=beam root 2026-01-31T00:00:00Z"
    assert crl.revoked == {"5", "7F00000000000000000000000000000000000001", "BEA0C1"}
    assert crl.next_update == (NOW + 90 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert wire.of_pem(ONE.crl(serials=tuple(range(1, 6000)))).revoked >= {"1", "176F"}


@pytest.mark.parametrize("name", ["beam root 2026-01-31T00:00:00Z", "  Two   Spaces ", "ÄÖ straße", "x" * 60])
@pytest.mark.parametrize("organisation", ["", "Some  Org"])
def test_the_file_has_the_name_that_openssl_gives_it(name: str, organisation: str, tmp_path: Path) -> None:
    made = tmp_path / "crl.pem"
    made.write_bytes(Authority(name, organisation).crl())
    shown = subprocess.run(["openssl", "crl", "-hash", "-noout", "-in", str(made)], capture_output=True, text=True, check=True).stdout.strip()
    assert wire.of_pem(made.read_bytes()).file_hash == shown


def names(directory: Path) -> set[str]:
    return {one.name for one in directory.iterdir()}


def test_files(tmp_path: Path) -> None:
    directory, trusted = tmp_path / "crl", tmp_path / "ca.pem"
    trusted.write_bytes(ONE.pem)
    given = {"node": "beam@n1", "directory": str(directory), "trusted_file": str(trusted), "ca": ONE.pem.decode(), "crls": [ONE.crl().decode()]}
    first = settle(given, change=False)
    assert first["changed"] and not directory.exists()
    assert settle(given, change=True) == first and names(directory) == set(first["written"])
    assert settle(given, change=True) == {"node": "beam@n1", "changed": False, "written": [], "removed": [], "problems": []}
    # A change of the CA: the other one's CRL comes first, and goes when the node trusts it no more.
    both = {**given, "ca": (ONE.pem + OTHER.pem).decode(), "crls": [given["crls"][0], OTHER.crl().decode()]}
    assert len(settle(both, change=True)["written"]) == 1
    only = {**given, "ca": OTHER.pem.decode(), "crls": [both["crls"][1]]}
    assert settle(only, change=True)["removed"] == [] and len(names(directory)) == 2
    trusted.write_bytes(OTHER.pem)
    (directory / "0a0b0c0d.r0.new").write_text("of a run that was killed")
    assert set(settle(only, change=True)["removed"]) == {*first["written"], "0a0b0c0d.r0.new"} and len(names(directory)) == 1
    before = {one.name: one.read_bytes() for one in directory.iterdir()}
    refused = settle({**only, "crls": [OTHER.crl(begin=-2, end=-1).decode()]}, change=True)
    assert refused["problems"] and not refused["changed"] and {one.name: one.read_bytes() for one in directory.iterdir()} == before

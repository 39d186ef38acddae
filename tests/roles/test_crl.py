# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CRLs of the role pki, by the real ansible-playbook: made, renewed in time, checked before they are in place; revoked members stay out."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from test_pki import Hosts


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Hosts:
    """A host with a certificate and the CRL. Tests copy it, see hosts."""
    hosts = Hosts(tmp_path_factory.mktemp("made") / "hosts")
    hosts.plan["crl"] = True
    hosts.good()
    return hosts


@pytest.fixture
def hosts(made: Hosts, tmp_path: Path) -> Hosts:
    copy = Hosts(tmp_path / "hosts")
    copy.plan["crl"] = True
    for name in ("ca", "n1"):
        shutil.copytree(made.folder / name, copy.folder / name)
    return copy


def crls(hosts: Hosts) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((hosts.folder / "n1" / "crl").iterdir())}


def verified(hosts: Hosts) -> str:
    """What openssl says of the node's certificate with the node's CRL."""
    tls = hosts.folder / "n1" / "tls"
    (hosts.folder / "both.pem").write_bytes((tls / "ca.pem").read_bytes() + b"".join(crls(hosts).values()))
    command = ["openssl", "verify", "-crl_check", "-CAfile", str(hosts.folder / "both.pem"), str(tls / "cert.pem")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


@pytest.mark.long
def test_made_once_renewed_in_time_and_never_one_that_refuses_everybody(hosts: Hosts) -> None:
    first = crls(hosts)
    assert len(first) == 1 and verified(hosts).endswith("cert.pem: OK\n")
    assert "changed=0" in hosts.good() and crls(hosts) == first
    well, output = hosts.run(beam_pki_crl_days=0, beam_pki_renew_at=0.0001)
    assert not well and "the new CRLs were refused, and the old ones are still in place" in output and "it ended at" in output, output
    assert crls(hosts) == first
    hosts.good()
    assert crls(hosts) != first and set(crls(hosts)) == set(first)


@pytest.mark.long
def test_a_revoked_member_gets_a_certificate_only_by_request_and_with_a_new_key(hosts: Hosts) -> None:
    before = hosts.certificate("n1")
    entry = {"serial": f"{before.serial_number:X}", "node": "beam@n1", "since": "2026-01-31T00:00:00Z"}
    (hosts.folder / "ca" / "root" / "revoked.json").write_text(json.dumps({"revoked": [entry]}), encoding="utf-8")
    well, output = hosts.run(beam_pki_renew="all")
    assert not well and "beam@n1: the certificate is revoked" in output, output
    assert hosts.certificate("n1") == before and "certificate revoked" in verified(hosts)
    hosts.good(beam_pki_renew=["beam@n1"])
    after = hosts.certificate("n1")
    assert after.public_key() != before.public_key() and verified(hosts).endswith("cert.pem: OK\n")
    issued = [x509.load_pem_x509_certificate(path.read_bytes()) for path in (hosts.folder / "ca" / "issued" / "beam@n1").iterdir()]
    assert {one.serial_number for one in issued} == {before.serial_number, after.serial_number}


@pytest.mark.long
def test_an_intermediate_takes_over_and_the_key_of_the_root_may_be_elsewhere(hosts: Hosts) -> None:
    hosts.good(beam_pki_intermediate=True)
    ca, tls = hosts.folder / "ca", hosts.folder / "n1" / "tls"
    issuer, root = (x509.load_pem_x509_certificate((ca / name / "certificate.pem").read_bytes()) for name in ("intermediate", "root"))
    issuer.verify_directly_issued_by(root)
    chain = x509.load_pem_x509_certificates((tls / "cert.pem").read_bytes())
    chain[0].verify_directly_issued_by(issuer)
    assert chain[1:] == [issuer]
    assert x509.load_pem_x509_certificates((tls / "ca.pem").read_bytes()) == [root, issuer]
    assert len(crls(hosts)) == 2 and verified(hosts).endswith("cert.pem: OK\n")

    before = {path.name: path.read_bytes() for path in tls.iterdir()}
    for name in ("key.pem", "crl.pem"):
        (ca / "root" / name).unlink()
    hosts.good(beam_pki_intermediate=True)
    assert {path.name: path.read_bytes() for path in tls.iterdir()} == before and verified(hosts).endswith("cert.pem: OK\n")

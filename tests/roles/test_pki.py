# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role pki as a user meets it, by the real ansible-playbook; its hosts are directories of this machine."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "a passphrase that nobody else has"


class Hosts:
    """Hosts that hold a node each, and a controller. One host, but where two make a difference: a run takes seconds."""

    def __init__(self, folder: Path, names: Sequence[str] = ("n1",)) -> None:
        self.folder = folder
        self.names = names
        collections = folder / "collections" / "ansible_collections" / "beam"
        collections.mkdir(parents=True)
        (collections / "cluster").symlink_to(ROOT)
        self.plan: dict[str, Any] = {
            "group": "beam",
            "name_type": "short",
            "tls": True,
            "crl": False,
            "ca_dir": str(folder / "ca"),
            "members": [{"node": f"beam@{host}", "host": host} for host in names],
            "incompatible_nodes": [],
            "probe_name": "beam_probe",
            "epmd_port": 4369,
            "hosts": {host: {"nodes": [self.node(host)]} for host in names},
            "departing": {},
        }
        (folder / "inventory").write_text(
            "\n".join(["[beam]", *names, "[beam:vars]", "ansible_connection=local", f"ansible_python_interpreter={sys.executable}", ""]),
            encoding="utf-8",
        )
        (folder / "play.yml").write_text(
            "- hosts: beam\n  gather_facts: false\n  roles: [beam.cluster.pki]\n", encoding="utf-8"
        )

    def node(self, host: str, host_part: str | None = None) -> dict[str, Any]:
        tls = {"ca": "ca.pem", "certificate": "cert.pem", "key": "key.pem"}
        return {
            "address": "127.0.0.1",
            "port": None,
            "unit": f"nothing-{host}.service",
            "home": str(self.folder / host),
            "tls": {**{what: str(self.folder / host / "tls" / name) for what, name in tls.items()}, "versions": ["tlsv1.3"]},
            "node": f"beam@{host_part or host}",
            "host_part": host_part or host,
            "user": "root",
            "group": "root",
            "directory": str(self.folder / host),
        }

    def command(self, *options: str, **variables: Any) -> list[str]:
        given = {"beam_plan": self.plan, "beam_pki_ca_passphrase": PASSPHRASE, **variables}
        (self.folder / "variables.json").write_text(json.dumps(given), encoding="utf-8")
        # Files are handed to root, so without it a user namespace has to do.
        root = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
        play = str(Path(sys.executable).with_name("ansible-playbook"))
        return [*root, play, "-i", "inventory", "-e", "@variables.json", *options, "play.yml"]

    def environment(self) -> dict[str, str]:
        packages = Path(sys.executable).parents[1] / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
        return {
            **os.environ,
            "HOME": str(self.folder),
            "ANSIBLE_COLLECTIONS_PATH": f"{self.folder / 'collections'}:{packages}",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_INJECT_FACT_VARS": "false",
            "ANSIBLE_LOCALHOST_WARNING": "false",
        }

    def run(self, *options: str, **variables: Any) -> tuple[bool, str]:
        """Run the role; returns whether it went well and what it said on one line each."""
        ran = subprocess.run(
            self.command(*options, **variables),
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return ran.returncode == 0, ran.stdout + ran.stderr

    def good(self, *options: str, **variables: Any) -> str:
        well, output = self.run(*options, **variables)
        assert well, output
        return output

    def bad(self, *options: str, **variables: Any) -> str:
        before = self.digest()
        well, output = self.run(*options, **variables)
        assert not well, output
        assert self.digest() == before, "a refusal has changed files"
        return output

    def digest(self) -> dict[str, bytes]:
        watched = [path for name in ("ca", *self.names) for path in sorted((self.folder / name).rglob("*")) if path.is_file()]
        return {str(path): path.read_bytes() for path in watched}

    def certificate(self, host: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate((self.folder / host / "tls" / "cert.pem").read_bytes())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """Hosts with certificates. Tests copy them, see hosts."""
    hosts = Hosts(tmp_path_factory.mktemp("made") / "hosts")
    output = hosts.good("-vvv")
    (hosts.folder / "output").write_text(output, encoding="utf-8")
    yield hosts


@pytest.fixture
def hosts(made: Hosts, tmp_path: Path) -> Hosts:
    folder = tmp_path / "hosts"
    mine = Hosts(folder)
    for name in ("ca", *mine.names):
        shutil.copytree(made.folder / name, folder / name)
    return mine


def test_what_a_node_gets(made: Hosts) -> None:
    root = x509.load_pem_x509_certificate((made.folder / "ca" / "root" / "certificate.pem").read_bytes())
    for host in made.names:
        certificate = made.certificate(host)
        certificate.verify_directly_issued_by(root)
        extensions = certificate.extensions
        assert extensions.get_extension_for_class(x509.SubjectAlternativeName).value == x509.SubjectAlternativeName([x509.DNSName(host)])
        assert set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == {
            ExtendedKeyUsageOID.SERVER_AUTH,
            ExtendedKeyUsageOID.CLIENT_AUTH,
        }
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        assert (usage.digital_signature, usage.key_encipherment, usage.key_cert_sign) == (True, False, False)
        assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca

        now = datetime.datetime.now(datetime.timezone.utc)
        assert datetime.timedelta(minutes=55) < now - certificate.not_valid_before_utc < datetime.timedelta(minutes=75)
        assert datetime.timedelta(days=89) < certificate.not_valid_after_utc - now <= datetime.timedelta(days=90)

        tls = made.folder / host / "tls"
        key = serialization.load_pem_private_key((tls / "key.pem").read_bytes(), None)
        assert key.public_key() == certificate.public_key()
        assert stat.S_IMODE((tls / "key.pem").stat().st_mode) == 0o400
        assert (tls / "ca.pem").read_bytes().strip() == root.public_bytes(serialization.Encoding.PEM).strip()
        assert (made.folder / "ca" / "issued" / f"beam@{host}.pem").read_bytes().strip() == (tls / "cert.pem").read_bytes().strip()


def test_the_authority_is_private(made: Hosts) -> None:
    key = made.folder / "ca" / "root" / "key.pem"
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in key.read_bytes()
    assert stat.S_IMODE((made.folder / "ca").stat().st_mode) == 0o700
    assert sorted(path.name for path in (made.folder / "ca").iterdir()) == ["issued", "root"]


def test_no_secret_is_left_or_shown(made: Hosts) -> None:
    keys = [
        "".join(path.read_text(encoding="utf-8").splitlines()[1:3])[:60]
        for path in (made.folder / "n1/tls/key.pem", made.folder / "ca/root/key.pem")
    ]
    output = (made.folder / "output").read_text(encoding="utf-8")
    for secret in (PASSPHRASE, *keys):
        assert secret not in output
    left = [path for path in (made.folder / ".ansible").rglob("*") if path.is_file()]
    assert not [path for path in left if PASSPHRASE.encode() in path.read_bytes()]


def test_a_second_run_changes_nothing(hosts: Hosts) -> None:
    before = hosts.digest()
    output = hosts.good()
    assert "changed=0" in output, output
    assert hosts.digest() == before


def test_check_mode_predicts_and_changes_nothing(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path / "hosts")
    output = hosts.good("--check")
    assert not (hosts.folder / "ca").exists() and not (hosts.folder / "n1").exists()
    for task in ("create_ca | Move the CA into place", "issue | Report the certificate that will be issued"):
        block = output.split(f": {task}]")[1].split("TASK [")[0]
        assert "changed: [n1" in block, task


def test_renewed_after_two_thirds_of_its_lifetime(hosts: Hosts) -> None:
    # Backdated so far that a little less, then a little more, than two thirds of its lifetime are over.
    hosts.plan["hosts"]["n1"]["nodes"] = [hosts.node("n1", "renewed")]
    hosts.good(beam_pki_days=2, beam_pki_backdate="3d")
    serial = hosts.certificate("n1").serial_number
    hosts.good(beam_pki_days=2, beam_pki_backdate="3d")
    assert hosts.certificate("n1").serial_number == serial
    hosts.plan["hosts"]["n1"]["nodes"] = [hosts.node("n1", "due")]
    hosts.good(beam_pki_days=2, beam_pki_backdate="5d")
    serial = hosts.certificate("n1").serial_number
    hosts.good()
    assert hosts.certificate("n1").serial_number != serial


def test_signed_again_when_name_or_key_no_longer_fit(hosts: Hosts) -> None:
    hosts.plan["hosts"]["n1"]["nodes"] = [hosts.node("n1", "other")]
    hosts.good()
    assert "other" in str(hosts.certificate("n1").extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    serial = hosts.certificate("n1").serial_number
    (hosts.folder / "n1" / "tls" / "key.pem").unlink()
    hosts.good()
    certificate = hosts.certificate("n1")
    assert certificate.serial_number != serial
    key = serialization.load_pem_private_key((hosts.folder / "n1" / "tls" / "key.pem").read_bytes(), None)
    assert key.public_key() == certificate.public_key()


def test_a_name_that_is_an_address_is_there_in_both_forms(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path / "hosts", ("n1", "n2"))
    hosts.plan["name_type"] = "ip"
    addresses = {"n1": "192.0.2.7", "n2": "fd00::7"}
    for host, address in addresses.items():
        hosts.plan["hosts"][host]["nodes"] = [hosts.node(host, address)]
    hosts.good()
    for host, address in addresses.items():
        names = hosts.certificate(host).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [address]
        assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address(address)]


def test_an_intermediate_takes_over(hosts: Hosts) -> None:
    hosts.good(beam_pki_intermediate=True)
    issuer = x509.load_pem_x509_certificate((hosts.folder / "ca" / "intermediate" / "certificate.pem").read_bytes())
    root = x509.load_pem_x509_certificate((hosts.folder / "ca" / "root" / "certificate.pem").read_bytes())
    issuer.verify_directly_issued_by(root)
    chain = x509.load_pem_x509_certificates((hosts.folder / "n1" / "tls" / "cert.pem").read_bytes())
    chain[0].verify_directly_issued_by(issuer)
    assert chain[1:] == [issuer]
    assert x509.load_pem_x509_certificates((hosts.folder / "n1" / "tls" / "ca.pem").read_bytes()) == [root, issuer]
    # The root's key is needed no more.
    (hosts.folder / "ca" / "root" / "key.pem").unlink()
    assert "changed=0" in hosts.good(beam_pki_intermediate=True)


def test_no_other_authority_while_a_node_trusts_one(hosts: Hosts, tmp_path: Path) -> None:
    stranger = Hosts(tmp_path / "stranger")
    stranger.good()
    shutil.rmtree(hosts.folder / "ca")
    output = hosts.bad()
    assert "n1 (beam@n1): trusts another CA than the one in" in output
    assert "which contains no CA, so that a new one would be created" in output
    assert not (hosts.folder / "ca").exists()

    hosts.plan["ca_dir"] = stranger.plan["ca_dir"]
    assert "which contains another CA" in hosts.bad()


def test_no_new_authority_while_members_are_out_of_sight(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path / "hosts", ("n1", "n2"))
    assert "n2, not in this run, may use another one" in hosts.bad("--limit", "n1")
    hosts.good()
    hosts.good("--limit", "n1")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"beam_pki_ca_passphrase": "not the right one"}, "Most likely beam_pki_ca_passphrase is not the passphrase of its key"),
        ({"beam_pki_ca_passphrase": "tiny-one"}, "beam_pki_ca_passphrase is missing or shorter than 12 characters"),
        ({"beam_pki_certificate": "/somewhere"}, "only some of beam_pki_certificate, beam_pki_key and beam_pki_ca are set"),
        ({"beam_pki_days": 4000}, "before a certificate of beam_pki_days (4000 days) would"),
    ],
)
def test_mistakes_are_refused_by_name(hosts: Hosts, variables: dict[str, Any], said: str) -> None:
    output = hosts.bad(**variables)
    assert said in " ".join(output.split())
    assert variables.get("beam_pki_ca_passphrase", PASSPHRASE) not in output


def test_two_runs_at_once_leave_one_authority(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path / "hosts", ("n1", "n2"))
    command = hosts.command()
    started = [
        subprocess.Popen(command, cwd=hosts.folder, env=hosts.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _run in range(2)
    ]
    outputs = [process.communicate(timeout=240)[0] for process in started]
    # One of them may be refused, because the other has given a node what it trusts in between; what stays is whole.
    assert 0 in [process.returncode for process in started], outputs
    root = x509.load_pem_x509_certificate((hosts.folder / "ca" / "root" / "certificate.pem").read_bytes())
    hosts.good()
    for host in hosts.names:
        hosts.certificate(host).verify_directly_issued_by(root)


@pytest.mark.parametrize("moment", [".new-*/key.pem", "issued/*.pem"])
def test_a_run_that_is_killed_is_made_good_by_the_next(tmp_path: Path, moment: str) -> None:
    hosts = Hosts(tmp_path / "hosts")
    process = subprocess.Popen(
        hosts.command(), cwd=hosts.folder, env=hosts.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not list((hosts.folder / "ca").glob(moment)):
        assert time.monotonic() < deadline and process.poll() is None, f"{moment} was never there"
        time.sleep(0.01)
    os.killpg(process.pid, 9)
    process.wait()
    assert (hosts.folder / "ca" / "root" / "certificate.pem").exists() == (hosts.folder / "ca" / "root").exists()
    hosts.good()
    root = x509.load_pem_x509_certificate((hosts.folder / "ca" / "root" / "certificate.pem").read_bytes())
    for host in hosts.names:
        hosts.certificate(host).verify_directly_issued_by(root)


def bring(hosts: Hosts, certificate: Path | None = None) -> dict[str, str]:
    """Variables for certificates of one's own: those that n1 has already, from elsewhere."""
    theirs = hosts.folder / "theirs"
    if not theirs.exists():
        shutil.copytree(hosts.folder / "n1" / "tls", theirs)
        for name in ("n1", "ca"):
            shutil.rmtree(hosts.folder / name)
        for path in theirs.iterdir():
            os.utime(path, (1_600_000_000, 1_600_000_000))
    return {
        "beam_pki_certificate": str(certificate or theirs / "cert.pem"),
        "beam_pki_key": str(theirs / "key.pem"),
        "beam_pki_ca": str(theirs / "ca.pem"),
    }


def test_certificates_of_ones_own_are_installed_with_fresh_times(hosts: Hosts) -> None:
    given = bring(hosts)
    hosts.good(**given)
    tls = hosts.folder / "n1" / "tls"
    for name in ("key.pem", "cert.pem", "ca.pem"):
        assert (tls / name).read_bytes() == (hosts.folder / "theirs" / name).read_bytes()
        assert time.time() - (tls / name).stat().st_mtime < 600, f"OTP would not notice {name}"
    assert stat.S_IMODE((tls / "key.pem").stat().st_mode) == 0o400
    assert not (hosts.folder / "ca").exists()
    assert "changed=0" in hosts.good(**given)


def test_certificates_of_ones_own_that_do_not_fit_are_refused(hosts: Hosts) -> None:
    before = hosts.folder / "before.pem"
    shutil.copy(hosts.folder / "n1" / "tls" / "cert.pem", before)
    (hosts.folder / "n1" / "tls" / "key.pem").unlink()
    hosts.good()
    given = bring(hosts)
    assert "key: it does not belong to the certificate" in " ".join(hosts.run(**bring(hosts, before))[1].split())
    hosts.plan["hosts"]["n1"]["nodes"] = [hosts.node("n1", "other")]
    assert "it lacks the subject alternative name DNS:other" in " ".join(hosts.run(**given)[1].split())
    assert not list((hosts.folder / "n1").rglob("*.pem"))


def test_half_a_file_is_refused_and_the_old_one_stays(hosts: Hosts) -> None:
    given = bring(hosts)
    hosts.good(**given)
    before = hosts.digest()
    half = hosts.folder / "theirs" / "half.pem"
    half.write_bytes((hosts.folder / "theirs" / "cert.pem").read_bytes()[:-200])
    assert "the file is cut off or damaged" in " ".join(hosts.run(**bring(hosts, half))[1].split())
    assert hosts.digest() == before


def test_requested_certificates_are_renewed_with_a_new_key_on_request(hosts: Hosts) -> None:
    key = hosts.folder / "n1" / "tls" / "key.pem"
    before, serial = key.read_bytes(), hosts.certificate("n1").serial_number
    assert "beam_pki_renew is" in " ".join(hosts.bad(beam_pki_renew=["beam@n9"]).split())
    hosts.good(beam_pki_renew=["beam@n1"])
    assert key.read_bytes() == before and hosts.certificate("n1").serial_number != serial
    hosts.good(beam_pki_renew="all", beam_pki_renew_key=True)
    assert key.read_bytes() != before
    public = serialization.load_pem_private_key(key.read_bytes(), None).public_key()
    assert public == hosts.certificate("n1").public_key()
    assert sorted(path.name for path in (hosts.folder / "n1").rglob("*")) == ["ca.pem", "cert.pem", "key.pem", "tls"]


def test_another_type_of_key_comes_with_its_certificate(hosts: Hosts) -> None:
    hosts.good(beam_pki_key_curve="secp384r1")
    key = serialization.load_pem_private_key((hosts.folder / "n1" / "tls" / "key.pem").read_bytes(), None)
    assert key.curve.name == "secp384r1" and key.public_key() == hosts.certificate("n1").public_key()
    assert "changed=0" in hosts.good(beam_pki_key_curve="secp384r1")

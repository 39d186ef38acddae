# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role pki as a user meets it, by the real ansible-playbook; its hosts are directories of this machine.

A run takes seconds, most of them for the start of Python in each task: tests that only read share one, and what a run starts from is made here.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.certificate_names import certificate_names
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "a passphrase that nobody else has"


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Hosts:
    """Hosts that hold a node each, and a controller; `variables` of single hosts."""

    def __init__(self, folder: Path, names: Sequence[str] = ("n1",), variables: Mapping[str, Mapping[str, Any]] | None = None) -> None:
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
        (folder / "host_vars").mkdir()
        for host, own in (variables or {}).items():
            (folder / "host_vars" / f"{host}.json").write_text(json.dumps(own), encoding="utf-8")
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
            "certificate_names": certificate_names(host_part or host),
            "node": f"beam@{host_part or host}",
            "host_part": host_part or host,
            "user": "root",
            "group": "root",
            "directory": str(self.folder / host),
        }

    def command(self, *options: str, **variables: Any) -> list[str]:
        given = {"beam_plan": self.plan, "beam_pki_ca_passphrase": PASSPHRASE, **variables}
        given = {name: value for name, value in given.items() if value is not None}
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
            timeout=900,
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

    def issue(self, host: str, days_left: float) -> None:
        """What the role leaves on a host and beside its CA: a key, and a certificate that was valid for five days already."""
        root, tls, now = self.folder / "ca" / "root", self.folder / host / "tls", datetime.datetime.now(datetime.timezone.utc)
        key, ca = ec.generate_private_key(ec.SECP256R1()), x509.load_pem_x509_certificate((root / "certificate.pem").read_bytes())
        signer = serialization.load_pem_private_key((root / "key.pem").read_bytes(), PASSPHRASE.encode())
        like = x509.load_pem_x509_certificate((self.folder / "ca" / "issued" / "beam@n1.pem").read_bytes())
        made = x509.CertificateBuilder(
            issuer_name=ca.subject,
            subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"beam@{host}")]),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(days=5),
            not_valid_after=now + datetime.timedelta(days=days_left),
        )
        own = {
            x509.SubjectAlternativeName: x509.SubjectAlternativeName([x509.DNSName(host)]),
            x509.SubjectKeyIdentifier: x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        }
        for extension in like.extensions:
            made = made.add_extension(own.get(type(extension.value), extension.value), extension.critical)
        pem = made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]
        tls.mkdir(parents=True)
        trusted = (root / "certificate.pem").read_bytes()
        for name, content, mode in (("key.pem", pem_of(key), 0o400), ("cert.pem", pem, 0o444), ("ca.pem", trusted, 0o444)):
            (tls / name).write_bytes(content)
            (tls / name).chmod(mode)
        issued = self.folder / "ca" / "issued" / f"beam@{host}"
        issued.mkdir(mode=0o700)
        for copy in (issued / f"{hashlib.sha256(pem.strip()).hexdigest()[:16]}.pem", Path(f"{issued}.pem")):
            copy.write_bytes(pem)

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


def test_check_mode_predicts_and_changes_nothing(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path / "hosts")
    hosts.plan["crl"] = True
    output = hosts.good("--check")
    assert not (hosts.folder / "ca").exists() and not (hosts.folder / "n1").exists()
    for task in ("create_ca | Move the CA into place", "issue_certificate | Report the certificate that will be issued"):
        block = output.split(f": {task}]")[1].split("TASK [")[0]
        assert "changed: [n1" in block, task
    assert "The CRLs of beam@n1 will be made and installed" in output


class Reissued:
    """One run over hosts whose certificates differ in one thing each, and what each had before."""

    VARIABLES: Mapping[str, Mapping[str, Any]] = {
        "fresh": {},
        "due": {},
        "renamed": {},
        "keyless": {},
        "asked": {"beam_pki_renew": ["beam@asked"]},
        "rekeyed": {"beam_pki_renew": "all", "beam_pki_renew_key": True},
        "curve": {"beam_pki_key_curve": "secp384r1"},
    }

    def __init__(self, folder: Path, ca: Path) -> None:
        self.hosts = hosts = Hosts(folder, tuple(self.VARIABLES), self.VARIABLES)
        shutil.copytree(ca, folder / "ca")
        for host in hosts.names:
            # A little less, or a little more, than two thirds of its lifetime are over: due() has all cases in tests/unit.
            hosts.issue(host, days_left=2.4 if host == "due" else 2.6)
        (folder / "keyless" / "tls" / "key.pem").unlink()
        hosts.plan["hosts"]["renamed"]["nodes"] = [hosts.node("renamed", "other")]
        self.before = hosts.digest()
        self.old = {host: hosts.certificate(host) for host in hosts.names}
        self.output = hosts.good()

    def key(self, host: str) -> Any:
        return serialization.load_pem_private_key((self.hosts.folder / host / "tls" / "key.pem").read_bytes(), None)


@pytest.fixture(scope="module")
def reissued(made: Hosts, tmp_path_factory: pytest.TempPathFactory) -> Reissued:
    return Reissued(tmp_path_factory.mktemp("reissued") / "hosts", made.folder / "ca")


@pytest.mark.parametrize(
    ("host", "signed", "key"),
    [
        ("fresh", False, False),
        ("due", True, False),
        ("renamed", True, False),
        ("keyless", True, True),
        ("asked", True, False),
        ("rekeyed", True, True),
        ("curve", True, True),
    ],
)
def test_what_is_signed_again_and_what_gets_a_new_key(reissued: Reissued, host: str, signed: bool, key: bool) -> None:
    before, after = reissued.old[host], reissued.hosts.certificate(host)
    assert (after.serial_number != before.serial_number) is signed
    assert (after.public_key() != before.public_key()) is key
    assert reissued.key(host).public_key() == after.public_key()
    names = after.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names == x509.SubjectAlternativeName([x509.DNSName("other" if host == "renamed" else host)])
    assert sorted(path.name for path in (reissued.hosts.folder / host).rglob("*")) == ["ca.pem", "cert.pem", "key.pem", "tls"]


def test_what_is_neither_due_nor_different_stays(reissued: Reissued) -> None:
    after = reissued.hosts.digest()
    assert {path: after[path] for path in reissued.before if "/fresh/" in path} == {
        path: content for path, content in reissued.before.items() if "/fresh/" in path
    }


def test_another_type_of_key_comes_with_its_certificate(reissued: Reissued) -> None:
    assert reissued.key("curve").curve.name == "secp384r1" and reissued.key("rekeyed").curve.name == "secp256r1"


def test_a_second_run_changes_nothing(reissued: Reissued) -> None:
    before = reissued.hosts.digest()
    output = reissued.hosts.good("--limit", "fresh,keyless,curve")
    assert re.findall(r"^(\w+) .* changed=(\d+)", output, re.MULTILINE) == [("curve", "0"), ("fresh", "0"), ("keyless", "0")], output
    assert reissued.hosts.digest() == before


def test_no_other_authority_while_a_node_trusts_one(hosts: Hosts) -> None:
    # To the role a CA is whatever certificate is in its place.
    other = hosts.folder / "other"
    shutil.copytree(hosts.folder / "ca", other)
    (other / "root" / "certificate.pem").chmod(0o644)
    (other / "root" / "certificate.pem").write_bytes((hosts.folder / "n1" / "tls" / "cert.pem").read_bytes())
    shutil.rmtree(hosts.folder / "ca")
    output = hosts.bad()
    assert "n1 (beam@n1): trusts another CA than the one in" in output
    assert "which contains no CA, so that a new one would be created" in output
    assert not (hosts.folder / "ca").exists()

    hosts.plan["ca_dir"] = str(other)
    assert "which contains another CA" in hosts.bad()


def test_no_new_authority_while_members_are_out_of_sight(hosts: Hosts, tmp_path: Path) -> None:
    alone = Hosts(tmp_path / "alone", ("n1", "n2"))
    assert "n2, not in this run, may use another one" in alone.bad("--limit", "n1")
    # Where the CA is there already, a member out of sight hinders nobody.
    hosts.plan["members"].append({"node": "beam@n2", "host": "n2"})
    assert "changed=0" in hosts.good()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"beam_pki_ca_passphrase": "not the right one"}, "Most likely beam_pki_ca_passphrase is not the passphrase of its key"),
        ({"beam_pki_days": 4000}, "before a certificate of beam_pki_days (4000 days) would"),
    ],
)
def test_a_ca_that_cannot_sign_is_refused_with_its_reason(hosts: Hosts, variables: dict[str, Any], said: str) -> None:
    output = hosts.bad(**variables)
    assert said in " ".join(output.split())
    assert variables.get("beam_pki_ca_passphrase", PASSPHRASE) not in output


def test_mistakes_are_refused_by_name(tmp_path: Path) -> None:
    """One host for each mistake, all in one run."""
    mistakes = {
        "short": ({"beam_pki_ca_passphrase": "tiny-one"}, "beam_pki_ca_passphrase is missing or shorter than 12 characters"),
        "part": ({"beam_pki_certificate": "/somewhere"}, "only some of beam_pki_certificate, beam_pki_key and beam_pki_ca are set"),
        "unknown": ({"beam_pki_renew": ["beam@n9"]}, "beam_pki_renew is ['beam@n9']"),
    }
    variables = {name: {"beam_pki_ca_passphrase": PASSPHRASE, **wrong} for name, (wrong, _said) in mistakes.items()}
    hosts = Hosts(tmp_path / "hosts", tuple(mistakes), variables)
    output = " ".join(hosts.bad(beam_pki_ca_passphrase=None).split())
    for name, (_wrong, said) in mistakes.items():
        assert f"{name}: {said}" in output
    assert "tiny-one" not in output and PASSPHRASE not in output


@pytest.mark.long
def test_two_runs_at_once_leave_one_authority(tmp_path: Path) -> None:
    """Two clusters with one directory of CAs, so that nothing but the CA is common to the runs."""
    pair = [Hosts(tmp_path / "hosts" / name) for name in ("one", "other")]
    for hosts in pair:
        hosts.plan["ca_dir"] = str(tmp_path / "ca")
    started = [
        subprocess.Popen(hosts.command(), cwd=hosts.folder, env=hosts.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for hosts in pair
    ]
    outputs = [process.communicate(timeout=900)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], outputs
    root = x509.load_pem_x509_certificate((tmp_path / "ca" / "root" / "certificate.pem").read_bytes())
    for hosts in pair:
        hosts.certificate("n1").verify_directly_issued_by(root)


@pytest.mark.long
@pytest.mark.parametrize("moment", [".new-*/key.pem", "issued/*.pem"])
def test_a_run_that_is_killed_is_made_good_by_the_next(made: Hosts, tmp_path: Path, moment: str) -> None:
    hosts = Hosts(tmp_path / "hosts")
    if moment.startswith("issued"):
        shutil.copytree(made.folder / "ca" / "root", hosts.folder / "ca" / "root")
        (hosts.folder / "ca").chmod(0o700)
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


@pytest.mark.long
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


def test_half_a_file_is_refused_and_the_old_one_stays(hosts: Hosts) -> None:
    """tests/unit has every certificate that is refused (test_certificate_rules.py); here, that the role hands it over and says so."""
    bring(hosts)
    shutil.copytree(hosts.folder / "theirs", hosts.folder / "n1" / "tls")
    half = hosts.folder / "theirs" / "half.pem"
    half.write_bytes((hosts.folder / "theirs" / "cert.pem").read_bytes()[:-200])
    assert "the file is cut off or damaged" in " ".join(hosts.bad(**bring(hosts, half)).split())

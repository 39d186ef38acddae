# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that a node's files pass before they replace the old ones, run by a real OTP.

Each mistake here is one that a node would not complain about when it boots.
"""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PROVE = Path(__file__).resolve().parents[2] / "roles" / "distribution" / "files" / "check_files.escript"
BOTH = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
NOW = datetime.datetime.now(datetime.timezone.utc)


def prove(*arguments: object) -> tuple[int, str]:
    """Run the proof; returns its exit status and what it says."""
    escript = shutil.which("escript")
    assert escript, "these tests need OTP: the package erlang-base with erlang-ssl"
    ran = subprocess.run([escript, str(PROVE), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)
    return ran.returncode, ran.stdout + ran.stderr


class Authority:
    """A private authority, and certificates of it as the role pki makes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"root {folder.name}")])
        self.certificate = (
            self._builder(self.name, self.key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.ca = self._write("ca.pem", self.certificate)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: int = 1) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=2))
            .not_valid_after(NOW + datetime.timedelta(days=days))
        )

    def _write(self, name: str, certificate: x509.Certificate) -> Path:
        path = self.folder / name
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def issue(self, host: str = "n1", purposes: Sequence[x509.ObjectIdentifier] = BOTH, days: int = 1) -> tuple[Path, Path]:
        """Paths of a certificate for HOST and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"beam@{host}")]), key, days)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=False)
        path = self.folder / "key.pem"
        path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        return self._write("cert.pem", builder.sign(self.key, hashes.SHA256())), path


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ours")


def options(
    authority: Authority,
    issued: tuple[Path, Path],
    *,
    server: str = ", {fail_if_no_peer_cert, true}",
    client: str = "",
    versions: str = "['tlsv1.3']",
    verify: str = "verify_peer",
    text: str = "[{{server, [{common}{server}]}}, {{client, [{common}{client}]}}].",
) -> Path:
    certificate, key = issued
    common = (
        f'{{certfile, "{certificate}"}}, {{keyfile, "{key}"}}, {{cacertfile, "{authority.ca}"}}, '
        f"{{versions, {versions}}}, {{verify, {verify}}}"
    )
    path = authority.folder / "ssl_dist.conf"
    path.write_text(text.format(common=common, server=server, client=client), encoding="utf-8")
    return path


SUITES = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"


@pytest.mark.parametrize(("suites", "status"), [(SUITES, 0), (f"{SUITES}:ECDHE-ECDSA-AES256-GCM-SHA384", 1), ("", 1)])
def test_a_server_may_list_tls_1_2_without_a_suite_of_it(authority: Authority, suites: str, status: int) -> None:
    path = options(authority, authority.issue(), server=", {fail_if_no_peer_cert, true}" + (f', {{ciphers, "{suites}"}}' if suites else ""))
    text = path.read_text(encoding="utf-8").replace("['tlsv1.3']", "['tlsv1.3', 'tlsv1.2']", 1)
    path.write_text(text, encoding="utf-8")
    assert prove("tls", path, "n1") == (status, "" if status == 0 else "client and server know different versions\n")


@pytest.mark.parametrize("versions", ["['tlsv1.3']", "['tlsv1.3', 'tlsv1.2']"])
def test_good_options_pass(authority: Authority, versions: str) -> None:
    assert prove("tls", options(authority, authority.issue(), versions=versions), "n1") == (0, "")


MISTAKES = {
    "a list for clients that OTP 26 refuses": ({"client": ", {fail_if_no_peer_cert, true}"}, "client: fail_if_no_peer_cert belongs to the server"),
    "a peer's name that is not looked at": ({"client": ", {server_name_indication, disable}"}, "server_name_indication"),
    "an option of TLS 1.2 with 1.3 only": ({"server": ", {fail_if_no_peer_cert, true}, {secure_renegotiate, true}"}, "server: secure_renegotiate"),
    "sessions to reuse with 1.3 only": ({"server": ", {fail_if_no_peer_cert, true}, {reuse_sessions, false}"}, "server: reuse_sessions"),
    "a typing error that OTP ignores": ({"server": ", {fail_if_no_peercert, true}"}, "fail_if_no_peercert is no option"),
    "peers without a certificate": ({"server": ""}, "fail_if_no_peer_cert must be true"),
    "peers without a certificate, said": ({"server": ", {fail_if_no_peer_cert, false}"}, "fail_if_no_peer_cert must be true"),
    "nobody verifies": ({"verify": "verify_none"}, "verify must be verify_peer"),
    "an old version": ({"versions": "['tlsv1.3', 'tlsv1.1']"}, "versions must be out of"),
    "no version at all": ({"versions": "[]"}, "versions must be out of"),
    "nothing about versions": (
        {"text": "[{{server, [{{verify, verify_peer}}]}}, {{client, [{{verify, verify_peer}}]}}]."},
        "server: versions is missing",
    ),
    "an option twice": ({"client": ", {verify, verify_none}"}, "client: verify is given 2 times"),
    "code instead of terms": ({"client": ", {depth, os:cmd(\"true\")}"}, "not literal terms"),
    "no list for clients": ({"text": "[{{server, [{common}{server}]}}]."}, "exactly one server list and one client list"),
    "two terms": ({"text": "[{{server, [{common}{server}]}}, {{client, [{common}]}}]. []."}, "exactly one term"),
    "a file that does not end": ({"text": "[{{server, [{common}"}, "not literal terms"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_options_that_fail_without_a_sign_are_refused_by_name(authority: Authority, mistake: str) -> None:
    changed, said = MISTAKES[mistake]
    status, output = prove("tls", options(authority, authority.issue(), **changed), "n1")
    assert status == 1
    assert said in output


def test_certificates_that_do_not_fit_are_refused(authority: Authority, tmp_path: Path) -> None:
    file = options(authority, authority.issue())
    status, output = prove("tls", file, "n2")
    assert (status, "hostname_check_failed" in output) == (1, True)

    for wrong, said in (
        ({"purposes": BOTH[:1]}, "a server with these options refuses the client"),
        ({"purposes": BOTH[1:]}, "a client with these options refuses the server"),
        ({"days": -1}, "expired"),
    ):
        status, output = prove("tls", options(authority, authority.issue(**wrong)), "n1")
        assert status == 1, wrong
        assert said in output, wrong

    stranger = Authority(tmp_path / "theirs")
    status, output = prove("tls", options(authority, stranger.issue()), "n1")
    assert (status, "unknown" in output) == (1, True)

    certificate, key = authority.issue()
    other = Authority(tmp_path / "third")
    status, output = prove("tls", options(authority, (certificate, other.issue()[1])), "n1")
    assert status == 1

    key.unlink()
    status, output = prove("tls", options(authority, (certificate, key)), "n1")
    assert (status, "no such file" in output) == (1, True)


def flags(folder: Path, *, without: str = "", more: str = "", inetrc: str = '{hosts_file, ""}.\n{host, {10,9,9,9}, ["n1"]}.\n') -> Path:
    (folder / "inetrc").write_text("{lookup, [file, native]}.\n" + inetrc, encoding="utf-8")
    lines = [
        "-sname beam@n1",
        "-start_epmd false",
        "-proto_dist inet_tls",
        "-ssl_dist_optfile /etc/beam/beam@n1/ssl_dist.conf",
        f"-kernel inetrc '\"{folder}/inetrc\"'",
        "-kernel inet_dist_use_interface {10,9,9,9}",
        "-kernel inet_dist_connect_options [{ip,{10,9,9,9}}]",
        "-kernel inet_dist_listen_min 9100",
        "-kernel inet_dist_listen_max 9109",
        # Distribution is off in the proof, so this must not run there.
        "-eval 'erlang:is_alive() andalso begin {ok, _} = file:consult(\"/nowhere\"), ok end'",
    ]
    path = folder / "vm.args"
    kept = [line for line in lines if not without or without not in line]
    path.write_text("\n".join(["# comment", *kept, more, ""]), encoding="utf-8")
    return path


def test_good_flags_pass(tmp_path: Path) -> None:
    assert prove("args", flags(tmp_path), shutil.which("erl"), "inet_tls") == (0, "")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"more": "-proto_dist inet_tls"}, "-proto_dist must be given once, it is given 2 times"),
        ({"more": "-ssl_dist_optfile /tmp/x"}, "-ssl_dist_optfile must be given once, it is given 2 times"),
        ({"more": "-setcookie known"}, "-setcookie shows the cookie"),
        ({"more": "-setcookie word\n-setcookie"}, "-setcookie shows the cookie"),
        ({"more": "-setcookie\n-setcookie beam@n1 known"}, "-setcookie shows the cookie"),
        ({"more": "-nocookie"}, "-nocookie"),
        ({"more": "-ssl_dist_opt server_verify verify_none"}, "-ssl_dist_opt stands beside the option file"),
        ({"more": "-name beam@n1.example"}, "-name or -sname must be given once"),
        ({"without": "-proto_dist", "more": "-proto_dist inet_tcp"}, "-proto_dist inet_tcp is not inet_tls, which was planned"),
        ({"without": "-proto_dist", "more": "-proto_dist inet_tls inet_tcp"}, "-proto_dist inet_tls inet_tcp is not inet_tls"),
        ({"without": "-start_epmd"}, "-start_epmd must be given once"),
        ({"without": "use_interface", "more": "-kernel inet_dist_use_interface '\"10.9.9.9\"'"}, "inet_dist_use_interface is no address"),
        ({"without": "connect_options"}, "inet_dist_connect_options lacks"),
        ({"without": "listen_max"}, "are no window"),
        ({"without": "kernel inetrc"}, "inetrc is missing"),
        ({"more": "-erl_epmd_port 9100\n-kernel erl_epmd_node_listen_port 9100"}, "a fixed port must be set in one way"),
        ({"more": "+P nonsense"}, "the VM does not start"),
        ({"inetrc": '{host, {10,9,9,9}, ["n1"]}.\n{host, {10,9,9,8}, ["n1"]}.\n'}, "n1 is pinned to"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_flags_that_fail_without_a_sign_are_refused_by_name(tmp_path: Path, changed: dict[str, str], said: str) -> None:
    status, output = prove("args", flags(tmp_path, **changed), shutil.which("erl"), "inet_tls")
    assert status == 1
    assert said in output


def clear(folder: Path) -> Path:
    path = flags(folder, without="-proto_dist", more="-proto_dist inet_tcp")
    path.write_text(path.read_text(encoding="utf-8").replace("-ssl_dist_optfile /etc/beam/beam@n1/ssl_dist.conf\n", ""), encoding="utf-8")
    return path


def test_clear_text_only_where_it_was_planned(tmp_path: Path) -> None:
    assert prove("args", clear(tmp_path), shutil.which("erl"), "inet_tcp") == (0, "")
    for proto in ("inet_tls", "inet6_tcp", "none"):
        assert prove("args", clear(tmp_path), shutil.which("erl"), proto)[0] == 1, proto
    # TLS that is still there where it was taken out of the plan, and a carrier without its options.
    status, output = prove("args", flags(tmp_path), shutil.which("erl"), "inet_tcp")
    assert (status, "-ssl_dist_optfile is given, and inet_tcp is not TLS" in output) == (1, True)
    assert "-proto_dist inet_tls is not inet_tcp, which was planned" in output


def test_setcookie_without_a_value_makes_erl_read_the_cookie_file(tmp_path: Path) -> None:
    """OTP takes -setcookie where it is given once and with one value, and the cookie file otherwise."""
    assert prove("args", flags(tmp_path, more="-setcookie"), shutil.which("erl"), "inet_tls") == (0, "")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".erlang.cookie").write_text("from-the-file", encoding="utf-8")
    (home / ".erlang.cookie").chmod(0o400)
    for given, cookie in (([], "from-the-file"), (["x"], "x"), ([""], "from-the-file"), (["", "x"], "from-the-file"), (["x", ""], "from-the-file")):
        flag = [word for each in given for word in ("-setcookie", each) if word]
        command = ["erl", "-noshell", "-sname", "cookie_test", "-start_epmd", "false", "-dist_listen", "false", *flag]
        command += ["-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-eval", "io:format(erlang:get_cookie()), halt()."]
        ran = subprocess.run(command, env={**os.environ, "HOME": str(home)}, capture_output=True, text=True, timeout=60, check=True)
        assert ran.stdout == cookie, given


OFF = "-proto_dist none\n-start_epmd false\n"


def test_without_a_carrier_distribution_cannot_be_started(tmp_path: Path) -> None:
    path = tmp_path / "vm.args"
    path.write_text(OFF, encoding="utf-8")
    assert prove("args", path, shutil.which("erl"), "none") == (0, "")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("-sname beam@n1", "-sname keeps a node without distribution from starting"),
        ("-start_epmd true", "-start_epmd false must be given once"),
        ("-erl_epmd_port 9100", "-erl_epmd_port"),
    ],
)
def test_a_node_without_distribution_that_would_have_some(tmp_path: Path, more: str, said: str) -> None:
    path = tmp_path / "vm.args"
    path.write_text(OFF + more + "\n", encoding="utf-8")
    status, output = prove("args", path, shutil.which("erl"), "none")
    assert status == 1
    assert said in output


def test_a_product_that_names_the_node_itself_wants_no_name_here(tmp_path: Path) -> None:
    assert prove("nameless", flags(tmp_path, without="-sname"), shutil.which("erl"), "inet_tls") == (0, "")
    status, output = prove("nameless", flags(tmp_path), shutil.which("erl"), "inet_tls")
    assert (status, "by the product only" in output) == (1, True)


def test_terms(tmp_path: Path) -> None:
    file = tmp_path / "allow.conf"
    file.write_text("% who\n'beam@n1'.\n'beam_probe@n1'.\n", encoding="utf-8")
    assert prove("terms", file) == (0, "")
    for text in ("", "'beam@n1'", "beam@n1", "length([])."):
        file.write_text(text, encoding="utf-8")
        assert prove("terms", file)[0] == 1, text

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cookies and keys at rest, found in real files: copies of the cookie, who can read them, and the public half of every kind of key."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import pwd
import secrets as random
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import BY_ID
from ansible_collections.beam.cluster.plugins.module_utils._host import (
    deep_files,
    jobs_of_node_users,
    packed_streams,
    readers,
    secrets_at_rest,
    sudo_rules,
)
from ansible_collections.beam.cluster.plugins.module_utils._model.secret_facts import Secrets
from ansible_collections.beam.cluster.plugins.module_utils._wire import private_keys, x509

pytest.importorskip("cryptography")
from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402

COOKIE = random.token_hex(32)
EVERYWHERE = deep_files.everywhere
KEYS: dict[str, Callable[[], Any]] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "P-521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}
PKCS8, TRADITIONAL = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")


def pem(key: Any, form: Any = PKCS8, passphrase: str = "") -> bytes:
    encryption = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return bytes(key.private_bytes(serialization.Encoding.PEM, form, encryption))


def spki_sha256(key: Any) -> str:
    return hashlib.sha256(key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@pytest.fixture
def tmp_path(place_of_root: Path) -> Path:
    return place_of_root


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host whose places are all below one directory that everybody may enter."""
    monkeypatch.setattr(secrets_at_rest, "UNIT_TREES", (str(tmp_path / "units"),))
    monkeypatch.setattr(secrets_at_rest, "TREES", ((str(tmp_path / "etc"), 4),))
    monkeypatch.setattr(secrets_at_rest, "FILES", (str(tmp_path / "*.txt"),))
    monkeypatch.setattr(secrets_at_rest.deep_files, "everywhere", lambda homes: iter(()))
    for name in ("units/beam.service.d", "etc/beam", "home"):
        (tmp_path / name).mkdir(parents=True)
    write(tmp_path / "home" / ".erlang.cookie", COOKIE, 0o400)
    return tmp_path


def write(path: Path, content: str | bytes, mode: int = 0o644, owner: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    if owner:
        os.chown(path, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)
    return path


def look(host: Path, *roots: str) -> dict[str, Any]:
    found, _why = secrets_at_rest.look([str(host / "home" / ".erlang.cookie")], [str(host / "home")], roots, [], [], "a key of the run")
    assert COOKIE not in json.dumps(found)
    assert Secrets.parse(found) is not None
    return found


def copies(host: Path, *roots: str) -> dict[str, list[str]]:
    return {entry["path"]: entry["readers"] for entry in look(host, *roots)["copies"]}


def test_a_clean_host_has_no_copies(host: Path) -> None:
    found = look(host)
    assert (found["copies"], found["keys"], found["dumps"], found["exposed"]) == ([], [], [], [])
    (cookie,) = found["cookies"]
    assert (cookie["weaknesses"], cookie["valid"]) == ([], True)


def test_a_drop_in_that_is_never_used(host: Path) -> None:
    path = write(host / "units" / "beam.service.d" / "zz.conf", f'[Service]\nEnvironment="ERL_FLAGS=-setcookie {COOKIE}"\n', 0o600)
    assert list(copies(host)) == [str(path)]
    assert look(host)["copies"][0]["unit"] is True


PLACES = ["etc/default-beam", "etc/beam/b/vm.args", "home/releases/1/sys.config", "notes.txt", "release/releases/COOKIE", "release/etc/vm.args"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("around", ["{}", "-setcookie {}\n", "RELEASE_COOKIE='{}'\n", '{{"cookie": "{}"}}', "\0\1{}\2"])
def test_a_copy_that_everybody_can_read(host: Path, place: str, around: str) -> None:
    path = write(host / place, around.format(COOKIE))
    assert copies(host, str(host / "release")) == {str(path): ["everybody"]}


@pytest.mark.parametrize("place", PLACES)
def test_a_copy_that_root_alone_can_read(host: Path, place: str) -> None:
    write(host / place, COOKIE, 0o600)
    assert copies(host, str(host / "release")) == {}


def test_a_copy_behind_a_closed_directory(host: Path) -> None:
    write(host / "etc" / "beam" / "closed" / "copy", COOKIE)
    (host / "etc" / "beam" / "closed").chmod(0o700)
    assert copies(host) == {}


@root
def test_a_copy_of_another_user_and_one_of_the_nodes_user(host: Path) -> None:
    write(host / "etc" / "one", COOKIE, 0o600, "nobody")
    assert copies(host) == {str(host / "etc" / "one"): ["nobody"]}
    node = pwd.getpwnam("nobody")
    os.chown(host / "home" / ".erlang.cookie", node.pw_uid, node.pw_gid)
    assert copies(host) == {}


@root
def test_a_cookie_file_of_an_operator_is_for_tools(host: Path) -> None:
    path = write(host / "etc" / "alice" / ".erlang.cookie", COOKIE, 0o400, "daemon")
    found = look(host)["copies"]
    assert [(one["path"], one["readers"], one["tool"]) for one in found] == [(str(path), ["daemon"], True)]
    path.chmod(0o444)
    found = look(host)["copies"]
    assert [(one["path"], one["readers"], one["tool"]) for one in found] == [(str(path), ["everybody"], False)]


def test_a_cookie_across_the_pieces_of_a_large_file(host: Path) -> None:
    path = write(host / "large.txt", b"x" * (secrets_at_rest._CHUNK - 7) + COOKIE.encode() + b"y" * 100)
    assert list(copies(host)) == [str(path)]


def test_links_pipes_and_directories_are_passed_over(host: Path) -> None:
    (host / "etc" / "link").symlink_to(host / "home" / ".erlang.cookie")
    os.mkfifo(host / "etc" / "pipe")
    assert copies(host) == {}


@pytest.mark.parametrize("cookie", ["beam", "monster", "xy"])
def test_words_that_occur_everywhere_are_not_searched_for(host: Path, cookie: str) -> None:
    (host / "home" / ".erlang.cookie").chmod(0o600)
    write(host / "home" / ".erlang.cookie", cookie, 0o400)
    write(host / "notes.txt", f"the {cookie} of a node")
    found = look(host)
    assert found["copies"] == []
    assert "guessable" in found["cookies"][0]["weaknesses"]


@pytest.mark.parametrize("content", ["", "\n", "caf\u00e9", "x" * 256])
def test_what_is_no_cookie(host: Path, content: str) -> None:
    (host / "home" / ".erlang.cookie").chmod(0o600)
    write(host / "home" / ".erlang.cookie", content, 0o400)
    (cookie,) = look(host)["cookies"]
    assert (cookie["weaknesses"], cookie["valid"], cookie["mark"]) == (None, False, None)


def test_marks_tell_cookies_apart_and_need_the_key_of_the_run(host: Path) -> None:
    path = str(host / "home" / ".erlang.cookie")
    write(host / "other", COOKIE[::-1], 0o400)
    marks = [one.as_dict(key)["mark"] for one in secrets_at_rest.read_cookies([path, str(host / "other")]) for key in ("a", "a", "b", None)]
    assert marks[0] == marks[1] and marks[4] == marks[5]
    assert len({marks[0], marks[2], marks[4], marks[6]}) == 4
    assert marks[3] is marks[7] is None
    assert COOKIE not in repr(secrets_at_rest.read_cookies([path]))


def test_data_in_the_home_of_a_node(host: Path) -> None:
    path = write(host / "home" / "mnesia" / "passwd.DCD", "data", 0o644)
    write(host / "home" / "mnesia" / "own.DCD", "data", 0o600)
    assert look(host)["exposed"] == [{"path": str(path), "readers": ["everybody"]}]
    (host / "home" / "mnesia").chmod(0o700)
    assert look(host)["exposed"] == []


def test_crash_dumps(host: Path) -> None:
    write(host / "home" / "erl_crash.dump", "=erl_crash_dump:0.5\n", 0o640)
    write(host / "home" / "erl_crash.dump.1", "=erl_crash_dump:0.5\n", 0o644)
    assert {entry["path"]: entry["readers"] for entry in look(host)["dumps"]} == {
        str(host / "home" / "erl_crash.dump"): [],
        str(host / "home" / "erl_crash.dump.1"): ["everybody"],
    }


# -- private keys -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL], ids=["PKCS8", "traditional"])
def test_the_public_half_of_a_key(host: Path, kind: str, form: Any) -> None:
    if kind == "Ed25519" and (form is TRADITIONAL or shutil.which("openssl") is None):
        pytest.skip("there is no such format, or no openssl")
    key = KEYS[kind]()
    path = write(host / "etc" / "beam" / "key.pem", b"a text before it\n" + pem(key, form), 0o400)
    assert look(host)["keys"] == [{"path": str(path), "encrypted": False, "spki_sha256": spki_sha256(key), "readers": []}]


@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL], ids=["PKCS8", "traditional"])
def test_an_encrypted_key(host: Path, form: Any) -> None:
    path = write(host / "etc" / "beam" / "key.pem", pem(KEYS["P-256"](), form, "secret"))
    assert look(host)["keys"] == [{"path": str(path), "encrypted": True, "spki_sha256": None, "readers": ["everybody"]}]


def test_several_keys_in_one_file(host: Path) -> None:
    keys = [KEYS["P-256"](), KEYS["RSA"]()]
    write(host / "etc" / "beam" / "all.pem", b"text\n".join(map(pem, keys)))
    assert {entry["spki_sha256"] for entry in look(host)["keys"]} == set(map(spki_sha256, keys))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the other opinion")
@pytest.mark.parametrize("kind", [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], ["-algorithm", "RSA"], ["-algorithm", "ED25519"]])
def test_keys_and_certificates_of_openssl_have_the_same_public_half(tmp_path: Path, kind: list[str]) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(["openssl", "genpkey", *kind, "-out", str(key)], check=True, capture_output=True)
    subprocess.run(["openssl", "req", "-x509", "-key", str(key), "-subj", "/CN=x", "-out", str(certificate)], check=True, capture_output=True)
    der = subprocess.run(["openssl", "x509", "-in", str(certificate), "-outform", "DER"], check=True, capture_output=True).stdout
    (found,) = secrets_at_rest.keys_of(str(key), True)
    assert found["spki_sha256"] == x509.describe(der)["spki_sha256"]


@pytest.mark.parametrize("label", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY"])
@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x00", b"\x30\x03\x02\x01\x00", b"\x30\x06\x02\x01\x00\x30\x01\x06", bytes(range(64))])
def test_what_is_no_key_is_unknown(label: str, der: bytes) -> None:
    assert private_keys.spki_of(label, der) is None


# -- readers ------------------------------------------------------------------------------------------------------------------------------------


@root
@pytest.mark.parametrize(
    ("mode", "group", "who"),
    [(0o400, 0, []), (0o644, 0, ["everybody"]), (0o640, 0, []), (0o640, pwd.getpwnam("daemon").pw_gid, ["daemon"]), (0o604, 65534, ["everybody"])],
)
def test_readers_by_mode(host: Path, mode: int, group: int, who: list[str]) -> None:
    path = write(host / "etc" / "file", "x", mode)
    os.chown(path, 0, group)
    assert readers.Readers().of(str(path)) == who


@root
@pytest.mark.skipif(shutil.which("setfacl") is None, reason="needs setfacl")
def test_readers_by_acl(host: Path) -> None:
    path = write(host / "etc" / "file", "x", 0o600)
    subprocess.run(["setfacl", "-m", "u:daemon:r", str(path)], check=True)
    assert readers.Readers().of(str(path)) == ["daemon"]


def test_accounts_of_this_host() -> None:
    (found,) = secrets_at_rest.accounts(["nobody", "no-such-user"])
    assert (found["user"], found["authorized_keys"]) == ("nobody", [])
    assert found["password"] is (None if os.geteuid() else False)
    assert found["groups"] == ["nogroup"]


PLACES_OF_RIGHTS = {
    "cron/beam": "* * * * * true\n",
    "linger/beam": "",
    "sudoers.d/a": "# beam ALL=(ALL) ALL\nDefaults:beam !tty\nbob, nobody ALL=(ALL) NOPASSWD: ALL\n",
    "sudoers.d/b": "%nogroup ALL = \\\n  (root) /bin/true\n",
}


def test_rights_without_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = pwd.getpwnam("nobody")
    monkeypatch.setattr(jobs_of_node_users, "CRON", (f"{tmp_path}/cron/{{}}",))
    monkeypatch.setattr(jobs_of_node_users, "LINGER", f"{tmp_path}/linger/{{}}")
    monkeypatch.setattr(jobs_of_node_users, "AT", (f"{tmp_path}/at/*",))
    monkeypatch.setattr(sudo_rules, "SUDOERS", (f"{tmp_path}/sudoers", f"{tmp_path}/sudoers.d/*"))
    monkeypatch.setattr(jobs_of_node_users, "SYSTEM_CRON", ())
    monkeypatch.setattr(jobs_of_node_users, "OF_ROOT", ())
    monkeypatch.setattr(sudo_rules, "DOAS", ())
    monkeypatch.setattr(sudo_rules, "POLKIT", ())
    assert jobs_of_node_users.of(user) == sudo_rules.rights(user) == []
    for place, text in PLACES_OF_RIGHTS.items():
        write(tmp_path / place.replace("beam", "nobody"), text)
    write(tmp_path / "sudoers", "root ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n")
    assert jobs_of_node_users.of(user) == [f"{tmp_path}/{place}" for place in ("cron/nobody", "linger/nobody")]
    assert sudo_rules.rights(user) == [f"{tmp_path}/{place}" for place in ("sudoers.d/a", "sudoers.d/b")]


def test_a_packed_backup(host: Path) -> None:
    key = KEYS["P-256"]()
    path = write(host / "backup.txt", gzip.compress(b"x" * 5000 + COOKIE.encode() + b"y" * 5000 + pem(key)))
    found = look(host)
    assert [one["path"] for one in found["copies"]] == [str(path)]
    assert [one["spki_sha256"] for one in found["keys"]] == [spki_sha256(key)]
    write(path, gzip.compress(b"x" * 5000)[:40])
    assert look(host)["copies"] == []


@root
@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA"])
@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL], ids=["PKCS8", "traditional"])
def test_a_key_of_a_node_in_a_large_file(host: Path, kind: str, form: Any) -> None:
    key = KEYS[kind]()
    own = write(host / "etc" / "beam" / "key.pem", pem(key, form), 0o400)
    certificate = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write(host / "public.txt", certificate)
    around = random.token_bytes(300_000)
    for content in (around + pem(key, form) + around, gzip.compress(around + b"    " + pem(key, form).replace(b"\n", b"\n    ") + around * 4)):
        path = write(host / "backup.txt", content)
        found = {entry["path"]: (entry["spki_sha256"], entry["readers"]) for entry in look(host)["keys"]}
        assert found == {str(own): (spki_sha256(key), []), str(path): (spki_sha256(key), ["everybody"])}
    write(path, around + pem(key, form), 0o600)
    assert [entry["path"] for entry in look(host)["keys"]] == [str(own)]


def zipped(data: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/readme", b"x" * 100)
        archive.writestr("a/data", data)
    return stream.getvalue()


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zip": zipped,
    "base64": lambda data: b"data: " + base64.b64encode(data) + b"\n",
    "base64 in lines": base64.encodebytes,
    "JSON": lambda data: json.dumps({"content": data.decode()}).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_cookie_and_a_key_in_another_form(host: Path, form: str) -> None:
    key = KEYS["P-256"]()
    for before in (b"", b"x", b"xy"):
        path = write(host / "backup.txt", FORMS[form](before + COOKIE.encode() + b"\n"))
        assert [one["path"] for one in look(host)["copies"]] == [str(path)]
    write(host / "backup.txt", FORMS[form](pem(key)))
    found = look(host)
    assert [one["spki_sha256"] for one in found["keys"]] == [spki_sha256(key)]
    assert found["copies"] == []


@pytest.mark.parametrize("form", ["xz", "bzip2", "zip"])
def test_a_broken_archive_is_no_error(host: Path, form: str) -> None:
    write(host / "backup.txt", FORMS[form](b"x" * 5000)[:-20])
    assert look(host)["copies"] == look(host)["keys"] == []


@pytest.mark.parametrize("kind", ["P-256", "RSA"])
@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL])
def test_a_key_in_binary(host: Path, kind: str, form: Any) -> None:
    key = KEYS[kind]()
    write(host / "key.txt", key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption()))
    assert [one["spki_sha256"] for one in look(host)["keys"]] == [spki_sha256(key)]


def test_an_encrypted_key_beside_the_certificate_of_its_ca(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(host / "etc" / "ca" / "key.pem", pem(KEYS["P-256"](), passphrase="opensesame"))
    there = [{"ca": True, "spki_sha256": "aa"}, {"ca": False, "spki_sha256": "bb"}]
    monkeypatch.setattr(secrets_at_rest.certificates, "describe_all", lambda paths: (there, ""))
    (found,) = look(host)["keys"]
    assert (found["encrypted"], found["beside"]) == (True, ["aa"])


def test_the_control_says_how_far_a_file_is_searched() -> None:
    assert f"the first {secrets_at_rest.SEARCHED_MAX >> 20} MiB" in BY_ID["cookie-copies"].why


def test_a_copy_anywhere_on_the_host_is_searched_for() -> None:
    trees = dict(secrets_at_rest.TREES)
    assert {"/etc", "/srv", "/opt", "/var/lib/cloud", "/var/www", "/usr/local", "/mnt", "/", "/var/log/journal"} <= set(trees)


@pytest.mark.parametrize(
    ("name", "dump"),
    [
        ("core", True),
        ("core.1234", True),
        ("core.beam\\x2esmp.0.0123456789abcdef0123456789abcdef.77.1700000000000000.zst", True),
        ("core.1_scheduler.0.0123456789abcdef0123456789abcdef.77.1700000000000000.lz4", True),
        ("_usr_lib_erlang_erts-15.2_bin_beam.smp.112.crash", True),
        ("core.bash.0.0123456789abcdef0123456789abcdef.77.1700000000000000.zst", False),
        ("score.log", False),
    ],
)
def test_core_dumps_are_dumps(host: Path, name: str, dump: bool) -> None:
    path = host / "home" / name
    write(path, "memory", 0o644)
    assert [entry["path"] for entry in look(host)["dumps"]] == ([str(path)] if dump else [])


def test_whoever_crashed_may_read_the_own_core_dump() -> None:
    name = f"core.beam.smp.{os.getuid()}.0123456789abcdef0123456789abcdef.77.1700000000000000.zst"
    assert secrets_at_rest._dumped_by(name) == secrets_at_rest.user_name(os.getuid())
    assert secrets_at_rest._dumped_by("core.1234") == ""


def of_git(data: bytes) -> bytes:
    return zlib.compress(f"blob {len(data)}\0".encode() + data)


@pytest.mark.parametrize("form", ["zstd", "lz4", "git"])
def test_what_the_standard_library_cannot_unpack(host: Path, form: str) -> None:
    key = KEYS["P-256"]()
    for data in (b"x" * 500_000 + COOKIE.encode() + b"y" * 5000, pem(key)):
        packed = of_git(data) if form == "git" else subprocess.run([form, "-c"], input=data, capture_output=True, check=True).stdout
        path = write(host / "backup.txt", packed)
        found = look(host)
        assert [one["path"] for one in (found["copies"] or found["keys"])] == [str(path)]
    write(path, packed[:10])
    assert (look(host)["copies"], look(host)["unsearched"]) == ([], [])


def test_what_nobody_can_unpack_is_said(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(host / "backup.txt", b"7z\xbc\xaf\x27\x1c" + b"x" * 100)
    assert look(host)["unsearched"] == [{"path": str(path), "readers": ["everybody"], "form": "7z"}]
    monkeypatch.setattr(packed_streams, "_LIBRARIES", {"zstd": "libnone.so", "lz4": "libnone.so"})
    write(path, b"\x28\xb5\x2f\xfd" + b"x" * 100)
    assert look(host)["unsearched"] == [{"path": str(path), "readers": ["everybody"], "form": "zstd"}]
    path.chmod(0o600)
    assert look(host)["unsearched"] == []


@root
def test_a_copy_in_a_deep_directory(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = write(host / "backup" / "2026" / "11" / "etc" / "beam" / "node" / "copy", COOKIE)
    key = KEYS["P-256"]()
    of_ca = write(host / "root" / "pki" / "ca" / "private" / "key.pem", pem(key), 0o600)
    assert look(host)["copies"] == []
    monkeypatch.setattr(secrets_at_rest.deep_files, "everywhere", lambda homes: EVERYWHERE(homes, top=str(host)))
    found = look(host)
    assert [one["path"] for one in found["copies"]] == [str(deep)]
    assert [one["path"] for one in found["keys"]] == [str(of_ca)]


def test_the_least_deep_files_come_first_and_some_places_are_left_out(tmp_path: Path) -> None:
    for place in ("a/b/c/deep", "z", "data/home/file", "b/one"):
        write(tmp_path / place, "x")
    (tmp_path / "b" / "link").symlink_to(tmp_path / "a")
    found = [path[len(str(tmp_path)) + 1 :] for path in deep_files.everywhere([str(tmp_path / "data" / "home")], top=str(tmp_path))]
    assert found == ["z", "b/one", "a/b/c/deep"]
    assert list(deep_files.everywhere(top=str(tmp_path), seconds=-1)) == []
    mounts = "server:/x /mnt/nfs nfs4 rw 0 0\n/dev/sda1 / ext4 rw 0 0\nx /home/fuse fuse.sshfs rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n"
    assert list(deep_files._foreign(mounts)) == ["/mnt/nfs", "/home/fuse"]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rest of what is seen on a host: units, files, and all of it together on a host where nothing is installed."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import shutil
import ssl
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import (
    certificates,
    commands,
    environment,
    files,
    installed_otp,
    observation,
    readers,
    units,
    writers,
)


@pytest.mark.parametrize(("pid", "hardening"), [(4194303, {}), (os.getpid(), None)], ids=["ended", "unreadable"])
def test_a_process_that_ends_meanwhile_does_not_end_the_observation(
    pid: int, hardening: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is still there and could not be looked at is unknown."""

    def ended(*_arguments: object, **_named: object) -> dict[str, object]:
        raise FileNotFoundError("/proc/7/root")

    monkeypatch.setattr(observation.process_hardening, "describe", ended)
    assert observation._as_dict(observation.proc.Process(pid, "beam.smp", "shop", None), [])["hardening"] == hardening


SHOWN = """\
Id=epmd.socket
Names=epmd.socket
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled
NeedDaemonReload=no
FragmentPath=/usr/lib/systemd/system/epmd.socket
DropInPaths=/etc/systemd/system/epmd.socket.d/beam.conf "/x \\"y\\\\z.conf"
After=beam-firewall.service sysinit.target

Id=beam.service
Names=beam.service alias.service
MainPID=4711
LoadState=not-found
ActiveState=inactive
NeedDaemonReload=yes
User=beam
LimitCORE=0
Requires=beam-firewall.service
Environment=A=s3cret ERL_AFLAGS=-args_file\\x20/etc/beam/x/vm.args "B=two s3cret=words" BEAM_CLUSTER_DIGEST=0ld GONE=s3cret
EnvironmentFiles={directory}/one (ignore_errors=no)
EnvironmentFiles={directory}/missing (ignore_errors=yes)
EnvironmentFiles={directory}/*.env (ignore_errors=yes)
PassEnvironment=LANG
UnsetEnvironment=GONE ERL_FLAGS
"""
FILES = {
    "one": "# S3CRET=s3cret\nKEY=s3cret\n export_s3cret\nLINES=\"s3cret\nNOTNAME=s3cret\"\nLONG=s3cret \\\n  ALSO=s3cret\n",
    "two.env": "BEAM_CLUSTER_DIGEST=n3w\nDATABASE_URL='postgres://u:s3cret@db'\n; c \\\nHIDDEN=s3cret\n",
}


def unit_files(directory: Path) -> str:
    for name, text in FILES.items():
        (directory / name).write_text(text, encoding="ascii")
    return SHOWN.format(directory=directory)


def test_links_beside_a_unit(tmp_path: Path) -> None:
    for kind, name in (("requires", "guard.service"), ("requires", "gone.service"), ("wants", "masked.service"), ("wants", "copy.service")):
        (tmp_path / f"a.service.{kind}").mkdir(exist_ok=True)
        link = tmp_path / f"a.service.{kind}" / name
        link.write_text("") if name == "copy.service" else link.symlink_to("/dev/null" if name == "masked.service" else f"../{name}")
    (tmp_path / "guard.service").write_text("")
    assert units.links_of("a.service", str(tmp_path)) == ["requires/gone.service", "requires/guard.service"]
    assert units.links_of("b.service", str(tmp_path)) == []


def test_units(tmp_path: Path) -> None:
    found = units.parse(unit_files(tmp_path))
    socket, service = found["epmd.socket"], found["beam.service"]
    assert found["alias.service"] is service
    assert socket == {
        "id": "epmd.socket",
        "load": "loaded",
        "active": "active",
        "sub": "running",
        "enabled": "enabled",
        "need_daemon_reload": False,
        "main_pid": 0,
        "runs": [],
        "fragment": "/usr/lib/systemd/system/epmd.socket",
        "drop_ins": ["/etc/systemd/system/epmd.socket.d/beam.conf", '/x "y\\z.conf'],
        "user": None,
        "core_limit": None,
        "working_directory": "",
        "umask": None,
        "ours": False,
        "program": None,
        "release": "",
        "writable": [],
        "after": ["beam-firewall.service", "sysinit.target"],
        "requires": [],
        "exposure": None,
        "environment_names": [],
        "environment_files": [],
        "digest": None,
        "start_files": [],
        **{"openings": [], "commands": [], "links": [], "leads_to": [], "os_mon": False, "made_by": "", "lacks": [], "group": ""},
        "takes_sockets": None,
    }
    assert (service["load"], service["user"], service["core_limit"], service["main_pid"]) == ("not-found", "beam", "0", 4711)
    assert service["requires"] == ["beam-firewall.service"] and service["need_daemon_reload"] is True
    assert units.parse("") == {}


def test_the_environment_by_its_names(tmp_path: Path) -> None:
    service = units.parse(unit_files(tmp_path))["beam.service"]
    assert service["environment_names"] == ["A", "B", "BEAM_CLUSTER_DIGEST", "DATABASE_URL", "ERL_AFLAGS", "KEY", "LANG", "LINES", "LONG"]
    assert service["environment_files"] == [f"{tmp_path}/one", f"-{tmp_path}/missing", f"-{tmp_path}/*.env"]
    # A file is read after the unit's own, and wins.
    assert service["digest"] == "n3w"
    assert "s3cret" not in json.dumps(service).lower()


def test_an_environment_file_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    text = unit_files(tmp_path)
    (tmp_path / "one").unlink()
    service = units.parse(text)["beam.service"]
    assert (service["environment_names"], service["digest"]) == (None, None)


@pytest.mark.parametrize("value", ["s3cret with spaces", "x" * 129, "", "-"])
def test_what_is_no_digest_is_not_returned(value: str) -> None:
    assert environment.digest_of({environment.DIGEST: value}) is None


def answers(monkeypatch: pytest.MonkeyPatch, said: dict[str, str | None]) -> None:
    monkeypatch.setattr(units, "init", lambda: "systemd")
    monkeypatch.setattr(units.commands, "output", lambda program, *arguments, seconds=None: said.get(program))


def test_a_sandbox_is_rated(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, {"systemd-analyze": "x PrivateNetwork= Service has 0.5\n\n> Overall exposure level for beam.service: 1.3 OK\n"})
    seen: dict[str, dict[str, object]] = {"beam.service": {"load": "loaded"}, "gone.service": {"load": "not-found"}, "a.socket": {"load": "loaded"}}
    assert units.rate(seen, seen) == "" and seen["beam.service"]["exposure"] == 1.3 and "exposure" not in seen["gone.service"]
    answers(monkeypatch, {})
    assert units.rate(seen, seen) == "systemd-analyze security did not rate beam.service"


def test_units_are_unknown_where_systemd_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, {})
    assert units.show(["a.service"]) is None
    seen = observation.observe()
    assert seen["units"] is None and seen["unknown"]["units"] == "systemctl show did not answer"
    monkeypatch.setattr(units, "init", lambda: "runit")
    assert observation.observe()["unknown"]["units"] == "the host does not run systemd"


def test_files(tmp_path: Path) -> None:
    public, secret = tmp_path / "vm.args", tmp_path / "key.pem"
    public.write_text("-x\n", encoding="ascii")
    public.chmod(0o644)
    secret.write_text("secret\n", encoding="ascii")
    secret.chmod(0o400)
    (tmp_path / "link").symlink_to(secret)
    listing = files.describe_all([str(public), str(secret), str(tmp_path / "link"), str(tmp_path / "gone"), str(public / "below")])
    found = {str(entry["path"]): entry for entry in listing.entries}
    assert listing.missing == [str(tmp_path / "gone"), str(public / "below")] and listing.whole
    assert found[str(public)]["sha256"] == hashlib.sha256(b"-x\n").hexdigest()
    assert found[str(public)]["mode"] == "0644" and found[str(public)]["kind"] == "file"
    assert found[str(secret)]["sha256"] is None and found[str(secret)]["mode"] == "0400"
    assert found[str(tmp_path / "link")]["kind"] == "link" and found[str(tmp_path / "link")]["sha256"] is None
    assert str(tmp_path / "gone") not in found


def test_files_asked_for_come_first_and_what_is_left_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "etc"
    tree.mkdir()
    for number in range(20):
        (tree / f"a{number}").touch()
    cookie = tmp_path / "cookie"
    cookie.touch()
    monkeypatch.setattr(files, "_TREES", (str(tree),))
    monkeypatch.setattr(files, "MOST", 10)
    listing = files.describe_all([str(cookie)])
    assert str(cookie) in [entry["path"] for entry in listing.entries] and len(listing.entries) == 10 and not listing.whole
    assert "more than 10 files" in observation.observe()["unknown"]["files"]


@pytest.fixture
def open_tree() -> Iterator[Path]:
    """A directory that root alone may write, and so are all above it: pytest's own are below /tmp."""
    with tempfile.TemporaryDirectory(dir="/var/lib") as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="wants root to give directories away")
@pytest.mark.parametrize(
    ("uid", "gid", "mode", "users"),
    [
        (0, 0, 0o755, []),
        (65534, 0, 0o755, ["nobody"]),
        (65534, 0, 0o555, ["nobody"]),
        (0, 4, 0o775, ["group adm"]),
        (0, 0, 0o777, ["everybody", "group root"]),
        (0, 0, 0o1777, ["everybody", "group root"]),
        (54321, 0, 0o755, ["54321"]),
    ],
)
@pytest.mark.parametrize("depth", [0, 1])
def test_who_can_replace_a_file(open_tree: Path, uid: int, gid: int, mode: int, users: list[str], depth: int) -> None:
    inner = open_tree / "a" / "b"
    inner.mkdir(parents=True)
    changed = inner if depth == 0 else inner.parent
    (inner / "vm.args").touch(mode=0o644)
    os.chown(changed, uid, gid)
    os.chmod(changed, mode)
    (entry,) = [one for one in files.describe_all([str(inner / "vm.args")]).entries if one["path"] == str(inner / "vm.args")]
    assert (entry["replaceable_by"], entry["replaceable_through"]) == (users, [str(changed)] if users else [])


@pytest.mark.skipif(os.geteuid() != 0, reason="wants root to give directories away")
def test_a_link_is_followed(open_tree: Path) -> None:
    theirs, ours = open_tree / "theirs", open_tree / "ours"
    theirs.mkdir()
    ours.mkdir()
    os.chown(theirs, 65534, 0)
    (theirs / "hop").symlink_to("../ours/file")
    (ours / "file").touch()
    (ours / "link").symlink_to(theirs / "hop")
    (ours / "loop").symlink_to("loop")
    above = writers.Above()
    assert above.of(str(ours / "file"))["replaceable_by"] == []
    assert above.of(str(ours / "link")) == {"replaceable_by": ["nobody"], "replaceable_through": [str(theirs)]}
    assert above.of(str(ours / "loop")) == {"replaceable_by": None, "replaceable_through": None}


def test_users_of_an_acl() -> None:
    """user::rwx user:nobody:rwx user:root:rwx group::r-x group:adm:-w- mask::rw- other::r-x, as the kernel has it."""
    entries = [(1, 7, 0), (2, 7, 65534), (2, 7, 0), (4, 5, 0), (8, 2, 4), (16, 6, 0), (32, 5, 0)]
    raw = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    assert writers.acl_writers(raw, 0) == {"nobody", "group adm"}
    masked = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in [*entries[:5], (16, 4, 0)])
    assert writers.acl_writers(masked, 0) == set()


@pytest.mark.skipif(os.geteuid() != 0, reason="wants root to give files away")
@pytest.mark.parametrize("kind", ["file", "directory"])
def test_an_acl_keeps_the_rights_of_the_own_group(open_tree: Path, kind: str) -> None:
    """user::rwx user:nobody:rwx group::rwx mask::rwx other::---: as of a directory or file of group daemon."""
    place = open_tree / kind
    (place.mkdir if kind == "directory" else place.touch)()
    os.chown(place, 0, pwd.getpwnam("daemon").pw_gid)
    none = 2**32 - 1
    entries = [(1, 7, none), (2, 7, 65534), (4, 7, none), (16, 7, none), (32, 0, none)]
    try:
        os.setxattr(place, writers.ACL, struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries))
    except OSError:
        pytest.skip("a file system without ACLs")
    if kind == "directory":
        assert writers.writers(str(place)) == {"nobody", "group daemon"}
        assert readers.entering(str(place)) == {"nobody", "daemon"}
    else:
        assert readers.Readers().of(str(place)) == ["daemon", "nobody"]
    # What an ACL gives to somebody is within the mask, and the mode shows that: no mode of a secret hides an ACL.
    assert files.describe(str(place), writers.Above())["mode"] == "0770"
    os.chmod(place, 0o700)
    assert writers.writers(str(place)) == readers.entering(str(place)) == set()


def test_names_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    assert files.describe(str(tmp_path / "key"), writers.Above())["links"] == 1
    os.link(tmp_path / "key", tmp_path / "other")
    assert files.describe(str(tmp_path / "key"), writers.Above())["links"] == 2
    assert files.describe(str(tmp_path), writers.Above())["links"] is None


PEM = Path(__file__).parents[1] / "_net" / "pem"


def test_certificates(tmp_path: Path) -> None:
    chain = tmp_path / "ca.pem"
    chain.write_bytes((PEM / "ca.pem").read_bytes() + (PEM / "node.pem").read_bytes())
    (tmp_path / "key.pem").write_text("not opened", encoding="ascii")
    (tmp_path / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n", encoding="ascii")
    os.mkfifo(tmp_path / "pipe.pem")
    found, failed = certificates.describe_all([str(chain), str(tmp_path / "key.pem")])
    assert failed == "" and [one["path"] for one in found] == [str(chain)] * 2
    der = ssl.PEM_cert_to_DER_cert((PEM / "ca.pem").read_text(encoding="ascii"))
    assert found[0]["sha256"] == hashlib.sha256(der).hexdigest()
    assert set(found[0]) == {"path", *certificates.KEPT}
    assert found[1]["issuer"] == found[0]["subject"] and "PRIVATE" not in json.dumps(found)
    for name in ("broken.pem", "pipe.pem", "gone.pem"):
        found, failed = certificates.describe_all([str(tmp_path / name), str(chain)])
        assert len(found) == 2 and name in failed


def test_commands() -> None:
    assert commands.output("echo", "said") == "said\n"
    assert commands.output("false") is None
    assert commands.output("no-such-program-anywhere") is None


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "TIMEOUT", 0.2)
    began = time.monotonic()
    assert commands.output("sleep", "30") is None
    assert time.monotonic() - began < 5


def test_epmd_and_its_owner() -> None:
    listeners = [
        {"address": "0.0.0.0", "port": 22, "pid": 1, "process": "sshd", "unit": "ssh.service", "user": "root"},
        {"address": "127.0.0.1", "port": 4369, "pid": 7, "process": "epmd", "unit": "epmd.service", "user": "epmd"},
        {"address": "::1", "port": 4369, "pid": 7, "process": "epmd", "unit": "epmd.service", "user": "epmd"},
    ]
    assert observation.epmd(listeners) == {
        "listening": ["127.0.0.1", "::1"],
        "owner_unit": "epmd.service",
        "owner_user": "epmd",
        "owner_process": "epmd",
    }
    assert observation.epmd([]) == {"listening": [], "owner_unit": None, "owner_user": None, "owner_process": None}


def test_all_of_it_where_no_program_is_to_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "find", lambda program: None)
    monkeypatch.setattr(installed_otp, "_USUAL_ROOTS", ())
    seen = observation.observe()
    json.dumps(seen)
    assert seen["units"] is None and seen["firewall"]["beam"] is None and seen["firewall"]["drops_by_default"] is None
    assert {"units", "firewall"} <= set(seen["unknown"])
    assert seen["otp"] == {
        "installed": False,
        "release": None,
        "version": None,
        "root": None,
        "erl": None,
        "ssl": False,
        "missing": None,
        "foreign": None,
        "candidate": None,
        "candidate_release": None,
    }
    assert abs(float(str(seen["epoch"])) - time.time()) < 60
    assert any(entry["address"] == "127.0.0.1" for entry in seen["addresses"])


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="wants root to give it up")
def test_all_of_it_without_privilege() -> None:
    program = (
        "import json; from ansible_collections.beam.cluster.plugins.module_utils._host.observation import observe; "
        "seen = observe(); assert not seen['privileged'] and not seen['firewall']['readable']; print(json.dumps(seen))"
    )
    with tempfile.TemporaryDirectory() as root:
        # Neither the checkout nor pytest's own directories are readable to others.
        os.chmod(root, 0o755)
        here = Path(observation.__file__).parents[1]
        for room in ("_host", "_model", "_term", "_wire"):
            shutil.copytree(here / room, f"{root}/ansible_collections/beam/cluster/plugins/module_utils/{room}")
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", "--clear-groups", "/usr/bin/python3", "-c", program],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        )
    assert done.returncode == 0, done.stderr
    assert any(entry["address"] == "127.0.0.1" for entry in json.loads(done.stdout)["addresses"])

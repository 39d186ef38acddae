# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rest of what is seen on a host: OTP, units, files, and all of it together on a host where nothing is installed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import commands, files, observation, otp, units


def installation(root: Path, release: str, version: str, start_erl: bool = True, ssl: bool = True) -> Path:
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "erl").write_text("#!/bin/sh\n", encoding="ascii")
    (root / "bin" / "erl").chmod(0o755)
    (root / "releases" / release).mkdir(parents=True)
    (root / "releases" / release / "OTP_VERSION").write_text(f"{version}\n", encoding="ascii")
    if start_erl:
        (root / "releases" / "start_erl.data").write_text(f"15.2 {release}\n", encoding="ascii")
    if ssl:
        (root / "lib" / "ssl-11.2" / "ebin").mkdir(parents=True)
        (root / "lib" / "ssl-11.2" / "ebin" / "ssl.app").write_text("", encoding="ascii")
    return root


def test_otp_behind_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = installation(tmp_path / "lib" / "erlang", "27", "27.3.4.1")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "erl").symlink_to("../lib/erlang/bin/erl")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert otp.installed() == {
        "installed": True,
        "release": "27",
        "version": "27.3.4.1",
        "root": str(root),
        "erl": str(tmp_path / "bin" / "erl"),
        "ssl": True,
    }


@pytest.mark.parametrize("version,expected", [("29.1", "29.1"), ("25.2.3**", "25.2.3"), ("", None)])
def test_releases(tmp_path: Path, version: str, expected: str | None) -> None:
    root = installation(tmp_path / "erlang", "29", version, start_erl=False, ssl=False)
    assert otp.release_of(str(root)) == ("29", expected)
    assert otp.release_of(str(tmp_path)) == (None, None)


def test_no_otp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otp.commands, "find", lambda program: None)
    monkeypatch.setattr(otp, "_USUAL_ROOTS", (str(tmp_path),))
    assert otp.installed() == {"installed": False, "release": None, "version": None, "root": None, "erl": None, "ssl": False}
    installation(tmp_path / "later", "25", "25.2.3", ssl=False)
    monkeypatch.setattr(otp, "_USUAL_ROOTS", (str(tmp_path / "later"),))
    assert otp.installed()["installed"] and not otp.installed()["ssl"]


@pytest.mark.skipif(shutil.which("erl") is None, reason="the real program is the other opinion")
def test_the_real_erl_says_the_same() -> None:
    done = subprocess.run(
        ["erl", "-noinput", "-boot", "start_clean", "-eval", 'io:format("~s ~s", [erlang:system_info(otp_release), code:root_dir()]), halt().'],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = otp.installed()
    assert f"{found['release']} {found['root']}" == done.stdout
    assert str(found["version"]).startswith(f"{found['release']}.")


@pytest.mark.parametrize(
    "policy,candidate,release",
    [
        ("erlang-base:\n  Installed: (none)\n  Candidate: 1:27.3.4.1+dfsg-1+deb13u3\n", "1:27.3.4.1+dfsg-1+deb13u3", "27"),
        ("erlang-base:\n  Installed: (none)\n  Candidate: 29.1-1\n", "29.1-1", "29"),
        ("erlang-base:\n  Installed: (none)\n  Candidate: (none)\n", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_what_apt_offers(policy: str | None, candidate: str | None, release: str | None) -> None:
    assert otp.candidate(policy) == {"candidate": candidate, "candidate_release": release}


def test_units() -> None:
    shown = (
        "Id=epmd.socket\nLoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nNeedDaemonReload=no\n"
        "FragmentPath=/usr/lib/systemd/system/epmd.socket\nDropInPaths=/etc/systemd/system/epmd.socket.d/beam.conf /x\n\n"
        "Id=beam.service\nMainPID=4711\nLoadState=not-found\nActiveState=inactive\nNeedDaemonReload=yes\n"
    )
    assert units.parse(shown) == {
        "epmd.socket": {
            "load": "loaded",
            "active": "active",
            "sub": "running",
            "enabled": "enabled",
            "need_daemon_reload": False,
            "main_pid": 0,
            "fragment": "/usr/lib/systemd/system/epmd.socket",
            "drop_ins": ["/etc/systemd/system/epmd.socket.d/beam.conf", "/x"],
        },
        "beam.service": {
            "load": "not-found",
            "active": "inactive",
            "sub": "",
            "enabled": "",
            "need_daemon_reload": True,
            "main_pid": 4711,
            "fragment": "",
            "drop_ins": [],
        },
    }
    assert units.parse("") == {}


def test_files(tmp_path: Path) -> None:
    public, secret = tmp_path / "vm.args", tmp_path / "key.pem"
    public.write_text("-x\n", encoding="ascii")
    public.chmod(0o644)
    secret.write_text("secret\n", encoding="ascii")
    secret.chmod(0o400)
    (tmp_path / "link").symlink_to(secret)
    found = {str(entry["path"]): entry for entry in files.describe_all([str(public), str(secret), str(tmp_path / "link"), str(tmp_path / "gone")])}
    assert found[str(public)]["sha256"] == hashlib.sha256(b"-x\n").hexdigest()
    assert found[str(public)]["mode"] == "0644" and found[str(public)]["kind"] == "file"
    assert found[str(secret)]["sha256"] is None and found[str(secret)]["mode"] == "0400"
    assert found[str(tmp_path / "link")]["kind"] == "link" and found[str(tmp_path / "link")]["sha256"] is None
    assert str(tmp_path / "gone") not in found


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
    monkeypatch.setattr(otp, "_USUAL_ROOTS", ())
    seen = observation.observe()
    json.dumps(seen)
    assert seen["otp"] == {
        "installed": False,
        "release": None,
        "version": None,
        "root": None,
        "erl": None,
        "ssl": False,
        "candidate": None,
        "candidate_release": None,
    }
    assert abs(float(str(seen["epoch"])) - time.time()) < 60
    assert any(entry["address"] == "127.0.0.1" for entry in seen["addresses"])  # type: ignore[attr-defined]


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
        for room in ("_host", "_model", "_net"):
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

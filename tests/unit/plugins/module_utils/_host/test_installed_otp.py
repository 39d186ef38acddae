# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed OTP: made installations, and the real one of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import installed_otp, proc


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
    assert installed_otp.installed() == {
        "installed": True,
        "release": "27",
        "version": "27.3.4.1",
        "root": str(root),
        "erl": str(tmp_path / "bin" / "erl"),
        "ssl": True,
        "missing": ["public_key", "crypto", "asn1"],
        "foreign": True,
    }
    for name in installed_otp.NEEDED[1:]:
        (root / "lib" / f"{name}-1" / "ebin").mkdir(parents=True)
        (root / "lib" / f"{name}-1" / "ebin" / f"{name}.app").touch()
    assert installed_otp.installed()["missing"] == []
    (tmp_path / "erlang-base.list").touch()
    monkeypatch.setattr(installed_otp, "_PACKAGE", f"{tmp_path}/erlang-base*.list")
    monkeypatch.setattr(installed_otp, "_OF_DISTRIBUTION", str(root))
    assert installed_otp.installed()["foreign"] is False
    # One that was given is a matter of its own.
    assert installed_otp.installed(str(root))["foreign"] is False


@pytest.mark.parametrize("version,expected", [("29.1", "29.1"), ("25.2.3**", "25.2.3"), ("", None)])
def test_releases(tmp_path: Path, version: str, expected: str | None) -> None:
    root = installation(tmp_path / "erlang", "29", version, start_erl=False, ssl=False)
    assert installed_otp.release_of(str(root)) == ("29", expected)
    assert installed_otp.release_of(str(tmp_path)) == (None, None)


def test_no_otp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_otp.commands, "find", lambda program: None)
    monkeypatch.setattr(installed_otp, "_USUAL_ROOTS", (str(tmp_path),))
    nothing = dict.fromkeys(("release", "version", "root", "erl", "missing", "foreign"))
    assert installed_otp.installed() == {"installed": False, "ssl": False, **nothing}
    installation(tmp_path / "later", "25", "25.2.3", ssl=False)
    monkeypatch.setattr(installed_otp, "_USUAL_ROOTS", (str(tmp_path / "later"),))
    assert installed_otp.installed()["installed"] and not installed_otp.installed()["ssl"]
    # The search path does not lead there, so that the distribution's comes beside it.
    assert installed_otp.installed()["foreign"] is False


@pytest.mark.skipif(shutil.which("erl") is None, reason="the real program is the other opinion")
def test_the_real_erl_says_the_same() -> None:
    done = subprocess.run(
        ["erl", "-noinput", "-boot", "start_clean", "-eval", 'io:format("~s ~s", [erlang:system_info(otp_release), code:root_dir()]), halt().'],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = installed_otp.installed()
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
    assert installed_otp.candidate(policy) == {"candidate": candidate, "candidate_release": release}


@pytest.mark.skipif(shutil.which("erl") is None and not os.path.isdir("/usr/lib/erlang"), reason="wants an installation")
def test_roots_of_this_host() -> None:
    root = installed_otp.installed()["root"]
    assert [one["root"] for one in installed_otp.roots(str(root), [])] == [root]


def test_a_release_with_its_own_runtime(tmp_path: Path) -> None:
    """It has no OTP_VERSION; the number in start_erl.data is the release's own."""
    (tmp_path / "erts-15.2.7").mkdir()
    (tmp_path / "releases" / "0.1.0").mkdir(parents=True)
    (tmp_path / "releases" / "start_erl.data").write_text("15.2.7 0.1.0", encoding="ascii")
    process = proc.Process(os.getpid(), "beam.smp", "beam", None, root=str(tmp_path))
    whole = installation(tmp_path / "otp", "27", "27.3.4.1")
    found = installed_otp.roots(str(whole), [process, process])
    assert found == [
        {"root": str(whole), "release": "27", "version": "27.3.4.1", "pids": []},
        {"root": str(tmp_path), "release": "27", "version": None, "pids": [os.getpid()] * 2},
    ]

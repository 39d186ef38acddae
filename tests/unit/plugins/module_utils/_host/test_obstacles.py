# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a run from writing its files, on file systems that answer as a full or a read-only one does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import files, obstacles, units

SPACE = {"f_flag": 0, "f_bavail": 1 << 20, "f_frsize": 4096, "f_files": 10, "f_favail": 5}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(obstacles, "PLACES", ())
    monkeypatch.setattr(obstacles, "UPDATES", str(tmp_path / "updates"))
    monkeypatch.setattr(files, "_TREES", ())
    monkeypatch.setattr(obstacles, "is_fixed", lambda path: path.endswith("fixed"))
    return tmp_path


@pytest.mark.parametrize(
    ("space", "reason"),
    [
        ({}, ""),
        ({"f_flag": os.ST_RDONLY}, "read_only"),
        ({"f_bavail": 4095}, "full"),
        ({"f_favail": 0}, "full"),
        ({"f_files": 0, "f_favail": 0}, ""),
    ],
)
def test_the_file_system(here: Path, monkeypatch: pytest.MonkeyPatch, space: dict[str, Any], reason: str) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(**SPACE | space))
    paths = [f"{here}/a/b/c", f"{here}/d"]
    assert obstacles.describe(paths) == ([{"path": str(here), "reason": reason}] if reason else [])


def test_the_path(here: Path) -> None:
    (here / "file").write_text("")
    (here / "fixed").write_text("")
    (here / "link").symlink_to("fixed")
    found = obstacles.describe([f"{here}/file", f"{here}/file/x", f"{here}/fixed", f"{here}/link", f"{here}/none"])
    assert [(Path(one["path"]).name, one["reason"]) for one in found] == [
        ("file", "not_a_directory"),
        ("fixed", "immutable"),
        ("link", "immutable"),
    ]


def test_other_names_of_a_file(here: Path) -> None:
    """To replace a file breaks a hard link without a word; a link is followed, and its own links count."""
    (here / "file").write_text("")
    os.link(here / "file", here / "shared")
    (here / "link").symlink_to("shared")
    (here / "nowhere").symlink_to("gone/file")
    (here / "alone").write_text("")
    (here / "directory").mkdir()
    names = ("file", "link", "nowhere", "alone", "directory")
    found = obstacles.describe(f"{here}/{name}" for name in names)
    assert [(Path(one["path"]).name, one["reason"]) for one in found] == [("file", "hard_link"), ("link", "hard_link"), ("nowhere", "dangling")]


PROGRAM = """
import sys
from ansible_collections.beam.cluster.plugins.module_utils._host import obstacles
obstacles.PLACES, obstacles.UPDATES = (), sys.argv[1]
print(obstacles.describe(sys.argv[2:]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="owners are set")
def test_a_directory_that_refuses_root(tmp_path: Path) -> None:
    """As a home on NFS does (root_squash): here, of a user whom a namespace does not know."""
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "own").mkdir()
    os.chown(tmp_path / "home", 1, 1)
    paths = [f"{tmp_path}/home/.erlang.cookie", f"{tmp_path}/own/x", f"{tmp_path}/home"]
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", PROGRAM, f"{tmp_path}/none", *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode and "unshare" in done.stderr:
        pytest.skip("no namespaces here")
    assert done.stdout.strip() == str([{"path": f"{tmp_path}/home", "reason": "refused"}]), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="the flag is set")
@pytest.mark.skipif(shutil.which("chattr") is None, reason="needs chattr")
@pytest.mark.parametrize("place", ["file", "directory"])
def test_what_nobody_can_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setattr(obstacles, "PLACES", (f"{tmp_path}/{place}",))
    monkeypatch.setattr(obstacles, "UPDATES", str(tmp_path / "none"))
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    if subprocess.run(["chattr", "+i", str(tmp_path / place)], capture_output=True, check=False).returncode:
        pytest.skip("a file system without flags")
    try:
        assert obstacles.describe([f"{tmp_path}/directory/new"]) == [{"path": f"{tmp_path}/{place}", "reason": "immutable"}]
    finally:
        subprocess.run(["chattr", "-i", str(tmp_path / place)], check=True)


def test_each_file_of_ours_that_nobody_can_change(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("key.pem", "fixed", "tls/crl-fixed"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("")
    (here / "link-fixed").symlink_to("tls/crl-fixed")
    monkeypatch.setattr(files, "_TREES", (str(here),))
    monkeypatch.setattr(files, "_PATTERNS", ())
    found = obstacles.describe([f"{here}/fixed"])
    assert found == [{"path": f"{here}/{name}", "reason": "immutable"} for name in ("fixed", "link-fixed", "tls/crl-fixed")]


def test_packages(here: Path) -> None:
    (here / "updates").mkdir()
    (here / "updates" / "tmp.i").write_text("")
    assert obstacles.describe([]) == []
    (here / "updates" / "0003").write_text("")
    assert obstacles.describe([]) == [{"path": f"{here}/updates", "reason": "interrupted"}]


def test_flags_of_files_that_have_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    assert not any(obstacles.is_fixed(str(path)) for path in (tmp_path, tmp_path / "file", tmp_path / "pipe", tmp_path / "none", Path("/proc/self")))


@pytest.mark.parametrize(
    ("start", "program"),
    [
        ("{ path=/bin/sh ; argv[]=/bin/sh -c /opt/ejabberd/bin/ejabberdctl foreground ; ignore_errors=no ;", "/opt/ejabberd/bin/ejabberdctl"),
        ("{ path=/bin/bash ; argv[]=/bin/bash -c exec /opt/x/bin/y ; ignore_errors=no ;", "/opt/x/bin/y"),
        ("{ path=/bin/sh ; argv[]=/bin/sh -c cd / && /opt/x ; ignore_errors=no ;", "/bin/sh"),
        ("{ path=/usr/sbin/rabbitmq-server ; argv[]=/usr/sbin/rabbitmq-server ; ignore_errors=no ;", "/usr/sbin/rabbitmq-server"),
    ],
)
def test_the_program_of_a_unit(start: str, program: str) -> None:
    text = f"Id=web.service\nNames=web.service x.service\nLoadState=loaded\nExecStart={start} start_time=[n/a] }}\n"
    unit = units.parse(text)["x.service"]
    assert (unit["program"], unit["id"]) == (program, "web.service")


_MULTI_USER = "default.target\n\u25cf   display-manager.service\n\u25cf   multi-user.target\n\u25cf     beam.service\n"
_OTHER = "default.target\n\u25cb   rescue.service\n  sysinit.target\n    beam-firewall.service\n"


@pytest.mark.parametrize(
    ("text", "name", "at_boot"),
    [
        (_MULTI_USER, "beam.service", True),
        # It is enabled for a target that nothing starts.
        (_MULTI_USER, "other.service", False),
        (_OTHER, "beam.service", False),
        (_OTHER, "beam-firewall.service", True),
        (None, "beam.service", None),
        ("", "beam.service", None),
    ],
)
def test_what_the_default_target_starts(monkeypatch: pytest.MonkeyPatch, text: str | None, name: str, at_boot: bool | None) -> None:
    monkeypatch.setattr(units.commands, "output", lambda *_words: text)
    assert units.at_boot([name]) == {name: at_boot}


@pytest.mark.parametrize(("text", "version"), [("systemd 249 (249.11-0ubuntu3)\n+PAM", 249), ("", None), (None, None)])
def test_the_version_of_systemd(monkeypatch: pytest.MonkeyPatch, text: str | None, version: int | None) -> None:
    monkeypatch.setattr(units.commands, "output", lambda *_words: text)
    assert units.version() == version


def test_links(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "lib").symlink_to("data")
    assert obstacles.links([f"{tmp_path}/lib", f"{tmp_path}/lib/x", f"{tmp_path}/data"]) == {
        f"{tmp_path}/lib": f"{tmp_path}/data",
        f"{tmp_path}/lib/x": f"{tmp_path}/data/x",
    }

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which configurations of file servers give a node's files to other hosts, and which do not."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import file_servers

LINES: list[tuple[str, str, str]] = [
    ("NFS", "{} *(ro)\n", ""),
    ("NFS", "{}\n", ""),
    ("NFS", "{}/tls 10.0.0.0/8(rw,no_root_squash) backup(ro)\n", "/tls"),
    ("NFS", "\"{}\" \\\n  10.0.0.1(ro,sync)\n", ""),
    ("NFS", "{} -ro,sync 10.0.0.1 10.0.0.2(rw)\n", ""),
    ("NFS", "{} a(sec=krb5p) b(sec=sys)\n", ""),
    ("NFS", "{} a(sec=krb5p:sys)\n", ""),
    ("NFS", "{} a(sec=krb5,no_root_squash)\n", ""),
    ("NFS", "{} a(all_squash,anonuid=0)\n", ""),
    ("NFS", "{} a(all_squash,anonuid=1)\n", ""),
    ("NFS", "{} a(all_squash,anonuid=2)\n", "-"),
    ("NFS", "{}/a\\040b *(ro)\n", "/a b"),
    ("NFS", "{} *(ro,all_squash)\n", "-"),
    ("NFS", "{} *(ro,sec=krb5:krb5p)\n", "-"),
    ("NFS", "# {} *(ro)\n", "-"),
    ("NFS", "{}x *(ro)\n", "-"),
    ("NFS", "{}/other *(ro)\n", "-"),
    ("Samba", "[all]\npath = {}\nforce user = root\n", ""),
    ("Samba", "[global]\nforce user = beam\n[all]\n  Path={}\n", ""),
    ("Samba", "[all]\npath = {}\nadmin users = alice\n", ""),
    ("Samba", "[all]\npath = {}\nread only = yes\n", "-"),
    ("Samba", "[all]\npath = {}\n; force user = root\n", "-"),
    ("Samba", "[homes]\nforce user = root\npath = /home/%U\n", "-"),
    ("rsync", "uid = root\n[all]\npath = {}\n", ""),
    ("rsync", "[all]\nuid = 0\npath = {}\n", ""),
    ("rsync", "uid = root\n[all]\nuid = nobody\npath = {}\n", "-"),
    ("rsync", "[all]\npath = {}\n", "-"),
]


@pytest.mark.parametrize(("server", "text", "directory"), LINES)
def test_what_a_server_gives(server: str, text: str, directory: str, tmp_path: Path) -> None:
    root = tmp_path / "beam"
    for name in ("tls/key.pem", "a b/cookie"):
        (root / name).parent.mkdir(parents=True)
        (root / name).write_text("")
    (root / "other").mkdir()
    (tmp_path / "conf").write_text(text.replace("{}", str(root)))
    said = file_servers.describe([f"{root}/tls/key.pem", f"{root}/a b/cookie"], ["beam", "daemon"], {server: (f"{tmp_path}/conf",)})
    assert [one["directory"] for one in said] == ([] if directory == "-" else [f"{root}{directory}"])
    path = "/tls/key.pem" if directory == "/tls" else "/a b/cookie"
    assert all((one["path"], one["where"]) == (f"{root}{path}", f"{tmp_path}/conf") for one in said)


@pytest.mark.parametrize(
    ("server", "text"),
    [
        ("Samba", "[global]\n  include = {}/more.conf\n"),
        ("Samba", "[global]\nforce user = nobody\nInclude={}/mor%L.conf\n"),
        ("rsync", "&include {}/more.conf\n"),
        ("rsync", "uid = nobody\n&include more\n"),
        ("rsync", "&merge {}/more\n"),
    ],
)
def test_what_an_included_file_gives(server: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("more.conf", "more/all.conf", "more/all.inc"):
        (tmp_path / name).write_text(f"[all]\npath = {tmp_path}\n{'force user' if server == 'Samba' else 'uid'} = root\n")
    (tmp_path / "key").write_text("")
    (tmp_path / "conf").write_text(text.replace("{}", str(tmp_path)))
    (said,) = file_servers.describe([f"{tmp_path}/key"], [], {server: (f"{tmp_path}/conf",)})
    assert said["directory"] == str(tmp_path)
    (tmp_path / "conf").write_text("# " + text.replace("{}", str(tmp_path)).replace("\n", "\n# "))
    assert file_servers.describe([f"{tmp_path}/key"], [], {server: (f"{tmp_path}/conf",)}) == []


@pytest.mark.parametrize(("options", "found"), [("ro", False), ("ro,crossmnt", True)])
def test_a_file_system_below(options: str, found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("")
    (tmp_path / "conf").write_text(f"{tmp_path} *({options})\n")
    monkeypatch.setattr(os, "stat", lambda path: SimpleNamespace(st_dev=str(path).endswith("key")))
    monkeypatch.setattr(os.path, "realpath", lambda path: path)
    assert bool(file_servers.describe([f"{tmp_path}/key"], [], {"NFS": (f"{tmp_path}/conf",)})) is found


def test_a_link_to_the_exported_directory(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cookie").write_text("")
    (tmp_path / "home").symlink_to("data")
    (tmp_path / "conf").write_text(f"{tmp_path}/data *(ro)\n{tmp_path}/none *(ro)\n")
    said = file_servers.describe([f"{tmp_path}/home/cookie", f"{tmp_path}/gone"], [], {"NFS": (f"{tmp_path}/conf",)})
    assert said == [{"path": f"{tmp_path}/home/cookie", "server": "NFS", "directory": f"{tmp_path}/data", "where": f"{tmp_path}/conf"}]

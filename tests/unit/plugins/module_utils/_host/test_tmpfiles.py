# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of tmpfiles.d that open, replace or remove files at the next boot, and those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import tmpfiles

LINES = [
    ("z {}/tls/key.pem 0644 - -", [("tls/key.pem", "mode 0644")]),
    ("z {}/*/key.pem 0440 - -", [("tls/key.pem", "mode 0440")]),
    ("Z {} 0777 daemon -", [(path, does) for path in ("", "tls", "tls/key.pem") for does in ("mode 0777", "owner daemon")]),
    ("d {}/tls 0770 root root", [("tls", "mode 0770")]),
    ("a+ {}/tls - - - - u:daemon:rx", [("tls", "ACL")]),
    ("A+ {} - - - - u:daemon:rx", [("", "ACL"), ("tls", "ACL"), ("tls/key.pem", "ACL")]),
    ("L+ {}/tls/key.pem - - - - /tmp/key.pem", [("tls/key.pem", "replace")]),
    ("f+ {}/tls/key.pem - - - - x", [("tls/key.pem", "replace")]),
    ("r! {}/tls/key.pem", [("tls/key.pem", "remove")]),
    ("R {}/tls", [("tls", "remove"), ("tls/key.pem", "remove")]),
    ("e {} - - - 30d", [("tls/key.pem", "remove what is older than 30d")]),
    ("d {} - - - 0", [("tls/key.pem", "remove what is older than 0")]),
    ("z {}/* 0644 - -", []),
    ("e {}/* - - - bmA:1w", [("tls/key.pem", "remove what is older than bmA:1w")]),
    ("e {} - - - ~1d", [("tls/key.pem", "remove what is older than ~1d")]),
    ("e {}/tls - - - ~1d", []),
    ("e! {} - - - 30d", []),
    ("e {} - - - -", []),
    ("e {}/other - - - 1d", []),
    # A line of its own counts for a file instead of that of the directory.
    ("e {} - - - 30d\nx {}/tls", []),
    ("e {} - - - 30d\nz {}/*/key.pem 0400", []),
    ("z %h{}/tls/key.pem 0644 - -", []),
    ("z {}/tls/key.pem 0400 root root", []),
    ("Z {} ~0777 - -", []),
    ("d {}/tls 0755 root root", []),
    ("d {}/other 0777 - -", []),
    ("# z {}/tls/key.pem 0644", []),
    ("z {}/tls/key.pem '0644", []),
    ("z {}/tls/key.pem 0899 - -", []),
    ("'' {}/tls/key.pem 0644", []),
    ("z {}/tls 0750 root games", [("tls", "group games")]),
    ("z {}/tls - - games", []),
    ("z {}/tls 0755 root games", []),
]


@pytest.mark.parametrize(("line", "found"), LINES, ids=[line for line, _found in LINES])
def test_what_a_line_does(line: str, found: list[tuple[str, str]], tmp_path: Path) -> None:
    root = tmp_path / "beam"
    (root / "tls").mkdir(parents=True)
    for directory in (root, root / "tls"):
        directory.chmod(0o755)
    key = root / "tls" / "key.pem"
    key.touch(0o400)
    (tmp_path / "x.conf").write_text(line.replace("{}", str(root)) + "\n", encoding="utf-8")
    said = tmpfiles.describe([str(key), str(root / "tls"), str(root)], [str(tmp_path)])
    assert sorted((one["path"][len(str(root)) + 1 :], one["does"]) for one in said) == sorted(found)
    assert {one["where"] for one in said} <= {f"{tmp_path}/x.conf"}


def test_a_file_with_a_name_of_higher_rank_takes_the_place_of_the_other(tmp_path: Path) -> None:
    for name, text in (("etc", ""), ("usr", f"z {tmp_path} 0777\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.conf").write_text(text, encoding="utf-8")
    assert tmpfiles.describe([str(tmp_path)], [f"{tmp_path}/etc", f"{tmp_path}/usr"]) == []
    assert len(tmpfiles.describe([str(tmp_path)], [f"{tmp_path}/usr"])) == 1


@pytest.mark.parametrize("specifier", ["%S", "%S/../lib", "/var/%%/../lib"])
def test_specifiers(specifier: str, tmp_path: Path) -> None:
    (tmp_path / "x.conf").write_text(f"R {specifier}\n", encoding="utf-8")
    assert [one["path"] for one in tmpfiles.describe(["/var/lib"], [str(tmp_path)])] == ["/var/lib"]

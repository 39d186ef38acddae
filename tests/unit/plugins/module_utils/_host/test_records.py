# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of what was there: kept once, read in the format of 0.1.0 as well, readable by nobody else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import blocks, records
from ansible_collections.beam.cluster.plugins.module_utils._host.records import Record

RECORD = Record({"/a b": {"owner": "0", "group": "7", "mode": "0750"}}, ("epmd.socket",), (), ("beam",))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "before" / "test"
    path.parent.parent.mkdir()
    assert records.read(str(path)) is None
    records.write(str(path), RECORD, None)
    assert records.read(str(path)) == RECORD
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["test"]


def test_the_format_of_0_1_0() -> None:
    text = "path /a b 0 7 750\npath /t 0 0 1777\nenabled epmd.socket\nuser beam\n"
    found = records.decode(text)
    assert found == Record({**RECORD.paths, "/t": {"owner": "0", "group": "0", "mode": "1777"}}, ("epmd.socket",), (), ("beam",))
    assert records.decode("") == Record()


@pytest.mark.parametrize("text", ["rubbish", "path /a", '{"paths": {}}', "{"])
def test_what_is_no_record_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "record").write_text(text, encoding="utf-8")
    with pytest.raises((ValueError, KeyError)):
        records.read(str(tmp_path / "record"))


def test_the_copy_is_as_the_file_was(tmp_path: Path) -> None:
    cookie = tmp_path / "cookie"
    cookie.write_text("THEIRS", encoding="utf-8")
    cookie.chmod(0o400)
    path = tmp_path / "etc" / "before" / "test"
    records.write(str(path), Record(), str(cookie))
    copy = path.with_name("test.file")
    assert (copy.read_text(encoding="utf-8"), copy.stat().st_mode & 0o777, copy.stat().st_uid) == ("THEIRS", 0o400, os.getuid())
    records.remove(str(path))
    records.remove(str(path))
    assert not list(path.parent.iterdir())


def test_what_is_ours(tmp_path: Path) -> None:
    (tmp_path / "ours").write_text("# Managed by beam.cluster\n", encoding="utf-8")
    (tmp_path / "theirs").write_text("# BEGIN beam.cluster (test)\n", encoding="utf-8")
    files = [str(tmp_path / name) for name in ("ours", "theirs", "missing")]
    assert records.ours(files) == files[:1]
    assert records.with_block(files) == files[1:2]
    assert set(records.looked_at(files)) == set(files[:2])


def test_a_umask_closes_no_directory_that_nodes_read(tmp_path: Path) -> None:
    """Hardened hosts give root 027 or 077. /etc/beam is made with the first record."""
    umask = os.umask(0o077)
    try:
        records.write(f"{tmp_path}/etc/beam/before/epmd", records.Record(), None)
        blocks.make_directories(f"{tmp_path}/a/b")
    finally:
        os.umask(umask)
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("etc/beam", "etc/beam/before", "a", "a/b")}
    assert modes == {"etc/beam": 0o755, "etc/beam/before": 0o700, "a": 0o755, "a/b": 0o755}

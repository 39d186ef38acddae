# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that a unit's variables name, and that its user may write to: from the unit's files to what the sandbox leaves writable."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import operator_settings, written_paths
from ansible_collections.beam.cluster.plugins.module_utils._host.operator_settings import Question


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("uploads", "closed", "db", "opt/shop/releases/1", "opt/shop/priv/files", "opt/shop/erts-15.2"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "closed").chmod(0o555)
    (tmp_path / "db/shop.db").touch()
    (tmp_path / "link").symlink_to(tmp_path / "uploads")
    return tmp_path


CASES = [
    ("UPLOADS", "ROOT/uploads", "uploads"),
    ("UPLOADS", "ROOT/uploads/", "uploads"),
    ("UPLOADS", "ROOT/link", "uploads"),
    ("DATABASE_PATH", "ROOT/db/shop.db", "db"),
    ("DATABASE_PATH", "ROOT/db/later.db", "db"),
    ("DATABASE_URL", "sqlite3:ROOT/db/shop.db?pool=5", "db"),
    ("DATABASE_URL", "postgres://u:s3cret@h/db", ""),
    ("UPLOADS", "ROOT/closed", ""),
    ("UPLOADS", "ROOT/none/x", ""),
    ("UPLOADS", "uploads", ""),
    ("HOME", "ROOT/uploads", ""),
    ("RELEASE_TMP", "ROOT/uploads", ""),
    ("FILES", "ROOT/opt/shop/priv/files", "opt/shop/priv/files"),
    ("APP", "ROOT/opt/shop", ""),
    ("APP", "ROOT/opt", ""),
    ("APP", "ROOT/opt/shop/releases/1", ""),
    ("APP", "ROOT/opt/shop/erts-15.2", ""),
]


@pytest.mark.parametrize(("name", "value", "found"), CASES)
def test_a_variable(root: Path, name: str, value: str, found: str) -> None:
    said = written_paths.of_variable(name, value.replace("ROOT", str(root)), getpass.getuser(), f"{root}/opt/shop")
    assert said == (f"{root}/{found}" if found else "")
    assert written_paths.of_variable(name, value.replace("ROOT", str(root)), "", f"{root}/opt/shop") == ""


def test_what_the_files_of_a_unit_name(root: Path) -> None:
    (root / "env").write_text(f"UPLOADS={root}/uploads\nSECRET=s3cret\n", encoding="utf-8")
    (root / "x.conf").write_text(f"[Service]\nEnvironment=DATABASE_PATH={root}/db/shop.db\n", encoding="utf-8")
    shown = {"fragment": "", "drop_ins": [str(root / "x.conf")], "environment_files": [str(root / "env")], "user": getpass.getuser()}
    found = operator_settings.settings([Question("a.service")], {"a.service": shown})
    written = [(one["kind"], one["name"], one["value"]) for one in found if one["kind"] == "writes"]
    assert written == [("writes", "path", f"{root}/db"), ("writes", "path", f"{root}/uploads")]
    assert "s3cret" not in str(found)

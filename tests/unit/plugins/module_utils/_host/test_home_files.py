# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a service's home a hardened one would not find in its new home."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import home_files


@pytest.mark.parametrize(
    ("names", "copied", "expected"),
    [
        ([".pgpass", ".bashrc", ".ssh", ".erlang.cookie"], [], [".pgpass"]),
        ([".aws", ".config"], [], [".aws"]),
        ([".pgpass"], [".pgpass"], []),
        ([], [], []),
    ],
)
def test_files_of_clients(tmp_path: Path, names: list[str], copied: list[str], expected: list[str]) -> None:
    for home, several in (("old", names), ("new", copied)):
        (tmp_path / home).mkdir()
        for name in several:
            (tmp_path / home / name).mkdir()
    found = home_files.describe({"shop.service": (str(tmp_path / "new"), [str(tmp_path / "old"), str(tmp_path / "new"), "/nonexistent"])})
    assert found == [{"unit": "shop.service", "path": str(tmp_path / "old" / name)} for name in expected]


def test_a_file_below_a_directory(tmp_path: Path) -> None:
    (tmp_path / ".config" / "gcloud").mkdir(parents=True)
    (found,) = home_files.describe({"shop.service": ("/nonexistent", [str(tmp_path)])})
    assert found["path"] == str(tmp_path / ".config/gcloud")

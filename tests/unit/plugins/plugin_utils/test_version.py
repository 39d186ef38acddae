# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version in reports is that of the collection, installed or checked out."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.plugin_utils._version import ROOT, version


def test_of_this_checkout() -> None:
    assert version() == yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"MANIFEST.json": '{"collection_info": {"version": "1.2.3"}}', "galaxy.yml": "version: 9.9.9\n"}, "1.2.3"),
        ({"MANIFEST.json": "{", "galaxy.yml": "name: x\nversion: 9.9.9\n"}, "9.9.9"),
        ({"galaxy.yml": "name: x\n"}, ""),
        ({}, ""),
    ],
)
def test_of_others(files: dict[str, str], expected: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert version(tmp_path) == expected

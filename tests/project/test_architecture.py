# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/architecture.md: "Rooms" names every room, "To change X, open Y" names files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UTILS = "plugins/module_utils"
HEADING = "## To change X, open Y\n"


def rows() -> list[tuple[str, list[str]]]:
    """Each row as the change and the paths to open."""
    section = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    heads = ("| to change |", "| --- |")
    cells = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ") and not line.startswith(heads)]
    return [(change.strip(), re.findall(r"`([^`]+)`", files)) for change, files in cells]


def test_every_room_is_in_the_table_of_rooms() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Rooms\n")[2].partition("\n## ")[0]
    folders = [path for path in [*(ROOT / UTILS).glob("_*"), *(ROOT / "tests").iterdir()] if path.is_dir() and path.name != "__pycache__"]
    rooms = [path.relative_to(ROOT) for path in folders]
    rooms += [Path("plugins") / name for name in ("action", "modules", "filter", "plugin_utils")]
    assert not sorted(str(room) for room in rooms if f"`{room}`" not in section)


def test_the_table_is_complete() -> None:
    found = rows()
    assert len(found) >= 40
    assert len({change for change, paths in found}) == len(found)
    assert all(paths for change, paths in found)


@pytest.mark.parametrize(("change", "path"), [(change, path) for change, paths in rows() for path in paths])
def test_the_file_to_open_exists(change: str, path: str) -> None:
    pattern = path.replace("M/", f"{UTILS}/", 1) if path.startswith("M/") else path
    assert list(ROOT.glob(re.sub("<product>|<role>", "*", pattern))), f"to change {change}: there is no {pattern}"


def test_every_file_on_the_page_exists() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    names = {path.name for path in ROOT.glob("**/*.py")}
    assert not sorted(name for name in re.findall(r"`(?:[\w/]+/)?(\w+\.py)`", page) if name not in names)

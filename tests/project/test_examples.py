# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users are told to copy leads to what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "testing_your_own.md"
COPIED = sorted(path for path in (ROOT / "docs" / "examples").rglob("*") if path.is_file())


@pytest.mark.parametrize("path", [GUIDE, *COPIED], ids=lambda path: path.name)
def test_paths_in_the_checkout_exist(path: Path) -> None:
    named = re.findall(r"(?:\$\{BEAM_CLUSTER\}|(?<![\w/$.])beam\.cluster)/([\w./-]+)", path.read_text(encoding="utf-8"))
    assert all((ROOT / name).exists() for name in named), named
    assert named or path.name not in ("testing_your_own.md", "molecule.yml", "github.yml", "gitlab.yml"), "this test would see none"


def test_the_guide_names_every_file_of_the_scenario() -> None:
    told = set(re.findall(r"^\| `(\w+\.yml)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE))
    assert told == {path.name for path in COPIED if path.parent.name == "scenario"}


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *COPIED], ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_install_from_galaxy_only_what_is_published(path: Path) -> None:
    """Remove this test with the first release on Galaxy. Until then the name there is anybody's."""
    text = path.read_text(encoding="utf-8")
    assert "collection install beam.cluster" not in text and "REPOSITORY" not in text

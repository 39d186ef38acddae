# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages of docs/ that are generated from data say what the data says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("regenerate", ROOT / "tests" / "regenerate.py")
assert SPEC and SPEC.loader
regenerate = sys.modules["regenerate"] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(regenerate)


@pytest.mark.parametrize("name", regenerate.PAGES)
def test_the_page_says_what_the_data_says(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == regenerate.PAGES[name](), "run: make pages"

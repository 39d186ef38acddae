# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the pages of docs/ that are generated from data. Unit tests hold page and data equal."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def load(path: str) -> object:
    """A module of the collection that imports nothing of ours, from this checkout."""
    spec = importlib.util.spec_from_file_location(path.rpartition("/")[2].removesuffix(".py"), ROOT / path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    controls = load("plugins/module_utils/_assess/controls.py")
    (ROOT / "docs" / "controls.md").write_text(controls.catalogue(), encoding="utf-8")
    codes = load("plugins/module_utils/_wire/codes.py")
    (ROOT / "docs" / "codes.md").write_text(codes.page(), encoding="utf-8")

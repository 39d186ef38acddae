# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The renames in the CA's directory: killed at each of them, the next run ends in the same place, and no CA is lost."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "roles" / "pki" / "files" / "promote.py"


@pytest.fixture
def promote() -> ModuleType:
    spec = importlib.util.spec_from_file_location("promote", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make(base: Path) -> None:
    for name in ("root", "intermediate", "next/root", "next/intermediate"):
        (base / name).mkdir(parents=True)
        (base / name / "certificate.pem").write_text("new" if name.startswith("next") else "old")


def content(base: Path) -> dict[str, str]:
    """Without the time in the name of the retired CA."""
    found = {path.relative_to(base): path.read_text() for path in base.rglob("*.pem")}
    return {"/".join(part for part in path.parts if not part[:1].isdigit()): text for path, text in found.items()}


ENDS = {
    False: {"root": "new", "intermediate": "new", "retired/root": "old", "retired/intermediate": "old"},
    True: {"root": "old", "intermediate": "old", "retired/root": "new", "retired/intermediate": "new"},
}


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("killed_at", range(6))
def test_killed_at_each_rename(promote: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: bool, killed_at: int) -> None:
    make(tmp_path)
    renames = 0
    rename = os.rename

    def counted(*arguments: Any) -> None:
        nonlocal renames
        if renames == killed_at:
            raise KeyboardInterrupt
        renames += 1
        rename(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", counted)
        try:
            promote.main(str(tmp_path), back)
        except KeyboardInterrupt:
            # The root goes last: until then the next run still sees a new CA.
            assert (tmp_path / "next" / "root").exists()
    promote.main(str(tmp_path), back)
    promote.main(str(tmp_path), back)
    assert content(tmp_path) == {f"{name}/certificate.pem": text for name, text in ENDS[back].items()}
    assert not (tmp_path / "next").exists()

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports run one way: modules, action and filter -> _net -> _wire; _model and _term use nothing that talks."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UTILS = ROOT / "plugins" / "module_utils"
OURS = "ansible_collections.beam.cluster.plugins"
TALKS = {"socket", "ssl", "asyncio", "ansible", "select", "selectors", "subprocess", "http", "urllib"}
# What each room may use of ours. A room that is not named here has no business importing another.
MAY_USE = {
    "_wire": {"_wire", "_term.py"},
    "_net": {"_net", "_wire", "_model", "_term.py"},
    "_model": {"_model", "_term.py"},
    "_plan": {"_plan", "_model", "_term.py", "_wire"},
    "_term.py": {"_term.py", "_wire"},
}
SOURCES = sorted(path for path in UTILS.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(UTILS).parts[0]


def imported(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT / "plugins").with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                base = node.module or ""
            else:
                base = ".".join((OURS, *package[: len(package) - node.level], *filter(None, [node.module])))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(UTILS)))
def test_rooms(path: Path) -> None:
    allowed = MAY_USE.get(room(path))
    for name in imported(path):
        if name.startswith(f"{OURS}.module_utils."):
            target = name.removeprefix(f"{OURS}.module_utils.").split(".")[0]
            target = target if (UTILS / target).is_dir() else f"{target}.py"
            assert allowed is None or target in allowed, f"{path.name} imports {name}"
        elif name.startswith(f"{OURS}."):
            assert name == f"{OURS}.module_utils", f"{path.name} imports {name}"


@pytest.mark.parametrize("path", [path for path in SOURCES if room(path) in {"_wire", "_model", "_plan", "_term.py"}], ids=lambda path: path.name)
def test_protocols_and_model_do_not_talk(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(path)} - {"ansible_collections"}
    assert not tops & TALKS
    assert tops <= set(sys.stdlib_module_names), "managed hosts have the standard library only"


@pytest.mark.parametrize("path", [path for path in SOURCES if room(path) in MAY_USE], ids=lambda path: str(path.relative_to(UTILS)))
def test_only_net_opens_sockets(path: Path) -> None:
    if room(path) != "_net":
        assert not {name.split(".")[0] for name in imported(path)} & {"socket", "ssl", "asyncio"}

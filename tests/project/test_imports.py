# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports run one way: modules and actions -> _net, _host -> _plan, _assess -> _wire, _model -> _term. Every room is named here."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
UTILS = PLUGINS / "module_utils"
OURS = "ansible_collections.beam.cluster.plugins"
# What each room of module_utils may use of ours: a room, or one module of it. _plan and _assess share no import.
MAY_USE: Mapping[str, frozenset[str]] = {
    "_term": frozenset({"_term"}),
    "_wire": frozenset({"_wire", "_term"}),
    "_model": frozenset({"_model", "_wire.codes", "_wire.constants", "_term"}),
    "_plan": frozenset({"_plan", "_model", "_wire", "_term"}),
    "_assess": frozenset({"_assess", "_model", "_wire", "_term"}),
    "_host": frozenset({"_host", "_model", "_wire", "_term"}),
    "_net": frozenset({"_net", "_model", "_wire", "_term"}),
}
# What the other plugins may use beside module_utils.
PLUGINS_MAY_USE: Mapping[str, frozenset[str]] = {
    "action": frozenset({"plugin_utils"}),
    "doc_fragments": frozenset(),
    "filter": frozenset(),
    "modules": frozenset(),
    "plugin_utils": frozenset({"plugin_utils"}),
}
TALKS = frozenset({"socket", "ssl", "asyncio", "ansible", "select", "selectors", "subprocess", "http", "urllib"})
# The kernel is asked by a socket of its own (netlink), tools of the host by their programs. Peers are _net's.
TALKS_OF = {"_host": frozenset({"socket", "subprocess"}), "_net": TALKS - {"ansible", "subprocess"}}
SOURCES = sorted(PLUGINS.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(PLUGINS).parts
    return parts[1] if parts[0] == "module_utils" else parts[0]


def imported(path: Path, source: str) -> Iterator[str]:
    package = path.relative_to(PLUGINS).with_suffix("").parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level:
                base = node.module or ""
            else:
                base = ".".join((OURS, *package[: len(package) - node.level], *filter(None, [node.module])))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def target_of(name: str) -> tuple[str, str]:
    """Room of module_utils, and module of it with its room in front."""
    room, _dot, rest = name.removeprefix(f"{OURS}.module_utils.").partition(".")
    return room, f"{room}.{rest.partition('.')[0]}"


def offences(path: Path, source: str) -> list[str]:
    """Imports of a file that its room must not have."""
    room = room_of(path)
    inside = path.is_relative_to(UTILS)
    if room not in (MAY_USE if inside else PLUGINS_MAY_USE):
        return [f"{path.name}: the room {room} is not known"]
    found = []
    for name in imported(path, source):
        top = name.split(".")[0]
        if name.startswith(f"{OURS}.module_utils."):
            if inside and not MAY_USE[room] & set(target_of(name)):
                found.append(name)
        elif name.startswith(f"{OURS}."):
            other = name.removeprefix(f"{OURS}.").split(".")[0]
            if inside or other not in PLUGINS_MAY_USE[room]:
                found.append(name)
        elif inside and top in TALKS - TALKS_OF.get(room, frozenset()):
            found.append(name)
        elif inside and top not in sys.stdlib_module_names:
            found.append(f"{name}: managed hosts have the standard library only")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_rooms(path: Path) -> None:
    assert offences(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PLUGINS)))
def test_what_is_imported_is_there(path: Path) -> None:
    """A module that is missing shows on a managed host only: Ansible packs what a module imports when it runs."""
    for name in imported(path, path.read_text(encoding="utf-8")):
        if name.startswith(f"{OURS}."):
            place = PLUGINS.joinpath(*name.removeprefix(f"{OURS}.").split("."))
            assert any(one.is_dir() or one.with_suffix(".py").is_file() for one in (place, place.parent)), name


def test_every_room_is_named_and_every_name_is_there() -> None:
    assert {room_of(path) for path in SOURCES if path.is_relative_to(UTILS)} == set(MAY_USE)
    assert {room_of(path) for path in SOURCES if not path.is_relative_to(UTILS)} == set(PLUGINS_MAY_USE)
    for allowed in MAY_USE.values():
        for name in allowed:
            place = UTILS.joinpath(*name.split("."))
            assert place.exists() or place.with_suffix(".py").exists(), name


def test_no_circle() -> None:
    left = {room: {name.split(".")[0] for name in allowed} - {room} for room, allowed in MAY_USE.items()}
    while left:
        free = {room for room, targets in left.items() if not targets & set(left)}
        assert free, f"a circle through {sorted(left)}"
        left = {room: targets for room, targets in left.items() if room not in free}


# One import that each room must not have, in each way of writing it.
FORBIDDEN = {
    "_term": ["from .._wire import etf", "from .._model import names", "import socket"],
    "_wire": ["from .._net import runner", "from .._model import names", "import asyncio", "from ansible.errors import AnsibleError"],
    "_model": ["from .._plan import planning", "from .._assess import target", "from .._wire import etf", "import ssl"],
    "_plan": ["from .._assess import controls", "from .._host.proc import processes", "from ansible.errors import AnsibleError"],
    "_assess": ["from .._plan import planning", "from .._plan.cluster import Cluster", "from .._net.runner import converse_all", "import subprocess"],
    "_host": ["from .._net import runner", "from .._assess import target", "from .._plan import variable_names", "import ssl"],
    "_net": ["from .._host import proc", "from .._assess import probes", "from .._plan import planning", "import subprocess", "import yaml"],
}


@pytest.mark.parametrize(("room", "line"), [(room, line) for room, lines in FORBIDDEN.items() for line in lines])
def test_what_a_room_must_not_import_is_seen(room: str, line: str) -> None:
    path = UTILS / room / "example.py"
    assert offences(path, line + "\n") != []
    assert offences(path, f"def late():\n    {line}\n") != [], "inside a function too"


def test_every_room_has_been_red() -> None:
    assert set(FORBIDDEN) == set(MAY_USE)


@pytest.mark.parametrize("room", sorted(PLUGINS_MAY_USE))
def test_other_plugins_do_not_import_each_other(room: str) -> None:
    assert offences(PLUGINS / room / "example.py", f"from {OURS}.action import plan\n") != []


@pytest.mark.parametrize("path", [UTILS / "_new" / "example.py", PLUGINS / "lookup" / "example.py"])
def test_a_room_that_is_not_named_fails(path: Path) -> None:
    assert offences(path, "") != []

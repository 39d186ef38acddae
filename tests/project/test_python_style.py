# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialect and the sizes of the Python in plugins/, tests/ and molecule/: limits, annotations, formatting, docstrings, and values kept once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._model import installed
from ansible_collections.beam.cluster.plugins.module_utils._model.secret_rules import LONGEST, SHORTEST
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT, PROBE_NAME

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ("plugins", "tests", "molecule") for path in (ROOT / folder).rglob("*.py"))
LINES_OF_A_FILE = 500
LINES_OF_A_CLASS = 300
# What the language itself has since 3.9, or under `from __future__ import annotations`.
OLD_TYPES = frozenset({"Dict", "FrozenSet", "List", "Optional", "Set", "Tuple", "Type"})
# Markup of ansible-doc, which nobody renders outside of a module's DOCUMENTATION.
MARKUP = re.compile(r"(?<!\w)[BCEIMOPV]\([^()]*\)")
# A test drawn at random has another name in each process, and workers that run tests side by side must agree on the names.
RANDOM = frozenset({"urandom", "randbelow", "choice", "choices", "random", "randint", "randbytes", "token_bytes", "token_hex"})


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Docstrings, and the texts that stand behind an assignment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def offences(text: str) -> list[str]:
    """What is wrong in one file, each with its line."""
    tree = ast.parse(text)
    lines = text.count("\n")
    found = [f"{lines} lines in the file"] if lines > LINES_OF_A_FILE else []
    if tree.body and not any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body):
        found.append("no `from __future__ import annotations`")
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and (node.end_lineno or 0) - node.lineno >= LINES_OF_A_CLASS:
            found.append(f"{node.lineno}: class {node.name} has more than {LINES_OF_A_CLASS} lines")
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, (ast.Constant, ast.JoinedStr)):
            if not isinstance(getattr(node.left, "value", ""), (int, float)):
                found.append(f"{node.lineno}: write an f-string in place of %")
        elif isinstance(node, ast.FunctionDef):
            drawn = [call for mark in node.decorator_list for call in ast.walk(mark) if isinstance(call, ast.Call) and called(call) in RANDOM]
            found += [f"{call.lineno}: {called(call)} in a decorator" for call in drawn]
        elif isinstance(node, ast.ImportFrom) and node.module == "typing":
            found += [f"{node.lineno}: typing.{name.name}" for name in node.names if name.name in OLD_TYPES]
    found += [f"{one.lineno}: {mark}" for one in docstrings(tree) for mark in MARKUP.findall(str(one.value))]
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_dialect_and_size(path: Path) -> None:
    assert offences(path.read_text(encoding="utf-8")) == []


FUTURE = "from __future__ import annotations\n"


@pytest.mark.parametrize(
    ("text", "offence"),
    [
        (FUTURE + "\n" * LINES_OF_A_FILE, "lines in the file"),
        (FUTURE + "class Long:\n" + "    a = 1\n" * LINES_OF_A_CLASS, "class Long"),
        ("import os\n", "__future__"),
        (FUTURE + "a = 'x %s' % b\n", "f-string"),
        (FUTURE + "a = b'x %d' % b\n", "f-string"),
        (FUTURE + "from typing import Any, Optional\n", "typing.Optional"),
        (FUTURE + 'def f():\n    """See C(name)."""\n', "C(name)"),
        (FUTURE + "@mark([os.urandom(9)])\ndef f():\n    pass\n", "urandom"),
    ],
)
def test_each_offence_is_seen(text: str, offence: str) -> None:
    (found,) = offences(text)
    assert offence in found


def lines_with(text: str, value: object) -> list[int]:
    """Lines where a literal value stands in code."""
    return [node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant) and node.value == value]


@pytest.mark.parametrize("value", [EPMD_PORT, PROBE_NAME])
def test_a_value_of_the_wire_is_written_once(value: object) -> None:
    places = {str(path.relative_to(ROOT)) for path in (ROOT / "plugins").rglob("*.py") if lines_with(path.read_text(encoding="utf-8"), value)}
    assert places == {"plugins/module_utils/_wire/constants.py"}


def test_roles_take_the_name_of_probes_from_the_plan() -> None:
    roles = [path for path in (ROOT / "roles").rglob("*") if path.suffix in (".yml", ".j2", ".escript", ".sh")]
    assert [str(path.relative_to(ROOT)) for path in roles if f"{PROBE_NAME}@" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize("value", [installed.DROP_IN, installed.GUARD, installed.WATCH])
def test_a_name_of_what_is_installed_is_written_once(value: str) -> None:
    """In Python; a name may be part of a longer text."""
    places = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "plugins").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and value in node.value
    }
    assert places == {"plugins/module_utils/_model/installed.py"}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (f"{{{{ __beam_node.unit }}}}.d/{installed.DROP_IN}", "service/vars/main.yml"),
        (f"{{{{ __beam_node.unit }}}}.d/{installed.OLD_DROP_IN}", "service/vars/main.yml"),
        (f"/nftables.service.d/{installed.DROP_IN}", "firewall/vars/main.yml"),
        (f"/nftables.service.d/{installed.OLD_DROP_IN}", "firewall/vars/main.yml"),
        (f'"{installed.GUARD}{{{{ __beam_node.unit }}}}"', "service/vars/main.yml"),
        (f'"{installed.WATCH}{{{{ __beam_node.unit }}}}"', "service/vars/main.yml"),
        (f"/$unit.d/{installed.DROP_IN}", "service/files/guard"),
        (f"\ntable inet {installed.TABLE} {{", "firewall/templates/firewall.nft.j2"),
        (f"[nft, delete, table, inet, {installed.TABLE}]", "firewall/tasks/remove.yml"),
    ],
)
def test_roles_install_what_the_code_looks_for(text: str, path: str) -> None:
    assert text in (ROOT / "roles" / path).read_text(encoding="utf-8")


def test_the_default_ports_are_documented_once() -> None:
    options = yaml.safe_load((ROOT / "roles/plan/meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    assert f"V({options['beam_ports']['default']})" in options["beam_members"]["options"]["ports"]["description"]


def test_the_role_distribution_wants_the_cookie_that_the_plan_wants() -> None:
    text = (ROOT / "roles/distribution/tasks/validate.yml").read_text(encoding="utf-8")
    assert f"{{{SHORTEST},{LONGEST}}}" in text
    assert f"shorter than {SHORTEST} characters" in text

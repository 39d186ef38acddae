# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of modules, filters and roles renders as it is meant: what antsibull-docs and ansible-doc do not report.

````, ````, ```` and `U()` end at the first closing parenthesis and know no escapes. ````, ```` and ```` know both.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted(ROOT.glob("roles/*/meta/argument_specs.yml"))
PLUGINS = sorted(path for room in ("modules", "filter", "doc_fragments") for path in (ROOT / "plugins" / room).glob("*.py"))
BROKEN = re.compile(r"\b[CIBU]\([^)]*[\\(]")


def documents(path: Path) -> Iterator[str]:
    if path.suffix == ".yml":
        yield path.read_text(encoding="utf-8")
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = {target.id for target in node.targets if isinstance(target, ast.Name)} if isinstance(node, ast.Assign) else set()
        if names & {"DOCUMENTATION", "RETURN"} or (path.parent.name == "doc_fragments" and names):
            yield ast.literal_eval(node.value)  # type: ignore[attr-defined]


def texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ("description", "short_description", "notes", "details"):
                yield from texts(one)
            elif not isinstance(one, str):
                yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize("path", [*SPECS, *PLUGINS], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_markup_is_cut_short(path: Path) -> None:
    found = [text for document in documents(path) for text in texts(yaml.safe_load(document))]
    assert found, "this test would see none"
    assert not [text for text in found if BROKEN.search(text)], "write V(), which knows an escaped parenthesis, in place of C()"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.parts[-3])
def test_every_entry_point_says_since_when(path: Path) -> None:
    specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
    assert not [entry for entry, spec in specs.items() if not re.fullmatch(r"\d+\.\d+\.\d+", str(spec.get("version_added", "")))]

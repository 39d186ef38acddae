# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action groups of meta/runtime.yml: each has the modules that share its options, and no other."""

from __future__ import annotations

import ast
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = {"wire": "beam.cluster.connection"}
"""The doc fragment with the options of a group. Ansible gives module_defaults of a group to each of its modules, and a module refuses an option that
it does not have."""


def fragments_of(path: Path) -> list[str]:
    assigned = (node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.Assign))
    texts = [ast.literal_eval(node.value) for node in assigned if getattr(node.targets[0], "id", "") == "DOCUMENTATION"]
    found: list[str] = yaml.safe_load(texts[0]).get("extends_documentation_fragment", [])
    return found


def test_a_group_has_the_modules_that_share_its_options() -> None:
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    modules = {path.stem: fragments_of(path) for path in sorted((ROOT / "plugins" / "modules").glob("*.py"))}
    assert groups == {group: [name for name, used in modules.items() if fragment in used] for group, fragment in OPTIONS.items()}
    assert all(groups.values())

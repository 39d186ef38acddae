# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of systemd's directives has every name that a rule of the plan asks for, or tells the operator to set."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host.setting_syntaxes import unit_file
from ansible_collections.beam.cluster.plugins.module_utils._model.unit_directives import ALLOWED, DIRECTIVES, OVERRIDDEN, READ

ROOT = Path(__file__).resolve().parents[5]
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "plugins/module_utils/_plan").glob("*.py")}
SOURCES["unit_directives.py"] = (ROOT / "plugins/module_utils/_model/unit_directives.py").read_text(encoding="utf-8")
DROP_IN = (ROOT / "roles/service/templates/node.service.conf.j2").read_text(encoding="utf-8")
NOT_OF_THE_SANDBOX = {"ExecReload", "ExecStartPost", "ExecStop", "SystemCallFilter"}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_what_a_rule_asks_the_operator_to_set_reaches_the_plan(name: str) -> None:
    """Or the plan would refuse again what the operator has just mended as it said."""
    asked = set(re.findall(r"'([A-Z]\w+)=[^']*'[^'\n]* (?:to )?beam_service_directives", SOURCES[name]))
    asked |= set(re.findall(r"startswith\(\(?\"(\w+)=", SOURCES[name]))
    assert asked - NOT_OF_THE_SANDBOX <= ALLOWED


@pytest.mark.parametrize("name", sorted(OVERRIDDEN))
def test_what_the_sandbox_sets_is_in_the_drop_in(name: str) -> None:
    assert f"\n{OVERRIDDEN[name].ours}\n" in DROP_IN
    assert name in READ and name in ALLOWED


def test_what_is_read_of_a_unit() -> None:
    text = "[Service]\n" + "".join(f"{name}=x\n" for name in sorted(DIRECTIVES))
    assert {name for _line, kind, name, _value in unit_file(text) if kind == "directive"} == READ

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report shows is gathered by role verify itself: the playbook verify reports what the playbook site reports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).resolve().parents[2] / "roles"
REPORT = (ROLES / "verify" / "tasks" / "report.yml").read_text(encoding="utf-8")
# Variables of other roles that go into the report.
SHOWN = sorted(set(re.findall(r"__beam_(?!verify_)\w+", REPORT)))


def set_by(path: Path) -> set[str]:
    """The facts that a file of tasks sets."""
    return {name for task in yaml.safe_load(path.read_text(encoding="utf-8")) for name in task.get("ansible.builtin.set_fact", {})}


def included() -> set[str]:
    """The facts that the entry points set which role verify includes."""
    found: set[str] = set()
    for path in (ROLES / "verify" / "tasks").glob("*.yml"):
        for task in yaml.safe_load(path.read_text(encoding="utf-8")):
            role = task.get("ansible.builtin.include_role")
            if role and "when" not in task:
                found |= set_by(ROLES / role["name"].split(".")[-1] / "tasks" / f"{role.get('tasks_from', 'main')}.yml")
    return found


def test_there_is_something_to_hold() -> None:
    assert "__beam_firewall_advisories" in SHOWN


@pytest.mark.parametrize("name", SHOWN)
def test_verify_gathers_what_it_shows(name: str) -> None:
    assert name in included(), f"role verify shows {name} and includes nothing that sets it"

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What firewalld and ufw are told, as one list of texts; for nodes that nobody may reach it is empty."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).resolve().parents[2] / "roles" / "firewall"


def openings(members: list[str], own: list[str], ports: list[list[int]]) -> list[str]:
    text = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__beam_firewall_openings"]
    variables = {
        "__beam_firewall": {"members": members, "own": own, "ports": ports},
        "ansible_search_path": [str(ROLE)],
        "role_path": str(ROLE),
    }
    return list(Templar(loader=DataLoader(), variables=variables).template(trust_as_template(text)))


def test_each_other_member_at_each_own_address_and_port_range() -> None:
    assert sorted(openings(["10.0.0.1", "10.0.0.2"], ["10.0.0.1"], [[4369, 4369], [9100, 9101]])) == [
        "10.0.0.2 10.0.0.1 4369",
        "10.0.0.2 10.0.0.1 9100-9101",
    ]


@pytest.mark.parametrize("members", [[], ["10.0.0.1"]])
def test_nobody(members: list[str]) -> None:
    """As in the mode standalone, and of a cluster of one."""
    assert openings(members, ["10.0.0.1"] if members else [], [[9100, 9100]]) == []

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's own table, loaded into a kernel and read back by the module observe: it lets the members in and nobody else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import firewall
from ansible_collections.beam.cluster.plugins.module_utils._model.firewall_facts import BeamTable
from rendering import render

TEMPLATES = Path(__file__).resolve().parents[2] / "roles" / "firewall" / "templates"
MEMBERS = ["10.0.0.1", "10.0.0.2", "10.0.0.4", "fd00::1", "fd00::2"]
PORTS = [(4369, 4369), (9100, 9109)]


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("unshare"), reason="wants a network namespace and nft")
@pytest.mark.parametrize("lock", [True, False])
@pytest.mark.parametrize("members", [MEMBERS, MEMBERS[:3], []])
def test_our_table_lets_members_in_and_nobody_else(lock: bool, members: list[str]) -> None:
    values = {
        "__beam_firewall": {"ports": [list(pair) for pair in PORTS], "members": members, "own": [one for one in members if one.endswith("1")]},
        "__beam_firewall_lock": lock,
        "__beam_firewall_theirs": [[9100, 9109]],
        "__beam_firewall_uids": {"beam": 990},
        "__beam_firewall_node_users": ["beam"],
    }
    rules = render(TEMPLATES, "firewall.nft", values)
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", "nft -f - && nft -j list ruleset"], input=rules, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    table = BeamTable.parse(firewall.our_table(json.loads(done.stdout)["nftables"]) or {})
    assert table.open_to_others(members, PORTS) == ()
    for left_out in members:
        assert table.open_to_others([one for one in members if one != left_out], PORTS)
    assert set(table.members) == set(members) and table.ports == tuple(PORTS)

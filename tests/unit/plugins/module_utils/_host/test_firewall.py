# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables' JSON: made-up rulesets, and real ones in a network namespace of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import firewall

OURS = """
table inet beam_cluster {
  set members4 { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }
  set members6 { type ipv6_addr; elements = { fd00::1 } }
  set own4 { type ipv4_addr; elements = { 10.0.0.1 } }
  set ports { type inet_service; flags interval; auto-merge; elements = { 4369, 9100-9109 } }
  chain input {
    type filter hook input priority raw; policy accept;
    tcp dport @ports ip saddr != @members4 counter drop
  }
}
"""
INLINE = """
table inet beam_cluster {
  chain input {
    type filter hook input priority raw; policy drop;
    tcp dport { 4369, 9100-9109 } drop
    tcp dport 9200 drop
  }
}
"""
DROPS = "table inet filter { chain input { type filter hook input priority 0; policy drop; ct state established accept; }\n}"
DROPS_AT_THE_END = "table ip filter { chain input { type filter hook input priority 0; policy accept; tcp dport 22 accept; counter log drop; }\n}"
REJECTS_AT_THE_END = (
    "table inet filter { chain input { type filter hook input priority 0; tcp dport 22 accept; reject with icmpx type admin-prohibited; }\n}"
)
ACCEPTS = "table inet filter { chain input { type filter hook input priority 0; policy accept; tcp dport 23 drop; }\n}"
FORWARDS = "table inet filter { chain forward { type filter hook forward priority 0; policy drop; }\n}"
OWN_CHAIN = (
    "table inet filter { chain closed { drop; }\nchain input { type filter hook input priority 0; policy accept; tcp dport 23 jump closed; }\n}"
)

privileged = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("unshare"),
    reason="wants a network namespace of its own and nft",
)


def loaded(rules: str) -> list[dict[str, Any]]:
    """The kernel's own account of rules, loaded where nobody else sees them."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", "nft -f - && nft -j list ruleset"], input=rules, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["nftables"]


@privileged
@pytest.mark.parametrize(
    "rules,drops",
    [
        (DROPS, True),
        (DROPS_AT_THE_END, True),
        (REJECTS_AT_THE_END, True),
        (ACCEPTS, False),
        (FORWARDS, False),
        (OWN_CHAIN, False),
        (OURS, False),
        (INLINE, False),
        ("", False),
    ],
)
def test_who_drops_by_default(rules: str, drops: bool) -> None:
    assert firewall.drops_by_default(loaded(rules)) is drops


@privileged
def test_our_table() -> None:
    assert firewall.our_table(loaded(OURS + DROPS)) == {
        "members": ["10.0.0.1", "10.0.0.2", "fd00::1"],
        "own": ["10.0.0.1"],
        "ports": [[4369, 4369], [9100, 9109]],
    }


@privileged
def test_ports_in_the_rules() -> None:
    assert firewall.our_table(loaded(INLINE)) == {"members": [], "own": [], "ports": [[4369, 4369], [9100, 9109], [9200, 9200]]}


@privileged
def test_no_table_of_ours() -> None:
    assert firewall.our_table(loaded(DROPS)) is None
    assert firewall.our_table(loaded(OURS.replace("inet beam_cluster", "inet other"))) is None


def test_elements_of_every_kind() -> None:
    table = {"table": {"family": "inet", "name": "beam_cluster"}}
    elements = [
        "10.0.0.1",
        {"elem": {"val": "10.0.0.2", "counter": {}}},
        {"prefix": {"addr": "10.1.0.0", "len": 16}},
        {"range": ["10.2.0.1", "10.2.0.9"]},
    ]
    members = {"set": {"family": "inet", "table": "beam_cluster", "name": "m", "type": "ipv4_addr", "elem": elements}}
    assert firewall.our_table([{"metainfo": {"version": "1"}}, table, members]) == {
        "members": ["10.0.0.1", "10.0.0.2", "10.1.0.0/16", "10.2.0.1-10.2.0.9"],
        "own": [],
        "ports": [],
    }


@pytest.mark.parametrize(
    "units,ufw,in_charge",
    [
        ({"firewalld.service": {"active": "active"}}, False, "firewalld"),
        ({"firewalld.service": {"active": "inactive"}}, False, "nftables"),
        # Turned on by hand since the boot: its unit has not heard of it.
        ({"ufw.service": {"active": "inactive"}}, True, "ufw"),
        ({"ufw.service": {"active": "active"}}, False, "nftables"),
    ],
)
def test_who_is_in_charge(monkeypatch: pytest.MonkeyPatch, units: dict[str, dict[str, object]], ufw: bool, in_charge: str) -> None:
    monkeypatch.setattr(firewall.commands, "find", lambda program: f"/usr/sbin/{program}")
    monkeypatch.setattr(firewall, "_ufw_enabled", lambda: ufw)
    monkeypatch.setattr(firewall, "ruleset", lambda: None)
    summary = firewall.summary(units)
    assert (summary["in_charge"], summary["readable"], summary["beam"]) == (in_charge, False, None)


def test_a_host_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firewall.commands, "find", lambda program: None)
    assert firewall.summary({}) == {"nft": False, "readable": False, "drops_by_default": False, "in_charge": "none", "beam": None}

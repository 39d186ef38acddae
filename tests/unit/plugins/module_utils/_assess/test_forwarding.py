# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Member hosts that hide containers behind their own address."""

from __future__ import annotations

from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._host.firewall import masquerades

RULE = {"family": "ip", "table": "nat", "chain": "POSTROUTING", "handle": 1}
SOURCE = {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": {"prefix": {"addr": "172.17.0.0", "len": 16}}}}


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ([SOURCE, {"masquerade": None}], ["ip nat"]),
        ([SOURCE, {"snat": {"addr": "10.0.0.1"}}], ["ip nat"]),
        ([SOURCE, {"counter": {"packets": 0, "bytes": 0}}, {"xt": {"type": "target", "name": "MASQUERADE"}}], ["ip nat"]),
        ([SOURCE, {"xt": None}], ["ip nat"]),
        ([SOURCE, {"xt": {"type": "match", "name": "addrtype"}}, {"accept": None}], []),
        ([SOURCE, {"accept": None}], []),
    ],
)
def test_rules_that_masquerade(expression: list[dict[str, Any]], found: list[str]) -> None:
    assert masquerades([{"table": {"family": "ip", "name": "nat"}}, {"rule": {**RULE, "expr": expression}}]) == found


def advisories(tables: list[str] | None, **plan: Any) -> list[tuple[str, str]]:
    seen = made.hosts()
    seen["n2"]["firewall"]["masquerades"] = tables
    verdict = evaluate(made.evidence(of={**made.plan(), **plan}, seen=seen))
    assert verdict.ok, "an advisory fails only from beam_verify_fail_at on"
    return [(one.host, one.detail) for one in verdict.advisories if one.control == "forwarded_packets"]


def test_a_member_host_with_containers_behind_it_is_an_advisory() -> None:
    assert advisories(["ip nat", "ip netavark"]) == [("n2", "masquerading in ip nat, ip netavark")]
    assert advisories([]) == advisories(None) == []

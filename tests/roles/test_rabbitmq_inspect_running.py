# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands against stopping a RabbitMQ that runs, by what its own tools say of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.template import Templar, trust_as_template

# The filters of this collection.
TASKS = Path(__file__).resolve().parents[2] / "roles" / "product" / "products" / "rabbitmq" / "inspect_running.yml"
NODES = ["rabbit@n1", "rabbit@n2", "rabbit@n3"]
DURABLE = {"durable": True, "exclusive": False}
QUORUM = {**DURABLE, "name": "orders", "type": "quorum", "state": "running", "members": NODES, "online": NODES[::-1]}
CLASSIC = {**DURABLE, "name": "mail", "type": "classic", "state": "running", "members": NODES[:1], "online": ""}
LINK = "0      0               10.0.0.2:25672          {}:40123 "


def trusted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: trusted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [trusted(one) for one in value]
    return trust_as_template(value) if isinstance(value, str) else value


def rules(
    status: dict[str, Any] | None = None,
    queues: list[dict[str, Any]] | None = None,
    links: tuple[str, ...] = ("10.0.0.1", "[::ffff:10.0.0.3]"),
    held: tuple[str, ...] = (),
    code: int = 0,
    node: str = "rabbit@n2",
) -> list[str]:
    """The rules that say no to a whole cluster of three of which something is different."""
    told = {"disk_nodes": NODES, "ram_nodes": [], "running_nodes": NODES, "partitions": {}, "alarms": [], **(status or {})}
    answer = {"item": {"name": "/"}, "stdout": json.dumps([QUORUM, CLASSIC] if queues is None else queues)}
    (task,) = (task for task in yaml.safe_load(TASKS.read_text(encoding="utf-8")) if task["name"].startswith("inspect_running | Store the blockers"))
    variables = {
        "inventory_hostname": "n2",
        "beam_plan": {"addresses": ["10.0.0.1", "10.0.0.2", "10.0.0.3"]},
        "__beam_node": {"node": node, "unit": "rabbitmq-server.service"},
        "__beam_observed": {"addresses": [{"address": "10.0.0.2"}, {"address": "127.0.0.1"}]},
        "__beam_product_blockers": [],
        "__beam_product_existing_data": list(held),
        "__beam_product_members": [{"node": name} for name in NODES],
        "__beam_product_cluster": {"rc": code, "stdout": json.dumps(told) if code == 0 else "", "stderr_lines": ["Error: no"] if code else []},
        "__beam_product_queues": {"results": [answer] if code == 0 else []},
        "__beam_product_links": {"stdout_lines": [LINK.format(peer) for peer in links]} if code == 0 else {"skipped": True},
        **trusted(task["vars"]),
    }
    against = Templar(variables=variables).template(trust_as_template(task["ansible.builtin.set_fact"]["__beam_product_blockers"]))
    return [re.search(r"\((\w+)\): ", reason)[1] for reason in against]


def test_a_whole_cluster_may_be_stopped() -> None:
    assert rules() == []
    # As RabbitMQ 3.10 writes what is empty.
    assert rules({"partitions": []}) == []


ALONE = {"disk_nodes": ["rabbit@n2"], "running_nodes": ["rabbit@n2"]}
BROKEN: dict[str, tuple[dict[str, Any], list[str]]] = {
    "its tools do not reach it": ({"code": 69}, ["not_reached"]),
    "a member is down": ({"status": {"running_nodes": NODES[:2]}}, ["member_down"]),
    "a member that keeps nothing on disk is down": (
        {"status": {"disk_nodes": NODES[:2], "ram_nodes": NODES[2:], "running_nodes": NODES[:2]}},
        ["member_down"],
    ),
    "a member more than planned": ({"status": {"disk_nodes": [*NODES, "rabbit@n4"], "running_nodes": [*NODES, "rabbit@n4"]}}, ["other_nodes"]),
    "a member less": ({"status": {"disk_nodes": NODES[:2], "running_nodes": NODES[:2]}}, ["other_nodes"]),
    "another name": ({"status": {"disk_nodes": ["rabbit@old"], "running_nodes": ["rabbit@old"]}}, ["other_nodes"]),
    "split": ({"status": {"partitions": {"rabbit@n1": ["rabbit@n3"]}}}, ["partitioned"]),
    "an alarm": ({"status": {"alarms": [{"node": "rabbit@n1", "resource": "disk"}]}}, ["alarms"]),
    "a replica is missing": ({"queues": [{**QUORUM, "online": NODES[:2]}]}, ["queue_not_whole"]),
    "no replica answers": ({"queues": [{**QUORUM, "state": "down", "online": ""}]}, ["queue_not_whole"]),
    "a classic queue is down": ({"queues": [{**CLASSIC, "state": "down"}]}, ["queue_not_whole"]),
    "peers on another network": ({"links": ("192.0.2.3",)}, ["other_network"]),
    "alone, holding something, and not the first": ({"status": ALONE, "links": (), "held": ("1 queues",)}, ["holds_data"]),
    "more than one": ({"status": {"running_nodes": NODES[:2]}, "queues": [{**QUORUM, "online": NODES[:2]}]}, ["member_down", "queue_not_whole"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_would_lose_something_says_no(name: str) -> None:
    broken, expected = BROKEN[name]
    assert rules(**broken) == expected


def test_one_that_is_alone_may_join_where_nothing_is_lost() -> None:
    assert rules(ALONE, links=()) == []
    first = {"disk_nodes": ["rabbit@n1"], "running_nodes": ["rabbit@n1"]}
    assert rules(first, links=(), held=("1 queues",), node="rabbit@n1") == []

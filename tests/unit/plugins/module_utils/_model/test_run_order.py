# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order nodes stop, start and restart: no node waits for one that cannot be there."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.run_order import run_order, was_member

KINDS = ("current", "outdated", "stopped", "member", "incompatible")


def state(name: str, kind: str) -> dict[str, Any]:
    """member: stopped, with data. stopped: without, so it may be new."""
    return {"node": {"node": name}, "runs": kind not in ("stopped", "member"), "current": kind == "current"}


def names(order: Mapping[str, Any], step: str) -> list[str]:
    return [found["node"]["node"] for found in order[step]]


def order_of(*kinds: str) -> dict[str, Any]:
    nodes = [f"beam@n{number}" for number in range(len(kinds))]
    return run_order(
        [state(name, kind) for name, kind in zip(nodes, kinds)],
        incompatible=[name for name, kind in zip(nodes, kinds) if kind == "incompatible"],
        data={name: [f"/var/lib/rabbitmq/mnesia/{name}/schema.DAT"] for name, kind in zip(nodes, kinds) if kind == "member"},
    )


def test_a_new_node_starts_after_the_restarts_where_every_member_restarts() -> None:
    order = order_of("outdated", "outdated", "stopped")
    assert (names(order, "start"), names(order, "restart"), names(order, "start_last")) == ([], ["beam@n0", "beam@n1"], ["beam@n2"])


def test_it_starts_first_where_a_member_has_the_new_settings() -> None:
    order = order_of("outdated", "current", "stopped")
    assert (names(order, "start"), names(order, "start_last")) == (["beam@n2"], [])


def test_a_stopped_member_starts_first_because_queues_may_need_it() -> None:
    order = order_of("outdated", "outdated", "member")
    assert (names(order, "start"), names(order, "start_last")) == (["beam@n2"], [])


def test_every_combination_of_three_nodes() -> None:
    for kinds in product(KINDS, repeat=3):
        order = order_of(*kinds)
        started, last, restarted = names(order, "start"), names(order, "start_last"), names(order, "restart")
        # Each node has one place; only incompatible ones stop and start.
        assert sorted(started + last + restarted + names(order, "unchanged")) == ["beam@n0", "beam@n1", "beam@n2"], kinds
        assert names(order, "stop") == [name for name in started if kinds[int(name[-1])] == "incompatible"], kinds
        # A new node that starts first finds a current node, or one that starts with it, or there is nobody to wait for.
        peers = names(order, "unchanged") + names(order, "stop")
        assert not restarted or peers or all(kinds[int(name[-1])] == "member" for name in started), kinds
        assert not last or restarted, kinds


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("/var/lib/rabbitmq/mnesia/rabbit@n3/schema.DAT", True),
        ("/var/lib/rabbitmq/mnesia/rabbit@n3/coordination/rabbit@n3", True),
        ("/var/lib/ejabberd/schema.DAT", True),
        # What RabbitMQ makes before it has found a peer.
        ("/var/lib/rabbitmq/mnesia/rabbit@n3", False),
        ("/var/lib/rabbitmq/mnesia/rabbit@n3/coordination", False),
    ],
)
def test_what_shows_that_a_node_was_a_member(path: str, member: bool) -> None:
    assert was_member([path]) is member
    assert was_member([]) is False

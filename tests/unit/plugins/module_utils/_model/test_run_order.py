# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order nodes stop, start and restart: no node waits for one that cannot be there."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from ansible_collections.beam.cluster.plugins.module_utils._model.run_order import run_order

KINDS = ("current", "outdated", "stopped", "finder", "incompatible")


def state(name: str, kind: str) -> dict[str, Any]:
    """finder: stopped, of a product that finds its peers."""
    data = {"finds_peers": True} if kind == "finder" else {}
    return {"node": {"node": name, "product_data": data}, "runs": kind not in ("stopped", "finder"), "current": kind == "current"}


def names(order: Mapping[str, Any], step: str) -> list[str]:
    return [found["node"]["node"] for found in order[step]]


def order_of(*kinds: str) -> dict[str, Any]:
    nodes = [f"beam@n{number}" for number in range(len(kinds))]
    return run_order(
        [state(name, kind) for name, kind in zip(nodes, kinds)],
        incompatible=[name for name, kind in zip(nodes, kinds) if kind == "incompatible"],
    )


def test_a_new_node_starts_after_the_restarts_where_every_member_restarts() -> None:
    order = order_of("outdated", "outdated", "stopped")
    assert (names(order, "start"), names(order, "restart"), names(order, "start_last")) == ([], ["beam@n0", "beam@n1"], ["beam@n2"])


def test_it_starts_first_where_a_member_has_the_new_settings() -> None:
    order = order_of("outdated", "current", "stopped")
    assert (names(order, "start"), names(order, "start_last")) == (["beam@n2"], [])


def test_a_node_that_finds_its_peers_starts_first_because_queues_may_need_it() -> None:
    order = order_of("outdated", "outdated", "finder")
    assert (names(order, "start"), names(order, "start_last")) == (["beam@n2"], [])


def test_outside_of_the_window_nothing_restarts_and_a_new_node_without_a_peer_waits_too() -> None:
    waiting, new = {**state("beam@n0", "outdated"), "waits": True}, state("beam@n2", "stopped")
    order = run_order([waiting, new])
    assert (names(order, "restart"), names(order, "start"), names(order, "start_last")) == ([], [], [])
    assert names(order, "waiting") == ["beam@n0", "beam@n2"]
    order = run_order([waiting, state("beam@n1", "current"), new])
    assert (names(order, "start"), names(order, "waiting")) == (["beam@n2"], ["beam@n0"])
    order = run_order([waiting], incompatible=["beam@n0"])
    assert (names(order, "stop"), names(order, "waiting")) == ([], ["beam@n0"])


def test_every_combination_of_three_nodes() -> None:
    for kinds in product(KINDS, repeat=3):
        order = order_of(*kinds)
        started, last, restarted = names(order, "start"), names(order, "start_last"), names(order, "restart")
        # Each node has one place; only incompatible ones stop and start.
        assert sorted(started + last + restarted + names(order, "unchanged")) == ["beam@n0", "beam@n1", "beam@n2"], kinds
        assert names(order, "stop") == [name for name in started if kinds[int(name[-1])] == "incompatible"], kinds
        # A new node that starts first finds a current node, or one that starts with it, or there is nobody to wait for.
        peers = names(order, "unchanged") + names(order, "stop")
        assert not restarted or peers or all(kinds[int(name[-1])] == "finder" for name in started), kinds
        assert not last or restarted, kinds

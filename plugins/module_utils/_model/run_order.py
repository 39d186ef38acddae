# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order the nodes of a run stop, start and restart. Pure.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from .product_data import ProductData

State = Mapping[str, Any]


def run_order(states: Sequence[State], incompatible: Collection[str] = ()) -> dict[str, list[State]]:
    """The states (see running.states) of all nodes of a run, by what happens to them, in this order.

    stop: nodes with another proto_dist, which cannot take part in a rolling restart; they stop together. start: nodes that start then. restart:
    outdated nodes, one after the other. start_last: nodes that start after them. unchanged: nodes that run and are current. waiting: outdated nodes
    that may not restart now, and new nodes that need one of them.

    A node that starts is joined to a member with the settings of this run. Where every node that runs has to be restarted there is none, so it
    starts after them. Not where the product finds its peers by itself (`finds_peers`): such a node starts first, because queues may need it for
    their majority while the others restart.

    incompatible: names of nodes that run with another proto_dist.
    """
    waiting = [state for state in states if state["runs"] and state.get("waits")]
    outdated = [state for state in states if state["runs"] and not state["current"] and state not in waiting]
    stop = [state for state in outdated if state["node"]["node"] in incompatible]
    restart = [state for state in outdated if state["node"]["node"] not in incompatible]
    unchanged = [state for state in states if state["runs"] and state["current"]]
    idle = [state for state in states if not state["runs"]]
    peerless = bool(restart or waiting) and not unchanged and not stop
    last = [state for state in idle if peerless and not ProductData.parse(state["node"].get("product_data") or {}).finds_peers]
    return {
        "stop": stop,
        "start": [state for state in idle if state not in last] + stop,
        "restart": restart,
        "start_last": [] if waiting else last,
        "unchanged": unchanged,
        "waiting": waiting + (last if waiting else []),
    }

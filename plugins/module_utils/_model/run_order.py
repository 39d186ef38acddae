# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order the nodes of a run stop, start and restart. Pure.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

State = Mapping[str, Any]

# The schema of Mnesia, and the directory of Ra, which has that of Khepri. RabbitMQ makes other files and directories before it has joined.
_DATA = re.compile(r".*/(?:schema\.DAT|coordination/[^/]+@[^/]+)")


def was_member(paths: Iterable[str]) -> bool:
    """Whether files of a node show that it was started as a member before. A start that waited for its peers in vain does not count."""
    return any(_DATA.fullmatch(path) for path in paths)


def run_order(
    states: Sequence[State], incompatible: Collection[str] = (), data: Mapping[str, Iterable[str]] | None = None
) -> dict[str, list[State]]:
    """The states (see running.states) of all nodes of a run, by what happens to them, in this order.

    stop: nodes with another proto_dist, which cannot take part in a rolling restart; they stop together. start: nodes that start then. restart:
    outdated nodes, one after the other. start_last: nodes that start after them. unchanged: nodes that run and are current.

    A node that starts needs a member with the new settings to join: where every node that runs has to be restarted, a new node starts after them.
    A stopped node that was a member before starts first all the same: a queue may need it for its majority while the others restart.

    incompatible: names of nodes that run with another proto_dist. data: paths of files of stopped nodes, see was_member.
    """
    members = {node for node, paths in (data or {}).items() if was_member(paths)}
    outdated = [state for state in states if state["runs"] and not state["current"]]
    stop = [state for state in outdated if state["node"]["node"] in incompatible]
    restart = [state for state in outdated if state["node"]["node"] not in incompatible]
    unchanged = [state for state in states if state["runs"] and state["current"]]
    idle = [state for state in states if not state["runs"]]
    peerless = bool(restart) and not unchanged and not stop
    last = [state for state in idle if peerless and state["node"]["node"] not in members]
    return {
        "stop": stop,
        "start": [state for state in idle if state not in last] + stop,
        "restart": restart,
        "start_last": last,
        "unchanged": unchanged,
    }

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of a node that runs already, or whose database lies on the host, against its name in the plan.

Private to this collection. A fact that is unknown breaks no rule.
"""

from __future__ import annotations

from .._model.host_facts import Database
from .._model.observation import Observation
from .._model.problems import Problems, join_names
from .cluster import Node
from .sandbox_rules import is_hardened


def check_name(node: Node, seen: Observation, problems: Problems) -> None:
    """A node that no run has hardened yet keeps its name: what is stored under it (Mnesia, queues) belongs to that name alone.

    A renamed node does not start with its data, or starts empty beside it.
    """
    running, database = _running_name(node, seen), _foreign_database(node, seen)
    if running:
        moved = f" and move {database.path} away" if database else ""
        problems.add(
            node.host,
            "beam_node_name",
            "node_name_differs",
            f"{running} runs in {node.runtime.unit}, but the node is planned as {node.node}: it would lose what is stored under its name.",
            f"set beam_node_name to {running}; if nothing is stored, run systemctl stop {node.runtime.unit}{moved}, and run again.",
        )
    elif database:
        problems.add(
            node.host,
            "beam_node_name",
            "data_of_another_name",
            f"the database {database.path} belongs to {join_names(database.names)}, not to {node.node}; {node.runtime.product} "
            f"{'would start empty' if database.unit else 'does not start with it'}.",
            "set beam_node_name to the name of the database, rename the data with the product's own tool, or move a database without users away.",
        )


def _databases(node: Node, seen: Observation) -> set[str]:
    """Where the product's database is: its own place, or those of the operator's settings."""
    data = node.runtime.data
    moves = {name for name, what in data.file_settings.items() if what == "database"}
    moved = {one.value for one in seen.settings or () if one.unit == node.runtime.unit and one.name in moves and one.value}
    return {data.database, *(f"{path.rstrip('/')}/{data.database.rpartition('/')[2]}" for path in moved)}


def _foreign_database(node: Node, seen: Observation) -> Database | None:
    """Data of other names only. What a hardened node has left of an earlier name in Mnesia's own directories does not count."""
    hardened = is_hardened(node, seen)
    for one in seen.databases or ():
        own = one.path in _databases(node, seen) or (one.unit == node.runtime.unit and not hardened)
        if own and one.names and str(node.node) not in one.names:
            return one
    return None


def _running_name(node: Node, seen: Observation) -> str:
    """The name of the node in the unit where it is not the planned one, as its host completes it. Empty for a node that a run has started."""
    for process in seen.processes or ():
        name, flags = process.flags.name, process.flags
        if not process.is_vm or process.unit != node.runtime.unit or process.digest or flags.hidden or not flags.listens or not name:
            continue
        if "@" not in name and not flags.long_names and seen.hostname:
            name = f"{name}@{seen.hostname.partition('.')[0]}"
        if name != str(node.node) and name != node.node.name:
            return name
    return ""

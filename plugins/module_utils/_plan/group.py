# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The group of the cluster, its hosts, and which of them leave.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .._model.problems import Problems, join_names, shown
from .cluster import Inventory
from .cluster_variables import STATES, read_choice
from .variable_names import MISSING

# It becomes a directory on the controller and a report's name.
_GROUP_NAME = re.compile(r"(?!\.{1,2}$)[^/\x00-\x1f\x7f]{1,200}")


def lists_members(inventory: Inventory) -> bool:
    """Whether `beam_members` takes the place of a group."""
    return any(inventory.value("beam_members", host) is not MISSING for host in inventory.run)


def read_group(inventory: Inventory, problems: Problems) -> tuple[str, tuple[str, ...]]:
    """The group's name and its hosts; no hosts where `beam_members` lists them. No host of the run may be in another cluster's group."""
    wanted: dict[str, list[str]] = {}
    for host in inventory.run:
        value = inventory.value("beam_group", host)
        if not isinstance(value, str) or not _GROUP_NAME.fullmatch(value):
            problems.add(host, "beam_group", "type", f"{shown(value)} is not a group's name.", "write the name of an inventory group.")
        elif _is_meant(inventory, value, host):
            wanted.setdefault(value, []).append(host)
    names = sorted(wanted) or [str(inventory.defaults["beam_group"])]
    group = names[0]
    if lists_members(inventory):
        return group, ()
    fix = "put the members into it, or name their group in beam_group."
    if len(names) > 1:
        problems.add(
            "",
            "beam_group",
            "one_cluster",
            f"the hosts of this play belong to {len(names)} clusters: {join_names(names)}.",
            "run one play for each cluster.",
        )
    if group not in inventory.groups:
        problems.add("", "beam_group", "group_missing", f"the inventory has no group {group}.", fix)
        return group, ()
    hosts = tuple(inventory.groups[group])
    if not hosts:
        problems.add("", "beam_group", "group_empty", f"the group {group} has no host.", fix)
    return group, hosts


def _is_meant(inventory: Inventory, group: str, host: str) -> bool:
    """The default group means nothing to a host that is in another one."""
    own: Mapping[str, object] = inventory.values.get("beam_group", {})
    return own.get(host, MISSING) is not MISSING or host in inventory.group_sets.get(group, ())


@dataclass(frozen=True)
class Hosts:
    """The hosts that the plan is about: `present` are those of members, `absent` those whose beam_state is absent."""

    present: tuple[str, ...]
    absent: tuple[str, ...]

    @classmethod
    def read(cls, inventory: Inventory, hosts: tuple[str, ...], problems: Problems) -> Hosts:
        states = {host: read_choice("beam_state", inventory.value("beam_state", host), STATES, host, problems) for host in hosts}
        return cls(
            tuple(host for host in hosts if states[host] != "absent"),
            tuple(host for host in hosts if states[host] == "absent"),
        )

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `beam.cluster.cookie_nodes`: nodes of a plan as the module cookie takes them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: cookie_nodes
short_description: Turn nodes of a plan into the nodes of the module cookie
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - The nodes of a host, as C(beam_plan) has them, become the option O(beam.cluster.cookie#module:nodes).
  - A running node with another transport than the plan's accepts no connection, so its cookie is not changed while it runs.
    The role P(beam.cluster.service#role) stops and starts it.
options:
  _input:
    description: Nodes of C(beam_plan.hosts).
    type: list
    elements: dict
    required: true
  plan:
    description: C(beam_plan).
    type: dict
    required: true
  retired:
    description: Path of the file for the replaced cookie, with C({node}) for the name of the node.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Set the new cookie of all nodes of the host
  beam.cluster.cookie:
    nodes: "{{ beam_plan.hosts[inventory_hostname].nodes | beam.cluster.cookie_nodes(plan=beam_plan, retired='/run/retired-{node}') }}"
    cookie: "{{ beam_cookie }}"
"""

RETURN = r"""
_value:
  description: Nodes of the module M(beam.cluster.cookie).
  type: list
  elements: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any


def cookie_nodes(nodes: Iterable[Mapping[str, Any]], plan: Mapping[str, Any], retired: str) -> list[dict[str, Any]]:
    """See `DOCUMENTATION`."""
    return [
        {
            "node": node["node"],
            "host": node["address"],
            "port": node["port"],
            "unit": node["unit"],
            "cookie_file": f"{node['home']}/.erlang.cookie",
            "owner": node["user"],
            "group": node["group"],
            "live": node["node"] not in plan["incompatible_nodes"],
            "retired_file": retired.replace("{node}", node["node"]),
            "name": f"{plan['probe_name']}@{node['host_part']}",
            "tls": node["tls"],
            "source": node["address"],
        }
        for node in nodes
    ]


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, Any]:
        return {"cookie_nodes": cookie_nodes}

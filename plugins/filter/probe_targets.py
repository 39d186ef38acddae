# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `beam.cluster.probe_targets`: members of a plan as the targets of a module."""

from __future__ import annotations

DOCUMENTATION = r"""
name: probe_targets
short_description: Turn members of a plan into targets of a module
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - The modules M(beam.cluster.dist_probe), M(beam.cluster.mesh_info) and M(beam.cluster.node_call) connect to such targets.
options:
  _input:
    description:
      - The members, as in C(beam_plan.members), or nodes, as in C(beam_plan.hosts[host].nodes).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Read nodes() of every node
  beam.cluster.mesh_info:
    targets: "{{ beam_plan.members | beam.cluster.probe_targets }}"
    name: probe@n1
    cookie_file: /var/lib/beam/.erlang.cookie
"""

RETURN = r"""
_value:
  description: One entry per member, with C(node), C(host) (its address) and C(port) (null if EPMD knows the port).
  type: list
  elements: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any


def probe_targets(members: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """See `DOCUMENTATION`."""
    return [{"node": member["node"], "host": member["address"], "port": member["port"]} for member in members]


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, Any]:
        return {"probe_targets": probe_targets}

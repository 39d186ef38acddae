# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `beam.cluster.rabbitmq_join_target`: which node a node of RabbitMQ joins."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rabbitmq_join_target
short_description: Choose the node that a RabbitMQ node joins
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - A node that is alone joins the cluster that its peers form. If each is alone, all join the first by name, and that one joins nobody.
  - The role P(beam.cluster.product#role) uses this for nodes that were started before they were told of their peers.
options:
  _input:
    description:
      - The parsed outputs of C(rabbitmqctl --formatter=json cluster_status) of the peers that answered.
    type: list
    elements: dict
    required: true
  node:
    description: The node that is alone.
    type: str
    required: true
  peers:
    description: The nodes that it shall be in a cluster with.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Choose the node to join
  ansible.builtin.debug:
    msg: "{{ __statuses | beam.cluster.rabbitmq_join_target(node='rabbit@n1', peers=['rabbit@n2', 'rabbit@n3']) }}"
"""

RETURN = r"""
_value:
  description: The name of a node. The node's own name, if the others join it.
  type: str
"""

from collections.abc import Iterable, Mapping
from typing import Any


def rabbitmq_join_target(statuses: Iterable[Mapping[str, Any]], node: str, peers: Iterable[str]) -> str:
    """See `DOCUMENTATION`."""
    clusters = (set(status["disk_nodes"]) for status in statuses)
    clustered = {name for cluster in clusters if len(cluster) > 1 for name in cluster} - {node}
    return min(clustered & set(peers) or {node, *peers})


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, Any]:
        return {"rabbitmq_join_target": rabbitmq_join_target}

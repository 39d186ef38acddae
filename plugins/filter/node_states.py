# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs of a host's nodes, and why it has to be restarted."""

from __future__ import annotations

DOCUMENTATION = r"""
name: node_states
short_description: Report for each node of a host whether it runs and why it needs a restart
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Compares the processes that M(beam.cluster.observe) has found with the files of each node.
positional: host
options:
  _input:
    description:
      - The nodes of one host, as in C(beam_plan.hosts[host].nodes).
    type: list
    elements: dict
    required: true
  host:
    description:
      - Name of the host.
    type: str
    required: true
  observed:
    description:
      - The result of M(beam.cluster.observe) on this host, with the units of the nodes in its option C(units).
    type: dict
    required: true
  digests:
    description:
      - Digest of the files of each node, by the name of the node.
    type: dict
    required: true
  cookies:
    description:
      - The result of M(beam.cluster.cookie) for each node, by the name of the node.
    type: dict
    default: {}
  requested:
    description:
      - V(all), or the names of the nodes that restart although they are current.
    type: raw
    default: []
  left:
    description:
      - By node the names that it still lets connect by name and that are no members'.
    type: dict
    default: {}
  postponed:
    description:
      - Whether O(left) is a reason to restart now.
    type: bool
    default: false
  upgrades:
    description:
      - The packages that are upgraded in this run. Each node of the host restarts with them.
    type: list
    elements: str
    default: []
  restart_from:
    description:
      - When nodes may restart, C(beam_plan.restart_from). Empty means now.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show why nodes need a restart
  ansible.builtin.debug:
    msg: "{{ beam_plan.hosts[inventory_hostname].nodes | beam.cluster.node_states(inventory_hostname, observed=seen, digests=digests) }}"
"""

RETURN = r"""
_value:
  description: One entry per node, with C(host), C(node), C(missing), C(runs), C(current), C(waits), C(reasons) and C(postponed).
  type: list
  elements: dict
"""

from typing import Any

from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.restart_reasons import states


def node_states(
    nodes: list[dict[str, Any]], host: str, observed: dict[str, Any], digests: dict[str, str], cookies: dict[str, Any] | None = None,
    requested: object = (), left: dict[str, list[str]] | None = None, postponed: bool = False, upgrades: list[str] | None = None,
    restart_from: str = "",
) -> list[dict[str, Any]]:
    """The state of each node."""
    return states(Observation.parse(host, observed), nodes, digests, cookies or {}, requested, left, postponed, upgrades or (), restart_from)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, object]:
        return {"node_states": node_states}

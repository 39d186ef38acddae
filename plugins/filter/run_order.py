# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order the nodes of a run stop, start and restart."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run_order
short_description: Decide in which order the nodes of a run stop, start and restart
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - A new node starts when a member runs with the settings of this run. If every running node has to be restarted, new nodes start after them.
  - A node of a product that finds its peers by itself starts first, because the product may need it while the others restart.
options:
  _input:
    description:
      - The states of all nodes of the run, as P(beam.cluster.node_states#filter) returns them.
    type: list
    elements: dict
    required: true
  incompatible:
    description:
      - Names of the nodes that run with another C(proto_dist). They stop together and start together.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show which nodes start after the rolling restart
  ansible.builtin.debug:
    msg: "{{ (states | beam.cluster.run_order).start_last | map(attribute='node.node') }}"
"""

RETURN = r"""
_value:
  description: The states in the lists C(stop), C(start), C(restart), C(start_last), C(unchanged) and C(waiting).
  type: dict
"""

from ansible_collections.beam.cluster.plugins.module_utils._model.run_order import run_order


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, object]:
        return {"run_order": run_order}

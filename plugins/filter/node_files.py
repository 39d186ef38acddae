# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `beam.cluster.node_files`: the files of each node of a plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: node_files
short_description: List the files of each node of a host
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - The role P(beam.cluster.verify#role) asks M(beam.cluster.observe) for these files by their names, so that a missing one is reported.
options:
  _input:
    description:
      - The nodes of one host, as in C(beam_plan.hosts[host].nodes).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Observe the files of this host's nodes
  beam.cluster.observe:
    files: "{{ beam_plan.hosts[inventory_hostname].nodes | beam.cluster.node_files | map(attribute='files') | flatten }}"
"""

RETURN = r"""
_value:
  description:
    - One entry per node, with C(node) (the entry of the plan), C(files) (the paths of its configuration, cookie, key and certificates, and of
      those that must not exist) and C(needed) (those of them that a connection as this node needs).
  type: list
  elements: dict
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.beam.cluster.plugins.module_utils._model.installed import COOKIE_FILES, START_FILES

# In the directory of a node.
_CONFIGURATION = ("vm.args", "inetrc", "allow.conf", "ssl_dist.conf", "tool.args", "unit.env")


def _files(node: Mapping[str, Any]) -> dict[str, Any]:
    tls = node["tls"]
    cookie = f"{node['home']}/{COOKIE_FILES[0]}"
    pair = [tls["key"], tls["certificate"]] if tls else []
    return {
        "node": node,
        "files": [
            *(f"{node['directory']}/{name}" for name in _CONFIGURATION),
            *node["product_data"].get("contents", {}),
            cookie,
            *(f"{node['home']}/{name}" for name in START_FILES),
            # A key of an earlier run has no place on a node without TLS.
            *([*pair, tls["ca"]] if tls else [f"{node['directory']}/tls/key.pem"]),
        ],
        "needed": [cookie, *pair],
    }


def node_files(nodes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """See `DOCUMENTATION`."""
    return [_files(node) for node in nodes]


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, Any]:
        return {"node_files": node_files}

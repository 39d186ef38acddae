# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `beam.cluster.rabbitmq_existing_data`: what a node of RabbitMQ holds beyond the defaults."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rabbitmq_existing_data
short_description: List what a RabbitMQ node would lose if it joined another one
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - A node that joins a cluster loses its own data. The role P(beam.cluster.product#role) uses this before it joins a node that already runs.
options:
  _input:
    description:
      - The parsed output of C(rabbitmqctl export_definitions -).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: List the existing data
  ansible.builtin.debug:
    msg: "{{ __exported.stdout | from_json | beam.cluster.rabbitmq_existing_data }}"
"""

RETURN = r"""
_value:
  description: Texts such as C(2 queues) and C(users shop). Empty for a new node.
  type: list
  elements: str
"""

from collections.abc import Mapping
from typing import Any

COUNTED = ("queues", "exchanges", "bindings", "policies", "parameters", "topic_permissions")
# A new node has these.
DEFAULTS = {"users": "guest", "vhosts": "/"}


def rabbitmq_existing_data(definitions: Mapping[str, Any]) -> list[str]:
    """See `DOCUMENTATION`."""
    counted = [f"{len(definitions[kind])} {kind}" for kind in COUNTED if definitions.get(kind)]
    named = [f"{kind} {entry['name']}" for kind, default in DEFAULTS.items() for entry in definitions.get(kind) or () if entry["name"] != default]
    return counted + named


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, Any]:
        return {"rabbitmq_existing_data": rabbitmq_existing_data}

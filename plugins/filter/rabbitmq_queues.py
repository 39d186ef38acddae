# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `beam.cluster.rabbitmq_queues`: what queues lose when a node restarts or leaves."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rabbitmq_queues
short_description: List RabbitMQ queues that cannot lose a node
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Checks the queues of a cluster before one of its nodes stops. The role P(beam.cluster.product#role) uses it before a restart and before it
    removes a node.
positional: _input
options:
  _input:
    description:
      - The registered results of C(rabbitmqctl list_queues --formatter=json) with the columns C(name), C(type), C(durable), C(exclusive),
        C(members) and C(online), one for each virtual host, from a loop over dictionaries with the virtual host's C(name).
    type: list
    elements: dict
    required: true
  node:
    description: The node that will stop.
    type: str
    required: true
  what:
    description: >-
      V(restart) if the node comes back, V(leave) if it is removed from the cluster, V(stop) if all nodes stop together. V(stop) also needs
      the column C(state).
    type: str
    choices: [restart, leave, stop]
    required: true
  running:
    description: The nodes on which RabbitMQ runs. A restart can wait for a replica on one of them.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: List the queues that a restart of this node would stop
  ansible.builtin.debug:
    msg: "{{ (__queues.results | beam.cluster.rabbitmq_queues(node='rabbit@n1', what='restart', running=['rabbit@n1'])).blockers }}"
"""

RETURN = r"""
_value:
  description:
    - C(blockers) are the reasons against it, as text with the fix. C(waits) is true if all of them end when replicas have caught up. C(quorum)
      is true if a quorum queue has a replica on the node. C(streams) are the streams with a replica on it, each with C(vhost) and C(name).
  type: dict
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.beam.cluster.plugins.module_utils._model import queue_replicas


def rabbitmq_queues(results: Sequence[Mapping[str, Any]], *, node: str, what: str, running: Sequence[str] = ()) -> dict[str, Any]:
    """See `DOCUMENTATION`."""
    try:
        queues = queue_replicas.read({"vhost": result["item"]["name"], "queues": json.loads(result["stdout"] or "[]")} for result in results)
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"rabbitmq_queues: the input is not what list_queues says: {error!r}") from error
    if what == "restart":
        decision = queue_replicas.restart(queues, node, running)
    elif what == "leave":
        decision = queue_replicas.leave(queues, node)
    elif what == "stop":
        decision = queue_replicas.stop(queues)
    else:
        raise AnsibleFilterError(f"rabbitmq_queues: what is restart, leave or stop, not {what!r}")
    return {
        "blockers": list(decision.blockers),
        "waits": decision.waits,
        "quorum": any(queue.kind == "quorum" for queue in decision.queues),
        "streams": [{"vhost": queue.vhost, "name": queue.name} for queue in decision.queues if queue.kind == "stream"],
    }


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, Any]:
        return {"rabbitmq_queues": rabbitmq_queues}

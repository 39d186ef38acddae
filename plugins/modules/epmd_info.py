#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: epmd_info
short_description: List the nodes that are registered with EPMD
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Queries the Erlang Port Mapper Daemon of one or more hosts for its registered nodes and their ports.
  - EPMD answers everybody who can connect to it. So the module also shows from where EPMD can be reached.
  - An EPMD that does not answer does not fail the module. Check RV(targets[].code).
options:
  host:
    description:
      - Host name or IP address to query.
      - One of O(host) and O(hosts) is required.
    type: str
  hosts:
    description:
      - Host names or IP addresses to query, in parallel.
    type: list
    elements: str
  port:
    description:
      - Port of EPMD.
    type: int
    default: 4369
  source:
    description:
      - IP address of this host to connect from.
    type: str
  user:
    description:
      - User of this host to connect as, for firewalls that filter by user. Needs root.
    type: str
    version_added: 0.2.0
  timeout:
    description:
      - Seconds per host, from the first packet to the end of the answer.
    type: float
    default: 10.0
  concurrency:
    description:
      - Number of hosts to query in parallel.
    type: int
    default: 32
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
seealso:
  - module: beam.cluster.dist_probe
"""

EXAMPLES = r"""
- name: List the nodes on this host
  beam.cluster.epmd_info:
    host: 127.0.0.1
  register: __epmd

- name: Show their names and ports
  ansible.builtin.debug:
    var: __epmd.nodes

- name: Ask the EPMD of several hosts from here
  beam.cluster.epmd_info:
    hosts:
      - 10.0.0.11
      - 10.0.0.12
    timeout: 3
  register: __epmd

- name: Check that none of them answers
  ansible.builtin.assert:
    that: __epmd.targets | rejectattr('category', 'equalto', 'blocked') | length == 0
"""

RETURN = r"""
targets:
  description: One answer per host, in the order of the hosts.
  returned: always
  type: list
  elements: dict
  contains:
    host:
      description: The host as it was given.
      type: str
      sample: 10.0.0.11
    port:
      description: The port of the request.
      type: int
      sample: 4369
    address:
      description: The address that answered.
      type: str
      sample: 10.0.0.11
    code:
      description: V(connected) if EPMD answered, otherwise the reason.
      type: str
      sample: connected
    category:
      description: Category of the code, V(connected), V(refused_by_peer), V(blocked), V(refused_by_us), V(unclear) or V(broken).
      type: str
      sample: connected
    stage:
      description: The stage reached, V(resolve) or V(epmd).
      type: str
      sample: epmd
    message:
      description: The code as a sentence; empty if EPMD answered.
      type: str
      sample: ""
    nodes:
      description: The registered nodes, ordered by name.
      type: list
      elements: dict
      contains:
        name:
          description: The part of the node's name before the @.
          type: str
          sample: rabbit
        port:
          description: The port that the node listens on.
          type: int
          sample: 25672
    reported_port:
      description: The port that EPMD reports as its own. It differs from O(port) behind a forwarded port.
      type: int
      sample: 4369
    milliseconds:
      description: Duration in milliseconds.
      type: float
      sample: 1.2
nodes:
  description: The nodes of the single host.
  returned: when O(host) was given
  type: list
  elements: dict
  sample:
    - name: rabbit
      port: 25672
code:
  description: The code of the single host.
  returned: when O(host) was given
  type: str
  sample: connected
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import OptionError, check_range
from ansible_collections.beam.cluster.plugins.module_utils._net.other_user import acting_as
from ansible_collections.beam.cluster.plugins.module_utils._net.runner import names_all
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT


def main() -> None:
    """Ask, and answer with what was said."""
    module = AnsibleModule(
        argument_spec={
            "host": {"type": "str"},
            "hosts": {"type": "list", "elements": "str"},
            "port": {"type": "int", "default": EPMD_PORT},
            "source": {"type": "str"},
            "user": {"type": "str"},
            "timeout": {"type": "float", "default": 10.0},
            "concurrency": {"type": "int", "default": 32},
        },
        mutually_exclusive=[("host", "hosts")],
        required_one_of=[("host", "hosts")],
        supports_check_mode=True,
    )
    params = module.params
    try:
        check_range({"timeout": params["timeout"], "concurrency": params["concurrency"], "port": params["port"]})
        one = params["host"] is not None
        hosts = [params["host"]] if one else params["hosts"]
        with acting_as(params["user"]):
            targets = names_all(
                [(host, params["port"]) for host in hosts], source=params["source"], timeout=params["timeout"], concurrency=params["concurrency"],
            )
    except OptionError as error:
        module.fail_json(msg=str(error))
    result = {"changed": False, "targets": targets}
    if one:
        result.update(nodes=targets[0]["nodes"], code=targets[0]["code"])
    module.exit_json(**result)


if __name__ == "__main__":
    main()

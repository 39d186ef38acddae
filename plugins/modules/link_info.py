#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: link_info
short_description: Tell the established distribution links of a host, and whether they are TLS
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Lists the TCP connections that the BEAM processes of a Linux host hold from or to distribution ports, with their peers,
    from C(/proc). No tool is needed.
  - Watches them until each has shown whether it carries TLS records or the protocol in the clear. An idle link shows that at its next tick,
    which comes every quarter of C(net_ticktime), 15 seconds by default.
  - Links are older than settings. This finds the connection in the clear that was there before TLS was, which no configuration file shows.
  - Nothing is sent and nothing of what goes over the links is kept or returned. A filter in the kernel lets nothing but TCP of the links' ports
    through to the module.
options:
  ports:
    description:
      - The distribution ports of this host and of its peers, as ports or port ranges such as V(9100-9109).
      - Left out, the ports that are registered with the EPMD of this host. Then links that this host opened to other ports are not found.
    type: list
    elements: str
  members:
    description:
      - The members of the cluster. A link to any other address leads to a non-member.
    type: list
    elements: dict
    default: []
    suboptions:
      node:
        description: Full name of the node.
        type: str
        required: true
      address:
        description: IP address of the node.
        type: str
        required: true
  epmd_port:
    description:
      - Port of EPMD on this host, asked where O(ports) is not given.
    type: int
    default: 4369
  watch:
    description:
      - Seconds to watch the links for. V(0) only lists them. To watch takes root, or the capability to open packet sockets.
    type: float
    default: 20.0
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
notes:
  - Sees what it may see. Without root those are the links of processes of the same user.
seealso:
  - module: beam.cluster.dist_probe
"""

EXAMPLES = r"""
- name: Which links does this host have?
  beam.cluster.link_info:
    ports: ["9100-9109"]
    members:
      - node: beam@n1
        address: 10.0.0.11
      - node: beam@n2
        address: 10.0.0.12
  become: true
  register: __links

- name: Demand that all are TLS, and none leads to a non-member
  ansible.builtin.assert:
    that:
      - __links.clear | length == 0
      - __links.non_members | length == 0
"""

RETURN = r"""
links:
  description: The links, ordered by local port and peer.
  returned: always
  type: list
  elements: dict
  contains:
    node:
      description: The name of the node on this host, as its command line has it; null where that has none.
      type: str
      sample: beam@n1
    pid:
      description: Its process.
      type: int
      sample: 4711
    direction:
      description: V(in) where the local port is a distribution port, else V(out).
      type: str
      sample: in
    local_address:
      description: The address on this host.
      type: str
      sample: 10.0.0.11
    local_port:
      description: The port on this host.
      type: int
      sample: 9100
    remote_address:
      description: The address of the peer.
      type: str
      sample: 10.0.0.12
    remote_port:
      description: The port of the peer.
      type: int
      sample: 41234
    member:
      description: The member at the peer's address, null where there is none. Where several share it, the last one given.
      type: str
      sample: beam@n2
    non_member:
      description: Whether the peer's address is no member's.
      type: bool
      sample: false
    wire:
      description: >-
        V(tls) or V(clear) where a segment of nothing but whole records or frames was seen, V(unclear) where what was seen could be either,
        V(silent) where nothing was seen in time, or V(unwatched).
      type: str
      sample: tls
clear:
  description: Those links that are in the clear.
  returned: always
  type: list
  elements: dict
  sample: []
non_members:
  description: Those links whose peer is no member.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host.links import links, members_by_address, parse_ports, watch
from ansible_collections.beam.cluster.plugins.module_utils._net.options import OptionError, check_range
from ansible_collections.beam.cluster.plugins.module_utils._net.runner import names_all
from ansible_collections.beam.cluster.plugins.module_utils._wire.constants import EPMD_PORT
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import WireError


def main() -> None:
    """List, watch, and answer."""
    module = AnsibleModule(
        argument_spec={
            "ports": {"type": "list", "elements": "str"},
            "members": {
                "type": "list", "elements": "dict", "default": [],
                "options": {"node": {"type": "str", "required": True}, "address": {"type": "str", "required": True}},
            },
            "epmd_port": {"type": "int", "default": EPMD_PORT},
            "watch": {"type": "float", "default": 20.0},
        },
        supports_check_mode=True,
    )
    params = module.params
    try:
        check_range({"epmd_port": params["epmd_port"]})
        if not 0 <= params["watch"] <= 600:
            raise OptionError(f"watch: {params['watch']} is not between 0 and 600 seconds. Choose a value in that range.")
        members = _members(params["members"])
        ports = parse_ports(params["ports"]) if params["ports"] is not None else _registered(params["epmd_port"])
        found = links(ports, members)
        if params["watch"]:
            watch(found, params["watch"])
    except ValueError as error:
        module.fail_json(msg=f"ports: {error}")
    except (OptionError, WireError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        links=found,
        clear=[link for link in found if link["wire"] == "clear"],
        non_members=[link for link in found if link["non_member"]],
    )


def _members(given: list[dict[str, str]]) -> dict[str, str]:
    """The members by address. Raises OptionError."""
    try:
        return members_by_address((member["node"], member["address"]) for member in given)
    except ValueError as error:
        raise OptionError(f"members: {error}") from None


def _registered(epmd_port: int) -> set[int]:
    """The ports that EPMD knows on this host."""
    (answer,) = names_all([("127.0.0.1", epmd_port)], source=None, timeout=5.0, concurrency=1)
    if answer["code"] != "connected":
        raise OptionError(f"ports: no ports are given, and EPMD on port {epmd_port} did not answer: {answer['message']}. Start EPMD, or set ports.")
    return {node["port"] for node in answer["nodes"]}


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: link_info
short_description: List the distribution links of a host, and whether they use TLS
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Lists the TCP connections of the BEAM processes of a Linux host from or to distribution ports, with their peers, from C(/proc). It needs no
    tool.
  - Watches each link until its packets show TLS records or clear text. An idle link shows this at its next tick, every quarter of
    C(net_ticktime), by default every 15 seconds.
  - It finds a clear text link that was established before TLS was configured. No configuration file shows such a link.
  - It sends nothing, and does not keep or return any data of the links. A kernel filter passes only TCP packets of the links' ports to the
    module.
options:
  ports:
    description:
      - The distribution ports of this host and its peers, as ports or port ranges, for example V(9100-9109).
      - By default the ports that are registered with EPMD on this host. Links that this host opened to other ports are then not found.
    type: list
    elements: str
  members:
    description:
      - The members of the cluster. A link to any other address is a link to a non-member.
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
      - Port of EPMD on this host, which is queried if O(ports) is not set.
    type: int
    default: 4369
  watch:
    description:
      - Seconds to watch the links. V(0) only lists them. Watching needs root, or the capability to open packet sockets.
    type: float
    default: 20.0
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
notes:
  - Without root it only sees links of processes of the same user.
seealso:
  - module: beam.cluster.dist_probe
"""

EXAMPLES = r"""
- name: List the links of this host
  beam.cluster.link_info:
    ports: ["9100-9109"]
    members:
      - node: beam@n1
        address: 10.0.0.11
      - node: beam@n2
        address: 10.0.0.12
  become: true
  register: __links

- name: Check that all links use TLS and connect members only
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
      description: Node name on this host, from the command line; null if it has none.
      type: str
      sample: beam@n1
    pid:
      description: Process ID of the node.
      type: int
      sample: 4711
    direction:
      description: V(in) if the local port is a distribution port, otherwise V(out).
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
      description: The member at the peer's address, null if there is none. If several members share the address, the last one in O(members).
      type: str
      sample: beam@n2
    non_member:
      description: Whether the peer is a non-member.
      type: bool
      sample: false
    wire:
      description: >-
        V(tls) or V(clear) if a packet contained only whole records or frames, V(unclear) if the packets could be either, V(silent) if no packet
        was seen in time, or V(unwatched).
      type: str
      sample: tls
clear:
  description: The links that use clear text.
  returned: always
  type: list
  elements: dict
  sample: []
non_members:
  description: The links to non-members.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host.links import links, members_by_address, parse_ports, watch
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import OptionError, check_range
from ansible_collections.beam.cluster.plugins.module_utils._net.own_epmd import registered
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
    except (OptionError, WireError, OSError) as error:
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
    try:
        return set(registered("127.0.0.1", epmd_port).values())
    except WireError as error:
        raise OptionError(f"ports: no ports are given, and EPMD on port {epmd_port} did not answer: {error}. Start EPMD, or set ports.") from None


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_members
short_description: Apply a changed list of members to running nodes
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Adds the missing names to the allow list of a running node, and sets the addresses of host names. No restart is needed, and no link of another
    member is lost.
  - Reads the present state first, with C(net_kernel:allowed/0) and C(inet_db:get_rc/0), changes only differences, and reads the state again.
  - A name cannot be removed from the allow list of a running node, because C(net_kernel:allow/1) only adds. Such names are returned as
    RV(targets[].allowed_left) and are gone after the node's next restart. Until then the firewall must drop the packets of the former member.
options:
  allowed:
    description:
      - The allow list, as C(net_kernel:allow/1) takes it. One Erlang atom and a full stop per name.
    type: str
    required: true
  pins:
    description:
      - The addresses of host names, as the C(host) lines of an C(inetrc) file. Its other lines are ignored.
    type: str
    default: ""
  former:
    description:
      - Names of nodes that are no longer members. A link to one of them is cut.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.connection
  - beam.cluster.connection.targets
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
seealso:
  - module: beam.cluster.node_call
  - module: beam.cluster.mesh_info
"""

EXAMPLES = r"""
- name: Add a new member to the allow list of a running node
  beam.cluster.node_members:
    targets:
      - node: beam@n1
        host: 10.0.0.11
    allowed: |
      'beam@n1'.
      'beam@n2'.
      'beam@n3'.
    pins: |
      {host, {10,0,0,11}, ["n1"]}.
      {host, {10,0,0,12}, ["n2"]}.
      {host, {10,0,0,13}, ["n3"]}.
    cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
    tls:
      ca: /etc/beam/beam@n1/tls/ca.pem
      certificate: /etc/beam/beam@n1/tls/cert.pem
      key: /etc/beam/beam@n1/tls/key.pem
"""

RETURN = r"""
targets:
  description: One answer per target, in the order of the targets.
  returned: when the options are valid
  type: list
  elements: dict
  contains:
    changed:
      description: Whether the node was changed, or would be changed in check mode.
      type: bool
      sample: true
    problem:
      description: Why a connected node could not be changed; empty if there was no problem.
      type: str
      sample: ""
    allowed_added:
      description: Number of names that were added to the allow list.
      type: int
      sample: 2
    allowed_left:
      description: Names that are not in O(allowed) and stay on the allow list until the node's next restart.
      type: list
      elements: str
      sample: [beam@n4]
    pinned:
      description: Addresses whose names were added or changed, as Erlang text.
      type: list
      elements: str
      sample: ["{10,0,0,13}"]
    unpinned:
      description: Addresses whose names were removed, as Erlang text.
      type: list
      elements: str
      sample: []
    cut:
      description: Former members whose link was cut.
      type: list
      elements: str
      sample: []
    node:
      description: The requested node.
      type: str
      sample: beam@n1
    host:
      description: The host of the connection.
      type: str
      sample: 10.0.0.11
    port:
      description: The port of the connection, null if EPMD did not return one.
      type: int
      sample: 9100
    address:
      description: The address of the connection, null if there was none.
      type: str
      sample: 10.0.0.11
    name:
      description: The node name that the probe used.
      type: str
      sample: beam_probe@n3
    code:
      description: The result. C(docs/codes.md) of the collection lists the codes.
      type: str
      sample: connected
    category:
      description: >-
        Category of the code. V(connected), V(refused_by_peer), V(blocked) by the network, V(refused_by_us), V(unclear), or V(broken),
        which says nothing about the peer.
      type: str
      sample: connected
    stage:
      description: The last stage, V(resolve), V(epmd), V(connect), V(tls), V(status), V(challenge), V(ack), V(ping), V(call) or V(done).
      type: str
      sample: done
    message:
      description: The code as a sentence; empty if the node answered.
      type: str
      sample: ""
    milliseconds:
      description: Duration in milliseconds.
      type: float
      sample: 8.4
    tls:
      description: The TLS session, null if TLS was not started.
      type: dict
      contains:
        version:
          description: The negotiated version, null if none was negotiated.
          type: str
          sample: tlsv1.3
        cipher:
          description: The negotiated cipher suite, as OpenSSL names it.
          type: str
          sample: TLS_AES_256_GCM_SHA384
        peer:
          description: The peer's certificate, also if it was refused; null if the peer sent none.
          type: dict
          contains:
            subject:
              description: The subject.
              type: str
              sample: CN=beam@n1
            issuer:
              description: The issuer.
              type: str
              sample: CN=beam CA
            sans:
              description: The subject alternative names with their type.
              type: list
              elements: str
              sample: ["DNS:n1", "IP:10.0.0.11"]
            serial:
              description: The serial number, hexadecimal.
              type: str
              sample: 5EC0FFEE
            not_before:
              description: Start of the validity, UTC.
              type: str
              sample: "2026-01-31T00:00:00Z"
            not_after:
              description: End of the validity, UTC.
              type: str
              sample: "2027-01-31T00:00:00Z"
            key_type:
              description: Type and size of the key.
              type: str
              sample: EC P-256
            sha256:
              description: Fingerprint of the certificate.
              type: str
            purposes:
              description: The extended key usages, null if the certificate has none.
              type: list
              elements: str
              sample: [serverAuth, clientAuth]
    flags:
      description: The distribution flags of the node as a hexadecimal number, null if the handshake ended before them.
      type: str
      sample: "0xd07df7fbd"
    creation:
      description: The creation of the node, null if the handshake ended before it.
      type: int
      sample: 1795232508
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import (
    CONNECTION_RULES,
    OptionError,
    connection_spec,
    make_peers,
    target_spec,
)
from ansible_collections.beam.cluster.plugins.module_utils._net.node_members import Wanted, admit, read_allowed, read_pins


def main() -> None:
    """Apply the lists, and fail where a node is not reached or does not take them."""
    module = AnsibleModule(
        argument_spec=dict(
            connection_spec(),
            targets={"type": "list", "elements": "dict", "required": True, "options": target_spec()},
            allowed={"type": "str", "required": True},
            pins={"type": "str", "default": ""},
            former={"type": "list", "elements": "str", "default": []},
        ),
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    params = module.params
    try:
        wanted = Wanted(read_allowed(params["allowed"]), read_pins(params["pins"]), tuple(params["former"]))
        peers = make_peers(params, params["targets"])
        targets = admit(peers, wanted, apply=not module.check_mode, timeout=params["timeout"], concurrency=params["concurrency"])
    except OptionError as error:
        module.fail_json(msg=str(error))
    result = {"changed": any(answer["changed"] for answer in targets), "targets": targets}
    failed = [f"{answer['node']}: {answer['code']} (stage {answer['stage']}). {answer['message']}"
              for answer in targets if answer["code"] != "connected"]
    failed += [f"{answer['node']}: {answer['problem']}" for answer in targets if answer["problem"]]
    if failed:
        lines = "\n".join(failed)
        module.fail_json(
            msg=f"{len(failed)} of {len(targets)} nodes do not have the list of members in force:\n{lines}\n"
            "A node reads its lists when it starts. Restart each node for which this stays.",
            **result,
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()

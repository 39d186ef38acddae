#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh_info
short_description: Ask each node whom it sees, and say who is missing
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Connects to each node once, asks it for its own view of the cluster and compares the views. N connections tell about all N*(N-1) links.
  - The targets are the nodes of the cluster, all of them. A node sees the mesh whole if it sees all the others.
  - A node that cannot be asked and a mesh that is not whole are answers, not failures of the module. Look at RV(whole).
  - With O(relink=true) all links are cut and made again first, so that the views show links that can be made now, not ones that are
    older than the settings.
options:
  relink:
    description:
      - Have every node cut all its visible links, then connect to every other target, again and again until 80 % of O(timeout) are over.
      - This disturbs what runs in the cluster. In check mode it is left out and reported as a change.
    type: bool
    default: false
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
  - module: beam.cluster.dist_probe
  - module: beam.cluster.node_call
"""

EXAMPLES = r"""
- name: Does every node see every other?
  beam.cluster.mesh_info:
    targets:
      - node: beam@n1
        host: 10.0.0.11
      - node: beam@n2
        host: 10.0.0.12
      - node: beam@n3
        host: 10.0.0.13
    cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
    tls:
      ca: /etc/beam/beam@n1/tls/ca.pem
      certificate: /etc/beam/beam@n1/tls/cert.pem
      key: /etc/beam/beam@n1/tls/key.pem
  register: __mesh

- name: Demand it
  ansible.builtin.assert:
    that: __mesh.whole
    fail_msg: "{{ __mesh.missing }}"
"""

RETURN = r"""
targets:
  description: One answer per target, in the order of the targets. What only the node itself can tell is null where it could not be asked.
  returned: always
  type: list
  elements: dict
  contains:
    visible:
      description: The nodes that it is connected to and that are visible, V(nodes(\)).
      type: list
      elements: str
      sample: [beam@n2, beam@n3]
    hidden:
      description: The hidden nodes that it is connected to, without the one that asked.
      type: list
      elements: str
      sample: []
    known:
      description: All node names that it knows of, connected or not, without the one that asked.
      type: list
      elements: str
      sample: [beam@n1, beam@n2, beam@n3]
    otp_release:
      description: Its OTP release.
      type: str
      sample: "27"
    erts_version:
      description: The version of its emulator.
      type: str
      sample: 15.2.7
    uptime_seconds:
      description: How long it runs.
      type: int
      sample: 86400
    ticktime:
      description: Its C(net_ticktime) in seconds.
      type: int
      sample: 60
    tickintensity:
      description: Its C(net_tickintensity).
      type: int
      sample: 4
    prevent_overlapping_partitions:
      description: Whether it prevents overlapping partitions, by setting or by its release's default.
      type: bool
      sample: true
    connect_all:
      description: Whether it connects to all nodes that its peers know.
      type: bool
      sample: true
    auto_connect:
      description: Whether a message connects to a node, C(dist_auto_connect), V(always) where nothing is set.
      type: str
      sample: always
    carrier:
      description: What it was told to speak, C(-proto_dist).
      type: str
      sample: inet_tls
    node:
      description: The node asked for.
      type: str
      sample: beam@n1
    host:
      description: The host connected to.
      type: str
      sample: 10.0.0.11
    port:
      description: The port connected to, null where EPMD did not tell one.
      type: int
      sample: 9100
    address:
      description: The address connected to, null where there was no connection.
      type: str
      sample: 10.0.0.11
    name:
      description: The node name that was claimed.
      type: str
      sample: beam_probe@n3
    code:
      description: What became of it. The codes are listed in C(docs/codes.md) of the collection.
      type: str
      sample: connected
    category:
      description: >-
        What the code means. V(connected), V(refused_by_peer), V(refused_by_us), V(blocked) by the network, V(unclear), or V(broken),
        which says nothing about the peer.
      type: str
      sample: connected
    stage:
      description: The stage reached, V(resolve), V(epmd), V(connect), V(tls), V(status), V(challenge), V(ack), V(ping), V(call) or V(done).
      type: str
      sample: done
    message:
      description: The code in words; empty where the node was reached.
      type: str
      sample: ""
    milliseconds:
      description: How long it took.
      type: float
      sample: 8.4
    tls:
      description: The TLS session, null where none was begun.
      type: dict
      contains:
        version:
          description: The version agreed on, null where there was no agreement.
          type: str
          sample: tlsv1.3
        cipher:
          description: The cipher suite agreed on, as OpenSSL names it.
          type: str
          sample: TLS_AES_256_GCM_SHA384
        peer:
          description: The peer's certificate, also where it was refused; null where it sent none.
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
              description: The alternative names with their kind.
              type: list
              elements: str
              sample: ["DNS:n1", "IP:10.0.0.11"]
            serial:
              description: The serial number, hexadecimal.
              type: str
              sample: 5EC0FFEE
            not_before:
              description: Begin of the validity, UTC.
              type: str
              sample: "2026-01-31T00:00:00Z"
            not_after:
              description: End of the validity, UTC.
              type: str
              sample: "2027-01-31T00:00:00Z"
            key_type:
              description: Kind and size of the key.
              type: str
              sample: EC P-256
            purposes:
              description: The extended key usages, null where the certificate has none.
              type: list
              elements: str
              sample: [serverAuth, clientAuth]
    flags:
      description: The distribution flags of the node as a hexadecimal number, null where it did not come to that.
      type: str
      sample: "0xd07df7fbd"
    creation:
      description: Which incarnation of the node answered, null where it did not answer.
      type: int
      sample: 1795232508
whole:
  description: Whether every target could be asked and sees every other.
  returned: always
  type: bool
  sample: true
missing:
  description: Which target does not see which other.
  returned: always
  type: list
  elements: dict
  contains:
    from:
      description: The node that was asked.
      type: str
      sample: beam@n1
    to:
      description: The node that it does not see.
      type: str
      sample: beam@n3
non_members:
  description: Which target sees a visible node that is no target.
  returned: always
  type: list
  elements: dict
  contains:
    from:
      description: The node that was asked.
      type: str
      sample: beam@n1
    to:
      description: The node that it sees.
      type: str
      sample: old@n9
differs:
  description: What is not the same on all targets.
  returned: always
  type: list
  elements: dict
  contains:
    what:
      description: The key in RV(targets[]).
      type: str
      sample: ticktime
    values:
      description: Each value with the nodes that have it.
      type: list
      elements: dict
      sample:
        - value: "60"
          nodes: [beam@n1, beam@n2]
        - value: "15"
          nodes: [beam@n3]
relinked:
  description: What O(relink) did, null where it did nothing.
  returned: always
  type: dict
  contains:
    cut:
      description: Which target cut its link to which node. Where two cut the same link at once, either may have come first.
      type: list
      elements: dict
      sample:
        - from: beam@n1
          to: beam@n2
    failed:
      description: Which target could not connect to which other.
      type: list
      elements: dict
      sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._net.options import CONNECTION_RULES, OptionError, connection_spec, make_peers, target_spec
from ansible_collections.beam.cluster.plugins.module_utils._net.rpc import mesh


def main() -> None:
    """Ask all, and answer with what they see."""
    module = AnsibleModule(
        argument_spec=dict(
            connection_spec(),
            targets={"type": "list", "elements": "dict", "required": True, "options": target_spec()},
            relink={"type": "bool", "default": False},
        ),
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    params = module.params
    try:
        peers = make_peers(params, params["targets"])
    except OptionError as error:
        module.fail_json(msg=str(error))
    relink = params["relink"] and not module.check_mode
    module.exit_json(changed=params["relink"], **mesh(peers, timeout=params["timeout"], concurrency=params["concurrency"], relink=relink))


if __name__ == "__main__":
    main()

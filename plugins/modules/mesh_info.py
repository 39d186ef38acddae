#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mesh_info
short_description: Read each node's view of the mesh and report missing links
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Connects to each node once, reads its own view of the cluster and compares the views. N connections cover all N*(N-1) links.
  - The targets must be all nodes of the cluster. The mesh is whole if every node sees all others.
  - A node that does not answer, or a mesh that is not whole, does not fail the module. Check RV(whole).
  - O(relink=true) first cuts all links and lets the nodes connect again. The views then show links that were established
    with the present settings.
options:
  relink:
    description:
      - Whether to make every node cut all its visible links and connect to every other target, with retries until 80 % of O(timeout) have passed.
      - This disturbs the cluster. In check mode it is skipped and reported as a change.
    type: bool
    default: false
  members:
    description:
      - Nodes of the cluster. If it is set, the module also reads RV(targets[].in_force) of each target, with a fixed list of read-only calls.
      - Whether a target uses another cookie for one of them is compared on this host. The cookie never crosses a network in clear text. Without TLS
        it is compared only if the target's address is O(source).
    type: list
    elements: str
    version_added: 0.2.0
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
- name: Ask every node for its view of the mesh
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

- name: Check that the mesh is whole
  ansible.builtin.assert:
    that: __mesh.whole
    fail_msg: "{{ __mesh.missing }}"
"""

RETURN = r"""
targets:
  description: One answer per target, in the order of the targets. Values that only the node itself knows are null if it did not answer.
  returned: always
  type: list
  elements: dict
  contains:
    visible:
      description: Visible nodes that it is connected to, V(nodes(\)).
      type: list
      elements: str
      sample: [beam@n2, beam@n3]
    hidden:
      description: Hidden nodes that it is connected to, without the probe.
      type: list
      elements: str
      sample: []
    known:
      description: All node names that it knows, connected or not, without the probe.
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
      description: Seconds since its start.
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
      description: Whether it prevents overlapping partitions, by its setting or its release's default.
      type: bool
      sample: true
    connect_all:
      description: Whether it connects to all nodes that its peers know.
      type: bool
      sample: true
    auto_connect:
      description: C(dist_auto_connect), whether a message to a node connects to it. V(always) if nothing is set.
      type: str
      sample: always
    proto_dist:
      description: Its C(-proto_dist).
      type: str
      sample: inet_tls
    global_groups:
      description: The names of its global groups, its own first. Empty if the kernel parameter C(global_groups) is not set.
      type: list
      elements: str
      sample: []
    in_force:
      description: The settings in force, as the node itself reports them; null without O(members). A value that the node did not report is null.
      type: dict
      contains:
        tls:
          description: >-
            The TLS options of the distribution, as C(server) and as C(client). Known options with their values, of all of them the C(names); an
            empty dictionary if there are none; null if the distribution has no TLS options.
          type: dict
          sample: {"client": {"verify": verify_peer}, "server": {"verify": verify_peer}}
        allowed:
          description: The allow list. An empty list allows every name.
          type: list
          elements: str
          sample: [beam@n1, beam@n2, beam@n3]
        other_cookies:
          description: The nodes, members or not, for which it uses another cookie than the one of this connection; null if they were not compared.
          type: list
          elements: str
          sample: []
        links:
          description: Its connections, hidden ones included, with node, address, port and protocol (C(tls) or C(tcp)).
          type: list
          elements: dict
          sample: [{"node": beam@n2, "address": 10.0.0.12, "port": 9100, "protocol": tls, "hidden": false}]
        code_path:
          description: The directories from which it loads code.
          type: list
          elements: str
          sample: [/usr/lib/erlang/lib/kernel-10.2.7/ebin]
        replaceable_code:
          description: >-
            Those directories in which a user other than root can put code, with C(path) and C(by). Null if the target's address is not O(source):
            its files are on another host.
          type: list
          elements: dict
          sample: []
        added_code:
          description: >-
            Directories of the code path that are neither in the OTP of the node nor in its arguments. Null if they could not be compared, or the
            target's address is not O(source).
          type: list
          elements: str
          sample: []
        foreign_code:
          description: >-
            Modules of OTP that decide about connections and differ from its files, with C(module), C(path), and C(changed), which is V(modified) if
            the loaded module is not the one in the file.
          type: list
          elements: dict
          sample: []
        code_from_nowhere:
          description: Other modules that come from no directory of its code path, with C(module) and C(path), which may be empty.
          type: list
          elements: dict
          sample: []
        trusted:
          description: SHA-256 of the certificates of its CA files that it has in memory. Empty if it reads them at the next handshake.
          type: list
          elements: str
          sample: []
        ssh_daemons:
          description: Number of SSH servers (C(ssh:daemon/2)) in it.
          type: int
          sample: 0
        rabbitmq:
          description: >-
            Of RabbitMQ, C(guest_everywhere), whether its user guest connects from other hosts, and C(anonymous), the user of clients without
            credentials, which may be V(none), and C(known_passwords), users with a password that everybody knows. Null for other nodes.
          type: dict
          sample: {guest_everywhere: false, anonymous: none}
        atoms:
          description: Number of its atoms, and the maximum.
          type: list
          elements: int
          sample: [22000, 1048576]
        names:
          description: Where it looks for addresses of names C(first) (V(file) is its own list), and the addresses by name in that list (C(pinned)).
          type: dict
          sample: {first: file, pinned: {n1: ["10.0.0.1"]}}
        boot_server:
          description: Whether a boot server (C(erl_boot_server)) runs in it.
          type: bool
          sample: false
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
        Category of the code. V(connected), V(refused_by_peer), V(blocked) by the network, V(refused_by_us), V(unclear), or V(broken), which
        says nothing about the peer.
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
      description: The creation of the node, null if it did not answer.
      type: int
      sample: 1795232508
whole:
  description: Whether every target answered and sees every other.
  returned: always
  type: bool
  sample: true
missing:
  description: Links that are missing.
  returned: always
  type: list
  elements: dict
  contains:
    from:
      description: The queried node.
      type: str
      sample: beam@n1
    to:
      description: The node that it is not connected to.
      type: str
      sample: beam@n3
non_members:
  description: Visible nodes that are not targets.
  returned: always
  type: list
  elements: dict
  contains:
    from:
      description: The queried node.
      type: str
      sample: beam@n1
    to:
      description: The node that it is connected to.
      type: str
      sample: old@n9
differs:
  description: Values that are not equal on all targets.
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
  description: The result of O(relink), null if it was not done.
  returned: always
  type: dict
  contains:
    cut:
      description: Links that were cut. If both ends cut the same link at once, it is listed for one of them.
      type: list
      elements: dict
      sample:
        - from: beam@n1
          to: beam@n2
    failed:
      description: Links that could not be restored.
      type: list
      elements: dict
      sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host import code_path
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import (
    CONNECTION_RULES,
    OptionError,
    connection_spec,
    make_peers,
    target_spec,
)
from ansible_collections.beam.cluster.plugins.module_utils._net.mesh import mesh


def main() -> None:
    """Ask all, and answer with what they see."""
    module = AnsibleModule(
        argument_spec=dict(
            connection_spec(),
            targets={"type": "list", "elements": "dict", "required": True, "options": target_spec()},
            relink={"type": "bool", "default": False},
            members={"type": "list", "elements": "str"},
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
    answers = mesh(peers, timeout=params["timeout"], concurrency=params["concurrency"], relink=relink, members=params["members"])
    for target in answers["targets"]:
        said = target["in_force"]
        if said is not None:
            here = target["host"] == params["source"] and said["code_path"] is not None
            said["replaceable_code"] = code_path.replaceable(said["code_path"]) if here else None
            said["added_code"] = code_path.added(target["node"], said["code_path"]) if here else None
    module.exit_json(changed=params["relink"], **answers)


if __name__ == "__main__":
    main()

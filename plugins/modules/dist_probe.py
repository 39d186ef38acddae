#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dist_probe
short_description: Connect to nodes with the distribution protocol and report how each one answers
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - For each target it queries EPMD for the port, connects, negotiates TLS, compares the node's name with the requested one, proves the cookie,
    checks the node's own proof and sends a ping, as a node would. It needs no Erlang.
  - Each way in which a node accepts or refuses has its own code. A target whose code is not expected fails the module; all answers are
    returned in any case.
  - The probe is a hidden node. Other nodes do not see it.
  - The cookie is proven to a peer only after TLS and the peer's name were checked.
options:
  targets:
    description:
      - The nodes to connect to.
    type: list
    elements: dict
    required: true
    suboptions:
      node:
        description:
          - Full name of the node. An answer under another name is V(wrong_node).
        type: str
        required: true
      host:
        description:
          - Host name or IP address to connect to. The default is the host part of O(targets[].node).
        type: str
      port:
        description:
          - Port of the node. By default the module queries EPMD.
        type: int
      label:
        description:
          - Any text, which is returned with the answer.
        type: str
      expect:
        description:
          - Codes or groups of codes for this target, see O(expect).
        type: list
        elements: str
      name:
        description:
          - Node name to use for this target, see O(name).
        type: str
      present:
        description:
          - The certificate to send. V(own) is O(tls.certificate) if it is set, V(none) sends none, V(foreign) sends one of a CA that the cluster
            does not trust.
        type: str
        choices: [own, none, foreign]
        default: own
      wrong_cookie:
        description:
          - Whether to use a random cookie.
        type: bool
        default: false
      cookie:
        description:
          - Cookie to prove to this target in place of O(cookie) or O(cookie_file).
        type: str
      epmd_only:
        description:
          - Whether to query the names of the EPMD at O(targets[].host) and O(targets[].port) (or O(epmd_port)), and connect to no node.
          - The code is V(connected) if EPMD answers.
        type: bool
        default: false
      plaintext:
        description:
          - Whether to use clear text even if O(tls) is set.
        type: bool
        default: false
      tls:
        description:
          - Options that differ from O(tls) for this target.
        type: dict
        suboptions:
          ca:
            description: As O(tls.ca).
            type: path
          certificate:
            description: As O(tls.certificate).
            type: path
          key:
            description: As O(tls.key).
            type: path
          versions:
            description: As O(tls.versions).
            type: list
            elements: str
            choices: [tlsv1, tlsv1.1, tlsv1.2, tlsv1.3]
          verify:
            description: As O(tls.verify).
            type: bool
          server_name:
            description: As O(tls.server_name).
            type: str
      source:
        description:
          - IP address of this host to connect from, see O(source).
        type: str
  expect:
    description:
      - Expected codes of each target without its own O(targets[].expect).
      - V(any) accepts every code. V(refused), V(refused_tls), V(refused_handshake), V(refused_cookie) and V(blocked) stand for all codes of their
        category.
      - Codes of the category V(broken) (the probe could not be made) are in V(any) only.
    type: list
    elements: str
    default: [connected]
  user:
    description:
      - User of this host to connect as, for firewalls that filter by user. Needs root. Files are also read as that user, except the cookie file.
    type: str
    version_added: 0.2.0
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
  - beam.cluster.connection
seealso:
  - module: beam.cluster.epmd_info
  - module: beam.cluster.mesh_info
"""

EXAMPLES = r"""
- name: Connect to each member over TLS 1.3
  beam.cluster.dist_probe:
    targets:
      - node: beam@n1
        host: 10.0.0.11
      - node: beam@n2
        host: 10.0.0.12
    cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
    tls:
      ca: /etc/beam/beam@n1/tls/ca.pem
      certificate: /etc/beam/beam@n1/tls/cert.pem
      key: /etc/beam/beam@n1/tls/key.pem

- name: Check that the expected layer refuses each attack
  beam.cluster.dist_probe:
    targets:
      - {node: beam@n2, host: 10.0.0.12, label: no certificate, present: none, expect: refused_tls}
      - {node: beam@n2, host: 10.0.0.12, label: foreign certificate, present: foreign, expect: tls_alert_unknown_ca}
      - {node: beam@n2, host: 10.0.0.12, label: plaintext, plaintext: true, expect: plaintext_on_tls}
      - {node: beam@n2, host: 10.0.0.12, label: TLS 1.2, tls: {versions: [tlsv1.2]}, expect: tls_alert_protocol_version}
      - {node: beam@n2, host: 10.0.0.12, label: wrong cookie, wrong_cookie: true, expect: cookie_refused_theirs}
    cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
    tls:
      ca: /etc/beam/beam@n1/tls/ca.pem
      certificate: /etc/beam/beam@n1/tls/cert.pem
      key: /etc/beam/beam@n1/tls/key.pem

- name: Record how another node answers
  beam.cluster.dist_probe:
    targets:
      - node: rabbit@legacy
    cookie: not-a-secret
    expect: any
  register: __legacy
"""

RETURN = r"""
targets:
  description: One answer per target, in the order of the targets.
  returned: always
  type: list
  elements: dict
  contains:
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
    source_address:
      description: The address from which this host connects there, null if it has no route. For an address of the host itself it is the same address.
      type: str
      version_added: 0.2.0
      sample: 10.0.0.13
    label:
      description: The label of the target.
      type: str
      sample: wrong cookie
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
      description: The last stage, V(resolve), V(epmd), V(connect), V(tls), V(status), V(challenge), V(ack), V(ping) or V(done).
      type: str
      sample: done
    expect:
      description: The expected codes.
      type: list
      elements: str
      sample: [connected]
    ok:
      description: Whether the code is expected.
      type: bool
      sample: true
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
failed_targets:
  description: Answers whose code is not expected.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import (
    CONNECTION_RULES,
    OptionError,
    connection_spec,
    target_spec,
    tls_spec,
)
from ansible_collections.beam.cluster.plugins.module_utils._net.dist_probe import probe


def main() -> None:
    """Probe, and fail where an expectation is not met."""
    target = target_spec()
    target.update(
        label={"type": "str"},
        expect={"type": "list", "elements": "str"},
        name={"type": "str"},
        present={"type": "str", "choices": ["own", "none", "foreign"], "default": "own"},
        wrong_cookie={"type": "bool", "default": False},
        cookie={"type": "str", "no_log": True},
        epmd_only={"type": "bool", "default": False},
        plaintext={"type": "bool", "default": False},
        tls={"type": "dict", "options": tls_spec(defaults=False)},
        source={"type": "str"},
    )
    module = AnsibleModule(
        argument_spec=dict(
            connection_spec(),
            targets={"type": "list", "elements": "dict", "required": True, "options": target},
            expect={"type": "list", "elements": "str", "default": ["connected"]},
            user={"type": "str"},
        ),
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    try:
        targets = probe(module.params)
    except OptionError as error:
        module.fail_json(msg=str(error))
    failed = [answer for answer in targets if not answer["ok"]]
    result = {"changed": False, "targets": targets, "failed_targets": failed}
    if failed:
        lines = "\n".join(
            f"{answer['label'] or answer['node']} at {answer['host']}: {answer['code']} (stage {answer['stage']}),"
            f" expected {' or '.join(answer['expect'])}. {answer['message']}"
            for answer in failed
        )
        module.fail_json(msg=f"{len(failed)} of {len(targets)} targets did not answer as expected:\n{lines}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()

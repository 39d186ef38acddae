#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dist_probe
short_description: Speak the distribution protocol to nodes and tell how each one answers
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - For each target asks EPMD for its port, connects, settles TLS, compares the node's name with the one asked for, proves the cookie,
    checks the node's own proof and pings it, as a node would, but without one. Nothing has to be installed.
  - Each way in which a node lets somebody in or refuses has a code of its own. A target whose code is not the one that is expected
    fails the module; all answers are returned all the same.
  - The probe is a hidden node. No other node hears of it.
  - The cookie is not shown to anybody before TLS and the name of the peer are settled.
options:
  targets:
    description:
      - The nodes to speak to.
    type: list
    elements: dict
    required: true
    suboptions:
      node:
        description:
          - Full name of the node. Whoever answers under another name is V(wrong_node).
        type: str
        required: true
      host:
        description:
          - Host name or IP address to connect to. The default is the host part of O(targets[].node).
        type: str
      port:
        description:
          - Port of the node. Left out, EPMD is asked.
        type: int
      label:
        description:
          - Any text, returned with the answer.
        type: str
      expect:
        description:
          - Codes or groups of codes for this target, see O(expect).
        type: list
        elements: str
      name:
        description:
          - Node name to claim to this target, see O(name).
        type: str
      present:
        description:
          - Which certificate to show. V(own) is O(tls.certificate) if there is one, V(none) shows none, V(foreign) one that comes
            from a CA that nobody knows.
        type: str
        choices: [own, none, foreign]
        default: own
      wrong_cookie:
        description:
          - Prove a cookie that was made up a moment ago.
        type: bool
        default: false
      cookie:
        description:
          - Cookie to prove to this target in place of O(cookie) or O(cookie_file).
        type: str
      epmd_only:
        description:
          - Ask the EPMD at O(targets[].host) and O(targets[].port) (or O(epmd_port)) for its names, and speak to no node.
          - The code is V(connected) where EPMD answers.
        type: bool
        default: false
      plaintext:
        description:
          - Speak in the clear even where O(tls) is given.
        type: bool
        default: false
      tls:
        description:
          - What is different from O(tls) for this target.
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
      - Codes that are expected of each target that has no O(targets[].expect) of its own.
      - V(any) only records. V(refused), V(refused_tls), V(refused_handshake), V(refused_cookie) and V(blocked) stand for all codes of their kind.
      - A probe that could not be made, category V(broken), is in none of them but V(any).
    type: list
    elements: str
    default: [connected]
  user:
    description:
      - User of this host to connect as, for a firewall that tells users apart. Needs root. Files are read as that user too, the cookie file apart.
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
- name: Does each member let us in, over TLS 1.3?
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

- name: Are the attacks refused, each by the layer that it is meant for?
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

- name: Record how a node of somebody else answers
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
    label:
      description: The label as it was given.
      type: str
      sample: wrong cookie
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
      description: The stage reached, V(resolve), V(epmd), V(connect), V(tls), V(status), V(challenge), V(ack), V(ping) or V(done).
      type: str
      sample: done
    expect:
      description: What was expected.
      type: list
      elements: str
      sample: [connected]
    ok:
      description: Whether the code is among those expected.
      type: bool
      sample: true
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
      description: Which incarnation of the node answered, null where it did not come to that.
      type: int
      sample: 1795232508
failed_targets:
  description: Those answers whose code is not among those expected.
  returned: always
  type: list
  elements: dict
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._net.options import CONNECTION_RULES, OptionError, connection_spec, target_spec, tls_spec
from ansible_collections.beam.cluster.plugins.module_utils._net.probe import probe


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

#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_call
short_description: Call a function on nodes
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Calls one function on one or more nodes and returns its result, as data and as Erlang text. It needs no Erlang on the host.
  - Connects like M(beam.cluster.dist_probe). It calls with C(erpc) if the node supports it, otherwise with C(rex).
  - A function that ends with an exception fails the module, with class, reason and stack. A node that does not answer fails it, too.
options:
  module:
    description:
      - Name of the Erlang module, for example V(lists). Names of Elixir modules begin with C(Elixir.).
    type: str
    required: true
  function:
    description:
      - Name of the function.
    type: str
    required: true
  args:
    description:
      - The arguments. Text is parsed as an Erlang list, for example C([kernel, "text", <<"binary">>]).
      - A list is plain data. O(strings) sets what its strings become. Dictionaries become maps. True, false and null become the atoms C(true),
        C(false) and C(undefined).
    type: raw
    default: []
  strings:
    description:
      - What strings in a list of O(args), and keys of its dictionaries, become.
    type: str
    choices: [binary, string, atom]
    default: binary
  read_only:
    description:
      - Whether the call changes nothing. Then it is made in check mode, too, and reports no change.
    type: bool
    default: false
  via:
    description:
      - The method of the call. V(auto) uses C(erpc) if the node supports it.
      - With C(rex) a thrown value looks like a returned one, as with C(rpc:call/4).
    type: str
    choices: [auto, erpc, rex]
    default: auto
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.connection
  - beam.cluster.connection.targets
attributes:
  check_mode:
    support: partial
    details:
      - Without O(read_only) the call is not made in check mode, and a change is reported.
  diff_mode:
    support: none
seealso:
  - module: beam.cluster.mesh_info
"""

EXAMPLES = r"""
- name: List the running applications
  beam.cluster.node_call:
    targets:
      - node: beam@n1
        host: 10.0.0.11
    module: application
    function: which_applications
    read_only: true
    cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
    tls:
      ca: /etc/beam/beam@n1/tls/ca.pem
      certificate: /etc/beam/beam@n1/tls/cert.pem
      key: /etc/beam/beam@n1/tls/key.pem
  register: __applications

- name: Set the log level on two nodes
  beam.cluster.node_call:
    targets:
      - node: beam@n1
        host: 10.0.0.11
      - node: beam@n2
        host: 10.0.0.12
    module: logger
    function: set_primary_config
    args: "[level, warning]"
    cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
"""

RETURN = r"""
targets:
  description: One answer per target, in the order of the targets.
  returned: when the call was made
  type: list
  elements: dict
  contains:
    result:
      description: The return value as plain data. Atoms and printable text become strings, tuples become lists.
      type: raw
      sample: [1, 2, 3]
    result_erlang:
      description: The return value as Erlang text; null if the function did not return.
      type: str
      sample: "[1,2,3]"
    exception:
      description: The exception of the function, null if it returned.
      type: dict
      contains:
        class:
          description: V(error), V(exit) or V(throw); V(refused) if the node did not start the call.
          type: str
          sample: error
        reason:
          description: The reason, as Erlang text.
          type: str
          sample: undef
        stack:
          description: The stack, one line per frame, the innermost first.
          type: list
          elements: str
          sample: ["lists:map/2 (lists.erl:1559)"]
    via:
      description: The method of the call, V(erpc) or V(rex); null if no call was made.
      type: str
      sample: erpc
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
      description: The creation of the node, null if the handshake ended before it.
      type: int
      sample: 1795232508
result:
  description: The return value of the single target.
  returned: when there is one target
  type: raw
  sample: [1, 2, 3]
result_erlang:
  description: The same as Erlang text.
  returned: when there is one target
  type: str
  sample: "[1,2,3]"
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._net.calls import call_everywhere, read_args
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import (
    CONNECTION_RULES,
    OptionError,
    connection_spec,
    make_peers,
    target_spec,
)


def main() -> None:
    """Call, and fail where a call did not return."""
    module = AnsibleModule(
        argument_spec=dict(
            connection_spec(),
            targets={"type": "list", "elements": "dict", "required": True, "options": target_spec()},
            module={"type": "str", "required": True},
            function={"type": "str", "required": True},
            args={"type": "raw", "default": []},
            strings={"type": "str", "choices": ["binary", "string", "atom"], "default": "binary"},
            read_only={"type": "bool", "default": False},
            via={"type": "str", "choices": ["auto", "erpc", "rex"], "default": "auto"},
        ),
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    params = module.params
    try:
        peers = make_peers(params, params["targets"])
        args = read_args(params["args"], params["strings"])
        if module.check_mode and not params["read_only"]:
            module.exit_json(changed=True, msg="The call is not made in check mode.")
        targets = call_everywhere(
            peers, (params["module"], params["function"], args), via=None if params["via"] == "auto" else params["via"],
            timeout=params["timeout"], concurrency=params["concurrency"],
        )
    except OptionError as error:
        module.fail_json(msg=str(error))
    result = {"changed": not params["read_only"], "targets": targets}
    if len(targets) == 1:
        result.update(result=targets[0]["result"], result_erlang=targets[0]["result_erlang"])
    failed = [answer for answer in targets if answer["code"] != "connected"]
    if failed:
        lines = "\n".join(f"{answer['node']}: {answer['code']} (stage {answer['stage']}). {answer['message']}" for answer in failed)
        module.fail_json(msg=f"{len(failed)} of {len(targets)} calls failed:\n{lines}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()

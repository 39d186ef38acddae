# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options that say how to connect, and to whom. Their argument specs are in `module_utils/_net/connection_options.py`; a test compares them.

    What the modules return of a target has no fragment: ansible-core 2.19 refuses those of RETURN. A test holds the copies equal.
    """

    DOCUMENTATION = r"""
options:
  name:
    description:
      - The full node name that the module uses.
      - It must not be the name of a node. The name of a running node would take over its connections. Each new name adds one atom to the
        node's atom table, which is never freed. So use one name per vantage host.
      - The default is C(beam_probe@) and the name of the host that the module runs on.
    type: str
  cookie_file:
    description:
      - File with the cluster's cookie, read where the module runs.
      - One of O(cookie_file) and O(cookie) is required.
    type: path
  cookie:
    description:
      - The cluster's cookie. Prefer O(cookie_file), which keeps the secret on the host.
    type: str
  tls:
    description:
      - TLS options. Without them the module uses clear text.
    type: dict
    suboptions:
      ca:
        description:
          - File with the CA certificates that must have issued a peer's certificate.
          - The default are the CA certificates of the host.
        type: path
      certificate:
        description:
          - File with the certificate to send, followed by intermediate certificates.
          - Without it none is sent.
        type: path
      key:
        description:
          - File with the private key of O(tls.certificate), not encrypted.
        type: path
      versions:
        description:
          - TLS versions to offer, as Erlang spells them. All versions between the lowest and the highest are offered.
        type: list
        elements: str
        choices: [tlsv1, tlsv1.1, tlsv1.2, tlsv1.3]
        default: [tlsv1.3]
      verify:
        description:
          - Whether the peer's certificate must be issued by O(tls.ca) for the host part of its node name.
          - With V(false) the module uses a random cookie, because the real one is never proven to an unverified peer. Such a connection
            ends at the cookie check at the latest.
        type: bool
        default: true
      server_name:
        description:
          - Name or IP address that the peer's certificate must contain.
          - The default is the host part of its node name, which nodes check, too.
        type: str
  source:
    description:
      - IP address of this host to connect from.
    type: str
  epmd_port:
    description:
      - Port of EPMD, which is queried if a target has no port.
    type: int
    default: 4369
  timeout:
    description:
      - Seconds per peer, from the first packet to the last answer.
    type: float
    default: 10.0
  concurrency:
    description:
      - Number of peers to connect to in parallel. There is never more than one connection to the same node.
    type: int
    default: 32
"""

    # For modules that treat all targets alike.
    TARGETS = r"""
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
          - Full name of the node.
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
"""

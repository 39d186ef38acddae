# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """The options that say how to connect, and to whom. Their argument specs are in `module_utils/_net/options.py`; a test compares them.

    What the modules return of a target has no fragment: ansible-core 2.19 refuses those of RETURN. A test holds the copies equal.
    """

    DOCUMENTATION = r"""
options:
  name:
    description:
      - The full node name that the module claims.
      - It must be a name that no node has. A live node's name would take over its connections, and each new name costs a node
        a little memory for ever. So use one name per vantage host.
      - The default is C(beam_probe@) and the name of the host that the module runs on.
    type: str
  cookie_file:
    description:
      - File with the cluster's cookie, read where the module runs.
      - One of O(cookie_file) and O(cookie) is required.
    type: path
  cookie:
    description:
      - The cluster's cookie. Prefer O(cookie_file), which keeps the secret where it is.
    type: str
  tls:
    description:
      - Speak TLS, and how. Left out, the module speaks the distribution protocol in the clear.
    type: dict
    suboptions:
      ca:
        description:
          - File with the certificates of the CAs that a peer's certificate has to come from.
          - Left out, those of the host are taken.
        type: path
      certificate:
        description:
          - File with the certificate to show, followed by intermediates where there are any.
          - Left out, none is shown.
        type: path
      key:
        description:
          - File with the private key of O(tls.certificate), not encrypted.
        type: path
      versions:
        description:
          - TLS versions to offer, as Erlang spells them. All between the lowest and the highest are offered.
        type: list
        elements: str
        choices: [tlsv1, tlsv1.1, tlsv1.2, tlsv1.3]
        default: [tlsv1.3]
      verify:
        description:
          - Whether the peer's certificate has to be from O(tls.ca) and for the host part of its node name.
          - With V(false) a cookie is made up, as the true one is never proven to a peer that could be anybody. So such a conversation
            ends at the cookie at the latest.
        type: bool
        default: true
      server_name:
        description:
          - Name or IP address that the peer's certificate has to be for.
          - The default is the host part of its node name, which is what nodes demand of each other.
        type: str
  source:
    description:
      - IP address of this host to connect from.
    type: str
  epmd_port:
    description:
      - Port of EPMD, asked where a port is not given.
    type: int
    default: 4369
  timeout:
    description:
      - Seconds for one peer, from the first packet to the last answer.
    type: float
    default: 10.0
  concurrency:
    description:
      - How many peers are spoken to at once. One node is never spoken to twice at once.
    type: int
    default: 32
"""

    # For modules that treat all targets alike.
    TARGETS = r"""
options:
  targets:
    description:
      - The nodes to ask.
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
          - Port of the node. Left out, EPMD is asked.
        type: int
"""

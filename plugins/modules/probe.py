#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin probe, which runs `beam.cluster.dist_probe` on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
short_description: Run the honest connections and the attacks of one vantage of a planned BEAM cluster
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Runs every probe that the controls of this collection need from one host, and returns each question with its answer.
  - All probes of one node are one run of M(beam.cluster.dist_probe), in parallel. Probes as another user of the host are a second run.
  - With more than O(pairs_max) ordered pairs of nodes, only O(vantages) other nodes connect to and attack each node.
  - The roles P(beam.cluster.verify#role) and P(beam.cluster.audit#role) use it. M(beam.cluster.report) evaluates the answers.
options:
  plan:
    description: The plan, as M(beam.cluster.plan) returns it.
    type: dict
  discovered:
    description:
      - Nodes without a plan, as M(beam.cluster.audit) returns them in RV(beam.cluster.audit#module:discovered).
      - The probes have no credentials that a node accepts, and one fixed name. A node that answers in clear text is not probed over TLS.
    type: dict
    version_added: 0.2.0
  outside:
    description: With O(discovered), whether the host attacks as a host outside the cluster, not as one of the inventory.
    type: bool
    default: false
    version_added: 0.2.0
  other_users:
    description: With O(discovered), whether the module may connect as another user of the host, which only root can.
    type: bool
    default: true
    version_added: 0.2.0
  vantage:
    description: Inventory name of the probing host. Required with O(plan) and O(discovered).
    type: str
  sources:
    description:
      - Full names of the nodes of this host whose credentials are used. Their key, certificate and cookie are read on the host and stay there.
      - Without it the host is an outsider.
    type: list
    elements: str
    default: []
  kinds:
    description: Honest connections, attacks, or both.
    type: list
    elements: str
    choices: [connect, attack]
    default: [connect, attack]
  addresses:
    description: Every address of each host, by inventory name. Attacks on other networks than the cluster's need it.
    type: dict
    default: {}
  signed:
    description: >-
      Paths of certificates on the host that were signed for the attacks, by their kind, C(expired) or C(revoked), and by the full name of the node
      whose key they certify.
    type: dict
    default: {}
  not_signed:
    description: Why there is no such certificate. An attack that needs one returns this text as its answer.
    type: str
    default: no such certificate was made
  pairs_max:
    description: Maximum number of ordered pairs of nodes for which every pair is probed.
    type: int
    default: 2500
  vantages:
    description: Number of nodes that connect to and attack each node if there are more than O(pairs_max) pairs.
    type: int
    default: 3
  timeout:
    description: Seconds for one probe.
    type: float
    default: 5.0
  started:
    description: >-
      The result of this module when it was started with C(async) and C(poll=0). The module waits for its end and returns its answers. No other
      option is allowed with it.
    type: dict
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.read_only
  - beam.cluster.attributes.action
attributes:
  async:
    support: partial
    details: For an outsider, with C(poll=0).
seealso:
  - module: beam.cluster.dist_probe
  - module: beam.cluster.report
"""

EXAMPLES = r"""
- name: Run the probes of the node beam@n1
  beam.cluster.probe:
    plan: "{{ beam_plan }}"
    vantage: "{{ inventory_hostname }}"
    sources: [beam@n1]
  register: __probed
"""

RETURN = r"""
answers:
  description: Pairs of a question and its answer.
  returned: when it does not fail, and was not started with C(async)
  type: list
  elements: list
  sample:
    - - {control: plaintext, vantage: n1, source: beam@n1, target: beam@n2, address: 10.0.0.12, port: null, network: cluster}
      - {code: plaintext_on_tls, stage: status, milliseconds: 4.2, port: 9100, tls: null, message: the peer answered with a TLS record}
questions:
  description: The questions.
  returned: when it was started with C(async)
  type: list
  elements: dict
"""

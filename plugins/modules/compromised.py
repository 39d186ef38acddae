# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `compromised`, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: compromised
short_description: Decide what to replace when something is compromised
version_added: 0.2.0
description:
  - Decides from C(beam_compromised) which certificates to revoke, which nodes get new keys, and whether to replace the cookie and the CA.
  - Records what is in force before the replacement in C(compromised.json) in the directory of the CA. The record contains fingerprints, and a
    salted hash of the cookie that replaces the stolen one. So a repeated run completes an earlier one, and replaces nothing twice.
  - Fails if the cookie has to be replaced, and the nodes already have O(cookie).
options:
  plan:
    description: The plan, see M(beam.cluster.plan). Not needed with O(decided).
    type: dict
  cookie:
    description: The new cookie of all nodes.
    type: str
    default: ""
  cookies:
    description: What M(beam.cluster.cookie) returns as RV(beam.cluster.cookie#module:nodes) for O(cookie) in check mode, of all hosts.
    type: list
    elements: dict
    default: []
  own_certificates:
    description: Whether the certificates are those of the operator.
    type: bool
    default: false
  again:
    description: Whether a key or CA that an earlier run replaced is stolen again.
    type: bool
    default: false
  record:
    description: Whether to write the record.
    type: bool
    default: false
  decided:
    description: The result of an earlier call. With it the module prints a report of the run, and decides nothing.
    type: dict
  times:
    description: By step, the seconds after which it was in force, for the report.
    type: dict
    default: {}
  changed_steps:
    description: The steps that changed something, for the report.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.action
  - beam.cluster.attributes.controller
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
notes:
  - The results of M(beam.cluster.observe) must be registered as C(__beam_observed).
seealso:
  - module: beam.cluster.plan
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Decide what has to be done
  beam.cluster.compromised:
    plan: "{{ beam_plan }}"
    cookie: "{{ beam_cookie }}"
    cookies: [{node: beam@n1, state: outdated, file: other}, {node: beam@n2, state: outdated, file: other}]
  run_once: true
  register: response
"""

RETURN = r"""
lines:
  description: The report.
  returned: with O(decided)
  type: list
  elements: str
revoke:
  description: Nodes whose certificates have to be revoked.
  returned: without O(decided)
  type: list
  elements: str
renew:
  description: Nodes that get a new key and certificate.
  returned: without O(decided)
  type: list
  elements: str
new_ca:
  description: Whether the CA has to be replaced, V(yes) or V(no). V(finish) if an earlier run has created the new one.
  returned: without O(decided)
  type: str
steps:
  description: The steps in the order in which they come into force.
  returned: without O(decided)
  type: list
  elements: dict
  contains:
    step:
      description: Name of the step.
      type: str
      sample: firewall
    text:
      description: What is in force after it, and where.
      type: str
      sample: the members' firewalls drop all packets of n3 (10.0.0.13)
left:
  description: The tasks that are left to the operator.
  returned: without O(decided)
  type: list
  elements: str
"""

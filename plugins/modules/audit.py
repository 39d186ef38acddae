#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `audit`, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: audit
short_description: Discover the nodes of BEAM hosts that nobody planned, and evaluate them
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Makes a target from the observations of M(beam.cluster.observe), and evaluates the controls of this collection on it. Controls that need a plan
    are not applicable.
  - It opens no connection. The role P(beam.cluster.audit#role) collects the evidence.
options:
  hosts:
    description:
      - For each host of the audit, by inventory name, the results of the tasks that read it, the one with root first.
      - A host that could not be reached has its failed result, so that the report contains it.
    type: dict
    required: true
  epmd_port:
    description: Port of EPMD.
    type: int
    default: 4369
  evaluate:
    description: If V(false), it only discovers the nodes and returns RV(discovered), for the probes.
    type: bool
    default: true
  known_cookies:
    description: Whether RV(discovered) contains probes with the default cookies of products, for nodes that speak clear text.
    type: bool
    default: false
  views:
    description: What M(beam.cluster.mesh_info) returned in C(targets) for nodes that were queried with their own credentials, by host.
    type: dict
    default: {}
  answers:
    description: The answers of M(beam.cluster.probe), by the host that probed.
    type: dict
    default: {}
  outsiders:
    description: Names of the hosts that attacked as hosts outside the cluster.
    type: list
    elements: str
    default: []
  untested:
    description: Why no probe was made; empty if probes were made.
    type: str
    default: ""
  waivers:
    description:
      - Findings that are accepted until a date, as C(beam_waivers). Each has C(control), C(owner), C(reason) and C(until), and may have C(host) and
        C(status).
      - A waiver that is invalid, has ended, or covers nothing fails the control C(waivers).
    type: list
    elements: dict
    default: []
  vulnerabilities_file:
    description: A table of known vulnerabilities on the controller, newer than that of this collection.
    type: path
  policy:
    description: A policy file on the controller, with which every node is compared.
    type: path
  policy_from:
    description: Inventory name of a host whose settings are written to the file C(policy.yml) in O(directory).
    type: str
  baseline:
    description: The JSON report of an earlier audit on the controller. Findings are compared with it.
    type: path
  fail_at:
    description: Lowest severity of a failed control that counts as a finding. Advisories, for example known vulnerabilities, do not count.
    type: str
    choices: [never, info, low, medium, high, critical]
    default: info
  fail_on:
    description: Whether every failed control counts, or only one that does not fail in O(baseline).
    type: str
    choices: [new, any]
    default: any
  directory:
    description: Directory on the controller for the report files. It is created with mode 0750 if it is missing. Without it no file is written.
    type: path
  formats:
    description: The files to write to O(directory), as in M(beam.cluster.report).
    type: list
    elements: str
    choices: [html, json, xml, sarif, ocsf, csv]
    default: [html, json, xml]
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.action
  - beam.cluster.attributes.controller
attributes:
  check_mode:
    support: full
    details: No file is written.
  diff_mode:
    support: N/A
    details: A report is the record of one run. Each run writes it anew, and this never counts as a change.
notes:
  - Run it once for all hosts.
seealso:
  - module: beam.cluster.observe
  - module: beam.cluster.probe
"""

EXAMPLES = r"""
- name: Evaluate the observations
  beam.cluster.audit:
    hosts: "{{ gathered }}"
    directory: beam-report
  run_once: true
"""

RETURN = r"""
result:
  description: >-
    C(category) and C(code) of the result (V(clean) 0, V(findings) 2, V(not_tested) 3, V(not_reached) 4, V(bad_waiver) 5), all C(categories) that
    apply, C(counts), C(message) and C(score). The role P(beam.cluster.audit#role) makes it the fact C(beam_audit_result) of the first host.
  returned: if O(evaluate)
  type: dict
discovered:
  description: The input of M(beam.cluster.probe).
  returned: unless O(evaluate)
  type: dict
files:
  description: The written files, by format, and the C(policy).
  returned: if O(evaluate)
  type: dict
  sample: {json: /home/me/beam-report/audit.json, xml: /home/me/beam-report/audit.xml, html: /home/me/beam-report/audit.html}
"""

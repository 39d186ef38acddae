#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `report`, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Evaluate the evidence about a BEAM cluster and report it
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Evaluates the controls of this collection. Its input are the observations of M(beam.cluster.observe), the answers of M(beam.cluster.probe),
    and the views from M(beam.cluster.mesh_info). The waivers are in the plan.
  - Prints the verdict, the failed controls with cause and fix, the untested controls, and the evidence, and writes all results to files. Then it
    fails if a control failed or was not tested and is not waived.
  - It opens no connection. The role P(beam.cluster.verify#role) collects the evidence.
options:
  plan:
    description: The plan, as M(beam.cluster.plan) returns it.
    type: dict
    required: true
  evidence:
    description:
      - The evidence of each host of the run, by inventory name.
      - C(observed) is the result of M(beam.cluster.observe), C(answers) are those of M(beam.cluster.probe). C(advisories) are advisories of other
        roles.
    type: dict
    required: true
  outside:
    description: The answers of M(beam.cluster.probe) on the outsiders.
    type: list
    elements: list
    default: []
  outsiders:
    description:
      - Names of the outsiders.
    type: list
    elements: str
    default: []
  mesh:
    description: C(targets) of M(beam.cluster.mesh_info).
    type: list
    elements: dict
    default: []
  untested:
    description:
      - Why no attack was run; empty if attacks were run.
    type: str
    default: ""
  pairs_max:
    description: The value of this option of M(beam.cluster.probe) in the same run.
    type: int
    default: 2500
  vantages:
    description: The value of this option of M(beam.cluster.probe) in the same run.
    type: int
    default: 3
  advisories_fail_at:
    description:
      - Severity from which an advisory fails, for example a known vulnerability of the installed OTP.
      - It does not affect controls. A failed control fails whatever its severity.
    type: str
    choices: [never, info, low, medium, high, critical]
    default: never
  ca_dir:
    description:
      - Directory on the controller with the CA of the cluster. Nodes must trust the certificates of this CA and no others.
      - Without it, or if it contains no CA, the trusted certificates of the members are compared with each other only.
    type: path
    version_added: 0.2.0
  run_key:
    description:
      - The key under which M(beam.cluster.observe) hashed the cookies of the hosts. With it, the cookie is compared with C(beam_cookie) of the
        hosts of other clusters in the inventory.
    type: str
    default: ""
    version_added: 0.2.0
  directory:
    description:
      - Directory on the controller for the report files. It is created with mode 0750 if it is missing. Without it no file is written.
      - A relative path starts at the directory in which Ansible was started.
    type: path
  formats:
    description:
      - The files to write to O(directory). They are named after the cluster's group.
      - V(html) is a page for people, V(json) all results as data, V(xml) JUnit, V(sarif) SARIF 2.1.0, V(ocsf) Detection Findings of OCSF 1.5.0
        (C(.ocsf.json)), V(csv) a table.
    type: list
    elements: str
    choices: [html, json, xml, sarif, ocsf, csv]
    default: [html, json, xml]
    version_added: 0.2.0
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.action
  - beam.cluster.attributes.controller
attributes:
  check_mode:
    support: full
    details: No file is written, and a failure is a warning.
  diff_mode:
    support: N/A
    details: A report is the record of one run. Each run writes it anew, and this never counts as a change.
notes:
  - Run it once for all hosts.
seealso:
  - module: beam.cluster.dist_probe
  - module: beam.cluster.observe
"""

EXAMPLES = r"""
- name: Evaluate the evidence
  beam.cluster.report:
    plan: "{{ beam_plan }}"
    evidence: "{{ gathered }}"
    directory: beam-report
  run_once: true
"""

RETURN = r"""
passed:
  description: The verdict. Whether every control passed, is waived, or is not applicable.
  returned: always
  type: bool
lines:
  description: The printed lines.
  returned: when it does not fail
  type: list
  elements: str
failures:
  description: Controls that failed or were not tested, and are not waived.
  returned: always
  type: list
  elements: dict
  contains:
    control:
      description: Name of the control.
      type: str
      sample: plaintext
    subject:
      description: Host, node, or pair of nodes.
      type: str
      sample: beam@n2
    status:
      description: V(failed) or V(not_tested).
      type: str
      sample: failed
    severity:
      description: Severity of the control.
      type: str
      sample: critical
files:
  description: The report files, by format (O(formats)).
  returned: always
  type: dict
  sample: {json: /home/me/beam-report/beam.json, xml: /home/me/beam-report/beam.xml, html: /home/me/beam-report/beam.html}
"""

#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `report`, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Evaluate the controls of a BEAM cluster and report them
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Evaluates the controls of this collection over the results of M(beam.cluster.observe), M(beam.cluster.probe) and M(beam.cluster.mesh_info).
    Waivers are those of the plan.
  - Prints the mesh, the attacks and the controls that failed, and writes all of it to files. Then it fails, where a control failed or was
    not tested and is not waived.
  - It connects to nothing. The role P(beam.cluster.verify#role) gathers what it needs.
options:
  plan:
    description: The plan, as M(beam.cluster.plan) returns it.
    type: dict
    required: true
  evidence:
    description:
      - What was gathered on each host of the run, by inventory name.
      - C(observed) is the result of M(beam.cluster.observe), C(answers) those of M(beam.cluster.probe). C(advisories) are findings of other roles.
    type: dict
    required: true
  outside:
    description: The answers of M(beam.cluster.probe) on hosts outside the cluster.
    type: list
    elements: list
    default: []
  outsiders:
    description: Names of the hosts outside the cluster that attacked.
    type: list
    elements: str
    default: []
  mesh:
    description: C(targets) of M(beam.cluster.mesh_info).
    type: list
    elements: dict
    default: []
  untested:
    description: Why no attack was made at all; empty where they were.
    type: str
    default: ""
  pairs_max:
    description: The option of M(beam.cluster.probe) with which the probes were made.
    type: int
    default: 2500
  vantages:
    description: The option of M(beam.cluster.probe) with which the probes were made.
    type: int
    default: 3
  fail_at:
    description:
      - Severity from which on an advisory fails, such as a known vulnerability of the OTP that is installed.
      - Controls are not concerned; they fail whatever their severity.
    type: str
    choices: [never, info, low, medium, high, critical]
    default: never
  directory:
    description:
      - Directory on the controller for the report files. It is made where it is missing, mode 0750. Left out, no file is written.
      - A relative path starts at the directory in which Ansible was started.
    type: path
extends_documentation_fragment:
  - beam.cluster.attributes
  - beam.cluster.attributes.action
  - beam.cluster.attributes.controller
attributes:
  check_mode:
    support: full
    details: No file is written, and what would fail is a warning.
  diff_mode:
    support: N/A
    details: A report is a record of a run. It is written anew by each one, and never counts as a change.
notes:
  - Run it once for all hosts.
seealso:
  - module: beam.cluster.dist_probe
  - module: beam.cluster.observe
"""

EXAMPLES = r"""
- name: Evaluate what was gathered
  beam.cluster.report:
    plan: "{{ beam_plan }}"
    evidence: "{{ gathered }}"
    directory: beam-report
  run_once: true
"""

RETURN = r"""
passed:
  description: Whether every control passed, was waived, or does not apply.
  returned: always
  type: bool
lines:
  description: What was printed.
  returned: when it does not fail
  type: list
  elements: str
failures:
  description: What failed or was not tested, and is not waived.
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
  description: The report files, by suffix (V(json), V(xml) as JUnit, V(html)).
  returned: always
  type: dict
  sample: {json: /home/me/beam-report/beam.json, xml: /home/me/beam-report/beam.xml, html: /home/me/beam-report/beam.html}
"""

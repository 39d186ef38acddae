#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin C(report), which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Judge a BEAM cluster by what was seen and answered, and report it
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Evaluates the controls of this collection over what M(beam.cluster.observe) saw, what M(beam.cluster.dist_probe) and
    M(beam.cluster.epmd_info) were answered and what M(beam.cluster.mesh_info) was told.
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
      - C(observed) is the result of M(beam.cluster.observe). C(units) holds the text of C(systemctl show) as C(show) and of
        C(systemd-analyze security) as C(security), by unit. C(advisories) are findings of other roles.
      - C(answers) are pairs of a request (see P(beam.cluster.probe_requests#filter)) and its answer.
    type: dict
    required: true
  outside:
    description: Pairs of a request and its answer, from outside the cluster.
    type: list
    elements: list
    default: []
  outsiders:
    description: Who attacked from outside.
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
  waivers:
    description:
      - Controls that may fail. A list of dictionaries with C(control), C(host) (left out, everywhere), C(reason) and C(until), the last
        day (C(YYYY-MM-DD)).
      - A waiver whose last day is over is an error.
    type: list
    elements: raw
    default: []
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
attributes:
  check_mode:
    description: Can run in check mode and return what it would without it.
    support: full
    details: No file is written, and what would fail is a warning.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: N/A
    details: A report is a record of a run. It is written anew by each one, and never counts as a change.
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
  platform:
    description: Target systems that can be operated against.
    platforms: all
    support: full
notes:
  - Run it once for all hosts.
seealso:
  - module: beam.cluster.dist_probe
  - module: beam.cluster.observe
"""

EXAMPLES = r"""
- name: Judge what was gathered
  beam.cluster.report:
    plan: "{{ beam_plan }}"
    evidence: "{{ gathered }}"
    waivers: "{{ beam_plan.waivers }}"
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
errors:
  description: What is wrong with the waivers.
  returned: failure
  type: list
  elements: str
"""

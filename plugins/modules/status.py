#!/usr/bin/python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `status`, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: status
short_description: Report certificates, CAs, cookie, OTP and pending restarts of a BEAM cluster
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Prints a table with one line for each node and a list of what is due or wrong, each with the playbook to run. Writes the same as JSON.
  - It evaluates no control and does not fail if something is wrong. For that see M(beam.cluster.report).
  - It opens no connection. The entry point V(status) of the role P(beam.cluster.verify#role) collects the evidence.
options:
  plan:
    description: The plan, as M(beam.cluster.plan) returns it.
    type: dict
    required: true
  evidence:
    description:
      - The evidence of each host of the run, by inventory name.
      - C(observed) is the result of M(beam.cluster.observe), C(credentials) are the results of M(beam.cluster.credentials_info) for its nodes,
        C(states) is that of P(beam.cluster.node_states#filter).
    type: dict
    required: true
  directory:
    description:
      - Directory on the controller for the JSON file. It is created with mode 0750 if it is missing. Without it no file is written.
      - A relative path starts at the directory in which Ansible was started.
    type: path
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
    details: A status is the record of one run. Each run writes it anew, and this never counts as a change.
notes:
  - Run it once for all hosts.
seealso:
  - module: beam.cluster.credentials_info
"""

EXAMPLES = r"""
- name: Report the state of the cluster
  beam.cluster.status:
    plan: "{{ beam_plan }}"
    evidence: "{{ gathered }}"
    directory: beam-report
  run_once: true
"""

RETURN = r"""
lines:
  description: The printed lines.
  returned: success
  type: list
  elements: str
status:
  description: The content of the JSON file. C(docs/status.md) of the collection describes it.
  returned: success
  type: dict
file:
  description: Path of the JSON file; empty if none is written.
  returned: success
  type: str
  sample: /home/me/beam-report/beam-status.json
"""

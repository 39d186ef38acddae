# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `check_run`, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
module: check_run
short_description: Refuse a run that would do nothing
version_added: 0.2.0
description:
  - The first task of the playbooks of this collection. It fails if the group of the cluster is missing, empty or excluded by C(--limit),
    if C(beam_group) is set where a play cannot see it, or if C(--tags) selects no task.
  - Without it, Ansible ends such a run with the exit status 0.
  - It connects to no host.
  - If C(beam_compromised) is set, it returns the hosts that are named, so that the plays that follow can leave them out.
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return what it would without it.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: N/A
    details: Nothing is changed.
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
  - The play needs V(all:localhost) as its hosts, so that it also runs if the inventory has no host.
seealso:
  - module: beam.cluster.plan
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Check the run
  hosts: all:localhost
  gather_facts: false
  tasks:
    - name: Refuse a run that would do nothing
      beam.cluster.check_run:
      run_once: true
      tags: always
"""

RETURN = r"""
started:
  description: When the run began, in seconds since 1970.
  returned: success
  type: float
compromised_hosts:
  description: The hosts to which no play may connect, because C(beam_compromised) names them or one of their nodes.
  returned: success
  type: list
  elements: str
errors:
  description: The reasons why the run would do nothing.
  returned: failure
  type: list
  elements: dict
  contains:
    rule:
      description: The name of the rule.
      type: str
      sample: group_missing
    message:
      description: What is wrong.
      type: str
      sample: the inventory has no group beam.
    fix:
      description: What to do.
      type: str
      sample: add the group, or run with -e beam_group=<name of the group>.
"""

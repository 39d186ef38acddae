# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin `run_command`, which runs the module ansible.builtin.command on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: run_command
short_description: Run a command, and report why it failed
version_added: 0.2.0
description:
  - Runs a command as M(ansible.builtin.command) does, or a script as M(ansible.builtin.shell) does.
  - If it fails, the message names the host, the task, the command, its exit status, its last lines and the fix.
    Values of cookie flags, and of variables whose names look like secrets, are removed from it.
options:
  argv:
    description: The command and its arguments.
    type: list
    elements: str
  script:
    description: A script for O(executable).
    type: str
  executable:
    description: The shell of O(script).
    type: path
    default: /bin/sh
  stdin:
    description: What the command reads from standard input.
    type: str
  creates:
    description: The command does not run if this file exists.
    type: path
  removes:
    description: The command does not run if this file does not exist.
    type: path
  expect:
    description: The exit statuses that are no failure.
    type: list
    elements: int
    default: [0]
  fix:
    description: The fix if it fails, an imperative without a full stop.
    type: str
    default: ''
attributes:
  check_mode:
    description: Can run in check mode and return what it would without it.
    support: partial
    details: As with M(ansible.builtin.command), the command only runs in check mode if the task has C(check_mode=false).
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: none
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  async:
    description: Supports being used with the C(async) keyword.
    support: none
  platform:
    description: Target systems that can be operated against.
    platforms: posix
    support: full
seealso:
  - module: ansible.builtin.command
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Read the cluster status
  beam.cluster.run_command:
    argv: [rabbitmqctl, --quiet, --formatter=json, cluster_status]
    fix: start the node
  changed_when: false
"""

RETURN = r"""
rc:
  description: The exit status.
  returned: if the command ran
  type: int
  sample: 0
stdout:
  description: What it wrote to standard output.
  returned: if the command ran
  type: str
  sample: '{}'
stderr:
  description: What it wrote to standard error.
  returned: if the command ran
  type: str
  sample: ''
"""

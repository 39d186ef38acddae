# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: run_lock
short_description: Make sure that no other run changes the host at the same time
version_added: 0.2.0
description:
  - Writes to C(/run/beam-cluster.lock) which run changes the host, or removes this file.
  - If another run holds the lock, the result names that run and the task does not fail. The role P(beam.cluster.plan#role) fails for all hosts with
    one message (entry point C(lock)).
  - Takes over the lock of a run that does not exist any more. The controller detects this for its own runs, by their process. A lock also ends
    when the host boots, and after six hours.
options:
  state:
    description: V(present) takes the lock, V(absent) releases it. The lock of another run is not released.
    type: str
    choices: [present, absent]
    default: present
  override:
    description: Whether to take over the lock of any run.
    type: bool
    default: false
  holder:
    description: This run. The controller sets it.
    type: dict
    default: {}
  instead_of:
    description: A run that does not exist any more, and may hold the lock. The controller sets it.
    type: dict
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed on the controller.
    support: full
  check_mode:
    support: full
    details: Nothing is locked, and an existing lock is ignored.
  diff_mode:
    support: none
extends_documentation_fragment:
  - beam.cluster.attributes
seealso:
  - module: beam.cluster.check_run
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Take the lock
  beam.cluster.run_lock:
  register: lock

- name: Release the lock
  beam.cluster.run_lock:
    state: absent
"""

RETURN = r"""
held:
  description: The run that holds the lock, if it is not this one.
  returned: if another run holds it
  type: dict
  contains:
    user:
      description: The user that started it.
      type: str
    host:
      description: Name of its controller.
      type: str
    playbook:
      description: Its playbook.
      type: str
    since:
      description: When it took the lock, in seconds since 1970 by the clock of the locked host.
      type: float
held_by:
  description: The same as a text for messages.
  returned: if another run holds it
  type: str
  sample: alice@laptop runs beam.cluster.site (pid 4711) since 2026-11-26 17:02 UTC (3 min)
epoch:
  description: The time of the host, in seconds since 1970.
  returned: always
  type: float
taken_over:
  description: The run whose lock was taken over.
  returned: if one was
  type: dict
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host import run_lock_file
from ansible_collections.beam.cluster.plugins.module_utils._model.run_lock_rules import Holder


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "override": {"type": "bool", "default": False},
            "holder": {"type": "dict", "default": {}},
            "instead_of": {"type": "dict"},
        },
        supports_check_mode=True,
    )
    now = time.time()
    if module.check_mode:
        module.exit_json(changed=False, epoch=now)
    holder = Holder.parse(module.params["holder"])
    other = None
    try:
        if holder is None:
            module.fail_json(msg="holder: this is not a run. Call the module as beam.cluster.run_lock, so that the controller sets it.")
        elif module.params["state"] == "absent":
            run_lock_file.release(holder)
        else:
            other = run_lock_file.take(holder, Holder.parse(module.params["instead_of"]), now)
    except OSError as error:
        module.fail_json(msg=f"{run_lock_file.PATH}: the lock of this host cannot be read or written: {error}. Run as root (become: true).")
    module.exit_json(changed=False, epoch=now, **({"held": other.as_dict()} if other else {}))


if __name__ == "__main__":
    main()

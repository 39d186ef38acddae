# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: record
short_description: Record what is on a host before a role changes it
version_added: 0.2.0
description:
  - Records owners, modes and extended attributes (ACLs) of paths, the state of units, the existence of users, and a copy of one file, so that
    P(beam.cluster.undo#role) can restore them.
  - Never changes an existing record, because the later state is the work of the roles.
  - With both values of O(state) it reports which of the files, blocks and units exist now. No result contains the content of a file.
options:
  path:
    description: The record.
    type: path
    required: true
  state:
    description:
      - V(present) creates the record if it is missing. If one of O(files) exists already, the host was hardened before, and the record is empty.
      - V(absent) removes it, and puts its copy of O(replaced) back in its place, with owner, group, mode and extended attributes. A link is a link
        again.
    type: str
    choices: [present, absent]
    default: present
  files:
    description: The files that the role writes.
    type: list
    elements: path
    default: []
  blocks:
    description: The files in which the role writes a block.
    type: list
    elements: path
    default: []
  directories:
    description: The directories that the role creates or changes.
    type: list
    elements: path
    default: []
  units:
    description: The units that the role enables.
    type: list
    elements: str
    default: []
  users:
    description: The users that the role creates.
    type: list
    elements: str
    default: []
  replaced:
    description: A file of the operator or of a package that the role replaces. The record has a copy of it.
    type: path
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
extends_documentation_fragment:
  - beam.cluster.attributes
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Record what is there
  beam.cluster.record:
    path: /etc/beam/before/epmd
    files: [/etc/systemd/system/epmd.socket]
    directories: [/etc/systemd/system/epmd.socket.d]
    units: [epmd.socket]

- name: Read the record
  beam.cluster.record:
    path: /etc/beam/before/epmd
    state: absent
  check_mode: true
  changed_when: false
  register: before
"""

RETURN = r"""
kept:
  description: Whether there was a record before the module ran.
  returned: always
  type: bool
replaced:
  description: Whether the record has a copy of the replaced file.
  returned: always
  type: bool
record:
  description: The record, empty if there is none.
  returned: always
  type: dict
  contains:
    paths:
      description: Owner, group and mode of each path that existed.
      type: dict
      sample: {/etc/environment: {owner: "0", group: "0", mode: "0644"}}
    enabled:
      description: The units that were enabled.
      type: list
      elements: str
    active:
      description: The units that were active.
      type: list
      elements: str
    users:
      description: The users that existed.
      type: list
      elements: str
ours:
  description: Those of O(files) that exist and are ours.
  returned: always
  type: list
  elements: str
blocks:
  description: Those of O(blocks) that have a block of ours.
  returned: always
  type: list
  elements: str
loaded:
  description: Those of O(units) that systemd knows.
  returned: always
  type: list
  elements: str
"""

import os
import pwd
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host import records


def known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def main() -> None:
    lists = {name: {"type": "list", "elements": "path", "default": []} for name in ("files", "blocks", "directories")}
    names = {name: {"type": "list", "elements": "str", "default": []} for name in ("units", "users")}
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "replaced": {"type": "path"},
            **lists,
            **names,
        },
        supports_check_mode=True,
    )
    path = module.params["path"]

    def systemctl(*arguments: str) -> tuple[bool, str]:
        status, output, _errors = module.run_command(["systemctl", *arguments])
        return status == 0, output.strip()

    try:
        before = records.read(path)
        ours = records.ours(module.params["files"])
        blocks = records.with_block(module.params["blocks"])
        loaded = [unit for unit in module.params["units"] if systemctl("show", "--property=LoadState", "--value", "--", unit)[1] == "loaded"]
        after = before
        if module.params["state"] == "absent":
            after = None
        elif before is None and ours:
            after = records.Record()
        elif before is None:
            after = records.Record(
                paths=records.looked_at([*module.params["blocks"], *module.params["directories"]]),
                enabled=tuple(unit for unit in module.params["units"] if systemctl("is-enabled", "--quiet", "--", unit)[0]),
                active=tuple(unit for unit in module.params["units"] if systemctl("is-active", "--quiet", "--", unit)[0]),
                users=tuple(user for user in module.params["users"] if known(user)),
            )
        replaced = os.path.lexists(f"{path}.file")
        changed = after != before or (after is None and replaced)
        if changed and not module.check_mode:
            if after is None:
                records.remove(path, module.params["replaced"])
            else:
                records.write(path, after, None if ours else module.params["replaced"])
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"{path}: the record cannot be read or written: {error}")
    texts = {name: record.shown().encode() if record else "" for name, record in (("before", before), ("after", after))}
    module.exit_json(
        changed=changed,
        kept=before is not None,
        replaced=replaced,
        record=asdict((before or records.Record()).shown()),
        ours=ours,
        blocks=blocks,
        loaded=loaded,
        diff={"before_header": path, "after_header": path, **texts},
    )


if __name__ == "__main__":
    main()

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: block
short_description: Write a block of lines in a file that belongs to somebody else, and change nothing else
version_added: 0.2.0
description:
  - Writes a block of lines between two marker lines, at the end of the file, or removes it. All other bytes stay as they are.
  - The file keeps its owner, group, mode, ACL and other extended attributes. M(ansible.builtin.blockinfile) loses ACLs where the directory for
    temporary files of Ansible is on another file system, and a line break that it adds to the last line stays when the block is removed.
  - A link is followed.
options:
  path:
    description: The file.
    type: path
    required: true
  marker:
    description: The marker lines. C({mark}) becomes C(BEGIN) and C(END).
    type: str
    required: true
  block:
    description: The lines.
    type: str
    default: ''
  state:
    description: Whether the block is in the file.
    type: str
    choices: [present, absent]
    default: present
  create:
    description: Whether to create a missing file, with mode 0644. Otherwise a missing file is an error.
    type: bool
    default: false
  record:
    description:
      - With O(state=absent), a record that M(beam.cluster.record) made before the block was written. The file then also gets the owner, group,
        mode and extended attributes that it had.
    type: path
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the lines of the block only; of a block that is removed its first line. The rest of the file can hold secrets.
extends_documentation_fragment:
  - beam.cluster.attributes
author:
  - The beam.cluster contributors (@beam-cluster)
"""

EXAMPLES = r"""
- name: Include the settings in the operator's file
  beam.cluster.block:
    path: /etc/default/ejabberd
    create: true
    marker: "# {mark} beam.cluster (role product)"
    block: . /etc/beam/ejabberd@n1/ejabberdctl.sh
"""

RETURN = r"""
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.beam.cluster.plugins.module_utils._host import blocks, records

MODE = 0o644


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "marker": {"type": "str", "required": True},
            "block": {"type": "str", "default": ""},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "create": {"type": "bool", "default": False},
            "record": {"type": "path"},
        },
        supports_check_mode=True,
    )
    path, marker, present = module.params["path"], module.params["marker"], module.params["state"] == "present"
    try:
        record = records.read(module.params["record"]) if module.params["record"] else None
        before = None
        if os.path.exists(path):
            with open(path, "rb") as stream:
                before = stream.read()
        elif present and not module.params["create"]:
            raise FileNotFoundError("there is no such file.")
        kept = (record.paths if record else {}).get(path, {})
        if present:
            after = blocks.with_block(before or b"", marker, module.params["block"])
        else:
            after = blocks.without_block(before or b"", marker, kept.get("open_end") is True)
        changed = after != (before or b"")
        if changed and not module.check_mode:
            blocks.make_directories(os.path.dirname(path))
            blocks.edit(path, after, MODE)
        if not present and record is not None and not module.check_mode:
            changed = records.give_back(record.paths, path) or changed
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"{path}: the block cannot be written or removed: {error}")
    old = blocks.block_of(before or b"", marker)
    shown = (old, module.params["block"]) if present else (old.partition("\n")[0], "")
    module.exit_json(changed=changed, diff={"before_header": path, "after_header": path, "before": shown[0], "after": shown[1]})


if __name__ == "__main__":
    main()

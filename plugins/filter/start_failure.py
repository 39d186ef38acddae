# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a unit did not start, from its journal."""

from __future__ import annotations

DOCUMENTATION = r"""
name: start_failure
short_description: Name the likely cause of a unit that did not start
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Looks for what the collection's own sandbox, guard and settings cause, and for the common causes beside them.
positional: unit
options:
  _input:
    description:
      - The last lines of the unit's journal.
    type: list
    elements: str
    required: true
  unit:
    description:
      - Name of the unit.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the likely cause
  ansible.builtin.debug:
    msg: "{{ journal.stdout_lines | beam.cluster.start_failure('shop.service') }}"
"""

RETURN = r"""
_value:
  description: One sentence with the cause, and the fix.
  type: str
"""

from collections.abc import Callable, Sequence

from ansible_collections.beam.cluster.plugins.module_utils._model.start_failure import start_failure


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, Callable[[Sequence[str], str], str]]:
        return {"start_failure": start_failure}

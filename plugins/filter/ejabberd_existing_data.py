# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter `beam.cluster.ejabberd_existing_data`: what the database of an ejabberd node holds."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ejabberd_existing_data
short_description: List what an ejabberd node would lose if it joined another one
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - A node that joins a cluster loses its own database. The role P(beam.cluster.product#role) uses this before it joins a node.
  - Every table on disc with a record counts, for example accounts, rosters, persistent rooms and archived messages. The schema and caches do not.
options:
  _input:
    description:
      - The output of C(ejabberdctl mnesia_info_ctl), which is that of C(mnesia:info/0).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: List the existing data
  ansible.builtin.debug:
    msg: "{{ __shown.stdout | beam.cluster.ejabberd_existing_data }}"
"""

RETURN = r"""
_value:
  description: Texts such as C(1 record in muc_room), sorted by table. Empty for a new node.
  type: list
  elements: str
"""

import re
from typing import Any

from ansible.errors import AnsibleFilterError

_TABLE = re.compile(r"^(\w+)\s*: with (\d+)\s+records? occupying", re.MULTILINE)
_ON_DISC = re.compile(r"^disc_(?:only_)?copies\s*=\s*\[([^\]]*)\]", re.MULTILINE)
_REBUILT = frozenset({"schema", "caps_features"})
"""Tables of the database itself, and what ejabberd learns again from its clients."""


def ejabberd_existing_data(shown: str) -> list[str]:
    """See `DOCUMENTATION`. Raises `AnsibleFilterError` for what is not the output of mnesia:info/0."""
    on_disc = {name.strip() for names in _ON_DISC.findall(shown) for name in names.split(",")}
    records = {name: int(count) for name, count in _TABLE.findall(shown)}
    if "schema" not in on_disc or "schema" not in records:
        raise AnsibleFilterError("ejabberd_existing_data: the text does not list the tables of a database on disc. Start the node.")
    held = sorted(name for name in on_disc - _REBUILT if records.get(name) != 0)
    words = {name: "unknown" if name not in records else str(records[name]) for name in held}
    return [f"{words[name]} record{'' if words[name] == '1' else 's'} in {name}" for name in held]


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, Any]:
        return {"ejabberd_existing_data": ejabberd_existing_data}

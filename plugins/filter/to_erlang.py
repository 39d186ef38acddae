# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: to_erlang
short_description: Write data as an Erlang term
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Writes plain data as the text of one Erlang term, on one line and without a final dot.
  - Numbers stay numbers. True, false and null become the atoms C(true), C(false) and C(undefined).
positional: strings
options:
  _input:
    description: The data.
    type: raw
    required: true
  strings:
    description: What strings become. A binary, a string (a list of characters) or an atom.
    type: str
    choices: [binary, string, atom]
    default: binary
  keys:
    description: What the keys of dictionaries become.
    type: str
    choices: [binary, string, atom]
    default: atom
  mappings:
    description: What dictionaries become. A map or a list of pairs.
    type: str
    choices: [map, proplist]
    default: map
seealso:
  - plugin: beam.cluster.from_erlang
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write a property list for a configuration file
  ansible.builtin.debug:
    msg: "{{ {'port': 5672, 'user': 'guest'} | beam.cluster.to_erlang(strings='string', mappings='proplist') }}"
    # [{port,5672},{user,"guest"}]

- name: Write a map with binaries
  ansible.builtin.debug:
    msg: "{{ {'a': ['x', true, none]} | beam.cluster.to_erlang }}"
    # #{a => [<<"x">>,true,undefined]}
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.beam.cluster.plugins.module_utils._term import TermError, from_plain, to_text


def to_erlang(value: Any, strings: str = "binary", keys: str = "atom", mappings: str = "map") -> str:
    """Plain data as Erlang text."""
    try:
        return to_text(from_plain(value, strings=strings, keys=keys, mappings=mappings))
    except TermError as error:
        raise AnsibleFilterError(f"to_erlang: {error}") from error


class FilterModule:
    """The filter's name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"to_erlang": to_erlang}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: from_erlang
short_description: Read Erlang terms as data
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Reads the text of an Erlang term, or of a file of terms as C(file:consult/1) reads it, as plain data.
  - Atoms, binaries and printable strings become strings. The atoms C(true), C(false) and C(undefined) become true, false and null. Tuples
    become lists. Maps become dictionaries if all their keys are text.
options:
  _input:
    description: The text.
    type: str
    required: true
  consult:
    description: Whether the text is a file. Then the result is a list of its terms, each of which ends with a dot.
    type: bool
    default: false
seealso:
  - plugin: beam.cluster.to_erlang
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the TLS versions of an option file
  ansible.builtin.debug:
    msg: "{{ __options | beam.cluster.from_erlang }}"
  vars:
    __options: "{versions, ['tlsv1.3', 'tlsv1.2']}"
    # ["versions", ["tlsv1.3", "tlsv1.2"]]
"""

RETURN = r"""
_value:
  description: The data.
  type: raw
"""

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.beam.cluster.plugins.module_utils import _term as term


def from_erlang(value: Any, consult: bool = False) -> Any:
    """Erlang text as plain data."""
    if not isinstance(value, str):
        raise AnsibleFilterError(f"from_erlang: text is wanted, not {type(value).__name__}")
    try:
        if consult:
            return [term.to_plain(item) for item in term.consult(value)]
        return term.to_plain(term.parse(value))
    except term.TermError as error:
        raise AnsibleFilterError(f"from_erlang: {error}") from error


class FilterModule:
    """The filter's name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"from_erlang": from_erlang}

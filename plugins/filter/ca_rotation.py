# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the change to a new CA has come."""

from __future__ import annotations

DOCUMENTATION = r"""
name: ca_rotation
short_description: Report how far the change to a new CA has come
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Derives the phase from what the nodes trust and show. No phase is stored anywhere.
positional: current, following
options:
  _input:
    description:
      - The results of M(beam.cluster.credentials_info), one for each node of the cluster.
    type: list
    elements: dict
    required: true
  current:
    description:
      - The CA certificates of the cluster's CA in PEM format, the root first. Empty if there is none.
    type: str
    required: true
  following:
    description:
      - The CA certificates of the new CA in PEM format, the root first. Empty if there is none.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the phase
  ansible.builtin.debug:
    msg: "{{ (credentials | beam.cluster.ca_rotation(root, '')).text }}"
"""

RETURN = r"""
_value:
  description:
    - C(phase) is V(idle), V(trust), V(reissue), V(promote) or V(drop). C(text) says what is and what comes next. C(waiting) are the nodes that have
      not taken the next step yet.
  type: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.beam.cluster.plugins.module_utils._model.ca_rotation import Holder, progress
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_rules import fingerprint, split_pem


def _prints(pem: str | None) -> list[str]:
    # A template without text is null.
    return [fingerprint(der) for der in split_pem(pem.encode())] if pem and pem.strip() else []


def ca_rotation(credentials: Sequence[Mapping[str, Any]], current: str | None, following: str | None) -> dict[str, Any]:
    """The phase, its text and the nodes that wait."""
    try:
        chain, new = _prints(current), _prints(following)
    except ValueError as error:
        raise AnsibleFilterError(f"ca_rotation: {error}") from None
    holders = [
        Holder(
            str(one["node"]),
            frozenset(ca["sha256"] for ca in one["trusted"] or ()),
            frozenset(one["used"]),
            not one["running"] or bool(one["certificate"]) and one["served"] == one["certificate"]["sha256"],
        )
        for one in credentials
    ]
    found = progress(chain[0] if chain else "", new[0] if new else "", chain, holders)
    return {"phase": found.phase, "text": found.text, "waiting": list(found.waiting)}


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, object]:
        return {"ca_rotation": ca_rotation}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter C(beam.cluster.probe_requests): who knocks where, from the plan."""

from __future__ import annotations

DOCUMENTATION = r"""
name: probe_requests
short_description: List the probes of one host or node of a planned BEAM cluster
version_added: 0.1.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Returns the honest connections or the attacks of one vantage, each ready for M(beam.cluster.dist_probe) or M(beam.cluster.epmd_info).
  - The role P(beam.cluster.verify#role) uses it. C(docs/controls.md) describes the attacks.
positional: _input
options:
  _input:
    description: The plan, as M(beam.cluster.plan) returns it.
    type: dict
    required: true
  kind:
    description: The honest connections of O(source), or the attacks.
    type: str
    choices: [connect, attack]
    required: true
  source:
    description: Full name of the probing node. By default the vantage is outside the cluster.
    type: str
    default: ""
  vantage:
    description: Inventory name of the probing host, if O(source) is not set.
    type: str
    default: ""
  addresses:
    description: Every address of each host, by inventory name. Attacks on other networks than the cluster's need it.
    type: dict
    default: {}
  expired:
    description: Path of an expired certificate on the probing host.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Connect to each node of the cluster from here
  beam.cluster.dist_probe:
    targets: "{{ beam_plan | beam.cluster.probe_requests(kind='connect', source='beam@n1') | map(attribute='ask') }}"
    cookie_file: /var/lib/beam/beam@n1/.erlang.cookie
    expect: any
"""

RETURN = r"""
_value:
  description:
    - One dictionary per probe. C(ask) is a target for M(beam.cluster.dist_probe). C(present) names the credentials. V(names) means a question to
      EPMD, V(public_cookie) a publicly known cookie.
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.beam.cluster.plugins.module_utils._model import probes


def probe_requests(
    plan: Mapping[str, Any],
    *,
    kind: str,
    source: str = "",
    vantage: str = "",
    addresses: Mapping[str, list[str]] | None = None,
    expired: str = "",
) -> list[dict[str, Any]]:
    """See C(DOCUMENTATION)."""
    if not isinstance(plan, Mapping) or "members" not in plan:
        raise AnsibleFilterError("probe_requests: the input is no plan")
    if kind == "connect":
        made = probes.connect_probes(plan, source)
    elif kind == "attack":
        made = probes.attack_probes(plan, vantage, source, addresses or {})
    else:
        raise AnsibleFilterError(f"probe_requests: kind is connect or attack, not {kind!r}")
    return [{**probe.request(), "ask": probes.target(plan, probe, expired)} for probe in made]


class FilterModule:
    """The filter, under its name."""

    def filters(self) -> dict[str, Any]:
        return {"probe_requests": probe_requests}

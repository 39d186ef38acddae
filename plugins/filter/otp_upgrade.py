# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against an upgrade of OTP, and what it changes."""

from __future__ import annotations

DOCUMENTATION = r"""
name: otp_upgrade
short_description: Decide whether the packages of OTP and of the products can be upgraded, one host at a time
version_added: 0.2.0
author:
  - The beam.cluster contributors (@beam-cluster)
description:
  - Refuses an upgrade after which nodes could not connect or the product is not supported, before any package is touched.
options:
  _input:
    description:
      - For each host of the run the keys C(packages) (the result of M(beam.cluster.package_upgrades)), C(nodes) (of C(beam_plan)), C(units) (of
        M(beam.cluster.observe)), C(sans) (names in the certificate, by node) and C(explicit) (whether the operator lists the packages).
    type: dict
    required: true
  outside:
    description:
      - Hosts of members that are not in the run.
    type: list
    elements: str
    default: []
  restart_from:
    description:
      - When nodes may restart, C(beam_plan.restart_from). Empty means now.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show what would be upgraded
  ansible.builtin.debug:
    msg: "{{ (found | beam.cluster.otp_upgrade).changes }}"
"""

RETURN = r"""
_value:
  description: >-
    C(blockers), a list of texts. C(changes), a list of texts for each host. C(packages), for each host what apt installs. C(held), the packages on
    hold for each host.
  type: dict
"""

from typing import Any

from ansible_collections.beam.cluster.plugins.module_utils._model.upgrades import upgrade


def otp_upgrade(hosts: dict[str, dict[str, Any]], outside: list[str] | None = None, restart_from: str = "") -> dict[str, Any]:
    """See upgrades.upgrade."""
    return upgrade(hosts, outside or [], restart_from)


class FilterModule:
    """Ansible's way to find the filter."""

    def filters(self) -> dict[str, object]:
        return {"otp_upgrade": otp_upgrade}

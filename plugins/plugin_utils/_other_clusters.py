# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cookies of the inventory's other clusters, as hashes under the key of the run.

Private to this collection, for the action plugins: it runs on the controller only.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible.template import Templar
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import OtherClusters
from ansible_collections.beam.cluster.plugins.module_utils._model.secret_rules import mark
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING, PREFIX

from ._inputs import value_of


def other_clusters(templar: Templar, task_vars: Mapping[str, Any], group: str, default_group: str, known: Collection[str], key: str) -> OtherClusters:
    """group: of the cluster that is looked at. default_group: of hosts that name none. known: its hosts, which are no other cluster's.

    A host is of another cluster if its inventory names one (beam_group) and that group has it. A host without beam_cookie is left out.
    """
    marks: dict[str, list[str]] = {}
    unread: list[str] = []
    for host, variables in _hosts(task_vars, known):
        own = templar.copy_with_new_env(available_variables=variables)
        its_group = value_of(own, variables, "beam_group")
        its_group = default_group if its_group is MISSING else its_group
        if its_group == group or host not in task_vars["groups"].get(its_group if isinstance(its_group, str) else "", ()):
            continue
        cookie = value_of(own, variables, "beam_cookie", secret=True)
        if isinstance(cookie, str) and cookie:
            marks.setdefault(mark(cookie, key), []).append(host)
        elif cookie is not MISSING:
            unread.append(host)
    return OtherClusters({one: tuple(sorted(hosts)) for one, hosts in marks.items()}, tuple(sorted(unread)))


def _hosts(task_vars: Mapping[str, Any], known: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The variables of each other host without the run's own (-e): those are the variables of the cluster that the run is about."""
    hostvars = task_vars["hostvars"]
    manager = copy.copy(hostvars._variable_manager)
    manager._extra_vars = {name: value for name, value in manager.extra_vars.items() if not name.startswith(PREFIX)}
    for host in hostvars:
        if host not in known:
            found = manager.get_vars(host=manager._inventory.get_host(host), include_hostvars=False)
            yield host, dict(found, hostvars=hostvars)

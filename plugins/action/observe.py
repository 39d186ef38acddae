# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`beam.cluster.observe`: the module looks at the host, this part adds what only the controller knows: the clock and the variables."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._model.untrusted_json import safe_values
from ansible_collections.beam.cluster.plugins.module_utils._plan import variable_names, what_to_observe
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs


class ActionModule(ActionBase):
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        variables = task_vars or {}
        own = _inputs.own_view(self._templar, variables)
        before = time.time()
        result = self._execute_module(module_args=self._arguments(variables, own), task_vars=variables)
        after = time.time()
        if result.get("failed") or result.get("unreachable") or "epoch" not in result:
            return result
        # What local users of the host chose (names of processes and nodes) goes to terminals and reports from here on.
        result = safe_values(result)
        result["skew_seconds"] = proven_skew(result["epoch"], before, after)
        result["own"] = own
        return result

    def _arguments(self, variables: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
        """The task's own, and what the host's variables say about its nodes where the task does not."""
        given = dict(self._task.args)
        defaults = _inputs.specs()[1]
        settled = {name: defaults.get(name) for name in variable_names.READABLE}
        settled.update((name, value) for name, value in own["inputs"].items() if value is not None)
        settled["ansible_host"] = variables.get("ansible_host")
        asked = what_to_observe.of_host(str(variables.get("inventory_hostname", "")), settled, _inputs.products())
        files, own_files = given.get("files") or [], asked.pop("files")
        return {**asked, **given, "files": [*files, *own_files] if isinstance(files, list) else files}


def proven_skew(epoch: float, before: float, after: float) -> float:
    """Host minus controller, as far as it is proven: a time read within the round trip may be the same time."""
    if epoch < before:
        return round(epoch - before, 3)
    return round(max(0.0, epoch - after), 3)

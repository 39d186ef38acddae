# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`beam.cluster.check_run`: refuses a run that would do nothing. Runs on the controller, connects to no host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.vars import load_extra_vars
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._plan import run_rules
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs
from ansible_collections.beam.cluster.plugins.plugin_utils._plays import play_of

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self.validate_argument_spec(argument_spec={})
        variables = task_vars or {}
        groups = {name: list(hosts) for name, hosts in variables["groups"].items()}
        hosts = frozenset(variables["ansible_play_hosts_all"])
        tags, offered = self._tags()
        problems = Problems()
        run_rules.validate(
            run_rules.Run(
                group=self._group(),
                groups=groups,
                hosts=hosts,
                inventory_groups=self._inventory_groups(variables["hostvars"], groups.get("all", [])),
                tags=tags,
                offered=offered,
            ),
            problems,
        )
        if not problems:
            return {"changed": False}
        errors = problems.grouped()
        lines = [f"{error['variable']} ({error['rule']}): {error['message']} Fix: {error['fix']}" for error in errors]
        return {"failed": True, "msg": "This run would do nothing. " + " ".join(lines), "errors": errors}

    def _group(self) -> object:
        """beam_group as the `hosts` of a play sees it: group_vars and host_vars do not count there."""
        seen: dict[str, Any] = {**play_of(self._task).get_vars(), **load_extra_vars(self._loader)}
        return _inputs.plain(self._templar.template(seen["beam_group"])) if "beam_group" in seen else run_rules.DEFAULT_GROUP

    def _inventory_groups(self, hostvars: Any, hosts: list[str]) -> dict[str, object]:
        found = {}
        for host in hosts:
            variables: Mapping[str, Any] = hostvars.raw_get(host)
            if "beam_group" in variables:
                templar = self._templar.copy_with_new_env(available_variables={**variables, "hostvars": hostvars})
                found[host] = _inputs.value_of(templar, variables, "beam_group")
        return found

    def _tags(self) -> tuple[frozenset[str], frozenset[str]]:
        """The tags of the command line and those of our playbooks.

        None of the command line if somebody else's playbook imports ours: there the tags may select tasks that are not ours.
        """
        ours = [name for name in context.CLIARGS.get("args") or () if _is_ours(str(name))]
        if not ours or len(ours) < len(context.CLIARGS.get("args") or ()):
            return frozenset(), frozenset()
        tasks: list[Mapping[str, object]] = []
        for name in ours:
            path = PLAYBOOKS / f"{Path(name).stem if name.endswith(('.yml', '.yaml')) else name.rpartition('.')[2]}.yml"
            for play in yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else ():
                tasks += [play, *_flat(play.get("tasks", ())), *play.get("roles", ())]
        return frozenset(str(tag) for tag in context.CLIARGS.get("tags") or ()), run_rules.offered_tags(tasks)


def _flat(tasks: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All tasks, with those in blocks."""
    for task in tasks:
        yield task
        for section in ("block", "rescue", "always"):
            yield from _flat(task.get(section, ()))


def _is_ours(name: str) -> bool:
    return name.startswith("beam.cluster.") or Path(name).resolve().parent == PLAYBOOKS

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All of the inventory that a plan is made from, as Ansible has it.

Private to this collection, for the action plugins: it runs on the controller only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.template import Templar
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._plan import ca_dir, variable_names
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs


class Gathered:
    """All of the inventory that the plan needs. Touches the variables of each host once: asking for them is the slow part."""

    def __init__(self, templar: Templar, task_vars: Mapping[str, Any], default_group: str, problems: Problems) -> None:
        self._templar = templar
        self._task_vars = task_vars
        self._hostvars = task_vars["hostvars"]
        self._problems = problems
        self.run: Sequence[str] = list(task_vars["ansible_play_hosts"])
        self.groups: Mapping[str, Sequence[str]] = {name: list(hosts) for name, hosts in task_vars["groups"].items()}
        self._default_group = default_group
        self.inventory_dirs: dict[str, str] = {}
        self.seen: dict[str, dict[str, object]] = {}
        self.own: dict[str, Mapping[str, Any]] = {}
        self.names: dict[str, set[str]] = {}
        self.wrong: dict[str, Sequence[Mapping[str, str]]] = {}
        self.observed: dict[str, Observation] = {}
        self.secrets: dict[str, dict[str, object]] = {name: {} for name in variable_names.SECRET}
        for host in self.run:
            self._look(host)
        current = task_vars["inventory_hostname"]
        self.own[current] = _inputs.own_view(templar, task_vars)
        self.names.setdefault(current, set()).update(self.own[current]["names"])
        self.wrong[current] = self.own[current]["wrong"]
        for group in self._groups_meant() | {default_group}:
            for host in self.groups.get(group, ()):
                if host not in self.seen:
                    self._look(host)
        self._constant_secrets(current)

    def _look(self, host: str) -> None:
        variables = dict(self._hostvars.raw_get(host), hostvars=self._hostvars)
        templar = self._templar.copy_with_new_env(available_variables=variables)
        self.seen[host] = {name: _inputs.value_of(templar, variables, name) for name in (*variable_names.READABLE, variable_names.CONNECTION)}
        self.names[host] = set(_inputs.names_of(variables))
        if isinstance(variables.get("inventory_dir"), str):
            self.inventory_dirs[host] = variables["inventory_dir"]
        for name in variable_names.SECRET:
            value = self.secrets[name][host] = _inputs.value_of(templar, variables, name, secret=True)
            # Only a template can change; a vaulted value need not be decrypted twice.
            if isinstance(value, str) and "{{" in str(variables[name]) and _inputs.value_of(templar, variables, name, secret=True) != value:
                self._problems.add(
                    host,
                    name,
                    "unstable",
                    "its template gives another value each time it is read.",
                    "make one and vault it, or give the lookup 'password' a file other than /dev/null.",
                )
        self.wrong[host] = _inputs.wrong_options(templar, variables)
        observed = variables.get("__beam_observed")
        if host in self.run and isinstance(observed, Mapping) and "epoch" in observed:
            self.observed[host] = Observation.parse(host, observed)
            self.own[host] = observed.get("own") or {}
            self.names[host].update(self.own[host].get("names") or ())
            # The host's own view knows the variables of its play, too.
            self.wrong[host] = self.own[host].get("wrong") or ()

    def ca_places(self) -> ca_dir.Places:
        """Where the inventory of the members lies: of the hosts of their group, of the hosts of the run where there is none."""
        members = {host for group in (self._groups_meant() or {self._default_group}) for host in self.groups.get(group, ())}
        members = members or set(self.run)
        sources = [str(source) for source in self._task_vars.get("ansible_inventory_sources") or ()]
        return ca_dir.Places(
            inventory_dirs=sorted({self.inventory_dirs[host] for host in members if host in self.inventory_dirs}),
            directories=[source for source in sources if "," not in source and Path(source).is_dir()],
            holds_ca=lambda directory: any((Path(directory) / "root" / name).is_file() for name in ("key.pem", "certificate.pem")),
        )

    def _groups_meant(self) -> set[str]:
        meant = [self.seen[host]["beam_group"] for host in self.run] + [_inputs.own_value(own, "beam_group") for own in self.own.values()]
        return {name for name in meant if isinstance(name, str)}

    def _constant_secrets(self, current: str) -> None:
        """A secret of the play or of a role is the same for all: it wins over what the inventory says, as it does for the roles."""
        for name in variable_names.SECRET:
            own = _inputs.value_of(self._templar, self._task_vars, name, secret=True)
            if own is not MISSING and own != self.secrets[name].get(current, MISSING):
                self.secrets[name] = dict.fromkeys(self.seen, own)

    def one_secret(self, name: str) -> str | None:
        values = {value for value in self.secrets[name].values() if isinstance(value, str) and value}
        return values.pop() if len(values) == 1 else None

    def settled(self, defaults: Mapping[str, object]) -> tuple[int, dict[str, dict[str, object]]]:
        """The seconds by which certificates are backdated, and each variable's value for each host."""
        values = {
            name: variable_names.effective_values(
                name,
                {host: seen[name] for host, seen in self.seen.items()},
                {host: _inputs.own_value(own, name) for host, own in self.own.items()},
                self._problems,
            )
            for name in variable_names.READABLE
        }
        values[variable_names.CONNECTION] = {host: seen[variable_names.CONNECTION] for host, seen in self.seen.items()}
        given = variable_names.cluster_value("beam_pki_backdate", values.pop("beam_pki_backdate"), self._problems)
        backdate = defaults.get("beam_pki_backdate", "1h") if given is MISSING else given
        try:
            return variable_names.seconds(backdate), values
        except ValueError as error:
            self._problems.add("", "beam_pki_backdate", "type", str(error), "write a number and a unit, for example 1h.")
            return 0, values

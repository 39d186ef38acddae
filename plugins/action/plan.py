# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`beam.cluster.plan`: the cluster from the inventory, validated as a whole. Runs on the controller, once per play, touches no host."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.template import Templar
from ansible_collections.beam.cluster.plugins.module_utils._assess import controls
from ansible_collections.beam.cluster.plugins.module_utils._assess.advisory_table import Table, TableError
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems, shown, text
from ansible_collections.beam.cluster.plugins.module_utils._plan import ca_dir, run_rules, variable_names
from ansible_collections.beam.cluster.plugins.module_utils._plan.cluster import SECRETS_REQUIRED, Cluster, Inventory
from ansible_collections.beam.cluster.plugins.module_utils._plan.planning import plan
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING
from ansible_collections.beam.cluster.plugins.plugin_utils import _advisories, _inputs
from ansible_collections.beam.cluster.plugins.plugin_utils._plays import play_of


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "requires": {"type": "list", "elements": "str", "choices": list(SECRETS_REQUIRED), "default": list(SECRETS_REQUIRED)},
                "preflight": {"type": "bool", "default": True},
            },
        )
        problems = Problems()
        run_rules.validate_strategy(str(play_of(self._task).strategy), problems)
        known, defaults = _inputs.specs()
        gathered = _Gathered(self._templar, task_vars or {}, str(defaults["beam_group"]), problems)
        warnings = variable_names.validate_names(gathered.names, known, problems)
        for host, wrong in gathered.wrong.items():
            for one in wrong:
                problems.add(host, one["variable"], one["rule"], one["message"], one["fix"])
        backdate, values = gathered.settled(defaults)
        table = self._table(values["beam_advisories_file"], problems)
        inventory = Inventory(
            groups=gathered.groups,
            run=gathered.run,
            values=values,
            secrets=gathered.secrets,
            observed=gathered.observed,
            products=_inputs.products(),
            defaults=defaults,
            backdate_seconds=backdate,
            requires=arguments["requires"],
            preflight=arguments["preflight"],
            ca_places=gathered.ca_places(),
            controls=frozenset((*controls.BY_ID, *controls.NOTES, *(table.known if table else ()))),
            today=datetime.date.today(),
            now=datetime.datetime.now(datetime.timezone.utc),
            sandbox={host: own.get("sandbox") or () for host, own in gathered.own.items()},
        )
        cluster = plan(inventory, problems)
        warnings += self._passphrase(gathered, cluster, values, problems)
        moved = ca_dir.warning(cluster.ca_dir, inventory.ca_places, cluster.group) if cluster else None
        warnings += [moved] if moved else []
        if problems or cluster is None:
            errors = problems.grouped()
            return {"failed": True, "msg": text(errors), "errors": errors, "warnings": warnings}
        if cluster.advisories_file:
            cluster = replace(cluster, advisories_file=self._loader.path_dwim(cluster.advisories_file))
        return {"changed": False, "plan": cluster.as_dict(), "warnings": warnings}

    def _table(self, values: Mapping[str, object], problems: Problems) -> Table | None:
        """The known vulnerabilities; a problem where the operator's file is none."""
        path = next((value for value in values.values() if isinstance(value, str) and value), None)
        try:
            return _advisories.table(self._loader.path_dwim(path) if path else None)
        except TableError as error:
            fix = "make it with derive_advisories.py (docs/advisories.md), or remove the variable."
            problems.add("", "beam_advisories_file", "advisories_file", f"{shown(path)}: {error}.", fix)
            return None

    def _passphrase(self, gathered: _Gathered, cluster: Cluster | None, values: Mapping[str, Mapping[str, object]], problems: Problems) -> list[str]:
        """Tries the CA's key, where there is one, with the passphrase that is given."""
        secret = gathered.one_secret("beam_pki_ca_passphrase")
        directory = cluster.ca_dir if cluster else next((value for value in values["beam_pki_ca_dir"].values() if isinstance(value, str)), None)
        if secret is None or directory is None:
            return []
        path = Path(self._loader.path_dwim(directory)) / "root" / "key.pem"
        if not path.is_file():
            return []
        try:
            rule = try_passphrase(path.read_bytes(), secret)
        except ImportError:
            return ["The controller's Python has no cryptography: the CA's passphrase was not tried."]
        except OSError as error:
            problems.add("", "beam_pki_ca_dir", "ca_unreadable", f"{path} cannot be read: {error.strerror}.", "run as the user who owns the CA.")
            return []
        old = gathered.one_secret("beam_pki_ca_passphrase_old")
        if rule == "passphrase_wrong" and old is not None:
            # A run of rekey_ca_passphrase: it opens the key with the one, and encrypts it with the other.
            rule = "passphrase_old_wrong" if try_passphrase(path.read_bytes(), old) else ""
        if rule:
            variable, message, fix = _KEY_PROBLEMS[rule]
            problems.add("", variable, rule, message.replace("{path}", str(path)), fix)
        return []


_KEY_PROBLEMS = {
    "passphrase_wrong": (
        "beam_pki_ca_passphrase",
        "it does not open {path}.",
        "give the passphrase that the CA was made with, or name another beam_pki_ca_dir.",
    ),
    "passphrase_old_wrong": (
        "beam_pki_ca_passphrase_old",
        "neither it nor beam_pki_ca_passphrase opens {path}.",
        "give the passphrase that the key has now, or name another beam_pki_ca_dir.",
    ),
    "ca_key_unencrypted": (
        "beam_pki_ca_dir",
        "the CA's key {path} is not encrypted.",
        "encrypt it with beam_pki_ca_passphrase (openssl pkcs8 -topk8 -v2 aes-256-cbc), or name another beam_pki_ca_dir.",
    ),
    "ca_key_unsupported": (
        "beam_pki_ca_dir",
        "{path} is not a private key that the controller's cryptography can read.",
        "put back the CA's key.pem, or name another beam_pki_ca_dir.",
    ),
}


def try_passphrase(pem: bytes, passphrase: str) -> str:
    """The rule that the CA's key breaks, empty where the passphrase opens it. `ImportError` where the controller has no cryptography."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        load_pem_private_key(pem, passphrase.encode())
    except TypeError:
        # A passphrase was given, and the key has none.
        return "ca_key_unencrypted"
    except UnsupportedAlgorithm:
        return "ca_key_unsupported"
    except ValueError:
        return "passphrase_wrong" if b"ENCRYPTED" in pem else "ca_key_unsupported"
    return ""


class _Gathered:
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
            self.secrets[name][host] = _inputs.value_of(templar, variables, name, secret=True)
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

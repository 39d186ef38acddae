# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`beam.cluster.plan`: the cluster from the inventory, validated as a whole. Runs on the controller, once per play, touches no host."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._assess import controls
from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerability_table import TableError, VulnerabilityTable
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems, shown, text
from ansible_collections.beam.cluster.plugins.module_utils._plan import ca_dir, run_rules, variable_names
from ansible_collections.beam.cluster.plugins.module_utils._plan.cluster import SECRETS_REQUIRED, Cluster, Inventory
from ansible_collections.beam.cluster.plugins.module_utils._plan.planning import plan
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs, _vulnerability_table
from ansible_collections.beam.cluster.plugins.plugin_utils._gathered import Gathered
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
                "compromised": {"type": "bool", "default": False},
            },
        )
        problems = Problems()
        run_rules.validate_strategy(str(play_of(self._task).strategy), problems)
        run_rules.validate_check_mode(bool(self._task.check_mode), bool((task_vars or {}).get("ansible_check_mode")), problems)
        known, defaults = _inputs.specs()
        gathered = Gathered(self._templar, task_vars or {}, str(defaults["beam_group"]), problems)
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
            compromised=arguments["compromised"],
            has_ca=self._has_ca,
            ca_places=gathered.ca_places(),
            controls=frozenset((*controls.BY_ID, *controls.ADVISORIES, *(table.known if table else ()))),
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
        if cluster.vulnerabilities_file:
            cluster = replace(cluster, vulnerabilities_file=self._loader.path_dwim(cluster.vulnerabilities_file))
        return {"changed": False, "plan": cluster.as_dict(), "warnings": warnings}

    def _has_ca(self, directory: str) -> bool:
        root = Path(self._loader.path_dwim(directory)) / "root"
        return (root / "key.pem").is_file() and (root / "certificate.pem").is_file()

    def _table(self, values: Mapping[str, object], problems: Problems) -> VulnerabilityTable | None:
        """The known vulnerabilities; a problem where the operator's file is none."""
        path = next((value for value in values.values() if isinstance(value, str) and value), None)
        try:
            return _vulnerability_table.table(self._loader.path_dwim(path) if path else None)
        except TableError as error:
            fix = "make it with derive_vulnerability_table.py (docs/vulnerabilities.md), or remove the variable."
            problems.add("", "beam_advisories_file", "advisories_file", f"{shown(path)}: {error}.", fix)
            return None

    def _passphrase(self, gathered: Gathered, cluster: Cluster | None, values: Mapping[str, Mapping[str, object]], problems: Problems) -> list[str]:
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
        "give the passphrase with which the CA was created, or set another beam_pki_ca_dir.",
    ),
    "passphrase_old_wrong": (
        "beam_pki_ca_passphrase_old",
        "neither it nor beam_pki_ca_passphrase opens {path}.",
        "give the passphrase that the key has now, or set another beam_pki_ca_dir.",
    ),
    "ca_key_unencrypted": (
        "beam_pki_ca_dir",
        "the CA's key {path} is not encrypted.",
        "encrypt it with beam_pki_ca_passphrase (openssl pkcs8 -topk8 -v2 aes-256-cbc), or set another beam_pki_ca_dir.",
    ),
    "ca_key_unsupported": (
        "beam_pki_ca_dir",
        "{path} is not a private key that the controller's cryptography can read.",
        "restore the CA's key.pem, or set another beam_pki_ca_dir.",
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

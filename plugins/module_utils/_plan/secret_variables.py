# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the operator's own, the CA's directory, and the two secrets. No message shows a secret.

Private to this collection.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from .._model import secret_rules
from .._model.certificate_names import certificate_names
from .._model.observation import Observation
from .._model.problems import Problems, join_names
from . import ca_dir, variable_names
from .cluster import Inventory, Node
from .cluster_variables import Shape, read_cluster_value
from .variable_names import MISSING, Unreadable

CERTIFICATE_VARIABLES = ("beam_pki_certificate", "beam_pki_key", "beam_pki_ca")


def check_certificates(inventory: Inventory, hosts: Sequence[str], problems: Problems) -> bool:
    """Whether every member has a certificate of the operator's own. Half a set of files on a host is a problem."""
    own = 0
    for host in hosts:
        given = [name for name in CERTIFICATE_VARIABLES if inventory.value(name, host) not in (MISSING, "", None)]
        if given and len(given) < len(CERTIFICATE_VARIABLES):
            missing = ", ".join(name for name in CERTIFICATE_VARIABLES if name not in given)
            problems.add(host, missing, "certificate_incomplete", f"{', '.join(given)} is set without {missing}.", "set all three, or none.")
        own += len(given) == len(CERTIFICATE_VARIABLES)
    return bool(hosts) and own == len(hosts)


def check_secrets(
    inventory: Inventory, shape: Shape, hosts: Sequence[str], bring_your_own: bool, required: Sequence[str], problems: Problems
) -> None:
    """`bring_your_own`: every member has a certificate of the operator's own. `required`: the secrets that must be set, see `SECRETS_REQUIRED`."""
    cookie = "cookie" in required and shape.mode != "off"
    passphrase = "ca_passphrase" in required and not bring_your_own and shape.tls
    _check_secret(inventory, "beam_cookie", "cookie", hosts, secret_rules.cookie_errors, secret_rules.FIX_COOKIE, cookie, problems)
    _check_secret(
        inventory,
        "beam_pki_ca_passphrase",
        "passphrase",
        hosts,
        secret_rules.passphrase_errors,
        secret_rules.FIX_PASSPHRASE,
        passphrase,
        problems,
    )
    # It is about to go, so nothing is asked of it but that it is one.
    old, fix = "beam_pki_ca_passphrase_old", "write the passphrase that the CA's key has now, in quotes."
    _check_secret(inventory, old, "passphrase", hosts, secret_rules.text_errors, fix, False, problems)


def read_ca_dir(inventory: Inventory, shape: Shape, group: str, hosts: Sequence[str], needed: bool, problems: Problems) -> str | None:
    """The CA's directory on the controller, None where there is none. `needed`: this run signs certificates."""
    value = read_cluster_value(inventory, "beam_pki_ca_dir", hosts, problems)
    if isinstance(value, str) and value:
        if not value.startswith(("/", "~")):
            problems.add(
                "",
                "beam_pki_ca_dir",
                "ca_dir_relative",
                "the path is relative, and the tasks of a run do not agree on what it begins at.",
                "write an absolute path on the controller, for example with {{ inventory_dir }} or {{ playbook_dir }}.",
            )
            return None
        return value
    if value is not MISSING:
        problems.add("", "beam_pki_ca_dir", "type", "the directory is not a string, or empty.", "write a path on the controller.")
    else:
        return ca_dir.choose(inventory.ca_places, group, needed and shape.tls, problems)
    return None


def _check_secret(
    inventory: Inventory,
    variable: str,
    word: str,
    hosts: Sequence[str],
    errors_of: Callable[[object], list[tuple[str, str]]],
    fix: str,
    required: bool,
    problems: Problems,
) -> None:
    """One secret: set where it is required, good where it is set, the same on all members."""
    given = inventory.secrets.get(variable, {})
    validated: dict[object, list[tuple[str, str]]] = {}
    for host in hosts:
        value = given.get(host, MISSING)
        if isinstance(value, Unreadable):
            problems.add(
                host,
                variable,
                f"{word}_unreadable",
                f"it cannot be read: {value.reason}.",
                "check the vault's password and the variables that the value refers to.",
            )
        elif value is MISSING or value is None or value == "":
            if required:
                problems.add(host, variable, f"{word}_missing", "it is not set.", fix)
        else:
            key = value if isinstance(value, str) else id(value)
            if key not in validated:
                validated[key] = errors_of(value)
            for rule, message in validated[key]:
                problems.add(host, variable, rule, message, fix)
    readable = {host: given[host] for host in hosts if host in given and not isinstance(given[host], Unreadable) and given[host] is not MISSING}
    variable_names.cluster_value(variable, readable, problems)


def check_certificate(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    """The operator's own certificate: there, valid, and with the node's name."""
    paths = {name: inventory.value(name, node.host) for name in ("beam_pki_certificate", "beam_pki_key", "beam_pki_ca")}
    for variable, path in paths.items():
        if isinstance(path, str) and path and seen.exists(path) is False:
            problems.add(node.host, variable, "certificate_missing", f"there is no file {path}.", f"install it, or correct {variable}.")
    path = paths["beam_pki_certificate"]
    own = next((one for one in seen.certificates or () if one.path == path), None)
    if own is None:
        return
    if seen.epoch is not None and own.not_after < _utc(seen.epoch):
        problems.add(node.host, "beam_pki_certificate", "certificate_expired", f"{path} expired at {own.not_after}.", "install a valid certificate.")
    missing = [san for san in certificate_names(node.node.host_part) if san not in own.sans]
    if missing:
        problems.add(
            node.host,
            "beam_pki_certificate",
            "certificate_names",
            f"{path} lacks the subject alternative name {join_names(missing)} of {node.node}.",
            "install a certificate with this name.",
        )


def _utc(epoch: float) -> str:
    return datetime.datetime.fromtimestamp(epoch, tz=datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

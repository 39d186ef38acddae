# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's variables as Ansible has them: templated in a host's own view and in the view of its peers.

Private to this collection, for the action plugins: it runs on the controller only.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.template import Templar
from ansible_collections.beam.cluster.plugins.module_utils._model.product_data import ProductData
from ansible_collections.beam.cluster.plugins.module_utils._model.unit_directives import ALLOWED
from ansible_collections.beam.cluster.plugins.module_utils._plan import role_variables
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import (
    CLUSTER,
    HOST,
    MADE_BY_US,
    MISSING,
    PREFIX,
    READABLE,
    SECRET,
    Unreadable,
    looks_like_ours,
)

ROLES = Path(__file__).resolve().parents[2] / "roles"
JUDGED_BY_THE_PLAN = frozenset((*CLUSTER, *HOST, *SECRET))


def value_of(templar: Templar, variables: Mapping[str, Any], name: str, *, secret: bool = False) -> object:
    """One variable, templated; `Unreadable` where that fails, MISSING where nobody set it.

    The reason of a failure may be shown: of a secret's it names an undefined variable or the kind of error, never more.
    """
    if name not in variables:
        return MISSING
    try:
        value = templar.template(variables[name])
    except AnsibleUndefinedVariable as error:
        return Unreadable(_one_line(error))
    except AnsibleError as error:
        return Unreadable(type(error).__name__ if secret else _one_line(error))
    return str(value) if secret and isinstance(value, str) else plain(value)


def plain(value: Any) -> Any:
    """A value as it would come out of JSON: the host's own view has been through it, and both views must compare equal."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else str(value)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


def own_view(templar: Templar, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What a host sees of itself, play and role variables included, ready for a result: no secret is in it."""
    inputs: dict[str, object] = {}
    errors: dict[str, str] = {}
    for name in READABLE:
        value = value_of(templar, variables, name)
        if isinstance(value, Unreadable):
            errors[name] = value.reason
        elif value is not MISSING:
            inputs[name] = value
    wrong, sandbox = wrong_options(templar, variables), sandbox_of(templar, variables)
    return {"inputs": inputs, "errors": errors, "names": names_of(variables), "wrong": wrong, "sandbox": sandbox}


def sandbox_of(templar: Templar, variables: Mapping[str, Any]) -> list[str]:
    """The directives of beam_service_directives that the plan looks for. Others may hold a secret (Environment=)."""
    value = value_of(templar, variables, "beam_service_directives")
    listed = value if isinstance(value, list) else []
    return [one for one in listed if isinstance(one, str) and one.partition("=")[0].strip() in ALLOWED]


def wrong_options(templar: Templar, variables: Mapping[str, Any]) -> list[dict[str, str]]:
    """What is wrong with the variables of single roles: `variable`, `rule`, `message`, `fix`. No value travels to the plan: it may be secret."""
    found: list[dict[str, str]] = []
    for name, option in role_options().items():
        value = value_of(templar, variables, name)
        if value is not MISSING:
            found.extend(asdict(wrong) for wrong in role_variables.validate(option, value))
    return found


def own_value(own: Mapping[str, Any], name: str) -> object:
    """One variable back out of `own_view`."""
    if name in own.get("errors", {}):
        return Unreadable(own["errors"][name])
    return own.get("inputs", {}).get(name, MISSING)


def names_of(variables: Iterable[str]) -> list[str]:
    return sorted(name for name in variables if isinstance(name, str) and looks_like_ours(name))


@cache
def documents() -> Mapping[str, Any]:
    """The argument specs of all roles, by role."""
    found = {}
    for path in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        with path.open(encoding="utf-8") as stream:
            found[path.parents[1].name] = yaml.safe_load(stream)
    return found


@cache
def role_options() -> Mapping[str, role_variables.Option]:
    """The variables of single roles, which no rule of the plan reads."""
    return role_variables.options(documents(), JUDGED_BY_THE_PLAN)


def specs() -> tuple[frozenset[str], dict[str, object]]:
    """The names of all variables of this collection, and the defaults of those that belong to the cluster."""
    known: set[str] = set(MADE_BY_US)
    defaults: dict[str, object] = {}
    for document in documents().values():
        for entry in document["argument_specs"].values():
            for name, option in entry.get("options", {}).items():
                known.add(name)
                if "default" in option:
                    defaults[name] = option["default"]
    return frozenset(name for name in known if name.startswith(PREFIX)), defaults


def products() -> dict[str, ProductData]:
    """The data of every product, by name: the folders of the role `product`."""
    found = {}
    for path in sorted((ROLES / "product" / "products").glob("*/vars.yml")):
        with path.open(encoding="utf-8") as stream:
            found[path.parent.name] = ProductData.parse(yaml.safe_load(stream)["__beam_product"])
    return found

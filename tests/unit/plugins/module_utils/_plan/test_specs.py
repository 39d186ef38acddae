# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The argument specs of the roles have the types and choices that the plan accepts.

Documentation, surveys and editors read the argument specs; the plan validates with its own rules.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.beam.cluster.plugins.module_utils._model import waivers
from ansible_collections.beam.cluster.plugins.module_utils._plan import cluster_variables, members, role_variables
from ansible_collections.beam.cluster.plugins.module_utils._plan.cluster import SECRETS_REQUIRED
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import CLUSTER, HOST, SECRET
from ansible_collections.beam.cluster.plugins.plugin_utils import _inputs
from plan_world import DEFAULTS, WAIVER, World
from test_any_json import NASTY

SPEC: Mapping[str, Mapping[str, Any]] = _inputs.documents()["plan"]["argument_specs"]["main"]["options"]
CHOICES: Mapping[str, object] = {
    "beam_state": cluster_variables.STATES,
    "beam_mode": cluster_variables.MODES,
    "beam_discovery": cluster_variables.DISCOVERIES,
    "beam_restart": cluster_variables.RESTARTS,
    "beam_firewall": cluster_variables.FIREWALLS,
    "beam_tls_versions": cluster_variables.TLS_VERSIONS,
    "beam_dist_auto_connect": cluster_variables.SETTINGS["dist_auto_connect"],
    "beam_product": tuple(sorted(_inputs.products())),
    "beam_nodes.product": tuple(sorted(_inputs.products())),
    "beam_nodes.state": cluster_variables.STATES,
    "beam_waivers.status": waivers.STATUSES,
    "beam_plan_requires": SECRETS_REQUIRED,
}
KEYS = {"beam_nodes": members._NODE_KEYS, "beam_members": members._MEMBER_KEYS, "beam_waivers": waivers.KEYS}
REQUIRED = {"beam_nodes": (), "beam_members": ("node", "address"), "beam_waivers": waivers.REQUIRED}
BAD: Mapping[str, tuple[object, ...]] = {
    "str": ({}, ["x"], ""),
    "path": ({}, ["x"], ""),
    "bool": ("perhaps", 2, {}, ["x"]),
    "int": ("soon", 0.5, {}, True),
    "list": ("x", 7, {}, [7], True),
}
# Empty means the same as not set.
EMPTY_IS_UNSET = {"beam_compromised", "beam_revoke", "beam_unrevoke", "beam_advisories_file", "beam_plaintext_accepted"}
GOOD: Mapping[str, tuple[object, ...]] = {
    "beam_address": ("10.0.0.2",),
    "beam_ports": (9100, "9100", "9100-9109"),
    "beam_nodes": ([{"name": "web", "hidden": "yes", "ports": 9200, "unit": None}],),
    "beam_members": ([{"node": "beam@n1", "address": "10.0.0.1", "ports": 9100, "hidden": 0}],),
    "beam_waivers": ([WAIVER], [{**WAIVER, "until": datetime.date(2026, 12, 1), "status": "failed"}]),
    "beam_node_name": ("beam@n2",),
    "beam_interface": ("eth0",),
    "beam_outsiders": ("outsiders",),
    "beam_pki_ca_dir": ("/srv/ca",),
    "beam_advisories_file": ("vulnerabilities.json",),
}
WORDS = ("true", "yes", "on", "1", "false", "no", "off", "0", True, False, 0, 1, "4", 4, "60", 60, 3600, *DEFAULTS.values())


def all_options(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for entry in document["argument_specs"].values():
        for name, option in (entry.get("options") or {}).items():
            yield name, option
            yield from ((f"{name}.{key}", part) for key, part in option.get("options", {}).items())


@pytest.mark.parametrize("role", sorted(_inputs.documents()))
def test_every_option_has_a_type(role: str) -> None:
    for name, option in all_options(_inputs.documents()[role]):
        assert option.get("type", "raw") != "raw", name
        assert option["type"] != "list" or option.get("elements", "raw") != "raw", name
        assert option.get("elements") != "dict" or option["options"], name


def test_choices() -> None:
    found = {name: tuple(option["choices"]) for name, option in all_options(_inputs.documents()["plan"]) if "choices" in option}
    assert found == CHOICES


@pytest.mark.parametrize("name", sorted(KEYS))
def test_keys_of_entries(name: str) -> None:
    assert set(SPEC[name]["options"]) == set(KEYS[name])
    assert {key for key, part in SPEC[name]["options"].items() if part.get("required")} == set(REQUIRED[name])


@pytest.mark.parametrize("name", sorted(cluster_variables.SETTINGS))
def test_types_of_kernel_parameters(name: str) -> None:
    allowed = cluster_variables.SETTINGS[name]
    assert SPEC[f"beam_{name}"]["type"] == ("int" if isinstance(allowed, range) else "bool" if isinstance(allowed[0], bool) else "str")
    if isinstance(allowed, range):
        assert f"{allowed.start} to {allowed.stop - 1}" in SPEC[f"beam_{name}"]["description"]


def test_paths() -> None:
    paths = {name for name, (what, _is_good) in role_variables._FORMS.items() if what == "an absolute path"}
    assert paths <= {name for document in _inputs.documents().values() for name, option in all_options(document) if option["type"] == "path"}


def refused(name: str, value: object) -> bool:
    """Whether the plan has a problem with the value or a part of it. Null is the same as not set."""
    world = World()
    world.values[name].update(dict.fromkeys(("n2",) if name in HOST else world.run, value))
    if name == "beam_interface":
        # An address makes it unused.
        del world.values["beam_address"]["n2"]
    return any(problem.variable.startswith(name) or problem.rule == "plaintext_said_once" for problem in world.validate()[1])


@pytest.mark.parametrize("name", [name for name in (*CLUSTER, *HOST) if name != "beam_group"])
def test_the_plan_refuses_other_types_and_choices(name: str) -> None:
    for value in BAD[SPEC[name]["type"]]:
        if not (value == "" and name in EMPTY_IS_UNSET):
            assert refused(name, value), value
    if "choices" in SPEC[name]:
        assert refused(name, "no such choice")


@pytest.mark.parametrize("name", [*CLUSTER, *HOST])
def test_what_the_plan_accepts_is_valid_by_the_spec(name: str) -> None:
    option = {key: part for key, part in SPEC[name].items() if key not in ("default", "description", "version_added")}
    accepted = 0
    for value in (*NASTY, *WORDS, *CHOICES.get(name, ()), *GOOD.get(name, ())):  # type: ignore[misc]
        if value is not None and not refused(name, value):
            accepted += 1
            assert ArgumentSpecValidator(_plain({name: option})).validate({name: value}).error_messages == [], value
    assert accepted


def _plain(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec without what only documentation reads."""
    return {
        name: {key: _plain(part) if key == "options" else part for key, part in option.items() if key not in ("description", "version_added")}
        for name, option in spec.items()
    }


def test_secrets_have_no_choices() -> None:
    for name in SECRET:
        assert set(SPEC[name]) == {"type", "description"} and SPEC[name]["type"] == "str"

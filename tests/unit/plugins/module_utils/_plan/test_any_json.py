# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any value in any variable ends in problems or in a cluster, never in another exception.

BEAM_PLAN_INVENTORIES says how many inventories are tried (300); `make fuzz` tries 10,000.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import text
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING, READABLE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plan_world import DEFAULTS, HOSTS, WAIVER, World

INVENTORIES = int(os.environ.get("BEAM_PLAN_INVENTORIES", "300"))
DEEP: list[Any] = []
for _level in range(2000):
    DEEP = [DEEP]
NASTY = [
    "", " ", "{}", "{0}", "{name}", "a{b", "a}b", "%s", "../..", "/", "\0", "\x1b[2J", "\ud800", "\u202e", "\u0661", "n1\n", "x" * 5000, "-", "@",
    "a@", "@b", "a@b@c", "beam@ 10.0.0.1", "10.0.0.1\n", "fe80::1%eth0", "::ffff:10.0.0.1", "9100-", "-9100", "0-0", "99999-99999", "true", "off",
    0, -1, 1, 10**20, 10**5000, -(10**5000), 0.5, float("nan"), float("inf"), 1e308, True, False, None, [], {}, [[]], [None], {"": None}, [{}], DEEP,
    "root; x", "my-{instance}.service", "a{}.service", "7", 7, "maybe", ["tlsv1.3", []], {"control": ["x"]}, "no", "2027-01-31",
]  # fmt: skip
LEAVES = st.one_of(
    # By place: hypothesis cannot print all of them.
    st.integers(0, len(NASTY) - 1).map(lambda index: NASTY[index]),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None), max_size=12),
    st.sampled_from([*HOSTS, "beam", "outsiders", "cluster", "standalone", "epmd", "fixed_port", "10.0.0.1", "fd00::2", "9100", "9100-9109"]),
    st.sampled_from([*DEFAULTS.values(), "rabbitmq", "emqx", "carrot", "eth0", "eth1", "web.service", "beam@n1", "web"]),
)
KEYS = st.one_of(
    st.sampled_from(["name", "node", "address", "interface", "ports", "product", "unit", "user", "hidden", "host", *WAIVER, "status"]),
    st.text(max_size=4),
)
# Hypothesis needs 30 microseconds for each value that it draws, the plan a millisecond for an inventory: few values, many inventories.
JSON = st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=2)), max_leaves=4)
ENTRIES = st.lists(st.dictionaries(KEYS, st.one_of(LEAVES, LEAVES, JSON), max_size=4), max_size=2)
VARIABLES = (*READABLE, "ansible_host", "beam_cookie", "beam_pki_ca_passphrase")
BENDS = st.dictionaries(
    st.tuples(st.sampled_from(VARIABLES), st.sampled_from([("n2",), ("n1", "n3"), HOSTS, (*HOSTS, "outsider")])),
    st.one_of(JSON, ENTRIES),
    min_size=1,
    max_size=4,
)


def validate(bends: dict[tuple[str, tuple[str, ...]], Any]) -> None:
    world = World()
    for (variable, hosts), value in bends.items():
        values = world.secrets if variable in world.secrets else world.values
        values.setdefault(variable, {}).update(dict.fromkeys(hosts, value))
    cluster, problems = world.validate()
    assert (cluster is None) == bool(problems)
    if cluster is not None:
        json.dumps(cluster.as_dict())
    # What Ansible prints: text that can be written, without a terminal's commands.
    message = text(problems.grouped())
    message.encode()
    assert all(character.isprintable() or character == "\n" for character in message)


@given(BENDS)
@settings(max_examples=INVENTORIES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_json_in_any_variable(bends: dict[tuple[str, tuple[str, ...]], Any]) -> None:
    validate(bends)


@pytest.mark.parametrize("variable", VARIABLES)
def test_each_variable_with_each_nasty_value(variable: str) -> None:
    for value in (*NASTY, MISSING):
        for hosts in (("n2",), (*HOSTS, "outsider")):
            validate({(variable, hosts): value})


@pytest.mark.parametrize("variable", ["beam_nodes", "beam_members", "beam_waivers"])
def test_each_key_of_an_entry_with_each_nasty_value(variable: str) -> None:
    good: dict[str, dict[str, Any]] = {
        "beam_nodes": dict.fromkeys(("address", "interface", "ports", "product", "unit", "user", "hidden", "state")) | {"name": "web"},
        "beam_members": {"node": "beam@n1", "address": "10.0.0.1", "ports": "9100", "host": "n1", "hidden": False},
        "beam_waivers": {**WAIVER, "host": "n1", "status": "failed"},
    }
    entry = {key: value for key, value in good[variable].items() if value is not None}
    for key in good[variable]:
        for value in NASTY:
            validate({(variable, (*HOSTS, "outsider")): [{**entry, key: value}]})

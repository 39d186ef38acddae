# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are nearly right, and values that a host's peers do not see."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._plan import variable_names
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING, Unreadable

SPEC = Path(__file__).resolve().parents[5] / "roles" / "plan" / "meta" / "argument_specs.yml"
OPTIONS = yaml.safe_load(SPEC.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
KNOWN = frozenset([*OPTIONS, *variable_names.OTHERS, "beam_firewall_extra_rules", "beam_plan"])


def test_the_argument_spec_names_the_same_variables() -> None:
    ours = {*variable_names.CLUSTER, *variable_names.HOST, *variable_names.SECRET}
    # The lock is taken before there is a plan.
    assert ours == {name for name in OPTIONS if not name.startswith("beam_plan_")} - {"beam_lock_override"}


def test_a_variable_is_the_clusters_or_a_hosts() -> None:
    groups = (variable_names.CLUSTER, variable_names.HOST, variable_names.SECRET, variable_names.OTHERS)
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert not set(variable_names.SECRET) & set(variable_names.READABLE)


def test_a_secret_has_no_default_and_no_choice() -> None:
    for name in variable_names.SECRET:
        assert set(OPTIONS[name]) == {"type", "description"}


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_letter_left_out_doubled_or_swapped_is_noticed(name: str) -> None:
    body = range(len("beam_"), len(name))
    typed = {name[:at] + name[at + 1 :] for at in body}
    typed |= {name[:at] + name[at] + name[at:] for at in body}
    typed |= {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in body if at + 1 < len(name)}
    for one in typed - KNOWN:
        assert variable_names.near_miss(one, KNOWN), one


@pytest.mark.parametrize(
    "typed,meant",
    [
        ("beam_adress", "beam_address"),
        ("beam_adresss", "beam_address"),
        ("beam_port", "beam_ports"),
        ("beam_node", "beam_nodes"),
        ("beam_nodename", "beam_node_name"),
        ("beamaddress", "beam_address"),
        ("beam_tls_version", "beam_tls_versions"),
        ("beam_pki_ca_pasphrase", "beam_pki_ca_passphrase"),
        ("BEAM_COOKIE", "beam_cookie"),
        ("beam_coookie", "beam_cookie"),
        ("beam-group", "beam_group"),
    ],
)
def test_near_misses(typed: str, meant: str) -> None:
    assert variable_names.near_miss(typed, KNOWN) == meant


@pytest.mark.parametrize("name", ["beam_colour", "beam_team", "beam_vault_password", "beam_my_own_thing", "beamer"])
def test_names_of_ones_own(name: str) -> None:
    assert variable_names.near_miss(name, KNOWN) is None


def test_judging_names() -> None:
    problems = Problems()
    names = {"n1": ["beam_adress", "beam_colour", "beam_address"], "n2": ["beam_adress", "beamer", "beam_plan"]}
    assert variable_names.validate_names(names, KNOWN, problems) == ["beam.cluster knows no variable beam_colour: it has no effect."]
    assert [(problem.host, problem.variable, problem.rule) for problem in problems] == [
        ("n1", "beam_adress", "near_miss"),
        ("n2", "beam_adress", "near_miss"),
    ]
    assert "beam_address" in str(problems.grouped()[0]["fix"])


@pytest.mark.parametrize(
    "left,right,edits", [("", "", 0), ("ab", "ba", 1), ("kitten", "sitting", 3), ("abc", "abc", 0), ("a", "abcd", 3), ("ca", "abc", 3)]
)
def test_distance(left: str, right: str, edits: int) -> None:
    assert variable_names.distance(left, right, 3) == variable_names.distance(right, left, 3) == edits
    assert variable_names.distance(left, right, 1) == min(edits, 2)


def settle(seen: dict[str, object], own: dict[str, object]) -> tuple[dict[str, object], list[tuple[str, str]]]:
    problems = Problems()
    return variable_names.effective_values("beam_ports", seen, own, problems), [(problem.host, problem.rule) for problem in problems]


def test_what_peers_see_counts() -> None:
    assert settle({"n1": 1, "n2": 2, "n3": MISSING}, {"n1": 1, "n2": 2}) == ({"n1": 1, "n2": 2, "n3": MISSING}, [])


def test_a_constant_of_the_play_counts_for_all() -> None:
    assert settle({"n1": MISSING, "n2": MISSING, "n3": MISSING}, {"n1": 7, "n2": 7}) == ({"n1": 7, "n2": 7, "n3": 7}, [])


def test_a_constant_of_the_play_wins_over_the_inventory() -> None:
    assert settle({"n1": 1, "n2": 7}, {"n1": 7, "n2": 7}) == ({"n1": 7, "n2": 7}, [])


def test_an_own_value_that_peers_do_not_see_is_a_mistake() -> None:
    settled, problems = settle({"n1": MISSING, "n2": MISSING}, {"n1": 1, "n2": 2})
    assert problems == [("n1", "invisible_to_peers"), ("n2", "invisible_to_peers")]
    assert settled == {"n1": 1, "n2": 2}


def test_an_own_value_of_one_host_is_a_mistake() -> None:
    assert settle({"n1": 1, "n2": 2}, {"n1": 1, "n2": 3})[1] == [("n2", "invisible_to_peers")]


def test_a_template_that_fails_is_a_mistake() -> None:
    failed = Unreadable("'x' is undefined")
    assert settle({"n1": failed, "n2": 2}, {"n1": failed, "n2": 2}) == ({"n1": MISSING, "n2": 2}, [("n1", "undefined")])


def test_a_template_that_only_the_host_can_resolve_is_a_mistake_unless_all_resolve_it_alike() -> None:
    failed = Unreadable("'play_variable' is undefined")
    assert settle({"n1": failed, "n2": failed}, {"n1": 1, "n2": 1}) == ({"n1": 1, "n2": 1}, [])
    assert settle({"n1": failed, "n2": 2}, {"n1": 1, "n2": 2})[1] == [("n1", "invisible_to_peers")]


def test_agreeing() -> None:
    problems = Problems()
    assert variable_names.cluster_value("beam_mode", {}, problems) is MISSING
    assert variable_names.cluster_value("beam_mode", {"n1": "a", "n2": "a"}, problems) == "a"
    assert not problems
    assert variable_names.cluster_value("beam_mode", {"n1": "b", "n2": "a", "n3": "a"}, problems) == "a"
    assert [(problem.host, problem.rule) for problem in problems] == [("n1", "differs")]


@pytest.mark.parametrize("text,seconds", [("1h", 3600), ("90s", 90), ("1d12h", 129600), ("-5m", 300), ("2w", 1209600), ("0s", 0)])
def test_durations(text: str, seconds: int) -> None:
    assert variable_names.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "1 h", "1y", "soon", "-+1h", "+-1h", "--1h", None, 3600])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError):
        variable_names.seconds(text)

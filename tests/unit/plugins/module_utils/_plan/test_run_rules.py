# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules about a run itself. What Ansible adds to them is tested with the action plugins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._plan import run_rules

GOOD = run_rules.Run(group="beam", groups={"beam": ["n1", "n2"], "web": ["w1"], "none": []}, hosts=frozenset(("n1", "n2", "w1")))


def rules(run: run_rules.Run) -> list[str]:
    problems = Problems()
    run_rules.validate(run, problems)
    return [problem.rule for problem in problems]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (GOOD, []),
        (replace(GOOD, hosts=frozenset(("n2",))), []),
        (replace(GOOD, hosts=frozenset(("w1",))), ["limit_excludes_all"]),
        (replace(GOOD, group="other"), ["group_missing"]),
        (replace(GOOD, group="none"), ["group_empty"]),
        (replace(GOOD, group=["beam"]), ["type"]),
        (replace(GOOD, group=None), ["type"]),
        (replace(GOOD, group=""), ["type"]),
        (replace(GOOD, inventory_groups={"n1": "beam"}), []),
        (replace(GOOD, inventory_groups={"w1": "web"}), []),
        (replace(GOOD, inventory_groups={"n1": "web"}), ["group_in_inventory"]),
        (replace(GOOD, group="other", inventory_groups={"w1": "web"}), ["group_in_inventory"]),
        (replace(GOOD, tags=frozenset(("all",)), offered=frozenset(("beam_pki",))), []),
        (replace(GOOD, tags=frozenset(("beam_pki", "mine")), offered=frozenset(("beam_pki",))), []),
        (replace(GOOD, tags=frozenset(("pki",)), offered=frozenset(("beam_pki",))), ["tags_select_nothing"]),
    ],
)
def test_a_run_that_would_do_nothing(run: run_rules.Run, expected: list[str]) -> None:
    assert rules(run) == expected


@pytest.mark.parametrize(
    ("strategy", "refused"),
    [("linear", False), ("free", True), ("ansible.builtin.free", True), ("host_pinned", True), ("mitogen_linear", False), ("mitogen_free", True)],
)
def test_strategies(strategy: str, refused: bool) -> None:
    problems = Problems()
    run_rules.validate_strategy(strategy, problems)
    assert [problem.rule for problem in problems] == ["strategy_not_linear"] * refused


@pytest.mark.parametrize(("of_task", "of_run"), [(False, False), (True, True), (True, False), (False, True)])
def test_check_mode_of_a_play(of_task: bool, of_run: bool) -> None:
    problems = Problems()
    run_rules.validate_check_mode(of_task, of_run, problems)
    assert [problem.rule for problem in problems] == ["check_mode_of_play"] * (of_task != of_run)


def test_tags_of_a_playbook() -> None:
    assert run_rules.offered_tags([{"tags": "always"}, {"tags": ["a", "always"]}, {"tags": "b"}, {}]) == {"a", "b"}

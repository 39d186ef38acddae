# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose lock counts: that of a run that exists, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.run_lock_rules import (
    INITIAL_NAMESPACE,
    Controller,
    Holder,
    described,
    is_over,
)

HOLDER = Holder("alice", "laptop", "boot-1", INITIAL_NAMESPACE, 4711, "99", "beam.cluster.site", since=1000.0)
HERE = Controller("laptop", "boot-1", INITIAL_NAMESPACE)
CONTAINER = replace(HERE, namespace="pid:[4026532000]")


@pytest.mark.parametrize(
    ("what", "here", "alive", "age", "over"),
    [
        ("it runs here", HERE, True, 60, False),
        ("it ran here, and its process is gone", HERE, False, 60, True),
        ("it runs on another controller, where nobody can look", Controller("desk", "boot-9", INITIAL_NAMESPACE), False, 60, False),
        ("this controller was booted since", replace(HERE, boot="boot-2"), False, 60, True),
        ("a container of the same name, of another machine", replace(CONTAINER, boot="boot-2"), False, 60, False),
        ("a container of the same name, of this machine", CONTAINER, False, 60, False),
        ("it is old, wherever it runs", Controller("desk", "boot-9", INITIAL_NAMESPACE), False, 6 * 3600 + 1, True),
        ("it is old, and runs here", HERE, True, 6 * 3600 + 1, True),
        ("the clock of the host was set back", HERE, True, -7200, False),
    ],
)
def test_whose_lock_counts(what: str, here: Controller, alive: bool, age: float, over: bool) -> None:
    assert is_over(HOLDER, here, alive, HOLDER.since + age) is over, what


def test_a_holder_is_read_again_as_it_was_written() -> None:
    assert Holder.parse(HOLDER.as_dict()) == HOLDER


@pytest.mark.parametrize("raw", [None, [], "text", {}, {**HOLDER.as_dict(), "pid": None}, {**HOLDER.as_dict(), "pid": "many"}])
def test_what_is_no_record_is_nobodys(raw: object) -> None:
    assert Holder.parse(raw) is None


def test_it_says_who_from_where_since_when_and_what() -> None:
    assert described(HOLDER, 1000.0 + 200) == "alice@laptop runs beam.cluster.site (pid 4711) since 1970-01-01 00:16 UTC (3 min)"

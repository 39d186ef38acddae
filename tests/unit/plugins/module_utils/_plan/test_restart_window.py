# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When nodes may restart: `beam_restart_window`, in UTC."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._plan.restart_window import read_window
from plan_world import World


def at(text: str) -> datetime:
    """2026-11-23 is a Monday."""
    return datetime.fromisoformat(f"2026-11-{text}").replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        ("02:00-05:00", "23 02:00", None),
        ("02:00-05:00", "23 04:59", None),
        ("02:00-05:00", "23 05:00", "24 02:00"),
        ("02:00-05:00", "23 01:59", "23 02:00"),
        ("Sat 02:00-05:00", "26 17:00", "28 02:00"),
        ("Sat 02:00-05:00", "28 05:00", "05"),
        ("sat,SUN 02:00 - 05:00", "28 06:00", "29 02:00"),
        ("Mon-Fri 22:00-04:00", "28 03:59", None),
        ("Mon-Fri 22:00-04:00", "29 03:59", "30 22:00"),
        ("Fri-Mon 1:00-2:00", "24 01:30", "27 01:00"),
        ("22:00-24:00", "23 23:59", None),
        ("22:00-24:00", "24 00:00", "24 22:00"),
        ("Sun 23:00-01:00", "23 00:30", None),
    ],
)
def test_when_it_is_open_and_when_it_opens(window: str, now: str, opens: str | None) -> None:
    problems = Problems()
    read = read_window(window, problems)
    assert read and not problems
    found = read.opens(at(now))
    assert (found and found.strftime("%d %H:%M")) == ("05 02:00" if opens == "05" else opens)


@pytest.mark.parametrize("value", ["any", None])
def test_at_any_time(value: object) -> None:
    problems = Problems()
    assert read_window(value, problems) is None and not problems


@pytest.mark.parametrize(
    "value",
    ["", 7200, True, [], "soon", "02:00", "02:00-02:00", "25:00-26:00", "02:60-03:00", "Sam 02:00-05:00", "Mon- 02:00-03:00", "Sat, 02:00-03:00"],
)
def test_what_is_no_window_is_an_error(value: object) -> None:
    problems = Problems()
    assert read_window(value, problems) is None
    assert [error["rule"] for error in problems.grouped()] == ["format"]


@pytest.mark.parametrize(("window", "opens"), [("any", ""), ("16:00-18:00", ""), ("Sat 02:00-05:00", "Sat 2026-11-28 02:00 UTC")])
def test_the_plan_says_when_nodes_may_restart(window: str, opens: str) -> None:
    world = World()
    world.set("beam_restart_window", window)
    world.more["now"] = at("26 17:00")
    assert world.cluster()["restart_from"] == opens


def test_the_plan_refuses_what_is_no_window() -> None:
    world = World()
    world.set("beam_restart_window", "at night")
    assert {(one.variable, one.rule) for one in world.validate()[1]} == {("beam_restart_window", "format")}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is accepted while restarts wait for beam_restart_window: that a node was not restarted yet, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess import postponed_restarts
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate

FROM = "Sat 2026-11-28 02:00 UTC"


def old_files(host: dict[str, Any]) -> None:
    host["processes"][0]["digest"] = "0ld"


def as_root(host: dict[str, Any]) -> None:
    old_files(host)
    host["processes"][0]["user"] = "root"


def stopped(host: dict[str, Any]) -> None:
    host["processes"] = []


@pytest.mark.parametrize(("change", "accepted"), [(old_files, ["running-process"]), (as_root, []), (stopped, [])])
def test_only_what_waits_for_its_restart_is_accepted(change: Callable[[dict[str, Any]], None], accepted: list[str]) -> None:
    hosts = made.hosts()
    change(hosts["n1"])
    evidence = made.evidence(seen=hosts)
    found = evaluate(evidence)
    waivers = postponed_restarts.waivers(FROM, found.failures)
    assert [waiver.control for waiver in waivers] == accepted
    assert postponed_restarts.waivers("", found.failures) == []
    if accepted:
        verdict = evaluate(evidence, waivers)
        assert not [one for one in verdict.failures if one.control in accepted] and not verdict.unused_waivers
        said = f"restarts wait for the window, {FROM} (until 2026-11-28, {postponed_restarts.OWNER})"
        assert [one.waiver for one in verdict.findings if one.waiver] == [said]

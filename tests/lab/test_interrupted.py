# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that dies loses nothing: the next one converges, and the running processes use the new files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import NODES, Lab, recap, until

# (the task at whose beginning the run dies, a change that makes the run do something). The second window differs from the
# first, so that each run has files to write and nodes to restart.
MOMENTS = [
    pytest.param("firewall |", "9110-9112", id="doors"),
    pytest.param("drop-in", "9120-9122", id="files-changed-not-restarted"),
    pytest.param("restart |", "9130-9132", id="between-two-restarts"),
]


@pytest.mark.parametrize(("moment", "window"), MOMENTS)
def test_killed_run_converges(lab: Lab, mesh: Callable[[], bool], moment: str, window: str) -> None:
    change = ("--extra-vars", f"beam_ports={window}")
    lab.kill_play_at(moment, *change)

    again = lab.play(*change)
    assert again.returncode == 0, again.stdout[-4000:]
    first = window.split("-")[0]
    for host in NODES:
        listening = lab.on(host, "ss -Htlnp | grep beam.smp")
        assert f":{first} " in listening, f"{host} runs with old files:\n{listening}"
        assert lab.on(host, "systemctl show -p NeedDaemonReload --value beam.service").strip() == "no"
    third = lab.play(*change)
    assert third.returncode == 0
    assert {host: counts["changed"] for host, counts in recap(third.stdout).items()} == dict.fromkeys(recap(third.stdout), 0)


def test_back_to_the_window_of_the_inventory(lab: Lab, mesh: Callable[[], bool]) -> None:
    done = lab.play()
    assert done.returncode == 0, done.stdout[-4000:]
    until(mesh, 30, "a whole mesh")

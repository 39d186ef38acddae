# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that dies loses nothing: the next one converges, and the running processes use the new files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import NODES, Lab, recap, until

# The task at whose beginning the run dies, at which turn, and a change that makes the run do something: another window each time, so
# that there are files to write and nodes to restart.
MOMENTS = [
    pytest.param("firewall : table | Load the rules", 1, "9110-9112", id="before-the-doors"),
    pytest.param("service : reload_units | Check whether systemd", 1, "9120-9122", id="files-changed-not-restarted"),
    pytest.param("service : restart_node | Restart the node", 2, "9130-9132", id="between-two-restarts"),
]


@pytest.mark.parametrize(("task", "turn", "window"), MOMENTS)
def test_killed_run_converges(lab: Lab, mesh: Callable[..., bool], task: str, turn: int, window: str) -> None:
    change = ("--extra-vars", f"beam_ports={window}")
    lab.kill_play_at(task, turn, *change)

    again = lab.play(*change)
    assert again.returncode == 0, again.stdout[-4000:]
    first = window.split("-")[0]
    for host in NODES:
        listening = lab.on(host, "ss -Htlnp | grep beam.smp")
        assert f":{first} " in listening, f"{host} runs with old files:\n{listening}"
        assert lab.on(host, "systemctl show -p NeedDaemonReload --value beam.service").strip() == "no"
    until(lambda: mesh(first), 30, "a whole mesh")


def test_back_to_the_port_range_of_the_inventory(lab: Lab, mesh: Callable[..., bool]) -> None:
    done = lab.play()
    assert done.returncode == 0, done.stdout[-4000:]
    until(lambda: mesh("9100"), 30, "a whole mesh")
    second = lab.play()
    assert {counts["changed"] for counts in recap(second.stdout).values()} == {0}, second.stdout[-4000:]

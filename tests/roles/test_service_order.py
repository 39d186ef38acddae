# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a node that was restarted waits for: Ansible takes the hosts in the order in which their answers arrive, not in that of the list."""

from __future__ import annotations

from pathlib import Path

import yaml
from ansible.template import Templar, trust_as_template

TASKS = Path(__file__).resolve().parents[2] / "roles" / "service" / "tasks" / "restart_nodes.yml"
HOSTS = ("n1", "n2", "n3", "n4")


def done(turn: str, waiting: tuple[str, ...], restarted: tuple[str, ...], last: tuple[str, ...] = ()) -> list[str]:
    """The nodes that the one of host `turn` waits for: those of `waiting` had to restart, those of `restarted` have, those of `last` start last."""
    (task,) = (task for task in yaml.safe_load(TASKS.read_text(encoding="utf-8")) if "| Restart outdated" in task["name"])
    entries = {host: {"host": host, "node": {"node": f"beam@{host}"}} for host in HOSTS}
    variables = {
        "__beam_service_all_states": list(entries.values()),
        "__beam_service_order": {"restart": [entries[host] for host in waiting], "start_last": [entries[host] for host in last], "waiting": []},
        "__beam_node": entries[turn]["node"],
        "ansible_play_hosts": list(HOSTS),
        # A host that was not compared has no such list.
        "hostvars": {"n4": {}} | {host: {"__beam_service_restarted": [f"beam@{host}"] if host in restarted else []} for host in HOSTS[:3]},
    }
    found = Templar(variables=variables).template(trust_as_template(task["vars"]["__beam_current_peers"]))
    return sorted(node.partition("@")[2] for node in found)


def test_those_that_need_no_restart_are_waited_for() -> None:
    assert done("n1", ("n1", "n2"), ()) == ["n3", "n4"]


def test_those_that_have_restarted_are_waited_for_wherever_they_stand_in_the_list() -> None:
    assert done("n1", ("n1", "n2", "n3"), ("n3",)) == ["n3", "n4"]
    assert done("n3", ("n1", "n2", "n3"), ("n1", "n2")) == ["n1", "n2", "n4"]


def test_a_node_with_its_old_cookie_is_not_waited_for() -> None:
    assert "n2" not in done("n3", ("n1", "n2", "n3"), ("n1",))


def test_a_new_node_that_starts_after_the_restarts_is_not_waited_for() -> None:
    assert done("n1", ("n1", "n2", "n3"), ("n2",), last=("n4",)) == ["n2"]


def test_a_node_does_not_wait_for_itself() -> None:
    assert "n1" not in done("n1", ("n1",), ("n1",))


def test_the_watcher_is_started_for_nodes_alone_that_carry_our_flags() -> None:
    """It kills a VM without them: a node that is to be taken over, or restarted, stops in good order and comes back with its watcher."""
    (task,) = yaml.safe_load((TASKS.parent / "start_watchers.yml").read_text(encoding="utf-8"))
    states = [
        {"node": {"unit": f"{runs}-{current}"}, "runs": runs, "current": current} for runs in (True, False) for current in (True, False)
    ]
    found = Templar(variables={"__beam_service_states": states}).template(trust_as_template(task["loop"]))
    assert [state["node"]["unit"] for state in found] == ["True-True"]

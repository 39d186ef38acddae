# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules about a run itself: a run that would do nothing is an error, and so is a strategy that cannot run a cluster.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._model.problems import Problems, join_names

DEFAULT_GROUP = "beam"
"""The group that the playbooks target if nobody sets beam_group."""

_EVERY_TASK = frozenset(("all", "tagged", "always"))
_NOT_LINEAR = ("free", "host_pinned")


@dataclass(frozen=True)
class Run:
    """A run of one of our playbooks, before its first task on a host.

    `group` is beam_group as a play sees it: extra variables, else the variables of an import. `hosts` are the hosts that the run can
    reach: all of the inventory, less what --limit leaves out. `inventory_groups` is host -> beam_group, for hosts whose inventory
    variables set it. `tags` are those of the command line, `offered` those that tasks of our playbooks have.
    """

    group: object
    groups: Mapping[str, Sequence[str]]
    hosts: frozenset[str]
    inventory_groups: Mapping[str, object] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    offered: frozenset[str] = frozenset()


def validate(run: Run, problems: Problems) -> None:
    """Adds a problem for everything because of which the run would touch no host."""
    _group(run, problems)
    if run.tags and not run.tags & (_EVERY_TASK | run.offered):
        problems.add(
            "",
            "--tags",
            "tags_select_nothing",
            f"no task has a tag of {', '.join(sorted(run.tags))}.",
            f"use one of {', '.join(sorted(run.offered))}, or leave --tags out.",
        )


def _group(run: Run, problems: Problems) -> None:
    group = run.group
    if not isinstance(group, str) or not group:
        problems.add("", "beam_group", "type", "the value is not the name of a group.", "set beam_group to the name of one inventory group.")
        return
    members = run.groups.get(group, ())
    elsewhere = {host: value for host, value in run.inventory_groups.items() if isinstance(value, str) and value != group}
    if elsewhere and (not members or any(host in elsewhere for host in members)):
        value = next(iter(elsewhere.values()))
        problems.add(
            "",
            "beam_group",
            "group_in_inventory",
            f"the inventory sets beam_group to {value} for {join_names(elsewhere)}, but a play cannot see it and targets the group {group}.",
            f"run with -e beam_group={value}.",
        )
    elif group not in run.groups:
        problems.add(
            "", "beam_group", "group_missing", f"the inventory has no group {group}.", "add the group, or run with -e beam_group=<name of the group>."
        )
    elif not members:
        problems.add(
            "", "beam_group", "group_empty", f"the group {group} has no host.", "add hosts to it, or run with -e beam_group=<name of the group>."
        )
    elif run.hosts.isdisjoint(members):
        problems.add("", "--limit", "limit_excludes_all", f"--limit leaves no host of the group {group}.", f"limit the run to hosts of {group}.")


def validate_strategy(strategy: str, problems: Problems) -> None:
    """A cluster is planned once for all hosts, and nodes restart one at a time: both need hosts that go from task to task together."""
    name = strategy.rpartition(".")[2]
    if name.endswith(_NOT_LINEAR):
        problems.add("", "strategy", "strategy_not_linear", f"the strategy {strategy} ignores run_once.", "use the strategy linear.")


def validate_check_mode(of_task: bool, of_run: bool, problems: Problems) -> None:
    """The keyword check_mode changes what modules do, and no condition sees it: ansible_check_mode is what the command line says."""
    if of_task != of_run:
        problems.add(
            "",
            "check_mode",
            "check_mode_of_play",
            f"a play, block or task sets check_mode: {str(of_task).lower()}, and the run is {'' if of_run else 'not '}in check mode.",
            "remove check_mode there, and run ansible-playbook with --check to change nothing.",
        )


def offered_tags(tasks: Iterable[Mapping[str, object]]) -> frozenset[str]:
    """The tags of the tasks of a playbook, as YAML has them."""
    found: set[str] = set()
    for task in tasks:
        tags = task.get("tags", ())
        found.update([tags] if isinstance(tags, str) else (str(tag) for tag in tags) if isinstance(tags, (list, tuple)) else ())
    return frozenset(found - {"always", "never"})

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes may restart and which may leave, by what queues have where."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.beam.cluster.plugins.filter.rabbitmq_queues import rabbitmq_queues
from ansible_collections.beam.cluster.plugins.module_utils._model import queue_replicas
from ansible_collections.beam.cluster.plugins.module_utils._model.queue_replicas import Queue

A, B, C = "rabbit@n1", "rabbit@n2", "rabbit@n3"


def queue(kind: str, members: str, online: str, kept: bool = True) -> Queue:
    return Queue("/", "q", kind, frozenset(f"rabbit@n{n}" for n in members), frozenset(f"rabbit@n{n}" for n in online), kept)


@pytest.mark.parametrize("kind", queue_replicas.REPLICATED)
@pytest.mark.parametrize(
    "members, online, running, blocked, waits",
    [
        ("123", "123", (A, B, C), False, False),
        # One of the others is out: gone for good, or on its way.
        ("123", "12", (A, B), True, False),
        ("123", "12", (A, B, C), True, True),
        # Two replicas never do without one, one never does without itself.
        ("12", "12", (A, B, C), True, False),
        ("1", "1", (A, B, C), True, False),
        # Five do without two, and four without one.
        ("12345", "1234", (A, B, C), False, False),
        ("1234", "123", (A, B, C), True, False),
        # It has no replica there.
        ("23", "2", (A, B), False, False),
    ],
)
def test_a_restart(kind: str, members: str, online: str, running: tuple[str, ...], blocked: bool, waits: bool) -> None:
    decision = queue_replicas.restart([queue(kind, members, online)], A, running)
    assert (bool(decision.blockers), decision.waits) == (blocked, waits), decision


@pytest.mark.parametrize(
    "kind, members, online, state, healthy",
    [
        ("quorum", "123", "123", "running", True),
        ("quorum", "123", "12", "running", False),
        ("stream", "123", "12", "running", False),
        ("classic", "1", "", "running", True),
        ("classic", "1", "", "idle", True),
        ("classic", "1", "", "down", False),
        ("quorum", "123", "", "minority", False),
    ],
)
def test_a_stop_of_all_nodes(kind: str, members: str, online: str, state: str, healthy: bool) -> None:
    blockers = queue_replicas.stop([replace(queue(kind, members, online), state=state)]).blockers
    assert len(blockers) == (not healthy)
    if blockers:
        assert blockers[0] == f"q of / is {state} on {', '.join(f'rabbit@n{n}' for n in online) or 'no member'}"


def test_a_restart_waits_only_where_waiting_mends_all_of_it() -> None:
    decision = queue_replicas.restart([queue("quorum", "123", "12"), queue("quorum", "12", "12")], A, (A, B, C))
    assert len(decision.blockers) == 2 and not decision.waits


def test_a_restart_takes_a_classic_queue_away_for_its_time_as_ever() -> None:
    assert not queue_replicas.restart([queue("classic", "1", "1")], A, (A, B, C)).blockers


@pytest.mark.parametrize(
    "what, blocked",
    [
        (queue("quorum", "123", "123"), False),
        (queue("stream", "123", "123"), False),
        # From two to one: what is left is the majority of itself.
        (queue("quorum", "13", "13"), False),
        (queue("classic", "1", "1"), False),
        (queue("classic", "13", "13"), False),
        # The last copy.
        (queue("quorum", "3", "3"), True),
        (queue("stream", "3", "3"), True),
        (queue("classic", "3", "3"), True),
        # A restart would have taken it away as well.
        (queue("classic", "3", "3", kept=False), False),
        # The rest has no majority of its own, or there is none that could agree.
        (queue("quorum", "123", "13"), True),
        (queue("quorum", "123", "3"), True),
        # The leaver is down already, and the others agree.
        (queue("quorum", "123", "12"), False),
        (queue("quorum", "13", "1"), True),
    ],
)
def test_who_may_leave(what: Queue, blocked: bool) -> None:
    decision = queue_replicas.leave([what], C)
    assert bool(decision.blockers) is blocked, decision
    assert all("Fix: " in reason and "rabbitmq" in reason for reason in decision.blockers)


def answer(*queues: dict[str, object]) -> dict[str, object]:
    return {"item": {"name": "/"}, "stdout": json.dumps(queues)}


def entry(name: str, kind: str, members: list[str]) -> dict[str, object]:
    return {"name": name, "type": kind, "durable": True, "exclusive": "" if kind != "classic" else False, "members": members, "online": members}


def test_the_filter() -> None:
    answers: list[dict[str, Any]] = [answer(entry("q", "quorum", [A, B, C]), entry("s", "stream", [A, C])), {"item": {"name": "empty"}, "stdout": ""}]
    told = rabbitmq_queues(answers, node=C, what="leave")
    assert told == {"blockers": [], "waits": False, "quorum": True, "streams": [{"vhost": "/", "name": "s"}]}
    assert rabbitmq_queues(answers, node=C, what="restart", running=[A, B, C])["blockers"] == [
        "stream 's' of vhost '/' needs rabbit@n3 for its majority: it has 2 replicas."
    ]


@pytest.mark.parametrize(
    "answers, what", [([{"item": {"name": "/"}, "stdout": "Error: unable"}], "leave"), ([answer({"name": "q"})], "leave"), ([], "stay")]
)
def test_missing_answers_make_no_decision(answers: list[dict[str, object]], what: str) -> None:
    with pytest.raises(AnsibleFilterError, match="rabbitmq_queues"):
        rabbitmq_queues(answers, node=A, what=what)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queues lose when a node of RabbitMQ restarts or leaves for good. Pure rules over what `rabbitmqctl list_queues` says.

A quorum queue and a stream take messages while more than half of their replicas are online; a classic queue is on one node (on more, where it is
mirrored). Sources: rabbitmq.com/docs/quorum-queues, streams, and rabbit_quorum_queue.erl of 3.10 and 4.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

REPLICATED = ("quorum", "stream")
HEALTHY = ("running", "flow", "idle")
# Debian has no link to this tool in /usr/sbin.
STREAMS = "runuser -u rabbitmq -- /usr/lib/rabbitmq/bin/rabbitmq-streams"


@dataclass(frozen=True)
class Queue:
    """One queue with the nodes that have a replica of it, and those of them that are online."""

    vhost: str
    name: str
    kind: str
    members: frozenset[str]
    online: frozenset[str]
    kept: bool = True
    """Whether a restart of the node keeps it: durable, and not of one connection only."""
    state: str = "running"

    @property
    def majority(self) -> int:
        return len(self.members) // 2 + 1

    @property
    def text(self) -> str:
        kind = "stream" if self.kind == "stream" else f"{self.kind} queue"
        return f"{kind} '{self.name}' of vhost '{self.vhost}'"


@dataclass(frozen=True)
class Decision:
    """Why a node may not go, each reason with its fix. `waits` is whether time alone will mend all of it: replicas catch up."""

    blockers: tuple[str, ...] = ()
    waits: bool = False
    queues: tuple[Queue, ...] = field(default=())
    """The replicated queues that have a replica on the node."""


def read(answers: Iterable[Mapping[str, Any]]) -> list[Queue]:
    """The queues of all virtual hosts. Each answer is a vhost's name and what list_queues says of it in JSON, parsed.

    The columns are name, type, durable, exclusive, members, online, and state where it matters. Raises KeyError where another one is missing.
    """
    return [
        Queue(
            vhost=str(answer["vhost"]),
            name=str(entry["name"]),
            kind=str(entry["type"]),
            members=_nodes(entry["members"]),
            online=_nodes(entry["online"]),
            # A column that a type of queue does not have is an empty text.
            kept=entry["durable"] is not False and entry["exclusive"] not in (True, "true"),
            state=str(entry.get("state") or "running"),
        )
        for answer in answers
        for entry in answer["queues"]
    ]


def _nodes(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, (list, tuple)) else frozenset()


def restart(queues: Sequence[Queue], node: str, running: Iterable[str]) -> Decision:
    """What stops taking messages while `node` restarts. `running` are the nodes that RabbitMQ runs on."""
    up = set(running)
    blockers, waits = [], True
    held = tuple(queue for queue in queues if queue.kind in REPLICATED and node in queue.members)
    for queue in held:
        others = queue.members - {node}
        if len(others & queue.online) >= queue.majority:
            continue
        waits = waits and len(others & up) >= queue.majority
        away = sorted(queue.members - queue.online - {node})
        state = f"{_listed(away)} {'is' if len(away) == 1 else 'are'} not online" if away else f"it has {_count(queue.members)}"
        blockers.append(f"{queue.text} needs {node} for its majority: {state}.")
    return Decision(tuple(blockers), bool(blockers) and waits, held)


def stop(queues: Sequence[Queue]) -> Decision:
    """The queues that a stop of all nodes would leave with a stale replica, or that do not work already."""
    broken = sorted(
        (queue.name, queue.vhost, queue.state, _listed(sorted(queue.online)) or "no member")
        for queue in queues
        if queue.state not in HEALTHY or queue.kind in REPLICATED and queue.members - queue.online
    )
    return Decision(tuple(f"{name} of {vhost} is {state} on {online}" for name, vhost, state, online in broken))


def leave(queues: Sequence[Queue], node: str) -> Decision:
    """What would be lost for good, or stop taking messages, if `node` were taken out of the cluster."""
    blockers = []
    for queue in queues:
        if node not in queue.members or not queue.kept:
            continue
        rest = queue.members - {node}
        if not rest:
            blockers.append(f"{queue.text} is on {node} only and would be lost. Fix: {_move(queue, node)}")
        elif queue.kind in REPLICATED and (len(queue.online) < queue.majority or len(rest & queue.online) <= len(rest) // 2):
            away = sorted(rest - queue.online)
            blockers.append(
                f"{queue.text} would keep {len(rest & queue.online)} of {_count(rest)} online: {_listed(away)} not online. "
                f"Fix: start RabbitMQ there, or remove the dead replica with {_delete(queue, away[0] if away else node)}."
            )
    held = tuple(queue for queue in queues if queue.kind in REPLICATED and node in queue.members)
    return Decision(tuple(blockers), False, held)


def _count(nodes: Iterable[str]) -> str:
    count = len(list(nodes))
    return "1 replica" if count == 1 else f"{count} replicas"


def _listed(nodes: Sequence[str]) -> str:
    return ", ".join(nodes)


def _move(queue: Queue, node: str) -> str:
    if queue.kind == "quorum":
        return f"add a replica with `rabbitmq-queues add_member --vhost '{queue.vhost}' '{queue.name}' rabbit@<another host>`."
    if queue.kind == "stream":
        return f"add a replica with `{STREAMS} add_replica --vhost '{queue.vhost}' '{queue.name}' rabbit@<another host>`."
    return f"consume it, delete it with `rabbitmqctl delete_queue --vhost '{queue.vhost}' '{queue.name}'`, and declare it on a node that stays."


def _delete(queue: Queue, node: str) -> str:
    tool = "rabbitmq-queues delete_member" if queue.kind == "quorum" else f"{STREAMS} delete_replica"
    return f"`{tool} --vhost '{queue.vhost}' '{queue.name}' {node}`"

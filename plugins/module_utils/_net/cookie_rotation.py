# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give a running node another cookie while its links stay up.

A node looks at its cookie during a handshake only (`auth:get_cookie/1`, called from lib/kernel/src/dist_util.erl), so `erlang:set_cookie/1`
cuts no link.
A cookie never leaves this file: not in a result, and not in a message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Callable

from .._term import Atom
from .._wire import codes
from .node import Call, Link, Peer, Returned
from .runner import Result, converse_all


@dataclass(frozen=True)
class Rotation:
    """What became of one node.

    `state`: `current`, it accepts the new cookie and did before; `outdated`, it accepts the old one, and nothing was to be changed;
    `switched`, it was given the new one and has accepted it in a second handshake; `refused`, it accepts neither; `unreachable`, no handshake
    came as far as the cookie; `unproven`, it was given the new one, and the second handshake failed.
    `code`, `stage` and `message` are those of the last handshake. `sticky` are the peers for which the node keeps a cookie of their own that is not
    the new one (`erlang:set_cookie/2`); those of them that are members are given the new one.
    """

    state: str
    code: str
    stage: str
    message: str
    sticky: tuple[str, ...] = ()


def rotate(peer: Peer, old: bytes | None, new: bytes, members: Iterable[str], *, timeout: float, change: bool) -> Rotation:
    """Have the node of `peer` use the cookie `new`. `old` is the one in its file, None where there is none.

    `timeout` (seconds) is for each handshake. `old` comes first: a handshake with the wrong cookie leaves an error in the node's log. A node
    that refuses it may have been switched by a run that was interrupted before the file was written.
    """
    if old is not None and old != new:
        result = _converse(replace(peer, cookie=old), timeout, _switch(new) if change else None)
        if result.connected and not change:
            return _rotation("outdated", result)
        if result.connected and result.answer is not None:
            return Rotation("unreachable", "call_failed", "call", result.answer)
        if result.connected:
            result = _converse(replace(peer, cookie=new), timeout, _correct(peer.node, new, members, change))
            return _rotation("switched" if result.connected else "unproven", result)
        if result.code not in codes.REFUSED_COOKIE:
            return _rotation("unreachable", result)
    result = _converse(replace(peer, cookie=new), timeout, _correct(peer.node, new, members, change))
    return _rotation("current" if result.connected else "refused" if result.code in codes.REFUSED_COOKIE else "unreachable", result)


def _rotation(state: str, result: Result) -> Rotation:
    sticky = tuple(result.answer) if isinstance(result.answer, list) else ()
    return Rotation(state, result.code, result.trace.stage, result.message, sticky)


def _converse(peer: Peer, timeout: float, then: Callable[[Link], Awaitable[Any]] | None) -> Result:
    return converse_all([peer], timeout=timeout, concurrency=1, then=then)[0]


def _atom(cookie: bytes) -> Atom:
    return Atom(cookie.decode("ascii"))


def _switch(new: bytes) -> Callable[[Link], Awaitable[str | None]]:
    async def then(link: Link) -> str | None:
        """What went wrong, without the reason that the node gave: it has the arguments in it."""
        outcome = await link.call("erlang", "set_cookie", [_atom(new)])
        return None if isinstance(outcome, Returned) else f"erlang:set_cookie/1 ended with {outcome.kind}"

    return then


def _correct(node: str, new: bytes, members: Iterable[str], change: bool) -> Callable[[Link], Awaitable[list[str]]]:
    async def then(link: Link) -> list[str]:
        """Find the peers whose cookie `set_cookie/1` does not reach: each has a row of its own, which no call deletes."""
        known = await link.call("erlang", "nodes", [Atom("known")])
        seen = {str(name) for name in known.value} if isinstance(known, Returned) and isinstance(known.value, list) else set()
        ours = set(members) - {node}
        peers = sorted((seen | ours) - {node})
        calls: list[Call] = [("erlang", "get_cookie", [Atom(name)]) for name in peers]
        answers = await link.call_all(calls)
        sticky = [name for name, outcome in zip(peers, answers) if isinstance(outcome, Returned) and outcome.value != _atom(new)]
        if change:
            await link.call_all([("erlang", "set_cookie", [Atom(name), _atom(new)]) for name in sticky if name in ours])
        return sticky

    return then

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many peers in one go: one deadline for each, never two conversations with one node at once, one answer per peer with its code."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar

from .._wire import codes
from .._wire.errors import WireError
from .node import Link, Peer, connect_to_node, open_link
from .stream import Dropped, Reset, Trace
from .tls import Contexts

_Answer = TypeVar("_Answer")
_Item = TypeVar("_Item")

# A node takes a moment to forget the connection of the probe before: until then our own name is `alive` or in the way (`nok`) there.
_ALIVE_WAITS = (0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True)
class Result:
    """What became of one conversation. `milliseconds` is from its start to its end, waiting for its turn not included."""

    code: str
    message: str
    trace: Trace
    milliseconds: float
    answer: Any = field(default=None, repr=False)

    @property
    def connected(self) -> bool:
        """Whether the whole conversation took place."""
        return self.code == "connected"

    def as_dict(self) -> dict[str, Any]:
        """What modules return of it."""
        trace = self.trace
        return {
            "code": self.code,
            "category": codes.lookup(self.code).category,
            "stage": trace.stage,
            "message": self.message,
            "milliseconds": round(self.milliseconds, 1),
            "port": trace.port,
            "address": trace.address,
            "tls": trace.tls,
            "flags": None if trace.flags is None else f"0x{trace.flags:x}",
            "creation": trace.creation,
        }

    def of_peer(self, peer: Peer) -> dict[str, Any]:
        """The same with the peer."""
        return {"node": peer.node, "host": peer.host, "name": peer.name, **self.as_dict()}


async def converse(
    peer: Peer, contexts: Contexts, timeout: float, then: Callable[[Link], Awaitable[_Answer]] | None = None,
) -> Result:
    """One conversation: connect, shake hands, ping, and whatever `then` asks. It ends within `timeout` seconds, whatever the peer does."""
    loop = asyncio.get_running_loop()
    begin = time.monotonic()
    until = loop.time() + timeout
    trace = Trace()
    for wait in (*_ALIVE_WAITS, None):
        code, message, answer = await _attempt(peer, contexts, until - loop.time(), trace, then)
        if code not in ("alive", "nok") or wait is None or loop.time() + wait >= until:
            break
        await asyncio.sleep(wait)
        trace = Trace()
    return Result(code, message, trace, (time.monotonic() - begin) * 1000, answer)


async def _attempt(
    peer: Peer, contexts: Contexts, timeout: float, trace: Trace, then: Callable[[Link], Awaitable[_Answer]] | None,
) -> tuple[str, str, _Answer | None]:
    async def whole() -> _Answer | None:
        link = await open_link(peer, trace, contexts, timeout)
        try:
            await link.ping()
            answer = await then(link) if then is not None else None
            trace.stage = "done"
            return answer
        finally:
            link.close()

    return await _classify_outcome(whole(), trace, timeout)


async def _probe_port(peer: Peer, timeout: float) -> Result | None:
    """What became of connecting alone, None where somebody opened."""
    begin = time.monotonic()
    trace = Trace()

    async def whole() -> None:
        (await connect_to_node(peer, trace, timeout)).close()

    code, message, dummy = await _classify_outcome(whole(), trace, timeout)
    return None if code == "connected" else Result(code, message, trace, (time.monotonic() - begin) * 1000)


async def _classify_outcome(whole: Awaitable[_Answer | None], trace: Trace, timeout: float) -> tuple[str, str, _Answer | None]:
    """The code, the message and the answer of what is done within `timeout` seconds."""
    try:
        return "connected", "", await asyncio.wait_for(whole, timeout)
    except asyncio.TimeoutError:
        return timeout_outcome(trace)
    except Dropped:
        return f"dropped_{trace.stage}", "the peer closed the connection", None
    except Reset:
        return "reset", "the connection was reset", None
    except WireError as error:
        if error.code.startswith("tls_alert_"):
            # With TLS 1.3 it comes when our side has moved on already.
            trace.stage = "tls"
        return error.code, str(error), None
    except OSError as error:
        # Whatever else the system says of one peer never takes the answers of the others along.
        return "local_resources", f"this host cannot go on with the connection: {error.strerror or error}", None


_TIMEOUT_MESSAGES = {
    "unresolved": "the resolver did not answer in time",
    "epmd_filtered": "nothing came back on the attempt to connect to EPMD",
    "epmd_timeout": "EPMD did not finish its answer in time",
    "filtered": "nothing came back on the attempt to connect",
}


def timeout_outcome(trace: Trace) -> tuple[str, str, None]:
    """Code and message of a conversation that was not finished in time. No answer."""
    code = trace.timeout_code or f"timeout_{trace.stage}"
    return code, _TIMEOUT_MESSAGES.get(code, "the time was up"), None


async def for_each(
    items: Sequence[_Item], keys: Callable[[_Item], tuple[Hashable, ...]], work: Callable[[_Item], Awaitable[_Answer]], concurrency: int,
) -> list[_Answer]:
    """Work on all items, at most `concurrency` at once, and never on two at once that share the key at any position.

    Answers come in the order of the items.
    """
    slots = asyncio.Semaphore(concurrency)
    locks: dict[tuple[int, Hashable], asyncio.Lock] = {}

    async def one(item: _Item) -> _Answer:
        # Everybody takes the locks by position, so nobody waits in a circle.
        async with contextlib.AsyncExitStack() as stack:
            for place in enumerate(keys(item)):
                await stack.enter_async_context(locks.setdefault(place, asyncio.Lock()))
            await stack.enter_async_context(slots)
            return await work(item)

    return list(await asyncio.gather(*map(one, items)))


def _endpoint_key(peer: Peer) -> tuple[Hashable, ...]:
    """Where it is spoken to."""
    return ((peer.host, peer.port or peer.node.partition("@")[0]),)


async def converse_each(
    peers: Sequence[Peer], *, timeout: float, concurrency: int, then: Callable[[Link], Awaitable[Any]] | None = None,
) -> list[Result]:
    """Speak to all peers; one result each, in their order. `timeout` (seconds) is for each of them."""
    contexts = Contexts()
    turns: dict[str, asyncio.Lock] = {}

    async def work(peer: Peer) -> Result:
        turn = turns.setdefault(peer.node, asyncio.Lock())
        # A node that is asked for at many addresses is reached at few. Nobody waits for their turn to learn that nobody opens.
        unopened = await _probe_port(peer, timeout) if turn.locked() else None
        if unopened is not None:
            return unopened
        async with turn:
            return await converse(peer, contexts, timeout, then)

    return await for_each(peers, _endpoint_key, work, concurrency)


def converse_all(
    peers: Sequence[Peer], *, timeout: float, concurrency: int, then: Callable[[Link], Awaitable[Any]] | None = None,
) -> list[Result]:
    """`converse_each` for who has no loop."""
    return asyncio.run(converse_each(peers, timeout=timeout, concurrency=concurrency, then=then))

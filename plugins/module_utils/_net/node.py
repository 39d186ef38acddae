# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection to a node: the handshake as initiator, then pings and calls."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Union

from .._wire import control_messages, distribution_flags, etf, handshake
from .._wire.buffer import Frames, frame, looks_like_tls
from .._wire.constants import EPMD_PORT
from .._wire.errors import Refused, TooLarge, WireError
from . import epmd
from .stream import Address, Dropped, Reset, TcpStream, TlsStream, Trace, connect, resolve
from .tls import Contexts, Tls

# The largest frame taken on a finished connection. A node sends an answer as one frame.
MAX_FRAME = 64 * 1024 * 1024
# Of the whole time, what is kept back to find out whether a port that says nothing to TLS speaks in the clear.
_PLAIN_SHARE = 0.2


@dataclass(frozen=True)
class Peer:
    """Whom to speak to, and as whom. `node` is the full name that the peer has to have; `port` None asks EPMD; `tls` None is TCP.

    `cookie` None stands for a random one: a probe that is to be refused never shows the true one's digest.
    """

    node: str
    host: str
    name: str
    port: int | None = None
    epmd_port: int = EPMD_PORT
    cookie: bytes | None = field(default=None, repr=False)
    tls: Tls | None = None
    server_name: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Returned:
    """A call that returned."""

    value: etf.Term


@dataclass(frozen=True)
class Raised:
    """A call that ended otherwise. `kind`: error, exit or throw; `refused` where the node would not start it."""

    kind: str
    reason: etf.Term
    stack: etf.Term = None


Outcome = Union[Returned, Raised]
Call = tuple[str, str, list[etf.Term]]


def random_cookie() -> bytes:
    """A cookie that no node has."""
    return os.urandom(20).hex().encode("ascii")


class Link:
    """A finished connection. Make one with `open_link`; close it with `close`."""

    def __init__(self, stream: TcpStream | TlsStream, frames: Frames, side: handshake.Initiator, trace: Trace) -> None:
        self._stream = stream
        self._frames = frames
        self._name = etf.Atom(side.name)
        self._creation = side.creation
        self._trace = trace
        self._serial = 0
        # What came for whom, as far as it was asked for: a peer that knows the cookie must not fill our memory with answers to nothing.
        self._asked: set[etf.Reference] = set()
        self._sent: dict[int, etf.Term] = {}
        self._spawned: dict[etf.Reference, etf.Term] = {}
        self._down: dict[etf.Reference, etf.Term] = {}
        # Compared with the name that was asked for, so it is one.
        self.node = str(side.peer_name)
        self.peer_flags = side.peer_flags

    def close(self) -> None:
        """Close the connection; for a hidden node that is a clean goodbye."""
        self._stream.close()

    async def ping(self) -> None:
        """Ask what net_adm:ping/1 asks. Raises `Refused` with `ping_refused` on any other answer than yes."""
        self._trace.stage = "ping"
        pid, reference = self._pid(), self._reference()
        await self._send(control_messages.ping(pid, reference))
        while pid.id not in self._sent:
            await self._pump()
        answer = self._sent.pop(pid.id)
        if answer != (reference, etf.Atom("yes")):
            raise Refused("the node did not answer the ping with yes", code="ping_refused")

    def route(self, via: str | None) -> str:
        """The way of a call: `via`, or erpc where the peer can be asked to start processes (OTP 23 and later) and rex elsewhere."""
        return via or ("erpc" if self.peer_flags & distribution_flags.SPAWN else "rex")

    async def call_all(self, calls: Sequence[Call], *, via: str | None = None) -> list[Outcome]:
        """Make calls, all at once, and give their outcomes in the same order. `via`: erpc, rex or None, as `route` takes it."""
        self._trace.stage = "call"
        return await (self._erpc(calls) if self.route(via) == "erpc" else self._rex(calls))

    async def call(self, module: str, function: str, args: list[etf.Term], *, via: str | None = None) -> Outcome:
        """Make one call."""
        return (await self.call_all([(module, function, args)], via=via))[0]

    async def _erpc(self, calls: Sequence[Call]) -> list[Outcome]:
        waiting: list[etf.Reference] = []
        for module, function, args in calls:
            reference = self._reference()
            waiting.append(reference)
            self._asked.add(reference)
            await self._send(control_messages.erpc_call(self._pid(), reference, module, function, args))
        outcomes: list[Outcome] = []
        for reference in waiting:
            while reference not in self._down:
                started = self._spawned.get(reference)
                if started is not None and not isinstance(started, etf.Pid):
                    break
                await self._pump()
            started = self._spawned.pop(reference, None)
            if reference in self._down:
                outcomes.append(_erpc_outcome(reference, self._down.pop(reference)))
            else:
                outcomes.append(Raised("refused", started))
        return outcomes

    async def _rex(self, calls: Sequence[Call]) -> list[Outcome]:
        waiting: list[etf.Pid] = []
        for module, function, args in calls:
            # An answer of rex names no call: each gets a process of its own to answer to.
            pid = self._pid()
            waiting.append(pid)
            await self._send(control_messages.rex_call(pid, module, function, args))
        outcomes: list[Outcome] = []
        for pid in waiting:
            while pid.id not in self._sent:
                await self._pump()
            outcomes.append(_rex_outcome(self._sent.pop(pid.id)))
        return outcomes

    async def _send(self, body: bytes) -> None:
        await self._stream.send(frame(body, 4))

    async def _pump(self) -> None:
        """Take the next frame and put what it says where it belongs."""
        body = self._frames.next()
        while body is None:
            data = await self._stream.receive()
            if not data:
                raise Dropped()
            self._frames.feed(data)
            body = self._frames.next()
        event = control_messages.decode(body, etf.Limits(size=MAX_FRAME))
        if isinstance(event, control_messages.Tick):
            await self._send(b"")
        elif isinstance(event, control_messages.Sent):
            if _is_io_request(event.message):
                await self._answer_io(event.message)
            elif isinstance(event.to, etf.Pid):
                if 0 < event.to.id <= self._serial:
                    self._sent[event.to.id] = event.message
        elif isinstance(event, control_messages.Spawned):
            if event.reference in self._asked:
                self._spawned[event.reference] = event.result
        elif isinstance(event, control_messages.Down):
            if event.reference in self._asked:
                self._down[event.reference] = event.reason

    async def _answer_io(self, message: etf.Term) -> None:
        """What a called function prints comes to its group leader, which is us: taken, so that it does not wait for ever."""
        dummy, sender, reply_as, request = message
        printed = isinstance(request, tuple) and request and request[0] in (etf.Atom("put_chars"), etf.Atom("requests"))
        answer = etf.Atom("ok") if printed else (etf.Atom("error"), etf.Atom("enotsup"))
        await self._send(control_messages.send(sender, (etf.Atom("io_reply"), reply_as, answer)))

    def _pid(self) -> etf.Pid:
        self._serial += 1
        return etf.Pid(self._name, self._serial & 0x7FFF, 0, self._creation)

    def _reference(self) -> etf.Reference:
        return etf.Reference(self._name, self._creation, (int.from_bytes(os.urandom(4), "big") & 0x3FFFF, *_words(2)))


def _words(count: int) -> tuple[int, ...]:
    return tuple(int.from_bytes(os.urandom(4), "big") for dummy in range(count))


def _is_io_request(message: etf.Term) -> bool:
    return isinstance(message, tuple) and len(message) == 4 and message[0] == etf.Atom("io_request") and isinstance(message[1], etf.Pid)


def _erpc_outcome(reference: etf.Reference, reason: etf.Term) -> Outcome:
    if isinstance(reason, tuple) and len(reason) >= 3 and reason[0] == reference:
        kind = str(reason[1])
        if kind == "return":
            return Returned(reason[2])
        return Raised(kind, reason[2], reason[3] if len(reason) > 3 else None)
    # The process was ended from outside, or the node has no erpc.
    return Raised("exit", reason)


def _rex_outcome(message: etf.Term) -> Outcome:
    """`{rex, Result}`; what went wrong comes as `{badrpc, {'EXIT', Reason}}`, where an error's reason has the stack behind it."""
    value = message[1] if isinstance(message, tuple) and len(message) == 2 else message
    if isinstance(value, tuple) and len(value) == 2 and value[0] == etf.Atom("badrpc"):
        reason = value[1]
        if isinstance(reason, tuple) and len(reason) == 2 and reason[0] == etf.Atom("EXIT"):
            inner = reason[1]
            if isinstance(inner, tuple) and len(inner) == 2 and isinstance(inner[1], list):
                return Raised("error", inner[0], inner[1])
            return Raised("exit", inner)
        return Raised("error", reason)
    return Returned(value)


async def connect_to_node(peer: Peer, trace: Trace, timeout: float) -> TcpStream:
    """Ask EPMD where the port is not known, and connect: nothing is said to the node. `timeout` and errors are those of `open_link`."""
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    addresses = await resolve(peer.host, peer.source)
    port = peer.port
    if port is None:
        name = handshake.split_node(peer.node)[0]
        port = (await epmd.port_of(addresses, peer.epmd_port, name, trace, source=peer.source, timeout=until - loop.time())).port
    trace.port = port
    trace.stage, trace.timeout_code = "connect", "filtered"
    tcp = await connect(addresses, port, peer.source, until - loop.time())
    trace.address, trace.timeout_code = tcp.peer(), None
    return tcp


async def open_link(peer: Peer, trace: Trace, contexts: Contexts, timeout: float) -> Link:
    """Ask EPMD, connect, settle TLS and names, prove the cookie, check the peer's proof.

    `timeout` (seconds) is shared out among what is tried one after the other; the whole is bounded by the caller, who cancels.
    Raises `WireError`, `Dropped`, `Reset` or `asyncio.TimeoutError`; `trace` says at which stage.
    """
    until = asyncio.get_running_loop().time() + timeout
    context = contexts.get(peer.tls) if peer.tls is not None else None
    tcp = await connect_to_node(peer, trace, timeout)
    stream: TcpStream | TlsStream = tcp
    try:
        if context is not None:
            trace.stage = "tls"
            stream = await _start_tls(peer, tcp, context, trace, until - asyncio.get_running_loop().time())
        link = await _handshake(peer, stream, trace)
    except BaseException:
        stream.close()
        raise
    finally:
        if isinstance(stream, TlsStream):
            stream.describe(trace)
    return link


async def _start_tls(peer: Peer, tcp: TcpStream, context: SSLContext, trace: Trace, left: float) -> TlsStream:
    address = tcp.address()
    stream = TlsStream(tcp, context, peer.server_name or handshake.split_node(peer.node)[1])
    try:
        await stream.handshake(silence=left * (1 - _PLAIN_SHARE))
    except (Dropped, Reset, asyncio.TimeoutError):
        stream.describe(trace)
        if stream.record.bytes_received == 0 and await _speaks_plain(peer, address, left * _PLAIN_SHARE):
            raise Refused("the port does not speak TLS: it answers the handshake in clear text", code="tls_on_plaintext") from None
        raise
    except BaseException:
        stream.describe(trace)
        raise
    return stream


async def _speaks_plain(peer: Peer, address: Address, timeout: float) -> bool:
    """Whether the port answers our name in the clear. No cookie is touched: the conversation ends with the peer's status."""
    async def answers() -> bool:
        stream = await connect([address], address[1][1], peer.source, timeout)
        try:
            await stream.send(frame(_initiator(peer).start(), 2))
            data = await stream.receive()
            return len(data) > 3 and data[0] < 4 and data[2:3] == b"s"
        finally:
            stream.close()

    try:
        return await asyncio.wait_for(answers(), timeout)
    except (WireError, Reset, asyncio.TimeoutError):
        return False


def _initiator(peer: Peer) -> handshake.Initiator:
    cookie = peer.cookie
    if cookie is None or (peer.tls is not None and not peer.tls.verify):
        cookie = random_cookie()
    creation = max(4, int.from_bytes(os.urandom(4), "big"))
    challenge = int.from_bytes(os.urandom(4), "big")
    return handshake.Initiator(name=peer.name, expected=peer.node, cookie=cookie, challenge=challenge, creation=creation)


async def _handshake(peer: Peer, stream: TcpStream | TlsStream, trace: Trace) -> Link:
    width = 4 if isinstance(stream, TlsStream) else 2
    frames = Frames(width, handshake.MAX_MESSAGE)
    side = _initiator(peer)
    trace.stage = "status"
    await stream.send(frame(side.start(), width))
    try:
        while side.state is not handshake.State.DONE:
            body = await _next_frame(stream, frames, trace)
            answer = side.receive(body)
            if side.status == "alive":
                await stream.send(frame(answer, width))
                raise Refused(f"the peer has a connection with a node named {peer.name} already", code="alive")
            trace.stage = _STAGES.get(side.state, trace.stage)
            if side.peer_name is not None:
                trace.flags, trace.creation = side.peer_flags, side.peer_creation
            if answer:
                await stream.send(frame(answer, width))
    except (Dropped, Reset):
        if trace.stage == "ack":
            raise Refused("the peer closed the connection on our proof of the cookie", code="cookie_refused_theirs") from None
        raise
    # From here on frames have 4 bytes of length on TCP too; what the peer sent early is kept.
    rest = frames.take_over(4, MAX_FRAME)
    return Link(stream, rest, side, trace)


_STAGES = {handshake.State.I_CHALLENGE: "challenge", handshake.State.I_ACK: "ack"}


async def _next_frame(stream: TcpStream | TlsStream, frames: Frames, trace: Trace) -> bytes:
    while True:
        try:
            body = frames.next()
        except TooLarge:
            if trace.stage == "status" and isinstance(stream, TcpStream) and looks_like_tls(frames.peek()):
                raise Refused("the port answered in TLS to our clear text", code="plaintext_on_tls") from None
            raise
        if body is not None:
            return body
        data = await stream.receive()
        if not data:
            raise Dropped()
        frames.feed(data)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Byte streams with one owner: TCP, and TLS on top of it. Waiting is bounded by the caller's deadline, which cancels."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Any, cast

from .._wire.errors import WireError
from .tls import HandshakeRecord, Session, classify_tls_error, record_negotiated, session_facts

_CHUNK = 65536

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EACCES, errno.EPERM, errno.ENONET, errno.ECONNABORTED)
_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRINUSE)


class Dropped(Exception):
    """The peer closed the connection where more had to come."""


class Reset(Exception):
    """The connection was reset."""


@dataclass
class Trace:
    """How far a conversation came. Filled as it goes, so that it tells the truth also where a deadline ended it.

    `timeout_code` is the code of a deadline that ends it where it stands, where that is not `timeout_` and the stage.
    `certificate` is the one that the peer showed, as DER.
    """

    stage: str = "resolve"
    timeout_code: str | None = "unresolved"
    port: int | None = None
    address: str | None = None
    tls: dict[str, Any] | None = None
    certificate: bytes | None = None
    flags: int | None = None
    creation: int | None = None


# Family and socket address. What `resolve` gives has no port yet.
Address = tuple[int, tuple[Any, ...]]


async def resolve(host: str, source: str | None) -> list[Address]:
    """Address family and socket address for each address of a host, in the resolver's order.

    An IP address is taken as it is, without a resolver. With a source address only addresses of its family. Raises `WireError` with `unresolved`.
    """
    family = 0 if source is None else int(socket.AF_INET6 if ":" in source else socket.AF_INET)
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        if literal.version == 4:
            return [(socket.AF_INET, (host, 0))]
        if "%" not in host:
            return [(socket.AF_INET6, (host, 0, 0, 0))]
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Address]] = loop.create_future()

    def keep(addresses: list[Address]) -> None:
        if not found.done():
            found.set_result(addresses)

    def ask() -> None:
        addresses: list[Address] = []
        with contextlib.suppress(OSError, UnicodeError):
            addresses = [(entry[0], entry[4]) for entry in socket.getaddrinfo(host, 0, family, socket.SOCK_STREAM)]
        # Where nobody waits any more, the loop is closed.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(keep, addresses)

    # Not the loop's own threads: those are waited for when it ends, however long the resolver takes.
    threading.Thread(target=ask, daemon=True).start()
    addresses = await found
    if not addresses:
        raise WireError(f"{host} has no address" + (" of the source's family" if family else ""), code="unresolved")
    return addresses


async def connect(addresses: list[Address], port: int, source: str | None, timeout: float) -> TcpStream:
    """A stream to the port of the first address that answers. Each gets its share of `timeout` (seconds); the last has whatever the caller leaves it.

    Raises `WireError` with closed, filtered, unreachable, local_source or local_resources: that of the last address tried.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    problem: WireError | None = None
    for index, (family, (host, _port, *scope)) in enumerate(addresses):
        address = (host, port, *scope)
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            raise _connect_error(error, address, source) from None
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source is not None:
                sock.bind((source, 0))
            more = len(addresses) - index
            attempt = loop.sock_connect(sock, address)
            await (attempt if more == 1 else asyncio.wait_for(attempt, max(0.0, until - loop.time()) / more))
            return TcpStream(sock, address)
        except asyncio.TimeoutError:
            sock.close()
            problem = WireError(f"nothing came back from {_show(address)}", code="filtered")
        except OSError as error:
            sock.close()
            problem = _connect_error(error, address, source)
        except BaseException:
            sock.close()
            raise
    raise problem or WireError("no address to connect to", code="unresolved")


def _show(address: tuple[Any, ...]) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _connect_error(error: OSError, address: tuple[Any, ...], source: str | None) -> WireError:
    if isinstance(error, ConnectionRefusedError):
        return WireError(f"{_show(address)} refuses connections", code="closed")
    if isinstance(error, ConnectionResetError):
        return WireError(f"{_show(address)} reset the connection attempt", code="reset")
    if error.errno == errno.ETIMEDOUT:
        return WireError(f"nothing came back from {_show(address)}", code="filtered")
    if error.errno in _RESOURCES:
        return WireError(f"this host cannot open another connection: {error.strerror}", code="local_resources")
    if error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL, errno.EAFNOSUPPORT) or isinstance(error, socket.gaierror):
        if source is not None:
            return WireError(f"{source} cannot be used as the source for {_show(address)}: {error.strerror}", code="local_source")
        return WireError(f"{_show(address)} cannot be reached from here: {error.strerror}", code="unreachable")
    if error.errno in _UNREACHABLE:
        return WireError(f"{_show(address)} is unreachable: {error.strerror}", code="unreachable")
    return WireError(f"{_show(address)} cannot be connected to: {error.strerror or error}", code="unreachable")


class TcpStream:
    """A connected socket. `send` never fails: why a peer went away shows in the next `receive`."""

    def __init__(self, sock: socket.socket, remote: tuple[Any, ...]) -> None:
        # The kernel forgets the address of a peer that has reset: getpeername(2) fails with ENOTCONN.
        self._remote = remote
        self.sock = sock
        self._loop = asyncio.get_running_loop()
        self._received = 0

    def peer(self) -> str:
        """The address connected to."""
        return str(self._remote[0])

    def address(self) -> Address:
        """Where it is connected to, as `connect` takes it."""
        return self.sock.family, self._remote

    async def send(self, data: bytes) -> None:
        """Send all of it. A peer that is gone is found by reading, where what it said before is still to be had."""
        try:
            await self._loop.sock_sendall(self.sock, data)
        except OSError:
            pass

    async def receive(self) -> bytes:
        """What comes next; empty at the end of the stream."""
        self._received += 1
        if self._received % 16 == 0:
            # A peer that never stops sending would keep the loop from ever looking at the clock.
            await asyncio.sleep(0)
        try:
            return await self._loop.sock_recv(self.sock, _CHUNK)
        except ConnectionError:
            raise Reset() from None
        except OSError as error:
            # An ICMP error on an established connection.
            raise WireError(f"the connection broke: {error.strerror}", code="unreachable") from None

    def close(self) -> None:
        """Close without waiting."""
        self.sock.close()


class TlsStream:
    """TLS over a `TcpStream`."""

    def __init__(self, tcp: TcpStream, context: ssl.SSLContext, server_name: str | None) -> None:
        self._tcp = tcp
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self.record = HandshakeRecord()
        self._ended = False
        # The context makes sessions of our own class.
        self._session = cast(Session, context.wrap_bio(self._in, self._out, server_hostname=server_name))
        self._session.record = self.record

    def peer(self) -> str:
        """The address connected to."""
        return self._tcp.peer()

    async def _flush(self) -> None:
        data = self._out.read()
        if data:
            await self._tcp.send(data)

    async def _fill(self) -> None:
        data = await self._tcp.receive()
        self.record.bytes_received += len(data)
        if data:
            self._in.write(data)
        else:
            self._ended = True
            self._in.write_eof()

    async def handshake(self, silence: float | None = None) -> None:
        """Shake hands. `silence`: seconds after which a peer that has not sent a single byte raises `asyncio.TimeoutError`.

        With TLS 1.3 the peer has not verified our certificate when this returns: only its first bytes tell.
        """
        try:
            while True:
                try:
                    self._session.do_handshake()
                    record_negotiated(self._session, self.record)
                    await self._flush()
                    return
                except ssl.SSLWantReadError:
                    await self._flush()
                if self.record.bytes_received:
                    await self._fill()
                else:
                    await asyncio.wait_for(self._fill(), silence)
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            raise Dropped() from None
        except ssl.SSLError as error:
            # Our own alert tells the peer why.
            await self._flush()
            if self._ended and self.record.alert is None and not isinstance(error, ssl.SSLCertVerificationError):
                # OpenSSL before 3 has other names for it.
                raise Dropped() from None
            raise classify_tls_error(error, self.record) from None

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        try:
            self._session.write(data)
        except ssl.SSLError as error:
            raise classify_tls_error(error, self.record) from None
        await self._flush()

    async def receive(self) -> bytes:
        """What comes next; empty at the end of the stream."""
        while True:
            try:
                return self._session.read(_CHUNK)
            except ssl.SSLWantReadError:
                await self._flush()
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return b""
            except ssl.SSLError as error:
                raise classify_tls_error(error, self.record) from None
            await self._fill()

    def close(self) -> None:
        """Say so to the peer as far as that goes without waiting, and close."""
        try:
            self._session.unwrap()
        except (ssl.SSLError, ValueError):
            pass
        try:
            self._tcp.sock.send(self._out.read())
        except OSError:
            pass
        self._tcp.close()

    def describe(self, trace: Trace) -> None:
        """Store version, cipher and the peer's certificate, as far as they are known."""
        trace.tls = session_facts(self.record)
        trace.certificate = self.record.certificate

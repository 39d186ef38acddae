# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking EPMD."""

from __future__ import annotations

from typing import Callable, TypeVar

from .._wire import epmd
from .._wire.errors import TooLarge, WireError
from .stream import Address, Reset, TcpStream, Trace, connect

_Answer = TypeVar("_Answer")

# Codes of a connection, as they are called where it was EPMD that was asked.
_RENAMED = {
    "closed": "epmd_closed", "filtered": "epmd_filtered", "unreachable": "epmd_unreachable", "reset": "epmd_reset",
    "protocol_error": "epmd_protocol_error", "too_large": "epmd_protocol_error",
}


# All of them are ended by the caller, by cancelling, when the time is up; `timeout` (seconds) is shared out among several addresses of a host.


async def port_of(addresses: list[Address], port: int, name: str, trace: Trace, *, source: str | None, timeout: float) -> epmd.PortAnswer:
    """Where the node of that name (the part before the @) listens. Raises `WireError` with a code of EPMD's or `not_registered`."""

    def decode(data: bytearray, closed: bool) -> epmd.PortAnswer | None:
        answer = epmd.decode_port(bytes(data), closed=closed)
        if isinstance(answer, epmd.NotRegistered):
            raise WireError(f"EPMD knows no node named {name}", code="not_registered")
        return answer

    answer, dummy = await _ask(addresses, port, epmd.PortPlease2(name), epmd.MAX_PORT_ANSWER, decode, trace, source, timeout)
    return answer


async def names_of(
    addresses: list[Address], port: int, trace: Trace, *, source: str | None, timeout: float,
) -> tuple[epmd.NamesAnswer, str]:
    """All nodes that EPMD knows, and the address that answered. The answer ends where EPMD closes."""

    def decode(data: bytearray, closed: bool) -> epmd.NamesAnswer | None:
        return epmd.decode_names(bytes(data)) if closed else None

    return await _ask(addresses, port, epmd.Names(), epmd.MAX_NAMES_ANSWER, decode, trace, source, timeout)


async def _ask(
    addresses: list[Address], port: int, request: epmd.Request, limit: int, decode: Callable[[bytearray, bool], _Answer | None],
    trace: Trace, source: str | None, timeout: float,
) -> tuple[_Answer, str]:
    trace.stage, trace.timeout_code = "epmd", "epmd_filtered"
    try:
        stream = await connect(addresses, port, source, timeout)
        trace.timeout_code = "epmd_timeout"
        try:
            return await _converse(stream, epmd.encode_request(request), limit, decode), stream.peer()
        finally:
            stream.close()
    except Reset:
        raise WireError("the connection to EPMD was reset", code="epmd_reset") from None
    except WireError as error:
        raise WireError(str(error), code=_RENAMED.get(error.code, error.code)) from None


async def _converse(stream: TcpStream, request: bytes, limit: int, decode: Callable[[bytearray, bool], _Answer | None]) -> _Answer:
    await stream.send(request)
    buffer = bytearray()
    while True:
        data = await stream.receive()
        buffer += data
        if len(buffer) > limit:
            raise TooLarge(f"EPMD's answer has more than {limit} bytes")
        if not buffer:
            raise WireError("EPMD closed the connection without an answer", code="epmd_dropped")
        answer = decode(buffer, not data)
        if answer is not None:
            return answer

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EPMD: what a client may send and meet.

Source: erts/epmd/src/epmd_srv.c and epmd_int.h of OTP 25 and 27, lib/kernel/src/erl_epmd.erl. A request is a 2-byte length and a body.
Answers have no length: apart from ALIVE2's and PORT2's, which say where they end, they last until EPMD closes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Union

from .buffer import Reader
from .errors import EncodeError, ProtocolError, TooLarge

# INBUF_SIZE is 3060 with the length in it.
MAX_REQUEST = 3057
MAX_NAME_BYTES = 1020
MAX_NAME_CHARACTERS = 255
MAX_EXTRA = 1020
# An answer to PORT_PLEASE2 with the longest name and the longest extra.
MAX_PORT_ANSWER = 12 + MAX_NAME_BYTES + 2 + MAX_EXTRA
# EPMD holds at most 1024 descriptors; the line of the longest name is about 1050 bytes.
MAX_NAMES_ANSWER = 2 * 1024 * 1024

VISIBLE = 77
HIDDEN = 72


@dataclass(frozen=True)
class Alive2:
    """Register a node for as long as the connection lasts."""

    name: str
    port: int
    node_type: int = VISIBLE
    protocol: int = 0
    highest: int = 6
    lowest: int = 5
    extra: bytes = b""


@dataclass(frozen=True)
class PortPlease2:
    """Ask for the port of a node; `name` is the part before the @."""

    name: str


@dataclass(frozen=True)
class Names:
    """Ask for all nodes."""


@dataclass(frozen=True)
class Dump:
    """Ask for EPMD's own view; answered to local clients only."""


@dataclass(frozen=True)
class Kill:
    """Ask EPMD to end. Never sent by this collection."""


@dataclass(frozen=True)
class Stop:
    """Ask EPMD to forget a node. Never sent by this collection."""

    name: str


Request = Union[Alive2, PortPlease2, Names, Dump, Kill, Stop]


@dataclass(frozen=True)
class Alive2Answer:
    """`result` 0 is yes. `wide` tells the 4-byte creation of ALIVE2_X_RESP from the 2 bytes of ALIVE2_RESP."""

    result: int
    creation: int
    wide: bool = True


@dataclass(frozen=True)
class PortAnswer:
    """Where a node listens, and what it registered with."""

    port: int
    node_type: int
    protocol: int
    highest: int
    lowest: int
    name: str
    extra: bytes


@dataclass(frozen=True)
class NotRegistered:
    """EPMD knows no node of that name."""

    result: int = 1


@dataclass(frozen=True)
class NamesAnswer:
    """The port that EPMD believes to be its own, and each node's name with its port."""

    epmd_port: int
    nodes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class DumpEntry:
    """One line of a dump; `active` False is a name that was given back."""

    active: bool
    name: str
    port: int
    descriptor: int


@dataclass(frozen=True)
class DumpAnswer:
    """EPMD's own view of what is and was registered."""

    epmd_port: int
    entries: tuple[DumpEntry, ...]


def encode_request(request: Request) -> bytes:
    """A request as it goes out, its length in front.

    Raises `EncodeError` for what EPMD would drop without a word.
    """
    if isinstance(request, Alive2):
        if len(request.extra) > MAX_EXTRA:
            raise EncodeError(f"more than {MAX_EXTRA} bytes of extra")
        name = _name_bytes(request.name)
        body = b"".join((
            b"x", request.port.to_bytes(2, "big"), bytes((request.node_type, request.protocol)),
            request.highest.to_bytes(2, "big"), request.lowest.to_bytes(2, "big"),
            len(name).to_bytes(2, "big"), name, len(request.extra).to_bytes(2, "big"), request.extra,
        ))
    elif isinstance(request, PortPlease2):
        body = b"z" + _name_bytes(request.name)
    elif isinstance(request, Names):
        body = b"n"
    elif isinstance(request, Dump):
        body = b"d"
    elif isinstance(request, Kill):
        body = b"k"
    elif isinstance(request, Stop):
        body = b"s" + _name_bytes(request.name)
    else:
        raise EncodeError(f"no EPMD request: {request!r}")
    return len(body).to_bytes(2, "big") + body


def decode_request(data: bytes) -> Request:
    """The request in `data`, its length in front. The counterpart of `encode_request`, for servers in tests."""
    reader = Reader(data, "EPMD request")
    length = reader.uint(2)
    if not 1 <= length <= MAX_REQUEST:
        raise TooLarge(f"EPMD takes requests of 1 to {MAX_REQUEST} bytes, this one has {length}")
    body = Reader(reader.take(length), "EPMD request")
    reader.end()
    kind = body.take(1)
    request: Request
    if kind == b"x":
        port, node_type, protocol = body.uint(2), body.uint(1), body.uint(1)
        highest, lowest = body.uint(2), body.uint(2)
        name = _name_text(body.take(body.uint(2)))
        request = Alive2(name, port, node_type, protocol, highest, lowest, body.take(body.uint(2)))
    elif kind == b"z":
        raw = body.rest()
        request = PortPlease2(_name_text(raw[:-1] if raw.endswith(b"\0") else raw))
    elif kind == b"n":
        request = Names()
    elif kind == b"d":
        request = Dump()
    elif kind == b"k":
        request = Kill()
    elif kind == b"s":
        request = Stop(_name_text(body.rest()))
    else:
        raise ProtocolError(f"EPMD has no request {kind[0]}")
    body.end()
    return request


def decode_port(data: bytes, *, closed: bool) -> PortAnswer | NotRegistered | None:
    """The answer to PORT_PLEASE2 from what came so far; None where more must come.

    EPMD closes after this answer, but the answer says itself where it ends: a server that never closes costs nothing.
    """
    if data[:1] not in (b"", b"w"):
        raise ProtocolError(f"the answer to PORT_PLEASE2 begins with {data[0]}")
    if len(data) >= 2 and data[1] != 0:
        if len(data) > 2:
            raise ProtocolError(f"{len(data) - 2} bytes follow EPMD's no")
        return NotRegistered(data[1])
    need = 12
    if len(data) >= need:
        need += int.from_bytes(data[10:12], "big") + 2
        if len(data) >= need:
            need += int.from_bytes(data[need - 2:need], "big")
    if need > MAX_PORT_ANSWER:
        raise TooLarge(f"EPMD announced an answer of {need} bytes")
    if len(data) < need:
        if closed:
            raise ProtocolError(f"EPMD's answer ends early: {len(data)} of {need} bytes")
        return None
    reader = Reader(data, "EPMD's answer")
    reader.take(2)
    port, node_type, protocol, highest, lowest = reader.uint(2), reader.uint(1), reader.uint(1), reader.uint(2), reader.uint(2)
    name = _name_text(reader.take(reader.uint(2)))
    extra = reader.take(reader.uint(2))
    reader.end()
    return PortAnswer(port, node_type, protocol, highest, lowest, name, extra)


def encode_port(answer: PortAnswer | NotRegistered) -> bytes:
    """What EPMD answers to PORT_PLEASE2."""
    if isinstance(answer, NotRegistered):
        return b"w" + bytes((answer.result,))
    name = answer.name.encode("utf-8")
    return b"".join((
        b"w\0", answer.port.to_bytes(2, "big"), bytes((answer.node_type, answer.protocol)),
        answer.highest.to_bytes(2, "big"), answer.lowest.to_bytes(2, "big"),
        len(name).to_bytes(2, "big"), name, len(answer.extra).to_bytes(2, "big"), answer.extra,
    ))


_NAMES_LINE = re.compile(r"name (.+) at port ([0-9]{1,5})", re.DOTALL)


def decode_names(data: bytes) -> NamesAnswer:
    """The whole answer to NAMES, after EPMD has closed.

    The port in front is what EPMD believes its own to be; behind a forwarded port it differs from the one asked, and that is no error.
    """
    reader = Reader(data, "EPMD's list of names")
    epmd_port = reader.uint(4)
    text = _utf8(reader.rest())
    if text and not text.endswith("\n"):
        raise ProtocolError("EPMD's list of names ends within a line")
    nodes: list[tuple[str, int]] = []
    for line in text.split("\n")[:-1]:
        match = _NAMES_LINE.fullmatch(line)
        if match is None:
            raise ProtocolError("EPMD's list of names has a line that names no node")
        nodes.append((match.group(1), _port(match.group(2))))
    return NamesAnswer(epmd_port, tuple(nodes))


def encode_names(answer: NamesAnswer) -> bytes:
    """What EPMD answers to NAMES."""
    lines = "".join(f"name {name} at port {port}\n" for name, port in answer.nodes)
    return answer.epmd_port.to_bytes(4, "big") + lines.encode("utf-8")


_DUMP_LINE = re.compile(r"(active name     |old/unused name )<(.+)>(?: at port |, port = )([0-9]{1,5}), fd = (-?[0-9]{1,10}) ?\n", re.DOTALL)


def decode_dump(data: bytes) -> DumpAnswer:
    """The whole answer to DUMP, after EPMD has closed. Each entry ends with a NUL."""
    reader = Reader(data, "EPMD's dump")
    epmd_port = reader.uint(4)
    text = _utf8(reader.rest())
    if text and not text.endswith("\0"):
        raise ProtocolError("EPMD's dump ends within an entry")
    entries: list[DumpEntry] = []
    for line in text.split("\0")[:-1]:
        match = _DUMP_LINE.fullmatch(line)
        if match is None:
            raise ProtocolError("EPMD's dump has an entry that names no node")
        entries.append(DumpEntry(match.group(1).startswith("active"), match.group(2), _port(match.group(3)), int(match.group(4))))
    return DumpAnswer(epmd_port, tuple(entries))


def decode_alive(data: bytes) -> Alive2Answer | None:
    """The answer to ALIVE2 from what came so far; None where more must come. Two sizes, told apart by their first byte."""
    if not data:
        return None
    size = {118: 6, 121: 4}.get(data[0])
    if size is None:
        raise ProtocolError(f"the answer to ALIVE2 begins with {data[0]}")
    if len(data) < size:
        return None
    reader = Reader(data, "EPMD's answer")
    reader.take(1)
    answer = Alive2Answer(reader.uint(1), reader.uint(size - 2), size == 6)
    reader.end()
    return answer


def encode_alive(answer: Alive2Answer) -> bytes:
    """What EPMD answers to ALIVE2."""
    return bytes((118 if answer.wide else 121, answer.result)) + answer.creation.to_bytes(4 if answer.wide else 2, "big")


# To STOP of an unknown name, EPMD answers both words, one after the other.
_WORDS = {b"OK": "ok", b"NO": "no", b"STOPPED": "stopped", b"NOEXIST": "unknown", b"NOEXISTSTOPPED": "unknown", b"": "refused"}


def decode_word(data: bytes) -> str:
    """The whole answer to KILL or STOP as ok, no, stopped, unknown or refused."""
    try:
        return _WORDS[data]
    except KeyError:
        raise ProtocolError("EPMD answered with no word that is known") from None


def _name_bytes(name: str) -> bytes:
    data = name.encode("utf-8")
    if not name or len(name) > MAX_NAME_CHARACTERS or len(data) > MAX_NAME_BYTES or "\0" in name:
        raise EncodeError(f"EPMD takes names of 1 to {MAX_NAME_CHARACTERS} characters without NUL")
    return data


def _name_text(data: bytes) -> str:
    name = _utf8(data)
    if not name or len(name) > MAX_NAME_CHARACTERS or "\0" in name:
        raise ProtocolError(f"EPMD has no name of {len(name)} characters")
    return name


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError("EPMD sent a name that is not UTF-8") from None


def _port(text: str) -> int:
    port = int(text)
    if port > 65535:
        raise ProtocolError(f"EPMD has a node on port {port}")
    return port

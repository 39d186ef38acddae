# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Erlang terms to bytes in the external term format, without recursion."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._term import Atom, Bits, Export, Fun, Improper, Map, Pid, Port, Reference, Term
from .errors import EncodeError
from .etf_tags import (
    ATOM,
    BINARY,
    BIT_BINARY,
    EXPORT,
    INTEGER,
    LARGE_BIG,
    LARGE_TUPLE,
    LIST,
    MAP,
    NEW_FLOAT,
    NEW_FUN,
    NEW_PID,
    NEW_PORT,
    NEWER_REFERENCE,
    NIL,
    SMALL_ATOM,
    SMALL_BIG,
    SMALL_INTEGER,
    STRING,
    TUPLE,
    V4_PORT,
    VERSION,
)

_Encoder = Callable[[bytearray, Any, list[Term]], None]
"""Writes a term to the bytes so far. What is to be written after it goes on the stack, last first."""


@dataclass(frozen=True)
class _FunEnd:
    """Where the size of a fun has to be written."""

    begin: int


def encode(term: Term) -> bytes:
    """A term as bytes, its version byte in front.

    Raises `EncodeError` for a value that is no term: among them str (say bytes, `Atom` or `charlist`), bool and None (say `Atom`).
    """
    out = bytearray((VERSION,))
    stack: list[Term] = [term]
    while stack:
        term = stack.pop()
        try:
            encoder = _ENCODERS[term.__class__]
        except KeyError:
            raise EncodeError(f"no Erlang term: {term.__class__.__name__}") from None
        encoder(out, term, stack)
    return bytes(out)


def _is_string(items: list[Term]) -> bool:
    """Whether Erlang would write the list as a string: bytes, all of them."""
    for item in items:
        if item.__class__ is not int or not 0 <= item <= 255:
            return False
    return True


def _integer(out: bytearray, value: int, _stack: Any = None) -> None:
    if 0 <= value <= 255:
        out.append(SMALL_INTEGER)
        out.append(value)
    elif -0x80000000 <= value <= 0x7FFFFFFF:
        out.append(INTEGER)
        out += value.to_bytes(4, "big", signed=True)
    else:
        sign = 1 if value < 0 else 0
        size = (abs(value).bit_length() + 7) // 8
        if size < 256:
            out += bytes((SMALL_BIG, size, sign))
        else:
            out.append(LARGE_BIG)
            out += size.to_bytes(4, "big")
            out.append(sign)
        out += abs(value).to_bytes(size, "little")


def _atom(out: bytearray, atom: Atom, _stack: Any = None) -> None:
    data = atom.name.encode("utf-8")
    if len(atom.name) > 255:
        raise EncodeError("an atom has at most 255 characters")
    if len(data) < 256:
        out += bytes((SMALL_ATOM, len(data)))
    else:
        out.append(ATOM)
        out += len(data).to_bytes(2, "big")
    out += data


def _pid(out: bytearray, pid: Pid, _stack: Any = None) -> None:
    out.append(NEW_PID)
    _atom(out, pid.node)
    out += struct.pack(">III", pid.id, pid.serial, pid.creation)


def _binary(out: bytearray, term: bytes, _stack: list[Term]) -> None:
    out.append(BINARY)
    out += len(term).to_bytes(4, "big")
    out += term


def _list(out: bytearray, term: list[Term], stack: list[Term]) -> None:
    if not term:
        out.append(NIL)
    elif len(term) <= 0xFFFF and _is_string(term):
        out.append(STRING)
        out += len(term).to_bytes(2, "big")
        out += bytes(term)
    else:
        out.append(LIST)
        out += len(term).to_bytes(4, "big")
        stack.append([])
        stack += term[::-1]


def _improper(out: bytearray, term: Improper, stack: list[Term]) -> None:
    if not term.head:
        raise EncodeError("an improper list without elements")
    out.append(LIST)
    out += len(term.head).to_bytes(4, "big")
    stack.append(term.tail)
    stack += term.head[::-1]


def _tuple(out: bytearray, term: tuple[Term, ...], stack: list[Term]) -> None:
    if len(term) < 256:
        out += bytes((TUPLE, len(term)))
    else:
        out.append(LARGE_TUPLE)
        out += len(term).to_bytes(4, "big")
    stack += term[::-1]


def _float(out: bytearray, term: float, _stack: list[Term]) -> None:
    if not math.isfinite(term):
        raise EncodeError(f"Erlang has no float for {term!r}")
    out.append(NEW_FLOAT)
    out += struct.pack(">d", term)


def _map(out: bytearray, term: Map, stack: list[Term]) -> None:
    out.append(MAP)
    out += len(term.pairs).to_bytes(4, "big")
    for key, value in term.pairs[::-1]:
        stack.append(value)
        stack.append(key)


def _reference(out: bytearray, term: Reference, _stack: list[Term]) -> None:
    out.append(NEWER_REFERENCE)
    out += len(term.ids).to_bytes(2, "big")
    _atom(out, term.node)
    out += struct.pack(f">{len(term.ids) + 1}I", term.creation, *term.ids)


def _port(out: bytearray, term: Port, _stack: list[Term]) -> None:
    out.append(V4_PORT if term.id >> 32 else NEW_PORT)
    _atom(out, term.node)
    out += term.id.to_bytes(8 if term.id >> 32 else 4, "big")
    out += term.creation.to_bytes(4, "big")


def _bits(out: bytearray, term: Bits, _stack: list[Term]) -> None:
    if not 1 <= term.bits <= 7 or not term.data:
        raise EncodeError(f"a bit string with {term.bits} bits in its last byte")
    out.append(BIT_BINARY)
    out += len(term.data).to_bytes(4, "big")
    out.append(term.bits)
    out += term.data


def _export(out: bytearray, term: Export, _stack: list[Term]) -> None:
    out.append(EXPORT)
    _atom(out, term.module)
    _atom(out, term.function)
    out += bytes((SMALL_INTEGER, term.arity))


def _fun(out: bytearray, term: Fun, stack: list[Term]) -> None:
    # Its size stands in front: known only when the environment is written.
    out.append(NEW_FUN)
    out += b"\0\0\0\0"
    begin = len(out) - 4
    out.append(term.arity)
    out += term.unique
    out += struct.pack(">II", term.slot, len(term.free))
    _atom(out, term.module)
    _integer(out, term.old_index)
    _integer(out, term.old_unique)
    _pid(out, term.pid)
    stack.append(_FunEnd(begin))
    stack += term.free[::-1]


def _fun_end(out: bytearray, term: _FunEnd, _stack: list[Term]) -> None:
    out[term.begin:term.begin + 4] = (len(out) - term.begin).to_bytes(4, "big")


_ENCODERS: dict[type, _Encoder] = {
    int: _integer, Atom: _atom, bytes: _binary, list: _list, tuple: _tuple, float: _float, Map: _map, Pid: _pid, Reference: _reference, Port: _port,
    Bits: _bits, Improper: _improper, Export: _export, Fun: _fun, _FunEnd: _fun_end,
}

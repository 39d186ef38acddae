# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Erlang terms to bytes in the external term format, without recursion."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass

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
        kind = term.__class__
        if kind is int:
            _encode_integer(out, term)
        elif kind is Atom:
            _encode_atom(out, term)
        elif kind is bytes:
            out.append(BINARY)
            out += len(term).to_bytes(4, "big")
            out += term
        elif kind is list:
            if not term:
                out.append(NIL)
                continue
            if len(term) <= 0xFFFF and _is_string(term):
                out.append(STRING)
                out += len(term).to_bytes(2, "big")
                out += bytes(term)
                continue
            out.append(LIST)
            out += len(term).to_bytes(4, "big")
            stack.append([])
            stack += term[::-1]
        elif kind is tuple:
            if len(term) < 256:
                out += bytes((TUPLE, len(term)))
            else:
                out.append(LARGE_TUPLE)
                out += len(term).to_bytes(4, "big")
            stack += term[::-1]
        elif kind is float:
            if not math.isfinite(term):
                raise EncodeError(f"Erlang has no float for {term!r}")
            out.append(NEW_FLOAT)
            out += struct.pack(">d", term)
        elif kind is Map:
            out.append(MAP)
            out += len(term.pairs).to_bytes(4, "big")
            for key, value in term.pairs[::-1]:
                stack.append(value)
                stack.append(key)
        elif kind is Pid:
            _encode_pid(out, term)
        elif kind is Reference:
            out.append(NEWER_REFERENCE)
            out += len(term.ids).to_bytes(2, "big")
            _encode_atom(out, term.node)
            out += struct.pack(f">{len(term.ids) + 1}I", term.creation, *term.ids)
        elif kind is Port:
            out.append(V4_PORT if term.id >> 32 else NEW_PORT)
            _encode_atom(out, term.node)
            out += term.id.to_bytes(8 if term.id >> 32 else 4, "big")
            out += term.creation.to_bytes(4, "big")
        elif kind is Bits:
            if not 1 <= term.bits <= 7 or not term.data:
                raise EncodeError(f"a bit string with {term.bits} bits in its last byte")
            out.append(BIT_BINARY)
            out += len(term.data).to_bytes(4, "big")
            out.append(term.bits)
            out += term.data
        elif kind is Improper:
            if not term.head:
                raise EncodeError("an improper list without elements")
            out.append(LIST)
            out += len(term.head).to_bytes(4, "big")
            stack.append(term.tail)
            stack += term.head[::-1]
        elif kind is Export:
            out.append(EXPORT)
            _encode_atom(out, term.module)
            _encode_atom(out, term.function)
            out += bytes((SMALL_INTEGER, term.arity))
        elif kind is Fun:
            # Its size stands in front: known only when the environment is written.
            out.append(NEW_FUN)
            out += b"\0\0\0\0"
            begin = len(out) - 4
            out.append(term.arity)
            out += term.unique
            out += struct.pack(">II", term.slot, len(term.free))
            _encode_atom(out, term.module)
            _encode_integer(out, term.old_index)
            _encode_integer(out, term.old_unique)
            _encode_pid(out, term.pid)
            stack.append(_FunEnd(begin))
            stack += term.free[::-1]
        elif kind is _FunEnd:
            out[term.begin:term.begin + 4] = (len(out) - term.begin).to_bytes(4, "big")
        else:
            raise EncodeError(f"no Erlang term: {kind.__name__}")
    return bytes(out)


def _is_string(items: list[Term]) -> bool:
    """Whether Erlang would write the list as a string: bytes, all of them."""
    for item in items:
        if item.__class__ is not int or not 0 <= item <= 255:
            return False
    return True


def _encode_integer(out: bytearray, value: int) -> None:
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


def _encode_atom(out: bytearray, atom: Atom) -> None:
    data = atom.name.encode("utf-8")
    if len(atom.name) > 255:
        raise EncodeError("an atom has at most 255 characters")
    if len(data) < 256:
        out += bytes((SMALL_ATOM, len(data)))
    else:
        out.append(ATOM)
        out += len(data).to_bytes(2, "big")
    out += data


def _encode_pid(out: bytearray, pid: Pid) -> None:
    out.append(NEW_PID)
    _encode_atom(out, pid.node)
    out += struct.pack(">III", pid.id, pid.serial, pid.creation)

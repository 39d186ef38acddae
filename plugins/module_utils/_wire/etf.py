# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The external term format: Erlang's terms as Python values that keep the differences Erlang makes.

The values are those of `_term`. Source: the guide erl_ext_dist and erts/emulator/beam/external.c of OTP 23 to 29.

Neither direction recurses. Depth, number of terms and size are capped, and a length that a peer announces is never believed before it is
compared with what is there. Not taken: references into the atom cache (flags keep the peer from sending them), LOCAL_EXT (opaque outside its
node), native records of OTP 29, and identifiers in the forms from before OTP 23 (32-bit creations are mandatory since).
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass, replace
from typing import Any

from .._term import Atom, Bits, Export, Fun, Improper, Map, Pid, Port, Reference, Term
from .errors import ProtocolError, TooLarge
from .etf_encode import encode
from .etf_tags import (
    ATOM,
    ATOM_LATIN1,
    BINARY,
    BIT_BINARY,
    COMPRESSED,
    EXPORT,
    FLOAT_TEXT,
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
    NOT_TAKEN,
    SMALL_ATOM,
    SMALL_ATOM_LATIN1,
    SMALL_BIG,
    SMALL_INTEGER,
    STRING,
    TUPLE,
    V4_PORT,
    VERSION,
)

# The terms that it decodes to are part of what it offers.
__all__ = [
    "DEFAULT",
    "Atom",
    "Bits",
    "Export",
    "Fun",
    "Improper",
    "Limits",
    "Map",
    "Pid",
    "Port",
    "Reference",
    "Term",
    "decode",
    "decode_prefix",
    "encode",
]


@dataclass(frozen=True)
class Limits:
    """What one decoded term may cost: bytes, nesting, and the number of terms in it.

    A list element costs about 60 bytes of memory here at the worst, for one byte on the wire.
    """

    size: int = 64 * 1024 * 1024
    depth: int = 1024
    terms: int = 1_000_000
    # 8 KiB of digits; a longer one costs seconds to print.
    integer_bytes: int = 8192


DEFAULT = Limits()

_U32 = struct.Struct(">I").unpack_from
_I32 = struct.Struct(">i").unpack_from
_U16 = struct.Struct(">H").unpack_from
_F64 = struct.Struct(">d").unpack_from


def decode(data: bytes, limits: Limits = DEFAULT) -> Term:
    """The one term that `data` holds, its version byte in front and nothing behind.

    Raises `ProtocolError` for anything else and `TooLarge` above the limits.
    """
    term, end = decode_prefix(data, 0, limits)
    if end != len(data):
        raise ProtocolError(f"{len(data) - end} bytes follow the term")
    return term


def decode_prefix(data: bytes, pos: int = 0, limits: Limits = DEFAULT) -> tuple[Term, int]:
    """The term at `pos`, which begins with its version byte, and the position behind it."""
    if len(data) - pos > limits.size:
        raise TooLarge(f"a term of {len(data) - pos} bytes, at most {limits.size} are taken")
    if pos >= len(data) or data[pos] != VERSION:
        raise ProtocolError("a term begins with the version byte 131")
    pos += 1
    try:
        if data[pos] == COMPRESSED:
            return _inflate(data, pos, limits)
        return _decode(data, pos, limits)
    except (IndexError, struct.error):
        raise ProtocolError("a term ends early") from None


def _inflate(data: bytes, pos: int, limits: Limits) -> tuple[Term, int]:
    """A term that term_to_binary compressed. The announced size bounds what is unpacked, whatever the stream holds."""
    size = _U32(data, pos + 1)[0]
    if size > limits.size:
        raise TooLarge(f"a compressed term of {size} bytes, at most {limits.size} are taken")
    packed = zlib.decompressobj()
    try:
        plain = packed.decompress(data[pos + 5:], size + 1)
    except zlib.error:
        raise ProtocolError("a compressed term that cannot be unpacked") from None
    if len(plain) != size or not packed.eof:
        raise ProtocolError("a compressed term has another size than announced")
    term, end = _decode(plain, 0, limits)
    if end != len(plain):
        raise ProtocolError("bytes follow a compressed term")
    return term, len(data) - len(packed.unused_data)


class _Frame:
    """A term that waits for its parts."""

    __slots__ = ("kind", "parts", "left", "extra")

    def __init__(self, kind: int, left: int, extra: Any = None) -> None:
        self.kind = kind
        self.parts: list[Term] = []
        self.left = left
        self.extra = extra


def _decode(data: bytes, pos: int, limits: Limits) -> tuple[Term, int]:
    total = len(data)
    stack: list[_Frame] = []
    budget = limits.terms
    atoms: dict[bytes, Atom] = {}
    value: Term
    while True:
        budget -= 1
        if budget < 0:
            raise TooLarge(f"a term of more than {limits.terms} parts")
        tag = data[pos]
        pos += 1
        if tag == SMALL_INTEGER:
            value = data[pos]
            pos += 1
        elif tag == SMALL_ATOM or tag == ATOM or tag == SMALL_ATOM_LATIN1 or tag == ATOM_LATIN1:
            value, pos = _atom(data, pos, tag, atoms)
        elif tag == NIL:
            value = []
        elif tag == INTEGER:
            value = _I32(data, pos)[0]
            pos += 4
        elif tag == BINARY:
            end = pos + 4 + _U32(data, pos)[0]
            if end > total:
                raise ProtocolError("a binary ends early")
            value = bytes(data[pos + 4:end])
            pos = end
        elif tag == STRING:
            end = pos + 2 + _U16(data, pos)[0]
            if end > total:
                raise ProtocolError("a string ends early")
            value = list(data[pos + 2:end])
            # Its elements are shared small integers: a pointer each.
            budget -= len(value) // 8
            pos = end
        elif tag == TUPLE or tag == LARGE_TUPLE or tag == LIST or tag == MAP:
            if tag == TUPLE:
                count = data[pos]
                pos += 1
            else:
                count = _U32(data, pos)[0]
                pos += 4
            if tag == LIST:
                count += 1
            elif tag == MAP:
                count *= 2
            # Each part takes a byte at the least: an announced count is worth what is there.
            if count > total - pos:
                raise ProtocolError(f"{count} parts announced, {total - pos} bytes left")
            if count > budget:
                raise TooLarge(f"a term of more than {limits.terms} parts")
            if count:
                if len(stack) >= limits.depth:
                    raise TooLarge(f"terms nested deeper than {limits.depth}")
                stack.append(_Frame(TUPLE if tag == LARGE_TUPLE else tag, count))
                continue
            value = Map() if tag == MAP else ()
        elif tag == NEW_FUN:
            fun, free, end, pos = _fun(data, pos, atoms)
            if free > budget:
                raise TooLarge(f"a term of more than {limits.terms} parts")
            if free:
                if len(stack) >= limits.depth:
                    raise TooLarge(f"terms nested deeper than {limits.depth}")
                stack.append(_Frame(NEW_FUN, free, (fun, end)))
                continue
            if pos != end:
                raise ProtocolError("a fun has another size than announced")
            value = fun
        else:
            value, pos = _rare(data, pos, tag, limits, atoms)

        # A value is whole: hand it to the term that waits for it, and on while that completes another.
        while stack:
            top = stack[-1]
            top.parts.append(value)
            top.left -= 1
            if top.left:
                break
            stack.pop()
            value = _complete(top, pos)
        else:
            return value, pos


def _complete(frame: _Frame, pos: int) -> Term:
    """The term whose last part ends at pos."""
    parts = frame.parts
    if frame.kind == TUPLE:
        return tuple(parts)
    if frame.kind == MAP:
        return Map(zip(parts[::2], parts[1::2]))
    if frame.kind == LIST:
        tail = parts.pop()
        if tail.__class__ is list:
            # [1 | [2, 3]] is [1, 2, 3].
            parts += tail
            return parts
        if tail.__class__ is Improper:
            return Improper(tuple(parts) + tail.head, tail.tail)
        return Improper(tuple(parts), tail) if parts else tail
    fun, end = frame.extra
    if pos != end:
        raise ProtocolError("a fun has another size than announced")
    return replace(fun, free=tuple(parts))


def _rare(data: bytes, pos: int, tag: int, limits: Limits, atoms: dict[bytes, Atom]) -> tuple[Term, int]:
    """A term without parts that a conversation seldom has."""
    total = len(data)
    if tag == NEW_FLOAT:
        number = _F64(data, pos)[0]
        if not math.isfinite(number):
            raise ProtocolError("a float that is no number")
        return number, pos + 8
    if tag == SMALL_BIG or tag == LARGE_BIG:
        return _big(data, pos, tag, limits)
    if tag == NEW_PID:
        return _pid(data, pos, atoms)
    if tag == NEWER_REFERENCE:
        count = _U16(data, pos)[0]
        if not 1 <= count <= 5:
            raise ProtocolError(f"a reference of {count} words")
        node, pos = _any_atom(data, pos + 2, atoms)
        words = struct.unpack_from(f">{count + 1}I", data, pos)
        return Reference(node, words[0], words[1:]), pos + 4 * (count + 1)
    if tag == V4_PORT or tag == NEW_PORT:
        node, pos = _any_atom(data, pos, atoms)
        width = 8 if tag == V4_PORT else 4
        if pos + width + 4 > total:
            raise ProtocolError("a port ends early")
        return Port(node, int.from_bytes(data[pos:pos + width], "big"), _U32(data, pos + width)[0]), pos + width + 4
    if tag == BIT_BINARY:
        end = pos + 5 + _U32(data, pos)[0]
        bits = data[pos + 4]
        if end > total or end == pos + 5 or not 1 <= bits <= 8:
            raise ProtocolError("a bit string that cannot be")
        content = bytes(data[pos + 5:end])
        if bits == 8:
            return content, end
        # The unused bits of the last byte mean nothing and are not compared.
        return Bits(content[:-1] + bytes((content[-1] & (0xFF << (8 - bits)) & 0xFF,)), bits), end
    if tag == EXPORT:
        module, pos = _any_atom(data, pos, atoms)
        function, pos = _any_atom(data, pos, atoms)
        if data[pos] != SMALL_INTEGER:
            raise ProtocolError("an external fun without arity")
        return Export(module, function, data[pos + 1]), pos + 2
    if tag == FLOAT_TEXT:
        return _float_text(data[pos:pos + 31]), pos + 31
    raise ProtocolError(f"a term with tag {tag}{f' ({NOT_TAKEN[tag]})' if tag in NOT_TAKEN else ''}, which is not taken here")


def _big(data: bytes, pos: int, tag: int, limits: Limits) -> tuple[int, int]:
    if tag == SMALL_BIG:
        size = data[pos]
        pos += 1
    else:
        size = _U32(data, pos)[0]
        pos += 4
    if size > limits.integer_bytes:
        raise TooLarge(f"an integer of {size} bytes, at most {limits.integer_bytes} are taken")
    sign, end = data[pos], pos + 1 + size
    if end > len(data):
        raise ProtocolError("an integer ends early")
    value = int.from_bytes(data[pos + 1:end], "little")
    return -value if sign else value, end


def _fun(data: bytes, pos: int, atoms: dict[bytes, Atom]) -> tuple[Fun, int, int, int]:
    """A fun without its free variables, how many it has, where it ends, and the position of the first one."""
    begin = pos
    size = _U32(data, pos)[0]
    arity, unique = data[pos + 4], bytes(data[pos + 5:pos + 21])
    slot, free = _U32(data, pos + 21)[0], _U32(data, pos + 25)[0]
    if begin + size > len(data) or free > len(data) - pos:
        raise ProtocolError("a fun ends early")
    module, pos = _any_atom(data, pos + 29, atoms)
    old_index, pos = _fixed_integer(data, pos)
    old_unique, pos = _fixed_integer(data, pos)
    if data[pos] != NEW_PID:
        raise ProtocolError("a fun without its process")
    pid, pos = _pid(data, pos + 1, atoms)
    return Fun(arity, unique, slot, module, old_index, old_unique, pid, ()), free, begin + size, pos


def _atom(data: bytes, pos: int, tag: int, atoms: dict[bytes, Atom]) -> tuple[Atom, int]:
    if tag == SMALL_ATOM or tag == SMALL_ATOM_LATIN1:
        size = data[pos]
        pos += 1
    else:
        size = _U16(data, pos)[0]
        pos += 2
    end = pos + size
    if end > len(data):
        raise ProtocolError("an atom ends early")
    raw = bytes(data[pos:end])
    latin1 = tag == SMALL_ATOM_LATIN1 or tag == ATOM_LATIN1
    key = b"\0" + raw if latin1 else b"\1" + raw
    atom = atoms.get(key)
    if atom is None:
        try:
            text = raw.decode("latin-1" if latin1 else "utf-8")
        except UnicodeDecodeError:
            raise ProtocolError("an atom that is not UTF-8") from None
        if len(text) > 255:
            raise ProtocolError(f"an atom of {len(text)} characters")
        atom = atoms[key] = Atom(text)
    return atom, end


def _any_atom(data: bytes, pos: int, atoms: dict[bytes, Atom]) -> tuple[Atom, int]:
    tag = data[pos]
    if tag not in (SMALL_ATOM, ATOM, SMALL_ATOM_LATIN1, ATOM_LATIN1):
        raise ProtocolError(f"tag {tag} where an atom has to be")
    return _atom(data, pos + 1, tag, atoms)


def _pid(data: bytes, pos: int, atoms: dict[bytes, Atom]) -> tuple[Pid, int]:
    node, pos = _any_atom(data, pos, atoms)
    return Pid(node, *struct.unpack_from(">III", data, pos)), pos + 12


def _fixed_integer(data: bytes, pos: int) -> tuple[int, int]:
    if data[pos] == SMALL_INTEGER:
        return data[pos + 1], pos + 2
    if data[pos] == INTEGER:
        return _I32(data, pos + 1)[0], pos + 5
    raise ProtocolError(f"tag {data[pos]} where an integer has to be")


def _float_text(raw: bytes) -> float:
    """FLOAT_EXT: 31 bytes of text, filled up with NUL. Only minor version 0 of the format writes it."""
    if len(raw) != 31:
        raise ProtocolError("a float ends early")
    try:
        value = float(raw.rstrip(b"\0").decode("ascii"))
    except ValueError:
        raise ProtocolError("a float that is no number") from None
    if not math.isfinite(value):
        raise ProtocolError("a float that is no number")
    return value

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Erlang terms as Python values, and as the text that file:consult/1 reads. Equality of maps is that of their text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

# Any of the types of the table above. Spelled out it would be recursive, which Python 3.9's typing cannot say.
Term = Any


class TermError(ValueError):
    """Text that is no Erlang term, or data that has no form as one. The message names line and column where there are any."""


class Atom:
    """An atom. Equal to no other Python value of the same text."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and other.name == self.name

    def __hash__(self) -> int:
        return hash(("atom", self.name))

    def __repr__(self) -> str:
        return f"Atom({self.name!r})"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Bits:
    """A bit string whose last byte holds only `bits` (1 to 7) bits, at its upper end."""

    data: bytes
    bits: int


@dataclass(frozen=True)
class Improper:
    """A list whose tail is no list."""

    head: tuple[Term, ...]
    tail: Term


@dataclass(frozen=True)
class Pid:
    """A process on `node`."""

    node: Atom
    id: int
    serial: int
    creation: int


@dataclass(frozen=True)
class Port:
    """A port on `node`."""

    node: Atom
    id: int
    creation: int


@dataclass(frozen=True)
class Reference:
    """A reference made on `node`; one to five 32-bit words."""

    node: Atom
    creation: int
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Export:
    """fun module:function/arity."""

    module: Atom
    function: Atom
    arity: int


@dataclass(frozen=True)
class Fun:
    """A fun with its environment. It can be kept and sent back, not called here."""

    arity: int
    unique: bytes
    slot: int
    module: Atom
    old_index: int
    old_unique: int
    pid: Pid
    free: tuple[Term, ...]


class Map:
    """A map as the pairs that came, in their order; tells the keys 1 and 1.0 apart. Two are equal where the pairs are, in any order."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[tuple[Term, Term]] = ()) -> None:
        self.pairs: tuple[tuple[Term, Term], ...] = tuple(pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and to_text(self) == to_text(other)

    def __hash__(self) -> int:
        return hash(to_text(self))

    def __repr__(self) -> str:
        return f"Map({self.pairs!r})"

    def __len__(self) -> int:
        return len(self.pairs)

    def get(self, key: Term, default: Term = None) -> Term:
        """The value of a key, compared as Erlang's =:= does."""
        wanted = to_text(key)
        for own, value in self.pairs:
            if to_text(own) == wanted:
                return value
        return default


def charlist(text: str) -> list[int]:
    """A string as Erlang's double quotes mean it: a list of code points."""
    return [ord(character) for character in text]


RESERVED = frozenset(
    "after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let maybe not of or orelse"
    " receive rem try when xor".split()
)
_BARE_ATOM = re.compile("[a-z\u00df-\u00f6\u00f8-\u00ff][0-9A-Za-z_@\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]*")
ESCAPED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\x1b": "\\e", "\\": "\\\\"}


def to_text(term: Term) -> str:
    """A term on one line, without a dot behind it.

    The pairs of maps are ordered by their text, so that terms that match have the same text. Raises `TermError` for a value that is no term.
    """
    stack: list[tuple[Term, list[Term], list[str]]] = []
    while True:
        parts = _parts(term)
        if parts:
            stack.append((term, parts, []))
            term = parts[0]
            continue
        text = _scalar(term)
        while stack:
            whole, parts, texts = stack[-1]
            texts.append(text)
            if len(texts) < len(parts):
                term = parts[len(texts)]
                break
            stack.pop()
            text = _join(whole, texts)
        else:
            return text


def _parts(term: Term) -> list[Term]:
    """The terms that a term is made of; none for those that are written as they are."""
    kind = term.__class__
    if kind is list:
        return [] if printable_list(term) is not None else term
    if kind is tuple:
        return list(term)
    if kind is Map:
        return [part for pair in term.pairs for part in pair]
    if kind is Improper:
        return [*term.head, term.tail]
    if kind is Fun:
        return list(term.free)
    return []


def _join(term: Term, texts: list[str]) -> str:
    kind = term.__class__
    if kind is tuple:
        return f"{{{','.join(texts)}}}"
    if kind is list:
        return f"[{','.join(texts)}]"
    if kind is Improper:
        return f"[{','.join(texts[:-1])}|{texts[-1]}]"
    if kind is Fun:
        return _fun_text(term, ",".join(texts))
    pairs = sorted(zip(texts[::2], texts[1::2]))
    return f"#{{{','.join(f'{key} => {value}' for key, value in pairs)}}}"


def _scalar(term: Term) -> str:
    kind = term.__class__
    if kind is Atom:
        return atom_text(term.name)
    if kind is int:
        return _integer_text(term)
    if kind is bytes:
        return _binary_text(term)
    if kind is float:
        return _float_text(term)
    if kind is list:
        text = printable_list(term)
        return "[]" if not text else _quote(text, '"')
    if kind is tuple:
        return "{}"
    if kind is Map:
        return "#{}"
    if kind is Bits:
        last = term.data[-1] >> (8 - term.bits)
        return f"<<{','.join([str(byte) for byte in term.data[:-1]] + [f'{last}:{term.bits}'])}>>"
    if kind is Export:
        return f"fun {atom_text(term.module.name)}:{atom_text(term.function.name)}/{term.arity}"
    if kind is Pid:
        return f"#Pid<{atom_text(term.node.name)}.{term.id}.{term.serial}.{term.creation}>"
    if kind is Port:
        return f"#Port<{atom_text(term.node.name)}.{term.id}.{term.creation}>"
    if kind is Reference:
        return f"#Ref<{atom_text(term.node.name)}.{term.creation}.{'.'.join(map(str, term.ids))}>"
    if kind is Fun:
        return _fun_text(term, "")
    raise TermError(f"{kind.__name__} is no Erlang term")


def _fun_text(term: Fun, free: str) -> str:
    return (
        f"#Fun<{atom_text(term.module.name)}.{term.slot}.{term.unique.hex()}.{term.old_index}.{term.old_unique}.{term.arity}"
        f".{_scalar(term.pid)}({free})>"
    )


def atom_text(name: str) -> str:
    """An atom as Erlang reads it, in quotes where it needs them."""
    if _BARE_ATOM.fullmatch(name) and name not in RESERVED:
        return name
    return _quote(name, "'")


def _quote(text: str, mark: str) -> str:
    return mark + "".join(_escape(character, mark) for character in text) + mark


def _escape(character: str, mark: str) -> str:
    if character == mark:
        return "\\" + mark
    known = ESCAPED.get(character)
    if known is not None:
        return known
    return character if is_printable(character) else f"\\x{{{ord(character):X}}}"


def is_printable(character: str) -> bool:
    code = ord(character)
    return 32 <= code < 127 or code >= 160 and not 0xD800 <= code < 0xE000 and code not in (0xFFFE, 0xFFFF)


def printable_list(items: list[Term]) -> str | None:
    """The text of a list that Erlang's shell would show as one; empty for the empty list, None for any other."""
    for item in items:
        if item.__class__ is not int or not 8 <= item < 0x110000 or not (is_printable(chr(item)) or chr(item) in ESCAPED):
            return None
    return "".join(map(chr, items))


def _integer_text(value: int) -> str:
    if abs(value).bit_length() > 14000:
        # Beyond Python's limit for decimal digits.
        return ("-" if value < 0 else "") + f"16#{abs(value):X}"
    return str(value)


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        raise TermError(f"Erlang has no float for {value!r}")
    mantissa, mark, exponent = repr(value).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return mantissa + mark + exponent


def _binary_text(data: bytes) -> str:
    if not data:
        return "<<>>"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if not all(is_printable(character) or character in ESCAPED for character in text):
        return f"<<{','.join(map(str, data))}>>"
    quoted = _quote(text, '"')
    return f"<<{quoted}>>" if text.isascii() else f"<<{quoted}/utf8>>"

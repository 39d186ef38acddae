# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Erlang terms: as Python values, as text, and as plain data.

| Erlang | Python | plain data (JSON, YAML) |
| --- | --- | --- |
| integer, float | int, float | number |
| true, false, undefined | `Atom` | true, false, null |
| other atom | `Atom` | string |
| binary | bytes | string where it is printable, else `{"base64": ...}` |
| string | list of int | string where it is printable, else list |
| list | list | list |
| tuple | tuple | list |
| map | `Map` | dictionary where all keys are text, else list of pairs |
| anything else | `Bits`, `Improper`, `Pid`, `Port`, `Reference`, `Fun`, `Export` | its Erlang text |

Text is what file:consult/1 reads. Plain data forgets what Erlang tells apart; text does not, apart from pids, ports, references and funs, which have
no text that Erlang would read. Source: the reference manual's chapter on data types, erl_scan.erl, erl_parse.yrl and io_lib.erl of OTP 27.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

# Any of the types of the table above. Spelled out it would be recursive, which Python 3.9's typing cannot say.
Term = Any

MAX_DEPTH = 1024
# Plain data is walked with recursion, by us and by everybody after us.
MAX_PLAIN_DEPTH = 100
# Python's own limit for turning digits into integers; beyond it takes seconds.
_MAX_DIGITS = 4300


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


# --- Printing ---

_RESERVED = frozenset(
    "after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let maybe not of or orelse"
    " receive rem try when xor".split()
)
_BARE_ATOM = re.compile("[a-z\u00df-\u00f6\u00f8-\u00ff][0-9A-Za-z_@\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]*")
_ESCAPED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f", "\v": "\\v", "\x1b": "\\e", "\\": "\\\\"}


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
        return [] if _printable_list(term) is not None else term
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
        text = _printable_list(term)
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
    return f"#Fun<{atom_text(term.module.name)}.{term.slot}.{term.unique.hex()}.{term.old_index}.{term.old_unique}.{term.arity}.{_scalar(term.pid)}({free})>"


def atom_text(name: str) -> str:
    """An atom as Erlang reads it, in quotes where it needs them."""
    if _BARE_ATOM.fullmatch(name) and name not in _RESERVED:
        return name
    return _quote(name, "'")


def _quote(text: str, mark: str) -> str:
    return mark + "".join(_escape(character, mark) for character in text) + mark


def _escape(character: str, mark: str) -> str:
    if character == mark:
        return "\\" + mark
    known = _ESCAPED.get(character)
    if known is not None:
        return known
    return character if _is_printable(character) else f"\\x{{{ord(character):X}}}"


def _is_printable(character: str) -> bool:
    code = ord(character)
    return 32 <= code < 127 or code >= 160 and not 0xD800 <= code < 0xE000 and code not in (0xFFFE, 0xFFFF)


def _printable_list(items: list[Term]) -> str | None:
    """The text of a list that Erlang's shell would show as one; empty for the empty list, None for any other."""
    for item in items:
        if item.__class__ is not int or not 8 <= item < 0x110000 or not (_is_printable(chr(item)) or chr(item) in _ESCAPED):
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
    if not all(_is_printable(character) or character in _ESCAPED for character in text):
        return f"<<{','.join(map(str, data))}>>"
    quoted = _quote(text, '"')
    return f"<<{quoted}>>" if text.isascii() else f"<<{quoted}/utf8>>"


# --- Parsing ---

_TOKEN = re.compile(
    r"""
      (?P<space>(?:[\s\u0080-\u00a0]|%[^\n]*)+)
    | (?P<char>\$(?:\\(?:x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|\^.|[\s\S])|[\s\S]))
    | (?P<float>[0-9]+(?:_[0-9]+)*\.[0-9]+(?:_[0-9]+)*(?:[eE][+-]?[0-9]+)?)
    | (?P<based>[0-9]{1,2}\#[0-9A-Za-z]+(?:_[0-9A-Za-z]+)*)
    | (?P<integer>[0-9]+(?:_[0-9]+)*)
    | (?P<triple>(?:~[bBsS]?)?\"{3,}[^\n\"]*\n)
    | (?P<sigil>~[a-zA-Z]*)
    | (?P<string>\"(?:[^\"\\]|\\[\s\S])*\")
    | (?P<quoted>'(?:[^'\\]|\\[\s\S])*')
    | (?P<atom>[a-z\u00df-\u00f6\u00f8-\u00ff][0-9A-Za-z_@\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u00ff]*)
    | (?P<mark><<|>>|=>|\#\{|[\[\]{}(),|:/+.-])
    """,
    re.VERBOSE,
)
_UNESCAPE = re.compile(r"\\(?:x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})|([0-7]{1,3})|\^([\s\S])|([\s\S]))")
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "s": " ", "d": "\x7f"}

Token = tuple[str, str, int]


def parse(text: str) -> Term:
    """The one term that a text holds; a dot behind it is allowed. Raises `TermError`."""
    parser = _Parser(text)
    term = parser.term()
    if parser.sees("mark", "."):
        parser.take()
    if parser.kind != "end":
        parser.fail("nothing may follow the term")
    return term


def consult(text: str) -> list[Term]:
    """The terms of a file as file:consult/1 reads it: each ends with a dot. Raises `TermError`."""
    parser = _Parser(text)
    terms: list[Term] = []
    while parser.kind != "end":
        terms.append(parser.term())
        parser.expect(".")
    return terms


def print_file(terms: Iterable[Term]) -> str:
    """A file for file:consult/1: one term per line."""
    return "".join(f"{to_text(term)}.\n" for term in terms)


class _Open:
    """A bracket that is open: what was read in it, and what has to come."""

    __slots__ = ("mark", "items", "tail")

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.items: list[Term] = []
        self.tail = False


_CLOSE = {"[": "]", "{": "}", "#{": "}"}


class _Parser:
    """Reads terms off a text, without recursion."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.kind, self.value, self.at = "", "", 0
        self.take()

    def fail(self, problem: str, at: int | None = None) -> NoReturn:
        """Raise with the place of the current token."""
        at = self.at if at is None else at
        line = self.text.count("\n", 0, at) + 1
        column = at - self.text.rfind("\n", 0, at)
        raise TermError(f"line {line}, column {column}: {problem}")

    def take(self) -> Token:
        """The current token; go on to the next."""
        before = (self.kind, self.value, self.at)
        while True:
            self.at = self.pos
            if self.pos >= len(self.text):
                self.kind, self.value = "end", ""
                return before
            match = _TOKEN.match(self.text, self.pos)
            if match is None:
                self.fail(f"not Erlang: {ascii(self.text[self.pos:self.pos + 10])[1:-1]}")
            self.pos = match.end()
            self.kind, self.value = str(match.lastgroup), match.group()
            if self.kind != "space":
                return before

    def sees(self, kind: str, value: str) -> bool:
        """Whether the current token is that one."""
        return self.kind == kind and self.value == value

    def expect(self, mark: str) -> None:
        """Take a mark, or fail."""
        if not self.sees("mark", mark):
            self.fail(f"{mark} expected")
        self.take()

    def term(self) -> Term:
        """One term."""
        stack: list[_Open] = []
        while True:
            value: Term
            if self.kind == "mark" and self.value in _CLOSE:
                stack.append(_Open(self.take()[1]))
                if len(stack) > MAX_DEPTH:
                    self.fail(f"terms nested deeper than {MAX_DEPTH}")
                if not self.sees("mark", _CLOSE[stack[-1].mark]):
                    continue
                value = self._close(stack.pop())
            else:
                value = self._single()
            while stack:
                top = stack[-1]
                top.items.append(value)
                if self._goes_on(top):
                    break
                value = self._close(stack.pop())
            else:
                return value

    def _goes_on(self, top: _Open) -> bool:
        """Take what separates the parts; whether another part follows."""
        if top.mark == "#{" and len(top.items) % 2:
            self.expect("=>")
            return True
        if self.sees("mark", ",") and not top.tail:
            self.take()
            return True
        if self.sees("mark", "|") and top.mark == "[" and not top.tail:
            self.take()
            top.tail = True
            return True
        return False

    def _close(self, top: _Open) -> Term:
        self.expect(_CLOSE[top.mark])
        if top.mark == "{":
            return tuple(top.items)
        if top.mark == "#{":
            pairs = list(zip(top.items[::2], top.items[1::2]))
            # Erlang keeps the last of equal keys.
            return Map({to_text(key): (key, value) for key, value in pairs}.values())
        if not top.tail:
            return top.items
        tail = top.items.pop()
        if isinstance(tail, list):
            return top.items + tail
        if isinstance(tail, Improper):
            return Improper(tuple(top.items) + tail.head, tail.tail)
        return Improper(tuple(top.items), tail)

    def _single(self) -> Term:
        kind, value, at = self.kind, self.value, self.at
        if kind == "mark" and value in ("+", "-"):
            self.take()
            number = self._number()
            return -number if value == "-" else number
        if kind in ("integer", "based", "float", "char"):
            return self._number()
        if kind == "atom":
            self.take()
            if value == "fun":
                return self._export()
            if value in _RESERVED:
                self.fail(f"{value} is a reserved word", at)
            return Atom(value)
        if kind == "quoted":
            self.take()
            return Atom(self._atom_name(value, at))
        if kind in ("string", "triple", "sigil"):
            return self._strings()
        if kind == "mark" and value == "<<":
            return self._binary()
        self.fail("a term expected" if kind != "end" else "the text ends where a term is expected")

    def _atom_name(self, quoted: str, at: int) -> str:
        name = self._unescape(quoted[1:-1], at)
        if len(name) > 255:
            self.fail("an atom has at most 255 characters", at)
        return name

    def _number(self) -> Term:
        kind, value, at = self.take()
        if kind == "char":
            text = value[1:]
            return ord(self._unescape(text, at) if text[0] == "\\" else text)
        plain = value.replace("_", "")
        if len(plain) > _MAX_DIGITS * 8:
            self.fail(f"a number of {len(plain)} digits", at)
        if kind == "float":
            number = float(plain)
            if not math.isfinite(number):
                self.fail("a float out of range", at)
            return number
        if kind == "based":
            base, dummy, digits = plain.partition("#")
            if not 2 <= int(base) <= 36:
                self.fail("a base is from 2 to 36", at)
            try:
                return int(digits, int(base))
            except ValueError:
                self.fail(f"no number to base {base}", at)
        if kind == "integer":
            if len(plain) > _MAX_DIGITS:
                self.fail(f"a number of {len(plain)} digits", at)
            return int(plain)
        self.fail("a number expected", at)

    def _export(self) -> Export:
        names: list[Atom] = []
        for mark in (":", "/"):
            name = self._single()
            if not isinstance(name, Atom):
                self.fail("only fun Module:Function/Arity is a term")
            names.append(name)
            self.expect(mark)
        arity = self._number()
        if arity.__class__ is not int or not 0 <= arity <= 255:
            self.fail("an arity is from 0 to 255")
        return Export(names[0], names[1], arity)

    def _strings(self) -> Term:
        """A string, with those that follow it; or a sigil, which is a binary unless it is ~s or ~S."""
        binary = False
        verbatim = False
        if self.kind == "sigil":
            name, at = self.value[1:], self.at
            if name not in ("", "b", "B", "s", "S") or self.pos >= len(self.text) or self.text[self.pos] != '"':
                self.fail("a sigil of that kind is not known here", at)
            self.take()
            binary, verbatim = name in ("", "b", "B"), name in ("B", "S")
        elif self.kind == "triple" and self.value[0] == "~":
            binary = self.value[1] not in "sS"
        text = self._string(verbatim)
        if binary:
            return text.encode("utf-8")
        while self.kind in ("string", "triple") and not self.value.startswith("~"):
            text += self._string(False)
        return charlist(text)

    def _string(self, verbatim: bool) -> str:
        kind, value, at = self.kind, self.value, self.at
        if kind == "triple":
            return self._triple()
        self.take()
        return value[1:-1] if verbatim else self._unescape(value[1:-1], at)

    def _triple(self) -> str:
        """A triple-quoted string (OTP 27): lines up to one that holds the same quotes; their indentation is that line's."""
        at = self.at
        head = self.value.lstrip("~bBsS").rstrip("\n").rstrip()
        escapes = self.value[1:2] in ("b", "s")
        end = re.compile(rf"^([^\S\n]*){re.escape(head)}(?!\")", re.MULTILINE).search(self.text, self.pos)
        if head.strip('"') or end is None:
            self.fail("a triple-quoted string without end", at)
        indent = end.group(1)
        lines = self.text[self.pos:end.start()].split("\n")[:-1]
        for number, line in enumerate(lines):
            if line and not line.startswith(indent):
                self.fail(f"line {number + 1} of a triple-quoted string is not indented like its end", at)
            lines[number] = line[len(indent):]
        self.pos = end.end()
        self.take()
        text = "\n".join(lines)
        return self._unescape(text, at) if escapes else text

    def _unescape(self, text: str, at: int) -> str:
        def one(match: re.Match[str]) -> str:
            long, short, octal, control, simple = match.groups()
            if simple is not None:
                if simple == "x":
                    self.fail("\\x without digits", at)
                return _SIMPLE.get(simple, simple)
            if control is not None:
                return chr(ord(control) & 31)
            code = int(octal, 8) if octal is not None else int(long or short, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                self.fail(f"no character has the number {code:X}", at)
            return chr(code)

        return _UNESCAPE.sub(one, text)

    def _binary(self) -> Term:
        """A binary from integers and strings, with their sizes and types; no expressions."""
        at = self.at
        self.take()
        bits: list[str] = []
        if not self.sees("mark", ">>"):
            while True:
                bits.append(self._segment())
                if not self.sees("mark", ","):
                    break
                self.take()
        self.expect(">>")
        whole = "".join(bits)
        if not whole:
            return b""
        if len(whole) > 8 * 1024 * 1024:
            self.fail(f"a binary of {len(whole)} bits", at)
        rest = len(whole) % 8
        data = int(whole + "0" * (-len(whole) % 8), 2).to_bytes((len(whole) + 7) // 8, "big")
        return Bits(data, rest) if rest else data

    def _segment(self) -> str:
        """One segment as a text of zeros and ones."""
        at = self.at
        value = self._single() if self.kind != "string" else charlist(self._string(False))
        size: int | None = None
        if self.sees("mark", ":"):
            self.take()
            size = self._number()
            if size.__class__ is not int or not 0 <= size <= 65536:
                self.fail("a segment's size is a number up to 65536", at)
        kinds: list[str] = []
        if self.sees("mark", "/"):
            self.take()
            while True:
                kinds.append(self.take()[1])
                if not self.sees("mark", "-"):
                    break
                self.take()
        little = "little" in kinds
        kind = next((word for word in kinds if word in ("utf8", "utf16", "utf32", "float", "integer")), "integer")
        if any(word not in ("utf8", "utf16", "utf32", "float", "integer", "big", "little", "signed", "unsigned") for word in kinds):
            self.fail("a segment's type that is not known here", at)
        values = value if isinstance(value, list) else [value]
        return "".join(self._segment_bits(item, size, kind, little, at) for item in values)

    def _segment_bits(self, value: Term, size: int | None, kind: str, little: bool, at: int) -> str:
        if kind.startswith("utf"):
            codec = {"utf8": "utf-8", "utf16": "utf-16-le" if little else "utf-16-be", "utf32": "utf-32-le" if little else "utf-32-be"}[kind]
            if value.__class__ is not int or not 0 <= value < 0x110000 or 0xD800 <= value < 0xE000 or size is not None:
                self.fail(f"a segment of type {kind} is a character without size", at)
            return _bit_text(chr(value).encode(codec))
        if kind == "float" or value.__class__ is float:
            form = {64: "d", 32: "f", 16: "e"}.get(64 if size is None else size)
            if form is None or kind != "float" or value.__class__ not in (int, float):
                self.fail("a segment of type float has 16, 32 or 64 bits", at)
            try:
                return _bit_text(struct.pack(("<" if little else ">") + form, value))
            except (OverflowError, struct.error):
                self.fail("a float that does not fit its segment", at)
        if value.__class__ is not int:
            self.fail("a segment is a number or a string", at)
        size = 8 if size is None else size
        text = format(value & ((1 << size) - 1), f"0{size}b") if size else ""
        if little:
            if size % 8:
                self.fail("a little-endian segment of broken bytes is not known here", at)
            text = "".join(text[place:place + 8] for place in range(size - 8, -1, -8))
        return text


def _bit_text(data: bytes) -> str:
    return "".join(format(byte, "08b") for byte in data)


# --- Plain data ---


def to_plain(term: Term, depth: int = 0) -> Any:
    """A term as data for JSON and YAML, by the table above. What is nested deeper than `MAX_PLAIN_DEPTH` becomes text."""
    kind = term.__class__
    if kind is int or kind is float:
        return term
    if kind is Atom:
        return {"true": True, "false": False, "undefined": None}.get(term.name, term.name)
    if kind is bytes:
        return _plain_binary(term)
    if depth < MAX_PLAIN_DEPTH:
        if kind is list:
            text = _printable_list(term)
            return text if text else [to_plain(item, depth + 1) for item in term]
        if kind is tuple:
            return [to_plain(item, depth + 1) for item in term]
        if kind is Map:
            pairs = [(to_plain(key, depth + 1), to_plain(value, depth + 1)) for key, value in term.pairs]
            keys = {key for key, dummy in pairs if isinstance(key, str)}
            if len(keys) == len(pairs):
                return dict(pairs)
            return [list(pair) for pair in pairs]
    return to_text(term)


def _plain_binary(data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if all(_is_printable(character) or character in _ESCAPED for character in text):
        return text
    return {"base64": base64.b64encode(data).decode("ascii")}


_TEXT_KINDS = ("binary", "string", "atom")


def from_plain(data: Any, *, strings: str = "binary", keys: str = "atom", mappings: str = "map", depth: int = 0) -> Term:
    """Plain data as a term. `strings` and `keys`: binary, string or atom; `mappings`: map or proplist (a list of pairs).

    true, false and null become the atoms true, false and undefined. Raises `TermError` for anything that is no plain data.
    """
    if depth > MAX_PLAIN_DEPTH:
        raise TermError(f"data nested deeper than {MAX_PLAIN_DEPTH}")
    if data is None:
        return Atom("undefined")
    if isinstance(data, bool):
        return Atom("true" if data else "false")
    if isinstance(data, int):
        return int(data)
    if isinstance(data, float):
        if not math.isfinite(data):
            raise TermError(f"Erlang has no float for {data!r}")
        return float(data)
    if isinstance(data, str):
        return _from_str(str(data), strings)
    options: dict[str, Any] = {"strings": strings, "keys": keys, "mappings": mappings, "depth": depth + 1}
    if isinstance(data, (list, tuple)):
        return [from_plain(item, **options) for item in data]
    if isinstance(data, dict):
        pairs = [
            (_from_str(str(key), keys) if isinstance(key, str) else from_plain(key, **options), from_plain(value, **options))
            for key, value in data.items()
        ]
        if mappings == "map":
            return Map(pairs)
        if mappings == "proplist":
            return pairs
        raise TermError(f"mappings is map or proplist, not {mappings}")
    raise TermError(f"{data.__class__.__name__} has no form in Erlang")


def _from_str(text: str, kind: str) -> Term:
    if kind == "binary":
        return text.encode("utf-8")
    if kind == "string":
        return charlist(text)
    if kind == "atom":
        if len(text) > 255:
            raise TermError("an atom has at most 255 characters")
        return Atom(text)
    raise TermError(f"text becomes one of {', '.join(_TEXT_KINDS)}, not {kind}")

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text to Erlang terms, without recursion: what file:consult/1 reads, OTP 27's triple-quoted strings and sigils included."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable

from .scan import Scanner
from .values import RESERVED, Atom, Bits, Export, Improper, Map, Term, charlist, to_text

MAX_DEPTH = 1024
# Python's own limit for turning digits into integers; beyond it takes seconds.
_MAX_DIGITS = 4300


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


class _Parser(Scanner):
    """Reads terms off a text, without recursion."""

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
            if value in RESERVED:
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
        name = self.unescape(quoted[1:-1], at)
        if len(name) > 255:
            self.fail("an atom has at most 255 characters", at)
        return name

    def _number(self) -> Term:
        kind, value, at = self.take()
        if kind == "char":
            text = value[1:]
            return ord(self.unescape(text, at) if text[0] == "\\" else text)
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
        return value[1:-1] if verbatim else self.unescape(value[1:-1], at)

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
        return self.unescape(text, at) if escapes else text

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

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tokens of Erlang terms: one scanner over a text, with the current token and its place."""

from __future__ import annotations

import re
from typing import NoReturn

from .values import TermError

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


class Scanner:
    """The tokens of a text, one after the other. `kind`, `value` and `at` are the current token; its kind is end behind the last."""

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

    def unescape(self, text: str, at: int) -> str:
        """A text with its escapes replaced; `at` is where it begins, for messages."""
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

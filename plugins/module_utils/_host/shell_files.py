# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a shell that reads an operator's file comes to its end, where a block of ours is.

Private to this collection. Nothing of the file is run: the shells only parse it (-n).
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

from . import commands

SHELLS = ("bash", "sh")
"""The start scripts are of one or the other. What one of them parses is no mistake."""
SYNTAX = "syntax"

_TOKEN = re.compile(r"\n|;;|&&|\|\||[;&|()]|[^\s;&|()]+")
_STARTS = frozenset(("\n", ";", ";;", "&&", "||", "&", "|", "(", ")", "{", "then", "do", "else", "elif", "if", "while", "until", "!"))
"""After these a command begins."""
_ENDS = ("exit", "return", "exec")
_QUOTED = re.compile(r"\\.|'[^']*'|\"(?:\\.|[^\"\\])*\"|\$\{[^}]*\}|[<>]&", re.DOTALL)
_HERE = re.compile(r"<<(-?)[ \t]*(?:\\?([A-Za-z0-9_]+)|'([^'\n]+)'|\"([^\"\n]+)\")[^\n]*\n", re.DOTALL)
_REDIRECTION = re.compile(r"[0-9]*(?:>>|>|<)(.*)", re.DOTALL)
_LINE = re.compile(r"(?:line )?([0-9]+): ")
# What must not parse behind a complete file, and what must.
_WRONG, _RIGHT = ")\n", "# BEGIN (x)\n:\n"


def ends(text: str) -> Iterator[tuple[int, str]]:
    """Line and word of each command that ends the reading, without those in functions and subshells. text: without comments."""
    words = _TOKEN.findall(_plain(text))
    line, fresh, subshells, function, groups = 1, True, 0, False, []
    for position, word in enumerate(words):
        if word == "(":
            function = words[position + 1 : position + 2] == [")"]
            subshells += 1
        elif word == ")":
            subshells = max(0, subshells - 1)
        elif word == "{" and (fresh or function):
            groups.append(function)
            function = False
        elif word == "}" and fresh:
            groups[-1:] = []
        elif fresh and word in _ENDS and not subshells and True not in groups and not (word == "exec" and _only_redirects(words[position + 1 :])):
            yield line, word
        function = function or (word == "function" and fresh)
        fresh = word in _STARTS
        line += word == "\n"


_OPENS = frozenset(("if", "case", "for", "while", "until", "select", "{"))
_CLOSES = frozenset(("fi", "esac", "done", "}"))
_SEPARATES = frozenset(("\n", ";", ";;", "&&", "||", "&", "|"))
_ASSIGNED = re.compile(r"([A-Za-z_]\w*)=")
_SUBSTITUTED = re.compile(r"\$\([^()]*\)|`[^`]*`")


def unconditional(text: str) -> Iterator[tuple[int, str]]:
    """Line and name of each variable that every reading of the file sets: in no condition, loop, function or subshell. text: without comments."""
    line, fresh, deep, subshells, maybe, exports = 1, True, 0, 0, False, False
    names: list[tuple[int, str]] = []
    for word in [*_TOKEN.findall(_SUBSTITUTED.sub("_", _plain(text))), "\n"]:
        assigned = _ASSIGNED.match(word)
        if word in _SEPARATES:
            # What stands before a pipe or & is set in a subshell.
            yield from names if word not in ("&", "|") else ()
            maybe = word in ("&&", "||") or (maybe and word == "|")
            names, exports, fresh = [], False, True
        elif word in "()":
            # In `case`, a pattern ends with one that nothing has opened; behind that of a function its group begins.
            subshells, fresh = (subshells + 1 if word == "(" else max(0, subshells - 1)), True
        elif fresh and word in _CLOSES:
            deep = max(0, deep - 1)
        elif fresh and word == "export":
            exports = True
        elif assigned and (fresh or exports):
            names += [] if deep or subshells or maybe else [(line, assigned.group(1))]
        else:
            deep += fresh and word in _OPENS
            # An assignment before a command is the command's own.
            names = names if exports else []
            fresh = fresh and word in _STARTS
        line += word == "\n"


def _plain(text: str) -> str:
    """A text without here-documents, quoted words and expansions: every line keeps its number."""
    position = 0
    while True:
        match = _HERE.search(text, position)
        if match is None:
            break
        word = next(part for part in match.groups()[1:] if part)
        end = re.compile(rf"^{chr(92)}t*{re.escape(word)}$" if match.group(1) else rf"^{re.escape(word)}$", re.MULTILINE).search(text, match.end())
        stop = end.end() if end else len(text)
        text = text[: match.end()] + re.sub(r"[^\n]", " ", text[match.end() : stop]) + text[stop:]
        position = match.end()
    return _QUOTED.sub(lambda found: (">_" if found.group()[-1] == "&" else "_") + "\n" * found.group().count("\n"), text)


def _only_redirects(words: list[str]) -> bool:
    """Whether exec has no program: then the shell stays what it is."""
    target = False
    for word in words:
        if word in _STARTS:
            break
        match = _REDIRECTION.fullmatch(word)
        if match is None and not target:
            return False
        target = match is not None and not match.group(1)
    return True


def broken(text: str) -> int | None:
    """The line at which no shell understands the text, or takes what follows for a part of it: an open quote, here-document or `if`. None where one
    does, or none is there. Of an open here-document the last line."""
    text = text if text.endswith("\n") or not text else f"{text}\n"
    lines = []
    for shell in filter(None, map(commands.find, SHELLS)):
        line = _parse(shell, text + _RIGHT)
        if line == 0 and _parse(shell, text + _WRONG) == 0:
            line = text.count("\n")
        if not line:
            return None
        lines.append(line)
    return min(lines[0], max(1, text.count("\n"))) if lines else None


def _parse(shell: str, text: str) -> int | None:
    """The line of the first error, 0 where there is none; None where the shell did not answer."""
    try:
        done = subprocess.run(
            [shell, "-n", "/dev/stdin"], input=text.encode(), capture_output=True, timeout=commands.TIMEOUT, check=False, env={"LC_ALL": "C"}
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode == 0:
        return 0
    match = _LINE.search(done.stderr.decode("utf-8", "replace"))
    return int(match.group(1)) if match else None

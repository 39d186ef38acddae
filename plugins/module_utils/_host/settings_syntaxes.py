# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set in a text, in the syntaxes of an operator's files: shell, systemd, YAML, Erlang terms, flags. With lines.

Private to this collection, pure. Which of it is asked for is decided in operator_settings.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from .._model.reserved_flags import FLAGS, OF_SCRIPT
from .._model.unit_directives import READ
from .._term import Atom, TermError, consult, to_plain, to_text
from . import environment, shell_files, shell_values

COMMANDS = ("ExecReload", "ExecStartPost")
"""Directives whose programs may be tools that connect to the node."""

SOURCED = "sourced"
"""The kind of an entry that names a file which the shell reads there."""

_COMMAND = re.compile(r"[a-z_]+")
_PREFIXES = re.compile(r"[-@:+!|]*")
_SHELL_NAME = re.compile(r"(?:^|(?<=[;\s(&|]))(?:export[ \t]+|declare[ \t]+-x[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=", re.MULTILINE)
_SOURCED = re.compile(r"(?:^|[;&|{(]|\b(?:then|do|else)\b)[ \t]*(\.|source)[ \t]+(?=\S)", re.MULTILINE)
_OPTION = re.compile(r"(?<!\S)(--[A-Za-z][\w-]*)(?:=|[ \t]+)[\"']?([^\s\"'-][^\s\"']*)")
_CONF = re.compile(r"^[ \t]*([A-Za-z0-9_.]+)[ \t]*=[ \t]*([^\n]*?)[ \t]*$", re.MULTILINE)
_YAML = re.compile(r"^[ \t-]*\"?([A-Za-z_]+)\"?[ \t]*:[ \t]*(\S[^\n]*?)[ \t]*$", re.MULTILINE)
# In a flow mapping: {docroot: /srv/upload, "docroot":"/srv/upload"}.
_YAML_FLOW = re.compile(
    r"[{,]\s*(?:\"([A-Za-z_]+)\"[ \t]*:[ \t]*|([A-Za-z_]+)[ \t]*:[ \t]+)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,{}\[\]\"'][^,{}\[\]\n]*)"
)
_YAML_KEY = re.compile(r"([ \t-]*)[\"']?([A-Za-z_]+)[\"']?[ \t]*:[ \t]*")
_YAML_PATH = re.compile(r"[ \t]*(-[ \t]+)?[\"']?(/[^\s\"':]+|[\w-]+@[\w.-]+)[\"']?[ \t]*(?::.*)?")
_NUMBER = re.compile(r"\.[0-9]+$")
_BRACES = re.compile(r"\{[^{}]*\}")
_MNESIA_DIR = re.compile(r"-mnesia[ \t]+dir[ \t]+[\"'\\]*(/[^\s\"'\\]+)")
_OF_NAME = ("RELEASE_NODE", "RELEASE_DISTRIBUTION", "HOME")
"""Variables of env.sh whose values are no secrets, and may be those of the plan."""
_WORD = re.compile(r"[^\s\"'={};]+")

Entry = tuple[int, str, str, str]
"""Line, kind, name and value, see Setting."""


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def blank(text: str, start: int, end: int) -> str:
    """A part of a text as spaces, so that every other character keeps its place."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def uncommented(text: str, quotes: str) -> str:
    """A text without comments: from a # that begins a word to the end of its line, except within the given quotes."""
    position, quote, fresh = 0, "", True
    while position < len(text):
        character = text[position]
        if character == "\\" and quote != "'":
            position, fresh = position + 2, False
            continue
        if quote:
            quote = "" if character == quote else quote
        elif character in quotes:
            quote = character
        elif character == "#" and fresh:
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            text = blank(text, position, end)
            position = end
            continue
        fresh = character.isspace() or (character in ";&|(" and not quote)
        position += 1
    return text


def _flags(text: str, first: int = 1) -> Iterator[Entry]:
    """The reserved flags in a text of flags, whatever quotes and braces stand around them."""
    for match in _WORD.finditer(text):
        if match.group() in FLAGS:
            yield first - 1 + _line(text, match.start()), "flag", match.group(), ""
    for match in _MNESIA_DIR.finditer(text):
        yield first - 1 + _line(text, match.start()), "variable", "mnesia.dir", match.group(1)


def shell(text: str) -> Iterator[Entry]:
    """A file that a shell reads: rabbitmq-env.conf, /etc/default/ejabberd."""
    text = uncommented(text, "\"'")
    known = shell_values.at_start()
    yield from _assigned(text, known)
    for match in _SOURCED.finditer(text):
        yield _line(text, match.start(1)), SOURCED, match.group(1), shell_values.expanded(shell_values.value_at(text, match.end()), known)
    yield from _flags(text)


def _assigned(text: str, known: dict[str, str]) -> Iterator[Entry]:
    """known: the variables that have a value before, and afterwards."""
    for match in _SHELL_NAME.finditer(text):
        known[match.group(1)] = shell_values.expanded(shell_values.value_at(text, match.end()), known)
        yield _line(text, match.start(1)), "variable", match.group(1), known[match.group(1)]


def of_release(text: str, name: str) -> Iterator[Entry]:
    """env.sh of a release: what it sets at each start of the variables that connect a node. None that keeps the value of
    its environment. name: of the release."""
    text = uncommented(text, "\"'")
    known = {**shell_values.at_start(), "RELEASE_NAME": name, **dict.fromkeys(OF_SCRIPT, shell_values.UNKNOWN)}
    always = set(shell_files.unconditional(text))
    for line, _kind, variable, value in _assigned(text, known):
        stands = re.fullmatch(rf"\$(?:{variable}|{{{variable}(?::?-[^}}]*)?}})", value)
        if variable in OF_SCRIPT and (line, variable) in always and not stands:
            yield line, "script", variable, value if variable in _OF_NAME else ""


def arguments(text: str) -> Iterator[Entry]:
    """A file of flags, vm.args: erlexec takes a # for a comment where a word begins."""
    yield from _flags(uncommented(text, "\"'"))


def variables(text: str) -> Iterator[Entry]:
    """A file of systemd's EnvironmentFile=."""
    for line, name, value in environment.located(text):
        yield line, "variable", name, value
        if name not in ("PATH", "HOME"):
            yield from _flags(value, line)


def conf(text: str) -> Iterator[Entry]:
    """Lines of key = value, as in rabbitmq.conf. The number at the end of a key of a list is left out."""
    text = uncommented(text, "")
    for match in _CONF.finditer(text):
        yield _line(text, match.start(1)), "variable", _NUMBER.sub("", match.group(1)), match.group(2).strip("\"'")


def yaml(text: str) -> Iterator[Entry]:
    """Keys of YAML with a value on their line, or with paths or nodes below them, at any depth: enough for these."""
    text = uncommented(text, "\"'")
    yield from _paths_below(text)
    for match in _YAML_FLOW.finditer(text):
        yield _line(text, match.start(3)), "variable", match.group(1) or match.group(2), match.group(3).strip().strip("\"'")
    inner = _BRACES.search(text)
    while inner:
        text = blank(text, inner.start(), inner.end())
        inner = _BRACES.search(text)
    for match in _YAML.finditer(text):
        yield _line(text, match.start(1)), "variable", match.group(1), match.group(2).strip("\"'")


def _paths_below(text: str) -> Iterator[Entry]:
    """The absolute paths and the names of nodes in a list or mapping, each with the key that is above it."""
    key, above = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        indented = len(line) - len(line.lstrip(" \t"))
        path, opened = _YAML_PATH.fullmatch(line.rstrip()), _YAML_KEY.fullmatch(line)
        if path and key and (indented > above or (indented == above and path.group(1))):
            yield number, "variable", key, path.group(2)
        elif opened:
            key, above = opened.group(2), indented
        elif line.strip() and indented <= above:
            key = ""


def _dotted(terms_: object, before: str = "") -> Iterator[tuple[str, object]]:
    """The parameters of an application, with the names that rabbitmq.conf has for them."""
    for pair in terms_ if isinstance(terms_, list) else ():
        if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], Atom):
            yield f"{before}{pair[0]}", pair[1]
            yield from _dotted(pair[1], f"{before}{pair[0]}.")


def _place_in(text: str, name: str) -> int:
    match = re.search(rf"^[^%\n]*\b{re.escape(name)}\b", text, re.MULTILINE)
    return _line(text, match.end()) if match else 1


def terms(text: str) -> Iterator[Entry]:
    """Parameters in a configuration of Erlang terms (config(4)): of the application kernel those that only the role distribution may set, of rabbit
    all, with their atoms and texts, of others the texts, each with the application's name before it."""
    try:
        found = consult(text)
    except (TermError, ValueError):
        return
    for application in found[0] if found and isinstance(found[0], list) else ():
        if not (isinstance(application, tuple) and len(application) == 2 and isinstance(application[1], list)):
            continue
        own = application[0] == Atom("rabbit")
        for name, value in _dotted(application[1], "" if own else f"{application[0]}."):
            said = str(value) if isinstance(value, Atom) else to_plain(value) if isinstance(value, (bytes, list)) else ""
            if own or isinstance(said, str):
                yield _place_in(text, name.rpartition(".")[2]), "variable", name, said if isinstance(said, str) else ""
        for pair in application[1] if application[0] == Atom("kernel") else ():
            if isinstance(pair, tuple) and len(pair) == 2 and str(pair[0]) in FLAGS:
                yield _place_in(text, str(pair[0])), "flag", str(pair[0]), to_text(pair[1])


def unit_file(text: str) -> Iterator[Entry]:
    """A unit or a drop-in: Environment=, ExecStart= and the directives of interest."""
    # A comment line within a continued one is skipped by systemd, too.
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        first, line = number, lines[number].strip()
        number += 1
        if not line or line[0] in "#;":
            continue
        while line.endswith("\\") and number < len(lines):
            more = lines[number].strip()
            number += 1
            if more[:1] not in ("#", ";"):
                line = line[:-1] + " " + more
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            continue
        if name.startswith("Exec"):
            yield from ((first + 1, "command", name, said) for said in _privileged(value))
        if name == "Environment":
            for word in environment.words(value):
                key, _equals, text_of = shell_values.specified(word).partition("=")
                yield first + 1, "variable", key, text_of
                yield from ((first + 1, *entry[1:]) for entry in _flags(text_of))
        elif name == "ExecStart":
            yield from ((first + 1, *entry[1:]) for entry in _flags(value))
            # Start scripts take settings by options, too: ejabberdctl --spool /srv/xmpp.
            yield from ((first + 1, "variable", match.group(1), match.group(2)) for match in _OPTION.finditer(shell_values.specified(value)))
        elif name == "ExecStop":
            # Its program only: an argument may be a secret.
            yield first + 1, "directive", name, (value.lstrip("-@:+!").split() or [""])[0]
        elif name in COMMANDS:
            # The command of a tool is a word; what comes after it may be a secret.
            words = value.lstrip("-@:+!").split()
            yield first + 1, "directive", name, " ".join([*words[:1], *(word for word in words[1:2] if _COMMAND.fullmatch(word))])
        elif name in READ:
            yield first + 1, "directive", name, value


def _privileged(command: str) -> Iterator[str]:
    """The sign in front of a command for which User= does not count, with its program. Empty for an assignment that takes away the ones before it.

    Two exclamation marks mean what none means: systemd has let go of the capabilities of such a command since all kernels know ambient ones.
    """
    match = _PREFIXES.match(command)
    prefix = match.group() if match else ""
    sign = "+" if "+" in prefix else "!" if prefix.count("!") == 1 else ""
    if sign or not command:
        yield f"{sign}{(command[len(prefix) :].split() or [''])[0]}"


SYNTAXES: Mapping[str, Callable[[str], Iterator[Entry]]] = {
    "shell": shell,
    "arguments": arguments,
    "variables": variables,
    "conf": conf,
    "yaml": yaml,
    "terms": terms,
    "unit": unit_file,
    # Of a release: its commands are read apart.
    "script": lambda _text: iter(()),
}

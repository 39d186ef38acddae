# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator's files set for a node: in its unit, in the unit's environment files, in the files of its product. With file and line.

Private to this collection. Only names from fixed lists leave the host, and values only of those that the product's data lists: a value may be
a secret. Files of ours are left out.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .._model.host_facts import Setting
from .._model.installed import HEADER
from .._model.reserved_flags import FLAGS, VARIABLE
from .._model.unit_directives import READ
from .._term import Atom, TermError, consult, to_text
from . import environment, hidden_paths, privileged_commands, release_tools, shell_files
from .records import DIRECTORY

COMMANDS = ("ExecReload", "ExecStartPost")
"""Directives whose programs may be tools that connect to the node."""

_COMMAND = re.compile(r"[a-z_]+")
_PREFIXES = re.compile(r"[-@:+!|]*")
DATABASE = "database"
"""Of a setting that names the directory of the product's database, instead of a syntax."""
_OF_COMMANDS = ("script", "shell", "unit")
_LARGEST = 1 << 20
_BLOCK = re.compile(r"^[^\n]*BEGIN beam\.cluster.*?END beam\.cluster[^\n]*$", re.DOTALL | re.MULTILINE)
_SHELL_NAME = re.compile(r"(?:^|(?<=[;\s(&|]))(?:export[ \t]+|declare[ \t]+-x[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=", re.MULTILINE)
_CONF = re.compile(r"^[ \t]*([A-Za-z0-9_.]+)[ \t]*=[ \t]*([^\n]*?)[ \t]*$", re.MULTILINE)
_YAML = re.compile(r"^[ \t-]*\"?([A-Za-z_]+)\"?[ \t]*:[ \t]*(\S[^\n]*?)[ \t]*$", re.MULTILINE)
# In a flow mapping: {docroot: /srv/upload, "docroot":"/srv/upload"}.
_YAML_FLOW = re.compile(
    r"[{,]\s*(?:\"([A-Za-z_]+)\"[ \t]*:[ \t]*|([A-Za-z_]+)[ \t]*:[ \t]+)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,{}\[\]\"'][^,{}\[\]\n]*)"
)
_TO_FILE = re.compile(r"^[ \t]*Standard(?:Output|Error)[ \t]*=[ \t]*(?:append|file|truncate):", re.MULTILINE)
_YAML_KEY = re.compile(r"([ \t-]*)[\"']?([A-Za-z_]+)[\"']?[ \t]*:[ \t]*")
_YAML_PATH = re.compile(r"[ \t]*(-[ \t]+)?[\"']?(/[^\s\"':]+|[\w-]+@[\w.-]+)[\"']?[ \t]*(?::.*)?")
_NUMBER = re.compile(r"\.[0-9]+$")
_BRACES = re.compile(r"\{[^{}]*\}")
_MNESIA_DIR = re.compile(r"-mnesia[ \t]+dir[ \t]+[\"'\\]*(/[^\s\"'\\]+)")
_EXPANSION = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_PART_OF_PATH = re.compile(r"[\w./@+-]*")
_WORD = re.compile(r"[^\s\"'={};]+")
_MNESIA = "Mnesia."
_NODE = re.compile(rb"[0-9A-Za-z_-]+@[0-9A-Za-z_.:-]+")

_ATOM = re.compile(rb"(?=[sw](.)|[dv](..))", re.DOTALL)
"""The tags of atoms and their lengths, see "External Term Format" in OTP's manual. OTP 25 writes others than OTP 26."""

Entry = tuple[int, str, str, str]
"""Line, kind, name and value, see Setting."""


@dataclass(frozen=True)
class Question:
    """What to read of a node: its unit, the files of its product by glob pattern and syntax (see SYNTAXES), the names whose values may leave the
    host, the file of its database, names whose values may not, the names (among values) of settings that name a further file, with its syntax, and
    its home."""

    unit: str
    files: tuple[tuple[str, str], ...] = ()
    values: frozenset[str] = frozenset()
    database: str = ""
    names: frozenset[str] = frozenset()
    moved: Mapping[str, str] = field(default_factory=dict)
    home: str = ""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Question:
        """From an entry of the option nodes of the module observe."""
        files = tuple((str(one["path"]), str(one["syntax"])) for one in raw.get("files") or ())
        values, names = (frozenset(raw.get(key) or ()) for key in ("values", "names"))
        return cls(str(raw["unit"]), files, values, str(raw.get("database") or ""), names, raw.get("moved") or {}, str(raw.get("home") or ""))


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _blank(text: str, start: int, end: int) -> str:
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
            text = _blank(text, position, end)
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


def _shell_value(text: str, start: int) -> str:
    """The word that a shell would assign, as far as it is literal: an expansion stays as it is written."""
    found, quote, position = "", "", start
    while position < len(text):
        character = text[position]
        if character == "\\" and quote != "'":
            found += "" if text[position + 1 : position + 2] == "\n" else text[position + 1 : position + 2]
            position += 2
            continue
        if quote:
            if character == quote:
                quote = ""
            else:
                found += character
        elif character in "\"'":
            quote = character
        elif character.isspace() or character in ";&|)":
            break
        else:
            found += character
        position += 1
    return found


def _expanded(value: str, known: Mapping[str, str]) -> str:
    """A value with the variables that the file has set before, as far as they are parts of paths."""

    def of(match: re.Match[str]) -> str:
        said = known.get(match.group(1) or match.group(2), "$")
        return said if _PART_OF_PATH.fullmatch(said) else match.group()

    return _EXPANSION.sub(of, value)


def shell(text: str) -> Iterator[Entry]:
    """A file that a shell reads: rabbitmq-env.conf, /etc/default/ejabberd."""
    text = uncommented(text, "\"'")
    known: dict[str, str] = {}
    for match in _SHELL_NAME.finditer(text):
        known[match.group(1)] = _expanded(_shell_value(text, match.end()), known)
        yield _line(text, match.start(1)), "variable", match.group(1), known[match.group(1)]
    yield from _flags(text)


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
        text = _blank(text, inner.start(), inner.end())
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
    """Parameters of the application kernel in a configuration of Erlang terms (config(4)), as far as only the role distribution may set them, and
    those of the application rabbit."""
    try:
        found = consult(text)
    except (TermError, ValueError):
        return
    for application in found[0] if found and isinstance(found[0], list) else ():
        if not (isinstance(application, tuple) and len(application) == 2 and isinstance(application[1], list)):
            continue
        if application[0] == Atom("rabbit"):
            for name, value in _dotted(application[1]):
                yield _place_in(text, name.rpartition(".")[2]), "variable", name, str(value) if isinstance(value, Atom) else ""
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
                key, _equals, text_of = word.partition("=")
                yield first + 1, "variable", key, text_of
                yield from ((first + 1, *entry[1:]) for entry in _flags(text_of))
        elif name == "ExecStart":
            yield from ((first + 1, *entry[1:]) for entry in _flags(value))
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


def read(path: str) -> str | None:
    """The text of a file without our blocks; None where it is ours as a whole, is missing or cannot be read. Lines keep their numbers."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read(_LARGEST)
    except OSError:
        return None
    if path.startswith(DIRECTORY) or HEADER in text[:1000] and not _BLOCK.search(text):
        return None
    for match in _BLOCK.finditer(text):
        text = _blank(text, *match.span())
    return text


def _place(entry: Entry) -> int:
    return entry[0]


def places(question: Question, unit: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Path and syntax of every file that a node's settings may come from."""
    listed = unit.get("drop_ins")
    yield from ((str(path), "unit") for path in [unit.get("fragment") or "", *(listed if isinstance(listed, list) else ())] if path)
    files = unit.get("environment_files")
    for pattern in files if isinstance(files, list) else ():
        yield from ((path, "variables") for path in sorted(glob.glob(str(pattern).lstrip("-"))))
    for pattern, syntax in question.files:
        yield from ((path, syntax) for path in sorted(glob.glob(pattern)))
    yield from ((path, "script") for path in privileged_commands.scripts_of(str(unit.get("release") or "")))


def settings(questions: Sequence[Question], units: Mapping[str, Mapping[str, object]] | None) -> list[dict[str, object]]:
    """Everything that is set, in the order of the files, for JSON."""
    found: list[Setting] = []
    for question in questions:
        listed = list(dict.fromkeys(places(question, (units or {}).get(question.unit, {}))))
        for path, syntax in listed:
            for setting in _of_file(question, path, syntax, str((units or {}).get(question.unit, {}).get("user") or "")):
                found.append(setting)
                # The list grows while it is walked: a file may name another one.
                listed += [place for place in _named(setting, question) if place not in listed]
        found += release_tools.used(question.unit, str((units or {}).get(question.unit, {}).get("release") or ""))
    return [asdict(one) for one in dict.fromkeys(found)]


def _of_file(question: Question, path: str, syntax: str, user: str) -> Iterator[Setting]:
    text = read(path)
    entries = [*SYNTAXES[syntax](text), *(_unread(path, text) if syntax == "shell" else ())] if text else []
    said = _said(text, syntax) if text else ""
    entries += [(line, "path", "path", value) for line, value in hidden_paths.find(said, user)]
    entries += [(line, "privileged", name, "") for line, name in privileged_commands.find(said) if syntax in _OF_COMMANDS]
    for line, kind, name, value in sorted(entries, key=_place):
        kind = "variable" if kind == "flag" and value and name in question.values else kind
        asked = VARIABLE.fullmatch(name) or name in question.values or name in question.names
        if kind == "variable" and not asked:
            continue
        shown = value if kind in ("directive", "command", "path") or (kind == "variable" and name in question.values) else None
        yield Setting(question.unit, path, line, kind, name, shown)


def _said(text: str, syntax: str) -> str:
    """A file without what says nothing to the service."""
    if syntax == "terms":
        return re.sub(r"%[^\n]*", "", text)
    text = uncommented(text, "" if syntax in ("conf", "variables") else "\"'")
    return hidden_paths.lines_of_unit(text) if syntax == "unit" else text


def _unread(path: str, text: str) -> Iterator[Entry]:
    """What keeps a shell from reading a file up to our block, or to its end where the block will be."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        block = _BLOCK.search(stream.read(_LARGEST))
    before = text[: block.start()] if block else text
    for line, word in shell_files.ends(uncommented(before, "\"'")):
        yield line, "shell", word, ""
    broken = shell_files.broken(before)
    if broken is not None:
        yield broken, "shell", shell_files.SYNTAX, ""


def _named(setting: Setting, question: Question) -> list[tuple[str, str]]:
    """The file that a setting names, with the ends that the product tries."""
    syntax, path = question.moved.get(setting.name, DATABASE), setting.value or ""
    if syntax == DATABASE or not path.startswith("/"):
        return []
    if syntax not in ("conf", "terms"):
        return [(path, syntax)]
    if syntax == "terms":
        return [(path if path.endswith(".config") else f"{path}.config", syntax)]
    if path.endswith((".conf", ".config")):
        return [(path, "terms" if path.endswith(".config") else syntax)]
    return [(f"{path}.conf", syntax), (f"{path}.config", "terms")]


def _node_names(data: bytes) -> Iterator[str]:
    """The node names among the atoms of terms in the external format. Where an atom ends, its length says: what follows may be a letter, too."""
    for match in _ATOM.finditer(data):
        short, long = match.groups()
        length, start = (short[0], match.start() + 2) if short else (int.from_bytes(long, "big"), match.start() + 3)
        if _NODE.fullmatch(data, start, start + length):
            yield data[start : start + length].decode("ascii")


def redirected(units: Mapping[str, Mapping[str, object]] | None) -> set[str]:
    """The units whose output systemd writes to a file, outside of their sandbox. In doubt it does: a line may be overridden by another one."""
    found = set()
    for name, unit in (units or {}).items():
        listed = unit.get("drop_ins")
        for path in (unit.get("fragment"), *(listed if isinstance(listed, list) else ())):
            if path and _TO_FILE.search(read(str(path)) or ""):
                found.add(name)
    return found


def _database(question: Question, units: Mapping[str, Mapping[str, object]] | None) -> str:
    """The file of the product's database, where the operator has moved its directory."""
    path = question.database
    for one in settings([question], units) if DATABASE in question.moved.values() else ():
        directory = str(one["value"] or "")
        if question.moved.get(str(one["name"])) == DATABASE and directory.startswith("/"):
            path = f"{directory.rstrip('/')}/{question.database.rpartition('/')[2]}"
    return path


def databases(questions: Sequence[Question], units: Mapping[str, Mapping[str, object]] | None) -> list[dict[str, object]]:
    """The node names in the database of each product, and those of the directories that Mnesia has made where a release runs, for JSON.

    A file that is missing or cannot be read is left out.
    """
    found: list[dict[str, object]] = []
    for path in dict.fromkeys(_database(question, units) for question in questions if question.database):
        try:
            with open(path, "rb") as stream:
                names = set(_node_names(stream.read(_LARGEST)))
        except OSError:
            continue
        found.append({"path": path, "names": sorted(names)[:64]})
    for question in questions:
        unit = (units or {}).get(question.unit, {})
        directories = (str(unit.get(name) or "").lstrip("!-") for name in ("release", "working_directory"))
        for directory in dict.fromkeys(path.rstrip("/") for path in directories if path.startswith("/")):
            # Mnesia's own default: Mnesia.NODE in the directory where the VM starts (mnesia_lib:default_directory/0).
            made = glob.glob(f"{glob.escape(directory)}/{_MNESIA}*@*/schema.DAT")
            names = {path.split("/")[-2][len(_MNESIA) :] for path in made}
            if names:
                found.append({"path": f"{directory}/{_MNESIA}*", "names": sorted(names)[:64], "unit": question.unit})
    return found

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator's files set for a node: in its unit, in the unit's environment files, in the files of its product. With file and line.

Private to this collection. Only names from fixed lists leave the host, and values only of those that the product's data lists: a value may be
a secret. Files of ours are left out.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .._model.host_facts import Setting
from .._model.installed import HEADER
from .._model.reserved_flags import VARIABLE
from . import hidden_paths, privileged_commands, release_tools, shell_files, written_paths
from .records import DIRECTORY
from .settings_syntaxes import SOURCED, SYNTAXES, Entry, blank, of_release, uncommented

DATABASE = "database"
"""Of a setting that names the directory of the product's database, instead of a syntax."""
OF_RELEASE = "release"
"""The syntax of the env.sh that the current version of a release reads."""
_OF_COMMANDS = ("script", "shell", "unit")
LARGEST = 1 << 20
_BLOCK = re.compile(r"^[^\n]*BEGIN beam\.cluster.*?END beam\.cluster[^\n]*$", re.DOTALL | re.MULTILINE)
_TO_FILE = re.compile(r"^[ \t]*Standard(?:Output|Error)[ \t]*=[ \t]*(?:append|file|truncate):", re.MULTILINE)


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


def read(path: str) -> str | None:
    """The text of a file without our blocks; None where it is ours as a whole, is missing or cannot be read. Lines keep their numbers."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            text = stream.read(LARGEST)
    except OSError:
        return None
    if path.startswith(DIRECTORY) or HEADER in text[:1000] and not _BLOCK.search(text):
        return None
    for match in _BLOCK.finditer(text):
        text = blank(text, *match.span())
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
    release = str(unit.get("release") or "")
    yield from ((path, "script") for path in privileged_commands.scripts_of(release))
    if release:
        yield f"{release}/releases/{release_tools.version_of(release)}/env.sh", OF_RELEASE


def settings(questions: Sequence[Question], units: Mapping[str, Mapping[str, object]] | None) -> list[dict[str, object]]:
    """Everything that is set, in the order of the files, for JSON."""
    found: list[Setting] = []
    for question in questions:
        listed = list(dict.fromkeys(places(question, (units or {}).get(question.unit, {}))))
        for path, syntax in listed:
            for setting in _of_file(question, path, syntax, (units or {}).get(question.unit, {})):
                if setting.kind != SOURCED:
                    found.append(setting)
                # The list grows while it is walked: a file may name another one.
                listed += [place for place in _named(setting, question) if place not in listed]
        found += release_tools.used(question.unit, str((units or {}).get(question.unit, {}).get("release") or ""))
    return [asdict(one) for one in dict.fromkeys(found)]


def _of_file(question: Question, path: str, syntax: str, unit: Mapping[str, object]) -> Iterator[Setting]:
    text, user = read(path), str(unit.get("user") or "")
    if syntax == OF_RELEASE:
        for line, kind, name, value in of_release(text or "", release_tools.name_of(os.path.dirname(path))):
            yield Setting(question.unit, path, line, kind, name, value)
        return
    entries = [*SYNTAXES[syntax](text), *(_unread(path, text) if syntax == "shell" else ())] if text else []
    said = _said(text, syntax) if text else ""
    entries += [(line, "path", "path", value) for line, value in hidden_paths.find(said, user)]
    if syntax in ("unit", "variables"):
        given = [(line, name, value) for line, kind, name, value in entries if kind == "variable"]
        named = ((line, written_paths.of_variable(name, value, user, str(unit.get("release") or ""))) for line, name, value in given)
        entries += [(line, "writes", "path", written) for line, written in named if written]
    entries += [(line, "privileged", name, "") for line, name in privileged_commands.find(said) if syntax in _OF_COMMANDS]
    for line, kind, name, value in sorted(entries, key=_place):
        kind = "variable" if kind == "flag" and value and name in question.values else kind
        asked = VARIABLE.fullmatch(name) or name in question.values or name in question.names
        if kind == "variable" and not asked:
            continue
        shown = value if kind in ("directive", "command", "path", "writes", SOURCED) or (kind == "variable" and name in question.values) else None
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
        block = _BLOCK.search(stream.read(LARGEST))
    before = text[: block.start()] if block else text
    for line, word in shell_files.ends(uncommented(before, "\"'")):
        yield line, "shell", word, ""
    broken = shell_files.broken(before)
    if broken is not None:
        yield broken, "shell", shell_files.SYNTAX, ""


def _named(setting: Setting, question: Question) -> list[tuple[str, str]]:
    """The file that a setting names, with the ends that the product tries."""
    syntax, path = question.moved.get(setting.name, DATABASE), setting.value or ""
    if setting.kind == SOURCED:
        return [(path, "shell")] if path.startswith("/") else []
    if syntax == DATABASE or not path.startswith("/"):
        return []
    if syntax not in ("conf", "terms"):
        return [(path, syntax)]
    if syntax == "terms":
        return [(path if path.endswith(".config") else f"{path}.config", syntax)]
    if path.endswith((".conf", ".config")):
        return [(path, "terms" if path.endswith(".config") else syntax)]
    return [(f"{path}.conf", syntax), (f"{path}.config", "terms")]


def redirected(units: Mapping[str, Mapping[str, object]] | None) -> set[str]:
    """The units whose output systemd writes to a file, outside of their sandbox. In doubt it does: a line may be overridden by another one."""
    found = set()
    for name, unit in (units or {}).items():
        listed = unit.get("drop_ins")
        for path in (unit.get("fragment"), *(listed if isinstance(listed, list) else ())):
            if path and _TO_FILE.search(read(str(path)) or ""):
                found.add(name)
    return found

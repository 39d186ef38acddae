# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment that systemd would give a unit's process: names of variables, and our digest. No other value is kept.

Private to this collection. systemd.exec(5): Environment=, then the files in their order, each over what was before, less UnsetEnvironment=.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

DIGEST = "BEAM_CLUSTER_DIGEST"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DIGEST_VALUE = re.compile(r"[A-Za-z0-9]{1,128}")
_FILE = re.compile(r"(.*) \(ignore_errors=(yes|no)\)")
# As systemctl prints one assignment: in quotes where it has to be, with escapes where it holds a space.
_WORD = re.compile(r"""\$?"((?:[^"\\]|\\.)*)"|\$?'((?:[^'\\]|\\.)*)'|((?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|["'\\])+)""")


def digest_of(variables: Mapping[str, str]) -> str | None:
    """Our digest; None where there is none, or something that is no digest."""
    value = variables.get(DIGEST, "")
    return value if _DIGEST_VALUE.fullmatch(value) else None


def words(text: str) -> Iterator[str]:
    """The assignments in a line of systemctl show."""
    for match in _WORD.finditer(text):
        yield next((part for part in match.groups() if part is not None), "")


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each line of an environment file."""
    return ((name, value) for _line, name, value in located(text))


def located(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, name and value of each line of an environment file, as systemd reads it: quotes may span lines, a backslash continues one."""
    pos = 0
    while pos < len(text):
        end = text.find("\n", pos)
        end = len(text) if end < 0 else end
        line = text[pos:end].lstrip()
        if not line or line[0] in "#;" or "=" not in line:
            # A comment may be continued, too.
            while text[pos:end].endswith("\\") and end < len(text):
                pos, end = end + 1, (text.find("\n", end + 1) + 1 or len(text) + 1) - 1
            pos = end + 1
            continue
        equals = text.index("=", pos)
        name, number = text[pos:equals].strip(), text.count("\n", 0, equals) + 1
        value, pos = _value(text, equals + 1)
        yield number, name, value


def _value(text: str, pos: int) -> tuple[str, int]:
    """A value from its first character on, and where the next line begins."""
    found: list[str] = []
    quote = ""
    while pos < len(text):
        character = text[pos]
        if character == "\\" and quote != "'":
            if text[pos + 1 : pos + 2] != "\n":
                found.append(text[pos + 1 : pos + 2])
            pos += 2
            continue
        if quote:
            if character == quote:
                quote = ""
            else:
                found.append(character)
        elif character in "\"'":
            quote = character
        elif character == "\n":
            return "".join(found).strip(), pos + 1
        else:
            found.append(character)
        pos += 1
    return "".join(found).strip(), pos


def names_of(text: str) -> frozenset[str]:
    """The names in the output of systemctl show-environment: what systemd itself gives to every unit (DefaultEnvironment=, set-environment)."""
    names = (line.partition("=")[0] for line in text.splitlines() if "=" in line)
    return frozenset(name for name in names if _NAME.fullmatch(name))


def facts(properties: Mapping[str, Sequence[str]], inherited: Iterable[str] = ()) -> dict[str, object]:
    """From the properties of systemctl show: environment_names, environment_files ('-' in front: may be missing) and digest.

    inherited: see names_of(). Names and digest are None where a file that counts cannot be read.
    """
    pairs = [word.partition("=")[::2] for line in properties.get("Environment", ()) for word in words(line) if "=" in word]
    names = {*inherited, *(name for line in properties.get("PassEnvironment", ()) for name in line.split())}
    files = [match.groups() for match in map(_FILE.fullmatch, properties.get("EnvironmentFiles", ())) if match]
    listed = [f"{'-' if optional == 'yes' else ''}{path}" for path, optional in files]
    for path, optional in files:
        read = _read(path, optional == "yes")
        if read is None:
            return {"environment_names": None, "environment_files": listed, "digest": None}
        pairs += read
    unset = {word for line in properties.get("UnsetEnvironment", ()) for word in words(line)}
    values = {name: value for name, value in pairs if name not in unset}
    return {
        "environment_names": sorted(name for name in (names | set(values)) - unset if _NAME.fullmatch(name)),
        "environment_files": listed,
        "digest": digest_of(values),
    }


def _read(pattern: str, optional: bool) -> list[tuple[str, str]] | None:
    """The assignments of the files that a pattern means; None where one cannot be read."""
    paths: Iterable[str] = sorted(glob.glob(pattern)) if any(sign in pattern for sign in "*?[") else [pattern]
    found: list[tuple[str, str]] = []
    for path in paths:
        try:
            with open(path, encoding="utf-8", errors="replace") as stream:
                found += assignments(stream.read())
        except FileNotFoundError:
            if not optional:
                return None
        except OSError:
            return None
    return found

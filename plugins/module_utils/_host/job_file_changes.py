# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands in jobs, hooks and units of others that open a file of a node later (chmod, chown, chgrp, setfacl), replace or remove it (cp, mv, rm).

Private to this collection. systemd-tmpfiles does the same by files of its own, see tmpfiles.py. Only paths and the name of the command are returned.
"""

from __future__ import annotations

import fnmatch
import itertools
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from .job_files import PLACES, expanded, texts
from .tmpfiles import leads_to
from .writers import group_name, user_name

_COMMAND = re.compile(r"(?:(?<![\w./-])|(?<==)[-@:+!|]*)(?:/usr)?(?:/bin/)?(chmod|chown|chgrp|setfacl)(?=[ \t])([^\n;|&`]*)")
_REPLACES = re.compile(
    r"(?:(?<![\w./-])|(?<==)[-@:+!|]*)(?:/usr)?(?:/bin/)?(cp|install|ln|mv|rm|rsync|sed|shred|tee|truncate|unlink)(?=[ \t])([^\n;|&`<>]*)"
)
_COPIES = ("cp", "install", "ln", "mv", "rsync")
"""The last word of these is what they write."""
_WRITES = re.compile(r"(?<![0-9&<>=-])>{1,2}[ \t]*[\"']?(/[^\s;|&\"'<>()]+)")
_IN_PLACE = re.compile(r"-[a-zA-Z]*i.*|--in-place.*")
_TARGET = re.compile(r"(?<!\S)(?:-t[ \t]*|--target-directory[ =])(\S+)")
_QUOTES = re.compile(r"[\"'()]")
_FIND = re.compile(r"(?<![\w.-])find[ \t]([^\n;&]*)$")
_TEST = re.compile(r"-(name|iname|path|wholename|type|maxdepth)[ \t]+(\S+)")
_ALTERNATIVE = re.compile(r"(?:^|[ \t])(?:!|-not|-o|-or)[ \t]")
_CHANGES_TO = re.compile(r"(?:^|[\s;&|\"'(])cd[ \t]+[\"']?(/[^\s;&|\"']*)")
_OCTAL = re.compile(r"[0-7]{3,5}")
_OPENS = re.compile(r"(?:^|,)[ugoa]*[+=][^,]*[rwxXst]")
_MOST = 20


def describe(paths: Iterable[str], patterns: Iterable[str] = PLACES) -> list[dict[str, str]]:
    """[{path, does, where}] of the commands that give others rights to one of the paths, or to all below a directory, and of those that replace or
    remove it. does: chmod, for example."""
    watched = sorted(set(paths))
    found: list[dict[str, str]] = []
    for where, text, _job in texts(patterns):
        found += [{"path": at, "does": name, "where": where} for name, at in dict.fromkeys((*_opened(text, watched), *_replaced(text, watched)))]
        if len(found) >= _MOST:
            break
    return found


def _opened(text: str, watched: Iterable[str]) -> Iterator[tuple[str, str]]:
    text = expanded(text)
    for match in _COMMAND.finditer(text):
        name, words = match.group(1), _QUOTES.sub("", match.group(2)).split()
        before = text[: match.start()]
        line = before.rpartition("\n")[2].replace("\\;", " ")
        found = _FIND.search(_QUOTES.sub("", line)) if "-exec" in line or "xargs" in line else None
        for path in watched:
            meant = _named(words, _CHANGES_TO.findall(before)[-1:], path) or found and _finds(found.group(1), path)
            if meant and _gives(name, words, path):
                yield name, path


def _replaced(text: str, watched: Iterable[str]) -> Iterator[tuple[str, str]]:
    text = expanded(text)
    there = [path for path in watched if os.path.lexists(path)]
    for match in _REPLACES.finditer(text):
        name, words = match.group(1), _QUOTES.sub("", match.group(2)).split()
        if name != "sed" or any(map(_IN_PLACE.fullmatch, words)):
            yield from ((name, path) for path in there if _is_written(name, words, path))
    for target in _WRITES.findall(text):
        yield from ((">", path) for path in there if leads_to(target, path) and not os.path.isdir(path))


def _is_written(name: str, words: Sequence[str], path: str) -> bool:
    """Whether a command writes, moves or removes a path. What it writes into a directory has the name that it has elsewhere."""
    below = any(re.fullmatch(r"--recursive|-[a-zA-Z]*[rR][a-zA-Z]*", word) for word in words)
    named = [word for word in words if not word.startswith("-")]
    if name not in _COPIES:
        return any(leads_to(word, path, below and name == "rm") for word in named) and (name == "rm" or not os.path.isdir(path))
    behind = _TARGET.search(" ".join(words))
    target = behind.group(1) if behind else "".join(named[-1:])
    sources = [word for word in named if word != target]
    if name == "mv" and any(leads_to(word, path) for word in sources):
        return True
    into = leads_to(target, os.path.dirname(path)) and os.path.basename(path) in map(os.path.basename, sources)
    return not os.path.isdir(path) and (leads_to(target, path) or into)


def _named(words: Sequence[str], directory: Sequence[str], path: str) -> bool:
    """Whether the arguments of a command mean a path, or with -R a directory above it. directory: to which the script has changed, if to any."""
    below = any(re.fullmatch(r"--recursive|-[a-zA-Z]*R[a-zA-Z]*", word) for word in words)
    relative = [word for word in words if not word.startswith(("-", "/"))][1:]
    places = [word for word in words if word.startswith("/")] + [os.path.join(one, word) for one in directory for word in relative]
    return any(leads_to(place, path, below) for place in places)


def _finds(arguments: str, path: str) -> bool:
    """Whether find(1) comes to a path. Where its tests have alternatives, they are not looked at."""
    tops = itertools.takewhile(lambda word: not word.startswith(("-", "!")), (word for word in arguments.split() if word not in ("-L", "-H", "-P")))
    top = next((one for one in tops if leads_to(one, path, True)), None)
    if top is None or _ALTERNATIVE.search(arguments):
        return top is not None
    tests: Mapping[str, Callable[[str], bool]] = {
        "name": lambda said: fnmatch.fnmatchcase(os.path.basename(path), said),
        "iname": lambda said: fnmatch.fnmatch(os.path.basename(path).lower(), said.lower()),
        "path": lambda said: fnmatch.fnmatchcase(path, said),
        "wholename": lambda said: fnmatch.fnmatchcase(path, said),
        "type": lambda said: said != ("f" if os.path.isdir(path) else "d"),
        "maxdepth": lambda said: not said.isdigit() or path.rstrip("/").count("/") - os.path.normpath(top).rstrip("/").count("/") <= int(said),
    }
    return all(tests[test](said) for test, said in _TEST.findall(arguments))


def _gives(name: str, words: list[str], path: str) -> bool:
    """Whether a command gives somebody else rights to a file that are not given now."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    said = next((word for word in words if not word.startswith(("-", "/"))), "")
    if name == "chmod":
        mode = _OCTAL.fullmatch(said)
        return bool(int(said, 8) & ~stat.S_IMODE(status.st_mode) & 0o077) if mode else bool(_OPENS.search(said))
    if name == "setfacl":
        return any(word.startswith(("-m", "--modify", "-Rm", "--set", "--restore", "-M")) for word in words)
    user, _colon, group = said.partition(":") if name == "chown" else ("", "", said)
    own, others = ("root", "0", user_name(status.st_uid), str(status.st_uid)), ("root", "0", group_name(status.st_gid), str(status.st_gid))
    return bool(user) and user not in own or bool(group) and group not in others and bool(status.st_mode & 0o070)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files with which the SSH server of a host lets a user in: the usual ones, and those of its configuration (sshd_config(5)).

Private to this collection. A directive of a Match block counts for every user: whom the block is about is not evaluated.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator

CONFIGURATIONS = ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf", "/usr/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config.d/*.conf")
_USUAL = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_KEYS = re.compile(r"^[ \t]*(?:AuthorizedKeysFile|AuthorizedPrincipalsFile)[ \t=]+(.+)$", re.MULTILINE | re.IGNORECASE)
_INCLUDE = re.compile(r"^[ \t]*Include[ \t=]+(.+)$", re.MULTILINE | re.IGNORECASE)
_INCLUDED_FROM = "/etc/ssh"
_LARGEST = 1 << 20


def patterns(configurations: Iterable[str] = CONFIGURATIONS) -> list[str]:
    """The files of keys and principals as sshd knows them, with its tokens: %h, %u. Files that cannot be read say nothing."""
    seen: set[str] = set()
    texts = (text for pattern in configurations for text in _texts(pattern, seen))
    found = (word for text in texts for line in _KEYS.findall(text) for word in _words(line))
    return [one for one in dict.fromkeys((*_USUAL, *found)) if one != "none"]


def _texts(pattern: str, seen: set[str]) -> Iterator[str]:
    """The text of each file of a pattern, and of those that it includes."""
    for path in sorted(set(glob.glob(pattern)) - seen):
        seen.add(path)
        try:
            with open(path, encoding="utf-8", errors="replace") as stream:
                text = stream.read(_LARGEST)
        except OSError:
            continue
        yield text
        for line in _INCLUDE.findall(text):
            for word in _words(line):
                yield from _texts(os.path.join(_INCLUDED_FROM, word), seen)


def _words(line: str) -> list[str]:
    return [word.strip('"') for word in line.partition("#")[0].split()]


def files_of(user: str, uid: int, home: str, known: Iterable[str]) -> Iterator[str]:
    """Those of one user that exist and are not empty. known: of patterns()."""
    tokens = {"%%": "%", "%h": home, "%u": user, "%U": str(uid)}
    for pattern in known:
        path = os.path.join(home, re.sub("%[%huU]", lambda match: tokens[match.group(0)], pattern))
        if os.path.exists(path) and os.path.getsize(path):
            yield path

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in homes and in /tmp that an operator's settings name, and that a service can reach today. The sandbox hides them.

Private to this collection. Nothing else of the settings leaves the host: neither the names of these settings nor other values.
"""

from __future__ import annotations

import glob
import os
import pwd
import re
from collections.abc import Iterator

_PATH = re.compile(r"(?<![\w./])/(?:home|root|run/user|tmp|var/tmp)/[^\s\"',;:(){}\[\]<>|&$`]+")
_OF_UNIT = re.compile(r"\s*(?:Environment|Exec(?:Condition|StartPre|StartPost|Reload))\s*=")
_OURS = ("RELEASE_TMP=",)
"""Variables that the role product sets otherwise."""


def find(text: str, user: str) -> Iterator[tuple[int, str]]:
    """Line and path. text: without comments. user: as whom the service runs, "" for root."""
    for match in _PATH.finditer(text):
        path = match.group().rstrip("/.")
        if not text[: match.start()].endswith(_OURS) and _exists(path) and _reaches(user, path):
            yield text.count("\n", 0, match.start()) + 1, path


def lines_of_unit(text: str) -> str:
    """A unit or drop-in with nothing in its lines but what its service itself reads or runs: systemd reads the rest outside of the sandbox. What
    ExecStart= runs is a fact of its own."""
    kept, inside = [], False
    for line in text.split("\n"):
        inside = inside or bool(_OF_UNIT.match(line))
        kept.append(line if inside else "")
        inside = inside and line.endswith("\\")
    return "\n".join(kept)


def _exists(path: str) -> bool:
    return bool(glob.glob(path)) if any(sign in path for sign in "*?") else os.path.exists(path)


def _reaches(user: str, path: str) -> bool:
    """Whether the directories above let a user through. A group of a directory may be one of the user's."""
    try:
        uid = pwd.getpwnam(user).pw_uid if user else 0
    except KeyError:
        return False
    parent = os.path.dirname(path)
    while uid and parent != "/" and "*" not in parent:
        try:
            status = os.stat(parent)
        except OSError:
            return False
        if status.st_uid != uid and not status.st_mode & 0o011:
            return False
        parent = os.path.dirname(parent)
    return True

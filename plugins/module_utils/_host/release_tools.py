# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs the script of a release as a tool: cron, logrotate, hooks, other units, and the scripts that these name.

Private to this collection. Only files with lines and the tool's command leave the host, no arguments.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator

from .._model.host_facts import Setting
from .._model.installed import HEADER
from . import proc
from .firewall_at_boot import UNDOING

JOBS = (*UNDOING, "/var/spool/cron/tabs/*", "/etc/logrotate.conf", "/etc/logrotate.d/*")
"""What runs at times, at boot, or on an event."""
_COMMENT = re.compile(r"^[ \t]*[#;](?!!).*$", re.MULTILINE)
_RUN = re.compile(r"(/[^\s;&|\"'<>()`:,=]+)/bin/[\w.-]+[ \t]+([a-z_]+)\b")
_NAMED = re.compile(r"(?<![\w.~/])/[^\s;&|\"'<>()`:,]+")
_SCRIPTS_DEEP = 2


def made_by(release: str, version: str) -> str:
    """"mix" or "relx", by a script that only the first one installs. Empty where there is no release."""
    folder = f"{release}/releases/{version}"
    return "" if not release or not version or not os.path.isdir(folder) else "mix" if os.path.isfile(f"{folder}/elixir") else "relx"


def used(unit: str, release: str, patterns: Iterable[str] = JOBS) -> Iterator[Setting]:
    """Where others than the unit itself run a command of its release."""
    own, seen = os.path.realpath(release), set()
    todo = [(os.path.realpath(path), 0) for pattern in patterns for path in sorted(glob.glob(pattern))] if release else []
    while todo:
        path, deep = todo.pop(0)
        if path in seen or path.startswith(f"{own}/") or not os.path.isfile(path) or _is_of(unit, path):
            continue
        seen.add(path)
        text = proc.text_of(path) or ""
        # Of the files that a job names, those are scripts that begin like one.
        if not text or HEADER in text[:1000] or deep and not text.startswith("#!"):
            continue
        text = _COMMENT.sub("", text)
        for match in _RUN.finditer(text):
            if os.path.realpath(match.group(1)) == own:
                yield Setting(unit, path, text.count("\n", 0, match.start()) + 1, "tool", match.group(2))
        if deep < _SCRIPTS_DEEP:
            todo += [(os.path.realpath(named), deep + 1) for named in _NAMED.findall(text)]


def _is_of(unit: str, path: str) -> bool:
    return os.path.basename(path) == unit or os.path.basename(os.path.dirname(path)) == f"{unit}.d"

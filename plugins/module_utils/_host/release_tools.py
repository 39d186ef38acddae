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
from .._model.release_commands import STARTING
from . import boot_starts, job_files, proc
from .records import DIRECTORY

_RUN = re.compile(r"(/[^\s;&|\"'<>()`:,=]+)/bin/(?:server(?=[\s;&|\"']|$)|[\w.-]+[ \t]+([a-z_]+)\b)")
_UNIT = re.compile(r"/([^/]+\.service)(?:\.d/[^/]+\.conf)?$")


def version_of(release: str) -> str:
    """The current version of a release, empty where there is none."""
    try:
        return (proc.text_of(f"{release}/releases/start_erl.data") or "").split()[1] if release else ""
    except IndexError:
        return ""


def made_by(release: str, version: str) -> str:
    """"mix" or "relx", by a script that only the first one installs. Empty where there is no release."""
    folder = f"{release}/releases/{version}"
    return "" if not release or not version or not os.path.isdir(folder) else "mix" if os.path.isfile(f"{folder}/elixir") else "relx"


def name_of(folder: str) -> str:
    """The name of the release that a directory of its versions is of, by the file that it was made from. Empty where there is none, or several."""
    names = {os.path.basename(path)[: -len(".rel")] for path in glob.glob(f"{glob.escape(folder)}/*.rel")}
    return names.pop() if len(names) == 1 else ""


def used(unit: str, release: str, patterns: Iterable[str] = job_files.PLACES) -> Iterator[Setting]:
    """Where others than the unit itself run a command of its release. bin/server of Phoenix is `start`. A command that
    starts a node counts where something runs it."""
    own = os.path.realpath(release)
    for path, text, job in job_files.texts(patterns) if release else ():
        other = _UNIT.search(job)
        if path.startswith((f"{own}/", DIRECTORY)) or _is_of(unit, job):
            continue
        idle = not boot_starts.runs(job) or (other is not None and not boot_starts.is_wanted(job, other.group(1)))
        for match in _RUN.finditer(text):
            command = match.group(2) or "start"
            if os.path.realpath(match.group(1)) == own and not (idle and command in STARTING):
                # Of a unit's script the unit is named: it may be that of another node.
                where, line = (job, 0) if other and path != job else (path, text.count("\n", 0, match.start()) + 1)
                yield Setting(unit, where, line, "tool", command)


def _is_of(unit: str, path: str) -> bool:
    return os.path.basename(path) == unit or os.path.basename(os.path.dirname(path)) == f"{unit}.d"

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
from . import job_files, proc
from .records import DIRECTORY

_RUN = re.compile(r"(/[^\s;&|\"'<>()`:,=]+)/bin/[\w.-]+[ \t]+([a-z_]+)\b")


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
    """Where others than the unit itself run a command of its release."""
    own = os.path.realpath(release)
    for path, text, job in job_files.texts(patterns) if release else ():
        if path.startswith(f"{own}/") or path.startswith(DIRECTORY) or _is_of(unit, job):
            continue
        for match in _RUN.finditer(text):
            if os.path.realpath(match.group(1)) == own:
                yield Setting(unit, path, text.count("\n", 0, match.start()) + 1, "tool", match.group(2))


def _is_of(unit: str, path: str) -> bool:
    return os.path.basename(path) == unit or os.path.basename(os.path.dirname(path)) == f"{unit}.d"

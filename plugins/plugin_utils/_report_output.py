# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report on the terminal and in files, for the actions that make one.

Private to this collection; it runs on the controller only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import terminal
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.formats import FORMATS
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import Report

from ._files import replace_file

# Ansible uses no colour where the output is no terminal, or NO_COLOR is set.
COLOURS = {terminal.GOOD: constants.COLOR_OK, terminal.BAD: constants.COLOR_ERROR, terminal.WARNING: constants.COLOR_WARN}


def show(display: Display, lines: Iterable[terminal.Line]) -> None:
    for line in lines:
        display.display(f"  {line.text}".rstrip(), color=COLOURS.get(line.tone))


def write(directory: str, name: str, formats: Sequence[str], report: Report, *, write: bool = True) -> tuple[dict[str, str], list[terminal.Line]]:
    """Write the files of a report. Returns their paths by format, and the line that names them; no line where nothing was written.

    write: False only names the paths, for check mode. Raises `OSError`.
    """
    base = Path(os.path.abspath(directory))
    paths = {one: str(base / f"{name}{FORMATS[one].suffix}") for one in formats}
    if not write or not formats:
        return paths, []
    base.mkdir(mode=0o750, parents=True, exist_ok=True)
    for one, path in paths.items():
        replace_file(Path(path), FORMATS[one].text(report))
    first, *more = paths.values()
    others = ", ".join(path.removeprefix(str(base / name)) for path in more)
    return paths, [terminal.Line(f"Report: {first}{f' (and {others})' if others else ''}")]


def unwritten(directory: str, variable: str, error: OSError) -> str:
    """The message where `write` has raised: the verdict is on the terminal by then."""
    return (
        f"The report cannot be written to {os.path.abspath(directory)}: {error.strerror or error}. Make it a directory that the user who runs "
        f"Ansible may write to, or set {variable} to another one."
    )

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a read-only program of the host, bounded in time.

Private to this collection.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
TIMEOUT = 5


def find(program: str) -> str | None:
    """Where a program is; an ordinary user's PATH misses sbin."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_PATH}")


class Running:
    """A program at work. Start the slow one first, and ask for its output when all else is done."""

    def __init__(self, program: str, *arguments: str, seconds: float | None = None) -> None:
        path = find(program)
        self._process: subprocess.Popen[bytes] | None = None
        self._until = time.monotonic() + (TIMEOUT if seconds is None else seconds)
        if path is None:
            return
        try:
            self._process = subprocess.Popen(
                [path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PATH": _PATH, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
            )
        except OSError:
            return

    def output(self) -> str | None:
        """What it printed, or None where it is missing, failed or took too long: then nothing is known."""
        if self._process is None:
            return None
        try:
            printed, _errors = self._process.communicate(timeout=max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return None
        return printed.decode("utf-8", "replace") if self._process.returncode == 0 else None


def output(program: str, *arguments: str, seconds: float | None = None) -> str | None:
    """As Running.output(), without anything else to do meanwhile. seconds: the most that it may take, TIMEOUT by default."""
    return Running(program, *arguments, seconds=seconds).output()

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

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
TIMEOUT = 5


def find(program: str) -> str | None:
    """Where a program is; an ordinary user's PATH misses sbin."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_PATH}")


def output(program: str, *arguments: str) -> str | None:
    """What it prints, or None where it is missing, fails or takes too long: then nothing is known."""
    path = find(program)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=False,
            env={"PATH": _PATH, "LC_ALL": "C", "SYSTEMD_COLORS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

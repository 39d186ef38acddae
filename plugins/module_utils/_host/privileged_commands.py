# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands with which a service becomes another user: sudo, doas, pkexec. They end with an error in the sandbox (NoNewPrivileges=yes).

Private to this collection. su, runuser and setpriv are not among them: only root can use them without a password, and a service that has left its
account is no matter of the sandbox alone. Only the names of these commands leave the host.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator

_COMMAND = re.compile(
    r"(?:^|[;&|(`{!\"']|=[-@:!|]*|\b(?:then|do|else|exec|if|while|until|env|nohup|nice|time|\w+=\S*)\s)[ \t]*"
    r"(?:/usr/local/bin/|/usr/bin/|/bin/)?(sudo|doas|pkexec)(?=[ \t]+[^\s=)])",
    re.MULTILINE,
)
"""Where a command begins: a word after another command is an argument, the name of a group or a package."""
_OUTSIDE = re.compile(r"^[^\S\n]*\w+[^\S\n]*=[^\S\n]*[-@:|!]*\+.*$", re.MULTILINE)
"""A command of a unit that systemd runs outside of the sandbox."""
_SAID = re.compile(r"\becho\b[^\n;&|]*|\bprintf\b[^\n;&|]*")


def find(text: str) -> Iterator[tuple[int, str]]:
    """Line and command. text: a script, or lines of a unit, without comments."""
    text = _OUTSIDE.sub("", text)
    text = _SAID.sub("", text)
    for match in _COMMAND.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match.group(1)


def scripts_of(release: str) -> list[str]:
    """What the start script of a release reads: env.sh (mix release), and hooks (rebar3). A version that does not run today may run tomorrow."""
    root = glob.escape(release)
    return sorted({*glob.glob(f"{root}/releases/*/env.sh"), *glob.glob(f"{root}/bin/hooks/*")}) if release else []

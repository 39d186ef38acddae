# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message of a command that a role ran and that failed. Of a unit that did not start: start_failure.py.

Private to this collection, pure. The lines are those of the command; secrets are removed here a second time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LINES = 8
"""How many lines of a command's output a message repeats: the last ones."""
WIDTH = 300
_WORD = 60
_SECRET = re.compile(r"(-(?:set)?cookie[ =]+|[A-Z_]*(?:COOKIE|PASS|SECRET|TOKEN|KEY)[A-Z_]*=)\S+")
_NOT_FOUND = re.compile("No such file or directory")


def redact(text: str) -> str:
    """`text` without values of cookie flags, and of variables whose names look like secrets."""
    return _SECRET.sub(r"\1REDACTED", text)


def command_line(argv: Sequence[str]) -> str:
    """The words of a command for a person: long ones and those with line breaks are shortened."""
    return redact(" ".join(word if len(word) <= _WORD and "\n" not in word else f"{word.split(chr(10))[0][:_WORD]}..." for word in argv))


def failed_command(place: str, purpose: str, argv: Sequence[str], status: int | None, output: str, fix: str = "") -> str:
    """The message of a command that ended with a status that its task does not expect.

    `place`: the host. `purpose`: the name of the task. `status`: None if it could not be executed; `output` is the reason then.
    """
    lines = [redact(line.strip())[:WIDTH] for line in output.splitlines() if line.strip()][-LINES:]
    command = f"'{command_line(argv)}'"
    if status is None:
        program = argv[0] if argv else ""
        missing = _NOT_FOUND.search(output)
        ended = f"{command} cannot be executed: {f'there is no {program}' if missing else ' '.join(lines)}."
        lines = []
        fix = fix or (f"install {program}, or have it in the PATH of root" if missing else "")
    else:
        ended = f"{command} ended with status {status}" + (" and wrote:" if lines else " and wrote nothing.")
    fix = fix or f"run the command on {place}, correct what it names"
    return "\n".join([f"{place}: {purpose}: {ended}", *(f"  {line}" for line in lines), f"Fix: {fix}, and run the playbook again."])

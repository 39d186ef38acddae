# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The value that a shell would give a variable, as far as it can be told without running the file.

Private to this collection. Nothing of the file is run: of commands only those are known that say the host's own name.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Mapping

_EXPANSION = re.compile(r"\$\{([A-Za-z_]\w*)(?::?-([^{}]*))?\}|\$([A-Za-z_]\w*)|\$\(([^()`]*)\)|`([^`]*)`")
_PART_OF_PATH = re.compile(r"[\w./@+-]*")
UNKNOWN = "$"
"""Of a variable that has a value which nobody knows."""


def _name() -> str:
    return os.uname().nodename


def _canonical() -> str:
    try:
        return socket.getaddrinfo(_name(), None, flags=socket.AI_CANONNAME)[0][3]
    except (OSError, IndexError):
        return UNKNOWN


_COMMANDS: Mapping[str, Callable[[], str]] = {
    "hostname": _name,
    "uname -n": _name,
    **dict.fromkeys(("hostname -s", "hostname --short"), lambda: _name().partition(".")[0]),
    **dict.fromkeys(("hostname -f", "hostname --fqdn", "hostname --long"), _canonical),
}


def value_at(text: str, start: int) -> str:
    """The word that begins there, without its quotes; an expansion stays as it is written."""
    found, quote, position = "", "", start
    while position < len(text):
        character = text[position]
        if character == "\\" and quote != "'":
            found += "" if text[position + 1 : position + 2] == "\n" else text[position + 1 : position + 2]
            position += 2
            continue
        match = _EXPANSION.match(text, position) if quote != "'" else None
        if match:
            found += match.group()
            position = match.end()
            continue
        if quote:
            if character == quote:
                quote = ""
            else:
                found += character
        elif character in "\"'":
            quote = character
        elif character.isspace() or character in ";&|)":
            break
        else:
            found += character
        position += 1
    return found


def expanded(value: str, known: Mapping[str, str]) -> str:
    """A value with the variables that are known, and with the host's name where a command says it. What is not a part of a path or of a name stays as
    it is written."""

    def of(match: re.Match[str]) -> str:
        braced, default, plain, *commands = match.groups()
        command = next((" ".join(one.split()) for one in commands if one is not None), None)
        if command is not None:
            said = _COMMANDS.get(command, str)() or UNKNOWN
        else:
            said = known.get(braced or plain) or ("" if default is None else expanded(default, known)) or UNKNOWN
        return said if _PART_OF_PATH.fullmatch(said) else match.group()

    return _EXPANSION.sub(of, value)


def at_start() -> dict[str, str]:
    """What a shell knows before the first line."""
    return {"HOSTNAME": _name()}


def specified(value: str) -> str:
    """A value of a unit's file with the host's name in place of the specifiers that say it, see systemd.unit(5)."""
    return value.replace("%H", _name()).replace("%l", _name().partition(".")[0]).replace("%%", "%")

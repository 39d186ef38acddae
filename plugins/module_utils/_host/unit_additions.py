# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What drop-ins of others add to a unit that has the drop-in of the role service: lists of systemd grow with each file that sets them.

Private to this collection. systemd-analyze security does not rate ReadWritePaths= and BindPaths=, and a family more costs so little that the unit
passes. Only names of directives, files and programs are returned. Source: systemd.exec(5).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

from .._model.installed import DROP_IN
from . import proc

PROPERTIES = ("ReadWritePaths", "BindPaths", "RestrictAddressFamilies", "SystemCallFilter")
_FAMILIES = frozenset({"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "none"})
_CALLS = frozenset(
    """
    bpf clock_settime delete_module finit_module init_module ioperm iopl kexec_file_load kexec_load mount move_mount perf_event_open
    pidfd_getfd pivot_root ptrace reboot settimeofday swapoff swapon umount2
    """.split()
)
"""Of @clock, @debug, @module, @mount, @raw-io, @reboot and @swap, which @system-service has not. That of systemd 262 has open_tree, which attaches
nothing without move_mount."""
_SYSTEM = (
    "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run/systemd", "/sbin", "/sys", "/usr", "/var/lib/systemd",
    "/var/spool",
)
_EXEC = ("ExecCondition", "ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost")
_STARTS = re.compile(r"^[ \t]*ExecStart[ \t]*=[ \t]*[-@:+!|]*([^-@:+!|\s]\S*)", re.MULTILINE)
_COMMAND = re.compile(r"argv\[\]=(.*?) ; ignore_errors=")


def of_unit(values: Mapping[str, Sequence[str]], fragment: str, drop_ins: Sequence[str]) -> dict[str, list[str]]:
    """openings: what lets the unit out of its sandbox. commands: what it runs beside its main program. Both as "DIRECTIVE=VALUE in FILE", and empty
    for a unit without our drop-in. What our drop-in and the unit's own file say is not among them."""
    if not any(map(_is_ours, drop_ins)):
        return {"openings": [], "commands": []}
    texts = {path: proc.text_of(path) or "" for path in (fragment, *drop_ins) if path}
    others = {path: text for path, text in texts.items() if path != fragment and not _is_ours(path)}
    own = "\n".join(text for path, text in texts.items() if path not in others)
    openings = [_placed(name, value, others) for name, value in _openings(values) if not _says(own, name, value)]
    commands = [_placed(name, value, others) for name, value in _commands(values) if not _says(own, name, value)]
    commands += [f"ExecStart={program} in {path}" for path, text in others.items() for program in _STARTS.findall(text)]
    return {"openings": list(dict.fromkeys(openings)), "commands": list(dict.fromkeys(commands))}


def _is_ours(path: str) -> bool:
    return os.path.basename(path) == DROP_IN


def _openings(values: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for name in ("ReadWritePaths", "BindPaths"):
        for line in values.get(name, ()):
            for word in line.split():
                source, _colon, target = word.lstrip("-+").partition(":")
                for path in dict.fromkeys((source, target.partition(":")[0] or source)):
                    if of_system(path):
                        yield name, path
    for line in values.get("RestrictAddressFamilies", ()):
        denied = line.startswith("~") or not line
        # Where the first file that says something refuses, the whole list refuses, and allows the rest (systemd.exec(5)).
        yield from (("RestrictAddressFamilies", word) for word in (["~"] if denied else line.split()) if word not in _FAMILIES)
    for line in values.get("SystemCallFilter", ()):
        if line.startswith("~") or not line:
            yield "SystemCallFilter", "~"
        else:
            yield from (("SystemCallFilter", word) for word in sorted(_CALLS.intersection(line.split())))


def of_system(path: str) -> bool:
    """Whether a path is a directory of the system, is in one, or holds one."""
    path = os.path.normpath(path)
    return path == "/" or any(one == path or one.startswith(f"{path}/") or path.startswith(f"{one}/") for one in _SYSTEM)


def _commands(values: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for name in _EXEC:
        for line in values.get(name, ()):
            yield from ((name, command.split(" ")[0]) for command in _COMMAND.findall(line) if command)


def _says(text: str, name: str, value: str) -> bool:
    """Whether a text sets a directive to a value, or a value of which it is a part: of a filter also by a group of calls."""
    lines = re.findall(rf"^[ \t]*{name}[ \t]*=[ \t]*(\S.*)$", text, re.MULTILINE)
    if name in ("ReadWritePaths", "BindPaths"):
        return any(value in (part.lstrip("-+") for part in re.split(r"[\s:]+", line)) for line in lines)
    if name == "SystemCallFilter" and value != "~":
        return any(not line.startswith("~") and re.search(r"@(?!system-service\b)|\b" + value + r"\b", line) for line in lines)
    if value == "~":
        return bool(lines) and lines[0].startswith("~")
    return any(value in line.lstrip("-+!@:|").split() for line in lines)


def _placed(name: str, value: str, others: Mapping[str, str]) -> str:
    """The first file that sets the directive to that value, else the first one that sets it."""
    found = [path for path, text in others.items() if _says(text, name, value)]
    found += [path for path, text in others.items() if re.search(rf"^[ \t]*{name}[ \t]*=", text, re.MULTILINE)]
    shown = "" if value == "~" else value
    return f"{name}={shown} in {found[0]}" if found else f"{name}={shown}"

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of beam_service_directives: they go into the section [Service] of our drop-in, before its last two lines.

Private to this collection. No message shows more of a line than a name of our own lists: a value may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .._model.reserved_flags import FLAGS, VARIABLE, VARIABLES, reserved_words

_LINE = re.compile(r"([A-Z][A-Za-z0-9]*)[ \t]*=[ \t]*(.*)")
_ASSIGNED = re.compile(r"(?:^|[\s\"'])([A-Z][A-Z0-9_]*)=")

_RESETS = ("Environment", "EnvironmentFile", "ExecStartPre", "ReadWritePaths", "UnsetEnvironment")
"""Directives of which an empty assignment takes away what the drop-in has set before."""
_OURS = {
    "User": "the node's files belong to the user of the plan",
    "Group": "the node's files belong to the group of the plan",
    "DynamicUser": "the node's files belong to the user of the plan",
    "RootDirectory": "the node's files are not below it",
    "RootImage": "the node's files are not in it",
}
_SECTIONS = {
    "[Unit]": (
        "After Before BindsTo Conflicts Description Documentation JoinsNamespaceOf OnFailure OnSuccess PartOf PropagatesReloadTo RefuseManualStart "
        "RefuseManualStop Requires RequiresMountsFor Requisite StartLimitAction StartLimitBurst StartLimitIntervalSec StopWhenUnneeded Upholds Wants"
    ),
    "[Install]": "Alias Also DefaultInstance RequiredBy UpheldBy WantedBy",
}

Wrong = tuple[str, str, str]
"""Rule, message and fix."""


def validate(lines: Sequence[str]) -> Iterator[Wrong]:
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        if match is None or line.endswith("\\"):
            fix = "write each directive of the section [Service] as an entry of its own, on one line: Name=value."
            yield "directive_format", f"entry {number} is not a line Name=value.", fix
            continue
        found = _refused(match.group(1), match.group(2))
        if found:
            yield "directive_refused", f"entry {number} {found[0]}.", f"{found[1]}."


def _refused(name: str, value: str) -> tuple[str, str] | None:
    """What is wrong with a directive, and how to mend it."""
    for section, names in _SECTIONS.items():
        if name in names.split():
            return f"({name}) belongs into the section {section}, and systemd ignores it in [Service]", "write it to a drop-in of your own"
    if name in _OURS:
        fix = "remove it, and set `user` in beam_nodes" if "User" in name or name == "Group" else "remove it"
        return f"sets {name}: {_OURS[name]}", fix
    if name in _RESETS and not value.strip("\"' "):
        return f"({name}= without a value) takes away what the roles have set", "remove it"
    if name == "Environment":
        for variable in _ASSIGNED.findall(value):
            if VARIABLE.fullmatch(variable) or variable in VARIABLES:
                return f"sets {variable}, which the drop-in removes or sets itself", "remove it, and add its flags to beam_distribution_extra_args"
    if name == "Environment" or name.startswith("Exec"):
        for word in reserved_words(value):
            return f"({name}) contains {word}: {FLAGS[word]}", "remove it there"
    return None

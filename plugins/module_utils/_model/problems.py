# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the operator's input: one value per mistake, and one text for all of them.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One mistake. `rule` is a stable name to branch on; `host` is empty where the mistake is the whole cluster's."""

    host: str
    variable: str
    rule: str
    message: str
    fix: str


class Problems:
    """Collects mistakes while the rules run, so that all of them are reported at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, host: str, variable: str, rule: str, message: str, fix: str) -> None:
        self._found.append(Problem(host, variable, rule, printable(message), printable(fix)))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def grouped(self) -> list[dict[str, object]]:
        """The same mistake on many hosts is one entry: a typing error in group_vars is one error, not a thousand."""
        groups: dict[tuple[str, str, str, str], list[str]] = {}
        for found in self._found:
            hosts = groups.setdefault((found.variable, found.rule, found.message, found.fix), [])
            if found.host and found.host not in hosts:
                hosts.append(found.host)
        return [
            {"host": join_names(hosts), "hosts": hosts, "variable": variable, "rule": rule, "message": message, "fix": fix}
            for (variable, rule, message, fix), hosts in groups.items()
        ]


def printable(text: str) -> str:
    """A text that a terminal shows and does not obey: what cannot be printed is escaped (control characters, lone surrogates)."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def shown(value: object, most: int = 80) -> str:
    """A value of the operator's for a message: one line, short. Never raises, whatever the value is."""
    if isinstance(value, str):
        text = printable(repr(value[: most + 1]))
        return text if len(text) <= most else f"{text[: most - 1]}...{text[0]}"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, Mapping):
        return "a dictionary"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    return "nothing" if value is None else printable(repr(value)[:most])


def join_names(hosts: Iterable[str], most: int = 5) -> str:
    """Host names for a sentence: all of a few, the first of many."""
    names = list(hosts)
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def text(errors: list[dict[str, object]]) -> str:
    """All errors as one text for the terminal, from the entries of `Problems.grouped`."""
    count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
    lines = [f"The cluster cannot be planned: {count}, nothing was touched."]
    for number, error in enumerate(errors, start=1):
        where = ", ".join(str(part) for part in (error["host"], error["variable"]) if part)
        lines.append(f"{number}. {where} ({error['rule']}): {error['message']} Fix: {error['fix']}")
    return "\n".join(lines)

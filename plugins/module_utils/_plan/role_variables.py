# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of single roles, validated before any host is touched: type and choices from their argument specs, and the ranges below.

Private to this collection. A role's own validation, which Ansible runs in the role's turn, comes too late: other roles have changed the host.
No message shows an element of a list: flags and directives may hold secrets.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .._model.problems import shown
from .._model.reserved_flags import refused_in_extra_args
from . import service_directives
from .cluster_variables import boolean
from .units_and_users import is_user_name
from .variable_names import Unreadable, seconds

DAYS = (1, 36500)
BACKDATE_MAX = 30 * 86400
"""Seconds."""
RANGES: Mapping[str, tuple[float, float]] = {
    # With the longest beam_pki_backdate, a certificate still passes the control certificate-validity (398 days).
    "beam_pki_days": (1, 365),
    "beam_pki_ca_days": DAYS,
    "beam_pki_crl_days": DAYS,
    "beam_pki_renew_at": (0.01, 1),
    "beam_pki_key_size": (2048, 16384),
    "beam_service_restart_seconds": (0, 3600),
    "beam_verify_timeout": (0.1, 600),
    "beam_verify_pairs_max": (0, 1_000_000),
    "beam_verify_vantages": (1, 1000),
}
"""Least and greatest value of a number; an argument spec cannot say it."""


@dataclass(frozen=True)
class Option:
    """One variable of a role's argument spec. `type` and `elements` are names of Ansible's types."""

    variable: str
    role: str
    type: str
    elements: str
    choices: tuple[object, ...]


@dataclass(frozen=True)
class Wrong:
    """A mistake in a value, see `problems.Problem`."""

    variable: str
    rule: str
    message: str
    fix: str


def options(specs: Mapping[str, Mapping[str, Any]], validated_elsewhere: frozenset[str]) -> dict[str, Option]:
    """The options in the argument specs of all roles (role -> content of its argument_specs.yml), but for those that have rules of their own."""
    found: dict[str, Option] = {}
    for role, document in specs.items():
        for entry in document["argument_specs"].values():
            for variable, option in (entry.get("options") or {}).items():
                if variable not in validated_elsewhere:
                    found[variable] = Option(
                        variable, role, str(option.get("type", "str")), str(option.get("elements", "raw")), tuple(option.get("choices") or ())
                    )
    return found


def validate(option: Option, value: object) -> list[Wrong]:
    """What is wrong with the value of a variable that is set."""
    if value is None:
        # It takes the place of the role's default.
        return [Wrong(option.variable, "type", "the value is empty (null).", f"remove {option.variable}, or write a value.")]
    if isinstance(value, Unreadable):
        # These exist later, when the role runs.
        if any(later in value.reason for later in ("beam_plan", "__beam_", "'item'")):
            return []
        return [Wrong(option.variable, "undefined", f"its template fails: {value.reason}.", "define the variables or gather the facts it refers to.")]
    return list(_validate_value(option, value))


def _validate_value(option: Option, value: object) -> Iterator[Wrong]:
    variable = option.variable
    expected, convert = _TYPES.get(option.type, ("", _anything))
    converted = convert(value)
    if converted is None:
        article = "an" if expected[:1] in "aeiou" else "a"
        yield Wrong(variable, "type", f"{shown(value)} is not {article} {expected}.", f"write {article} {expected}; see the role {option.role}.")
        return
    chosen = converted if isinstance(converted, list) else [converted]
    for number, one in enumerate(chosen, start=1):
        if option.choices and one not in option.choices:
            what = f"entry {number}" if chosen is converted else shown(value)
            yield Wrong(variable, "choice", f"{what} is not supported.", f"choose one of: {', '.join(map(str, option.choices))}.")
    if isinstance(converted, (int, float)) and variable in RANGES:
        least, most = RANGES[variable]
        if not least <= converted <= most:
            yield Wrong(variable, "range", f"{shown(value)} is not between {least} and {most}.", f"choose a number from {least} to {most}.")
    if isinstance(converted, list) and option.elements in _TYPES:
        noun, check = _TYPES[option.elements]
        for number, element in enumerate(converted, start=1):
            if check(element) is None:
                yield Wrong(
                    variable, "type", f"entry {number} is {shown(element) if element is None else f'not a {noun}'}.", f"write a list of {noun}s."
                )
    if variable == "beam_distribution_extra_args" and isinstance(converted, list):
        for word, reason in refused_in_extra_args(" ".join(one for one in converted if isinstance(one, str))).items():
            yield Wrong(variable, "flag_reserved", f"it contains {word}: {reason}.", "remove it there.")
        yield from (Wrong(variable, *wrong) for wrong in _quotes(converted))
    if variable == "beam_service_directives" and isinstance(converted, list):
        yield from (Wrong(variable, *wrong) for wrong in service_directives.validate([one for one in converted if isinstance(one, str)]))
    if variable in _FORMS:
        what, good = _FORMS[variable]
        for one in converted if isinstance(converted, list) else [converted]:
            if one != "" and not good(one):
                yield Wrong(variable, "format", f"the value is not {what}.", f"write {what}.")
                return


def _quotes(lines: list[object]) -> Iterator[tuple[str, str, str]]:
    """Each entry is a line of a flags file. One that does not end a quote would take the next line with it."""
    for number, line in enumerate(lines, start=1):
        if not isinstance(line, str):
            continue
        if line.lstrip().startswith("#"):
            yield "format", f"entry {number} is a comment.", "remove the # or the entry."
            continue
        try:
            shlex.split(line)
        except ValueError:
            fix = "close the quote, and write each flag on one line."
            yield "format", f"entry {number} has a quote without its end, or ends with a backslash.", fix


def _anything(value: object) -> object:
    return value


def _integer(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        text = value.strip()
        return int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) < 20 and text.count("-") < 2 else None
    return value


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else str(value) if isinstance(value, (bool, float)) else shown(value) if isinstance(value, int) else None


def _list(value: object) -> list[object] | None:
    if isinstance(value, (list, tuple)):
        return list(value)
    return list(value.split(",")) if isinstance(value, str) else None


def _boolean(value: object) -> str | None:
    flag = boolean(value)
    return None if flag is None else str(flag)


_TYPES: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "int": ("whole number", _integer),
    "float": ("number", _number),
    "str": ("string", _string),
    "path": ("path", _string),
    "bool": ("boolean (true or false)", _boolean),
    "list": ("list", _list),
    "dict": ("dictionary", lambda value: value if isinstance(value, Mapping) else None),
}


def _is_absolute(value: object) -> bool:
    return isinstance(value, str) and value.startswith("/") and value.isprintable() and '"' not in value


def _is_plain(value: object) -> bool:
    """A path that stands in units and command lines: systemd and shells read spaces, %, $ and quotes."""
    return isinstance(value, str) and re.fullmatch(r"/[A-Za-z0-9/._@:,+-]*", value) is not None


def _is_backdate(value: object) -> bool:
    try:
        return 0 <= seconds(value) <= BACKDATE_MAX
    except ValueError:
        return False


_PLAIN = "an absolute path of letters, digits and . _ - + @ : ,"
_FORMS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "beam_firewall_local_users": ("a list of user names", is_user_name),
    "beam_firewall_nftables_conf": ("an absolute path", _is_absolute),
    "beam_otp_root": (_PLAIN, _is_plain),
    "beam_pki_backdate": ("a duration such as 1h, of 30 days or less", _is_backdate),
    "beam_pki_certificate": ("an absolute path", _is_absolute),
    "beam_pki_key": ("an absolute path", _is_absolute),
    "beam_pki_ca": ("an absolute path", _is_absolute),
    "beam_service_crash_dump_directory": (_PLAIN, _is_plain),
}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The TLS options of the distribution of a VM, from its option file and flags, by an allow list.

Private to this collection. Of an unknown option only its name is kept: a password is one. Sources: ssl_dist_sup.erl and inet_tls_dist.erl of OTP 25
to 29.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._term import Atom, Term, TermError, consult, to_plain
from .vm_flags import flags_of

_VALUES = frozenset(
    """
    verify fail_if_no_peer_cert crl_check reuse_sessions depth secure_renegotiate client_renegotiation session_tickets early_data keep_secrets
    server_name_indication
    """.split()
)
_LISTS = {"versions": "versions", "ciphers": "ciphers", "signature_algs": "algorithms"}
_LARGEST = 1 << 20
_SIDES = ("server", "client")

Side = dict[str, Any]


def options_of(arguments: Sequence[str], root: str) -> dict[str, object]:
    """`server`, `client`: as FileOptions, both None without TLS options. `options_read`: False where a file could not be read, or holds code.

    root: where the process's file system begins ("" or "/proc/PID/root"). With a file, flags are left out: OTP 25 does not take them then, later ones
    take those that the file does not set. That there are some is a fact of its own (VmFlags.ssl_options).
    """
    sides: dict[str, Side | None] = dict.fromkeys(_SIDES)
    flags = list(flags_of(arguments[1:]))
    files = [values[0] for flag, values in flags if flag == "-ssl_dist_optfile" and values]
    if files:
        # Given twice, the node does not start.
        found = _in_file(f"{root}{files[-1]}")
        return {**sides, **(found or {}), "options_read": found is not None}
    for flag, values in flags:
        if flag == "-ssl_dist_opt":
            for name, value in zip(values[::2], values[1::2]):
                side, _line, option = name.partition("_")
                if side in _SIDES:
                    sides[side] = _with(sides[side], option, value)
    return {**sides, "options_read": True}


def _in_file(path: str) -> Mapping[str, Side] | None:
    """Both sides; None where the file cannot be read, or holds more than literal terms."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            (stanzas,) = consult(stream.read(_LARGEST))
    except (OSError, TermError, ValueError):
        return None
    if not isinstance(stanzas, list):
        return None
    found: dict[str, Side] = {}
    for stanza in stanzas:
        if isinstance(stanza, tuple) and len(stanza) == 2 and str(stanza[0]) in _SIDES and isinstance(stanza[1], list):
            side: Side | None = _with(None, "", None)
            for option in stanza[1]:
                pair = option if isinstance(option, tuple) and len(option) == 2 else (option, True)
                side = _with(side, str(pair[0]) if isinstance(pair[0], Atom) else "", pair[1])
            found[str(stanza[0])] = side or {}
    return found


def _with(side: Side | None, name: str, value: Term) -> Side:
    """A side with one more option. Of two the last one counts, in OTP 25, 27 and 29 (tried): ssl.erl makes a map of the list."""
    made: Side = side or {"names": [], "values": {}, **dict.fromkeys(_LISTS.values())}
    if not name.replace("_", "").isalnum():
        return made
    made["names"] = sorted({*made["names"], name})
    if name in _VALUES:
        made["values"][name] = _text(value)
    elif name in _LISTS:
        made[_LISTS[name]] = _texts(value)
    return made


def _text(value: Term) -> str:
    return str(value).lower() if isinstance(value, (bool, int)) else str(value) if isinstance(value, (Atom, str)) else "a term"


def _texts(value: Term) -> list[str]:
    """A list of versions, suites or algorithms as words: `sha_rsa` of {sha, rsa}. OTP takes suites as one text with colons, too."""
    plain = to_plain(value)
    if isinstance(plain, str):
        return [word for word in plain.split(":") if word]
    return [str(one) if isinstance(one, (str, bool)) else "_".join(map(str, one)) if isinstance(one, list) else "a term" for one in plain or ()]

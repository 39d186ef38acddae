# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Erlang terms: as Python values, as text, and as plain data.

| Erlang | Python | plain data (JSON, YAML) |
| --- | --- | --- |
| integer, float | int, float | number |
| true, false, undefined | `Atom` | true, false, null |
| other atom | `Atom` | string |
| binary | bytes | string where it is printable, else `{"base64": ...}` |
| string | list of int | string where it is printable, else list |
| list | list | list |
| tuple | tuple | list |
| map | `Map` | dictionary where all keys are text, else list of pairs |
| anything else | `Bits`, `Improper`, `Pid`, `Port`, `Reference`, `Fun`, `Export` | its Erlang text |

Text is what file:consult/1 reads. Plain data forgets what Erlang tells apart; text does not, apart from pids, ports, references and funs, which have
no text that Erlang would read. Source: the reference manual's chapter on data types, erl_scan.erl, erl_parse.yrl and io_lib.erl of OTP 27.
"""

from __future__ import annotations

from .parse import MAX_DEPTH, consult, parse, print_file
from .plain import MAX_PLAIN_DEPTH, from_plain, to_plain
from .values import (
    Atom,
    Bits,
    Export,
    Fun,
    Improper,
    Map,
    Pid,
    Port,
    Reference,
    Term,
    TermError,
    atom_text,
    charlist,
    to_text,
)

__all__ = [
    "Atom",
    "Bits",
    "Export",
    "Fun",
    "Improper",
    "MAX_DEPTH",
    "MAX_PLAIN_DEPTH",
    "Map",
    "Pid",
    "Port",
    "Reference",
    "Term",
    "TermError",
    "atom_text",
    "charlist",
    "consult",
    "from_plain",
    "parse",
    "print_file",
    "to_plain",
    "to_text",
]

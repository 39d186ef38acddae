# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Erlang terms to plain data (JSON, YAML) and back, by the table of the package."""

from __future__ import annotations

import base64
import math
from typing import Any

from .values import ESCAPED, Atom, Map, Term, TermError, charlist, is_printable, printable_list, to_text

# Plain data is walked with recursion, by us and by everybody after us.
MAX_PLAIN_DEPTH = 100


def to_plain(term: Term, depth: int = 0) -> Any:
    """A term as data for JSON and YAML, by the table above. What is nested deeper than `MAX_PLAIN_DEPTH` becomes text."""
    kind = term.__class__
    if kind is int or kind is float:
        return term
    if kind is Atom:
        return {"true": True, "false": False, "undefined": None}.get(term.name, term.name)
    if kind is bytes:
        return _plain_binary(term)
    if depth < MAX_PLAIN_DEPTH:
        if kind is list:
            text = printable_list(term)
            return text if text else [to_plain(item, depth + 1) for item in term]
        if kind is tuple:
            return [to_plain(item, depth + 1) for item in term]
        if kind is Map:
            pairs = [(to_plain(key, depth + 1), to_plain(value, depth + 1)) for key, value in term.pairs]
            keys = {key for key, dummy in pairs if isinstance(key, str)}
            if len(keys) == len(pairs):
                return dict(pairs)
            return [list(pair) for pair in pairs]
    return to_text(term)


def _plain_binary(data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if all(is_printable(character) or character in ESCAPED for character in text):
        return text
    return {"base64": base64.b64encode(data).decode("ascii")}


_TEXT_KINDS = ("binary", "string", "atom")


def from_plain(data: Any, *, strings: str = "binary", keys: str = "atom", mappings: str = "map", depth: int = 0) -> Term:
    """Plain data as a term. `strings` and `keys`: binary, string or atom; `mappings`: map or proplist (a list of pairs).

    true, false and null become the atoms true, false and undefined. Raises `TermError` for anything that is no plain data.
    """
    if depth > MAX_PLAIN_DEPTH:
        raise TermError(f"data nested deeper than {MAX_PLAIN_DEPTH}")
    if data is None:
        return Atom("undefined")
    if isinstance(data, bool):
        return Atom("true" if data else "false")
    if isinstance(data, int):
        return int(data)
    if isinstance(data, float):
        if not math.isfinite(data):
            raise TermError(f"Erlang has no float for {data!r}")
        return float(data)
    if isinstance(data, str):
        return _from_str(str(data), strings)
    options: dict[str, Any] = {"strings": strings, "keys": keys, "mappings": mappings, "depth": depth + 1}
    if isinstance(data, (list, tuple)):
        return [from_plain(item, **options) for item in data]
    if isinstance(data, dict):
        pairs = [
            (_from_str(str(key), keys) if isinstance(key, str) else from_plain(key, **options), from_plain(value, **options))
            for key, value in data.items()
        ]
        if mappings == "map":
            return Map(pairs)
        if mappings == "proplist":
            return pairs
        raise TermError(f"mappings is map or proplist, not {mappings}")
    raise TermError(f"{data.__class__.__name__} has no form in Erlang")


def _from_str(text: str, kind: str) -> Term:
    if kind == "binary":
        return text.encode("utf-8")
    if kind == "string":
        return charlist(text)
    if kind == "atom":
        if len(text) > 255:
            raise TermError("an atom has at most 255 characters")
        return Atom(text)
    raise TermError(f"text becomes one of {', '.join(_TEXT_KINDS)}, not {kind}")

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door between a host's JSON and typed values: text that is safe to print, one spelling of addresses, and None for what has another type.

Private to this collection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Callable, TypeVar

LONGEST_TEXT = 255
LONGEST_PATH = 4096
_T = TypeVar("_T")


def safe_text(value: object, longest: int = LONGEST_TEXT) -> str:
    r"""Text of a host that may be printed: a character that is not printable becomes \xNN for each of its bytes (UTF-8). It ends after longest."""
    text = str(value)[:longest]
    if not text.isprintable():
        text = "".join(one if one.isprintable() else "".join(f"\\x{byte:02x}" for byte in one.encode("utf-8", "surrogatepass")) for one in text)
    return text[:longest]


def safe_values(value: Any) -> Any:
    """A value of JSON with safe_text() on every string in it, keys included."""
    if isinstance(value, str):
        return safe_text(value, LONGEST_PATH)
    if isinstance(value, Mapping):
        return {safe_text(key, LONGEST_PATH): safe_values(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [safe_values(one) for one in value]
    return value


def same_address(value: object) -> str:
    """An address in the one spelling in which two tools can be compared; other text as it is."""
    text = str(value)
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return safe_text(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def as_text(value: object) -> str | None:
    return safe_text(value) if isinstance(value, str) else None


def as_path(value: object) -> str | None:
    return safe_text(value, LONGEST_PATH) if isinstance(value, str) else None


def as_int(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_float(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def as_bool(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def as_texts(value: object) -> tuple[str, ...] | None:
    """None where it is no list, or something in it is unknown."""
    if not isinstance(value, (list, tuple)) or None in value:
        return None
    return tuple(safe_text(one, LONGEST_PATH) for one in value)


def as_set(value: object) -> frozenset[str] | None:
    texts = as_texts(value)
    return None if texts is None else frozenset(texts)


def as_mapping(value: object) -> Mapping[str, Any]:
    """An empty one where it is none: each of its parts is unknown."""
    return value if isinstance(value, Mapping) else {}


def each(value: object, make: Callable[[Mapping[str, Any]], _T | None]) -> tuple[_T, ...] | None:
    """One value made of each mapping in a list; None where it is no list, or an entry is nothing of the kind: the rest would say too little."""
    if not isinstance(value, (list, tuple)):
        return None
    made = [make(one) if isinstance(one, Mapping) else None for one in value]
    known = tuple(one for one in made if one is not None)
    return known if len(known) == len(made) else None


def as_ranges(value: object) -> tuple[tuple[int, int], ...] | None:
    if not isinstance(value, (list, tuple)):
        return None
    pairs = [pair for pair in value if isinstance(pair, (list, tuple)) and len(pair) == 2 and all(as_int(end) is not None for end in pair)]
    return tuple((pair[0], pair[1]) for pair in pairs) if len(pairs) == len(value) else None

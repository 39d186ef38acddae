# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of hosts in a report: names, messages and details may be hostile. Each output escapes what its own syntax needs on top of this.

Private to this collection, pure.
"""

from __future__ import annotations

from ..._model.untrusted_json import safe_text

LONGEST = 4000
"""Characters of one text in a report."""

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet takes the full-width forms too."""


def visible(value: object) -> str:
    r"""Text in which every character shows: one that is not printable (control characters, bidirectional overrides, lone surrogates) becomes \xNN.

    It has no line break, no escape sequence of a terminal and no character that XML forbids.
    """
    return safe_text(value, LONGEST)


def cell(value: object) -> str:
    """Text of a cell of a CSV file. A spreadsheet evaluates a cell that starts as a formula does: an apostrophe in front makes it text."""
    text = visible(value)
    return f"'{text}" if text.lstrip(" '").startswith(_FORMULA) else text


def percent(value: object) -> str:
    """Text as one segment of a URI (RFC 3986, 2.1)."""
    return "".join(one if one in _UNRESERVED else "".join(f"%{byte:02X}" for byte in one.encode()) for one in visible(value))

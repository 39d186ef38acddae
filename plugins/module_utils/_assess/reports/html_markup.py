# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML and SVG as values: text is escaped when it becomes part of an element, and only tag() makes markup.

Private to this collection, pure. What it makes is well-formed XML too.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from ..finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, REFUSED, SUCCEEDED, WAIVED
from .safe_text import visible


class Markup(str):
    """Text that is markup already."""


SIGNS = {
    PASSED: "\u2713",
    REFUSED: "\u2713",
    FAILED: "\u2717",
    SUCCEEDED: "\u2717",
    NOT_TESTED: "?",
    WAIVED: "~",
    NOT_APPLICABLE: "\u2013",
}
"""A sign for each status: colour alone tells nothing on paper, or to a reader who does not see it."""

CAPTIONS = {
    PASSED: "passed",
    FAILED: "failed",
    NOT_TESTED: "not tested",
    WAIVED: "waived",
    NOT_APPLICABLE: "not applicable",
    REFUSED: "refused",
    SUCCEEDED: "succeeded",
}

_EMPTY = frozenset({"meta", "br"})


def escaped(value: object) -> Markup:
    return value if isinstance(value, Markup) else Markup(html.escape(visible(value)))


def joined(parts: Iterable[object], separator: str = "") -> Markup:
    return Markup(html.escape(separator).join(map(escaped, parts)))


def tag(element: str, /, *children: object, **attributes: object) -> Markup:
    """An element. An attribute that is None is left out; one that is True has its own name as value; class_ is class, stroke_width stroke-width."""
    given = []
    for key, value in attributes.items():
        if value is not None and value is not False:
            own = key.rstrip("_").replace("_", "-")
            given.append(f' {own}="{escaped(own if value is True else value)}"')
    start = f"<{element}{''.join(given)}"
    return Markup(f"{start}/>" if element in _EMPTY else f"{start}>{joined(children)}</{element}>")


def status(name: str, text: str = "") -> Markup:
    """A status with its sign and its colour."""
    return tag("span", f"{SIGNS[name]} {text or CAPTIONS[name]}", class_=f"status {name}")


def severity(name: str) -> Markup:
    return tag("span", name, class_=f"severity {name}")


def folded(summary: object, *children: object, opened: bool = False) -> Markup:
    """Children that show when the reader opens them."""
    return tag("details", tag("summary", summary), *children, open=opened)


def wide(label: str, *children: object) -> Markup:
    """What may be wider than the page: it scrolls by itself, with the keyboard too."""
    return tag("div", *children, class_="wide", tabindex=0, role="group", aria_label=label)


def grid(label: str, head: Sequence[object], rows: Iterable[Markup], **attributes: object) -> Markup:
    """A table. label: what it shows, for readers who do not see it. rows: of row()."""
    heads = tag("tr", *(tag("th", name, scope="col") for name in head))
    return wide(label, tag("table", tag("thead", heads), Markup("\n"), tag("tbody", joined(rows, "\n")), **attributes))


def row(head: object, *cells: object) -> Markup:
    """A row of a table; its first cell names it. A cell that is no td element becomes one."""
    return tag("tr", tag("th", head, scope="row"), *(one if isinstance(one, Markup) and one.startswith("<td") else tag("td", one) for one in cells))


def section(identity: str, title: str, *children: object) -> Markup:
    return tag(
        "section", Markup("\n"), tag("h2", title, id=f"{identity}-title"), Markup("\n"), *children, id=identity, aria_labelledby=f"{identity}-title"
    )

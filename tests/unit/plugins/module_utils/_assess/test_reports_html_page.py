# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: whole, in order, without script, small, and readable for everybody."""

from __future__ import annotations

import html.parser
import re

import pytest
import verdicts
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import html_page
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.html_style import STYLE

VOID = {"meta", "br"}


class Reader(html.parser.HTMLParser):
    """Collects tags and what they refer to, and checks that they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()
        self.named: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute twice in {tag}"
        self.attributes |= set(given)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.named += [one for name, value in attrs if name == "aria-labelledby" for one in (value or "").split()]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("kind", verdicts.KINDS)
def test_it_is_whole_needs_nothing_and_runs_nothing(kind: str) -> None:
    reader = Reader(html_page.text(verdicts.report(verdicts.KINDS[kind]())))
    assert not reader.open
    assert not {"script", "iframe", "object", "img", "link", "form", "base"} & set(reader.seen)
    assert not [name for name in reader.attributes if name.startswith("on") or name == "style"]
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link.removeprefix("#") for link in reader.links if link.startswith("#")} | set(reader.named) <= set(reader.ids)
    assert all(link.startswith(("#", "https://")) for link in reader.links), "links of references; nothing is loaded"
    assert "url(" not in STYLE and "@import" not in STYLE
    assert reader.seen.count("main") == reader.seen.count("h1") == 1


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("passed", ["days", "cluster", "mesh", "attacks", "controls"]),
        ("failed", ["failed", "not-tested", "waivers", "days", "weaknesses", "cluster", "mesh", "attacks", "controls"]),
        ("untested", ["not-tested", "days", "cluster", "mesh", "attacks", "controls"]),
    ],
)
def test_the_order_is_that_of_the_terminal(kind: str, order: list[str]) -> None:
    text = html_page.text(verdicts.report(verdicts.KINDS[kind]()))
    assert re.findall(r'<section id="([a-z-]+)"', text) == order
    assert re.findall(r'<li><a href="#([a-z-]+)">', text) == order, "the contents name every section"


def test_what_it_says() -> None:
    text = html_page.text(verdicts.report(verdicts.failed()))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "beam@n1 -&gt; beam@n2" in text
    assert "<title>Cluster beam: failed</title>" in text
    assert "Give the VM -proto_dist inet_tls exactly once." in text
    assert "Fixed in 27.3.4.18." in text
    assert "<title>Cluster beam: passed</title>" in html_page.text(verdicts.report(verdicts.passed()))


def test_symptoms_fold_under_their_cause() -> None:
    text = html_page.text(verdicts.report(verdicts.one_lost()))
    failed = text.partition('<section id="failed"')[2].partition("</section>")[0]
    assert failed.count("<article") == 1
    assert re.search(r"<details><summary>\d+ more results follow from this: ", failed)


def test_the_matrix_of_attacks_folds_open() -> None:
    text = html_page.text(verdicts.report(verdicts.passed()))
    attacks = text.partition('<section id="attacks"')[2].partition("</section>")[0]
    assert attacks.count('class="counts"') == attacks.count("<details>") == 14
    assert "\u2713 2/2" in attacks and "\u2713 6 of 6 refused" in attacks


def channels(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def palettes() -> list[dict[str, str]]:
    """Light, dark, and paper on top of light."""
    found = []
    for block in re.findall(r":root \{([^}]*)\}", STYLE):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block))
        found.append({name: colour if len(colour) == 7 else "#" + "".join(one * 2 for one in colour[1:]) for name, colour in colours.items()})
    return found


@pytest.mark.parametrize("at", range(3))
def test_text_has_contrast_on_its_ground(at: int) -> None:
    colours = palettes()[at]
    for text in ("text", "soft", "good", "bad", "warn", "link"):
        for ground in ("ground", "panel", "good-ground", "bad-ground", "warn-ground"):
            low, high = sorted(map(luminance, (colours[text], colours[ground])))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)


def test_the_style_is_whole() -> None:
    assert STYLE.count("{") == STYLE.count("}")
    assert {"prefers-color-scheme: dark", "max-width: 40rem"} <= set(re.findall(r"@media \(([^)]*)\)", STYLE))
    assert "@media print" in STYLE and "size: A4" in STYLE

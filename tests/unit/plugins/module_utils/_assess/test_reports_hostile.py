# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No text of a host breaks out of its place: not in HTML, SVG, XML, CSV, JSON or a terminal."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
import urllib.parse
from collections import Counter
from xml.etree import ElementTree

import pytest
import verdicts
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import terminal
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.formats import FORMATS
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.html_markup import Markup, escaped, tag
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import Report
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.safe_text import cell, percent, visible
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_reports_html_page import Reader

# Text of hosts comes through door.safe_text or from JSON in UTF-8: there is no lone surrogate in it.
ANY = st.text(st.characters(codec="utf-8"), max_size=40)
NASTY = st.sampled_from(
    [
        "<script>",
        "</title>",
        "--><b>",
        "]]>",
        "\"'",
        "' onload='x",
        "&lt;",
        "&#60;",
        "\x1b[2J",
        "\x00",
        "\u202e",
        "\u2028",
        "\r\n",
        "=1+1",
        "-2",
        "@a",
        "+",
    ]
)
TEXT = st.lists(st.one_of(NASTY, ANY), min_size=1, max_size=4).map("".join)


def tags_of(report: Report) -> Counter[str]:
    return Counter(Reader(FORMATS["html"].text(report)).seen)


@functools.lru_cache(maxsize=1)
def known_tags() -> frozenset[str]:
    kinds = ("passed", "failed", "untested", "one_lost", "audited")
    return frozenset(tag for told in (verdicts.hostile("x"), *(verdicts.KINDS[kind]() for kind in kinds)) for tag in tags_of(verdicts.report(told)))


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXT)
def test_no_text_breaks_out(text: str) -> None:
    report = verdicts.report(verdicts.hostile(text))
    texts = {name: form.text(report) for name, form in FORMATS.items()}
    for name, written in texts.items():
        written.encode("utf-8")
        rest = written.replace("\r\n", "\n") if name == "csv" else written
        assert all(one.isprintable() or one == "\n" for one in rest), f"{name}: every character shows"
    Reader(texts["html"])
    svg = re.search(r"<svg .*?</svg>", texts["html"], re.DOTALL)
    assert svg and ElementTree.fromstring(svg.group(0)) is not None
    assert ElementTree.fromstring(texts["xml"].encode()) is not None
    for name in ("json", "sarif", "ocsf"):
        json.loads(texts[name])
    for row in csv.reader(io.StringIO(texts["csv"], newline="")):
        assert len(row) == 12
        assert not [value for value in row if value.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert all(line.text.isprintable() for line in terminal.lines(report))
    assert all(line.isprintable() for line in terminal.failure(report).splitlines())


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXT.filter(lambda text: not set(text) & set(" :\u00a0") and text.isprintable()))
def test_the_elements_of_the_page_do_not_depend_on_the_text(text: str) -> None:
    marked = f"{text}zqz"
    told = verdicts.report(verdicts.hostile(marked))
    assert set(tags_of(told)) <= known_tags()
    assert not set(text) & set("<>&\"") or marked not in FORMATS["html"].text(told)


@given(TEXT)
def test_an_element_holds_its_text(text: str) -> None:
    element = ElementTree.fromstring(tag("p", text, title=text))
    assert element.text == element.get("title") == visible(text) or not visible(text)
    assert len(element) == 0
    assert escaped(Markup(text)) == text, "what is markup already is not escaped twice"


@given(st.one_of(TEXT, st.sampled_from("=+-@").flatmap(lambda sign: ANY.map(lambda rest: sign + rest))))
def test_no_cell_is_a_formula(text: str) -> None:
    told = cell(text)
    assert told.isprintable()
    assert not told.lstrip(" ").startswith(("=", "+", "-", "@"))
    assert told.removeprefix("'") in (visible(text), visible(text).removeprefix("'"))


@given(TEXT)
def test_a_segment_of_a_uri_is_one(text: str) -> None:
    assert percent(text) == urllib.parse.quote(visible(text), safe="")


@pytest.mark.parametrize(
    ("text", "shown"), [("a\x1b[31mb", "a\\x1b[31mb"), ("a\u202eb", "a\\xe2\\x80\\xaeb"), ("\ud800", "\\xed\\xa0\\x80"), ("caf\u00e9", "caf\u00e9")]
)
def test_what_does_not_print_shows(text: str, shown: str) -> None:
    assert visible(text) == shown

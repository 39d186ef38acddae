# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Erlang terms as text and as plain data."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils import _term as t
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, os.path.dirname(__file__))
from erlang_terms import literal_terms, terms  # noqa: E402

TEXTS = [
    ("{a, \"b\\n\", <<\"c\">>, [1,2|3], #{k=>1, 1.0=>2, 1=>3}}", "{a,\"b\\n\",<<\"c\">>,[1,2|3],#{1 => 3,1.0 => 2,k => 1}}"),
    ("[]", "[]"), ("{}", "{}"), ("#{}", "#{}"), ("\"\"", "[]"), ("<<>>", "<<>>"), ("''", "''"),
    ("-16#FF", "-255"), ("+1", "1"), ("1_000", "1000"), ("2#101", "5"), ("36#zZ", "1295"),
    ("$a", "97"), ("$\\n", "\"\\n\""), ("$\\s", "\" \""), ("$ ", "\" \""), ("$\\x{4e16}", "\"\u4e16\""), ("$\\^a", "1"), ("$\\101", "65"),
    ("1.5e3", "1500.0"), ("1.0e22", "1.0e+22"), ("-0.0", "-0.0"), ("5.0e-324", "5.0e-324"),
    ("'Foo bar'", "'Foo bar'"), ("'and'", "'and'"), ("'it\\'s'", "'it\\'s'"), ("foo@bar_1", "foo@bar_1"), ("\u00e9t\u00e9", "\u00e9t\u00e9"),
    ("fun lists:map/2", "fun lists:map/2"), ("fun 'Elixir.A':'b?'/0", "fun 'Elixir.A':'b?'/0"),
    ("<<1,2,5:3>>", "<<1,2,5:3>>"), ("<<\"\u00e9\"/utf8>>", "<<\"\u00e9\"/utf8>>"), ("<<\"\u00e9\">>", "<<233>>"), ("<<1:16/little>>", "<<1,0>>"),
    ("<<-1:4,0:4>>", "<<240>>"), ("<<1.5/float>>", "<<63,248,0,0,0,0,0,0>>"), ("<<\"ab\":16>>", "<<0,97,0,98>>"), ("<<$a/utf16>>", "<<0,97>>"),
    ("\"a\" \"b\"\n\"c\"", "\"abc\""), ("~\"x\\n\"", "<<\"x\\n\">>"), ("~S\"x\\n\"", "\"x\\\\n\""), ("~b\"\u00e9\"", "<<\"\u00e9\"/utf8>>"),
    ("\"\"\"\n  a\n    b\\n\n  \"\"\"", "\"a\\n  b\\\\n\""), ("% why\n{a} % because", "{a}"), ("[[1,[2]],{x,{y}}].", "[[1,[2]],{x,{y}}]"),
    ("[1|[2|[3]]]", "[1,2,3]"), ("#{a => 1, a => 2}", "#{a => 2}"),
]


# \x01 and others below the space that have no escape of their own are not shown as text by Erlang.
@pytest.mark.parametrize("text, written", TEXTS)
def test_texts(text: Any, written: Any) -> None:
    term = t.parse(text)
    if written == "1" and text != "+1":
        assert term == 1
    elif text.startswith("$") and not written.startswith('"'):
        assert term == int(written)
    elif text.startswith("$"):
        assert t.to_text([term]) == written
    else:
        assert t.to_text(term) == written
        assert t.parse(written) == term


@pytest.mark.parametrize("text, problem", [
    ("", "line 1, column 1: the text ends where a term is expected"), ("{a", "line 1, column 3: } expected"),
    ("[1,]", "line 1, column 4: a term expected"),
    ("{a,\n  foo bar}", "line 2, column 7: } expected"), ("Foo", "line 1, column 1: not Erlang: Foo"),
    ("{a}.b", "line 1, column 5: nothing may follow"),
    ("and", "line 1, column 1: and is a reserved word"), ("[1|2,3]", "line 1, column 5: ] expected"), ("#{a=>}", "line 1, column 6: a term expected"),
    ("fun() -> ok end", "line 1, column 4: a term expected"), ("#Pid<a.1.2>", "not Erlang"), ("'\\x{110000}'", "no character has the number 110000"),
    ("'\\xZZ'", "\\x without digits"), ("1.0e999", "out of range"), ("37#1", "a base is from 2 to 36"), ("2#3", "no number to base 2"),
    ("<<1:9999999>>", "size is a number up to"), ("<<a>>", "a segment is a number or a string"), ("<<1/wrong>>", "type that is not known"),
    ("<<1.5>>", "type float"), ("- a", "a number expected"), ("~x\"a\"", "sigil of that kind"), ("\"\"\"\na", "without end"),
    ("'" + "x" * 256 + "'", "255"),
    ("9" * 5000, "a number of 5000 digits"), ("fun a:b/256", "an arity is from 0 to 255"), ("fun 1:b/2", "only fun Module:Function/Arity"),
    ("[" * 2000, "nested deeper"), ("\"a", "not Erlang"), ("<<1", ">> expected"),
])
def test_what_is_no_term(text: Any, problem: Any) -> None:
    with pytest.raises(t.TermError) as error:
        t.parse(text)
    assert problem in str(error.value)


def test_files() -> None:
    assert t.consult("% header\n{a, 1}.\n\n[b].\n") == [(t.Atom("a"), 1), [t.Atom("b")]]
    assert t.consult("") == []
    assert t.print_file([(t.Atom("a"), 1), [t.Atom("b")]]) == "{a,1}.\n[b].\n"
    with pytest.raises(t.TermError, match="line 2, column 1: . expected"):
        t.consult("{a}\n{b}.")


@settings(max_examples=int(os.environ.get("BEAM_EXAMPLES", "300")), deadline=None, suppress_health_check=list(HealthCheck))
@given(literal_terms)
def test_round_trip(term: Any) -> None:
    text = t.to_text(term)
    assert t.parse(text) == term
    assert t.to_text(t.parse(text)) == text
    assert t.consult(t.print_file([term])) == [term]


@settings(deadline=None)
@given(terms)
def test_everything_has_a_text_and_plain_data(term: Any) -> None:
    assert t.to_text(term)
    t.to_plain(term)


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="[]{}()<>#=|,.:/'\"\\~$%ab1e-+_ \nfun\u00e9", max_size=40))
def test_nothing_else_is_raised(text: Any) -> None:
    for read in (t.parse, t.consult):
        try:
            read(text)
        except t.TermError:
            pass


def test_printing_does_not_recurse() -> None:
    term: Any = []
    for _step in range(20_000):
        term = (term,)
    assert t.to_text(term) == "{" * 20_000 + "[]" + "}" * 20_000


@pytest.mark.parametrize("text, plain", [
    ("{ok, [1, 2.5, \"text\", <<\"bin\">>, true, undefined, other]}", ["ok", [1, 2.5, "text", "bin", True, None, "other"]]),
    ("#{a => 1, <<\"b\">> => #{}}", {"a": 1, "b": {}}), ("#{1 => a}", [[1, "a"]]), ("#{a => 1, <<\"a\">> => 2}", [["a", 1], ["a", 2]]),
    ("<<255>>", {"base64": "/w=="}), ("<<1:3>>", "<<1:3>>"), ("[1|2]", "[1|2]"), ("fun a:b/1", "fun a:b/1"), ("[]", []), ("[1,2]", [1, 2]),
    ("#{true => 1}", [[True, 1]]),
])
def test_plain_data(text: Any, plain: Any) -> None:
    assert t.to_plain(t.parse(text)) == plain


def test_deep_terms_become_text_in_plain_data() -> None:
    term: Any = 1
    for _step in range(500):
        term = [term]
    plain = t.to_plain(term)
    for _step in range(t.MAX_PLAIN_DEPTH):
        (plain,) = plain
    assert plain == "[" * 400 + "1" + "]" * 400


@pytest.mark.parametrize("data, options, text", [
    ({"port": 5672, "user": "guest"}, {"strings": "string", "mappings": "proplist"}, "[{port,5672},{user,\"guest\"}]"),
    ({"a": ["x", True, None, 1.5]}, {}, "#{a => [<<\"x\">>,true,undefined,1.5]}"),
    (["tlsv1.3"], {"strings": "atom"}, "['tlsv1.3']"), ({"a": 1}, {"keys": "binary"}, "#{<<\"a\">> => 1}"), ({1: 2}, {}, "#{1 => 2}"),
])
def test_from_plain_data(data: Any, options: Any, text: Any) -> None:
    assert t.to_text(t.from_plain(data, **options)) == text


def test_data_that_has_no_form() -> None:
    deep: list[Any] = []
    for _step in range(200):
        deep = [deep]
    for data in (object(), float("nan"), {"a": {1, 2}}, deep):
        with pytest.raises(t.TermError):
            t.from_plain(data)
    for options in ({"strings": "x"}, {"mappings": "x"}):
        with pytest.raises(t.TermError):
            t.from_plain({"a": "b"}, **options)  # type: ignore[arg-type]
    with pytest.raises(t.TermError):
        t.from_plain("x" * 256, strings="atom")
    with pytest.raises(t.TermError):
        t.to_text("a str")


def test_huge_integers_have_a_text() -> None:
    number = 7 ** 20_000
    assert t.parse(t.to_text(number)) == number
    assert t.parse(t.to_text(-number)) == -number

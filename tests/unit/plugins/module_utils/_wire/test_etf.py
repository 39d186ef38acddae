# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The external term format: bytes of a real node, round trips, and what a hostile peer may try."""

from __future__ import annotations

import os
import struct
import sys
import tracemalloc
import zlib
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils import _term as t
from ansible_collections.beam.cluster.plugins.module_utils._wire import etf
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import EncodeError, ProtocolError, TooLarge, WireError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from erlang_terms import terms  # noqa: E402

# term_to_binary(Term, [{minor_version, 2}]) of OTP 25.
REAL = [
    ("0", "836100"),
    ("255", "8361ff"),
    ("256", "836200000100"),
    ("-1", "8362ffffffff"),
    ("2147483647", "83627fffffff"),
    ("-2147483648", "836280000000"),
    ("2147483648", "836e040000000080"),
    ("-1180591620717411303424", "836e0901000000000000000040"),
    ("1.5", "83463ff8000000000000"),
    ("-0.0", "83468000000000000000"),
    ("a", "83770161"),
    ("''", "837700"),
    ("'\\x{e9}'", "837702c3a9"),
    ("'\\x{4e16}'", "837703e4b896"),
    ("[]", "836a"),
    ("\"abc\"", "836b0003616263"),
    ("[1,300]", "836c000000026101620000012c6a"),
    ("[a|b]", "836c00000001770161770162"),
    ("{}", "836800"),
    ("{1,{2}}", "836802610168016102"),
    ("#{}", "837400000000"),
    ("#{a => 1}", "8374000000017701616101"),
    ("<<>>", "836d00000000"),
    ("<<1,2>>", "836d000000020102"),
    ("<<1,5:3>>", "834d000000020301a0"),
    ("fun lists:map/2", "837177056c6973747377036d61706102"),
]

# What nodes may send and we never do: Latin-1 atoms, text floats, ports of four bytes.
OTHERS = [
    ("8364000161", t.Atom("a")),
    ("8373 01e9", t.Atom("\u00e9")),
    ("8376 0001 61", t.Atom("a")),
    ("8363" + b"1.50000000000000000000e+00".ljust(31, b"\0").hex(), 1.5),
    ("8359 770161 00000007 00000002", t.Port(t.Atom("a"), 7, 2)),
    ("8378 770161 0000000100000007 00000002", t.Port(t.Atom("a"), 2 ** 32 + 7, 2)),
    ("8358 770161 00000007 00000008 00000002", t.Pid(t.Atom("a"), 7, 8, 2)),
    ("835a 0003 770161 00000002 00000001 00000002 00000003", t.Reference(t.Atom("a"), 2, (1, 2, 3))),
    ("836c 00000001 6101 6c 00000001 6102 6a", [1, 2]),
    ("836c 00000001 6101 6c 00000001 6102 6103", t.Improper((1, 2), 3)),
    ("836c 00000000 6a", []),
    ("836b 0002 6162", [97, 98]),
    ("834d 00000001 08 ff", b"\xff"),
    ("834d 00000001 03 ff", t.Bits(b"\xe0", 3)),
    ("8369 00000001 6101", (1,)),
    ("836f 00000001 01 05", -5),
]


def unhex(text: Any) -> Any:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize("text, data", REAL)
def test_bytes_of_a_real_node(text: Any, data: Any) -> None:
    term = t.parse(text)
    assert etf.decode(unhex(data)) == term
    # Atoms come out as UTF-8, as every release since 26 writes them.
    assert etf.decode(etf.encode(term)) == term
    if "64" != data[2:4]:
        assert etf.encode(term).hex() == data


@pytest.mark.parametrize("data, term", OTHERS)
def test_what_only_comes_in(data: Any, term: Any) -> None:
    decoded = etf.decode(unhex(data))
    assert decoded == term and decoded.__class__ is term.__class__


@pytest.mark.parametrize("data", [unhex(data) for _text, data in REAL] + [unhex(data) for data, _term in OTHERS])
def test_cut_and_too_long(data: Any) -> None:
    for cut in range(len(data)):
        with pytest.raises(WireError):
            etf.decode(data[:cut])
    with pytest.raises(ProtocolError):
        etf.decode(data + b"j")


@settings(max_examples=int(os.environ.get("BEAM_EXAMPLES", "300")), deadline=None, suppress_health_check=list(HealthCheck))
@given(terms)
def test_round_trip(term: Any) -> None:
    data = etf.encode(term)
    assert data == etf.encode(etf.decode(data))
    assert etf.decode(data) == term


@settings(deadline=None)
@given(terms)
def test_round_trip_compressed(term: Any) -> None:
    plain = etf.encode(term)[1:]
    data = b"\x83P" + len(plain).to_bytes(4, "big") + zlib.compress(plain)
    assert etf.decode(data) == term
    with pytest.raises(ProtocolError):
        etf.decode(b"\x83P" + (len(plain) + 1).to_bytes(4, "big") + zlib.compress(plain))


def test_values_keep_their_differences() -> None:
    assert t.Atom("1") != "1" and t.Map([(1, 2)]) != t.Map([(1.0, 2)])
    assert etf.encode(1) != etf.encode(1.0)
    assert etf.decode(etf.encode(t.Map([(1, t.Atom("a")), (1.0, t.Atom("b"))]))).get(1.0) == t.Atom("b")
    assert t.Map([(1, 2), (3, 4)]) == t.Map([(3, 4), (1, 2)])
    assert t.Pid(t.Atom("a"), 1, 2, 3) != (t.Atom("a"), 1, 2, 3)


@pytest.mark.parametrize("value", ["text", True, None, {}, set(), float("nan"), float("inf"), t.Atom("x" * 256), t.Bits(b"", 3), t.Improper((), 1)])
def test_what_is_no_term(value: Any) -> None:
    with pytest.raises(EncodeError):
        etf.encode(value)


def announced(tag: Any, layout: Any = ">I") -> Any:
    """A term of a few bytes that announces four billion of them."""
    return bytes((131, tag)) + struct.pack(layout, 0xFFFFFFFF)


@pytest.mark.parametrize("data", [
    announced(tag) + bytes(20) for tag in (105, 108, 109, 111, 116, 77, 112, 80)
] + [announced(80) + zlib.compress(bytes(10 ** 7)), unhex("836bffff61"), unhex("836fffffffff00") + bytes(100), unhex("835affff") + bytes(100)])
def test_announced_lengths_cost_nothing(data: Any) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            etf.decode(data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_is_not_unpacked() -> None:
    bomb = zlib.compress(b"m" + (10 ** 7).to_bytes(4, "big") + bytes(10 ** 7))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            etf.decode(b"\x83P" + (10 ** 7 + 5).to_bytes(4, "big") + bomb, etf.Limits(size=100_000))
        with pytest.raises(ProtocolError):
            etf.decode(b"\x83P" + (1000).to_bytes(4, "big") + bomb, etf.Limits(size=100_000))
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("opening", [b"h\x01", b"l\x00\x00\x00\x01", b"t\x00\x00\x00\x01a\x01"])
def test_depth_is_capped_without_recursion(opening: Any) -> None:
    with pytest.raises(TooLarge, match="deeper than 1024"):
        etf.decode(b"\x83" + opening * 100_000 + b"j" * 100_001)


def test_the_number_of_terms_is_capped() -> None:
    with pytest.raises(TooLarge, match="more than 1000"):
        etf.decode(b"\x83l\x00\x00\x07\xd0" + b"j" * 2001, etf.Limits(terms=1000))
    with pytest.raises(TooLarge):
        etf.decode(b"\x83h\x64" + b"h\x64" * 100 + b"j" * 20000, etf.Limits(terms=1000))


def test_encoding_does_not_recurse() -> None:
    term: Any = []
    for _step in range(100_000):
        term = (term,)
    assert len(etf.encode(term)) == 200_002


@pytest.mark.parametrize("data", [
    "8352 00", "8365", "8366", "8367", "8372", "8375", "8379", "83ff", "8200", "", "83", "8346 7ff8000000000000", "8346 7ff0000000000000",
    "834d 00000000 01", "834d 00000001 09 ff", "835a 0000 770161 00000001", "835a 0006 770161" + "00" * 40, "8377 01 ff", "8363" + "41" * 31,
    "8363" + b"nan".ljust(31, b"\0").hex(), "8358 6101", "8371 770161 770162 6101 00", "8371 770161 770162 770163",
])
def test_what_is_not_taken(data: Any) -> None:
    with pytest.raises(ProtocolError):
        etf.decode(unhex(data))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=80))
def test_nothing_else_is_raised(data: Any) -> None:
    try:
        etf.decode(b"\x83" + data)
    except WireError:
        pass


def test_huge_integers_are_refused() -> None:
    with pytest.raises(TooLarge):
        etf.decode(b"\x83o" + (100_000).to_bytes(4, "big") + b"\0" + bytes(100_000))

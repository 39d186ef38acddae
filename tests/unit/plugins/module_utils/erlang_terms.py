# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strategies for Erlang terms, shared by the tests of the term format and of text."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any

from ansible_collections.beam.cluster.plugins.module_utils import _term as t
from hypothesis import strategies as st

names = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
atoms = st.builds(t.Atom, names)
words = st.integers(0, 2 ** 32 - 1)
integers = st.one_of(
    st.integers(-300, 300), st.integers(-2 ** 40, 2 ** 40), st.integers(-2 ** 2100, 2 ** 2100),
    st.sampled_from([sign * (1 << bits) + step for bits in (8, 31, 32, 63, 64, 2040) for sign in (1, -1) for step in (-1, 0, 1)]),
)
floats = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def bit_strings(draw: Any) -> Any:
    """A bit string with a broken last byte, whose unused bits are clear."""
    bits = draw(st.integers(1, 7))
    return t.Bits(draw(st.binary(max_size=20)) + bytes((draw(st.integers(0, 2 ** bits - 1)) << (8 - bits),)), bits)


literals = st.one_of(
    atoms, integers, floats, st.binary(max_size=60), bit_strings(), st.builds(t.Export, atoms, atoms, st.integers(0, 255)),
    st.just([]), st.just(()), st.just(t.Map()), names.map(t.charlist),
)
pids = st.builds(t.Pid, atoms, words, words, words)


def identifiers_of(pid_bits: Any, port_bits: Any, reference_words: Any) -> Any:
    """Pids, ports and references."""
    numbers = st.integers(0, 2 ** pid_bits - 1)
    return st.one_of(
        st.builds(t.Pid, atoms, numbers, numbers, words), st.builds(t.Port, atoms, st.integers(0, 2 ** port_bits - 1), words),
        st.builds(t.Reference, atoms, words, st.lists(words, min_size=1, max_size=reference_words).map(tuple)),
    )


identifiers = identifiers_of(32, 64, 5)


def nested(children: Any) -> Any:
    """Terms made of terms."""
    return st.one_of(
        st.lists(children, max_size=6), st.lists(children, max_size=6).map(tuple),
        st.builds(improper, st.lists(children, min_size=1, max_size=4), children),
        st.lists(st.tuples(children, children), max_size=5).map(unique).map(t.Map),
    )


def improper(head: Any, tail: Any) -> Any:
    """[Head | Tail], which is a proper list where the tail is a list."""
    if isinstance(tail, list):
        return head + tail
    if isinstance(tail, t.Improper):
        return t.Improper(tuple(head) + tail.head, tail.tail)
    return t.Improper(tuple(head), tail)


def unique(pairs: Any) -> Any:
    """Pairs whose keys differ as Erlang tells keys apart: up to OTP 26 the two zeros are one, and words that a reference lacks are zeros."""
    return list({re.sub(r"(\.0)+>", ">", t.to_text(key).replace("-0.0", "0.0")): (key, value) for key, value in pairs}.values())


small = st.integers(-2 ** 31, 2 ** 31 - 1)
funs = st.builds(
    t.Fun, st.integers(0, 255), st.binary(min_size=16, max_size=16), words, atoms, small, small, pids, st.lists(literals, max_size=3).map(tuple),
)
literal_terms = st.recursive(literals, nested, max_leaves=25)
terms = st.recursive(st.one_of(literals, identifiers, funs), nested, max_leaves=25)

# --- What a node keeps as it is ---

# From OTP 27 on, a node does not keep which process made a fun, and says this one of all.
NOBODY = t.Pid(t.Atom("nonode@nohost"), 0, 0, 0)


def one_of_a_kind(fun: Any) -> Any:
    """To a node, funs of the same module, index and digest are the same code; up to OTP 24 it looks at the old index and the old digest.

    So no two funs that have those in common may differ in anything else.
    """
    mark = hashlib.md5(repr((fun.module, fun.old_index, fun.old_unique)).encode("utf-8", "surrogatepass")).digest()
    return replace(fun, arity=mark[0], slot=int.from_bytes(mark[1:3], "big"), unique=mark, pid=NOBODY)


def kept_terms(release: Any) -> Any:
    """Terms that a node of that release takes. Long pids, ports and references came with OTP 24."""
    own = identifiers_of(13, 28, 3) if release < 24 else identifiers
    return st.recursive(st.one_of(literals, own, funs.map(one_of_a_kind)), nested, max_leaves=25)

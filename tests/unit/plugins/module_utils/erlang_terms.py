# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strategies for Erlang terms, shared by the tests of the term format and of text."""

from __future__ import annotations

from ansible_collections.beam.cluster.plugins.module_utils import _term as t
from hypothesis import strategies as st

names = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
atoms = st.builds(t.Atom, names)
words = st.integers(0, 2 ** 32 - 1)
integers = st.one_of(
    st.integers(-300, 300), st.integers(-2 ** 40, 2 ** 40), st.integers(-2 ** 2100, 2 ** 2100),
    st.sampled_from([sign * (1 << bits) + step for bits in (8, 31, 32, 63, 64, 2040) for sign in (1, -1) for step in (-1, 0, 1)]),
)
floats = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def bit_strings(draw):
    """A bit string with a broken last byte, whose unused bits are clear."""
    bits = draw(st.integers(1, 7))
    return t.Bits(draw(st.binary(max_size=20)) + bytes((draw(st.integers(0, 2 ** bits - 1)) << (8 - bits),)), bits)


literals = st.one_of(
    atoms, integers, floats, st.binary(max_size=60), bit_strings(), st.builds(t.Export, atoms, atoms, st.integers(0, 255)),
    st.just([]), st.just(()), st.just(t.Map()), names.map(t.charlist),
)
pids = st.builds(t.Pid, atoms, words, words, words)
identifiers = st.one_of(
    pids, st.builds(t.Port, atoms, st.integers(0, 2 ** 64 - 1), words),
    st.builds(t.Reference, atoms, words, st.lists(words, min_size=1, max_size=5).map(tuple)),
)


def nested(children):
    """Terms made of terms."""
    return st.one_of(
        st.lists(children, max_size=6), st.lists(children, max_size=6).map(tuple),
        st.builds(improper, st.lists(children, min_size=1, max_size=4), children),
        st.lists(st.tuples(children, children), max_size=5).map(unique).map(t.Map),
    )


def improper(head, tail):
    """[Head | Tail], which is a proper list where the tail is a list."""
    if isinstance(tail, list):
        return head + tail
    if isinstance(tail, t.Improper):
        return t.Improper(tuple(head) + tail.head, tail.tail)
    return t.Improper(tuple(head), tail)


def unique(pairs):
    """Pairs whose keys differ as Erlang tells keys apart."""
    return list({t.to_text(key): (key, value) for key, value in pairs}.values())


small = st.integers(-2 ** 31, 2 ** 31 - 1)
funs = st.builds(
    t.Fun, st.integers(0, 255), st.binary(min_size=16, max_size=16), words, atoms, small, small, pids, st.lists(literals, max_size=3).map(tuple),
)
literal_terms = st.recursive(literals, nested, max_leaves=25)
terms = st.recursive(st.one_of(literals, identifiers, funs), nested, max_leaves=25)

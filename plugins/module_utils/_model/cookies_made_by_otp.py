# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Erlang/OTP made a cookie: an exact proof, not a guess by its shape.

Private to this collection. A node that finds no cookie file writes one with 20 letters (`auth:create_cookie/1`, lib/kernel/src/auth.erl, OTP 23 to
29). They come from a linear congruential generator of 36 bits, X' = X * 17059465 + 1 modulo 2^36, one letter for each step: floor(X * 26 / 2^36),
the last one first. So there are 2^36 such cookies, and whoever knows when the file was written has far fewer to try.

Each letter bounds its state to 1/26 of the modulus. Ten consecutive states X1..X10 fulfil ten independent relations with small coefficients,
RELATIONS (a reduced basis of the lattice dual to the generator's), each of them modulo 2^36: sum(y[i] * X[i]) = sum(y[i] * C[i]), where C are the
states that follow from 0. Their bounds leave one or two values for each sum, of which FIRST computes X1. Replaying the generator from X1 proves it.
"""

from __future__ import annotations

import itertools

MULTIPLIER, INCREMENT, MODULUS = 17059465, 1, 1 << 36
LETTERS, LENGTH = 26, 20
RELATIONS = (
    (-1, -3, -5, 1, 7, 4, -2, 1, 0, 6),
    (4, -1, 1, 4, -8, 2, 2, 8, 0, -4),
    (1, -1, 8, 5, 2, 5, -5, 1, 2, -2),
    (0, -1, 2, -10, 5, -7, 2, 3, -4, 2),
    (2, -4, 7, 6, 7, 0, 5, 1, 1, 7),
    (6, -7, 1, -3, -2, 7, 3, -1, -3, 7),
    (-1, 8, 1, -4, -5, 8, 3, 4, -5, -1),
    (-2, 0, 5, -3, 4, -7, -7, 2, 11, 5),
    (-6, -7, 4, 2, 4, 1, 3, 2, 11, 2),
    (3, 5, -1, -3, 2, 1, 5, 6, 7, -9),
)
FIRST = (-509176566, 316143562, 219119576, -1425800810, 1739720907, 3798976813, -2800595611, 1778758482, -5048429836, 3639881997)


def letters_of(state: int) -> list[int]:
    """The letters (0 to 25) that the generator makes, its first state included."""
    found = []
    for _step in range(LENGTH):
        found.append(state * LETTERS // MODULUS)
        state = (state * MULTIPLIER + INCREMENT) % MODULUS
    return found


def _sums(relation: tuple[int, ...], letters: list[int]) -> range:
    """The values that a relation's sum can have, given the bounds that the letters are for their states."""
    low = high = shift = state = 0
    for factor, letter in zip(relation, letters):
        first, last = -(-letter * MODULUS // LETTERS), -(-(letter + 1) * MODULUS // LETTERS) - 1
        low += factor * (first if factor > 0 else last)
        high += factor * (last if factor > 0 else first)
        shift += factor * state
        state = (state * MULTIPLIER + INCREMENT) % MODULUS
    return range(low + (shift - low) % MODULUS, high + 1, MODULUS)


def made_by_otp(cookie: str) -> bool:
    """Whether auth.erl's generator makes this cookie. Of random words of 20 letters one in 10^17 is one of its own."""
    if len(cookie) != LENGTH or not all("A" <= letter <= "Z" for letter in cookie):
        return False
    letters = [ord(letter) - ord("A") for letter in reversed(cookie)]
    for sums in itertools.product(*(_sums(relation, letters) for relation in RELATIONS)):
        state, rest = divmod(sum(factor * value for factor, value in zip(FIRST, sums)), MODULUS)
        if not rest and 0 <= state < MODULUS and letters_of(state) == letters:
            return True
    return False

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cookies of Erlang's own generator are recognised, all of them, and no others of the same shape."""

from __future__ import annotations

import secrets
import shutil
import string
import subprocess
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model import cookies_made_by_otp, published_cookies, secret_rules

MODULUS = cookies_made_by_otp.MODULUS
# auth:init/1 writes a cookie file where there is none: a new one each time, in one VM.
MAKE = """
{ok, [[Home]]} = init:get_argument(home), File = Home ++ "/.erlang.cookie",
[begin file:delete(File), auth:init([]), {ok, Cookie} = file:read_file(File), io:format("~s~n", [Cookie]) end || _ <- lists:seq(1, 1000)], halt().
"""


def cookie_from(seed: int) -> str:
    """As auth.erl makes it."""
    state = (seed * cookies_made_by_otp.MULTIPLIER + cookies_made_by_otp.INCREMENT) % MODULUS
    return "".join(string.ascii_uppercase[letter] for letter in reversed(cookies_made_by_otp.letters_of(state)))


def test_the_numbers_of_the_proof() -> None:
    """Each relation holds for every run of the generator, and FIRST solves them for the first state."""
    powers = [pow(cookies_made_by_otp.MULTIPLIER, step, MODULUS) for step in range(len(cookies_made_by_otp.RELATIONS))]
    for relation in cookies_made_by_otp.RELATIONS:
        assert sum(factor * power for factor, power in zip(relation, powers)) % MODULUS == 0
    pairs = list(zip(cookies_made_by_otp.FIRST, cookies_made_by_otp.RELATIONS))
    solved = [sum(first * relation[at] for first, relation in pairs) for at in range(len(powers))]
    assert solved == [MODULUS] + [0] * (len(powers) - 1)


def test_every_seed() -> None:
    for seed in (0, 1, MODULUS - 1, MODULUS // 26, MODULUS // 2, *(secrets.randbelow(MODULUS) for _each in range(200))):
        assert cookies_made_by_otp.made_by_otp(cookie_from(seed)), seed


def test_a_thousand_random_words_of_the_same_shape() -> None:
    words = ["".join(secrets.choice(string.ascii_uppercase) for _each in range(20)) for _attempt in range(1000)]
    assert not any(map(cookies_made_by_otp.made_by_otp, words))


def test_one_letter_off_or_the_other_way_round() -> None:
    cookie = cookie_from(271828182845)
    assert not cookies_made_by_otp.made_by_otp(cookie[::-1])
    for at, letter in enumerate(cookie):
        other = "B" if letter == "A" else "A"
        assert not cookies_made_by_otp.made_by_otp(cookie[:at] + other + cookie[at + 1 :])


@pytest.mark.parametrize("value", ["", "A", "A" * 19, "A" * 21, "a" * 20, "\u0410" * 20])
def test_other_shapes(value: str) -> None:
    assert not cookies_made_by_otp.made_by_otp(value)


@pytest.mark.skipif(shutil.which("erl") is None, reason="the real generator is the other opinion")
def test_a_thousand_cookies_of_the_real_erl(tmp_path: Path) -> None:
    done = subprocess.run(
        ["erl", "-noinput", "-boot", "start_clean", "-eval", MAKE],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    cookies = done.stdout.split()
    assert len(set(cookies)) == 1000
    assert all(map(cookies_made_by_otp.made_by_otp, cookies))
    assert all(secret_rules.GENERATED in secret_rules.weaknesses(cookie) for cookie in cookies)


@pytest.mark.parametrize("value", ["ClueCon", "588a30cfed89e04a2f1f6f3a8d63f94e", "thisisaninsecurecookieforeuler_defineyourown"])
def test_published_cookies(value: str) -> None:
    assert published_cookies.is_leaked(value.encode())
    assert [rule for rule, _message in secret_rules.cookie_errors(value)] == ["cookie_known"]


def test_a_cookie_of_otp_is_refused_by_the_plan() -> None:
    assert [rule for rule, _message in secret_rules.cookie_errors(cookie_from(42))] == ["cookie_generated"]

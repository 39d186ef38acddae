# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the two secrets. Nothing in here ever repeats one: messages speak of lengths and of characters in general.

Private to this collection.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re

from .cookies_made_by_otp import made_by_otp
from .published_cookies import is_known, is_leaked

SHORTEST = 32
LONGEST = 255
"""The cookie becomes an atom."""
SHORTEST_PASSPHRASE = 12
LONGEST_PASSPHRASE = 1023
"""Bytes."""
FEWEST_DIFFERENT = 7
"""One random word of 39 digits in two million has fewer."""
ENTROPY_MIN = 128
"""Bits, see entropy()."""

SHORTEST_NEEDLE = 12
"""Characters: a shorter cookie (beam) is in files and arguments by chance, as a word."""

PUBLISHED, GENERATED, GUESSABLE = "published", "generated", "guessable"

_FILE = re.compile(rb"([\x20-\x7e]{1,255})(?:[\r\n][\r\n ]*)?")
# Erlang's cookie file takes 0x20 to 0x7e; shells, wrappers and products that pass the cookie on take less. A leading - looks like a flag.
_ALLOWED = re.compile(r"[A-Za-z0-9_+/=.][A-Za-z0-9_+/=.-]*")

# Smallest first: a word counts for no more than the smallest alphabet that has all of its characters.
_ALPHABETS = tuple(
    (size, re.compile(f"[{characters}]*"))
    for size, characters in (
        (10, "0-9"), (16, "0-9a-f"), (16, "0-9A-F"), (26, "a-z"), (26, "A-Z"), (36, "0-9a-z"), (36, "0-9A-Z"), (52, "A-Za-z"), (62, "0-9A-Za-z"),
        (64, "0-9A-Za-z+/"), (64, "0-9A-Za-z_-"),
    )
)

FIX_COOKIE = "vault a fresh one without a line break, for example from: openssl rand -hex 32 | tr -d '\\n'."
FIX_PASSPHRASE = "vault a fresh one without a line break, for example from: openssl rand -base64 24 | tr -d '\\n', before the CA is made."


def mark(cookie: str, key: str) -> str:
    """A hash of a cookie under a random key of the run: equal marks are equal cookies, and of no use to anybody afterwards."""
    return hmac.new(key.encode(), cookie.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def in_file(data: bytes) -> bytes | None:
    """The cookie in the bytes of a cookie file, None where the node would not take it.

    As `auth:check_cookie/2` reads it (lib/kernel/src/auth.erl, OTP 23 to 29): everything printable up to the first line break, spaces
    included; behind that, line breaks and spaces only.
    """
    found = _FILE.fullmatch(data)
    return found.group(1) if found else None


def _period(value: str) -> int:
    """The length of the piece that a word repeats; its own length where it repeats none at least twice."""
    return next((size for size in range(1, len(value) // 2 + 1) if value[size:] == value[:-size]), len(value))


def entropy(value: str) -> float:
    """Bits of a word, if each of its characters was drawn at random from the smallest usual alphabet that has them all: an upper bound.

    A piece that is repeated counts once. Words of few different characters, and those that run through an alphabet, were not drawn: 0.
    """
    word = value.rstrip("=")
    steps = sum(abs(ord(one) - ord(next_one)) <= 1 for one, next_one in zip(word, word[1:]))
    if len(set(word)) < FEWEST_DIFFERENT or 4 * steps > 3 * len(word):
        return 0.0
    size = next((size for size, pattern in _ALPHABETS if pattern.fullmatch(word)), 95)
    return _period(word) * math.log2(size)


def weaknesses(value: str) -> tuple[str, ...]:
    """What makes a cookie weak: PUBLISHED (a default or in a published list), GENERATED (by Erlang/OTP), GUESSABLE (see ENTROPY_MIN)."""
    found = {
        PUBLISHED: is_known(value) or is_leaked(value.encode("utf-8", "surrogatepass")),
        GENERATED: made_by_otp(value),
        GUESSABLE: entropy(value) < ENTROPY_MIN,
    }
    return tuple(name for name, holds in found.items() if holds)


def cookie_errors(value: object) -> list[tuple[str, str]]:
    """Pairs of rule and message for everything that is wrong with a cookie."""
    if not isinstance(value, str):
        return [("cookie_type", "the cookie is not a string: quote it.")]
    weak = weaknesses(value)
    if PUBLISHED in weak:
        return [("cookie_known", "the cookie is a known default, or was published.")]
    if GENERATED in weak:
        return [("cookie_generated", "the cookie was made by Erlang/OTP, whose generator has 36 bits.")]
    errors = []
    if len(value) < SHORTEST:
        errors.append(("cookie_short", f"the cookie has fewer than {SHORTEST} characters."))
    elif GUESSABLE in weak:
        errors.append(("cookie_weak", f"the cookie has less than {ENTROPY_MIN} bits: too few different characters, or a pattern in them."))
    if len(value) > LONGEST:
        errors.append(("cookie_long", f"the cookie has more than {LONGEST} characters, and Erlang takes no more."))
    if value.endswith(("\n", "\r")):
        errors.append(("cookie_characters", "the cookie ends with a line break, as a command leaves it that was piped into ansible-vault."))
    elif value and not _ALLOWED.fullmatch(value):
        errors.append(("cookie_characters", "the cookie holds other characters than A-Z a-z 0-9 _ + / = . - or begins with a -."))
    return errors


def text_errors(value: object) -> list[tuple[str, str]]:
    """As `passphrase_errors`, for a passphrase that need not be good."""
    return [] if isinstance(value, str) else [("passphrase_type", "the passphrase is not a string: quote it.")]


def passphrase_errors(value: object) -> list[tuple[str, str]]:
    """Pairs of rule and message for everything that is wrong with the CA's passphrase."""
    if not isinstance(value, str):
        return text_errors(value)
    if is_known(value):
        return [("passphrase_known", "the passphrase is a known default.")]
    if len(value) < SHORTEST_PASSPHRASE:
        return [("passphrase_short", f"the passphrase has {len(value)} characters, {SHORTEST_PASSPHRASE} are the least.")]
    if len(value.encode("utf-8", "surrogatepass")) > LONGEST_PASSPHRASE:
        return [("passphrase_long", f"the passphrase has more than {LONGEST_PASSPHRASE} bytes, and OpenSSL takes no more.")]
    if any(character in value for character in "\n\r\0"):
        return [("passphrase_characters", "the passphrase holds a line break or a NUL, which key files and tools cut off.")]
    return []

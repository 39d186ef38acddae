# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords that everybody knows, in clear text and as RabbitMQ stores them.

Private to this collection, pure. Source: rabbit_password.erl of RabbitMQ 3.8 to 4.3.
"""

from __future__ import annotations

import hashlib

from .published_cookies import KNOWN

WORDS = KNOWN | {"administrator", "rabbitmq1", "root", "user"}
"""What people type to get on with it: the same words as for cookies, and some more."""
_SALT_BYTES = 4
_HASHES = {"rabbit_password_hashing_sha256": "sha256", "rabbit_password_hashing_sha512": "sha512", "rabbit_password_hashing_md5": "md5"}
DEFAULT_HASHING = "rabbit_password_hashing_sha256"


def is_known(user: str, word: str) -> bool:
    return word.lower() in WORDS or word.lower() == user.lower()


def is_hash_of_known(user: str, stored: bytes, hashing: str = DEFAULT_HASHING) -> bool:
    """Whether four bytes of salt and the hash of salt and password are those of a known one."""
    kind = _HASHES.get(hashing)
    salt, digest = stored[:_SALT_BYTES], stored[_SALT_BYTES:]
    if kind is None or not digest:
        return False
    return any(hashlib.new(kind, salt + word.encode()).digest() == digest for word in (*WORDS, user))

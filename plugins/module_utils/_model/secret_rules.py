# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the two secrets. Nothing in here ever repeats one: messages speak of lengths and of characters in general.

Private to this collection.
"""

from __future__ import annotations

import re

SHORTEST = 32
LONGEST = 255
"""The cookie becomes an atom."""
SHORTEST_PASSPHRASE = 12
FEWEST_DIFFERENT = 8

_FILE = re.compile(rb"([\x20-\x7e]{1,255})(?:[\r\n][\r\n ]*)?")
# Erlang's cookie file takes 0x20 to 0x7e; shells, wrappers and products that pass the cookie on take less. A leading - looks like a flag.
_ALLOWED = re.compile(r"[A-Za-z0-9_+/=.][A-Za-z0-9_+/=.-]*")

# Defaults of products and examples that people forgot to change, and what people type to get on with it.
KNOWN = frozenset(
    """
    admin beam bitnami cephcookie changeit changeme chef chocolate-chip cookie couchdb couchdb_cookie default defaultcookie demo dummy
    ejabberd ejabberd-cookie elixir emqx emqxsecretcookie emqx_dist_cookie emqx50elixir erlang erlang-cookie erlang_cookie example
    foobar guest hello hidden kazoo leofs monster my-cookie mycookie mysecretcookie nocookie openstack passw0rd password phoenix
    rabbit rabbitmq rabbitmq-cookie rabbitmqcookie release riak riak_control secret secretcookie secret-cookie secret_cookie
    supersecret supersecretcookie swordfish test this-is-a-secret thisisasecret verysecret vernemq vmq wombat
    """.split()
)

FIX_COOKIE = "vault a fresh one without a line break, for example from: openssl rand -hex 32 | tr -d '\\n'."
FIX_PASSPHRASE = "vault a fresh one without a line break, for example from: openssl rand -base64 24 | tr -d '\\n', before the CA is made."


def in_file(data: bytes) -> bytes | None:
    """The cookie in the bytes of a cookie file, None where the node would not take it.

    As `auth:check_cookie/2` reads it (lib/kernel/src/auth.erl, OTP 23 to 29): everything printable up to the first line break, spaces
    included; behind that, line breaks and spaces only.
    """
    found = _FILE.fullmatch(data)
    return found.group(1) if found else None


def _folded(value: str) -> str:
    return re.sub(r"[^a-z0-9]", "", value.lower())


_KNOWN_FOLDED = {_folded(known) for known in KNOWN}


def is_known(value: str) -> bool:
    """A known default, also in other letter case, with other punctuation, with digits after it, or written several times over."""
    folded = _folded(value).rstrip("0123456789") or _folded(value)
    if folded in _KNOWN_FOLDED:
        return True
    return any(len(known) > 2 and not folded.replace(known, "") for known in _KNOWN_FOLDED)


def cookie_errors(value: object) -> list[tuple[str, str]]:
    """Pairs of rule and message for everything that is wrong with a cookie."""
    if not isinstance(value, str):
        return [("cookie_type", "the cookie is not a string: quote it.")]
    if is_known(value):
        return [("cookie_known", "the cookie is a known default.")]
    errors = []
    if len(value) < SHORTEST:
        errors.append(("cookie_short", f"the cookie has {len(value)} characters, {SHORTEST} are the least."))
    elif len(set(value)) < FEWEST_DIFFERENT:
        errors.append(("cookie_weak", f"the cookie has fewer than {FEWEST_DIFFERENT} different characters."))
    if len(value) > LONGEST:
        errors.append(("cookie_long", f"the cookie has {len(value)} characters, Erlang takes {LONGEST}."))
    if value.endswith(("\n", "\r")):
        errors.append(("cookie_characters", "the cookie ends with a line break, as a command leaves it that was piped into ansible-vault."))
    elif value and not _ALLOWED.fullmatch(value):
        errors.append(("cookie_characters", "the cookie holds other characters than A-Z a-z 0-9 _ + / = . - or begins with a -."))
    return errors


def passphrase_errors(value: object) -> list[tuple[str, str]]:
    """Pairs of rule and message for everything that is wrong with the CA's passphrase."""
    if not isinstance(value, str):
        return [("passphrase_type", "the passphrase is not a string: quote it.")]
    if is_known(value):
        return [("passphrase_known", "the passphrase is a known default.")]
    if len(value) < SHORTEST_PASSPHRASE:
        return [("passphrase_short", f"the passphrase has {len(value)} characters, {SHORTEST_PASSPHRASE} are the least.")]
    if "\n" in value or "\0" in value:
        return [("passphrase_characters", "the passphrase holds a line break or a NUL, which key files and tools cut off.")]
    return []

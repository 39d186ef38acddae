# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cookies, private keys and accounts of a host, as the module observe evaluated them there. No field holds a secret.

Private to this collection. See observation.py for the rules of every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .untrusted_json import as_bool, as_int, as_path, as_text, as_texts, each


@dataclass(frozen=True)
class CookieFacts:
    """A cookie file. weaknesses: as secret_rules.weaknesses(), None where it could not be read or is no cookie (then valid is False).

    mark: a hash of the cookie under a key of the run; equal marks are equal cookies. None where the run has no key.
    """

    path: str
    weaknesses: tuple[str, ...] | None
    valid: bool | None
    mark: str | None = field(repr=False, default=None)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> CookieFacts | None:
        path = as_path(raw.get("path"))
        return None if path is None else cls(path, as_texts(raw.get("weaknesses")), as_bool(raw.get("valid")), as_text(raw.get("mark")) or None)


@dataclass(frozen=True)
class Copy:
    """A file that holds the cookie of the cookie files `of`. readers: users other than root who can read it. unit: it is a file of a systemd unit.
    tool: it is the cookie file of its owner, who alone can read it."""

    path: str
    of: tuple[str, ...]
    readers: tuple[str, ...]
    unit: bool
    tool: bool = False

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Copy | None:
        path, of, readers = as_path(raw.get("path")), as_texts(raw.get("of")), as_texts(raw.get("readers"))
        return None if path is None or of is None or readers is None else cls(path, of, readers, bool(raw.get("unit")), raw.get("tool") is True)


@dataclass(frozen=True)
class KeyFile:
    """A private key in a file. spki_sha256: of its public half, None where that is not known. readers: as in Copy.

    beside: of an encrypted key, the same of the CAs whose certificates lie in its directory.
    """

    path: str
    spki_sha256: str | None
    encrypted: bool
    readers: tuple[str, ...]
    beside: tuple[str, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> KeyFile | None:
        path, readers, beside = as_path(raw.get("path")), as_texts(raw.get("readers")), as_texts(raw.get("beside")) or ()
        return None if path is None or readers is None else cls(path, as_text(raw.get("spki_sha256")), bool(raw.get("encrypted")), readers, beside)


@dataclass(frozen=True)
class Readable:
    """A file with what is in a VM's memory or data: a crash dump, or a file in the home of a node. readers: as in Copy."""

    path: str
    readers: tuple[str, ...]

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Readable | None:
        path, readers = as_path(raw.get("path")), as_texts(raw.get("readers"))
        return None if path is None or readers is None else cls(path, readers)


@dataclass(frozen=True)
class Unsearched:
    """A file that is packed in a form that could not be unpacked. readers: as in Copy."""

    path: str
    readers: tuple[str, ...]
    form: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Unsearched | None:
        path, readers, form = as_path(raw.get("path")), as_texts(raw.get("readers")), as_text(raw.get("form"))
        return None if path is None or readers is None or form is None else cls(path, readers, form)


@dataclass(frozen=True)
class Running:
    """A process. unit: empty where it is in none."""

    pid: int
    process: str
    unit: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Running | None:
        pid, process = as_int(raw.get("pid")), as_text(raw.get("process"))
        return None if pid is None or process is None else cls(pid, process, as_text(raw.get("unit")) or "")


@dataclass(frozen=True)
class NodeUser:
    """A user that owns a cookie file or runs a VM. password: whether one is set; authorized_keys: files that let ssh in.

    rights: files that let it start programs without a login: of cron, at, sudo, a lingering user manager. units: services that run as it, with the
    file that says so. acting: others who run programs as it, with the file that lets them; "" for an account that has its number.
    groups: those that its next process is a member of. members: other users in the group that has its name. processes: what has run as it for a
    while, with its unit.
    """

    user: str
    shell: str | None
    password: bool | None
    authorized_keys: tuple[str, ...] | None
    rights: tuple[str, ...] | None = None
    units: tuple[tuple[str, str], ...] | None = None
    acting: tuple[tuple[str, str], ...] | None = None
    groups: tuple[str, ...] | None = None
    members: tuple[str, ...] | None = None
    processes: tuple[Running, ...] | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> NodeUser | None:
        user = as_text(raw.get("user"))
        if user is None:
            return None
        keys, rights = as_texts(raw.get("authorized_keys")), as_texts(raw.get("rights"))
        units, acting = each(raw.get("units"), _place), each(raw.get("acting"), _place)
        groups, members, running = as_texts(raw.get("groups")), as_texts(raw.get("members")), each(raw.get("processes"), Running.parse)
        return cls(user, as_text(raw.get("shell")), as_bool(raw.get("password")), keys, rights, units, acting, groups, members, running)


def _place(raw: Mapping[str, Any]) -> tuple[str, str] | None:
    """A unit or user, and the file that it comes from."""
    name, path = as_text(raw.get("name")), as_text(raw.get("path"))
    return None if name is None or path is None else (name, path)


@dataclass(frozen=True)
class Secrets:
    """What was found of secrets on a host. Each part is None where nobody could look; cookies are by the path of their file.

    exposed: files in the homes of nodes that others can read. unsearched: packed files that others can read, and nobody here.
    """

    cookies: Mapping[str, CookieFacts] | None
    copies: tuple[Copy, ...] | None
    keys: tuple[KeyFile, ...] | None
    dumps: tuple[Readable, ...] | None
    exposed: tuple[Readable, ...] | None
    accounts: Mapping[str, NodeUser] | None
    unsearched: tuple[Unsearched, ...] | None = None

    @classmethod
    def parse(cls, raw: object) -> Secrets | None:
        if not isinstance(raw, Mapping):
            return None
        cookies, accounts = each(raw.get("cookies"), CookieFacts.parse), each(raw.get("accounts"), NodeUser.parse)
        return cls(
            cookies=None if cookies is None else {one.path: one for one in cookies},
            copies=each(raw.get("copies"), Copy.parse),
            keys=each(raw.get("keys"), KeyFile.parse),
            dumps=each(raw.get("dumps"), Readable.parse),
            exposed=each(raw.get("exposed"), Readable.parse),
            accounts=None if accounts is None else {one.user: one for one in accounts},
            unsearched=each(raw.get("unsearched"), Unsearched.parse),
        )

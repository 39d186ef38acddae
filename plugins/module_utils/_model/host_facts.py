# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a host that decide whether a run may change it: platform, OTP, accounts, and what an operator has set for a node.

Private to this collection. Made by _host, read by the plan. The rules of observation.py hold: None is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .untrusted_json import as_bool, as_int, as_path, as_ranges, as_text, as_texts


@dataclass(frozen=True)
class Distribution:
    """From os-release(5): ID, VERSION_ID, and the IDs of ID_LIKE."""

    id: str | None = None
    version: str | None = None
    like: tuple[str, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Distribution:
        return cls(as_text(raw.get("id")), as_text(raw.get("version_id")), as_texts(raw.get("like")) or ())


@dataclass(frozen=True)
class InstalledOtp:
    """The host's own Erlang/OTP, and the release that apt would install. root, erl: paths. ssl: whether it has the application ssl.
    missing: applications that TLS needs. foreign: it is what the search path leads to, and not the distribution's package."""

    installed: bool | None = None
    release: str | None = None
    version: str | None = None
    root: str | None = None
    erl: str | None = None
    ssl: bool | None = None
    candidate_release: str | None = None
    missing: tuple[str, ...] | None = None
    foreign: bool | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> InstalledOtp:
        release, version, candidate = (as_text(raw.get(name)) for name in ("release", "version", "candidate_release"))
        root, erl = as_path(raw.get("root")), as_path(raw.get("erl"))
        missing, foreign = as_texts(raw.get("missing")), as_bool(raw.get("foreign"))
        return cls(as_bool(raw.get("installed")), release, version, root, erl, as_bool(raw.get("ssl")), candidate, missing, foreign)


@dataclass(frozen=True)
class EphemeralPorts:
    """The ports that the kernel gives to outgoing connections, first to last, and the ranges that it leaves out."""

    first: int
    last: int
    reserved: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> EphemeralPorts | None:
        ends = as_ranges([raw.get("range")])
        return cls(*ends[0], as_ranges(raw.get("reserved")) or ()) if ends else None


@dataclass(frozen=True)
class Account:
    """A user of the host, from passwd(5). group: name of its primary group. login: whether its shell lets somebody log in.
    sudo: files that name it as one who may become another user (sudoers, doas.conf)."""

    name: str
    uid: int
    group: str
    home: str
    login: bool
    sudo: tuple[str, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Account | None:
        name, uid = as_text(raw.get("name")), as_int(raw.get("uid"))
        if name is None or uid is None:
            return None
        group, home, sudo = as_text(raw.get("group")) or "", as_path(raw.get("home")) or "", as_texts(raw.get("sudo")) or ()
        return cls(name, uid, group, home, raw.get("login") is True, sudo)


@dataclass(frozen=True)
class Setting:
    """Something that an operator's file sets for a unit, with the place of it.

    kind: "flag" (a flag or kernel parameter that only the role distribution may set), "variable" (an environment variable or a key of a
    product's configuration), "directive" (of systemd), "command" (of a directive Exec...=, its program behind "+" or "!", or empty), "shell" (the
    name of a command that ends a script, or "syntax"), "privileged" (the name of a command that makes another user of the service: sudo), "tool" (a
    command of its release's script, in a job or unit of others), "script" (a variable that env.sh of its release sets at each start; an empty value
    may be a secret), "writes" (a directory that a variable of the unit names and that its user may write to) or "path" (of a file in a home or in
    /tmp, whatever names it). value: None where it is not on the list of values that may leave the host.
    """

    unit: str
    path: str
    line: int
    kind: str
    name: str
    value: str | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Setting | None:
        unit, path, kind, name = as_text(raw.get("unit")), as_path(raw.get("path")), as_text(raw.get("kind")), as_text(raw.get("name"))
        if unit is None or path is None or kind is None or name is None:
            return None
        return cls(unit, path, as_int(raw.get("line")) or 0, kind, name, as_path(raw.get("value")))

    @property
    def place(self) -> str:
        return f"{self.path} line {self.line}" if self.line else self.path


@dataclass(frozen=True)
class Obstacle:
    """What keeps a run from writing a file. reason: "read_only", "immutable", "full", "not_a_directory", "refused", "hard_link", "dangling" or
    "interrupted"."""

    path: str
    reason: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Obstacle | None:
        path, reason = as_path(raw.get("path")), as_text(raw.get("reason"))
        return None if path is None or reason is None else cls(path, reason)

    def explained(self) -> tuple[str, str] | None:
        """What is wrong and what mends it, without a full stop; None for a reason that nobody knows."""
        said = _OBSTACLES.get(self.reason)
        return None if said is None else (said[0].replace("{path}", self.path), said[1].replace("{path}", self.path))


INTERRUPTED, HARD_LINK = "interrupted", "hard_link"
"""What keeps a run from its work and not a file of ours from being changed."""
_OBSTACLES = {
    "read_only": ("{path} is on a read-only file system", "mount it read-write (mount -o remount,rw), or find out in its log why it is not"),
    "immutable": ("{path} is immutable or append-only (chattr), so that nobody can change it", "run chattr -i -a {path}"),
    "full": ("the file system of {path} is full", "free at least 16 MiB and some inodes there"),
    "not_a_directory": ("{path} is no directory, and files have to be written below it", "move it away"),
    "refused": (
        "root may not write to {path} (NFS with root_squash, or FUSE)",
        "move the directory to a local file system, or export it with no_root_squash to this host",
    ),
    HARD_LINK: (
        "{path} has another name (a hard link), which would keep the content of today",
        "find it (find / -xdev -samefile {path}), and give {path} a file of its own: cp -p {path} {path}.new && mv {path}.new {path}",
    ),
    "dangling": ("{path} is a link to a place that does not exist", "mount or create that place, or remove the link"),
    INTERRUPTED: ("an installation of packages was interrupted (files in {path}), so that apt installs nothing", "run dpkg --configure -a"),
}


@dataclass(frozen=True)
class Profile:
    """A profile of AppArmor in enforce mode under which a unit runs or would start. path: its file, local: the file that it includes for additions,
    both empty where there is none. allows: whether one of them has a rule for our files."""

    unit: str
    profile: str
    path: str
    local: str
    allows: bool

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Profile | None:
        unit, profile = as_text(raw.get("unit")), as_path(raw.get("profile"))
        if unit is None or profile is None:
            return None
        return cls(unit, profile, as_path(raw.get("path")) or "", as_path(raw.get("local")) or "", raw.get("allows") is True)


@dataclass(frozen=True)
class Database:
    """A product's database: the node names that its file holds. unit: of Mnesia's directories, the unit that would use them, else empty."""

    path: str
    names: tuple[str, ...]
    unit: str = ""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Database | None:
        path, names = as_path(raw.get("path")), as_texts(raw.get("names"))
        return None if path is None or names is None else cls(path, names, as_text(raw.get("unit")) or "")


@dataclass(frozen=True)
class Companion:
    """A VM, or a program beside it in its unit, that does what the sandbox refuses. reason: of a program beside the VM "writable_code" (memory that
    it may write and run), "namespace" (it is in namespaces of its own), "other_user" (it runs as another user than the VM) or "writes" (to a
    directory); of a VM "generated_code" (a library of it makes code at run time); of both "device" (one that they have open) or "socket" (one in the
    file system on which they listen). path: of the directory, device or socket."""

    unit: str
    program: str
    reason: str
    path: str = ""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Companion | None:
        unit, program, reason = (as_text(raw.get(name)) for name in ("unit", "program", "reason"))
        return None if unit is None or program is None or reason is None else cls(unit, program, reason, as_path(raw.get("path")) or "")


@dataclass(frozen=True)
class HomeFile:
    """A file in the home of a unit's user that a client reads, and that is not in the home which a hardened node of the unit has."""

    unit: str
    path: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> HomeFile | None:
        unit, path = as_text(raw.get("unit")), as_path(raw.get("path"))
        return None if unit is None or path is None else cls(unit, path)


@dataclass(frozen=True)
class Interpreter:
    """The Python that Ansible runs on the host: its path, and whether it can import cryptography."""

    executable: str | None = None
    cryptography: bool | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Interpreter:
        return cls(as_path(raw.get("executable")), as_bool(raw.get("cryptography")))


@dataclass(frozen=True)
class OtherCookie:
    """A cookie file of another user with the cookie of the node in a unit."""

    unit: str
    path: str
    owner: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> OtherCookie | None:
        unit, path = as_text(raw.get("unit")), as_path(raw.get("path"))
        return None if unit is None or path is None else cls(unit, path, as_text(raw.get("owner")) or "")


@dataclass(frozen=True)
class Crl:
    """A file in a node's directory of CRLs. issuer: empty where it is no CRL. found: whether OTP looks for it under this name.

    Times: 2026-01-31T00:00:00Z. revoked: how many certificates. own: whether the one of the node itself is
    among them.
    """

    path: str
    issuer: str = ""
    found: bool = False
    this_update: str = ""
    next_update: str = ""
    revoked: int | None = None
    own: bool = False

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Crl | None:
        path = as_path(raw.get("path"))
        if path is None:
            return None
        issuer, since, until = (as_text(raw.get(name)) or "" for name in ("issuer", "this_update", "next_update"))
        return cls(path, issuer, raw.get("found") is True, since, until, as_int(raw.get("revoked")), raw.get("own") is True)


@dataclass(frozen=True)
class Certificate:
    """One certificate of a PEM file, in the file's order; its fields are those of x509.describe(). Times: 2026-01-31T00:00:00Z."""

    path: str
    sha256: str
    issuer: str
    subject: str
    sans: tuple[str, ...]
    not_before: str
    not_after: str
    spki_sha256: str | None = None
    key_type: str = ""
    purposes: tuple[str, ...] | None = None
    usages: tuple[str, ...] | None = None
    ca: bool | None = None
    signature: str = ""
    key_id: str | None = None
    issuer_key_id: str | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Certificate | None:
        path, digest = as_path(raw.get("path")), as_text(raw.get("sha256"))
        if path is None or digest is None:
            return None
        texts = {name: as_text(raw.get(name)) or "" for name in ("subject", "issuer", "not_before", "not_after", "key_type", "signature")}
        return cls(
            path=path,
            sha256=digest,
            sans=as_texts(raw.get("sans")) or (),
            spki_sha256=as_text(raw.get("spki_sha256")),
            purposes=as_texts(raw.get("purposes")),
            usages=as_texts(raw.get("usages")),
            ca=as_bool(raw.get("ca")),
            key_id=as_text(raw.get("key_id")),
            issuer_key_id=as_text(raw.get("issuer_key_id")),
            **texts,
        )

    def issued(self, other: Certificate) -> bool:
        """Whether this is the certificate of another one's issuer: by name, and by key identifiers where both have one (RFC 5280 section 4.1.2.4)."""
        keys = (self.key_id, other.issuer_key_id)
        return self.subject == other.issuer and (None in keys or keys[0] == keys[1])

    @property
    def self_issued(self) -> bool:
        return self.subject == self.issuer

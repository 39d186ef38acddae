# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cookies and private keys at rest: how strong a cookie is, where else it lies, whose a key is, and who can read what.

Private to this collection. Everything is evaluated here, on the host. No cookie, no length of one and no key is in the result. A cookie's `mark` is a
hash under a random key of the run: it tells apart cookies of different hosts, and nobody without that key can try words against it.
"""

from __future__ import annotations

import base64
import binascii
import glob
import hashlib
import os
import pwd
import re
import stat
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from .._model.secret_rules import PUBLISHED, SHORTEST_NEEDLE, in_file, mark, weaknesses
from .._wire import private_keys
from . import (
    certificates,
    commands,
    deep_files,
    jobs_of_node_users,
    mounts_and_setuid,
    packed_streams,
    processes_of_users,
    secret_encodings,
    ssh_keys,
    sudo_rules,
)
from .readers import EVERYBODY, Readers, members
from .writers import group_name, user_name

COOKIE = ".erlang.cookie"
UNIT_TREES = (*jobs_of_node_users.UNITS, "/usr/lib/systemd/system")
TREES = (
    ("/etc/beam", 4), ("/etc/systemd", 2), ("/etc/environment.d", 1), ("/var/backups", 2),
    ("/etc/default", 1), ("/etc/sysconfig", 1), ("/etc/profile.d", 1), ("/etc/cron.d", 1), ("/etc/rabbitmq", 2),
    ("/etc/ejabberd", 2), ("/etc/emqx", 2), ("/etc/vernemq", 2), ("/etc/couchdb", 2), ("/etc/riak", 2), ("/opt/*/etc", 2), ("/etc/ssl/private", 1),
    ("/tmp", 2), ("/var/tmp", 2), ("/dev/shm", 1), ("/root", 2), ("/home/*", 2), ("/var/log/rabbitmq", 1), ("/var/log/ejabberd", 1),
    ("/var/log/emqx", 1), ("/var/log/vernemq", 1), ("/var/log/couchdb", 1),
    # Wherever else somebody puts a copy. Last: the search may end before it has seen all.
    ("/etc", 3), ("/var/lib/cloud", 4), ("/srv", 3), ("/opt", 3), ("/var/www", 3), ("/usr/local", 3), ("/var/spool", 3), ("/var/lib", 2),
    ("/var/log", 1), ("/mnt", 2), ("/media", 3), ("/run", 1), ("/", 1),
    # sudo and su write the command of whom they let through into the journal.
    ("/var/log/journal", 2), ("/run/log/journal", 2),
)
"""Trees that are searched, and how many levels of them."""
CORE_DUMPS = ("/var/lib/systemd/coredump/core.*", "/var/lib/apport/coredump/core*", "/var/crash/*", "/var/cores/*", "/cores/*", "/core*")
"""Where the kernel, systemd-coredump and apport leave the memory of a program that crashed."""
FILES = (
    "/etc/environment", "/etc/profile", "/etc/bash.bashrc", "/etc/crontab", "/etc/rc.local", "/opt/*/releases/COOKIE", "/opt/*/releases/*/*",
    *CORE_DUMPS,
)
HOME_LEVELS = 3
OF_RELEASE = ("releases/COOKIE", "releases/*/*", "etc/*", "erl_crash*", "core", "core.[0-9]*")
"""Files of a running release or OTP, below its root; and of the directory in which a VM works, where it leaves its crash dump."""
SHADOW = "/etc/shadow"
KEY_MAX = 64 << 10
UNPACKED_MAX = 1 << 20
"""Bytes that are searched for keys of a file that is no larger than KEY_MAX, and packed."""
SEARCHED_MAX = 64 << 20
"""Bytes of each file that are searched for a cookie."""
FILES_MAX = 20000
SECONDS_MAX = 60.0
EXPOSED_MAX = 20
"""Files of nodes' homes that others can read: more are not listed."""
UNIT, HOME, DEEP = "unit", "home", "deep"
UNSEARCHED_MAX = 20
_CHUNK = 1 << 20
_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----\s*(.*?)-----END \1-----", re.DOTALL)
_PUBLIC = re.compile(rb"-----BEGIN PUBLIC KEY-----\s*(.*?)-----END PUBLIC KEY-----", re.DOTALL)
_DUMP = re.compile(r"erl_crash.*|core\.(?:beam|erl|erts|epmd|[0-9]+_).*|.*[_.](?:beam|beam\.smp|erlexec)\..*(?:core|crash).*")
_CORE = re.compile(r"core(?:\.[0-9]+)?")
"""A core dump, by a name that any program's has: in the home of a node it is the node's."""
_LINES_OF_EC = 6
_DER = b"\x30"
_DER_LABELS = ("PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY")
_MOST_BESIDE = 50
_OF_SYSTEMD = re.compile(r"core\..+\.([0-9]+)\.[0-9a-f]{32}\..*")


@dataclass(frozen=True)
class Cookie:
    """A cookie file. value goes nowhere: see as_dict(). It is None where the file could not be read, and empty where a node would not take it."""

    path: str
    owner: str
    value: str | None = field(repr=False)

    def as_dict(self, run_key: str | None) -> dict[str, object]:
        marked = mark(self.value, run_key) if run_key and self.value else None
        return {"path": self.path, "weaknesses": list(weaknesses(self.value)) if self.value else None, "valid": self._valid(), "mark": marked}

    def _valid(self) -> bool | None:
        return None if self.value is None else bool(self.value)

    @property
    def needle(self) -> bytes:
        """What to search for; empty where that would find files by chance."""
        value = self.value or ""
        return value.encode("latin-1") if len(value) >= SHORTEST_NEEDLE and PUBLISHED not in weaknesses(value) else b""


def _open(path: str) -> BinaryIO:
    """A regular file, no link: whoever owns a directory may put anything there meanwhile. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("no regular file")
    return os.fdopen(handle, "rb")


def read_cookies(paths: Iterable[str]) -> list[Cookie]:
    found = []
    for path in sorted(set(paths)):
        try:
            owner = user_name(os.lstat(path).st_uid)
        except OSError:
            continue
        try:
            with _open(path) as stream:
                data = in_file(stream.read(1 << 12))
        except OSError:
            found.append(Cookie(path, owner, None))
            continue
        found.append(Cookie(path, owner, data.decode("latin-1") if data else ""))
    return found


def _walk(tree: str, levels: int) -> Iterator[str]:
    """The regular files of a tree. Links are not followed: where they lead, other places are searched."""
    for top in glob.glob(tree) if "*" in tree else [tree]:
        for directory, below, names in os.walk(top):
            if directory[len(top) :].count("/") >= levels - 1:
                below.clear()
            yield from (os.path.join(directory, name) for name in names)


def places(homes: Iterable[str], elsewhere: Iterable[str], roots: Iterable[str], extra: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The files that are searched, and what each is: UNIT (systemd shows those to everybody, whatever their mode), HOME (of a node), DEEP (one
    wherever it is, as far as time is left), or none of them.

    elsewhere: homes of VMs that are not asked about.
    """
    homes = list(homes)
    for tree in UNIT_TREES:
        yield from ((path, UNIT) for path in _walk(tree, 2))
    for home in homes:
        yield from ((path, HOME) for path in _walk(home, HOME_LEVELS) if home != "/")
    patterns = [*FILES, *(os.path.join(root, name) for root in roots for name in OF_RELEASE), *extra]
    yield from ((path, "") for pattern in patterns for path in glob.glob(pattern))
    for tree, levels in [*TREES, *((home, HOME_LEVELS) for home in elsewhere if home != "/")]:
        yield from ((path, "") for path in _walk(tree, levels))
    yield from ((path, DEEP) for path in deep_files.everywhere(homes))


def _holds(path: str, needles: Mapping[bytes, Sequence[str]]) -> list[str]:
    """The files whose cookie or key is in a file."""
    found: set[str] = set()
    overlap = max(map(len, needles), default=1) - 1
    tail = b""
    with _open(path) as file:
        stream = secret_encodings.unpacked(file)
        left = SEARCHED_MAX
        while left > 0:
            data = stream.read(_CHUNK)
            if not data:
                break
            left -= len(data)
            window = tail + data
            found.update(of for needle, paths in needles.items() if needle in window for of in paths)
            tail = window[-overlap:] if overlap else b""
    return sorted(found)


def _decoded(body: bytes) -> bytes:
    """The DER in a PEM block; empty where it is none."""
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        return b""


def keys_of(path: str, ask_openssl: bool) -> Iterator[dict[str, object]]:
    """The private keys of a file, in PEM or DER: SHA-256 of the public half, None where the file does not hold it and openssl is not asked.

    beside: of an encrypted one, the same of the CA certificates in its directory. Raises OSError.
    """
    with _open(path) as file:
        data = secret_encodings.unpacked(file).read(UNPACKED_MAX)
    if data.startswith(_DER):
        found = next(filter(None, (private_keys.spki_of(label, data) for label in _DER_LABELS)), None)
        if found:
            yield {"path": path, "encrypted": False, "spki_sha256": hashlib.sha256(found).hexdigest()}
        return
    for label, body in _blocks(data):
        name = label.decode("ascii")
        encrypted = name == private_keys.ENCRYPTED or b"ENCRYPTED" in body
        spki = None if encrypted else private_keys.spki_of(name, _decoded(body))
        if not encrypted and not spki and ask_openssl:
            said = _PUBLIC.search((commands.output("openssl", "pkey", "-pubout", "-in", path) or "").encode())
            spki = _decoded(said.group(1)) if said else None
        beside = _authorities(os.path.dirname(path)) if encrypted else []
        facts = {"path": path, "encrypted": encrypted, "spki_sha256": hashlib.sha256(spki).hexdigest() if spki else None}
        yield {**facts, "beside": beside} if beside else facts


def _blocks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Label and body of each private key in PEM."""
    return list(dict.fromkeys(block for text in secret_encodings.texts(data) for block in _KEY.findall(text)))


def _keys_of_nodes(tree: str, levels: int) -> Iterator[tuple[str, int, bytes, str]]:
    """Path, owner, what to search for, and SHA-256 of the public half of each private key of our tree that is not encrypted: a copy of it may be a
    small part of a large file. A line of the PEM file is searched for, which is in no certificate: of RSA near the end, of others the second."""
    for path in _walk(tree, levels):
        try:
            with _open(path) as file:
                status = os.fstat(file.fileno())
                blocks = _blocks(file.read(KEY_MAX)) if status.st_size <= KEY_MAX else []
            for (_label, body), key in zip(blocks, keys_of(path, True) if blocks else ()):
                lines = body.split()
                if key["spki_sha256"]:
                    yield path, status.st_uid, lines[-2 if len(lines) > _LINES_OF_EC else min(1, len(lines) - 1)], str(key["spki_sha256"])
        except (*secret_encodings.BROKEN, zlib.error):
            continue


def _authorities(directory: str) -> list[str]:
    """SHA-256 of the public keys of the CAs whose certificates lie in a directory."""
    paths = [os.path.join(directory, name) for name in sorted(os.listdir(directory))[:_MOST_BESIDE]]
    found, _failed = certificates.describe_all(path for path in paths if os.path.isfile(path))
    return sorted({str(one["spki_sha256"]) for one in found if one["ca"] and one["spki_sha256"]})


def search(cookies: Sequence[Cookie], where: Iterable[tuple[str, str]]) -> tuple[dict[str, list[dict[str, object]]], str]:
    """copies of cookies, keys, crash dumps and exposed data, each with who can read it, and what could not be unpacked; and why the search is not
    whole, empty where it is."""
    needles: dict[bytes, list[str]] = {}
    for cookie in cookies:
        for needle in secret_encodings.needles(cookie.needle) if cookie.needle else ():
            needles.setdefault(needle, []).append(cookie.path)
    public: dict[str, str] = {}
    owners = {cookie.path: cookie.owner for cookie in cookies}
    homes = {f"{os.path.dirname(path)}/": owner for path, owner in owners.items()}
    # Who may have a cookie is who has it in a cookie file of his own; another user's VM on the host gives him no right to it.
    entitled = [{owners[path] for path in paths} for paths in needles.values()]
    for path, uid, line, spki in _keys_of_nodes(*TREES[0]):
        public[path] = spki
        entitled.append({user_name(uid)})
        for needle in secret_encodings.needles(line):
            needles.setdefault(needle, []).append(path)
    found: dict[str, list[dict[str, object]]] = {"copies": [], "keys": [], "dumps": [], "exposed": [], "unsearched": []}
    able = Readers()
    seen: set[str] = set()
    end = time.monotonic() + SECONDS_MAX
    for path, kind in where:
        if path in seen:
            continue
        seen.add(path)
        if kind != DEEP and (len(seen) > FILES_MAX or time.monotonic() > end):
            return found, f"the search for copies ended after {len(seen)} files"
        try:
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode):
                continue
            who, owner = able.of(path), user_name(status.st_uid)
            held: list[str] = []
            keys: list[dict[str, object]] = []
            try:
                if path not in owners and status.st_size and any(kind == UNIT or set(who) - users for users in entitled):
                    held = _holds(path, needles)
                if 0 < status.st_size <= KEY_MAX:
                    keys = list(keys_of(path, owner in {"root", *owners.values()}))
            except packed_streams.NotUnpacked as error:
                if who and len(found["unsearched"]) < UNSEARCHED_MAX:
                    found["unsearched"].append({"path": path, "readers": who, "form": str(error)})
            cookie_files = [one for one in held if one in owners]
            others = set(who).difference(owners[of] for of in cookie_files)
            # Its owner's own cookie file, for tools: nobody else can read it.
            tool = os.path.basename(path) == COOKIE and who in ([], [owner])
            if cookie_files and (kind == UNIT or others):
                found["copies"].append({"path": path, "of": cookie_files, "readers": who, "unit": kind == UNIT, "tool": tool})
            more = {public[one] for one in held if one in public} - {key["spki_sha256"] for key in keys}
            keys += [{"path": path, "encrypted": False, "spki_sha256": one} for one in sorted(more)]
            found["keys"] += [{**key, "readers": who} for key in keys]
            name = os.path.basename(path)
            # Deep in a directory of somebody else, a dump is one of another program.
            if _DUMP.fullmatch(name) and (kind != DEEP or owner in {"root", *owners.values()}) or kind == HOME and _CORE.fullmatch(name):
                found["dumps"].append({"path": path, "readers": [user for user in who if user != _dumped_by(name)]})
            elif (
                kind == HOME
                and set(who).difference([owner], (user for home, user in homes.items() if path.startswith(home)))
                and len(found["exposed"]) < EXPOSED_MAX
            ):
                found["exposed"].append({"path": path, "readers": who})
        except (*secret_encodings.BROKEN, zlib.error):
            # It has gone since, is not ours to read, or is a broken archive.
            continue
    return found, ""


def _dumped_by(name: str) -> str:
    """The user whose program left a core dump, by the name that systemd-coredump gives it: it has only its own memory to read there."""
    match = _OF_SYSTEMD.fullmatch(name)
    return user_name(int(match.group(1))) if match else ""


def _password(stored: str, locked: bool | None) -> bool | None:
    """Whether a password is set. stored: in passwd, "x" where it is in shadow; locked: what shadow says, None where it has no such user."""
    if stored == "x":
        return None if locked is None else not locked
    return not stored.startswith(("!", "*"))


def accounts(users: Iterable[str]) -> list[dict[str, object]]:
    """Whether somebody can log in as each user: password: one is set; authorized_keys: the files that let ssh in. None where not ours to read."""
    locked: dict[str, bool] | None = None
    try:
        with open(SHADOW, encoding="utf-8", errors="replace") as stream:
            entries = (line.split(":", 2) for line in stream)
            locked = {entry[0]: entry[1].startswith(("!", "*")) for entry in entries if len(entry) > 2}
    except OSError:
        pass
    found: list[dict[str, object]] = []
    key_files = ssh_keys.patterns()
    for user in sorted(set(users)):
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            continue
        present = list(ssh_keys.files_of(user, entry.pw_uid, entry.pw_dir, key_files))
        password = _password(entry.pw_passwd, None if locked is None else locked.get(user))
        started, rights = jobs_of_node_users.of(entry), sudo_rules.rights(entry)
        acting, lenders = sudo_rules.acting_as(entry), mounts_and_setuid.lenders(entry.pw_uid)
        found.append({
            "user": user,
            "shell": entry.pw_shell,
            "password": password,
            "authorized_keys": present,
            "rights": None if started is None or rights is None else [*started, *rights],
            "units": jobs_of_node_users.units_of(entry),
            "processes": processes_of_users.of(entry.pw_uid),
            "acting": None if acting is None or lenders is None else [*acting, *({"name": EVERYBODY, "path": one} for one in lenders)],
            "members": sorted(members(entry.pw_gid) - {user}) if group_name(entry.pw_gid) == user else [],
            "groups": sorted(map(group_name, os.getgrouplist(user, entry.pw_gid))),
        })
    return found


def look(
    cookie_files: Iterable[str], homes: Iterable[str], roots: Iterable[str], extra: Iterable[str], users: Iterable[str], run_key: str | None
) -> tuple[dict[str, object], str]:
    """The fact `secrets`, and why the search for copies is not whole.

    cookie_files: of the nodes; homes: of the nodes, roots: of their releases or OTPs, extra: further files to search (environment files of units),
    users: that run nodes.
    """
    files = list(cookie_files)
    cookies = read_cookies([*files, *(os.path.join(home, COOKIE) for home in homes)])
    own = {os.path.dirname(path) for path in files} or set(homes)
    found, why = search(cookies, places(sorted(own), sorted(set(homes) - own), roots, extra))
    if os.geteuid():
        why = why or "only root may read the files of all users"
    owners = {*users, *(cookie.owner for cookie in cookies)} - {"root"}
    return {"cookies": [cookie.as_dict(run_key) for cookie in cookies], **found, "accounts": accounts(owners)}, why

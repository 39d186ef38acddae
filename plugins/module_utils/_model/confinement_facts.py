# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a process is confined, and what it was started with; made by _host/process_hardening.py.

Private to this collection. See observation.py for the rules of every field: None is unknown. No field holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .untrusted_json import as_bool, as_int, as_mapping, as_path, as_set, as_text, as_texts, each, safe_text


@dataclass(frozen=True)
class FileOptions:
    """The TLS options of one side (server or client) as an option file or flags set them.

    names: of all options. values: of known ones, as text ("verify": "verify_none"). versions, ciphers, algorithms: None where they are not set.
    """

    names: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[str, ...] | None = None
    ciphers: tuple[str, ...] | None = None
    algorithms: tuple[str, ...] | None = None

    @classmethod
    def parse(cls, raw: object) -> FileOptions | None:
        names = as_set(raw.get("names")) if isinstance(raw, Mapping) else None
        if not isinstance(raw, Mapping) or names is None or not isinstance(raw.get("values"), Mapping):
            return None
        values = {safe_text(key): safe_text(value) for key, value in as_mapping(raw.get("values")).items()}
        lists = (as_texts(raw.get(name)) for name in ("versions", "ciphers", "algorithms"))
        return cls(names, values, *lists)

    @property
    def speaks_old_tls(self) -> bool:
        """Whether a version before TLS 1.3 can be spoken: it is listed, or nothing is, and there are cipher suites for it."""
        old = self.versions is None or any(version != "tlsv1.3" for version in self.versions)
        suites = self.ciphers is None or any(not name.startswith(("TLS_AES_", "TLS_CHACHA20_")) for name in self.ciphers)
        return old and suites


@dataclass(frozen=True)
class StartFile:
    """A file or directory that a VM reads when it starts, and that users beside root (by) can change or replace, that changed since it started, or
    that is not there any more.

    product: a file that the start script of a distribution's package reads. The package may give its directory to the product's user.
    """

    path: str
    by: tuple[str, ...]
    product: bool = False
    changed: bool = False
    missing: bool = False

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> StartFile | None:
        path, by = as_path(raw.get("path")), as_texts(raw.get("by"))
        return None if path is None or by is None else cls(path, by, *(raw.get(name) is True for name in ("product", "changed", "missing")))


@dataclass(frozen=True)
class Library:
    """A library that a process has loaded. by: users beside root who can replace it. elsewhere: it is from outside of the system and the OTP.
    later: the process has loaded another one of its name, and the loader is led to this one."""

    path: str
    by: tuple[str, ...]
    elsewhere: bool
    later: bool = False

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Library | None:
        path, by = as_path(raw.get("path")), as_texts(raw.get("by"))
        return None if path is None or by is None else cls(path, by, raw.get("elsewhere") is True, raw.get("later") is True)


@dataclass(frozen=True)
class Hardening:
    """One VM or EPMD. Each field is None where it could not be read.

    no_new_privileges, seccomp: of its kernel status (seccomp 2 is a filter). capabilities: effective ones, by name. switches: of its flags "remsh",
    "embedded", "interactive", "relaxed_command_check", "debug". variables: names of variables of its environment that hold secrets or loosen it.
    cookie_in_environment: whether a variable holds the cookie of its cookie file. crash_dump: "off", "private", "shared" (a directory that others
    can read), "default" (no variable says where). kernel: parameters of the application kernel in its -config files. program: protections of its
    executable ("pie", "nx", "relro", "now", "canary"). replaceable_by: users beside root who can replace its program or OTP, each with a path.
    start_files: what it reads when it starts, as far as others can change it, or it has changed since. groups: of which it is a member. elsewhere:
    files that are others than the host's at the same path. libraries: loaded ones that others can replace, or that come from elsewhere.
    shadowing: programs with the name of one of its OTP that PATH leads to first. system_writable: it sees /usr as writable, so that no
    ProtectSystem= is in force. privileged_programs: those of its OTP that give rights to whoever starts them. libcrypto: version of the OpenSSL that
    it has loaded, empty for none. release_cookie: its release's releases/COOKIE: "none", "used" or "other". replaced: its program is no longer the
    file on disk. traced_by: the program that traces it, empty for none. open_logs: log files that it writes and every user can read. incoming:
    its ports with an established connection from another host; outgoing: how many lead to others. server, client: TLS options of the distribution;
    both None where there are none or they could not be read, see options_read.
    """

    no_new_privileges: bool | None = None
    seccomp: int | None = None
    capabilities: tuple[str, ...] | None = None
    switches: frozenset[str] | None = None
    variables: frozenset[str] | None = None
    cookie_in_environment: bool | None = None
    crash_dump: str | None = None
    kernel: Mapping[str, str] | None = None
    program: frozenset[str] | None = None
    replaceable_by: tuple[str, ...] | None = None
    start_files: tuple[StartFile, ...] | None = None
    groups: tuple[str, ...] | None = None
    elsewhere: tuple[str, ...] | None = None
    privileged_programs: tuple[str, ...] | None = None
    libraries: tuple[Library, ...] | None = None
    shadowing: tuple[str, ...] | None = None
    system_writable: bool | None = None
    libcrypto: str | None = None
    release_cookie: str | None = None
    replaced: bool | None = None
    traced_by: str | None = None
    open_logs: tuple[str, ...] | None = None
    incoming: frozenset[int] | None = None
    outgoing: int | None = None
    server: FileOptions | None = None
    client: FileOptions | None = None
    options_read: bool | None = None

    @classmethod
    def parse(cls, raw: object) -> Hardening | None:
        if not isinstance(raw, Mapping):
            return None
        kernel, ports = raw.get("kernel"), raw.get("incoming")
        sides = [FileOptions.parse(raw.get(name)) for name in ("server", "client")]
        broken = any(side is None and raw.get(name) is not None for name, side in zip(("server", "client"), sides))
        return cls(
            no_new_privileges=as_bool(raw.get("no_new_privileges")),
            seccomp=as_int(raw.get("seccomp")),
            capabilities=as_texts(raw.get("capabilities")),
            switches=as_set(raw.get("switches")),
            variables=as_set(raw.get("variables")),
            cookie_in_environment=as_bool(raw.get("cookie_in_environment")),
            crash_dump=as_text(raw.get("crash_dump")),
            kernel={safe_text(key): safe_text(value) for key, value in kernel.items()} if isinstance(kernel, Mapping) else None,
            program=as_set(raw.get("program")),
            replaceable_by=as_texts(raw.get("replaceable_by")),
            start_files=each(raw.get("start_files"), StartFile.parse),
            groups=as_texts(raw.get("groups")),
            elsewhere=as_texts(raw.get("elsewhere")),
            privileged_programs=as_texts(raw.get("privileged_programs")),
            libraries=each(raw.get("libraries"), Library.parse),
            shadowing=as_texts(raw.get("shadowing")),
            system_writable=as_bool(raw.get("system_writable")),
            libcrypto=as_text(raw.get("libcrypto")),
            release_cookie=as_text(raw.get("release_cookie")),
            replaced=as_bool(raw.get("replaced")),
            traced_by=as_text(raw.get("traced_by")),
            open_logs=as_texts(raw.get("open_logs")),
            incoming=frozenset(port for port in ports if as_int(port) is not None) if isinstance(ports, (list, tuple)) else None,
            outgoing=as_int(raw.get("outgoing")),
            server=sides[0],
            client=sides[1],
            options_read=None if broken else as_bool(raw.get("options_read")),
        )

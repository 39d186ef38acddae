# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a process is confined, what it was started with, and how the system around it is set; made by _host/process_hardening.py and _host/system.py.

Private to this collection. See observation.py for the rules of every field: None is unknown. No field holds a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .client_port_facts import ClientPorts, parse_all
from .packages import PackageFiles
from .untrusted_json import as_bool, as_int, as_mapping, as_path, as_set, as_text, as_texts, each, safe_text, same_address


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
    """A library that a process has loaded. by: users beside root who can replace it. elsewhere: it is from outside of the system and the OTP."""

    path: str
    by: tuple[str, ...]
    elsewhere: bool

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Library | None:
        path, by = as_path(raw.get("path")), as_texts(raw.get("by"))
        return None if path is None or by is None else cls(path, by, raw.get("elsewhere") is True)


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
    file on disk. open_logs: log files that it writes and every user can read. incoming:
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
            open_logs=as_texts(raw.get("open_logs")),
            incoming=frozenset(port for port in ports if as_int(port) is not None) if isinstance(ports, (list, tuple)) else None,
            outgoing=as_int(raw.get("outgoing")),
            server=sides[0],
            client=sides[1],
            options_read=None if broken else as_bool(raw.get("options_read")),
        )


@dataclass(frozen=True)
class Exposed:
    """A process whose argument list or environment (where) holds a cookie."""

    pid: int
    process: str
    user: str
    where: str = "arguments"

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Exposed | None:
        pid, where = as_int(raw.get("pid")), as_text(raw.get("where"))
        return None if pid is None else cls(pid, as_text(raw.get("process")) or "", as_text(raw.get("user")) or "", where or "arguments")


@dataclass(frozen=True)
class Forward:
    """Something that leads connections to a port. by: a program or a rule. where: it says so. address: None is the host's own."""

    by: str
    where: str
    address: str | None
    port: int

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Forward | None:
        port, address = as_int(raw.get("port")), as_text(raw.get("address"))
        if port is None:
            return None
        return cls(as_text(raw.get("by")) or "", as_text(raw.get("where")) or "", same_address(address) if address else None, port)


@dataclass(frozen=True)
class Swap:
    """One swap area. protected: it is in memory (zram), or on an encrypted device."""

    name: str
    protected: bool | None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Swap | None:
        name = as_path(raw.get("name"))
        return None if name is None else cls(name, as_bool(raw.get("protected")))


@dataclass(frozen=True)
class SystemFacts:
    """The operating system around the nodes.

    core_pattern: sysctl kernel.core_pattern. suid_dumpable, ptrace_scope: sysctls; 0 without Yama. hidepid: of the mount of /proc, "0"
    where it is not set. clock_synchronized: as the kernel says; time_services: processes that set the clock. service_users: the units that run
    processes of a user, by user, for users of VMs. cookie_arguments: processes with a cookie in arguments or environment. dist_hosts: files
    .hosts.erlang in homes of nodes. settings: of products, by product; values only of those that name no secret. forwards: what leads connections
    to EPMD or to a port of a VM. client_ports: of products for their clients, by product.
    route_localnet: interfaces over which other hosts reach loopback addresses, "all" among them. sysctls_at_boot: settings of the kernel at the
    next boot: name, value, and the file that says so. preloaded: libraries that the loader puts into
    every program of the host. tmpfiles: what systemd-tmpfiles does to files of nodes at the next boot: path, change, and the file that says so.
    starts: what starts a node or EPMD at the next boot: which of them, the file that says so, and its unit, "" for another file.
    sysusers: memberships that systemd-sysusers adds when it runs next: user, group, and the file that says so.
    served: files of nodes that a file server gives to other hosts: path, server, directory, and the file that says so.
    package_files: files of OTP and its products that differ from their Debian packages.
    """

    core_pattern: str | None = None
    suid_dumpable: int | None = None
    ptrace_scope: int | None = None
    hidepid: str | None = None
    swaps: tuple[Swap, ...] | None = None
    clock_synchronized: bool | None = None
    time_services: frozenset[str] | None = None
    service_users: Mapping[str, tuple[str, ...]] | None = None
    cookie_arguments: tuple[Exposed, ...] | None = None
    dist_hosts: tuple[str, ...] | None = None
    settings: Mapping[str, Mapping[str, str]] | None = None
    forwards: tuple[Forward, ...] | None = None
    client_ports: Mapping[str, ClientPorts] | None = None
    route_localnet: tuple[str, ...] | None = None
    sysctls_at_boot: tuple[tuple[str, str, str], ...] | None = None
    preloaded: tuple[str, ...] | None = None
    tmpfiles: tuple[tuple[str, str, str], ...] | None = None
    starts: tuple[tuple[str, str, str], ...] | None = None
    sysusers: tuple[tuple[str, str, str], ...] | None = None
    served: tuple[tuple[str, str, str, str], ...] | None = None
    package_files: PackageFiles | None = None

    @classmethod
    def parse(cls, raw: object) -> SystemFacts | None:
        if not isinstance(raw, Mapping):
            return None
        users, settings = raw.get("service_users"), raw.get("settings")
        return cls(
            core_pattern=as_text(raw.get("core_pattern")),
            suid_dumpable=as_int(raw.get("suid_dumpable")),
            ptrace_scope=as_int(raw.get("ptrace_scope")),
            hidepid=as_text(raw.get("hidepid")),
            swaps=each(raw.get("swaps"), Swap.parse),
            clock_synchronized=as_bool(raw.get("clock_synchronized")),
            time_services=as_set(raw.get("time_services")),
            service_users={safe_text(user): as_texts(units) or () for user, units in users.items()} if isinstance(users, Mapping) else None,
            cookie_arguments=each(raw.get("cookie_arguments"), Exposed.parse),
            dist_hosts=as_texts(raw.get("dist_hosts")),
            settings={safe_text(name): _texts(own) for name, own in settings.items()} if isinstance(settings, Mapping) else None,
            forwards=each(raw.get("forwards"), Forward.parse),
            client_ports=parse_all(raw.get("client_ports")),
            route_localnet=as_texts(raw.get("route_localnet")),
            sysctls_at_boot=each(raw.get("sysctls_at_boot"), _sysctl),
            preloaded=as_texts(raw.get("preloaded")),
            tmpfiles=each(raw.get("tmpfiles"), _tmpfile),
            starts=each(raw.get("starts"), _start),
            sysusers=each(raw.get("sysusers"), _sysuser),
            served=each(raw.get("served"), _served),
            package_files=PackageFiles.parse(raw.get("package_files")),
        )


def is_on(value: str) -> bool:
    """Whether a switch of the kernel is on: any number but 0 is, in each way to write it that sysctl takes (proc_dointvec)."""
    return not re.fullmatch(r"[-+]?0[xX]?0*", value.strip())


def _tmpfile(raw: Mapping[str, Any]) -> tuple[str, str, str] | None:
    path, does, where = as_path(raw.get("path")), as_text(raw.get("does")), as_path(raw.get("where"))
    return None if path is None or does is None or where is None else (path, does, where)


def _start(raw: Mapping[str, Any]) -> tuple[str, str, str] | None:
    what, where = as_text(raw.get("what")), as_path(raw.get("where"))
    return None if what is None or where is None else (what, where, as_text(raw.get("unit")) or "")


def _sysuser(raw: Mapping[str, Any]) -> tuple[str, str, str] | None:
    user, group, where = as_text(raw.get("user")), as_text(raw.get("group")), as_path(raw.get("where"))
    return None if user is None or group is None or where is None else (user, group, where)


def _sysctl(raw: Mapping[str, Any]) -> tuple[str, str, str] | None:
    name, value, where = as_text(raw.get("name")), as_text(raw.get("value")), as_path(raw.get("where"))
    return None if name is None or value is None or where is None else (name, value, where)


def _served(raw: Mapping[str, Any]) -> tuple[str, str, str, str] | None:
    path, server = as_path(raw.get("path")), as_text(raw.get("server"))
    directory, where = as_path(raw.get("directory")), as_path(raw.get("where"))
    return None if path is None or server is None or directory is None or where is None else (path, server, directory, where)


def _texts(raw: object) -> Mapping[str, str]:
    return {safe_text(key): safe_text(value) for key, value in as_mapping(raw).items()}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the system around the nodes is set; made by _host/system.py.

Private to this collection. See observation.py for the rules of every field: None is unknown. No field holds a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .client_port_facts import ClientPorts, parse_all
from .packages import PackageFiles
from .untrusted_json import as_bool, as_int, as_mapping, as_path, as_set, as_text, as_texts, each, safe_text, same_address


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

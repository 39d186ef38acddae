# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running node says that it has in force, typed once at the door. Made by _net/running_node.py, read by checks.

Private to this collection. None means unknown: the node did not say, or was not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .untrusted_json import as_bool, as_int, as_mapping, as_path, as_ranges, as_set, as_text, as_texts, each, safe_text, same_address


@dataclass(frozen=True)
class TlsOptions:
    """The options of one side (client or server) of the distribution. names: of all options that are set; the others: values of known ones.

    verify: "verify_peer" or "verify_none". crl_check: "true", "false", "peer" or "best_effort". crl_directory: where it looks for CRLs.
    ciphers: suites by name; "a term" is one that was not understood.
    """

    names: frozenset[str] = frozenset()
    verify: str | None = None
    fail_if_no_peer_cert: bool | None = None
    versions: tuple[str, ...] | None = None
    ciphers: tuple[str, ...] | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None
    crl_check: str | None = None
    crl_directory: str | None = None
    reuse_sessions: bool | None = None
    secure_renegotiate: bool | None = None
    client_renegotiation: bool | None = None

    @classmethod
    def parse(cls, raw: object) -> TlsOptions | None:
        if not isinstance(raw, Mapping):
            return None
        crl, names = raw.get("crl_check"), as_set(raw.get("names"))
        if names is None:
            return None
        return cls(
            names=names,
            verify=as_text(raw.get("verify")),
            fail_if_no_peer_cert=as_bool(raw.get("fail_if_no_peer_cert")),
            versions=as_texts(raw.get("versions")),
            ciphers=as_texts(raw.get("ciphers")),
            ca_file=as_path(raw.get("cacertfile")),
            certificate_file=as_path(raw.get("certfile")),
            key_file=as_path(raw.get("keyfile")),
            crl_check=str(crl).lower() if isinstance(crl, bool) else as_text(crl),
            crl_directory=as_path(raw.get("crl_directory")),
            reuse_sessions=as_bool(raw.get("reuse_sessions")),
            secure_renegotiate=as_bool(raw.get("secure_renegotiate")),
            client_renegotiation=as_bool(raw.get("client_renegotiation")),
        )


@dataclass(frozen=True)
class NodeLink:
    """One connection of a node that is up. protocol: "tls" or "tcp"."""

    node: str
    address: str | None
    port: int | None
    protocol: str | None
    hidden: bool

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> NodeLink | None:
        node, address = as_text(raw.get("node")), as_text(raw.get("address"))
        if node is None:
            return None
        return cls(node, same_address(address) if address else None, as_int(raw.get("port")), as_text(raw.get("protocol")), bool(raw.get("hidden")))


@dataclass(frozen=True)
class InForce:
    """What one node has in force.

    server, client: None where it has no TLS options for that side. allowed: the allow list; empty: every name may connect. other_cookies: nodes
    for which it uses another cookie than its own. replaceable_code: directories of its code path in which somebody beside root can put code, and
    who. added_code: directories of its code path that are neither in its OTP nor in its arguments. foreign_code: modules of OTP that decide who
    connects and are not those of its files: name, where it is loaded from, whether that file differs. code_from_nowhere: its other modules that come
    from no directory of its code path: name and path, which may be empty. trusted: SHA-256 of the certificates of its CA files that it has in
    memory, () where it reads the file at the next handshake. ssh_daemons: how many SSH servers run in it. atoms: how many it has, and the most that
    it can have. boot_server: whether it serves files to other hosts.
    guest_everywhere, anonymous: of RabbitMQ, whether its user guest connects from other hosts, and who clients without credentials are ("none").
    known_passwords: its users with a password that everybody knows.
    pinned: the addresses of each name in its own list; lookup: where it looks first, "file" is that list.
    """

    server: TlsOptions | None = None
    client: TlsOptions | None = None
    allowed: frozenset[str] | None = None
    other_cookies: tuple[str, ...] | None = None
    links: tuple[NodeLink, ...] | None = None
    replaceable_code: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    added_code: tuple[str, ...] | None = None
    foreign_code: tuple[tuple[str, str, bool], ...] | None = None
    code_from_nowhere: tuple[tuple[str, str], ...] | None = None
    trusted: frozenset[str] | None = None
    ssh_daemons: int | None = None
    atoms: tuple[int, int] | None = None
    boot_server: bool | None = None
    guest_everywhere: bool | None = None
    anonymous: str | None = None
    known_passwords: tuple[str, ...] | None = None
    pinned: Mapping[str, tuple[str, ...]] | None = None
    lookup: str | None = None

    @classmethod
    def parse(cls, raw: object) -> InForce | None:
        if not isinstance(raw, Mapping):
            return None
        tls = raw.get("tls")
        sides = tls if isinstance(tls, Mapping) else {}
        allowed = as_texts(raw.get("allowed"))
        return cls(
            server=TlsOptions.parse(sides.get("server")),
            client=TlsOptions.parse(sides.get("client")),
            allowed=None if allowed is None else frozenset(allowed),
            other_cookies=as_texts(raw.get("other_cookies")),
            links=each(raw.get("links"), NodeLink.parse),
            replaceable_code=each(raw.get("replaceable_code"), _replaceable),
            added_code=as_texts(raw.get("added_code")),
            foreign_code=each(raw.get("foreign_code"), _foreign),
            code_from_nowhere=each(raw.get("code_from_nowhere"), _nowhere),
            trusted=as_set(raw.get("trusted")),
            ssh_daemons=as_int(raw.get("ssh_daemons")),
            atoms=next(iter(as_ranges([raw.get("atoms")]) or ()), None),
            boot_server=as_bool(raw.get("boot_server")),
            guest_everywhere=as_bool(as_mapping(raw.get("rabbitmq")).get("guest_everywhere")),
            anonymous=as_text(as_mapping(raw.get("rabbitmq")).get("anonymous")),
            known_passwords=as_texts(as_mapping(raw.get("rabbitmq")).get("known_passwords")),
            pinned=_pinned(as_mapping(raw.get("names")).get("pinned")),
            lookup=as_text(as_mapping(raw.get("names")).get("first")),
        )


def _pinned(raw: object) -> Mapping[str, tuple[str, ...]] | None:
    if not isinstance(raw, Mapping):
        return None
    found = {safe_text(name): as_texts(addresses) for name, addresses in raw.items()}
    return {name: tuple(map(same_address, addresses or ())) for name, addresses in found.items()}


def _foreign(raw: Mapping[str, Any]) -> tuple[str, str, bool] | None:
    module, path = as_text(raw.get("module")), as_text(raw.get("path"))
    return None if module is None or path is None else (module, path, raw.get("changed") == "modified")


def _nowhere(raw: Mapping[str, Any]) -> tuple[str, str] | None:
    module, path = as_text(raw.get("module")), as_text(raw.get("path"))
    return None if module is None or path is None else (module, path)


def _replaceable(raw: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    path, by = as_path(raw.get("path")), as_texts(raw.get("by"))
    return None if path is None or by is None else (path, by)


@dataclass(frozen=True)
class Link:
    """One established distribution connection of a VM as the kernel of its host sees it, by link_info.

    incoming: it was opened from the other end. remote_port: of the other end. wire: "tls", "clear", "unclear", "silent" or "unwatched".
    """

    node: str | None
    pid: int | None
    incoming: bool
    local_port: int
    address: str
    remote_port: int
    wire: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Link | None:
        address, local, remote = as_text(raw.get("remote_address")), as_int(raw.get("local_port")), as_int(raw.get("remote_port"))
        if address is None or local is None or remote is None:
            return None
        wire = as_text(raw.get("wire")) or "unwatched"
        return cls(as_text(raw.get("node")), as_int(raw.get("pid")), raw.get("direction") == "in", local, same_address(address), remote, wire)

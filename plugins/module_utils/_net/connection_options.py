# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say how to connect, shared by every module that does.

`plugins/doc_fragments/connection.py` documents them; a test compares the two.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any

from .._model.secret_rules import in_file
from .._wire.constants import EPMD_PORT, PROBE_NAME
from .._wire.handshake import split_node
from .node import Peer
from .tls import VERSIONS, Tls

# A name that no node has: a live node's name would take its link over, and each new name costs the peer an atom for ever.


class OptionError(Exception):
    """Options that make no sense; the message names option and rule."""


def tls_spec(*, defaults: bool) -> dict[str, Any]:
    """The suboptions of `tls`; those of one target have no defaults of their own."""
    versions: dict[str, Any] = {"type": "list", "elements": "str", "choices": sorted(VERSIONS)}
    verify: dict[str, Any] = {"type": "bool"}
    if defaults:
        versions["default"] = ["tlsv1.3"]
        verify["default"] = True
    return {
        "ca": {"type": "path"},
        "certificate": {"type": "path"},
        "key": {"type": "path", "no_log": False},
        "versions": versions,
        "verify": verify,
        "server_name": {"type": "str"},
    }


def connection_spec() -> dict[str, Any]:
    """The argument spec of the options common to all modules that connect."""
    return {
        "name": {"type": "str"},
        "cookie_file": {"type": "path"},
        "cookie": {"type": "str", "no_log": True},
        "tls": {"type": "dict", "options": tls_spec(defaults=True)},
        "source": {"type": "str"},
        "epmd_port": {"type": "int", "default": EPMD_PORT},
        "timeout": {"type": "float", "default": 10.0},
        "concurrency": {"type": "int", "default": 32},
    }


def target_spec() -> dict[str, Any]:
    """The suboptions that say who a target is."""
    return {
        "node": {"type": "str", "required": True},
        "host": {"type": "str"},
        "port": {"type": "int"},
    }


CONNECTION_RULES: dict[str, Any] = {"mutually_exclusive": [("cookie", "cookie_file")], "required_one_of": [("cookie", "cookie_file")]}

_COOKIE = re.compile(r"[\x20-\x7e]{1,255}")
_RULE = "a cookie has 1 to 255 printable ASCII characters"


def read_cookie(params: Mapping[str, Any]) -> bytes:
    """The cookie from `cookie`, as it stands there, or from `cookie_file`, as a node would read it. Its text is in no message."""
    if params["cookie"] is not None:
        return cookie_bytes(params["cookie"], "cookie")
    path = params["cookie_file"]
    where = f"cookie_file {path}"
    try:
        with open(path, "rb") as file:
            cookie = in_file(file.read(4096))
    except OSError as error:
        raise OptionError(f"{where}: {error.strerror}") from None
    if cookie is None:
        raise OptionError(f"{where}: {_RULE}, and behind them line breaks and spaces only")
    return cookie


def cookie_bytes(text: str, where: str) -> bytes:
    """The cookie that the option `where` gives. Raises `OptionError`, without its text."""
    if not _COOKIE.fullmatch(text):
        raise OptionError(f"{where}: {_RULE}")
    return text.encode("ascii")


def check_range(params: Mapping[str, Any]) -> None:
    """Check the numbers of the connection options."""
    for option, low, high in (("timeout", 0.1, 600), ("concurrency", 1, 1000), ("epmd_port", 1, 65535), ("port", 1, 65535)):
        value = params.get(option)
        if value is not None and not low <= value <= high:
            raise OptionError(f"{option}: {value} is not between {low} and {high}. Choose a value in that range.")


def our_name(params: Mapping[str, Any]) -> str:
    """The name that we claim: the option, else the reserved probe name on this host."""
    name = params["name"]
    if name is None:
        name = f"{PROBE_NAME}@{socket.gethostname() or 'localhost'}"
    _node(name, "name")
    return name


def _node(name: str, option: str) -> None:
    try:
        split_node(name)
    except ValueError as error:
        raise OptionError(f"{option}: {error}") from None


def make_tls(common: Mapping[str, Any] | None, own: Mapping[str, Any] | None, *, present: str = "own") -> tuple[Tls | None, str | None]:
    """The TLS settings of one target and the name that its certificate has to have (None for the host part of the node's name)."""
    if common is None and own is None:
        return None, None
    merged: dict[str, Any] = {"versions": ["tlsv1.3"], "verify": True}
    for layer in (common, own):
        merged.update({key: value for key, value in (layer or {}).items() if value is not None})
    certificate, key = merged.get("certificate"), merged.get("key")
    if present == "own" and (certificate is None) != (key is None):
        raise OptionError("tls: certificate and key go together, and only one is set. Set both, or none.")
    return Tls(
        ca=merged.get("ca"),
        certificate=certificate if present == "own" else None,
        key=key if present == "own" else None,
        versions=tuple(sorted(merged["versions"])),
        foreign=present == "foreign",
        verify=merged["verify"],
    ), merged.get("server_name")


def make_peer(params: Mapping[str, Any], target: Mapping[str, Any], cookie: bytes | None) -> Peer:
    """The peer that the module's options and one of its targets describe."""
    node = target["node"]
    _node(node, "targets.node")
    port = target.get("port")
    if port is not None and not 1 <= port <= 65535:
        raise OptionError(f"targets.port: {port} is not between 1 and 65535. Choose a port in that range.")
    tls: Tls | None = None
    server_name: str | None = None
    if not target.get("plaintext"):
        tls, server_name = make_tls(params["tls"], target.get("tls"), present=target.get("present") or "own")
    if target.get("cookie"):
        cookie = cookie_bytes(target["cookie"], "targets.cookie")
    name = target.get("name")
    if name is None:
        name = our_name(params)
    else:
        _node(name, "targets.name")
    return Peer(
        node=node, host=target.get("host") or split_node(node)[1], name=name, port=port, epmd_port=params["epmd_port"],
        cookie=None if target.get("wrong_cookie") else cookie, tls=tls, server_name=server_name,
        source=target.get("source") or params["source"],
    )


def make_peers(params: Mapping[str, Any], targets: list[Mapping[str, Any]]) -> list[Peer]:
    """All peers of a module's `targets`."""
    check_range(params)
    cookie = read_cookie(params)
    return [make_peer(params, target, cookie) for target in targets]

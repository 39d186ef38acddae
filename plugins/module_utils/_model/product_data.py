# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a product, `__beam_product` in roles/product/products/<product>/vars.yml, as values.

Private to this collection, pure. ProductData.parse() is its only reader in Python; what only roles need stays in `raw`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .ports import PortRange
from .reserved_flags import Refused


@dataclass(frozen=True)
class ProductData:
    """raw: all of it, which roles get as `product_data` of a node.

    name: what its nodes are called. peer_ports: further ports that its peers, and nobody else, use. kernel: parameters of the application kernel
    that it cannot run without. modes, name_types: those that it can run in; empty means all. tool_ports: where its tools listen for connections of
    nodes; tool_prefix, tool_count: the names of the tools. links: "kept" where it takes a cut link for a split cluster, else "cut". outside_tls: by
    address family, what TLS does not cover (`what` and `fix`). users: accounts that it makes, with their homes. settings: files in which an
    operator configures it; node_name_settings, directory_settings: names there; kernel_settings: names there, and the parameter that each one sets;
    kernel_defaults: of these names, what the product sets when it starts (`value`) where its file (`path`) does not have them; long_name_settings:
    names there that say whether node names are long; peer_settings: names there of nodes to connect to; file_settings: names there of further
    files, and their syntax, "database" where one names the directory of database; refused_settings: names there that an operator must not set.
    database: file that holds the node's name. writable: directories of its unit, a dash in front where one may be missing. capabilities: those that
    its unit keeps. otp_releases: [version from which on it counts, highest release of OTP], oldest first. finds_peers: whether a node joins by
    itself. programs: what its package starts; empty where no role installs it. home_of_account: whether a node takes its home from passwd(5).
    blocks: files of the operator's that get a block of ours.
    """

    raw: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    name: str = "beam"
    peer_ports: tuple[PortRange, ...] = ()
    kernel: Mapping[str, object] = field(default_factory=dict)
    modes: tuple[str, ...] = ()
    name_types: tuple[str, ...] = ()
    tool_ports: PortRange | None = None
    tool_prefix: str = ""
    tool_count: int = 0
    links: str = "cut"
    outside_tls: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    settings: tuple[Mapping[str, str], ...] = ()
    node_name_settings: tuple[str, ...] = ()
    directory_settings: tuple[str, ...] = ()
    kernel_settings: Mapping[str, str] = field(default_factory=dict)
    kernel_defaults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    long_name_settings: tuple[str, ...] = ()
    peer_settings: tuple[str, ...] = ()
    file_settings: Mapping[str, str] = field(default_factory=dict)
    refused_settings: Mapping[str, Refused] = field(default_factory=dict)
    database: str = ""
    writable: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    otp_releases: tuple[Sequence[object], ...] = ()
    finds_peers: bool = False
    programs: tuple[str, ...] = ()
    home_of_account: bool = False
    blocks: tuple[str, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> ProductData:
        """Raises PortRangeError, KeyError, TypeError or AttributeError where it is no data of a product."""
        ports, tools = raw.get("tool_ports"), raw.get("tool_names") or {}
        lists = (
            "modes", "settings", "node_name_settings", "directory_settings", "long_name_settings", "peer_settings", "writable", "capabilities",
            "otp_releases", "programs",
        )  # fmt: skip
        return cls(
            raw=raw,
            kind=str(raw.get("kind") or ""),
            name=str(raw.get("name") or "beam"),
            peer_ports=tuple(map(PortRange.parse, raw.get("peer_ports") or ())),
            kernel=raw.get("kernel") or {},
            name_types=tuple(raw.get("names") or ()),
            tool_ports=PortRange(ports["first"], ports["last"]) if ports else None,
            tool_prefix=str(tools.get("prefix") or ""),
            tool_count=int(tools.get("count") or 0),
            links=str(raw.get("links") or "cut"),
            outside_tls={int(address_family): one for address_family, one in (raw.get("outside_tls") or {}).items()},
            users=(raw.get("managed") or {}).get("users") or {},
            kernel_settings=raw.get("kernel_settings") or {},
            kernel_defaults=raw.get("kernel_defaults") or {},
            file_settings=raw.get("file_settings") or {},
            refused_settings={name: Refused.parse(one) for name, one in (raw.get("refused_settings") or {}).items()},
            database=str(raw.get("database") or ""),
            finds_peers=bool(raw.get("finds_peers")),
            home_of_account=bool(raw.get("home_of_account")),
            blocks=tuple(one["path"] for one in (raw.get("managed") or {}).get("blocks") or ()),
            **{name: tuple(raw.get(name) or ()) for name in lists},
        )

    def of_node(self, words: Mapping[str, str]) -> ProductData:
        """With {node}, {name}, ... replaced by the node's own words; all else in braces stays as it is ({mark} is Ansible's)."""
        return self.parse(_expand(self.raw, words))

    def extended(self, **more: object) -> ProductData:
        """With the entries that have a value."""
        return self.parse({**self.raw, **{name: value for name, value in more.items() if value}})

    def text(self, name: str, words: Mapping[str, str]) -> str:
        """An entry that every product has, with its words replaced. Raises KeyError."""
        return str(_expand(self.raw[name], words))


NO_DATA = ProductData()


def _expand(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for word, meaning in words.items():
            value = value.replace(f"{{{word}}}", meaning)
        return value
    if isinstance(value, Mapping):
        return {_expand(key, words): _expand(one, words) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_expand(one, words) for one in value]
    return value

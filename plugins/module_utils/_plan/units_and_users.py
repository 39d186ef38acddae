# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host runs a node: unit, user, directories, from the data of the node's product and from the operator's own names.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._model.names import NodeName
from .._model.ports import PortRange

CONFIGURATION = "/etc/beam"
"""Directory of all files of ours on a host; each node has one of its own below it."""

# systemd.unit(5): letters, digits and :-_.\, an instance after the @ of a template. A user's name as systemd takes it in strict mode, see
# https://systemd.io/USER_NAMES/.
_UNIT = re.compile(r"[A-Za-z0-9:_.\\-]+(?:@[A-Za-z0-9:_.\\-]+)?\.service")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,30}")
UNIT_LONGEST = 255


@dataclass(frozen=True)
class Runtime:
    """How a host runs a node. All empty for a member that is known from `beam_members` alone.

    `data` is the product's data (roles/product/products/<product>/vars.yml), its words {node}, {name}, ... replaced by the node's own values.
    """

    product: str = ""
    unit: str = ""
    user: str = ""
    group: str = ""
    home: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return str(self.data.get("kind", ""))

    @property
    def peer_ports(self) -> tuple[PortRange, ...]:
        """Further ports of the product that its peers, and nobody else, use."""
        return tuple(PortRange.parse(ports) for ports in self.data.get("peer_ports") or ())

    @property
    def kernel(self) -> Mapping[str, object]:
        """Kernel parameters that the product cannot run without."""
        return self.data.get("kernel") or {}

    @property
    def modes(self) -> Sequence[str]:
        """The modes that the product can run in; empty means all."""
        return self.data.get("modes") or ()

    @property
    def name_types(self) -> Sequence[str]:
        """The types of node names that the product can have; empty means all."""
        return self.data.get("names") or ()

    @property
    def tools_listen(self) -> bool:
        """Whether nodes connect to the product's tools, so that a tool needs EPMD."""
        return bool(self.data.get("tool_ports"))

    @property
    def links(self) -> str:
        """`kept` where the product takes a cut link for a split cluster, else `cut`."""
        return str(self.data.get("links") or "cut")

    def caveat(self, address_family: int) -> Mapping[str, str] | None:
        """What TLS does not cover with addresses of this family: `what` and `fix`."""
        found: Mapping[str, str] | None = (self.data.get("outside_tls") or {}).get(address_family)
        return found

    def as_dict(self, node: NodeName) -> dict[str, object]:
        return {
            "product": self.product,
            "kind": self.kind,
            "unit": self.unit,
            "user": self.user,
            "group": self.group,
            "home": self.home,
            "directory": f"{CONFIGURATION}/{node}",
            "product_data": self.data,
        }


def runtime(product: str, data: Mapping[str, Any], name: NodeName, unit: str | None, user: str | None) -> Runtime:
    """`unit` and `user` are the operator's, checked; None for the product's. A user of the operator's is its own group."""
    words = {"node": str(name), "name": name.name, "host_part": name.host_part, "directory": f"{CONFIGURATION}/{name}"}
    words["unit"] = unit or expand(str(data["unit"]), words)
    words["user"] = user or expand(str(data["user"]), words)
    words["home"] = expand(str(data["home"]), words)
    group = user or expand(str(data.get("group", data["user"])), words)
    return Runtime(product, words["unit"], words["user"], group, words["home"], expand(data, words))


def expand(value: Any, words: Mapping[str, str]) -> Any:
    """Product data with its known words in braces replaced; all else in braces stays as it is ({mark} is Ansible's)."""
    if isinstance(value, str):
        for word, meaning in words.items():
            value = value.replace(f"{{{word}}}", meaning)
        return value
    if isinstance(value, Mapping):
        return {expand(key, words): expand(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [expand(one, words) for one in value]
    return value


def is_unit_name(value: object) -> bool:
    """Whether a value is the name of a service that can be started, as systemd.unit(5) has it."""
    return isinstance(value, str) and len(value) <= UNIT_LONGEST and _UNIT.fullmatch(value) is not None


def is_user_name(value: object) -> bool:
    return isinstance(value, str) and _USER.fullmatch(value) is not None

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a host runs a node: unit, user, directories, from the data of the node's product and from the operator's own names.

Private to this collection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .._model.names import NodeName
from .._model.product_data import ProductData

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

    `data` is the product's, its words {node}, {name}, ... replaced by the node's own values.
    """

    product: str = ""
    unit: str = ""
    user: str = ""
    group: str = ""
    home: str = ""
    data: ProductData = field(default_factory=ProductData)

    def as_dict(self, node: NodeName) -> dict[str, object]:
        return {
            "product": self.product,
            "kind": self.data.kind,
            "unit": self.unit,
            "user": self.user,
            "group": self.group,
            "home": self.home,
            "directory": f"{CONFIGURATION}/{node}",
            "product_data": self.data.raw,
        }


def runtime(product: str, data: ProductData, name: NodeName, unit: str | None, user: str | None) -> Runtime:
    """`unit` and `user` are the operator's, checked; None for the product's. A user of the operator's is its own group."""
    words = {"node": str(name), "name": name.name, "host_part": name.host_part, "directory": f"{CONFIGURATION}/{name}"}
    words["unit"] = unit or data.text("unit", words)
    words["user"] = user or data.text("user", words)
    words["home"] = data.text("home", words)
    group = user or data.text("group" if "group" in data.raw else "user", words)
    return Runtime(product, words["unit"], words["user"], group, words["home"], data.of_node(words))


def is_unit_name(value: object) -> bool:
    """Whether a value is the name of a service that can be started, as systemd.unit(5) has it."""
    return isinstance(value, str) and len(value) <= UNIT_LONGEST and _UNIT.fullmatch(value) is not None


def is_user_name(value: object) -> bool:
    return isinstance(value, str) and _USER.fullmatch(value) is not None

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to look at on one host, from its own variables: before there is a plan, and whatever is wrong with them.

Private to this collection. A mistake in the variables means fewer questions here; the plan reports it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .._model.names import NodeName
from .._model.product_data import ProductData
from .._model.reserved_flags import CRASH_DUMPS, VARIABLES
from .units_and_users import Runtime, is_unit_name, is_user_name, runtime

CERTIFICATE_FILES = ("beam_pki_certificate", "beam_pki_key", "beam_pki_ca")


def of_host(host: str, own: Mapping[str, object], products: Mapping[str, ProductData]) -> dict[str, Any]:
    """The options `nodes`, `users`, `otp_root`, `writes` and `files` of the module observe. `own`: the host's variables, defaults included."""
    runtimes = list(_runtimes(host, own, products))
    root = own.get("beam_otp_root")
    users = [user for one in runtimes for user in (*one.data.users, one.user)]
    blocks = [path for one in runtimes for path in one.data.blocks]
    return {
        "nodes": [question(one) for one in runtimes],
        "users": sorted({*users, "epmd"} if runtimes else users),
        "otp_root": root if isinstance(root, str) else "",
        "files": [*(path for path in map(own.get, CERTIFICATE_FILES) if isinstance(path, str) and path.startswith("/")), *blocks],
        "writes": list(dict.fromkeys((*blocks, *(path for one in runtimes for path in _written(one) if path.startswith("/"))))),
    }


def _written(one: Runtime) -> tuple[str, ...]:
    units = (f"/etc/systemd/system/{one.unit}.{kind}" for kind in ("d", "requires", "wants"))
    return (one.home, f"{one.home}/.erlang.cookie", *(path.lstrip("-") for path in one.data.writable), *units)


def question(one: Runtime) -> dict[str, object]:
    """An entry of the option `nodes`."""
    data = one.data
    refused = {**VARIABLES, **CRASH_DUMPS, **data.refused_settings}
    named = (*data.node_name_settings, *data.directory_settings, *data.kernel_settings, *data.long_name_settings, *data.file_settings)
    return {
        "unit": one.unit,
        "files": list(data.settings),
        "values": [*named, *data.peer_settings, *(name for name, entry in refused.items() if entry.allowed)],
        # A value that may be a secret stays on the host.
        "names": [name for name, entry in refused.items() if not entry.allowed],
        "moved": dict(data.file_settings),
        "database": data.database,
        "home": one.home,
    }


def _runtimes(host: str, own: Mapping[str, object], products: Mapping[str, ProductData]) -> Iterator[Runtime]:
    for product, name, entry in _names(host, own):
        data = products.get(product) if isinstance(product, str) else None
        unit, user = entry.get("unit"), entry.get("user")
        if not data or not (unit is None or is_unit_name(unit)) or not (user is None or is_user_name(user)):
            continue
        text = name if isinstance(name, str) else ""
        if "@" not in text:
            scalar = own.get("beam_node_name")
            host_part = scalar.split("@")[-1] if isinstance(scalar, str) else host
            text = f"{text or data.name}@{host_part}"
        try:
            yield runtime(str(product), data, NodeName.parse(text), str(unit) if unit else None, str(user) if user else None)
        except ValueError:
            continue


def _names(host: str, own: Mapping[str, object]) -> Iterator[tuple[object, object, Mapping[str, object]]]:
    """Product, node name and entry of each node of the host."""
    product, members, listed = own.get("beam_product"), own.get("beam_members"), own.get("beam_nodes")
    if isinstance(members, (list, tuple)):
        for member in members:
            node = member.get("node") if isinstance(member, Mapping) else None
            if isinstance(node, str) and (member.get("host") == host or (not member.get("host") and _is_of(host, own, node, member))):
                yield product, node, {}
    elif isinstance(listed, (list, tuple)):
        for entry in listed:
            if isinstance(entry, Mapping):
                yield entry.get("product") or product, entry.get("name") or own.get("beam_node_name"), entry
    else:
        yield product, own.get("beam_node_name"), {}


def _is_of(host: str, own: Mapping[str, object], node: str, member: Mapping[str, object]) -> bool:
    """Whether a member that names no host is this host's, as far as its variables say."""
    return node.partition("@")[2] == host or member.get("address") in (own.get("beam_address"), own.get("ansible_host"), host)

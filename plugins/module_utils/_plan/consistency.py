# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the members together: names, listeners, ports, products, one type of names and one address family.

Private to this collection. Each function takes all members once and is linear in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from .._model import addresses
from .._model.addresses import Address
from .._model.names import NodeName
from .._model.problems import Problems
from .cluster import Inventory, Node
from .cluster_variables import Shape, boolean, shown_choice
from .members import Membership
from .variable_names import MISSING

T = TypeVar("T")


def check_names(members: Sequence[Node], shape: Shape, problems: Problems) -> None:
    """No two nodes of one name, no two of a host with one name for EPMD or one unit, and one address for each host part."""
    seen: dict[NodeName, Node] = {}
    local: dict[tuple[str, str], Node] = {}
    units: dict[tuple[str, str], Node] = {}
    pinned: dict[str, Node] = {}
    for member in members:
        twin = seen.setdefault(member.node, member)
        if twin is not member:
            problems.add(
                member.host,
                "beam_node_name",
                "node_name_duplicate",
                f"the node {member.node} is also on {twin.host or twin.address}.",
                "give every node a name of its own.",
            )
            continue
        if member.host:
            _check_names_on_host(member, shape, local, units, problems)
        other = pinned.setdefault(member.node.host_part, member)
        if other.address != member.address:
            problems.add(
                member.host,
                "beam_node_name",
                "name_has_two_addresses",
                f"{member.node.host_part} would be {other.address} for {other.node} and {member.address} for {member.node}.",
                "use one name after the @ for one address.",
            )
        if member.node.kind == "ip" and addresses.parse(member.node.host_part) != member.address:
            problems.add(
                member.host,
                "beam_node_name",
                "name_is_another_address",
                f"{member.node} names an address that is not its own, {member.address}.",
                "use the node's own address after the @.",
            )


def _check_names_on_host(
    member: Node, shape: Shape, local: dict[tuple[str, str], Node], units: dict[tuple[str, str], Node], problems: Problems
) -> None:
    # Without EPMD the part before the @ alone names nothing.
    other = local.setdefault((member.host, member.node.name if shape.uses_epmd else str(member.node)), member)
    if other is not member:
        problems.add(
            member.host,
            "beam_nodes",
            "epmd_name_duplicate",
            f"{other.node} and {member.node} would both be {member.node.name} in the host's EPMD.",
            "use different names before the @.",
        )
    elif member.runtime.unit:
        other = units.setdefault((member.host, member.runtime.unit), member)
        if other is not member:
            problems.add(
                member.host,
                "beam_nodes",
                "unit_duplicate",
                f"{other.node} and {member.node} would share the unit {member.runtime.unit}.",
                "give each node a unit of its own.",
            )


def check_listeners(members: Sequence[Node], shape: Shape, problems: Problems) -> None:
    """An address belongs to one host, and a port at an address to one node."""
    at: dict[Address, list[Node]] = {}
    for member in members:
        at.setdefault(member.address, []).append(member)
    for address, sharing in at.items():
        if len({member.host for member in sharing}) > 1 and not shape.alone:
            _refuse_shared_address(address, sharing, problems)
            continue
        sharing.sort(key=lambda member: (member.host, member.port_range, str(member.node)))
        for left, right in zip(sharing, sharing[1:]):
            if shape.uses_epmd and left.host == right.host and left.port_range.overlaps(right.port_range) and left.node != right.node:
                problems.add(
                    right.host,
                    "beam_ports",
                    "port_range_overlap",
                    f"{left.node} ({left.port_range}) and {right.node} ({right.port_range}) share ports at {address}.",
                    "give each node ports of its own.",
                )


def _refuse_shared_address(address: Address, sharing: Sequence[Node], problems: Problems) -> None:
    """The first hosts are named only: a wrong group_vars gives all hosts one address."""
    labels = list(dict.fromkeys(member.host or str(member.node) for member in sharing))
    for member in sharing:
        others = [label for label in labels[:7] if label != (member.host or str(member.node))]
        more = len(labels) - 1 - len(others)
        rest = f" and {more} more" if more > 0 else ""
        problems.add(
            member.host,
            "beam_address",
            "address_duplicate",
            f"{address} is also the address of {', '.join(others)}{rest}.",
            "give every host an address of its own.",
        )


def check_fixed_ports(members: Sequence[Node], shape: Shape, problems: Problems) -> None:
    """Without EPMD no peer can ask for a port: it is one and the same everywhere, and an address has room for one node."""
    if not shape.fixed_port or not members:
        return
    common = Counter(member.port_range for member in members).most_common(1)[0][0]
    at: dict[tuple[str, Address], Node] = {}
    for member in members:
        if member.port_range.first != member.port_range.last:
            problems.add(
                member.host,
                "beam_ports",
                "fixed_port_range",
                f"{member.node} has the ports {member.port_range}, and a fixed port is a single one.",
                "set beam_ports to one port, the same on every member.",
            )
        elif member.port_range != common:
            problems.add(
                member.host,
                "beam_ports",
                "fixed_port_differs",
                f"{member.node} has the port {member.port_range}, most members have {common}, and a node connects to its peers at its own port.",
                "set beam_ports once, in the group_vars of the cluster's group.",
            )
        other = at.setdefault((member.host, member.address), member)
        if other is not member and other.node != member.node:
            problems.add(
                member.host,
                "beam_nodes",
                "fixed_port_shared",
                f"{other.node} and {member.node} would both listen on {member.address} port {common}.",
                "give each an address of its own, or set beam_discovery: epmd.",
            )


def check_settings(inventory: Inventory, members: Sequence[Node], shape: Shape, problems: Problems) -> None:
    """A kernel parameter that a product cannot run without must not be set to another value."""
    for member in members:
        for name, value in member.runtime.data.kernel.items():
            given = inventory.values.get(f"beam_{name}", {}).get(member.host, MISSING)
            if given not in (MISSING, None) and shape.settings.get(name, value) != value:
                problems.add(
                    member.host,
                    f"beam_{name}",
                    "setting_of_product",
                    f"{member.node} is {member.runtime.product}, which runs with {shown_choice(value)} only.",
                    f"remove beam_{name}.",
                )


def check_products(members: Sequence[Node], shape: Shape, problems: Problems) -> None:
    """What a product's data says that it cannot do: run in the mode, have such a name, have tools that nodes connect to at their own port."""
    for member in members:
        product = member.runtime.data
        what = f"{member.node} is {member.runtime.product}, which cannot"
        if product.modes and shape.mode and shape.mode not in product.modes:
            problems.add(
                member.host,
                "beam_mode",
                "mode_of_product",
                f"{what} run as {shape.mode}: its own tools connect to it by distribution.",
                f"choose one of: {', '.join(product.modes)}.",
            )
        if product.name_types and member.node.kind not in product.name_types:
            problems.add(
                member.host,
                "beam_node_name",
                "name_of_product",
                f"{what} have a {member.node.kind} name.",
                "give every member a name whose host part is a name with a domain, or an address.",
            )
        if product.tool_ports and shape.fixed_port:
            problems.add(
                member.host,
                "beam_discovery",
                "discovery_of_product",
                f"{what} run without EPMD: its nodes connect to its command line tools, and would connect to them at the node's own port.",
                "set beam_discovery to epmd.",
            )


def check_loopback_names(members: Sequence[Node], shape: Shape, problems: Problems) -> None:
    """The host part of a node is pinned to its cluster address, in the node itself as well."""
    for member in members:
        host_part = member.node.host_part
        if not shape.alone and host_part.partition(".")[0].lower() == "localhost":
            problems.add(
                member.host,
                "beam_node_name",
                "name_of_loopback",
                f"{host_part} in {member.node} would mean {member.address} to the node, and its connections to {host_part} would go there.",
                "choose another host part, or set beam_mode: standalone for a single node.",
            )


def check_product_ports(members: Sequence[Node], problems: Problems) -> None:
    """The distribution of a node must leave the further ports of its product alone."""
    for member in members:
        data = member.runtime.data
        for what, ports in (*(("its peers", ports) for ports in data.peer_ports), *((("its tools", data.tool_ports),) if data.tool_ports else ())):
            if member.port_range.overlaps(ports):
                refuse_product_port(member, str(ports), what, problems)
                break


def refuse_product_port(member: Node, ports: str, what: str, problems: Problems) -> None:
    problems.add(
        member.host,
        "beam_ports",
        "port_range_of_product",
        f"the ports {member.port_range} of {member.node} contain {ports}, which {member.runtime.product} uses for {what}.",
        "choose other ports for the whole cluster.",
    )


def check_hidden_hosts(inventory: Inventory, members: Sequence[Node], problems: Problems) -> None:
    """A host whose node is to join hidden must be a member: else the node is on no allow list."""
    homes = {member.host for member in members}
    for host in inventory.run:
        if host not in homes and boolean(inventory.values.get("beam_hidden", {}).get(host, MISSING)):
            problems.add(
                host,
                "beam_hidden",
                "hidden_non_member",
                "beam_hidden is true, but the host is not a member: no allow list would contain its node.",
                "put it into the cluster's group (or into beam_members); a hidden node is a member.",
            )


def common_name_type(members: Sequence[Node], problems: Problems) -> str:
    """`short`, `long` or `ip`; the minority is named where there is more than one."""
    common = _most_common([member.node.kind for member in members], "short")
    for member in members:
        if member.node.kind != common:
            problems.add(
                member.host,
                "beam_node_name",
                "names_mixed",
                f"{member.node} is a{'n' if member.node.kind == 'ip' else ''} {member.node.kind} name, most members have {common} names, "
                "and nodes of different types cannot connect.",
                "write every host part as a bare name, or every one as a name with a domain, or every one as an address.",
            )
    return common


def common_address_family(membership: Membership, problems: Problems) -> int:
    """4 or 6; the minority is named where there is more than one."""
    common = _most_common([member.address.version for member in membership.members], 4)
    for member in membership.members:
        version = member.address.version
        if version == common:
            continue
        choice = membership.interface_choices.get((member.host, member.address))
        if choice is None:
            problems.add(
                member.host,
                "beam_address",
                "family_mixed",
                f"{member.address} is IPv{version}, most members have IPv{common} addresses, and a node uses one family only.",
                "choose addresses of one family.",
            )
            continue
        has = f"is used with its IPv{version} address" if len(choice.families) > 1 else f"has no IPv{common} address that peers can reach"
        problems.add(
            member.host,
            choice.variable,
            "interface_family",
            f"the interface {choice.interface} {has}, and most members have IPv{common} addresses.",
            f"set beam_address to an IPv{common} address of the host.",
        )
    return common


def _most_common(found: Sequence[T], default: T) -> T:
    """The first of the most frequent ones."""
    return Counter(found).most_common(1)[0][0] if found else default

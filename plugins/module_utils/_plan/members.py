# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The members: each node with its name, address, ports and product, from the variables of its host or from `beam_members`.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .._model import addresses
from .._model.addresses import Address
from .._model.names import NodeName
from .._model.ports import PortRange, PortRangeError
from .._model.problems import Problems, join_names, shown
from .._model.product_data import NO_DATA, ProductData
from .._wire.constants import EPMD_PORT
from . import variable_names
from .cluster import Departing, Inventory, Node
from .cluster_address import InterfaceChoice, place, read_address
from .cluster_variables import STATES, Shape, check_keys, host_flag, read_choice, read_flag
from .group import Hosts, lists_members
from .units_and_users import Runtime, is_unit_name, is_user_name, runtime
from .variable_names import MISSING

Entry = Mapping[str, object]
"""One entry of `beam_nodes`."""

_NODE_KEYS = ("name", "address", "interface", "ports", "product", "unit", "user", "hidden", "state")
_MEMBER_KEYS = ("node", "address", "ports", "host", "hidden")
_PORT_FIXES = {
    "ports_format": "write one port ('9100') or a range ('9100-9109').",
    "port_range_reversed": "write the lower port first.",
    "port_range_bounds": "choose ports from 1024 to 65535.",
    "port_range_overlaps_epmd": f"choose ports without {EPMD_PORT}.",
}


@dataclass(frozen=True)
class Membership:
    """The cluster's nodes. `interface_choices` says which addresses were taken from an interface, by host and address."""

    members: tuple[Node, ...]
    departing: tuple[Departing, ...]
    interface_choices: Mapping[tuple[str, Address], InterfaceChoice]

    def by_host(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for member in self.members:
            if member.host:
                found.setdefault(member.host, []).append(member)
        return found


def read_listed(inventory: Inventory, problems: Problems) -> tuple[Node, ...] | None:
    """The members from `beam_members`, None where a group says who they are."""
    if not lists_members(inventory):
        return None
    given = variable_names.cluster_value("beam_members", {host: inventory.value("beam_members", host) for host in inventory.run}, problems)
    if not isinstance(given, (list, tuple)) or not given:
        problems.add(
            "",
            "beam_members",
            "member_list",
            "the value is not a list with at least one entry.",
            "list {node, address, ports} of each member.",
        )
        return ()
    hosts_by_address = {seen.address: host for host in reversed(inventory.run) for seen in inventory.seen_addresses(host)}
    found = [_read_listed_member(inventory, index, entry, hosts_by_address, problems) for index, entry in enumerate(given)]
    return tuple(member for member in found if member is not None)


def read_members(inventory: Inventory, shape: Shape, hosts: Hosts, listed: Sequence[Node] | None, problems: Problems) -> Membership:
    """Every node of the cluster, sorted by name."""
    members: list[Node] = []
    departing: list[Departing] = []
    choices: dict[tuple[str, Address], InterfaceChoice] = {}
    if listed is None:
        for host in hosts.absent:
            departing.extend(_departing_of(inventory, host, problems))
        for host in hosts.present:
            nodes, absent = _nodes_of(inventory, shape, host, choices, problems)
            members.extend(nodes)
            departing.extend(absent)
    else:
        gone = frozenset(hosts.absent)
        departing = [Departing(node.node, node.host, node.runtime, (str(node.address),)) for node in listed if node.host in gone]
        members = [node for node in listed if node.host not in gone]
    members.sort(key=lambda member: (str(member.node), member.host))
    return Membership(tuple(members), tuple(departing), choices)


def _read_listed_member(inventory: Inventory, index: int, entry: object, hosts_by_address: Mapping[str, str], problems: Problems) -> Node | None:
    where = f"beam_members[{index}]"
    good = check_keys("", "beam_members", f"entry {index + 1}", entry, _MEMBER_KEYS, ("node", "address"), problems)
    if good is None:
        return None
    name = _read_name("", f"{where}.node", good["node"], problems)
    address = read_address("", f"{where}.address", good["address"], problems)
    ports = good.get("ports")
    port_range = _read_port_range("", f"{where}.ports", inventory.defaults["beam_ports"] if ports is None else ports, problems)
    host = good.get("host")
    if host is not None and not isinstance(host, str):
        problems.add("", f"{where}.host", "type", f"{shown(host)} is not a host's name.", "write the inventory name of the host.")
        return None
    if name is None or address is None or port_range is None:
        return None
    if not host:
        host = name.host_part if name.host_part in inventory.run_set else hosts_by_address.get(str(address), "")
    own = _read_runtime(inventory, host, name, {}, "", problems) if host in inventory.run_set else Runtime()
    if own is None:
        return None
    return Node(name, host, address, port_range, own, _read_hidden(inventory, host, good, f"{where}.", problems))


def _read_hidden(inventory: Inventory, host: str, entry: Entry, where: str, problems: Problems) -> bool:
    if "hidden" in entry:
        return bool(read_flag(f"{where}hidden", entry["hidden"], host, problems))
    return bool(host) and host_flag(inventory, "beam_hidden", host, problems)


def _entries(inventory: Inventory, host: str, problems: Problems) -> list[tuple[str, Entry]]:
    """The entries of `beam_nodes`, each with its place; without it, the variables of the host are those of one node."""
    given = inventory.value("beam_nodes", host)
    if given is MISSING:
        return [("", {})]
    if not isinstance(given, (list, tuple)) or not given:
        problems.add(
            host, "beam_nodes", "type", "the value is not a list with at least one entry.", "list the nodes, or remove beam_nodes for one node."
        )
        return []
    required = ("name",) if len(given) > 1 else ()
    checked = [check_keys(host, "beam_nodes", f"entry {number}", entry, _NODE_KEYS, required, problems) for number, entry in enumerate(given, 1)]
    return [(f"beam_nodes[{index}].", entry) for index, entry in enumerate(checked) if entry is not None]


def _departing_of(inventory: Inventory, host: str, problems: Problems) -> list[Departing]:
    """The nodes of a host that leaves. Nobody has to know their addresses or ports."""
    nodes = []
    for where, entry in _entries(inventory, host, problems):
        name = _read_node_name(inventory, host, entry, where, problems)
        own = _read_runtime(inventory, host, name, entry, where, problems) if name else None
        if name and own:
            nodes.append(Departing(name, host, own, _last_addresses(inventory, host, entry)))
    return nodes


def _last_addresses(inventory: Inventory, host: str, entry: Entry) -> tuple[str, ...]:
    """Where peers have found a host that leaves: what the inventory still says, and what its own firewall table held."""
    firewall = inventory.seen(host).firewall
    own = firewall.beam.own if firewall and firewall.beam else ()
    said = (entry.get("address"), inventory.value("beam_address", host), inventory.value("ansible_host", host), host, *own)
    return tuple(dict.fromkeys(str(addresses.parse(value)) for value in said if addresses.is_address(value)))


def _nodes_of(
    inventory: Inventory, shape: Shape, host: str, choices: dict[tuple[str, Address], InterfaceChoice], problems: Problems
) -> tuple[list[Node], list[Departing]]:
    """The nodes of one host, and those that are to be removed from it (`state: absent`). Each part is validated whatever is wrong with the others.
    Adds to `choices`."""
    entries = _entries(inventory, host, problems)
    # An absent node keeps its part of the ports, so that the others need no restart when it goes.
    port_ranges = _read_port_ranges(inventory, shape, host, entries, problems)
    nodes: list[Node] = []
    absent: list[Departing] = []
    for port_range, (where, entry) in zip(port_ranges, entries):
        name = _read_node_name(inventory, host, entry, where, problems)
        own = _read_runtime(inventory, host, name, entry, where, problems) if name else None
        state = entry.get("state")
        if state is not None and read_choice(f"{where}state", state, STATES, host, problems) == "absent":
            if name and own:
                addressed = entry.get("address")
                absent.append(Departing(name, host, own, (str(addresses.parse(addressed)),) if addresses.is_address(addressed) else ()))
            continue
        placed = place(inventory, shape, host, entry, where, problems)
        hidden = _read_hidden(inventory, host, entry, where, problems)
        if placed is None:
            continue
        address, choice = placed
        if choice is not None:
            choices[(host, address)] = choice
        if name and port_range and own:
            nodes.append(Node(name, host, address, port_range, own, hidden))
    _check_absent(host, nodes, absent, bool(entries) and len(absent) == len(entries), problems)
    return nodes, absent


def _check_absent(host: str, nodes: Sequence[Node], absent: Sequence[Departing], whole: bool, problems: Problems) -> None:
    """A node that is removed takes nothing with it that a node of the same host needs. `whole`: no node is left."""
    if whole:
        problems.add(host, "beam_nodes", "absent_all", "every node of the host is absent.", "set beam_state: absent for the host.")
    for gone in absent:
        for node in nodes:
            shared = [
                what
                for what, own, other in (
                    ("the name", str(gone.node), str(node.node)),
                    ("the unit", gone.runtime.unit, node.runtime.unit),
                    ("the home directory", gone.runtime.home, node.runtime.home),
                )
                if own == other
            ]
            if shared:
                problems.add(
                    host,
                    "beam_nodes",
                    "absent_shared",
                    f"{gone.node} is absent and shares {join_names(shared)} with {node.node}, which stays.",
                    "remove the entry of the absent node, and remove that node by hand.",
                )


def _read_node_name(inventory: Inventory, host: str, entry: Entry, where: str, problems: Problems) -> NodeName | None:
    """`name` of an entry may be the part before the @ alone; then the part of the host's own name follows."""
    scalar = inventory.value("beam_node_name", host)
    if scalar is MISSING:
        scalar = f"{_product(inventory, host, entry)[1].name}@{host}"
    value = entry.get("name")
    if value is None:
        return _read_name(host, "beam_node_name", scalar, problems)
    if isinstance(value, str) and "@" not in value and isinstance(scalar, str):
        value = f"{value}@{scalar.split('@')[-1]}"
    return _read_name(host, f"{where}name", value, problems)


def _read_name(host: str, where: str, value: object, problems: Problems) -> NodeName | None:
    try:
        return NodeName.parse(value)
    except ValueError as error:
        problems.add(host, where, "node_name", str(error), "write name@host, for example beam@n1 or beam@n1.example.com.")
        return None


def _read_port_ranges(
    inventory: Inventory, shape: Shape, host: str, entries: Sequence[tuple[str, Entry]], problems: Problems
) -> list[PortRange | None]:
    """Each node's ports: its own, else an equal part of the host's."""
    port_ranges: list[PortRange | None] = [
        None if entry.get("ports") is None else _read_port_range(host, f"{where}ports", entry["ports"], problems) for where, entry in entries
    ]
    sharing = [index for index, (_where, entry) in enumerate(entries) if entry.get("ports") is None]
    whole = _read_port_range(host, "beam_ports", inventory.value("beam_ports", host), problems) if sharing else None
    if whole is not None:
        try:
            shares = [whole] * len(sharing) if shape.fixed_port else whole.shared(len(sharing))
        except PortRangeError as error:
            problems.add(host, "beam_ports", error.rule, str(error), "widen it, or give each node ports of its own.")
        else:
            for index, part in zip(sharing, shares):
                port_ranges[index] = part
    return port_ranges


def _read_port_range(host: str, where: str, value: object, problems: Problems) -> PortRange | None:
    try:
        return PortRange.parse(value)
    except PortRangeError as error:
        problems.add(host, where, error.rule, str(error), _PORT_FIXES[error.rule])
        return None


def _product(inventory: Inventory, host: str, entry: Entry) -> tuple[object, ProductData]:
    """The name of a node's product, and its data; no data where the product is unknown."""
    product = entry.get("product")
    if product is None:
        product = inventory.value("beam_product", host)
    return product, inventory.products.get(product, NO_DATA) if isinstance(product, str) else NO_DATA


def _read_runtime(inventory: Inventory, host: str, name: NodeName, entry: Entry, where: str, problems: Problems) -> Runtime | None:
    """Unit, user and all that the product's data says; None, and a problem, where product, unit or user are wrong."""
    product, data = _product(inventory, host, entry)
    unit, user = entry.get("unit"), entry.get("user")
    good = True
    if not data.raw:
        known = join_names(sorted(inventory.products), most=20) or "none is installed"
        problems.add(host, "beam_product", "product_unknown", f"there is no product {shown(product)}.", f"name one of: {known}.")
        good = False
    if unit is not None and not is_unit_name(unit):
        problems.add(
            host,
            f"{where}unit",
            "unit_name",
            f"{shown(unit)} is not the name of a service unit (systemd.unit(5)).",
            "write a name such as web.service.",
        )
        good = False
    if user is not None and not is_user_name(user):
        problems.add(host, f"{where}user", "user_name", f"{shown(user)} is not a user's name.", "write a name such as web.")
        good = False
    if not good:
        return None
    return runtime(str(product), data, name, str(unit) if unit is not None else None, str(user) if user is not None else None)

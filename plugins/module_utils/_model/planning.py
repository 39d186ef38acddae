# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules: an inventory is judged as a whole, and becomes a cluster where none of them is broken.

Private to this collection. C(plan) is the way in.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import addresses, cookie, foresight, inputs
from .addresses import Address
from .cluster import Cluster, Former, Inventory, Node
from .inputs import MISSING, Unreadable
from .names import NodeName
from .ports import EPMD_PORT, Window, WindowError
from .problems import Problems, named

STATES = ("present", "absent")
MODES = ("cluster", "standalone", "off")
RESTARTS = ("auto", "force")
ALONE = ("standalone", "off")
"""The modes in which a node has no peers on other hosts."""
DISCOVERIES = ("epmd", "fixed_port")
FIREWALLS = ("auto", "nftables", "firewalld", "ufw", "external")
TLS_VERSIONS = ("tlsv1.3", "tlsv1.2")
"""Newest first, the order in which Erlang wants them."""

OLDEST_OTP = 25
CERTIFICATE_VARIABLES = ("beam_pki_certificate", "beam_pki_key", "beam_pki_ca")

SETTINGS = {
    "net_ticktime": range(4, 3601),
    "net_tickintensity": range(4, 1001),
    "prevent_overlapping_partitions": (True, False),
    "connect_all": (True, False),
    "dist_auto_connect": ("always", "once", "never"),
}
"""Kernel parameters that decide what a partition does, each from C(beam_) and its name, with the values that it may have."""

PLAINTEXT = "{group} speaks clear text"
"""What an operator writes to C(beam_plaintext_accepted) beside C(beam_tls=false). It names the cluster, so that it cannot spread to another."""

LOOPBACK = {4: addresses.parse("127.0.0.1"), 6: addresses.parse("::1")}

_NODE_KEYS = ("name", "address", "interface", "ports", "product", "unit", "user", "hidden")
_MEMBER_KEYS = ("node", "address", "ports", "host", "hidden")
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_WAIVER_KEYS = ("control", "host", "reason", "until")


def plan(inventory: Inventory, problems: Problems) -> Cluster | None:
    """Judges the whole inventory. None where C(problems) holds any, and then it holds all that can be known at once."""
    builder = _Builder(inventory, problems)
    return builder.build()


class _Builder:
    """Runs the rules over one inventory. Each method is one subject; none stops at its first mistake."""

    def __init__(self, inventory: Inventory, problems: Problems) -> None:
        self.inventory = inventory
        self.problems = problems
        self.run = frozenset(inventory.run)
        self.members: list[Node] = []
        self.leaving: list[Former] = []
        self.mode = "cluster"
        self.discovery = "epmd"
        self.tls = True
        self.interfaces: dict[tuple[str, str], str] = {}
        self.meant: dict[tuple[str, Address], tuple[str, str, int]] = {}
        self.firewalls: dict[str, str] = {}

    def build(self) -> Cluster | None:
        group, hosts = self._group()
        listed = self._listed()
        concerned = hosts if listed is None else [host for host in self.inventory.run if any(node.host == host for node in listed)]
        absent = {host for host in concerned if self._choice("beam_state", self.inventory.value("beam_state", host), STATES, host) == "absent"}
        # Of a host that is to be without nothing is asked: neither address nor ports nor secrets.
        judged = [host for host in concerned if host not in absent]
        constants = {name: self._constant(name, judged) for name in inputs.CLUSTER if name not in ("beam_group", "beam_members")}
        self.mode = self._choice("beam_mode", constants["beam_mode"], MODES)
        self.discovery = self._choice("beam_discovery", constants["beam_discovery"], DISCOVERIES)
        settings = self._settings(constants)
        self.tls = self._tls(constants["beam_tls"], constants["beam_plaintext_accepted"], group) and self.mode != "off"
        versions = self._versions(constants["beam_tls_versions"])
        waivers = self._waivers(constants["beam_waivers"])
        outsiders = self._outsiders(constants["beam_outsiders"], judged)
        if listed is None:
            for host in hosts:
                if host in absent:
                    self.leaving.extend(self._former_of(host))
                else:
                    self.members.extend(self._nodes_of(host))
        else:
            for node in listed:
                if node.host in absent:
                    parts = (node.product, node.kind, node.unit, node.user, node.group, node.home)
                    self.leaving.append(Former(node.node, node.host, *parts, (str(node.address),)))
                else:
                    self.members.append(node)
        self.members.sort(key=lambda member: (str(member.node), member.host))
        self._unique_names()
        self._unique_listeners()
        self._fixed_ports()
        self._settings_of_products(settings)
        self._limits_of_products()
        self._hidden_strangers()
        names, family = self._one_kind()
        carrier = self._carrier(family)
        full_stop = self._true("", "beam_full_stop", constants["beam_full_stop"])
        restart = self._choice("beam_restart", constants["beam_restart"], RESTARTS)
        for host in judged:
            self._hosts_addresses(host)
            self._taken_ports(host)
            self._ephemeral_ports(host)
            self._firewall(host)
            self._otp(host)
        clock_findings = [finding for host in judged for finding in self._clock(host)]
        bring_your_own = self._certificates(judged)
        # Where the run only takes hosts back, nothing is signed and nobody is shown a cookie.
        required = self.inventory.requires if not absent or self.run.intersection(judged) else ()
        self._secrets(judged, bring_your_own, required)
        ca_dir = self._ca_dir(constants["beam_pki_ca_dir"], group, bring_your_own or "ca_passphrase" not in required)
        if self.problems:
            return None
        changes = {
            **foresight.changes(self.members, self.run, self.inventory.observed),
            **foresight.departures(self.leaving, self.inventory.observed),
        }
        return Cluster(
            group=group,
            names=names,
            family=family,
            mode=self.mode,
            discovery=self.discovery,
            carrier=carrier,
            strangers=self._strangers(carrier),
            full_stop=full_stop,
            restart=restart,
            settings=settings,
            tls=self.tls,
            tls_versions=versions,
            ca_dir=ca_dir,
            requires=tuple(self.inventory.requires),
            waivers=waivers,
            members=tuple(self.members),
            leaving=tuple(self.leaving),
            run=self.run,
            interfaces=self.interfaces,
            firewalls=self.firewalls,
            outsiders=outsiders,
            changes=changes,
            findings=(
                *clock_findings,
                *foresight.one_network(self.members, self.inventory.observed),
                *foresight.stale_hosts(self.members, self.run, changes),
                *foresight.shared_epmd(self.members, self.inventory.observed),
                *foresight.outside_tls(self.members, self.tls),
            ),
        )

    # The members

    def _group(self) -> tuple[str, list[str]]:
        """The group's name and its hosts. Without C(beam_members) it must be there, and no host may be in another cluster's plan."""
        wanted: dict[str, list[str]] = {}
        for host in self.inventory.run:
            value = self.inventory.value("beam_group", host)
            if isinstance(value, str) and (
                self.inventory.values.get("beam_group", {}).get(host, MISSING) is not MISSING or host in self.inventory.groups.get(value, ())
            ):
                wanted.setdefault(value, []).append(host)
            elif not isinstance(value, str):
                self.problems.add(host, "beam_group", "type", "the group is not named by a string.", "name an inventory group.")
        names = sorted(wanted) or [str(self.inventory.defaults["beam_group"])]
        group = names[0]
        if self._lists_members():
            return group, []
        if len(names) > 1:
            self.problems.add(
                "",
                "beam_group",
                "one_cluster",
                f"this play's hosts belong to {len(names)} clusters: {named(names)}.",
                "run one play for each cluster.",
            )
        if group not in self.inventory.groups:
            self.problems.add(
                "",
                "beam_group",
                "group_missing",
                f"the inventory has no group {group}.",
                "put the members into it, or name their group in beam_group.",
            )
            return group, []
        hosts = list(self.inventory.groups[group])
        if not hosts:
            self.problems.add(
                "", "beam_group", "group_empty", f"the group {group} has no host.", "put the members into it, or name their group in beam_group."
            )
        return group, hosts

    def _lists_members(self) -> bool:
        return any(self.inventory.value("beam_members", host) is not MISSING for host in self.inventory.run)

    def _listed(self) -> list[Node] | None:
        """The members from C(beam_members), or None where a group says who they are."""
        if not self._lists_members():
            return None
        given = inputs.agree(
            "beam_members",
            {host: self.inventory.value("beam_members", host) for host in self.inventory.run},
            self.problems,
        )
        if not isinstance(given, (list, tuple)) or not given:
            self.problems.add(
                "",
                "beam_members",
                "member_list",
                "the members are not a list with at least one entry.",
                "list {node, address, ports} of each member.",
            )
            return []
        members = []
        for index, entry in enumerate(given):
            if not self._keys("", "beam_members", f"entry {index + 1}", entry, _MEMBER_KEYS, ("node", "address")):
                continue
            where = f"beam_members[{index}]"
            name = self._name("", f"{where}.node", entry["node"])
            address = self._address("", f"{where}.address", entry["address"])
            window = self._window("", f"{where}.ports", entry.get("ports", self.inventory.defaults["beam_ports"]))
            if name is None or address is None or window is None:
                continue
            host = entry.get("host") or self._host_of(name, address)
            own = self._own_parts(host, name, {}) if host in self.run else {}
            hidden = self._true("", f"{where}.hidden", entry["hidden"]) if "hidden" in entry else bool(host) and self._flag(host, "beam_hidden")
            members.append(Node(name, host, address, window, hidden=hidden, **own))
        return members

    def _host_of(self, name: NodeName, address: Address) -> str:
        """The host of this run that a listed member lives on: by its name, else by an address that was seen on it."""
        if name.host_part in self.run:
            return name.host_part
        for host in self.inventory.run:
            if str(address) in {seen["address"] for seen in self._seen_addresses(host)}:
                return host
        return ""

    def _entries(self, host: str) -> list[tuple[str, Mapping[str, object]]]:
        """What is said of each node of one host, and where: in C(beam_nodes), or by the scalars, which are sugar for a list of one."""
        given = self.inventory.value("beam_nodes", host)
        if given is MISSING:
            return [("", {})]
        if not isinstance(given, (list, tuple)) or not given:
            self.problems.add(
                host, "beam_nodes", "type", "the nodes are not a list with at least one entry.", "list them, or leave beam_nodes out for one node."
            )
            return []
        good = [
            entry
            for index, entry in enumerate(given)
            if self._keys(host, "beam_nodes", f"entry {index + 1}", entry, _NODE_KEYS, ("name",) if len(given) > 1 else ())
        ]
        return [(f"beam_nodes[{index}].", entry) for index, entry in enumerate(good)]

    def _former_of(self, host: str) -> list[Former]:
        """The nodes of a host that is to be without: by name, as their files are."""
        nodes = []
        for where, entry in self._entries(host):
            name = self._node_name(host, entry, where)
            parts = self._own_parts(host, name, entry) if name else {}
            if name and parts:
                own = {part: parts[part] for part in ("product", "kind", "unit", "user", "group", "home")}
                nodes.append(Former(name, host, **own, addresses=self._former_addresses(host, entry)))
        return nodes

    def _former_addresses(self, host: str, entry: Mapping[str, object]) -> tuple[str, ...]:
        """Where peers have found a host that leaves: what the inventory still says, and what its own firewall table held. Nobody has to know it."""
        said = [entry.get("address"), self._scalars(host).get("address"), self.inventory.value("ansible_host", host), host]
        table = (self.inventory.observed.get(host, {}).get("firewall") or {}).get("beam") or {}
        found = [value for value in (*said, *(table.get("own") or ())) if addresses.is_address(value)]
        return tuple(dict.fromkeys(str(addresses.parse(value)) for value in found))

    def _nodes_of(self, host: str) -> list[Node]:
        """The nodes of one host."""
        entries = self._entries(host)
        windows = self._windows(host, [entry for _where, entry in entries])
        nodes = []
        for index, (where, entry) in enumerate(entries):
            name = self._node_name(host, entry, where)
            address = self._node_address(host, entry, where)
            window = windows[index]
            # Judged whatever else is wrong: all mistakes are told at once.
            parts = self._own_parts(host, name, entry) if name else {}
            if name is None or address is None or window is None:
                continue
            hidden = self._true(host, f"{where}hidden", entry["hidden"]) if "hidden" in entry else self._flag(host, "beam_hidden")
            if parts:
                nodes.append(Node(name, host, address, window, hidden=hidden, **parts))
        return nodes

    def _node_name(self, host: str, entry: Mapping[str, object], where: str) -> NodeName | None:
        """C(name) of an entry may be the part before the @ alone; then the host's own name follows."""
        scalar = self.inventory.value("beam_node_name", host)
        if scalar is MISSING:
            scalar = f"{self._product(host, entry)[1].get('name', 'beam')}@{host}"
        value = entry.get("name")
        if value is None:
            return self._name(host, "beam_node_name", scalar)
        if isinstance(value, str) and "@" not in value and isinstance(scalar, str):
            value = f"{value}@{scalar.split('@')[-1]}"
        return self._name(host, f"{where}name", value)

    def _name(self, host: str, where: str, value: object) -> NodeName | None:
        try:
            return NodeName.parse(value)
        except ValueError as error:
            self.problems.add(host, where, "node_name", str(error), "write name@host, for example beam@n1 or beam@n1.example.com.")
            return None

    def _address(self, host: str, where: str, value: object) -> Address | None:
        try:
            address = addresses.parse(value)
        except ValueError as error:
            self.problems.add(
                host,
                where,
                "address_format",
                f"{error}.",
                "write the IP address that peers reach the member at; names do not do, DNS must not decide.",
            )
            return None
        reason = addresses.unusable(address)
        if reason:
            self.problems.add(host, where, "address_unusable", f"{address} {reason}.", "write the address on the cluster's network.")
            return None
        return address

    def _node_address(self, host: str, entry: Mapping[str, object], where: str) -> Address | None:
        """C(address), else the one of C(interface), else C(ansible_host) where that is an IP address. Loopback where there are no peers."""
        if self.mode in ALONE:
            return LOOPBACK[6 if ":" in str(entry.get("address") or self._scalars(host).get("address") or "") else 4]
        for source, prefix in ((entry, where), (self._scalars(host), "beam_")):
            if source.get("address") is not None:
                return self._address(host, f"{prefix}address", source["address"])
            if source.get("interface") is not None:
                return self._interface_address(host, f"{prefix}interface", source["interface"])
        fallback = self.inventory.value("ansible_host", host)
        if addresses.is_address(fallback):
            return self._address(host, "ansible_host", fallback)
        if addresses.is_address(host) and fallback is MISSING:
            return self._address(host, "inventory_hostname", host)
        self.problems.add(
            host,
            "beam_address",
            "address_missing",
            "the host has no cluster address.",
            "set beam_address, or beam_interface where every member is in the run.",
        )
        return None

    def _scalars(self, host: str) -> dict[str, object]:
        scalars = {name: self.inventory.value(f"beam_{name}", host) for name in ("address", "interface")}
        return {name: value for name, value in scalars.items() if value is not MISSING}

    def _interface_address(self, host: str, where: str, interface: object) -> Address | None:
        """The one usable address of an interface, IPv4 before IPv6. Needs the host in the run: nobody else knows."""
        if not self.inventory.observed.get(host):
            self.problems.add(
                host,
                where,
                "interface_not_observed",
                "only an interface is named, and the host is not in this run, so that nobody can look its address up.",
                "set beam_address, or run for all members at once.",
            )
            return None
        seen = [entry for entry in self._seen_addresses(host) if entry["interface"] == interface]
        if not seen:
            self.problems.add(
                host,
                where,
                "interface_missing",
                f"the host has no interface {interface} with an address.",
                "name one of its interfaces, or set beam_address.",
            )
            return None
        usable = [
            address
            for address in (addresses.parse(entry["address"]) for entry in seen if "%" not in str(entry["address"]))
            if not addresses.unusable(address)
        ]
        for version in (4, 6):
            family = [address for address in usable if address.version == version]
            if len(family) == 1:
                self.meant[(host, family[0])] = (where, str(interface), len({address.version for address in usable}))
                return family[0]
            if family:
                self.problems.add(
                    host,
                    where,
                    "interface_ambiguous",
                    f"the interface {interface} has {len(family)} IPv{version} addresses: {named(str(address) for address in family)}.",
                    "set beam_address to the one that is meant.",
                )
                return None
        self.problems.add(
            host,
            where,
            "interface_missing",
            f"the interface {interface} has no address that peers can reach.",
            "name another one, or set beam_address.",
        )
        return None

    def _windows(self, host: str, entries: Sequence[Mapping[str, object]]) -> list[Window | None]:
        """Each node's window: its own, else an equal part of the host's."""
        sharing = [index for index, entry in enumerate(entries) if entry.get("ports") is None]
        windows: list[Window | None] = [None] * len(entries)
        for index, entry in enumerate(entries):
            if index not in sharing:
                windows[index] = self._window(host, f"beam_nodes[{index}].ports", entry["ports"])
        if sharing:
            whole = self._window(host, "beam_ports", self.inventory.value("beam_ports", host))
            if whole is not None:
                try:
                    shares = [whole] * len(sharing) if self.discovery == "fixed_port" else whole.shared(len(sharing))
                    for index, part in zip(sharing, shares):
                        windows[index] = part
                except WindowError as error:
                    self.problems.add(host, "beam_ports", error.rule, str(error), "widen it, or give each node ports of its own.")
        return windows

    def _window(self, host: str, where: str, value: object) -> Window | None:
        fixes = {
            "ports_format": "write one port ('9100') or a range ('9100-9109').",
            "window_reversed": "write the lower port first.",
            "window_range": "choose ports from 1024 to 65535.",
            "window_overlaps_epmd": f"choose ports that leave {EPMD_PORT} to epmd.",
        }
        try:
            return Window.parse(value)
        except WindowError as error:
            self.problems.add(host, where, error.rule, str(error), fixes[error.rule])
            return None

    def _product(self, host: str, entry: Mapping[str, object]) -> tuple[object, Mapping[str, Any]]:
        """The name of a node's product, and its data; no data where the product is unknown."""
        product = entry.get("product", self.inventory.value("beam_product", host))
        return product, (self.inventory.products.get(product) or {}) if isinstance(product, str) else {}

    def _own_parts(self, host: str, name: NodeName, entry: Mapping[str, object]) -> dict[str, Any]:
        """Product, unit, user, group, home, further ports and settings of a node, from its product's data. Empty where the product is unknown."""
        product, data = self._product(host, entry)
        if not data:
            self.problems.add(
                host,
                "beam_product",
                "product_unknown",
                f"there is no product {product}.",
                f"name one of: {named(sorted(self.inventory.products), most=20) or 'none is installed'}.",
            )
            return {}
        facts = {"node": str(name), "name": name.name, "host_part": name.host_part}
        user = entry.get("user") or data["user"]
        return {
            "product": str(product),
            "kind": str(data["kind"]),
            "unit": str(entry.get("unit") or data["unit"]).format(**facts),
            "user": str(user).format(**facts),
            "group": str(user if entry.get("user") else data.get("group", data["user"])).format(**facts),
            "home": str(data["home"]).format(**facts),
            "peer_ports": tuple(Window.parse(ports) for ports in data.get("peer_ports", ())),
            "kernel": data.get("kernel") or {},
            "modes": tuple(data.get("modes") or MODES),
            "names": tuple(data.get("names") or ()),
            "tools_listen": bool(data.get("tool_ports")),
            "links": str(data.get("links") or "cut"),
            "caveats": data.get("outside_tls") or {},
        }

    def _keys(self, host: str, variable: str, what: str, entry: object, known: Sequence[str], required: Sequence[str]) -> bool:
        """Whether an entry of a list is a dictionary with known keys and all the required ones."""
        if not isinstance(entry, Mapping):
            self.problems.add(host, variable, "type", f"{what} is not a dictionary.", f"give it the keys {', '.join(known)}.")
            return False
        unknown = [str(key) for key in entry if key not in known]
        missing = [key for key in required if entry.get(key) is None]
        for key in unknown:
            self.problems.add(host, variable, "unknown_key", f"{what} has a key {key} that nobody reads.", f"the keys are {', '.join(known)}.")
        for key in missing:
            self.problems.add(host, variable, "missing_key", f"{what} has no {key}.", f"give it one; the keys are {', '.join(known)}.")
        return not unknown and not missing

    # The members together

    def _unique_names(self) -> None:
        seen: dict[NodeName, Node] = {}
        local: dict[tuple[str, str], Node] = {}
        units: dict[tuple[str, str], Node] = {}
        pinned: dict[str, Node] = {}
        for member in self.members:
            twin = seen.setdefault(member.node, member)
            if twin is not member:
                self.problems.add(
                    member.host,
                    "beam_node_name",
                    "node_name_duplicate",
                    f"the node {member.node} is there already, on {twin.host or twin.address}.",
                    "give every node a name of its own.",
                )
                continue
            if member.host:
                # Without an epmd nobody mixes them up.
                other = local.setdefault((member.host, member.node.name if self.discovery == "epmd" else str(member.node)), member)
                if other is not member:
                    self.problems.add(
                        member.host,
                        "beam_nodes",
                        "epmd_name_duplicate",
                        f"{other.node} and {member.node} would both be {member.node.name} to the host's epmd.",
                        "let them differ before the @.",
                    )
                elif member.unit:
                    other = units.setdefault((member.host, member.unit), member)
                    if other is not member:
                        self.problems.add(
                            member.host,
                            "beam_nodes",
                            "unit_duplicate",
                            f"{other.node} and {member.node} would share the unit {member.unit}.",
                            "give each a unit.",
                        )
            other = pinned.setdefault(member.node.host_part, member)
            if other.address != member.address:
                self.problems.add(
                    member.host,
                    "beam_node_name",
                    "name_has_two_addresses",
                    f"{member.node.host_part} would be {other.address} for {other.node} and {member.address} for {member.node}.",
                    "let one name after the @ stand for one address.",
                )
            if member.node.kind == "ip" and addresses.parse(member.node.host_part) != member.address:
                self.problems.add(
                    member.host,
                    "beam_node_name",
                    "name_is_another_address",
                    f"{member.node} names an address that is not its own, {member.address}.",
                    "let both be the same.",
                )

    def _unique_listeners(self) -> None:
        at: dict[Address, list[Node]] = {}
        for member in self.members:
            at.setdefault(member.address, []).append(member)
        for address, members in at.items():
            hosts = sorted({member.host for member in members})
            if len(hosts) > 1 and self.mode not in ALONE:
                for member in members:
                    others = [other.host or str(other.node) for other in members if other.host != member.host]
                    self.problems.add(
                        member.host,
                        "beam_address",
                        "address_duplicate",
                        f"{address} is the address of {named(others)} too.",
                        "give every host an address of its own.",
                    )
                continue
            members.sort(key=lambda member: (member.host, member.window, str(member.node)))
            for left, right in zip(members, members[1:]):
                if self.discovery == "epmd" and left.host == right.host and left.window.overlaps(right.window) and left.node != right.node:
                    self.problems.add(
                        right.host,
                        "beam_ports",
                        "window_overlap",
                        f"{left.node} ({left.window}) and {right.node} ({right.window}) share ports at {address}.",
                        "give each node a window of its own.",
                    )

    def _fixed_ports(self) -> None:
        """Nobody can be asked for a port: it is one and the same everywhere, and an address has room for one node."""
        if self.discovery != "fixed_port":
            return
        windows = [member.window for member in self.members]
        common = max(windows, key=windows.count, default=Window(0, 0))
        at: dict[tuple[str, Address], Node] = {}
        for member in self.members:
            if member.window.first != member.window.last:
                self.problems.add(
                    member.host,
                    "beam_ports",
                    "fixed_port_window",
                    f"{member.node} has the ports {member.window}, and a fixed port is one.",
                    "set beam_ports to one port, the same on every member.",
                )
            elif member.window != common:
                self.problems.add(
                    member.host,
                    "beam_ports",
                    "fixed_port_differs",
                    f"{member.node} has the port {member.window}, most members have {common}, and a node looks for its peers at its own port.",
                    "set beam_ports once, in the group_vars of the cluster's group.",
                )
            other = at.setdefault((member.host, member.address), member)
            if other is not member and other.node != member.node:
                self.problems.add(
                    member.host,
                    "beam_nodes",
                    "fixed_port_shared",
                    f"{other.node} and {member.node} would both listen on {member.address} port {common}.",
                    "give each an address of its own, or set beam_discovery: epmd.",
                )

    def _settings_of_products(self, settings: Mapping[str, object]) -> None:
        """What a product cannot run without (its data's C(kernel)) may not be set to something else."""
        for member in self.members:
            for name, value in member.kernel.items():
                given = self.inventory.values.get(f"beam_{name}", {}).get(member.host, MISSING)
                if given not in (MISSING, None) and settings[name] != value:
                    self.problems.add(
                        member.host,
                        f"beam_{name}",
                        "setting_of_product",
                        f"{member.node} is {member.product}, which runs with {str(value).lower()} only.",
                        f"leave beam_{name} out.",
                    )

    def _limits_of_products(self) -> None:
        """What a product's data says that it cannot do: be in that mode, bear such a name, have tools that nodes dial at their own port."""
        for member in self.members:
            what = f"{member.node} is {member.product}, which cannot"
            limits = (
                (
                    bool(member.modes) and self.mode in MODES and self.mode not in member.modes,
                    "beam_mode",
                    "mode_of_product",
                    f"{what} run as {self.mode}: its own tools speak to it by distribution.",
                    f"choose one of: {', '.join(member.modes)}.",
                ),
                (
                    bool(member.names) and member.node.kind not in member.names,
                    "beam_node_name",
                    "name_of_product",
                    f"{what} bear a {member.node.kind} name.",
                    "give every member a name whose host part is a name with a domain, or an address.",
                ),
                (
                    member.tools_listen and self.discovery == "fixed_port",
                    "beam_discovery",
                    "discovery_of_product",
                    f"{what} do without EPMD: its nodes dial its tools, and would look for them at the node's own port.",
                    "set beam_discovery to epmd.",
                ),
            )
            for broken, variable, rule, message, fix in limits:
                if broken:
                    self.problems.add(member.host, variable, rule, message, fix)

    def _hidden_strangers(self) -> None:
        """A host that is to join hidden and is no member is on nobody's allow list."""
        homes = {member.host for member in self.members}
        for host in self.inventory.run:
            given = self.inventory.values.get("beam_hidden", {}).get(host, MISSING)
            if host not in homes and str(given).lower() in _TRUE:
                self.problems.add(
                    host,
                    "beam_hidden",
                    "hidden_stranger",
                    "the host is to join hidden and is no member: its node would be on nobody's allow list.",
                    "put it into the cluster's group (or into beam_members); a hidden node is a member.",
                )

    def _one_kind(self) -> tuple[str, int]:
        """Kind of names and address family of the cluster; the minority is named where there is more than one."""
        kinds: dict[str, list[Node]] = {}
        families: dict[int, list[Node]] = {}
        for member in self.members:
            kinds.setdefault(member.node.kind, []).append(member)
            families.setdefault(member.address.version, []).append(member)
        kind = max(kinds, key=lambda one: len(kinds[one]), default="short")
        family = max(families, key=lambda one: len(families[one]), default=4)
        for other, members in kinds.items():
            for member in members if other != kind else ():
                self.problems.add(
                    member.host,
                    "beam_node_name",
                    "names_mixed",
                    f"{member.node} is a{'n' if other == 'ip' else ''} {other} name, most members have {kind} names, and the two cannot connect.",
                    "let every host part be a bare name, or every one a name with a domain, or every one an address.",
                )
        for version, members in families.items():
            for member in members if version != family else ():
                where, interface, both = self.meant.get((member.host, member.address), ("", "", 0))
                if where:
                    has = f"is taken at its IPv{version} address" if both > 1 else f"has no IPv{family} address that peers can reach"
                    self.problems.add(
                        member.host,
                        where,
                        "interface_family",
                        f"the interface {interface} {has}, and most members have IPv{family} addresses.",
                        f"set beam_address to an IPv{family} address of the host.",
                    )
                    continue
                self.problems.add(
                    member.host,
                    "beam_address",
                    "family_mixed",
                    f"{member.address} is IPv{version}, most members have IPv{family} addresses, and a node speaks one of them.",
                    "choose addresses of one family.",
                )
        return kind, family

    def _carrier(self, family: int) -> str:
        """What the distribution runs over, as C(-proto_dist) calls it."""
        return "none" if self.mode == "off" else f"inet{'6' if family == 6 else ''}_{'tls' if self.tls else 'tcp'}"

    def _strangers(self, carrier: str) -> tuple[str, ...]:
        """Nodes that run and do not speak as their peers are going to, of a product that takes a cut link for a split cluster: to come
        together with the others, all have to be stopped at once."""
        return tuple(str(member.node) for member in self.members if member.links == "kept" and self._speaks_otherwise(member, carrier))

    def _speaks_otherwise(self, member: Node, carrier: str) -> bool:
        """Whether a process of its unit runs that was not started with our files, or with those of another carrier, or that has a fixed port
        which its peers are not to look at: it is not found by those that ask EPMD, as it was never registered there."""
        port = str(member.window.first) if self.discovery == "fixed_port" else None
        for process in self.inventory.observed.get(member.host, {}).get("processes") or ():
            if (process.get("process"), process.get("unit")) == ("beam.smp", member.unit):
                flags = process.get("argv") or ()
                told = list(zip(flags, flags[1:]))
                fixed = {after for flag, after in told if flag in ("-erl_epmd_port", "erl_epmd_node_listen_port")}
                if not process.get("digest") or ("-proto_dist", carrier) not in told or fixed - {port}:
                    return True
        return False

    # The hosts as they were observed

    def _seen_addresses(self, host: str) -> Sequence[Mapping[str, Any]]:
        return self.inventory.observed.get(host, {}).get("addresses") or ()

    def _hosts_addresses(self, host: str) -> None:
        """A cluster address must be on the host, unless it may come late; notes the interface it is on."""
        seen = {str(entry["address"]): str(entry["interface"]) for entry in self._seen_addresses(host)}
        late = self._flag(host, "beam_address_late")
        for member in self.members:
            if member.host != host or not self.inventory.observed.get(host) or self.mode in ALONE:
                continue
            text = str(member.address)
            if text in seen:
                self.interfaces[(host, text)] = seen[text]
            elif not late:
                self.problems.add(
                    host,
                    "beam_address",
                    "address_not_on_host",
                    f"the host has no address {text}; it has {named(sorted(seen)) or 'none'}.",
                    "set the address that the host has, or beam_address_late: true where it appears after boot (a VPN).",
                )

    def _taken_ports(self, host: str) -> None:
        """A port of the window on which another program listens. A listener whose process cannot be told may be our own node."""
        for entry in self.inventory.observed.get(host, {}).get("listeners") or ():
            process = entry.get("process")
            if not process or process == "beam.smp" or entry["address"] in ("127.0.0.1", "::1"):
                continue
            for member in self.members:
                if member.host == host and member.window.first <= entry["port"] <= member.window.last:
                    self.problems.add(
                        host,
                        "beam_ports",
                        "window_in_use",
                        f"{process} listens on {entry['address']} port {entry['port']}, which is in the window {member.window} of {member.node}.",
                        "choose another window for the whole cluster, or stop the other program.",
                    )

    def _ephemeral_ports(self, host: str) -> None:
        """A window among the ports of outgoing connections: the host's firewall drops the answers to a connection that got one of them."""
        seen = self.inventory.observed.get(host, {}).get("ephemeral_ports")
        if not seen:
            return
        first, last = seen["range"]
        reserved = [Window(*pair) for pair in seen["reserved"]]
        for member in self.members:
            low, high = max(member.window.first, first), min(member.window.last, last)
            if member.host == host and low <= high and not all(any(r.first <= port <= r.last for r in reserved) for port in range(low, high + 1)):
                self.problems.add(
                    host,
                    "beam_ports",
                    "window_ephemeral",
                    f"the window {member.window} of {member.node} is among the ports {first}-{last} that the kernel gives to outgoing connections; "
                    "the answers to such a connection would be dropped.",
                    f"choose ports below {first}, or reserve them (sysctl net.ipv4.ip_local_reserved_ports).",
                )

    def _firewall(self, host: str) -> None:
        """The back end that opens the host's own firewall to the members. One that does not run cannot be told anything."""
        wanted = self._choice("beam_firewall", self.inventory.value("beam_firewall", host), FIREWALLS, host)
        in_charge = (self.inventory.observed.get(host, {}).get("firewall") or {}).get("in_charge")
        self.firewalls[host] = wanted if wanted != "auto" else in_charge if in_charge in FIREWALLS else "nftables"
        if wanted in ("firewalld", "ufw") and in_charge not in (None, wanted):
            self.problems.add(
                host,
                "beam_firewall",
                "firewall_inactive",
                f"{wanted} is not active on this host.",
                f"set {wanted} up and turn it on (that may lock you out, so we do not), or choose another back end.",
            )

    def _flag(self, host: str, variable: str) -> bool:
        value = self.inventory.value(variable, host)
        return value is not MISSING and self._true(host, variable, value)

    def _true(self, host: str, variable: str, value: object) -> bool:
        text = str(value).lower()
        if text not in _TRUE + _FALSE:
            self.problems.add(host, variable, "type", "the value is neither true nor false.", "write true or false.")
        return text in _TRUE

    def _otp(self, host: str) -> None:
        """Installed OTP, else the one that would be installed, must not be too old. Nothing known is nothing wrong: the role otp looks again."""
        otp = self.inventory.observed.get(host, {}).get("otp") or {}
        source, release = ("installed", otp.get("release")) if otp.get("installed") else ("offered by the distribution", otp.get("candidate_release"))
        if release and str(release).isdigit() and int(release) < OLDEST_OTP:
            self.problems.add(
                host,
                "",
                "otp_unsupported",
                f"OTP {release} is {source}, {OLDEST_OTP} is the oldest supported.",
                f"bring OTP {OLDEST_OTP} or later to the host.",
            )

    def _clock(self, host: str) -> list[dict[str, str]]:
        """A host that is behind by more than certificates are backdated takes a fresh one for not yet valid."""
        skew = self.inventory.observed.get(host, {}).get("skew_seconds")
        if not isinstance(skew, (int, float)):
            return []
        limit = self.inventory.backdate_seconds
        if skew < -limit:
            self.problems.add(
                host,
                "",
                "clock_skew",
                f"the clock is {-skew:.0f} s behind the controller's, and a fresh certificate is backdated by {limit} s only: not valid yet.",
                "set the clock (chrony, systemd-timesyncd).",
            )
        elif skew > limit:
            return [
                foresight.finding(
                    "clock_ahead",
                    "low",
                    host,
                    "Clock ahead of the controller's",
                    f"The clock is {skew:.0f} s ahead: certificates expire that much earlier there.",
                    "Set the clock (chrony, systemd-timesyncd).",
                )
            ]
        return []

    # Values of the whole cluster

    def _constant(self, variable: str, hosts: Sequence[str]) -> object:
        given = {host: self.inventory.values.get(variable, {}).get(host, MISSING) for host in hosts or self.inventory.run}
        value = inputs.agree(variable, given, self.problems)
        return self.inventory.defaults.get(variable, MISSING) if value is MISSING or value is None else value

    def _choice(self, variable: str, value: object, choices: Sequence[str], host: str = "") -> str:
        if value not in choices:
            self.problems.add(host, variable, "choice", f"{value!r} is not supported.", f"choose one of: {', '.join(choices)}.")
        return str(value)

    def _tls(self, tls: object, accepted: object, group: str) -> bool:
        """TLS, unless the operator has said twice that this cluster is to do without."""
        wanted = self._true("", "beam_tls", tls)
        said = "" if accepted in (MISSING, None, "") else str(accepted)
        sentence = PLAINTEXT.format(group=group)
        if wanted and said:
            self.problems.add(
                "",
                "beam_plaintext_accepted",
                "plaintext_said_once",
                "clear text is accepted here, and beam_tls says that the nodes speak TLS.",
                "take it out; or, to have everybody on the path read and change everything, set beam_tls: false too.",
            )
        elif str(tls).lower() in _FALSE and said != sentence:
            self.problems.add(
                "",
                "beam_plaintext_accepted",
                "plaintext_said_once",
                f"beam_tls is false, and {'something else is accepted here' if said else 'nobody has said so twice'}: "
                "without TLS everybody on the path reads and changes everything.",
                f"take beam_tls out; or, to have it like that, write beam_plaintext_accepted: {sentence}.",
            )
        return wanted

    def _settings(self, constants: Mapping[str, object]) -> dict[str, object]:
        """The kernel parameters, as the cluster wants them."""
        settings: dict[str, object] = {}
        for name, choices in SETTINGS.items():
            value = constants[f"beam_{name}"]
            text = str(value).lower()
            known = {str(choice).lower(): choice for choice in choices}
            if text in known:
                settings[name] = known[text]
            else:
                few = ", ".join(known) if len(known) < 10 else f"a whole number from {min(known, key=int)} to {max(known, key=int)}"
                self.problems.add("", f"beam_{name}", "choice", f"{value!r} is not supported.", f"choose one of: {few}.")
        return settings

    def _versions(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or not value or any(version not in TLS_VERSIONS for version in value):
            self.problems.add(
                "",
                "beam_tls_versions",
                "choice",
                "the TLS versions are not a list of supported ones.",
                f"list one or both of: {', '.join(TLS_VERSIONS)}.",
            )
            return ()
        return tuple(version for version in TLS_VERSIONS if version in value)

    def _waivers(self, value: object) -> tuple[dict[str, object], ...]:
        if value is MISSING:
            return ()
        if not isinstance(value, (list, tuple)):
            self.problems.add("", "beam_waivers", "type", "the waivers are not a list.", f"list dictionaries of {', '.join(_WAIVER_KEYS)}.")
            return ()
        waivers = []
        for index, entry in enumerate(value):
            what = f"entry {index + 1}"
            if not self._keys("", "beam_waivers", what, entry, _WAIVER_KEYS, ("control", "reason", "until")):
                continue
            try:
                until = datetime.date.fromisoformat(str(entry["until"]))
            except ValueError:
                self.problems.add("", "beam_waivers", "waiver_until", f"{what} ends at {entry['until']!r}, which is no date.", "write YYYY-MM-DD.")
                continue
            waivers.append({"control": str(entry["control"]), "host": entry.get("host"), "reason": str(entry["reason"]), "until": until.isoformat()})
        return tuple(waivers)

    def _outsiders(self, value: object, hosts: Sequence[str]) -> tuple[str, ...]:
        """Hosts to attack from. The group C(outsiders) is used where it exists and nobody names another."""
        groups = self.inventory.groups
        if value is MISSING:
            found = list(groups.get("outsiders", ()))
        elif not isinstance(value, str) or value not in groups:
            self.problems.add(
                "",
                "beam_outsiders",
                "group_missing",
                f"the inventory has no group {value}.",
                "name a group of hosts that are no members, or leave it out.",
            )
            return ()
        else:
            found = list(groups[value])
        for host in found:
            if host in hosts:
                self.problems.add(
                    host,
                    "beam_outsiders",
                    "outsider_is_member",
                    "the host is a member, and an outsider is not.",
                    "take it out of one of the two groups.",
                )
        return tuple(found)

    def _ca_dir(self, value: object, group: str, bring_your_own: bool) -> str | None:
        if isinstance(value, str) and value:
            return value
        if value is not MISSING:
            self.problems.add("", "beam_pki_ca_dir", "type", "the directory is not named by a string.", "write a path on the controller.")
        elif self.inventory.inventory_dir:
            return f"{self.inventory.inventory_dir}/pki/{group}"
        elif not bring_your_own and self.tls and "ca_passphrase" in self.inventory.requires:
            self.problems.add(
                "",
                "beam_pki_ca_dir",
                "ca_dir_missing",
                "the inventory is no file, so that there is no directory beside it to keep the CA in.",
                "set beam_pki_ca_dir.",
            )
        return None

    # Certificates and secrets

    def _certificates(self, hosts: Sequence[str]) -> bool:
        """Whether every member brings a certificate of its own."""
        own = 0
        for host in hosts:
            given = [name for name in CERTIFICATE_VARIABLES if self.inventory.value(name, host) not in (MISSING, "", None)]
            if given and len(given) < len(CERTIFICATE_VARIABLES):
                missing = ", ".join(name for name in CERTIFICATE_VARIABLES if name not in given)
                self.problems.add(
                    host, missing, "certificate_incomplete", f"{', '.join(given)} is given without the rest.", "give all three, or none."
                )
            own += len(given) == len(CERTIFICATE_VARIABLES)
        return bool(hosts) and own == len(hosts)

    def _secrets(self, hosts: Sequence[str], bring_your_own: bool, required: Sequence[str]) -> None:
        self._secret("beam_cookie", "cookie", hosts, cookie.cookie_errors, cookie.FIX_COOKIE, "cookie" in required and self.mode != "off")
        self._secret(
            "beam_pki_ca_passphrase",
            "passphrase",
            hosts,
            cookie.passphrase_errors,
            cookie.FIX_PASSPHRASE,
            "ca_passphrase" in required and not bring_your_own and self.tls,
        )

    def _secret(
        self, variable: str, word: str, hosts: Sequence[str], judge: Callable[[object], list[tuple[str, str]]], fix: str, required: bool
    ) -> None:
        """One secret: there where it is required, good where it is there, the same on all members. No message shows it."""
        given = self.inventory.secrets.get(variable, {})
        judged: dict[object, list[tuple[str, str]]] = {}
        for host in hosts:
            value = given.get(host, MISSING)
            if isinstance(value, Unreadable):
                self.problems.add(
                    host,
                    variable,
                    f"{word}_unreadable",
                    f"it cannot be read: {value.reason}.",
                    "check the vault's password and what the value refers to.",
                )
            elif value is MISSING or value is None or value == "":
                if required:
                    self.problems.add(host, variable, f"{word}_missing", "it is not set.", fix)
            else:
                key = value if isinstance(value, str) else id(value)
                if key not in judged:
                    judged[key] = judge(value)
                for rule, message in judged[key]:
                    self.problems.add(host, variable, rule, message, fix)
        readable = {host: given[host] for host in hosts if host in given and not isinstance(given[host], Unreadable) and given[host] is not MISSING}
        inputs.agree(variable, readable, self.problems)

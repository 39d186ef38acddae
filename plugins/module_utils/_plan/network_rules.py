# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and ports that an operator's own unit or drop-in refuses to a node: its peers, EPMD, or the ports on which it listens.

Private to this collection. Source: systemd.resource-control(5). What systemd does not understand, it ignores.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from .._model.addresses import Address
from .._model.host_facts import Setting
from .._model.observation import Observation
from .._model.problems import Problems, join_names
from .cluster import Inventory, Node

_NAMED = {
    "any": "0.0.0.0/0 ::/0",
    "localhost": "127.0.0.0/8 ::1/128",
    "link-local": "169.254.0.0/16 fe80::/64",
    "multicast": "224.0.0.0/4 ff00::/8",
}
_FAMILIES, _PROTOCOLS = {"ipv4": 4, "ipv6": 6}, ("tcp", "udp")
_FREE = 0
"""The port that a node binds before it connects: the kernel chooses one. A rule with ports does not match it."""


def check_network(inventory: Inventory, node: Node, addresses: Sequence[Address], seen: Observation, problems: Problems) -> None:
    """`addresses`: of all members, its own among them."""
    _check_addresses(inventory, node, addresses, seen, problems)
    # The drop-in of a bare node allows its ports itself.
    if node.runtime.data.kind != "erlang":
        _check_ports(inventory, node, seen, problems)


def _given(inventory: Inventory, node: Node, seen: Observation, name: str) -> list[Setting]:
    """What counts of a list of systemd's: every assignment since the last empty one, those of beam_service_directives last."""
    unit = node.runtime.unit
    found = [one for one in seen.settings or () if (one.unit, one.kind, one.name) == (unit, "directive", name)]
    for text in inventory.sandbox.get(node.host, ()):
        if text.partition("=")[0].strip() == name:
            found.append(Setting(unit, "beam_service_directives", 0, "directive", name, text.partition("=")[2].strip()))
    resets = [index for index, one in enumerate(found) if not one.value]
    return found[resets[-1] + 1 :] if resets else found


def _check_addresses(inventory: Inventory, node: Node, addresses: Sequence[Address], seen: Observation, problems: Problems) -> None:
    denied, allowed = (_given(inventory, node, seen, name) for name in ("IPAddressDeny", "IPAddressAllow"))
    if not denied:
        return
    loopback = ipaddress.ip_address("127.0.0.1" if node.address.version == 4 else "::1")
    open_ = [network for one in allowed for network in _networks(one)]
    closed = [(one, network) for one in denied for network in _networks(one)]
    out = {address: one for address in (loopback, *addresses) for one, network in closed if address in network}
    out = {address: one for address, one in out.items() if not any(address in network for network in open_)}
    if out:
        setting = next(iter(out.values()))
        needed = " ".join(["localhost", *(str(address) for address in addresses)])
        problems.add(
            node.host,
            "beam_service_directives",
            "directive_unusable",
            f"{setting.place} sets IPAddressDeny={setting.value} for {node.runtime.unit}: the node would not reach {join_names(map(str, out))}.",
            f"remove it there, or add 'IPAddressAllow={needed}' to beam_service_directives.",
        )


def _networks(setting: Setting) -> Iterator[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    for word in (setting.value or "").split():
        for text in _NAMED.get(word, word).split():
            try:
                yield ipaddress.ip_network(text, strict=False)
            except ValueError:
                continue


def _check_ports(inventory: Inventory, node: Node, seen: Observation, problems: Problems) -> None:
    denied, allowed = (_given(inventory, node, seen, name) for name in ("SocketBindDeny", "SocketBindAllow"))
    ports = (_FREE, *range(node.port_range.first, node.port_range.last + 1)) if denied else ()
    for port in ports:
        setting = next((one for one in denied if _matches(one, node.address.version, port)), None)
        if setting is not None and not any(_matches(one, node.address.version, port) for one in allowed):
            what = f"listen on port {port}" if port else "connect to its peers, which needs any free port"
            named = "" if port else "let it name ports (SocketBindDeny=tcp:1-65535), and "
            problems.add(
                node.host,
                "beam_service_directives",
                "directive_unusable",
                f"{setting.place} sets SocketBindDeny={setting.value} for {node.runtime.unit}: the node could not {what}.",
                f"remove it there, or {named}add 'SocketBindAllow=tcp:{node.port_range}' to beam_service_directives.",
            )
            return


def _matches(setting: Setting, family: int, port: int) -> bool:
    """Whether one of the rules is about TCP at a port."""
    return any(_rule_matches(rule.split(":"), family, port) for rule in (setting.value or "").split())


def _rule_matches(parts: Sequence[str], family: int, port: int) -> bool:
    for part in parts:
        first, dash, last = part.partition("-")
        if part in _FAMILIES or part in _PROTOCOLS or part == "any":
            if part == "udp" or _FAMILIES.get(part, family) != family:
                return False
        elif not (first.isdigit() and (last.isdigit() or not dash) and int(first) <= port <= int(last or first)):
            return False
    return True

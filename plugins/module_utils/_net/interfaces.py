# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of this host's interfaces, asked of the kernel over netlink (rtnetlink(7)): no tool is needed, nothing is sent to anybody.

Private to this collection.
"""

from __future__ import annotations

import ipaddress
import socket
import struct

_RTM_GETADDR = 22
_RTM_NEWADDR = 20
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_REQUEST_DUMP = 0x1 | 0x300
_IFA_ADDRESS = 1
_IFA_LOCAL = 2
_HEADER = struct.Struct("=IHHII")
_IFADDRMSG = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_TIMEOUT = 2.0


def list_addresses() -> list[tuple[str, str, int, int]]:
    """Of every address: interface, address, family (4 or 6), prefix length. Empty where the kernel has no netlink."""
    if not hasattr(socket, "AF_NETLINK"):
        return []
    found: list[tuple[str, str, int, int]] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as netlink:
        netlink.settimeout(_TIMEOUT)
        netlink.bind((0, 0))
        netlink.send(_HEADER.pack(_HEADER.size + _IFADDRMSG.size, _RTM_GETADDR, _REQUEST_DUMP, 1, 0) + _IFADDRMSG.pack(0, 0, 0, 0, 0))
        while True:
            data = netlink.recv(1 << 18)
            while len(data) >= _HEADER.size:
                length, kind, _flags, _sequence, _port = _HEADER.unpack_from(data)
                if kind in (_NLMSG_DONE, _NLMSG_ERROR) or length < _HEADER.size:
                    return found
                if kind == _RTM_NEWADDR:
                    found.extend(_address(data[_HEADER.size : length]))
                data = data[(length + 3) & ~3 :]


def _address(message: bytes) -> list[tuple[str, str, int, int]]:
    """One RTM_NEWADDR. On a point-to-point interface IFA_ADDRESS is the peer's and IFA_LOCAL ours; IPv6 mostly has IFA_ADDRESS only."""
    family, prefix, _flags, _scope, index = _IFADDRMSG.unpack_from(message)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return []
    attributes: dict[int, bytes] = {}
    rest = message[_IFADDRMSG.size :]
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        if length < _ATTRIBUTE.size:
            break
        attributes[kind] = rest[_ATTRIBUTE.size : length]
        rest = rest[(length + 3) & ~3 :]
    packed = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    if packed is None:
        return []
    try:
        interface = socket.if_indextoname(index)
    except OSError:
        return []
    return [(interface, str(ipaddress.ip_address(packed)), 4 if family == socket.AF_INET else 6, prefix)]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The addresses of this host's interfaces, asked of the kernel over netlink (rtnetlink(7)): no tool is needed, nothing is sent to anybody.

Private to this collection.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
import time

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
# The list changed while the kernel gave it: it may miss an address that was there all the time (rtnetlink(7), NLM_F_DUMP_INTR).
_INTERRUPTED = 0x10
_ATTEMPTS = 3
_ERROR = struct.Struct("=i")

Addresses = list[tuple[str, str, int, int]]
"""Of every address: interface, address, family (4 or 6), prefix length."""


class _Again(Exception):
    """The answer was not whole."""


def list_addresses() -> Addresses | None:
    """All addresses of the host. None where the kernel does not tell them all: no netlink, an error, or no end of the answer in time."""
    if not hasattr(socket, "AF_NETLINK"):
        return None
    for _attempt in range(_ATTEMPTS):
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as netlink:
                return _dump(netlink)
        except _Again:
            continue
        except OSError as error:
            # More addresses than the socket's buffer holds: what came is not all.
            if error.errno != errno.ENOBUFS:
                return None
    return None


def _dump(netlink: socket.socket) -> Addresses:
    """One question and its whole answer. Raises OSError and _Again."""
    found: Addresses = []
    until = time.monotonic() + _TIMEOUT
    netlink.bind((0, 0))
    netlink.send(_HEADER.pack(_HEADER.size + _IFADDRMSG.size, _RTM_GETADDR, _REQUEST_DUMP, 1, 0) + _IFADDRMSG.pack(0, 0, 0, 0, 0))
    while True:
        netlink.settimeout(max(0.001, until - time.monotonic()))
        data = netlink.recv(1 << 18)
        if not data:
            raise OSError(errno.EPROTO, "netlink ended its answer early")
        while len(data) >= _HEADER.size:
            length, kind, flags, _sequence, _port = _HEADER.unpack_from(data)
            if length < _HEADER.size or length > len(data):
                raise OSError(errno.EPROTO, "netlink sent a message of an impossible length")
            if flags & _INTERRUPTED:
                raise _Again
            body = data[_HEADER.size : length]
            if kind in (_NLMSG_DONE, _NLMSG_ERROR):
                code = _ERROR.unpack_from(body)[0] if len(body) >= _ERROR.size else 0
                if kind == _NLMSG_ERROR or code:
                    raise OSError(-code or errno.EPROTO, "netlink refused to list the addresses")
                return found
            if kind == _RTM_NEWADDR:
                found.extend(_address(body))
            data = data[(length + 3) & ~3 :]


def _address(message: bytes) -> Addresses:
    """One RTM_NEWADDR. On a point-to-point interface IFA_ADDRESS is the peer's and IFA_LOCAL ours; IPv6 mostly has IFA_ADDRESS only."""
    if len(message) < _IFADDRMSG.size:
        return []
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
        interface, address = socket.if_indextoname(index), ipaddress.ip_address(packed)
    except (OSError, ValueError):
        return []
    return [(interface, str(address), 4 if family == socket.AF_INET else 6, prefix)]

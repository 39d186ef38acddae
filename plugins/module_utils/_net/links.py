# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The established distribution links of this host, from /proc, and what goes over them, from a packet socket that only reads.

Links outlive settings: a node that was hardened a moment ago may still hold a connection in the clear from before. Linux only.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from .._wire.errors import WireError

_ESTABLISHED = "01"
_ETH_P_ALL = 3
_TCP = 6
# Enough for the headers of IP and TCP with all options and the begin of what they carry.
_SNAP = 256

Place = Tuple[str, int]


@dataclass(frozen=True)
class Socket:
    """One established TCP connection; `inode` names it among a process's files."""

    local: Place
    remote: Place
    inode: int


def parse_table(text: str) -> List[Socket]:
    """The established connections in the text of /proc/net/tcp or tcp6. IPv4 in IPv6 is IPv4."""
    found: List[Socket] = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _ESTABLISHED:
            found.append(Socket(_place(fields[1]), _place(fields[2]), int(fields[9])))
    return found


def _place(field: str) -> Place:
    """`0100007F:1F90` as address and port: words of 32 bits in the host's byte order."""
    digits, dummy, port = field.partition(":")
    raw = bytes.fromhex(digits)
    if sys.byteorder == "little":
        raw = b"".join(raw[start:start + 4][::-1] for start in range(0, len(raw), 4))
    return address_text(raw), int(port, 16)


def address_text(raw: bytes) -> str:
    """An address of 4 or 16 bytes as text."""
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def parse_ports(texts: Iterable[str]) -> Set[int]:
    """Ports and windows such as 9100-9109. Raises `ValueError`."""
    ports: Set[int] = set()
    for text in texts:
        match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", str(text))
        first, last = (int(match.group(1)), int(match.group(2) or match.group(1))) if match else (0, 0)
        if not 1 <= first <= last <= 65535:
            raise ValueError("%s is neither a port nor a window such as 9100-9109" % text)
        ports.update(range(first, last + 1))
    return ports


def node_of(arguments: Sequence[str]) -> Optional[str]:
    """The node name in the command line of a beam.smp, as it was given; None where it has none."""
    for flag, value in zip(arguments, arguments[1:]):
        if flag in ("-name", "-sname"):
            return value
    return None


def beam_processes(proc: str = "/proc") -> Dict[int, Dict[str, Any]]:
    """Inode -> pid and node name, for the sockets of all beam.smp processes that may be looked at."""
    owners: Dict[int, Dict[str, Any]] = {}
    for entry in os.listdir(proc):
        if not entry.isdigit():
            continue
        folder = os.path.join(proc, entry)
        try:
            with open(os.path.join(folder, "comm"), encoding="utf-8", errors="replace") as file:
                if file.read().strip() != "beam.smp":
                    continue
            with open(os.path.join(folder, "cmdline"), "rb") as raw:
                arguments = raw.read().decode("utf-8", "replace").split("\0")
            owner = {"pid": int(entry), "node": node_of(arguments)}
            for descriptor in os.listdir(os.path.join(folder, "fd")):
                target = os.readlink(os.path.join(folder, "fd", descriptor))
                if target.startswith("socket:["):
                    owners[int(target[8:-1])] = owner
        except OSError:
            # It ended while we looked, or is not ours to look at.
            continue
    return owners


def connections(proc: str = "/proc") -> List[Socket]:
    """All established TCP connections of this network namespace."""
    found: List[Socket] = []
    for name in ("tcp", "tcp6"):
        try:
            with open(os.path.join(proc, "net", name), encoding="ascii") as file:
                found += parse_table(file.read())
        except FileNotFoundError:
            # IPv6 is off.
            continue
    return found


def links(ports: Set[int], members: Mapping[str, str], proc: str = "/proc") -> List[Dict[str, Any]]:
    """The distribution links: connections of a beam.smp from or to one of the ports.

    `members`: address -> node. A link between two nodes of this host shows twice, once from each end.
    """
    owners = beam_processes(proc)
    result: List[Dict[str, Any]] = []
    for found in connections(proc):
        owner = owners.get(found.inode)
        incoming = found.local[1] in ports
        if owner is None or not (incoming or found.remote[1] in ports):
            continue
        result.append({
            "node": owner["node"],
            "pid": owner["pid"],
            "direction": "in" if incoming else "out",
            "local_address": found.local[0],
            "local_port": found.local[1],
            "remote_address": found.remote[0],
            "remote_port": found.remote[1],
            "member": members.get(found.remote[0]),
            "stranger": found.remote[0] not in members,
            "wire": "unwatched",
        })
    return sorted(result, key=lambda link: (link["local_port"], link["remote_address"], link["remote_port"]))


# --- What goes over them ---


def classify(payload: bytes) -> Optional[str]:
    """What the begin of a TCP segment is: tls, clear, or None where it cannot be told.

    A tick is a segment of its own: a TLS record as a whole, or four zero bytes. So is the begin of most messages: a record's header, or a length and
    the byte of a frame (112 without, 131 with an atom cache).
    """
    if len(payload) >= 5 and payload[0] in (20, 21, 22, 23) and payload[1] == 3 and payload[2] <= 4 and int.from_bytes(payload[3:5], "big") <= 16640:
        return "tls"
    if payload == b"\0\0\0\0":
        return "clear"
    if len(payload) >= 6 and int.from_bytes(payload[:4], "big") < 1 << 28 and (payload[4] == 112 and payload[5] == 131 or payload[4] == 131):
        return "clear"
    return None


def segment(packet: bytes) -> Optional[Tuple[Place, Place, bytes]]:
    """Source, destination and payload of a packet that begins with its IP header; None for what is no TCP segment with a payload."""
    if len(packet) < 40:
        return None
    version = packet[0] >> 4
    if version == 4:
        start = (packet[0] & 15) * 4
        total = int.from_bytes(packet[2:4], "big")
        if start < 20 or packet[9] != _TCP or int.from_bytes(packet[6:8], "big") & 0x1FFF:
            return None
        source, target = packet[12:16], packet[16:20]
    elif version == 6:
        start = 40
        total = 40 + int.from_bytes(packet[4:6], "big")
        if packet[6] != _TCP:
            return None
        source, target = packet[8:24], packet[24:40]
    else:
        return None
    if len(packet) < start + 20:
        return None
    payload = packet[start + (packet[start + 12] >> 4) * 4:max(start, total)]
    if not payload:
        return None
    ports = int.from_bytes(packet[start:start + 2], "big"), int.from_bytes(packet[start + 2:start + 4], "big")
    return (address_text(source), ports[0]), (address_text(target), ports[1]), payload


def watch(found: Sequence[Dict[str, Any]], seconds: float) -> None:
    """Watch all interfaces until each link has shown what it is, or the time is up; sets `wire` to tls, clear or silent.

    One segment in the clear is enough to call a link clear; TLS is called so by the first record. Raises `WireError` where it may not be done.
    """
    waiting: Dict[Tuple[Place, Place], List[Dict[str, Any]]] = {}
    for link in found:
        link["wire"] = "silent"
        here, there = (link["local_address"], link["local_port"]), (link["remote_address"], link["remote_port"])
        waiting.setdefault((here, there), []).append(link)
        waiting.setdefault((there, here), []).append(link)
    if not waiting:
        return
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
    except PermissionError:
        raise WireError("watching links takes the capability to open packet sockets (root)", code="local_resources") from None
    with sock:
        until = time.monotonic() + seconds
        while waiting:
            left = until - time.monotonic()
            if left <= 0:
                return
            sock.settimeout(left)
            try:
                packet = sock.recv(_SNAP)
            except socket.timeout:
                return
            except OSError:
                # An interface went down.
                continue
            parts = segment(packet)
            if parts is None or (parts[0], parts[1]) not in waiting:
                continue
            kind = classify(parts[2])
            if kind is not None:
                for link in waiting[parts[0], parts[1]]:
                    link["wire"] = kind
                waiting.pop((parts[0], parts[1]), None)
                waiting.pop((parts[1], parts[0]), None)

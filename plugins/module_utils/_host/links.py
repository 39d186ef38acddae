# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The established distribution links of this host, from /proc, and what goes over them, from a packet socket that only reads.

Links outlive settings: a node that was hardened a moment ago may still hold a connection in the clear from before. Linux only.
"""

from __future__ import annotations

import array
import errno
import ipaddress
import re
import socket
import struct
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from .._model import addresses
from .._model.untrusted_json import safe_text, same_address
from .._wire.errors import WireError
from . import proc

_ESTABLISHED = "01"
_ETH_P_ALL = 3
_TCP = 6
# The longest that IP can say. What a host sends to itself or leaves to its network card to cut up is as long.
_MAX_PACKET = 65536

Endpoint = tuple[str, int]
# From where to where.
Flow = tuple[Endpoint, Endpoint]


def address_text(raw: bytes) -> str:
    """An address of 4 or 16 bytes as text. IPv4 in IPv6 is IPv4."""
    return same_address(ipaddress.ip_address(raw))


def parse_ports(texts: Iterable[str]) -> set[int]:
    """Ports and port ranges such as 9100-9109. Raises ValueError."""
    ports: set[int] = set()
    for text in texts:
        match = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", str(text))
        first, last = (int(match.group(1)), int(match.group(2) or match.group(1))) if match else (0, 0)
        if not 1 <= first <= last <= 65535:
            raise ValueError(f"{text} is neither a port nor a range such as 9100-9109")
        ports.update(range(first, last + 1))
    return ports


def members_by_address(members: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Address, in the one spelling in which the kernel's are compared, to node. Raises ValueError for what is no address."""
    found = {}
    for node, address in members:
        try:
            found[same_address(addresses.parse(address))] = safe_text(node)
        except ValueError as error:
            raise ValueError(f"the address of {node}: {error}") from None
    return found


def links(ports: Collection[int], members: Mapping[str, str], root: str = "/proc") -> list[dict[str, Any]]:
    """The distribution links: established connections of a beam.smp from or to one of the ports.

    members: address -> node, as members_by_address() makes it. A link between two nodes of this host shows twice, once from each end.
    Raises OSError.
    """
    connections = proc.sockets(_ESTABLISHED, root)
    if connections is None:
        raise OSError("the kernel's table of TCP connections cannot be read")
    established = [found for found in connections if found.local[1] in ports or found.remote[1] in ports]
    holders = proc.owners({found.inode for found in established}, root)
    beams = {process.pid: process for process in proc.beam_processes(root) if process.process != "epmd"}
    result: list[dict[str, Any]] = []
    for found in established:
        process = next((beams[pid] for pid in holders.get(found.inode, ()) if pid in beams), None)
        if process is None:
            continue
        incoming = found.local[1] in ports
        peer = same_address(found.remote[0])
        result.append({
            "node": None if process.node is None else safe_text(process.node),
            "pid": process.pid,
            "direction": "in" if incoming else "out",
            "local_address": same_address(found.local[0]),
            "local_port": found.local[1],
            "remote_address": peer,
            "remote_port": found.remote[1],
            "member": members.get(peer),
            "non_member": peer not in members,
            "wire": "unwatched",
        })
    return sorted(result, key=lambda link: (link["local_port"], link["remote_address"], link["remote_port"]))


# --- What goes over them ---


def classify(payload: bytes) -> str | None:
    """What a TCP segment carries: tls, clear, or None where that is not certain.

    Only a segment of nothing but whole TLS records, or whole frames, tells: whatever else is in the middle of a message can begin like either. A tick
    is one: a record, or four zero bytes. So is nearly every message that fits a segment.
    """
    for kind, length in (("tls", _record), ("clear", _frame)):
        pos = 0
        while pos < len(payload):
            size = length(payload, pos)
            if not size:
                break
            pos += size
        if payload and pos == len(payload):
            return kind
    return None


def _record(data: bytes, pos: int) -> int:
    """The length of what begins as a TLS record, its header included; 0 for what does not (RFC 8446 section 5.1)."""
    head = data[pos:pos + 5]
    length = int.from_bytes(head[3:], "big")
    return 5 + length if len(head) == 5 and 20 <= head[0] <= 23 and head[1] == 3 and head[2] <= 4 and 0 < length <= 16640 else 0


def _frame(data: bytes, pos: int) -> int:
    """The length of what begins as a frame, its prefix included; 0 for what does not.

    A frame is a tick (empty), a message without atom cache (112, 131), one with (131, 68), or a fragment (131, 69 or 70).
    """
    length = int.from_bytes(data[pos:pos + 4], "big")
    mark = data[pos + 4:pos + 6]
    return 4 + length if len(data) - pos >= 4 and (not length or mark in (b"p\x83", b"\x83D", b"\x83E", b"\x83F")) else 0


def segment(packet: bytes) -> tuple[Endpoint, Endpoint, bytes] | None:
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


# Instructions of the kernel's packet filter (linux/filter.h): code, jump if true, jump if false, operand.
_Instruction = tuple[int, int, int, int]
_SO_ATTACH_FILTER = 26
# TCP in IPv4 but for later fragments, or in IPv6; X is where it begins. Everything else ends at the 14th.
_IS_TCP: tuple[_Instruction, ...] = (
    (0x30, 0, 0, 0), (0x54, 0, 0, 0xF0), (0x15, 5, 0, 0x40), (0x15, 0, 10, 0x60),
    (0x30, 0, 0, 6), (0x15, 0, 8, _TCP), (0x01, 0, 0, 40), (0x05, 0, 0, 7),
    (0x30, 0, 0, 9), (0x15, 0, 4, _TCP), (0x28, 0, 0, 6), (0x45, 2, 0, 0x1FFF), (0xB1, 0, 0, 0), (0x05, 0, 0, 1),
    (0x06, 0, 0, 0),
)
_ACCEPT = (0x06, 0, 0, 0x40000)
_DROP = (0x06, 0, 0, 0)
# The kernel takes 4096 instructions.
_MAX_RANGES = 64


def packet_filter(ports: Iterable[int]) -> bytes:
    """A program for SO_ATTACH_FILTER that lets TCP from or to the ports through: what the links of a busy host do not carry is never copied to us.

    Where the ports are in more than 64 pieces, it lets through what lies in the narrowest gaps, too; the reader still compares.
    """
    ordered = sorted(set(ports))
    gaps = sorted((last - first for first, last in zip(ordered, ordered[1:])), reverse=True)
    widest = max(1, gaps[_MAX_RANGES - 1]) if len(gaps) >= _MAX_RANGES else 1
    ranges: list[list[int]] = []
    for port in ordered:
        if ranges and port - ranges[-1][1] <= widest:
            ranges[-1][1] = port
        else:
            ranges.append([port, port])
    matches: list[_Instruction] = []
    for first, last in ranges:
        matches += [(0x35, 0, 2, first), (0x25, 1, 0, last), _ACCEPT]
    program = [*_IS_TCP, (0x48, 0, 0, 0), *matches, (0x48, 0, 0, 2), *matches, _DROP]
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def attach(sock: socket.socket, program: bytes) -> None:
    """Have the kernel ask the program which packets a socket gets, in place of the one before."""
    memory = array.array("B", program)
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program) // 8, memory.buffer_info()[0]))


def watch(found: Sequence[dict[str, Any]], seconds: float) -> None:
    """Watch all interfaces until each link has shown what it is, or the time is up.

    Sets wire to tls, clear, unclear (what was seen does not tell) or silent (nothing was seen). Raises WireError where it may not be done.
    """
    waiting: dict[Flow, list[dict[str, Any]]] = {}
    for link in found:
        link["wire"] = "silent"
        here, there = (link["local_address"], link["local_port"]), (link["remote_address"], link["remote_port"])
        waiting.setdefault((here, there), []).append(link)
        waiting.setdefault((there, here), []).append(link)
    if not waiting:
        return
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL)) as sock:
            _watch(sock, waiting, time.monotonic() + seconds)
    except PermissionError:
        raise WireError("watching links takes the capability to open packet sockets (root)", code="local_resources") from None
    except OSError as error:
        raise WireError(f"links cannot be watched here: {error.strerror}", code="local_resources") from None


def _watch(sock: socket.socket, waiting: dict[Flow, list[dict[str, Any]]], until: float) -> None:
    while waiting:
        # Of a link, the port that it was opened to: the other is anybody's.
        attach(sock, packet_filter(link[_OPENED_TO[link["direction"]]] for ends in waiting.values() for link in ends))
        settled = _next_settled(sock, waiting, until)
        if settled is None:
            return
        for flow in (settled, settled[::-1]):
            waiting.pop(flow, None)


_OPENED_TO = {"in": "local_port", "out": "remote_port"}


def _next_settled(sock: socket.socket, waiting: dict[Flow, list[dict[str, Any]]], until: float) -> Flow | None:
    """Read packets until one settles a link, and say which; None when the time is up."""
    while True:
        left = until - time.monotonic()
        if left <= 0:
            return None
        sock.settimeout(left)
        try:
            packet = sock.recv(_MAX_PACKET)
        except socket.timeout:
            return None
        except OSError as error:
            if error.errno != errno.ENETDOWN:
                raise
            # One of the interfaces went down.
            continue
        parts = segment(packet)
        if parts is None or parts[:2] not in waiting:
            continue
        kind = classify(parts[2])
        for link in waiting[parts[:2]]:
            link["wire"] = kind or "unclear"
        if kind is not None:
            return parts[:2]

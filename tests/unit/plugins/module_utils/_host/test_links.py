# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links from /proc and from packets."""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import links, proc
from ansible_collections.beam.cluster.plugins.module_utils._wire import control_messages
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LINE = "   0: %s %s %s 00000000:00000000 00:00000000 00000000  1000        0 %d 1 0000000000000000 20 4 30 10 -1\n"

little = pytest.mark.skipif(sys.byteorder != "little", reason="written down on a little-endian machine")


def test_ports() -> None:
    assert links.parse_ports(["9100-9102", "4369"]) == {4369, 9100, 9101, 9102}
    for text in ("0", "9-8", "70000", "a", "1-70000", ""):
        with pytest.raises(ValueError):
            links.parse_ports([text])


def tree(tmp_path: Path, sockets: Any) -> Any:
    """A /proc of our own: one BEAM process with all sockets but the last, which is somebody else's."""
    net = tmp_path / "net"
    net.mkdir()
    (net / "tcp").write_text(HEAD + "".join(LINE % (local, remote, "01", inode) for local, remote, inode in sockets))
    inodes = [inode for _local, _remote, inode in sockets]
    for pid, comm, mine in ((10, "beam.smp", inodes[:-1]), (11, "nginx", inodes[-1:])):
        folder = tmp_path / str(pid) / "fd"
        folder.mkdir(parents=True)
        (tmp_path / str(pid) / "comm").write_text(comm + "\n")
        (tmp_path / str(pid) / "cmdline").write_bytes(b"beam.smp\0-name\0a@10.0.0.1\0")
        for inode in mine:
            os.symlink(f"socket:[{inode}]", str(folder / str(inode)))
    return str(tmp_path)


SOCKETS = [
    ("0100000A:238C", "0200000A:A1B2", 1), ("0100000A:9999", "0300000A:238C", 2), ("0100000A:1628", "0200000A:8888", 3),
    ("0100000A:238C", "0400000A:A1B2", 4),
]


@little
def test_links(tmp_path: Path) -> None:
    """One link in, one out, and a connection that is none; and somebody else's."""
    found = links.links({9100}, {"10.0.0.2": "b@10.0.0.2"}, tree(tmp_path, SOCKETS))
    assert [(link["direction"], link["remote_address"], link["member"], link["non_member"], link["pid"], link["node"]) for link in found] == [
        ("in", "10.0.0.2", "b@10.0.0.2", False, 10, "a@10.0.0.1"), ("out", "10.0.0.3", None, True, 10, "a@10.0.0.1"),
    ]


@little
@pytest.mark.parametrize("closed", [1, 2, 3])
def test_a_descriptor_that_closes_takes_no_other_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed: Any) -> None:
    root, real = tree(tmp_path, SOCKETS), os.readlink

    def readlink(path: Any, *rest: Any) -> Any:
        if str(path).endswith(f"/10/fd/{closed}"):
            raise FileNotFoundError(path)
        return real(path, *rest)

    monkeypatch.setattr(proc.os, "readlink", readlink)
    found = {link["remote_address"] for link in links.links({9100}, {}, root)}
    assert found == {address for inode, address in ((1, "10.0.0.2"), (2, "10.0.0.3")) if inode != closed}


@pytest.mark.parametrize("spelled", ["2001:0DB8:0:0::A", "2001:db8::a"])
def test_a_member_spelled_otherwise_is_a_member(spelled: Any) -> None:
    assert links.members_by_address([("a@n1", spelled)]) == {"2001:db8::a": "a@n1"}


@pytest.mark.parametrize("address", ["n1.example", "", "10.0.0.0/8", "fe80::1%eth0"])
def test_a_member_is_an_address(address: Any) -> None:
    with pytest.raises(ValueError, match="a@n1"):
        links.members_by_address([("a@n1", address)])


@little
def test_a_name_that_a_local_user_chose(tmp_path: Path) -> None:
    root = tree(tmp_path, SOCKETS)
    (tmp_path / "10" / "cmdline").write_bytes(b"beam.smp\0-name\0\x1b[2J\0")
    assert {link["node"] for link in links.links({9100}, {}, root)} == {"\\x1b[2J"}


RECORD = b"\x17\x03\x03\x00\x15" + bytes(range(0x83, 0x98))
FRAME = frame(control_messages.send(1, 2), 4)
TICK = b"\0\0\0\0"


@pytest.mark.parametrize("payload, kind", [
    (RECORD, "tls"), (RECORD * 3, "tls"), (b"\x15\x03\x03\x00\x02\x02\x0a", "tls"),
    (TICK, "clear"), (FRAME, "clear"), (FRAME + TICK + FRAME, "clear"), (frame(b"\x83D\x01\x00", 4), "clear"),
    (frame(b"\x83F" + bytes(16), 4), "clear"),
    # Each could be a part of anything: a record or a frame that is not whole, or that something else follows.
    (RECORD[:-1], None), (RECORD + b"\x17", None), (RECORD + FRAME, None), (b"\x17\x03\x03", None), (b"\x17\x03\x03\x00\x00", None),
    (b"\x17\x03\x03\xff\xff", None), (FRAME[:-1], None), (FRAME + TICK[:3], None), (TICK[:3], None), (b"\0\0\1\2\x83" + bytes(20), None),
    (frame(b"\x83\x68\x01", 4), None), (b"random bytes", None), (b"", None),
])
def test_what_a_segment_is(payload: Any, kind: Any) -> None:
    assert links.classify(payload) == kind


@pytest.mark.parametrize("kind", ["tls", "clear"])
def test_no_part_of_a_stream_is_taken_for_the_other_kind(kind: Any) -> None:
    """Messages of any length in segments of any length: what is told is right, and most segments that are not full tell."""
    random = Random(7)
    head = {"tls": lambda body: b"\x17\x03\x03" + len(body).to_bytes(2, "big"), "clear": lambda body: (len(body) + 2).to_bytes(4, "big") + b"p\x83"}
    told = 0
    for _round in range(3000):
        bodies = [random.randbytes(random.choice([30, 300, 9000])) for _message in range(random.randint(1, 3))]
        stream = b"".join(head[kind](body) + body for body in bodies)
        for start in range(0, len(stream), 1448):
            found = links.classify(stream[start:start + 1448])
            assert found in (kind, None)
            told += found is not None
        start = random.randrange(len(stream))
        assert links.classify(stream[start:]) in (kind, None)
    assert told > 500


def tcp(payload: Any, options: Any = b"", source: Any = 9100) -> Any:
    return struct.pack(">HHIIBBHHH", source, 41234, 0, 0, (5 + len(options) // 4) << 4, 0, 0, 0, 0) + options + payload


def ipv4(body: Any, protocol: Any = 6, fragment: Any = 0) -> Any:
    source, target = socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2")
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, fragment, 64, protocol, 0) + source + target + body


def ipv6(body: Any, protocol: Any = 6) -> Any:
    ends = socket.inet_pton(socket.AF_INET6, "2001:db8::1") + socket.inet_pton(socket.AF_INET6, "2001:db8::2")
    return struct.pack(">IHBB", 0x60000000, len(body), protocol, 64) + ends + body


def let_through(ports: Any, packets: Any) -> Any:
    """What the kernel's filter lets through, tried on a pair of sockets that anybody may have."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        links.attach(ours, links.packet_filter(ports))
        ours.setblocking(False)
        passed = []
        for packet in packets:
            theirs.send(packet)
            try:
                assert ours.recv(65536) == packet
                passed.append(packet)
            except BlockingIOError:
                pass
        return passed


def test_only_the_links_packets_are_read() -> None:
    ours = [ipv4(tcp(TICK)), ipv6(tcp(TICK)), ipv4(tcp(b"", bytes(12))), ipv4(tcp(bytes(60000)))]
    others = [
        ipv4(tcp(TICK, source=9101)), ipv6(tcp(TICK, source=9099)), ipv4(tcp(TICK), protocol=17), ipv6(tcp(TICK), protocol=17),
        ipv4(tcp(TICK), fragment=1), b"\x45" + bytes(9), b"\0\1" + bytes(60), bytes(1),
    ]
    assert let_through({9100}, ours + others) == ours
    assert let_through({41234}, ours) == let_through(range(9000, 9200), ours) == ours
    assert let_through({80, 9101}, ours) == []
    # From a header with options, too.
    longer = ipv4(tcp(TICK))
    longer = b"\x46" + longer[1:20] + bytes(4) + longer[20:]
    assert let_through({9100}, [longer]) == [longer] and let_through({0}, [longer]) == []


def test_a_filter_for_any_number_of_ports_is_one_that_the_kernel_takes() -> None:
    many = range(1024, 65536, 2)
    assert let_through(many, [ipv4(tcp(TICK, source=1024)), ipv4(tcp(TICK, source=65534))])
    scattered = [port * port for port in range(2, 256)]
    for port in scattered:
        assert let_through(scattered, [ipv4(tcp(TICK, source=port))]), port
    # What is left out are the widest gaps.
    assert not let_through(scattered, [ipv4(tcp(TICK, source=254 * 254 + 100))])


def test_segments() -> None:
    ends = (("10.0.0.1", 9100), ("10.0.0.2", 41234))
    assert links.segment(ipv4(tcp(b"abc"))) == (*ends, b"abc")
    assert links.segment(ipv4(tcp(b"abc", bytes(12)))) == (*ends, b"abc")
    # Short frames are filled up by Ethernet.
    assert links.segment(ipv4(tcp(b"abc")) + bytes(6)) == (*ends, b"abc")
    assert links.segment(ipv6(tcp(b"abc"))) == (("2001:db8::1", 9100), ("2001:db8::2", 41234), b"abc")
    for packet in (ipv4(tcp(b"")), ipv4(tcp(b"abc"), protocol=17), ipv4(tcp(b"abc"), fragment=1), b"", bytes(60), ipv4(tcp(b"abc"))[:30]):
        assert links.segment(packet) is None


def test_every_cut_of_a_packet() -> None:
    packet = ipv4(tcp(b"abc", bytes(12)))
    for cut in range(len(packet)):
        links.segment(packet[:cut])

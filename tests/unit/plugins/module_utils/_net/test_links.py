# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links from /proc and from packets."""

from __future__ import annotations

import os
import socket
import struct
import sys

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import links
from ansible_collections.beam.cluster.plugins.module_utils._wire import control
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
LINE = "   0: %s %s %s 00000000:00000000 00:00000000 00000000  1000        0 %d 1 0000000000000000 20 4 30 10 -1\n"

little = pytest.mark.skipif(sys.byteorder != "little", reason="written down on a little-endian machine")


@little
def test_tables():
    text = HEAD + LINE % ("0100007F:238C", "0200000A:A1B2", "01", 77) + LINE % ("00000000:238C", "00000000:0000", "0A", 78)
    assert links.parse_table(text) == [links.Socket(("127.0.0.1", 9100), ("10.0.0.2", 41394), 77)]
    text = HEAD + LINE % ("0000000000000000FFFF00000100007F:238C", "B80D01200000000000000000010000AB:0001", "01", 79)
    assert links.parse_table(text) == [links.Socket(("127.0.0.1", 9100), ("2001:db8::ab00:1", 1), 79)]


def test_ports():
    assert links.parse_ports(["9100-9102", "4369"]) == {4369, 9100, 9101, 9102}
    for text in ("0", "9-8", "70000", "a", "1-70000", ""):
        with pytest.raises(ValueError):
            links.parse_ports([text])


def test_node_names():
    assert links.node_of(["beam.smp", "--", "-name", "a@h", "-setcookie", "x"]) == "a@h"
    assert links.node_of(["beam.smp", "-sname"]) is None


@little
def test_links(tmp_path):
    """A /proc of our own: one BEAM process with a link in, one out, and a connection that is none; and somebody else's."""
    net = tmp_path / "net"
    net.mkdir()
    sockets = [("0100000A:238C", "0200000A:A1B2", 1), ("0100000A:9999", "0300000A:238C", 2), ("0100000A:1628", "0200000A:8888", 3),
               ("0100000A:238C", "0400000A:A1B2", 4)]
    (net / "tcp").write_text(HEAD + "".join(LINE % (local, remote, "01", inode) for local, remote, inode in sockets))
    for pid, comm, inodes in ((10, "beam.smp", (1, 2, 3)), (11, "nginx", (4,))):
        folder = tmp_path / str(pid) / "fd"
        folder.mkdir(parents=True)
        (tmp_path / str(pid) / "comm").write_text(comm + "\n")
        (tmp_path / str(pid) / "cmdline").write_bytes(b"beam.smp\0-name\0a@10.0.0.1\0")
        for inode in inodes:
            os.symlink("socket:[%d]" % inode, str(folder / str(inode)))
    found = links.links({9100}, {"10.0.0.2": "b@10.0.0.2"}, str(tmp_path))
    assert [(link["direction"], link["remote_address"], link["member"], link["stranger"], link["pid"], link["node"]) for link in found] == [
        ("in", "10.0.0.2", "b@10.0.0.2", False, 10, "a@10.0.0.1"), ("out", "10.0.0.3", None, True, 10, "a@10.0.0.1"),
    ]


@pytest.mark.parametrize("payload, kind", [
    (b"\x17\x03\x03\x00\x15" + bytes(21), "tls"), (b"\x15\x03\x03\x00\x02\x02\x0a", "tls"), (b"\x17\x03\x03", None), (b"\x17\x03\x03\xff\xff", None),
    (b"\0\0\0\0", "clear"), (frame(control.send(1, 2), 4), "clear"), (b"\0\0\0\x10\x83D\x01\x00", "clear"), (b"random bytes", None), (b"", None),
])
def test_what_a_segment_is(payload, kind):
    assert links.classify(payload) == kind


def tcp(payload, options=b""):
    return struct.pack(">HHIIBBHHH", 9100, 41234, 0, 0, (5 + len(options) // 4) << 4, 0, 0, 0, 0) + options + payload


def ipv4(body, protocol=6, fragment=0):
    source, target = socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2")
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, fragment, 64, protocol, 0) + source + target + body


def test_segments():
    ends = (("10.0.0.1", 9100), ("10.0.0.2", 41234))
    assert links.segment(ipv4(tcp(b"abc"))) == (*ends, b"abc")
    assert links.segment(ipv4(tcp(b"abc", bytes(12)))) == (*ends, b"abc")
    # Short frames are filled up by Ethernet.
    assert links.segment(ipv4(tcp(b"abc")) + bytes(6)) == (*ends, b"abc")
    six = struct.pack(">IHBB", 0x60000000, 23, 6, 64) + socket.inet_pton(socket.AF_INET6, "2001:db8::1") + socket.inet_pton(socket.AF_INET6,
                                                                                                                            "2001:db8::2")
    assert links.segment(six + tcp(b"abc")) == (("2001:db8::1", 9100), ("2001:db8::2", 41234), b"abc")
    for packet in (ipv4(tcp(b"")), ipv4(tcp(b"abc"), protocol=17), ipv4(tcp(b"abc"), fragment=1), b"", bytes(60), ipv4(tcp(b"abc"))[:30]):
        assert links.segment(packet) is None


def test_every_cut_of_a_packet():
    packet = ipv4(tcp(b"abc", bytes(12)))
    for cut in range(len(packet)):
        links.segment(packet[:cut])

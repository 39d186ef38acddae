# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What we say to EPMD and to a node is what Wireshark's dissectors of both protocols expect, message by message, without a complaint."""

from __future__ import annotations

import collections
import signal
import socket
import subprocess
import time

import nodes
import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import calls, epmd_names
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom, Map
from ansible_collections.beam.cluster.plugins.module_utils._wire import distribution_flags, handshake
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame

ARGUMENTS = (Atom("ok"), -1, 1 << 70, 2.5, b"binary", [1, 2], (), Map([(Atom("k"), [])]), b"x" * 300)
HANDSHAKE = ["SEND_NAME", "SEND_STATUS", "SEND_CHALLENGE", "SEND_CHALLENGE_REPLY", "SEND_CHALLENGE_ACK"]
COMPLAINTS = "_ws.malformed or _ws.expert.severity >= 0x600000"


class Capture:
    """Packets of a node and its EPMD on loopback while the context lasts; afterwards, what tshark says of them."""

    def __init__(self, folder, node_port, epmd_port):
        self._file = folder / "wire.pcapng"
        self._decode = ["-d", f"tcp.port=={node_port},erldp", "-d", f"tcp.port=={epmd_port},epmd"]
        self._ports = f"tcp port {node_port} or tcp port {epmd_port}"

    def __enter__(self):
        self._process = subprocess.Popen(["tshark", "-i", "lo", "-w", str(self._file), "-f", self._ports], stderr=subprocess.PIPE, text=True)
        while "Capturing on" not in self._process.stderr.readline():
            assert self._process.poll() is None, "tshark ended"
        time.sleep(1)
        return self

    def __exit__(self, *_problem):
        time.sleep(1)
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=20)

    def read(self, expression, *fields):
        """The fields of each packet that the display filter takes."""
        words = [word for field in ("frame.number", *fields) for word in ("-e", field)]
        done = subprocess.run(["tshark", "-r", str(self._file), *self._decode, "-Y", expression, "-T", "fields", *words],
                              capture_output=True, text=True, timeout=60, check=True)
        return [line.split("\t")[1:] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("release", nodes.releases())
def test_tshark_decodes_all_of_it(release, cell, tmp_path):
    lab = nodes.Lab(tmp_path / "lab").start()
    try:
        lab.node(release, "t@127.0.0.1")
        port = lab.names()["t"]
        peer = Peer("t@127.0.0.1", "127.0.0.1", "beam_probe@127.0.0.1", None, lab.epmd_port, nodes.COOKIE.encode())
        with Capture(tmp_path, port, lab.epmd_port) as capture:
            assert epmd_names.names_all([("127.0.0.1", lab.epmd_port)], source=None, timeout=5, concurrency=1)[0].code == "connected"
            for via in ("rex", "erpc"):
                (answer,) = calls.call_everywhere([peer], ("erlang", "tuple_size", [ARGUMENTS]), via=via, timeout=5, concurrency=1)
                assert answer["result"] == len(ARGUMENTS)
        assert capture.read(COMPLAINTS, "_ws.col.Info") == []
        everything = capture.read("tcp.len > 0", "_ws.col.Protocol", "_ws.col.Info")
        assert [info.split()[0] for protocol, info in everything if protocol == "ErlDP" and info.startswith("SEND_")] == HANDSHAKE * 2
        assert [info for protocol, info in everything if protocol == "EPMD" and "REQ" in info] == ["EPMD_NAMES_REQ"] + ["EPMD_PORT2_REQ t"] * 2
        ours = capture.read("erldp.name == \"beam_probe@127.0.0.1\" and erldp.tag == 78", "erldp.flags_v6")
        assert [int(value, 16) for (value,) in ours] == [distribution_flags.OURS] * 2
        # The ping and the call, there and back, twice.
        assert len(capture.read("erldp.type == 112", "frame.len")) >= 8
        cell(release=release, tshark=collections.Counter(protocol for protocol, _info in everything))

        # It does complain: of a name that is shorter than it says.
        with Capture(tmp_path, port, lab.epmd_port) as capture, socket.create_connection(("127.0.0.1", port)) as sock:
            sock.sendall(frame(handshake.encode(handshake.SendName(distribution_flags.OURS, "beam_probe@127.0.0.1", 4))[:-5], 2))
        assert capture.read(COMPLAINTS, "_ws.col.Info")
    finally:
        lab.stop()

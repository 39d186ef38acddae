# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links between real nodes, idle and busy: `link_info` tells TLS from clear at the next tick, and reads nobody else's packets."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time

import nodes
import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import links
from ansible_collections.beam.cluster.plugins.module_utils._net import calls
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer
from ansible_collections.beam.cluster.plugins.module_utils._net.tls import Tls
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom

TICK = 1  # seconds; a quarter of net_ticktime


@pytest.fixture(scope="module", params=[
    (release, carrier, ipv6) for release in nodes.releases() for carrier in ("tcp", "tls") for ipv6 in (False, True)
], ids=lambda param: f"{param[0]}-{param[1]}-{'ipv6' if param[2] else 'ipv4'}")
def pair(request, pki, tmp_path_factory):
    """Two nodes with a link: the carrier, the distribution ports, and a function that calls one on the first node."""
    release, carrier, ipv6 = request.param
    host, address = ("localhost", "::1") if ipv6 else ("127.0.0.1", "127.0.0.1")
    lab = nodes.Lab(tmp_path_factory.mktemp("lab")).start()
    shutil.copytree(pki.folder, lab.folder / "pki")
    own = nodes.Pki(lab.folder / "pki")
    try:
        for name in ("l1", "l2"):
            lab.node(release, f"{name}@{host}", tls=nodes.option_file(own) if carrier == "tls" else None, ipv6=ipv6,
                     arguments=["-kernel", "net_ticktime", str(4 * TICK)])
        ports = lab.names()
        first = Peer("l1@" + host, address, "beam_probe@" + host, ports["l1"], cookie=nodes.COOKIE.encode(),
                     tls=Tls(ca=own.ca, **own.pair("node")) if carrier == "tls" else None)

        def call(*words):
            (answer,) = calls.call_everywhere([first], words, via=None, timeout=20, concurrency=1)
            assert answer["code"] == "connected", answer
            return answer["result"]

        assert call("net_kernel", "connect_node", [Atom("l2@" + host)]) is True
        yield carrier, set(ports.values()), address, call
    finally:
        lab.stop()


def watched(pair, seconds, meanwhile=lambda: None):
    """Both ends of the link, watched; and how long that took."""
    carrier, ports, address, _call = pair
    nodes.wait_for(lambda: len(links.links(ports, {})) == 2)
    found = links.links(ports, {address: "l@h"})
    worker = threading.Thread(target=meanwhile)
    begin = time.monotonic()
    worker.start()
    links.watch(found, seconds)
    took = time.monotonic() - begin
    worker.join()
    assert {(link["direction"], link["remote_address"], link["non_member"], link["node"][:1]) for link in found} == {
        ("in", address, False, "l"), ("out", address, False, "l")}
    return {link["wire"] for link in found}, took


def test_an_idle_link_tells_at_its_next_tick(pair):
    wire, took = watched(pair, 10 * TICK)
    assert wire == {"clear" if pair[0] == "tcp" else "tls"} and took < 5 * TICK


def test_a_link_without_packets_is_silent():
    port = nodes.free_port()
    found = [{"direction": "in", "local_address": "127.0.0.1", "local_port": port, "remote_address": "127.0.0.1", "remote_port": 1}]
    links.watch(found, 0.2)
    assert found[0]["wire"] == "silent"


def test_a_busy_link(pair):
    """Megabytes make full segments, most of which could be anything."""
    carrier, _ports, _address, call = pair
    (other,) = call("erlang", "nodes", [])

    def send():
        for _round in range(5):
            assert call("erpc", "multicall", [[Atom(other)], Atom("erlang"), Atom("byte_size"), [os.urandom(1 << 20)]]) == [["ok", 1 << 20]]

    wire, _took = watched(pair, 10 * TICK, send)
    assert wire == {"clear" if carrier == "tcp" else "tls"}


def test_a_flood_beside_the_links_is_not_read(pair, monkeypatch):
    """Thousands of packets of another connection; the module gets none of them."""
    read = []
    segment = links.segment
    monkeypatch.setattr(links, "segment", lambda packet: read.append(segment(packet)) or read[-1])
    sent = 0
    enough = threading.Event()

    def flood():
        nonlocal sent
        listener = socket.create_server(("127.0.0.1", 0))
        with listener, socket.create_connection(listener.getsockname()) as out, listener.accept()[0] as taken:
            out.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not enough.is_set():
                out.send(b"\x17\x03\x03\x00\x01\x00")
                sent += len(taken.recv(6)) // 6

    worker = threading.Thread(target=flood)
    worker.start()
    nodes.wait_for(lambda: sent > 100)
    before = sent
    wire, took = watched(pair, 10 * TICK)
    during = sent - before
    enough.set()
    worker.join()
    assert "silent" not in wire and during > 100
    strangers = [parts for parts in read if parts and not {parts[0][1], parts[1][1]} & pair[1]]
    # Some come in the moment between the socket and its filter.
    assert len(strangers) < during / 10, (len(strangers), during, took)

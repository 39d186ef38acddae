# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conversations with peers that are friendly, refuse, lie or stall: each ends in time, with a code of its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import runner
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Raised, Returned
from ansible_collections.beam.cluster.plugins.module_utils._net.tls import Tls
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom, Pid
from ansible_collections.beam.cluster.plugins.module_utils._wire import control_messages, etf, handshake
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame
from peers import COOKIE, NODE, PEM, TLS, Calling, Node, ask, hang, names, peer, read_frame, reset, server, server_context, spoken


def test_connect_over_tcp() -> None:
    with server(Node()) as port:
        result = spoken("connected", port)
    assert result.trace.stage == "done"
    assert result.as_dict()["tls"] is None and result.as_dict()["address"] == "127.0.0.1"


@pytest.mark.parametrize("version", ["tlsv1.2", "tlsv1.3"])
def test_connect_over_tls(version: Any) -> None:
    with server(Node(tls=server_context())) as port:
        result = spoken("connected", port, tls=Tls(TLS.ca, TLS.certificate, TLS.key, (version,)))
    facts = result.as_dict()["tls"]
    assert facts["version"] == version and facts["cipher"]
    assert facts["peer"]["subject"] == "CN=node,O=Tests\\, only"


# --- The network ---


def test_nothing_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert spoken("closed", sock.getsockname()[1]).trace.stage == "connect"


@contextlib.contextmanager
def dropping(address: Any = "127.0.0.1", port: Any = 0) -> Any:
    """The port of a listener whose queue is full: it drops what comes, as a firewall does."""
    with socket.socket() as full:
        full.bind((address, port))
        full.listen(0)
        clients = [socket.socket() for dummy in range(4)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        time.sleep(0.1)
        yield full.getsockname()[1]
        for client in clients:
            client.close()


def test_nothing_comes_back() -> None:
    with dropping() as port:
        assert spoken("filtered", port).trace.stage == "connect"
        assert spoken("epmd_filtered", None, epmd_port=port).trace.stage == "epmd"
        assert names(port)["code"] == "epmd_filtered"


def test_each_address_of_a_host_gets_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first says nothing, the second lets us in."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("127.0.0.2", "127.0.0.1")]
    with server(Node()) as port, dropping("127.0.0.2", port):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *words: found)
        assert spoken("connected", port, host="n1.lab.test", timeout=8).trace.address == "127.0.0.1"


def test_no_such_host() -> None:
    spoken("unresolved", 1, host="does-not-exist.invalid", timeout=15)


@pytest.mark.parametrize("port", [1, None])
def test_a_resolver_that_does_not_answer(port: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the conversation nor the end of the event loop waits for it."""
    forever = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words: forever.wait(20) and [])
    assert spoken("unresolved", port, host="n1.lab.test", timeout=0.5).trace.stage == "resolve"
    assert names(1, host="n1.lab.test", timeout=0.5)["code"] == "unresolved"
    forever.set()


def test_a_source_that_is_not_ours() -> None:
    with server(Node()) as port:
        spoken("local_source", port, source="192.0.2.1")
        spoken("connected", port, source="127.0.0.1")


@pytest.mark.parametrize("tls", [
    Tls(ca="/does/not/exist"), Tls(ca=str(PEM / "node.key")), Tls(TLS.ca, TLS.certificate, "/does/not/exist"), Tls(TLS.ca, str(PEM / "rsa.pem"),
                                                                                                                   TLS.key),
])
def test_our_own_files_do_not_serve(tls: Any) -> None:
    with server(Node(tls=server_context())) as port:
        spoken("local_tls", port, tls=tls)


# --- TLS ---


def test_a_certificate_is_wanted() -> None:
    with server(Node(tls=server_context())) as port:
        for version, alert in (("tlsv1.3", "certificate_required"), ("tlsv1.2", "handshake_failure")):
            result = spoken(f"tls_alert_{alert}", port, tls=Tls(TLS.ca, versions=(version,)))
            assert result.trace.stage == "tls"
            assert result.trace.tls["peer"]["subject"] == "CN=node,O=Tests\\, only"


def test_a_foreign_certificate() -> None:
    with server(Node(tls=server_context())) as port:
        result = spoken("tls_alert_unknown_ca", port, tls=Tls(TLS.ca, foreign=True))
        assert result.trace.tls["version"] == "tlsv1.3"


def test_an_expired_certificate() -> None:
    with server(Node(tls=server_context())) as port:
        spoken("tls_alert_certificate_expired", port, tls=Tls(TLS.ca, str(PEM / "expired.pem"), TLS.key))


def test_a_version_that_the_peer_does_not_speak() -> None:
    with server(Node(tls=server_context(minimum_version=ssl.TLSVersion.TLSv1_3))) as port:
        for version in ("tlsv1.2", "tlsv1.1"):
            result = spoken("tls_alert_protocol_version", port, tls=Tls(TLS.ca, TLS.certificate, TLS.key, (version,)))
            assert result.trace.tls == {"version": None, "cipher": None, "peer": None}


@pytest.mark.parametrize("version", ["tlsv1.2", "tlsv1.3"])
@pytest.mark.parametrize("changes", [{"tls": Tls(str(PEM / "node.pem"), TLS.certificate, TLS.key)}, {"server_name": "elsewhere.test"},
                                     {"node": "b@elsewhere"}])
def test_we_refuse_the_peer_and_tell_its_certificate(version: Any, changes: Any) -> None:
    node = Node(tls=server_context())
    with server(node) as port:
        tls = changes.get("tls", TLS)
        result = spoken("tls_verification", port, **dict(changes, tls=Tls(tls.ca, tls.certificate, tls.key, (version,))))
    assert result.trace.tls["peer"]["subject"] == "CN=node,O=Tests\\, only"
    assert node.seen == []


def test_a_peer_that_is_not_verified_never_sees_the_cookie() -> None:
    node = Node(tls=server_context())
    with server(node) as port:
        spoken("cookie_refused_theirs", port, tls=Tls(None, TLS.certificate, TLS.key, verify=False))
    assert node.seen[0][5:] != handshake.digest(COOKIE, 99)


def test_in_the_clear_to_a_tls_port() -> None:
    def alert(connection: Any) -> None:
        connection.sendall(b"\x15\x03\x03\x00\x02\x02\x0a")
        hang(connection)

    with server(alert) as port:
        assert spoken("plaintext_on_tls", port).trace.stage == "status"


def test_tls_to_a_port_in_the_clear() -> None:
    with server(Node()) as port:
        spoken("tls_on_plaintext", port, tls=TLS)


def test_tls_that_never_begins() -> None:
    with server(hang) as port:
        spoken("timeout_tls", port, tls=TLS)


def test_tls_that_never_finishes() -> None:
    def half(connection: Any) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00\x02")
        hang(connection)

    with server(half) as port:
        spoken("timeout_tls", port, tls=TLS)


def test_tls_byte_by_byte() -> None:
    def drip(connection: Any) -> None:
        while True:
            connection.sendall(b"\x16")
            time.sleep(0.1)

    with server(drip) as port:
        assert ask(port, tls=TLS).code in ("tls_protocol_error", "timeout_tls")


def test_no_tls_at_all() -> None:
    def http(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        hang(connection)

    with server(http) as port:
        spoken("tls_protocol_error", port, tls=TLS)


def test_tls_cut_off() -> None:
    with server(lambda connection: connection.recv(10)) as port:
        assert ask(port, tls=TLS).code in ("dropped_tls", "reset")


# --- The handshake ---


def stages(act: Any) -> Any:
    """Handlers that come to each stage and then act."""

    def at_status(connection: Any) -> None:
        read_frame(connection)
        act(connection)

    def at_challenge(connection: Any) -> None:
        read_frame(connection)
        connection.sendall(frame(b"sok", 2))
        act(connection)

    def at_ack(connection: Any) -> None:
        node = Node(cookie=COOKIE)
        side = handshake.Acceptor(name=node.name, cookie=COOKIE, challenge=99, creation=7)
        connection.sendall(frame(side.receive(read_frame(connection)), 2) + frame(side.challenge(), 2))
        read_frame(connection)
        act(connection)

    def at_ping(connection: Any) -> None:
        side = handshake.Acceptor(name=NODE, cookie=COOKIE, challenge=99, creation=7)
        connection.sendall(frame(side.receive(read_frame(connection)), 2) + frame(side.challenge(), 2))
        connection.sendall(frame(side.receive(read_frame(connection)), 2))
        read_frame(connection, 4)
        act(connection)

    return {"status": at_status, "challenge": at_challenge, "ack": at_ack, "ping": at_ping}


@pytest.mark.parametrize("stage", ["status", "challenge", "ack", "ping"])
def test_peers_that_fall_silent(stage: Any) -> None:
    with server(stages(hang)[stage]) as port:
        assert spoken(f"timeout_{stage}", port).trace.stage == stage


@pytest.mark.parametrize("stage, code", [
    ("status", "dropped_status"), ("challenge", "dropped_challenge"), ("ack", "cookie_refused_theirs"), ("ping", "dropped_ping"),
])
def test_peers_that_hang_up(stage: Any, code: Any) -> None:
    with server(stages(lambda connection: None)[stage]) as port:
        assert spoken(code, port).trace.stage == stage


@pytest.mark.parametrize("stage, code", [("status", "reset"), ("challenge", "reset"), ("ack", "cookie_refused_theirs"), ("ping", "reset")])
def test_peers_that_reset(stage: Any, code: Any) -> None:
    with server(stages(reset)[stage]) as port:
        assert spoken(code, port).trace.stage == stage


@pytest.mark.parametrize("stage", ["status", "challenge", "ack", "ping"])
def test_one_byte_at_a_time(stage: Any) -> None:
    def drip(connection: Any) -> None:
        for byte in b"\x00\x40" if stage != "ping" else b"\x00\x00\x00\x40":
            connection.sendall(bytes((byte,)))
        while True:
            time.sleep(0.1)
            connection.sendall(b"p")

    with server(stages(drip)[stage]) as port:
        spoken(f"timeout_{stage}", port)


@pytest.mark.parametrize("stage, announced", [("status", b"\x40\x00"), ("challenge", b"\xff\xff"), ("ack", b"\xff\xff"),
                                              ("ping", b"\xff\xff\xff\xff")])
def test_lengths_that_are_too_large(stage: Any, announced: Any) -> None:
    def lie(connection: Any) -> None:
        connection.sendall(announced)
        hang(connection)

    with server(stages(lie)[stage]) as port:
        spoken("too_large", port)


def test_four_gigabytes_in_a_handshake_over_tls() -> None:
    class Liar(Node):
        def serve(self, connection: Any, width: Any) -> None:
            read_frame(connection, width)
            connection.sendall(b"\xff\xff\xff\xff")
            hang(connection)

    with server(Liar(tls=server_context())) as port:
        spoken("too_large", port, tls=TLS)


@pytest.mark.parametrize("stage", ["status", "challenge", "ack", "ping"])
def test_random_bytes_at_each_stage(stage: Any) -> None:
    width = 4 if stage == "ping" else 2
    with server(stages(lambda connection: connection.sendall(frame(b"XYZ", width)) or hang(connection))[stage]) as port:
        spoken("protocol_error", port)


def test_status_after_status() -> None:
    def loop(connection: Any) -> None:
        read_frame(connection)
        while True:
            connection.sendall(frame(b"sok", 2))

    with server(loop) as port:
        spoken("out_of_order", port)


def test_ticks_without_end() -> None:
    def tick(connection: Any) -> None:
        while True:
            connection.sendall(b"\0\0\0\0")
            time.sleep(0.001)

    with server(stages(tick)["ping"]) as port:
        spoken("timeout_ping", port)


def test_messages_without_end() -> None:
    """What is not for us is skipped, and not kept."""
    other = frame(control_messages.send(Pid(Atom("a@127.0.0.1"), 30000, 0, 0), bytes(1000)), 4) * 50

    def flood(connection: Any) -> None:
        while True:
            connection.sendall(other)

    with server(stages(flood)["ping"]) as port:
        spoken("timeout_ping", port)


@pytest.mark.parametrize("status", ["nok", "not_allowed", "alive"])
def test_statuses(status: Any) -> None:
    node = Node(status=status)
    with server(node) as port:
        spoken(status, port, timeout=1.5)
    assert all(answer == b"sfalse" for answer in node.seen)


def test_a_name_that_is_alive_for_a_moment_only() -> None:
    node = Node(status="alive")

    def serve(connection: Any) -> None:
        node(connection)
        node.status = "ok"

    with server(serve) as port:
        spoken("connected", port)


def test_another_node() -> None:
    node = Node(name="other@127.0.0.1")
    with server(node) as port:
        assert "other@127.0.0.1" in spoken("wrong_node", port).message
    assert node.seen == []


def test_another_cookie() -> None:
    with server(Node(cookie=b"other")) as port:
        spoken("cookie_refused_theirs", port)
    with server(Node()) as port:
        spoken("cookie_refused_theirs", port, cookie=None)


def test_wrong_digests_of_the_peer() -> None:
    def lie(make: Any) -> Any:
        def handler(connection: Any) -> None:
            side = handshake.Acceptor(name=NODE, cookie=COOKIE, challenge=99, creation=7)
            connection.sendall(frame(side.receive(read_frame(connection)), 2) + frame(side.challenge(), 2))
            connection.sendall(frame(b"a" + make(read_frame(connection)), 2))
            hang(connection)

        return handler

    with server(lie(lambda reply: reply[5:])) as port:
        spoken("digest_reflected", port)
    with server(lie(lambda reply: bytes(16))) as port:
        spoken("cookie_mismatch_ours", port)


def test_a_ping_answered_with_no() -> None:
    with server(Node(answer="no")) as port:
        spoken("ping_refused", port)


# --- Many ---


def test_never_two_at_once_to_one_target_and_answers_in_order() -> None:
    node, other = Node(delay=0.05), Node(name="c@127.0.0.1", delay=0.05)
    with server(node) as port, server(other) as other_port:
        peers = [peer(port), peer(other_port, node="c@127.0.0.1"), peer(port, cookie=None), peer(port), peer(other_port, node="d@127.0.0.1")]
        results = runner.converse_all(peers, timeout=2, concurrency=10)
    assert [result.code for result in results] == ["connected", "connected", "cookie_refused_theirs", "connected", "wrong_node"]
    assert node.most == other.most == 1


def test_many_targets_at_once() -> None:
    with server(hang) as port:
        peers = [peer(port, node=f"x{number}@127.0.0.1", host=f"127.0.1.{number}") for number in range(1, 41)]
        listening = [peer(port, node=f"y{number}@127.0.0.1") for number in range(2)]
        begin = time.monotonic()
        results = runner.converse_all(peers, timeout=0.5, concurrency=40)
        assert {result.code for result in results} == {"closed"}
        assert time.monotonic() - begin < 0.5
        assert [result.code for result in runner.converse_all(listening, timeout=0.3, concurrency=2)] == ["timeout_status"] * 2


def test_a_deadline_is_for_each_target_from_its_turn_on() -> None:
    with server(hang) as port:
        begin = time.monotonic()
        results = runner.converse_all([peer(port), peer(port)], timeout=0.5, concurrency=2)
        assert [result.code for result in results] == ["timeout_status"] * 2
        assert 0.9 < time.monotonic() - begin < 1.3


def test_one_node_at_many_addresses() -> None:
    """Each address takes its time at once, and the node is still spoken to by one at a time."""
    node = Node(delay=0.05)
    with dropping("") as port:
        begin = time.monotonic()
        results = runner.converse_all([peer(port, host=f"127.0.0.{number}") for number in range(1, 9)], timeout=0.5, concurrency=8)
        assert [result.code for result in results] == ["filtered"] * 8
        assert time.monotonic() - begin < 1.3
    with server(node, host="") as port:
        results = runner.converse_all([peer(port, host=f"127.0.0.{number}") for number in range(1, 9)], timeout=2, concurrency=8)
    assert [result.code for result in results] == ["connected"] * 8
    assert node.most == 1


# --- Calls ---


def test_calls() -> None:
    async def then(link: Any) -> Any:
        calls = [(module, "f", [1, b"x"]) for module in ("ok", "bad", "killed", "none")]
        return await link.call_all(calls, via="erpc"), await link.call_all(calls[:2], via="rex")

    with server(Calling()) as port:
        result = ask(port, then=then)
    assert result.code == "connected", result
    assert result.answer == (
        [Returned([1, b"x"]), Raised("error", Atom("undef"), []), Raised("exit", Atom("killed")), Raised("refused", Atom("badopt"))],
        [Returned([1, b"x"]), Raised("error", Atom("undef"), [])],
    )


def test_a_call_that_is_never_answered() -> None:
    async def then(link: Any) -> Any:
        return await link.call("ok", "f", [], via="rex")

    with server(Node()) as port:
        result = ask(port, then=then)
    assert (result.code, result.trace.stage) == ("timeout_call", "call")


def test_what_a_call_prints_is_taken() -> None:
    class Printing(Calling):
        def asked(self, connection: Any, body: Any) -> None:
            head, pos = etf.decode_prefix(body, 1)
            if head[0] == control_messages.SPAWN_REQUEST:
                worker = Pid(Atom(NODE), 51, 0, 7)
                request = (Atom("io_request"), worker, 1, (Atom("put_chars"), Atom("unicode"), b"hi"))
                connection.sendall(frame(control_messages.send(head[2], request), 4))
                answer, at = etf.decode_prefix(read_frame(connection, 4), 1)
                assert answer[:3] == (2, Atom(""), worker)
            super().asked(connection, body)

    async def then(link: Any) -> Any:
        return await link.call("ok", "f", [])

    with server(Printing()) as port:
        assert ask(port, then=then).answer == Returned([])

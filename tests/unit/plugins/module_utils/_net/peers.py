# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Peers made for the tests: a well-behaved node and EPMD, and the pieces of which the others are made."""

from __future__ import annotations

import contextlib
import pathlib
import select
import socket
import ssl
import struct
import threading
import time
from typing import Any

from ansible_collections.beam.cluster.plugins.module_utils._net.epmd_names import names_all
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer
from ansible_collections.beam.cluster.plugins.module_utils._net.runner import converse_all
from ansible_collections.beam.cluster.plugins.module_utils._net.tls import Tls
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom, Pid
from ansible_collections.beam.cluster.plugins.module_utils._wire import codes, control_messages, etf, handshake
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import WireError

PEM = pathlib.Path(__file__).parent / "pem"
COOKIE = b"a-cookie-for-tests"
NODE = "b@127.0.0.1"
TLS = Tls(ca=str(PEM / "ca.pem"), certificate=str(PEM / "node.pem"), key=str(PEM / "node.key"))


@contextlib.contextmanager
def server(handler: Any, backlog: Any = 50, host: Any = "127.0.0.1") -> Any:
    """Run `handler(connection)` in a thread for each connection; gives the port. What a peer cuts off is no error of the handler's."""
    listener = socket.socket()
    listener.bind((host, 0))
    listener.listen(backlog)
    stop = threading.Event()

    def one(connection: Any) -> None:
        with contextlib.suppress(OSError, EOFError, WireError), connection:
            handler(connection)

    def loop() -> None:
        while not stop.is_set():
            try:
                connection, dummy = listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def read(connection: Any, count: Any) -> Any:
    """Exactly that many bytes."""
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def read_frame(connection: Any, width: Any = 2) -> Any:
    """The body of one frame."""
    return read(connection, int.from_bytes(read(connection, width), "big"))


def hang(connection: Any) -> None:
    """Read until the peer has had enough."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass


def reset(connection: Any) -> None:
    """Close so that the peer sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def server_context(client_certificate: Any = True, **names: Any) -> Any:
    """A server's TLS settings."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(PEM / "node.pem"), str(PEM / "node.key"))
    context.load_verify_locations(str(PEM / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED if client_certificate else ssl.CERT_NONE
    for name, value in names.items():
        setattr(context, name, value)
    return context


def is_open(connection: Any) -> Any:
    """Whether the client has not closed a connection, which its handler may not have noticed yet."""
    try:
        readable, _writable, _wrong = select.select([connection], [], [], 0)
        return not readable or connection.recv(1, socket.MSG_PEEK) != b""
    except (OSError, ValueError):
        return False


class Node:
    """A node as far as probes go. `width` 2 for TCP, 4 for TLS."""

    def __init__(self, name: Any = NODE, cookie: Any = COOKIE, status: Any = "ok", tls: Any = None, answer: Any = "yes", delay: Any = 0.0) -> None:
        self.name, self.cookie, self.status, self.tls, self.answer, self.delay = name, cookie, status, tls, answer, delay
        self.open: list[Any] = []
        self.most = 0
        self.seen: list[Any] = []
        self.lock = threading.Lock()

    def __call__(self, connection: Any) -> None:
        if self.tls is None:
            self.serve(connection, 2)
        else:
            with self.tls.wrap_socket(connection, server_side=True) as session:
                self.serve(session, 4)

    def serve(self, connection: Any, width: Any) -> None:
        side = handshake.Acceptor(name=self.name, cookie=self.cookie, challenge=99, creation=7, decide_status=lambda name: self.status)
        name = read_frame(connection, width)
        # Who says nothing is none of those that are spoken to.
        with self.lock:
            self.open = [other for other in self.open if is_open(other)] + [connection]
            self.most = max(self.most, len(self.open))
        connection.sendall(frame(side.receive(name), width))
        if self.status == "alive":
            self.seen.append(read_frame(connection, width))
            return
        connection.sendall(frame(side.challenge(), width))
        reply = read_frame(connection, width)
        self.seen.append(reply)
        connection.sendall(frame(side.receive(reply), width))
        time.sleep(self.delay)
        self.talk(connection)

    def talk(self, connection: Any) -> None:
        """After the handshake: answer pings."""
        while True:
            body = read_frame(connection, 4)
            if body:
                self.asked(connection, body)

    def asked(self, connection: Any, body: Any) -> None:
        head, pos = etf.decode_prefix(body, 1)
        message = etf.decode(body[pos:])
        if head[0] == control_messages.REG_SEND and head[3] == Atom("net_kernel"):
            pid, reference = message[1]
            connection.sendall(frame(control_messages.send(pid, (reference, Atom(self.answer))), 4))


class Calling(Node):
    """A node that answers calls: returns its arguments for module `ok`, fails for `bad`."""

    def asked(self, connection: Any, body: Any) -> None:
        head, pos = etf.decode_prefix(body, 1)
        message = etf.decode(body[pos:])
        if head[0] == control_messages.SPAWN_REQUEST:
            reference, pid, args = head[1], head[2], message
            module, given = str(args[1]), args[3]
            worker = Pid(Atom(NODE), 50, 0, 7)
            if module == "none":
                reply = (31, reference, pid, 0, Atom("badopt"))
                connection.sendall(frame(b"p" + etf.encode(reply), 4))
                return
            connection.sendall(b"\0\0\0\0" + frame(b"p" + etf.encode((31, reference, pid, 2, worker)), 4))
            reason = {
                "ok": (reference, Atom("return"), given), "bad": (reference, Atom("error"), Atom("undef"), []), "killed": Atom("killed"),
            }[module]
            connection.sendall(frame(b"p" + etf.encode((21, worker, pid, reference, reason)), 4))
        elif head[0] == control_messages.REG_SEND and head[3] == Atom("rex"):
            pid, (dummy, module, function, given, leader) = message
            value = given if str(module) == "ok" else (Atom("badrpc"), (Atom("EXIT"), (Atom("undef"), [])))
            connection.sendall(frame(control_messages.send(pid, (Atom("rex"), value)), 4))
        else:
            super().asked(connection, body)


def peer(port: Any, **changes: Any) -> Any:
    """A peer on loopback."""
    options = {"node": NODE, "host": "127.0.0.1", "name": "a@127.0.0.1", "port": port, "cookie": COOKIE}
    options.update(changes)
    return Peer(**options)


def ask(port: Any, timeout: Any = 1.0, then: Any = None, **changes: Any) -> Any:
    """One conversation; it has to end by its own time limit, and not only when the peer lets go of it."""
    begin = time.monotonic()
    result = converse_all([peer(port, **changes)], timeout=timeout, concurrency=1, then=then)[0]
    # A busy machine may need seconds more. A peer that resets the limit with each byte would go on for ever.
    assert time.monotonic() - begin < timeout * 1.1 + 10
    return result


def spoken(code: Any, port: Any, **changes: Any) -> Any:
    """Ask and compare the code."""
    result = ask(port, **changes)
    assert result.code == code, result
    assert codes.lookup(result.code)
    assert COOKIE.decode() not in repr(result)
    return result


def names(port: Any, timeout: Any = 1.0, host: Any = "127.0.0.1") -> Any:
    begin = time.monotonic()
    answer = names_all([(host, port)], source=None, timeout=timeout, concurrency=1)[0].as_dict()
    assert time.monotonic() - begin < timeout * 1.1 + 10
    return answer

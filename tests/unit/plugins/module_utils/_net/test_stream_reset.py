# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer that resets right after the connection was made costs its own answer, not those of other peers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net import runner, stream
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Peer

# An RST in place of a FIN.
RESETS = struct.pack("ii", 1, 0)


def test_a_stream_knows_its_peer_after_a_reset() -> None:
    async def connect_and_lose() -> tuple[str, stream.Address]:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
            connected = await stream.connect([(socket.AF_INET, ("127.0.0.1", 0))], port, None, 5)
            accepted, _address = listener.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
            accepted.close()
            await asyncio.sleep(0.1)
            try:
                await connected.send(b"x")
                return connected.peer(), connected.address()
            finally:
                connected.close()

    peer, (family, address) = asyncio.run(connect_and_lose())
    assert (peer, family, address[0]) == ("127.0.0.1", socket.AF_INET, "127.0.0.1")


@contextlib.contextmanager
def resetting() -> Iterator[int]:
    """A port that resets each connection as soon as it is made."""
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen(512)

        def reset() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted, _address = listener.accept()
                    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
                    accepted.close()

        thread = threading.Thread(target=reset, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("times", [10, pytest.param(1000, marks=pytest.mark.long)])
def test_each_of_many_peers_that_reset_has_its_answer(times: int) -> None:
    with resetting() as port:
        peers = [Peer(f"n{number}@127.0.0.1", f"127.0.1.{number}", "probe@127.0.0.1", port=port) for number in range(1, 251)]
        for _run in range(times):
            answers = runner.converse_all(peers, timeout=5, concurrency=256)
            assert len(answers) == 250
            assert {answer.code for answer in answers} <= {"reset", "dropped_status"}


@pytest.mark.parametrize("number", [errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.ENOTCONN, errno.ENOBUFS, errno.EPIPE])
@pytest.mark.parametrize("call", ["sock_sendall", "sock_recv", "sock_connect"])
def test_an_error_of_one_peer_is_its_own_answer(call: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each call and of each error, expected or not: the peer beside it is answered."""
    loops = asyncio.SelectorEventLoop
    real = getattr(loops, call)

    async def fails(loop: asyncio.AbstractEventLoop, sock: socket.socket, what: object) -> object:
        remote = what if call == "sock_connect" else sock.getpeername()
        if isinstance(remote, tuple) and remote[0] == "127.0.0.2":
            raise OSError(number, "as the system has it")
        return await real(loop, sock, what)

    monkeypatch.setattr(loops, call, fails)
    with socket.socket() as listener:
        listener.bind(("", 0))
        listener.listen()
        port = listener.getsockname()[1]
        peers = [Peer("a@h", host, "probe@h", port=port) for host in ("127.0.0.2", "127.0.0.3")]
        broken, silent = runner.converse_all(peers, timeout=0.3, concurrency=2)
    assert silent.code == "timeout_status"
    assert not broken.connected and broken.message
    # What it said before it was gone is still to be read.
    assert (broken.code == "timeout_status") == (call == "sock_sendall")


def test_an_error_that_nobody_expected_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object) -> None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")

    monkeypatch.setattr(runner, "open_link", fails)
    (answer,) = runner.converse_all([Peer("a@h", "127.0.0.1", "probe@h", port=1)], timeout=1, concurrency=1)
    assert (answer.code, answer.message) == ("local_resources", "this host cannot go on with the connection: Transport endpoint is not connected")

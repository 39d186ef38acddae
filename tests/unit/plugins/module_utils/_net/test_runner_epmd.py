# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What EPMD answers, or does not: the port of a node, and the list of names. Each end has a code of its own."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._wire import epmd
from peers import Node, hang, names, read_frame, reset, server, spoken


def registry(answer: Any) -> Any:
    """An EPMD that answers so."""

    def handler(connection: Any) -> None:
        answer(connection, read_frame(connection))

    return handler


def answering(data: Any, keep: Any = False) -> Any:
    """An EPMD that says that, and closes or does not."""
    return registry(lambda connection, request: (connection.sendall(data), hang(connection) if keep else None))


def test_the_port_is_asked_of_epmd_even_if_it_never_closes() -> None:
    with server(Node()) as port:
        found = epmd.encode_port(epmd.PortAnswer(port, 77, 0, 6, 5, "b", b""))
        for keep in (False, True):
            with server(answering(found, keep)) as epmd_port:
                assert spoken("connected", None, epmd_port=epmd_port).trace.port == port


@pytest.mark.parametrize("data, keep, code", [
    (b"w\x01", False, "not_registered"), (b"w\x01", True, "not_registered"), (b"", False, "epmd_dropped"), (b"", True, "epmd_timeout"),
    (b"w\x00", True, "epmd_timeout"), (b"w\x00", False, "epmd_protocol_error"), (b"SSH-2.0", True, "epmd_protocol_error"),
    (b"w\x00\x23\x8cM\x00\x00\x06\x00\x05\xff\xff", True, "epmd_protocol_error"), (b"w\x01" * 5000, True, "epmd_protocol_error"),
])
def test_epmd_that_does_not_help(data: Any, keep: Any, code: Any) -> None:
    with server(answering(data, keep)) as epmd_port:
        assert spoken(code, None, epmd_port=epmd_port).trace.stage == "epmd"


def test_epmd_that_resets() -> None:
    with server(registry(lambda connection, request: reset(connection))) as epmd_port:
        spoken("epmd_reset", None, epmd_port=epmd_port)


def test_epmd_that_is_not_there() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        spoken("epmd_closed", None, epmd_port=sock.getsockname()[1])


def test_names() -> None:
    data = epmd.encode_names(epmd.NamesAnswer(4369, (("z", 1), ("a", 2))))
    with server(answering(data)) as port:
        answer = names(port)
    assert answer["code"] == "connected" and answer["nodes"] == [{"name": "a", "port": 2}, {"name": "z", "port": 1}]
    assert answer["reported_port"] == 4369 and answer["address"] == "127.0.0.1"


@pytest.mark.parametrize("data, keep, code", [
    (b"\0\0\x11\x11", True, "epmd_timeout"), (b"", False, "epmd_dropped"), (b"\0", False, "epmd_protocol_error"),
    (b"x" * 3_000_000, True, "epmd_protocol_error"),
])
def test_no_names(data: Any, keep: Any, code: Any) -> None:
    with server(answering(data, keep)) as port:
        answer = names(port)
    assert (answer["code"], answer["nodes"]) == (code, [])


def test_names_one_byte_at_a_time() -> None:
    def drip(connection: Any, request: Any) -> None:
        while True:
            connection.sendall(b"\0")
            time.sleep(0.1)

    with server(registry(drip)) as port:
        assert names(port)["code"] == "epmd_timeout"

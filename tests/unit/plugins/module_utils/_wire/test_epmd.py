# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""EPMD's messages: one table of bytes for both directions, whole, byte by byte and with bytes too many."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._wire import epmd
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import EncodeError, ProtocolError, TooLarge, WireError
from hypothesis import given
from hypothesis import strategies as st

REQUESTS = [
    (epmd.PortPlease2("rabbit"), b"\x00\x07zrabbit"),
    (epmd.PortPlease2("\u00e9\u4e16"), b"\x00\x06z\xc3\xa9\xe4\xb8\x96"),
    (epmd.Names(), b"\x00\x01n"),
    (epmd.Dump(), b"\x00\x01d"),
    (epmd.Kill(), b"\x00\x01k"),
    (epmd.Stop("a"), b"\x00\x02sa"),
    (epmd.Alive2("n1", 9100), b"\x00\x0fx\x23\x8c\x4d\x00\x00\x06\x00\x05\x00\x02n1\x00\x00"),
    (epmd.Alive2("n1", 9100, epmd.HIDDEN, 0, 6, 5, b"\x01\x02"), b"\x00\x11x\x23\x8c\x48\x00\x00\x06\x00\x05\x00\x02n1\x00\x02\x01\x02"),
]

# As a node of OTP 25 to 29 registers: versions 6 and 5.
FOUND = b"w\x00\x23\x8cM\x00\x00\x06\x00\x05\x00\x02n1\x00\x00"
PORTS = [
    (epmd.PortAnswer(9100, 77, 0, 6, 5, "n1", b""), FOUND),
    (epmd.PortAnswer(9100, 77, 0, 6, 5, "n1", b"xyz"), FOUND[:-1] + b"\x03xyz"),
    (epmd.NotRegistered(), b"w\x01"),
]

ALIVES = [
    (epmd.Alive2Answer(0, 0x12345678), b"v\x00\x12\x34\x56\x78"),
    (epmd.Alive2Answer(1, 99), b"v\x01\x00\x00\x00\x63"),
    (epmd.Alive2Answer(0, 3, False), b"y\x00\x00\x03"),
]


@pytest.mark.parametrize("request_, data", REQUESTS)
def test_requests(request_: Any, data: Any) -> None:
    assert epmd.encode_request(request_) == data
    assert epmd.decode_request(data) == request_
    with pytest.raises(ProtocolError):
        epmd.decode_request(data + b"\x00")
    for cut in range(len(data)):
        with pytest.raises(WireError):
            epmd.decode_request(data[:cut])


def test_a_name_may_end_with_one_nul() -> None:
    assert epmd.decode_request(b"\x00\x03za\x00") == epmd.PortPlease2("a")


@pytest.mark.parametrize("data", [b"\x00\x00", b"\x0b\xf2" + b"z" * 3058])
def test_lengths_that_epmd_does_not_take(data: Any) -> None:
    with pytest.raises(TooLarge):
        epmd.decode_request(data)


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 256, "\U0001f600" * 256])
def test_names_that_epmd_would_drop_are_not_sent(name: Any) -> None:
    with pytest.raises(EncodeError):
        epmd.encode_request(epmd.PortPlease2(name))


def test_the_longest_name_is_sent() -> None:
    assert len(epmd.encode_request(epmd.PortPlease2("\U0001f600" * 255))) == 2 + 1 + 1020


@pytest.mark.parametrize("answer, data", PORTS)
def test_port_answers_tell_their_end_themselves(answer: Any, data: Any) -> None:
    assert epmd.encode_port(answer) == data
    assert epmd.decode_port(data, closed=False) == answer
    for cut in range(len(data)):
        assert epmd.decode_port(data[:cut], closed=False) is None
        with pytest.raises(ProtocolError):
            epmd.decode_port(data[:cut], closed=True)
    with pytest.raises(ProtocolError):
        epmd.decode_port(data + b"\x00", closed=False)


def test_a_port_answer_that_announces_too_much() -> None:
    with pytest.raises(TooLarge):
        epmd.decode_port(FOUND[:10] + b"\xff\xff", closed=False)


@pytest.mark.parametrize("answer, data", ALIVES)
def test_alive_answers(answer: Any, data: Any) -> None:
    assert epmd.encode_alive(answer) == data
    assert epmd.decode_alive(data) == answer
    for cut in range(len(data)):
        assert epmd.decode_alive(data[:cut]) is None
    with pytest.raises(ProtocolError):
        epmd.decode_alive(data + b"\x00")


def test_names() -> None:
    answer = epmd.NamesAnswer(4369, (("n1", 9100), ("a b", 1), ("\u00e9", 65535)))
    data = b"\x00\x00\x11\x11name n1 at port 9100\nname a b at port 1\nname \xc3\xa9 at port 65535\n"
    assert epmd.encode_names(answer) == data
    assert epmd.decode_names(data) == answer
    assert epmd.decode_names(b"\x00\x00\x11\x11") == epmd.NamesAnswer(4369, ())


@pytest.mark.parametrize("data", [
    b"", b"\x00\x00\x11", b"\x00\x00\x11\x11name n1 at port 9100", b"\x00\x00\x11\x11garbage\n", b"\x00\x00\x11\x11name n1 at port 65536\n",
    b"\x00\x00\x11\x11name \xff at port 1\n", b"\x00\x00\x11\x11\n", b"HTTP/1.1 400 Bad Request\r\n\r\n",
])
def test_no_names(data: Any) -> None:
    with pytest.raises(ProtocolError):
        epmd.decode_names(data)


def test_dump_with_its_brackets_and_nuls() -> None:
    data = b"\x00\x00\x11\x11active name     <n1> at port 9100, fd = 5\n\x00old/unused name <n2>, port = 9101, fd = 6 \n\x00"
    assert epmd.decode_dump(data) == epmd.DumpAnswer(4369, (epmd.DumpEntry(True, "n1", 9100, 5), epmd.DumpEntry(False, "n2", 9101, 6)))
    with pytest.raises(ProtocolError):
        epmd.decode_dump(data[:-1])
    with pytest.raises(ProtocolError):
        epmd.decode_dump(b"\x00\x00\x11\x11whatever\x00")


@pytest.mark.parametrize("data, word", [
    (b"OK", "ok"), (b"NO", "no"), (b"STOPPED", "stopped"), (b"NOEXIST", "unknown"), (b"NOEXISTSTOPPED", "unknown"), (b"", "refused"),
])
def test_words(data: Any, word: Any) -> None:
    assert epmd.decode_word(data) == word


def test_no_word() -> None:
    with pytest.raises(ProtocolError):
        epmd.decode_word(b"MAYBE")


@given(st.binary(max_size=200))
def test_nothing_else_is_raised(data: Any) -> None:
    for decode in (
        epmd.decode_request, epmd.decode_names, epmd.decode_dump, epmd.decode_alive, epmd.decode_word,
        lambda data: epmd.decode_port(data, closed=True), lambda data: epmd.decode_port(data, closed=False),
    ):
        try:
            decode(data)
        except WireError:
            pass

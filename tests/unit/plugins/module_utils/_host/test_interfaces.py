# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel answers over netlink when it does not answer whole: unknown, never a part that is taken for all."""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import interfaces, observation


def message(kind: int, body: bytes = b"", flags: int = 2) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


ADDRESS = message(20, struct.pack("=BBBBI", socket.AF_INET, 8, 0, 0, 1) + struct.pack("=HH", 8, 2) + socket.inet_aton("127.0.0.1"))
DONE = message(3, struct.pack("=i", 0))
WHOLE = [("lo", "127.0.0.1", 4, 8)]


class Kernel:
    """A netlink socket that answers from a list: bytes, or an error to raise."""

    answers: list[Any] = []

    def __init__(self, *_arguments: Any) -> None:
        self._rest = list(self.answers.pop(0)) if self.answers and isinstance(self.answers[0], list) else []

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_arguments: Any) -> None: ...

    def settimeout(self, _seconds: float) -> None: ...

    def bind(self, _address: Any) -> None: ...

    def send(self, data: bytes) -> int:
        return len(data)

    def recv(self, _size: int) -> bytes:
        answer = self._rest.pop(0) if self._rest else b""
        if isinstance(answer, OSError):
            raise OSError(answer.errno, answer.strerror)
        return bytes(answer)


@pytest.mark.parametrize(
    ("dumps", "expected"),
    [
        ([[ADDRESS + DONE]], WHOLE),
        ([[ADDRESS, DONE]], WHOLE),
        ([[DONE]], []),
        # An error after a part: the part is not all.
        ([[ADDRESS, message(2, struct.pack("=i", -errno.EPERM))]], None),
        ([[ADDRESS + message(3, struct.pack("=i", -errno.EMSGSIZE))]], None),
        ([[ADDRESS, socket.timeout("timed out")]], None),
        ([[ADDRESS, OSError(errno.EACCES, "denied")]], None),
        ([[ADDRESS]], None),
        ([[ADDRESS, b"\1\0\0\0" + bytes(16)]], None),
        ([[ADDRESS, struct.pack("=IHHII", 4096, 20, 2, 1, 0)]], None),
        # It is asked again, a few times.
        ([[ADDRESS, OSError(errno.ENOBUFS, "full")], [ADDRESS, DONE]], WHOLE),
        ([[message(20, ADDRESS[16:], flags=0x12), DONE], [ADDRESS, DONE]], WHOLE),
        ([[ADDRESS, OSError(errno.ENOBUFS, "full")]] * 3, None),
    ],
)
def test_an_answer_that_is_not_whole_is_unknown(monkeypatch: pytest.MonkeyPatch, dumps: list[Any], expected: Any) -> None:
    monkeypatch.setattr(Kernel, "answers", list(dumps))
    monkeypatch.setattr(interfaces.socket, "socket", Kernel)
    monkeypatch.setattr(interfaces.socket, "if_indextoname", lambda index: {1: "lo"}[index])
    assert interfaces.list_addresses() == expected


def test_an_observation_without_addresses_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interfaces, "list_addresses", lambda: None)
    seen = observation.observe()
    assert seen["addresses"] is None and "netlink" in seen["unknown"]["addresses"]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A peer that knows the cookie cannot fill the memory of a probe with answers that nobody asked for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net.node import Link
from ansible_collections.beam.cluster.plugins.module_utils._wire import control_messages, etf
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import Frames, frame

NAME = etf.Atom("a@n1")
PID = etf.Pid(NAME, 30000, 0, 0)


def reference(number: int) -> etf.Reference:
    return etf.Reference(NAME, 0, (number, 0, 0))


def spawned(number: int) -> bytes:
    return control_messages.PASS_THROUGH + etf.encode((control_messages.SPAWN_REPLY, reference(number), PID, 0, PID))


def down(number: int) -> bytes:
    return control_messages.PASS_THROUGH + etf.encode((control_messages.MONITOR_P_EXIT, PID, PID, reference(number), etf.Atom("normal")))


def sent(number: int) -> bytes:
    return control_messages.send(etf.Pid(NAME, number, 0, 0), bytes(1000))


@pytest.mark.parametrize("kind", [spawned, down, sent])
def test_unrequested_answers_are_dropped(kind: Any) -> None:
    waiting = [frame(kind(number), 4) for number in range(1, 2001)]

    async def receive() -> bytes:
        return waiting.pop()

    side: Any = SimpleNamespace(name="probe@n2", creation=1, peer_name="a@n1", peer_flags=0)
    link = Link(SimpleNamespace(receive=receive), Frames(4, 1 << 20), side, SimpleNamespace(stage=""))  # type: ignore[arg-type]

    async def take() -> None:
        while waiting:
            await link._pump()

    asyncio.run(take())
    assert (link._spawned, link._down, link._sent) == ({}, {}, {})

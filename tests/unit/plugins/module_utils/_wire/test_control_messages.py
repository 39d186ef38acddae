# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What connected nodes send each other."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom, Pid, Reference
from ansible_collections.beam.cluster.plugins.module_utils._wire import control_messages, etf
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import ProtocolError, WireError
from hypothesis import given
from hypothesis import strategies as st

PID = Pid(Atom("a@h"), 1, 0, 4)
REFERENCE = Reference(Atom("a@h"), 4, (1, 2, 3))


def frame(*terms: Any) -> Any:
    return b"p" + b"".join(map(etf.encode, terms))


@pytest.mark.parametrize("data, event", [
    (b"", control_messages.Tick()),
    (frame((2, Atom(""), PID), (REFERENCE, Atom("yes"))), control_messages.Sent(PID, (REFERENCE, Atom("yes")))),
    (frame((6, PID, Atom(""), Atom("rex")), [1]), control_messages.Sent(Atom("rex"), [1])),
    (frame((31, REFERENCE, PID, 2, PID)), control_messages.Spawned(REFERENCE, PID)),
    (frame((31, REFERENCE, PID, 0, Atom("badopt"))), control_messages.Spawned(REFERENCE, Atom("badopt"))),
    (frame((21, PID, PID, REFERENCE, Atom("noproc"))), control_messages.Down(REFERENCE, Atom("noproc"))),
    (frame((1, PID, PID)), control_messages.Other(1)),
    (frame((33, PID, REFERENCE), 1), control_messages.Other(33)),
])
def test_events(data: Any, event: Any) -> None:
    assert control_messages.decode(data) == event


@pytest.mark.parametrize("data", [
    b"D", b"\x83", b"p", frame(1), frame(()), frame((Atom("a"),)), frame((2, Atom(""), PID)), frame((2, PID), 1), frame((21, PID, PID, 1, 2)),
    frame((31, REFERENCE, PID, 2, PID), 1), frame((2, Atom(""), PID), 1) + b"!", frame((2, Atom(""), PID), 1, 2),
])
def test_what_is_no_event(data: Any) -> None:
    with pytest.raises(ProtocolError):
        control_messages.decode(data)


def test_ping_is_what_net_adm_sends() -> None:
    data = control_messages.ping(PID, REFERENCE)
    head, pos = etf.decode_prefix(data, 1)
    assert head == (6, PID, Atom(""), Atom("net_kernel"))
    assert etf.decode(data[pos:]) == (Atom("$gen_call"), (PID, REFERENCE), (Atom("is_auth"), Atom("a@h")))


def test_calls() -> None:
    data = control_messages.rex_call(PID, "m", "f", [1])
    head, pos = etf.decode_prefix(data, 1)
    assert head == (6, PID, Atom(""), Atom("rex"))
    assert etf.decode(data[pos:]) == (PID, (Atom("call"), Atom("m"), Atom("f"), [1], Atom("user")))
    data = control_messages.erpc_call(PID, REFERENCE, "m", "f", [1])
    head, pos = etf.decode_prefix(data, 1)
    assert head == (29, REFERENCE, PID, PID, (Atom("erpc"), Atom("execute_call"), 4), [Atom("monitor")])
    assert etf.decode(data[pos:]) == [REFERENCE, Atom("m"), Atom("f"), [1]]


@given(st.binary(max_size=60))
def test_nothing_else_is_raised(data: Any) -> None:
    for lead in (b"", b"p\x83", b"p\x83h\x03a\x02w\x00"):
        try:
            control_messages.decode(lead + data)
        except WireError:
            pass

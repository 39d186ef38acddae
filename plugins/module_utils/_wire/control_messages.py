# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The messages between connected nodes that a probe sends and meets, in the form without atom cache and without fragments.

Source: the guide erl_dist_protocol, erts/emulator/beam/dist.c, lib/kernel/src/{net_adm,net_kernel,rpc,erpc}.erl of OTP 23 to 29.
A frame is a tick (empty), or the byte 112, a control tuple and, for some of them, a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from . import etf
from .errors import ProtocolError

PASS_THROUGH = b"p"

# dist.h: DOP_*
SEND = 2
EXIT = 3
REG_SEND = 6
MONITOR_P_EXIT = 21
SPAWN_REQUEST = 29
SPAWN_REPLY = 31

_EMPTY = etf.Atom("")
_NET_KERNEL = etf.Atom("net_kernel")
_REX = etf.Atom("rex")


@dataclass(frozen=True)
class Tick:
    """The peer asks for a sign of life."""


@dataclass(frozen=True)
class Sent:
    """A message for a process of ours."""

    to: etf.Term
    message: etf.Term


@dataclass(frozen=True)
class Spawned:
    """The answer to a spawn request: a pid, or the atom of an error."""

    reference: etf.Reference
    result: etf.Term


@dataclass(frozen=True)
class Down:
    """A monitored process is gone."""

    reference: etf.Reference
    reason: etf.Term


@dataclass(frozen=True)
class Other:
    """A control message that means nothing to us and is skipped."""

    operation: int


Event = Union[Tick, Sent, Spawned, Down, Other]


def decode(frame: bytes, limits: etf.Limits = etf.DEFAULT) -> Event:
    """What a frame of a finished connection says."""
    if not frame:
        return Tick()
    if frame[:1] != PASS_THROUGH:
        raise ProtocolError(f"a frame of type {frame[0]}, which our flags do not allow")
    control, pos = etf.decode_prefix(frame, 1, limits)
    if control.__class__ is not tuple or not control or control[0].__class__ is not int:
        raise ProtocolError("a control message that is no tuple with a number in front")
    operation = control[0]
    message: etf.Term = None
    if pos < len(frame):
        message, pos = etf.decode_prefix(frame, pos, limits)
        if pos != len(frame):
            raise ProtocolError(f"{len(frame) - pos} bytes follow a message")
        has_message = True
    else:
        has_message = False
    if operation == SEND:
        _shape(control, 3, has_message, True)
        return Sent(control[2], message)
    if operation == REG_SEND:
        _shape(control, 4, has_message, True)
        return Sent(control[3], message)
    if operation == SPAWN_REPLY:
        _shape(control, 5, has_message, False)
        return Spawned(_reference(control[1]), control[4])
    if operation == MONITOR_P_EXIT:
        _shape(control, 5, has_message, False)
        return Down(_reference(control[3]), control[4])
    return Other(operation)


def _shape(control: tuple[etf.Term, ...], size: int, has_message: bool, wants_message: bool) -> None:
    if len(control) != size or has_message is not wants_message:
        raise ProtocolError(f"control message {control[0]} has not the shape that it should have")


def _reference(term: etf.Term) -> etf.Reference:
    if not isinstance(term, etf.Reference):
        raise ProtocolError("a control message without reference")
    return term


def _frame(control: etf.Term, *message: etf.Term) -> bytes:
    return PASS_THROUGH + etf.encode(control) + b"".join(etf.encode(part) for part in message)


def ping(pid: etf.Pid, tag: etf.Reference) -> bytes:
    """What net_adm:ping/1 asks once a connection is up. The answer is `{Tag, yes}` to `pid`."""
    return _frame((REG_SEND, pid, _EMPTY, _NET_KERNEL), (etf.Atom("$gen_call"), (pid, tag), (etf.Atom("is_auth"), pid.node)))


def rex_call(pid: etf.Pid, module: str, function: str, args: list[etf.Term]) -> bytes:
    """A call through `rex`, as erl_interface does it. The answer is `{rex, Result}` to `pid`."""
    return _frame(
        (REG_SEND, pid, _EMPTY, _REX),
        (pid, (etf.Atom("call"), etf.Atom(module), etf.Atom(function), args, etf.Atom("user"))),
    )


def erpc_call(pid: etf.Pid, reference: etf.Reference, module: str, function: str, args: list[etf.Term]) -> bytes:
    """A call as erpc makes it: a monitored process whose exit reason is the result. `pid` is its group leader too.

    The peer answers with `Spawned` and then `Down`, both with `reference`.
    """
    return _frame(
        (SPAWN_REQUEST, reference, pid, pid, (etf.Atom("erpc"), etf.Atom("execute_call"), 4), [etf.Atom("monitor")]),
        [reference, etf.Atom(module), etf.Atom(function), args],
    )


def send(pid: etf.Term, message: etf.Term) -> bytes:
    """A message to a process of the peer."""
    return _frame((SEND, _EMPTY, pid), message)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the lists of members that a running node works with up to date: what `node_members` does.

A node reads two files when it starts: the names that may connect (`net_kernel:allow/1`), and the addresses that the members' names lead to
(the `host` lines of its `inetrc`, kept by `inet_db`). Both can be changed while it runs. Sources: net_kernel.erl and inet_db.erl of OTP 25, 27
and 29. `allow/1` only appends, and OTP 27 appends what is there already, so a name is sent only where it is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import _term as term
from .connection_options import OptionError
from .node import Call, Link, Outcome, Peer, Returned
from .runner import converse_all

_Atom = term.Atom
Address = tuple[int, ...]
Pins = Mapping[Address, Sequence[str]]


class UnreadableError(Exception):
    """A node does not say, or not in a form that we know, what it works with. The message says what."""


@dataclass(frozen=True)
class Wanted:
    """What is to be in force: node names that may connect, host names by address, and nodes whose links are to be cut."""

    allowed: tuple[str, ...]
    pins: Pins
    former: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What one node lacks. `left` are names that it allows beyond the list; they go with its next restart."""

    allow: tuple[str, ...] = ()
    pin: tuple[tuple[Address, tuple[str, ...]], ...] = ()
    unpin: tuple[Address, ...] = ()
    cut: tuple[str, ...] = ()
    left: tuple[str, ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        return bool(self.allow or self.pin or self.unpin or self.cut)

    def calls(self) -> list[Call]:
        """The calls that take this step. Old addresses go first: a name may have moved from one of them to a new one."""
        calls: list[Call] = []
        if self.allow:
            calls.append(("net_kernel", "allow", [[_Atom(name) for name in self.allow]]))
        calls += [("inet_db", "del_host", [address]) for address in self.unpin]
        calls += [("inet_db", "add_host", [address, [term.charlist(name) for name in names]]) for address, names in self.pin]
        calls += [("erlang", "disconnect_node", [_Atom(name)]) for name in self.cut]
        return calls


def read_allowed(text: str) -> tuple[str, ...]:
    """The node names of an `allow.conf`: one atom a term. Raises `OptionError`."""
    names = _consult("allowed", text)
    if not names or not all(isinstance(name, _Atom) for name in names):
        raise OptionError("allowed: this is not a list of node names. Write at least one, each as an Erlang atom with a full stop behind it.")
    return tuple(dict.fromkeys(str(name) for name in names))


def read_pins(text: str) -> dict[Address, tuple[str, ...]]:
    """The `host` lines of an `inetrc`: names by address. Raises `OptionError`."""
    pins = _pins(_consult("pins", text))
    if pins is None:
        raise OptionError("pins: a line is not one of a host. Write {host, Address, [Name, ...]} with a full stop behind it.")
    return pins


def _consult(option: str, text: str) -> list[term.Term]:
    try:
        return term.consult(text)
    except term.TermError as error:
        raise OptionError(f"{option}: {error}") from None


def _pins(terms: Sequence[term.Term]) -> Any:
    pins: dict[Address, tuple[str, ...]] = {}
    for entry in terms:
        if not isinstance(entry, tuple) or not entry or entry[0] != _Atom("host"):
            continue
        try:
            dummy, address, names = entry
            pins[tuple(int(part) for part in address)] = tuple(sorted(bytes(name).decode("ascii") for name in names))
        except (TypeError, ValueError):
            return None
    return pins


def missing(wanted: Wanted, allowed: Sequence[str], pins: Pins, connected: Sequence[str], ours: str) -> Step:
    """What a node lacks that allows `allowed`, has `pins` in force and is `connected`. `ours` is the name of this conversation.

    An empty list allows everybody: such a node has not read its list yet, or has none, and gets the whole of it.
    """
    there: set[str] = set(allowed)
    listed = set(wanted.allowed)
    return Step(
        allow=tuple(name for name in wanted.allowed if name not in there),
        pin=tuple((address, tuple(names)) for address, names in sorted(wanted.pins.items()) if tuple(pins.get(address, ())) != tuple(names)),
        unpin=tuple(sorted(address for address in pins if address not in wanted.pins)),
        cut=tuple(sorted(set(wanted.former).intersection(connected) - {ours})),
        left=tuple(sorted(there - listed)),
    )


_QUESTIONS: tuple[Call, ...] = (("net_kernel", "allowed", []), ("inet_db", "get_rc", []), ("erlang", "nodes", [_Atom("connected")]))


def _value(outcome: Outcome, what: str) -> term.Term:
    """What a call returned. Raises `UnreadableError` with `what`."""
    if not isinstance(outcome, Returned):
        raise UnreadableError(f"{what}: {term.to_text(outcome.reason)}")
    return outcome.value


def _state(outcomes: Sequence[Outcome]) -> tuple[list[str], Pins, list[str]]:
    """What a node works with, out of its answers to `_QUESTIONS`. Raises `UnreadableError`."""
    allowed, rc, connected = (_value(outcome, ":".join(call[:2])) for outcome, call in zip(outcomes, _QUESTIONS))
    if allowed == _Atom("ignored") or not isinstance(allowed, tuple) or len(allowed) != 2 or not isinstance(allowed[1], list):
        raise UnreadableError(f"net_kernel:allowed: {term.to_text(allowed)[:100]}")
    pins = _pins(rc) if isinstance(rc, list) else None
    if pins is None or not isinstance(connected, list):
        raise UnreadableError("inet_db:get_rc: no list of hosts")
    return [str(name) for name in allowed[1]], pins, [str(name) for name in connected]


def admit(peers: Sequence[Peer], wanted: Wanted, *, apply: bool, timeout: float, concurrency: int) -> list[dict[str, Any]]:
    """Bring each node up to date, or only say what it lacks where `apply` is false. One answer per peer, in their order.

    Each answer has `changed`, `allowed_added`, `allowed_left`, `pinned`, `unpinned`, `cut` and, where the node was reached and could not be brought
    up to date, `problem`.
    """

    names = {peer.node: peer.name for peer in peers}

    async def then(link: Link) -> tuple[Step, str]:
        step = Step()
        try:
            step = missing(wanted, *_state(await link.call_all(_QUESTIONS)), ours=names[link.node])
            if apply and step:
                for call in step.calls():
                    # One after the other: the order counts.
                    _value(await link.call(*call), ":".join(call[:2]))
                # The node is asked again: what is in force counts, not what was sent.
                rest = missing(wanted, *_state(await link.call_all(_QUESTIONS)), ours=names[link.node])
                if rest.allow or rest.pin or rest.unpin:
                    return step, "it took the calls, and its lists are not those that were sent"
        except UnreadableError as error:
            return step, str(error)
        return step, ""

    answers = []
    for peer, result in zip(peers, converse_all(peers, timeout=timeout, concurrency=concurrency, then=then)):
        entry = result.of_peer(peer)
        step, problem = result.answer if result.connected else (Step(), "")
        entry.update(
            changed=bool(step), problem=problem, allowed_added=len(step.allow), allowed_left=list(step.left), cut=list(step.cut),
            pinned=[term.to_text(address) for address, names in step.pin], unpinned=[term.to_text(address) for address in step.unpin],
        )
        answers.append(entry)
    return answers

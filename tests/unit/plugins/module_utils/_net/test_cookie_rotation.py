# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node is given another cookie over a link that the old one opened, from every state that an interrupted run can leave."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._net.cookie_rotation import Rotation, rotate
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom, Pid
from ansible_collections.beam.cluster.plugins.module_utils._wire import control_messages, etf
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame
from peers import NODE, Node, peer, server

OLD, NEW, OTHER = b"the-old-cookie-of-the-cluster", b"the-new-cookie-of-the-cluster", b"nobody-knows-this-one"
MEMBERS = (NODE, "c@127.0.0.1", "d@127.0.0.1")


class Switchable(Node):
    """A node whose cookies can be asked for and set. `own` are those for one peer each; `deaf` has set_cookie fail."""

    def __init__(self, cookie: bytes, own: dict[str, bytes] | None = None, deaf: bool = False, forget: bool = False) -> None:
        super().__init__(cookie=cookie)
        self.own, self.deaf, self.forget = dict(own or {}), deaf, forget
        self.calls: list[tuple[str, int]] = []

    def asked(self, connection: Any, body: bytes) -> None:
        head, pos = etf.decode_prefix(body, 1)
        if head[0] != control_messages.SPAWN_REQUEST:
            super().asked(connection, body)
            return
        reference, pid, args = head[1], head[2], etf.decode(body[pos:])
        function, given = str(args[2]), args[3]
        self.calls.append((function, len(given)))
        worker = Pid(Atom(NODE), 50, 0, 7)
        connection.sendall(frame(b"p" + etf.encode((31, reference, pid, 2, worker)), 4))
        if function == "set_cookie" and self.deaf:
            reason: Any = (reference, Atom("error"), Atom("undef"), [(Atom("erlang"), Atom("set_cookie"), given, [])])
        else:
            reason = (reference, Atom("return"), self.answer_to(function, [str(one) for one in given]))
        connection.sendall(frame(b"p" + etf.encode((21, worker, pid, reference, reason)), 4))

    def answer_to(self, function: str, given: list[str]) -> Any:
        if function == "nodes":
            return [Atom("a@127.0.0.1"), Atom("c@127.0.0.1"), Atom("guest@127.0.0.1")]
        if function == "get_cookie":
            return Atom(self.own.get(given[0], self.cookie).decode())
        if len(given) == 2:
            self.own[given[0]] = given[1].encode()
        elif not self.forget:
            self.cookie = given[0].encode()
        return Atom("true")


def turn(node: Switchable, old: bytes | None, change: bool = True) -> Rotation:
    with server(node) as port:
        return rotate(peer(port), old, NEW, MEMBERS, timeout=2, change=change)


def test_a_node_with_the_old_cookie_is_switched_and_shows_it() -> None:
    node = Switchable(OLD)
    assert turn(node, OLD) == Rotation("switched", "connected", "done", "")
    assert node.cookie == NEW and ("set_cookie", 1) in node.calls and ("set_cookie", 2) not in node.calls


@pytest.mark.parametrize("old", [OLD, NEW, None], ids=["killed before the file", "nothing to do", "no file"])
def test_a_node_with_the_new_cookie_is_unchanged(old: bytes | None) -> None:
    node = Switchable(NEW)
    assert turn(node, old).state == "current"
    assert not [call for call in node.calls if call[0] == "set_cookie"]


def test_looking_changes_nothing() -> None:
    node = Switchable(OLD, {"c@127.0.0.1": OLD})
    assert turn(node, OLD, change=False).state == "outdated"
    assert node.cookie == OLD and not node.calls
    node = Switchable(NEW, {"c@127.0.0.1": OLD})
    assert turn(node, NEW, change=False) == Rotation("current", "connected", "done", "", ("c@127.0.0.1",))
    assert node.own == {"c@127.0.0.1": OLD}


@pytest.mark.parametrize("old", [OLD, NEW, None])
def test_a_node_with_another_cookie_refuses(old: bytes | None) -> None:
    assert turn(Switchable(OTHER), old).state == "refused"


def test_a_closed_port_is_not_a_refusal() -> None:
    with server(Switchable(OLD)) as port:
        pass
    for old in (OLD, NEW, None):
        assert rotate(peer(port), old, NEW, MEMBERS, timeout=1, change=True).state == "unreachable"


def test_cookies_for_single_peers_are_found_and_those_of_members_replaced() -> None:
    node = Switchable(OLD, {"c@127.0.0.1": OTHER, "guest@127.0.0.1": OTHER, "d@127.0.0.1": NEW})
    assert turn(node, OLD).sticky == ("c@127.0.0.1", "guest@127.0.0.1")
    assert node.own == {"c@127.0.0.1": NEW, "guest@127.0.0.1": OTHER, "d@127.0.0.1": NEW}


def test_a_node_that_does_not_take_it() -> None:
    assert turn(Switchable(OLD, forget=True), OLD).state == "unproven"
    failed = turn(Switchable(OLD, deaf=True), OLD)
    assert (failed.state, failed.code) == ("unreachable", "call_failed")
    # The stack that the node sends has the argument in it.
    assert NEW.decode() not in repr(failed)

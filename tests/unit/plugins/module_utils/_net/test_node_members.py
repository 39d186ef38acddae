# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists of members of a running node: what it lacks is added, once, and what it has stays."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils import _term as term
from ansible_collections.beam.cluster.plugins.module_utils._net import node_members
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import OptionError
from ansible_collections.beam.cluster.plugins.module_utils._net.node_members import Step, Wanted, admit, missing
from ansible_collections.beam.cluster.plugins.module_utils._term import Atom, Pid, charlist
from ansible_collections.beam.cluster.plugins.module_utils._wire import control_messages, etf
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import frame
from peers import NODE, Node, peer, server

ALLOW = "% ours\n'b@n1'.\n'b@n2'.\n'beam_probe@n1'.\n"
PINS = '{lookup, [file, native]}.\n{hosts_file, ""}.\n{host, {10,0,0,1}, ["n1"]}.\n{host, {10,0,0,2}, ["n2", "n2b"]}.\n'
WANTED = Wanted(node_members.read_allowed(ALLOW), node_members.read_pins(PINS))


class Listing(Node):
    """A node with an allow list and pinned names, as OTP 25 to 29 keep them."""

    def __init__(self, allowed: Any = (), hosts: Any = None, connected: Any = (), deaf: Any = (), silent: Any = ()) -> None:
        super().__init__()
        self.allowed, self.hosts, self.connected = list(allowed), dict(hosts or {}), list(connected)
        self.deaf, self.silent = deaf, silent
        self.calls: list[Any] = []

    def returns(self, module: Any, function: Any, args: Any) -> Any:
        self.calls.append(function)
        if function in self.silent:
            return Atom("error"), Atom("undef"), []
        if function in self.deaf:
            return Atom("return"), Atom("ok")
        if function == "allow":
            self.allowed += map(str, args[0])
        elif function == "add_host":
            self.hosts[args[0]] = [bytes(name).decode() for name in args[1]]
        elif function == "del_host":
            self.hosts.pop(args[0])
        elif function == "disconnect_node":
            self.connected.remove(str(args[0]))
        return Atom("return"), {
            "allowed": (Atom("ok"), [Atom(name) for name in self.allowed]),
            "get_rc": [(Atom("host"), address, [charlist(name) for name in names]) for address, names in self.hosts.items()] + [(Atom("lookup"), [])],
            "nodes": [Atom(name) for name in self.connected],
        }.get(function, Atom("ok"))

    def asked(self, connection: Any, body: Any) -> None:
        head, pos = etf.decode_prefix(body, 1)
        if head[0] != control_messages.SPAWN_REQUEST:
            super().asked(connection, body)
            return
        reference, pid, args = head[1], head[2], etf.decode(body[pos:])
        worker = Pid(Atom(NODE), 50, 0, 7)
        connection.sendall(frame(b"p" + etf.encode((31, reference, pid, 2, worker)), 4))
        reason = (reference, *self.returns(str(args[1]), str(args[2]), args[3]))
        connection.sendall(frame(b"p" + etf.encode((21, worker, pid, reference, reason)), 4))


def bring(node: Any, wanted: Any = WANTED, apply: Any = True) -> Any:
    with server(node) as port:
        (answer,) = admit([peer(port)], wanted, apply=apply, timeout=3, concurrency=1)
    return answer


def test_what_is_missing_is_added_and_a_second_time_changes_nothing() -> None:
    node = Listing(["b@n1"], {(10, 0, 0, 1): ["n1"], (10, 0, 0, 9): ["n9"]})
    first = bring(node)
    assert (first["code"], first["problem"], first["changed"], first["allowed_added"]) == ("connected", "", True, 2)
    assert (first["pinned"], first["unpinned"]) == (["{10,0,0,2}"], ["{10,0,0,9}"])
    assert node.allowed == ["b@n1", "b@n2", "beam_probe@n1"] and node.hosts == {(10, 0, 0, 1): ["n1"], (10, 0, 0, 2): ["n2", "n2b"]}
    second = bring(node)
    assert (second["changed"], second["allowed_added"], second["pinned"]) == (False, 0, [])
    assert node.calls.count("allow") == 1


def test_in_check_mode_it_says_so_and_does_nothing() -> None:
    node = Listing(["b@n1"])
    assert bring(node, apply=False)["changed"] and node.allowed == ["b@n1"] and set(node.calls) == {"allowed", "get_rc", "nodes"}


def test_a_name_that_left_is_reported_and_no_change() -> None:
    node = Listing([*WANTED.allowed, "b@n3"], WANTED.pins)
    answer = bring(node)
    assert (answer["changed"], answer["allowed_left"]) == (False, ["b@n3"])


def test_the_link_of_a_former_member_is_cut_and_ours_is_not() -> None:
    node = Listing(WANTED.allowed, WANTED.pins, ["b@n2", "b@n3", "a@127.0.0.1"])
    answer = bring(node, Wanted(WANTED.allowed, WANTED.pins, ("b@n3", "b@n4", "a@127.0.0.1")))
    assert answer["cut"] == ["b@n3"] and node.connected == ["b@n2", "a@127.0.0.1"]


@pytest.mark.parametrize(
    "changes", [{"deaf": ("allow",)}, {"deaf": ("add_host",)}, {"silent": ("allowed",)}, {"silent": ("allow",)}, {"silent": ("get_rc",)}],
)
def test_a_node_that_does_not_take_it_is_a_problem(changes: Any) -> None:
    assert bring(Listing(["b@n1"], **changes))["problem"]


def test_a_node_without_an_allow_list_gets_the_whole_list() -> None:
    assert missing(WANTED, [], {}, [], "a@h").allow == WANTED.allowed


def test_a_name_that_moves_to_another_address_leaves_the_old_one_first() -> None:
    step = missing(WANTED, WANTED.allowed, {(10, 0, 0, 1): ("n1",), (10, 0, 0, 7): ("n2", "n2b")}, [], "a@h")
    assert [call[1] for call in step.calls()] == ["del_host", "add_host"]
    assert not missing(WANTED, WANTED.allowed, WANTED.pins, [], "a@h") and not Step(left=("x@y",))


@pytest.mark.parametrize("text", ["", "'b@n1'", "{a, b}.", "\"text\"."])
def test_texts_that_are_no_list_of_names(text: Any) -> None:
    with pytest.raises(OptionError, match="allowed"):
        node_members.read_allowed(text)


@pytest.mark.parametrize("text", ["{host, x, []}.", "{host, {10,0,0,1}}.", "{host, {10,0,0,1}, [n1]}.", "{host"])
def test_texts_that_are_no_pins(text: Any) -> None:
    with pytest.raises(OptionError, match="pins"):
        node_members.read_pins(text)


def test_no_pins_are_no_pins() -> None:
    assert node_members.read_pins("{lookup, [file]}.") == {} and term.to_text((10, 0)) == "{10,0}"

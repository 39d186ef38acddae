# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ejabberd after the hardening: still a cluster, still a server, its own tool still works."""

from __future__ import annotations

import pytest
from conftest import NODES, Node


def test_all_nodes_are_one_cluster(node: Node) -> None:
    members = node.host.check_output("ejabberdctl list_cluster").replace("'", "").split()
    assert sorted(members) == [f"ejabberd@{name}" for name in NODES]


@pytest.mark.parametrize("user", ["root", "ejabberd"])
@pytest.mark.parametrize("command", ["status", "connected_users_number", "ping", "started"])
def test_the_tool_works(node: Node, user: str, command: str) -> None:
    node.host.check_output(f"cd / && su -s /bin/sh {user} -c 'ejabberdctl {command}'")


def test_a_tool_without_the_nodes_files_is_refused(node: Node) -> None:
    """What works above does not work because nobody looks."""
    assert node.host.run(f"cd / && timeout 60 ejabberdctl --ctl-config /dev/null --node {node.node} status").rc != 0


def test_an_account_of_one_node_is_one_of_all(node: Node, peer: Node) -> None:
    name = f"user{node.name}"
    node.host.check_output(f"ejabberdctl register {name} localhost secret")
    try:
        peer.host.check_output(f"ejabberdctl check_password {name} localhost secret")
    finally:
        peer.host.check_output(f"ejabberdctl unregister {name} localhost")


def test_the_members_names_are_pinned(node: Node, peer: Node) -> None:
    """ejabberdctl exports a resolver file of its own."""
    answer = node.erl(f"rpc:call('{node.node}', inet, getaddr, [\"{peer.name}\", inet])")
    assert answer == "{ok,{" + peer.address("eth0").replace(".", ",") + "}}"


def test_the_service_stops_and_starts_by_its_own_command(node: Node) -> None:
    node.host.check_output("systemctl restart ejabberd")
    node.host.check_output("ejabberdctl started && ejabberdctl status")
    log = node.host.check_output("journalctl --unit ejabberd --since '2 min ago' --no-pager -o cat")
    assert "Failed" not in log and "status=" not in log, log

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ejabberd after the hardening: still a cluster and a server of XMPP, its own tool still works, with epmd and without.

A node that holds data is never joined, and a database of another name is never touched.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import EPMD, NODES, PORT, Node
from testinfra.host import Host

ROOT = Path(__file__).resolve().parents[4]
HERE = Path(__file__).resolve().parent
INVENTORY = ["-i", str(ROOT / "molecule/inventory"), "-i", str(ROOT / "molecule/ejabberd/inventory.yml")]


def play(*arguments: str) -> tuple[int, str]:
    """Run the site play; its exit status and what it printed."""
    run = subprocess.run(
        ["ansible-playbook", *INVENTORY, "beam.cluster.site", *arguments],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        # Where a scenario's Ansible says what failed.
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(run.stdout[-4000:])
    return run.returncode, run.stdout


def members(node: Node, user: str = "root") -> list[str]:
    shown = node.host.check_output(f"cd / && su -s /bin/sh {user} -c 'ejabberdctl list_cluster'")
    return sorted(shown.replace("'", "").split())


ALL = [f"ejabberd@{name}" for name in NODES]


@pytest.fixture(scope="session")
def client(outsider: Host) -> Host:
    """A host that is no member, with Debian's client library."""
    if outsider.run("python3 -c 'import slixmpp'").rc != 0:
        outsider.check_output("apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends python3-slixmpp")
    outsider.check_output("cat > /run/client.py <<'END'\n" + (HERE / "client.py").read_text() + "END")
    return outsider


@pytest.mark.parametrize("user", ["root", "ejabberd"])
def test_all_nodes_are_one_cluster(node: Node, user: str) -> None:
    assert members(node, user) == ALL


def test_a_session_at_one_node_is_seen_by_all_and_spoken_to(node: Node, peer: Node, nodes: list[Node], client: Host) -> None:
    for name in ("alice", "bob"):
        node.host.check_output(f"ejabberdctl register {name} localhost secret")
    addresses = f"{node.address('eth1')} {peer.address('eth1')}"
    started = "systemd-run --quiet --collect --unit xmpp --property=StandardOutput=file:/run/heard.json python3 /run/client.py"
    client.check_output(f"rm -f /run/heard.json; {started} {addresses}")
    try:
        client.check_output("timeout 90 sh -c 'until grep -qs ^{ /run/heard.json; do sleep 0.5; done'")
        heard = json.loads(client.check_output("tail -n 1 /run/heard.json"))
        assert heard == {"to": "alice@localhost", "from": "bob@localhost", "body": f"from {peer.address('eth1')}"}
        for each in nodes:
            shown = each.host.check_output("ejabberdctl connected_users_info").splitlines()
            seen = {line.partition("@")[0]: next(word for word in line.split() if word in ALL) for line in shown}
            assert seen == {"alice": node.node, "bob": peer.node}, shown
    finally:
        client.run("systemctl stop xmpp")
        for name in ("alice", "bob"):
            node.host.check_output(f"ejabberdctl unregister {name} localhost")


def test_a_wrong_password_is_not_a_session(node: Node, client: Host) -> None:
    """What works above does not work because nobody looks."""
    node.host.check_output("ejabberdctl register alice localhost another")
    asked = client.run(f"timeout 60 python3 /run/client.py {node.address('eth1')} {node.address('eth1')}")
    node.host.check_output("ejabberdctl unregister alice localhost")
    assert asked.rc != 0 and "PermissionError: alice@localhost" in asked.stderr, asked.stderr


@pytest.mark.parametrize("user", ["root", "ejabberd"])
@pytest.mark.parametrize("command", ["status", "connected_users_number", "ping", "started"])
def test_the_tool_works(node: Node, user: str, command: str) -> None:
    node.host.check_output(f"cd / && su -s /bin/sh {user} -c 'ejabberdctl {command}'")


def test_a_shell_opens_in_the_node(node: Node) -> None:
    """On a terminal of its own, as somebody at a keyboard has one: a line for the warning, a question, Ctrl+G and q."""
    seen = "until grep -qs '%s' /run/typed; do sleep 0.5; done"
    say = "echo 'io:format(here), io:format(node()).'; sleep 3; printf '\\007'; sleep 2; echo q; sleep 2"
    keys = f"{seen % 'to continue'}; echo; {seen % '1>'}; {say}"
    shell = "TERM=xterm timeout 90 script -qfec 'ejabberdctl debug' /run/typed"
    said = node.host.run(f"cd / && rm -f /run/typed; (timeout 80 sh -c \"{keys}\") | {shell}").stdout
    assert f"here{node.node}" in said, said
    assert node.host.run("pgrep -f '[s]name undefined|[-]debug-ejabberd'").rc != 0


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
    assert "Failed with result" not in log and "status=" not in log, log


OTHER_NAME = ("--check", "--extra-vars", "{beam_node_name: 'other@{{ inventory_hostname }}'}")


def test_the_database_of_another_name_is_refused(node: Node) -> None:
    """As whoever had Debian's ejabberd@localhost before would see it."""
    before = node.host.check_output("ls -l --full-time /var/lib/ejabberd /etc/beam")
    status, said = play(*OTHER_NAME, "--limit", node.name)
    assert status != 0
    assert "(data_of_another_name)" in said and f"not to other@{node.name};" in " ".join(said.split()), said
    assert node.host.check_output("ls -l --full-time /var/lib/ejabberd /etc/beam") == before


def test_a_node_with_data_is_never_joined(nodes: list[Node]) -> None:
    """The last node leaves, starts with an empty database, and gets an account and a room; without them it is joined."""
    first, *_others, last = nodes
    first.host.check_output(f"ejabberdctl leave_cluster {last.node}")
    last.host.check_output("systemctl stop ejabberd; cd /var/lib/ejabberd && rm -f *.DAT *.DCD *.DCL *.LOG *.TMP && systemctl start ejabberd")
    last.host.check_output("ejabberdctl started && ejabberdctl register carol localhost secret")
    last.host.check_output("ejabberdctl create_room lounge conference.localhost localhost")
    last.host.check_output("ejabberdctl change_room_option lounge conference.localhost persistent true")
    assert members(last) == [last.node]
    last.host.check_output("systemctl stop ejabberd")
    status, said = play()
    assert status != 0
    said = " ".join(said.split())
    assert f"{last.node} is not in the cluster of {first.node}, and joining would delete its data: " in said
    assert "1 record in muc_room, 1 record in passwd" in said
    assert not last.host.service("ejabberd").is_running, "what was down before stays down"
    last.host.check_output("systemctl start ejabberd && ejabberdctl started")
    assert last.host.check_output("ejabberdctl registered_users localhost") == "carol"
    assert "lounge@conference.localhost" in last.host.check_output("ejabberdctl muc_online_rooms global")
    assert members(last) == [last.node]
    last.host.check_output("ejabberdctl unregister carol localhost && ejabberdctl destroy_room lounge conference.localhost")
    last.host.check_output("systemctl stop ejabberd")
    status, _said = play()
    assert status == 0
    assert [members(node) for node in nodes] == [ALL] * len(nodes)


@pytest.fixture(scope="module")
def without_epmd(nodes: list[Node]) -> Iterator[list[Node]]:
    """The same cluster at one fixed port; afterwards it is what it was."""
    fixed = ("--extra-vars", "beam_discovery=fixed_port")
    assert play(*fixed)[0] == 0
    status, said = play(*fixed)
    assert status == 0 and set(re.findall(r"changed=(\d+)", said)) == {"0"}
    yield nodes
    # While they restart one at a time, those that ask EPMD would not find those that were never registered there, and Mnesia waits for them.
    for node in nodes:
        node.host.check_output("systemctl stop ejabberd")
    assert play()[0] == 0


@pytest.mark.parametrize("user", ["root", "ejabberd"])
@pytest.mark.parametrize("name", NODES)
def test_without_epmd_the_tool_works(without_epmd: list[Node], name: str, user: str) -> None:
    (node,) = [node for node in without_epmd if node.name == name]
    assert members(node, user) == ALL
    for command in ("status", "started", "ping"):
        node.host.check_output(f"cd / && su -s /bin/sh {user} -c 'ejabberdctl {command}'")


@pytest.mark.parametrize("name", NODES)
def test_without_epmd_a_shell_opens_in_the_node(without_epmd: list[Node], name: str) -> None:
    (node,) = [node for node in without_epmd if node.name == name]
    test_a_shell_opens_in_the_node(node)


@pytest.mark.parametrize("name", NODES)
def test_without_epmd_nobody_starts_one(without_epmd: list[Node], name: str) -> None:
    """Neither the unit, which requires it, nor the tool, which would ask it whether to end it; the node finds its peers again."""
    (node,) = [node for node in without_epmd if node.name == name]
    test_the_service_stops_and_starts_by_its_own_command(node)
    node.host.check_output("ejabberdctl stop && timeout 60 sh -c 'while systemctl --quiet is-active ejabberd; do sleep 0.5; done'")
    assert node.host.check_output("systemctl show --property=Result --value ejabberd") == "success"
    node.host.check_output("systemctl start ejabberd && ejabberdctl started")
    assert members(node) == ALL
    listens = node.host.check_output("ss -Hltnp")
    assert f":{EPMD} " not in listens and f"{node.address('eth0')}:{PORT} " in listens
    assert node.host.run("pgrep -x epmd").rc != 0

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who the members are, what they are called, and where they listen."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING
from plan_world import HOSTS, World, both_nodes


@pytest.fixture
def world() -> World:
    return World()


def test_every_node_of_a_host_leaves_with_it(world: World) -> None:
    both_nodes(world)
    world.set("beam_state", "absent", "n1")
    assert [node["unit"] for node in world.cluster()["departing"]["n1"]["nodes"]] == ["web.service", "data.service"]


def test_a_node_leaves_a_host_that_stays(world: World) -> None:
    both_nodes(world, state="absent", address="10.0.0.77")
    cluster = world.cluster()
    assert [member["node"] for member in cluster["members"]] == ["beam@n2", "beam@n3", "web@n1"]
    (gone,) = cluster["departing_nodes"]
    assert cluster["hosts"]["n1"]["absent"] == [gone] and (gone["node"], gone["unit"]) == ("data@n1", "data.service")
    assert cluster["departing"] == {} and cluster["hosts"]["n2"]["absent"] == []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_node_that_leaves_keeps_its_part_of_the_ports(world: World, state: str) -> None:
    world.set("beam_ports", "9200-9201", "n1")
    world.set("beam_nodes", [{"name": "web"}, {"name": "data", "state": state}], "n1")
    (web,) = (member for member in world.cluster()["members"] if member["node"] == "web@n1")
    assert web["ports"] == {"first": 9200, "last": 9200}


def test_listed_members_leave_with_their_host(world: World) -> None:
    world.set("beam_members", [{"node": f"beam@n{number}", "address": f"10.0.0.{number}"} for number in (1, 2)], *world.run)
    world.set("beam_state", "absent", "n2")
    cluster = world.cluster()
    assert [member["node"] for member in cluster["members"]] == ["beam@n1"]
    assert [node["unit"] for node in cluster["departing"]["n2"]["nodes"]] == ["beam.service"]


def test_addresses_sort_as_numbers(world: World) -> None:
    world.set("beam_address", "10.0.0.10", "n1")
    world.set("beam_address_late", "yes", "n1")
    assert world.cluster()["addresses"] == ["10.0.0.2", "10.0.0.3", "10.0.0.10"]


def test_ansible_host_serves_where_it_is_an_address(world: World) -> None:
    world.set("beam_address", MISSING, "n2")
    world.set("ansible_host", "192.0.2.2", "n2")
    assert world.cluster()["hosts"]["n2"]["interface"] == "eth1"


@pytest.mark.parametrize("interface,address", [("eth0", "10.0.0.2"), ("eth1", "192.0.2.2")])
def test_an_interface_gives_its_address(world: World, interface: str, address: str) -> None:
    world.set("beam_address", MISSING, "n2")
    world.set("beam_interface", interface, "n2")
    assert world.cluster()["hosts"]["n2"]["address"] == address


def test_ipv6_only(world: World) -> None:
    for number, host in enumerate(HOSTS, start=1):
        world.set("beam_address", f"fd00::{number}", host)
    cluster = world.cluster()
    assert cluster["address_family"] == 6
    assert cluster["hosts"]["n1"]["nodes"][0]["inet_tuple"] == "{64768,0,0,0,0,0,0,1}"


def test_ip_names(world: World) -> None:
    for number, host in enumerate(HOSTS, start=1):
        world.set("beam_node_name", f"beam@10.0.0.{number}", host)
    assert world.cluster()["name_type"] == "ip"


def test_long_names(world: World) -> None:
    for host in HOSTS:
        world.set("beam_node_name", f"beam@{host}.example.com", host)
    assert world.cluster()["name_type"] == "long"


def test_several_nodes_on_one_host(world: World) -> None:
    world.set("beam_ports", "9100-9105", "n1")
    world.set("beam_nodes", [{"name": "a"}, {"name": "b"}, {"name": "mq@n1", "product": "rabbitmq", "ports": 25672, "user": "carrot"}], "n1")
    host = world.cluster()["hosts"]["n1"]
    assert [(node["node"], node["ports"], node["unit"], node["user"], node["group"]) for node in host["nodes"]] == [
        ("a@n1", {"first": 9100, "last": 9102}, "a.service", "beam", "beam"),
        ("b@n1", {"first": 9103, "last": 9105}, "b.service", "beam", "beam"),
        ("mq@n1", {"first": 25672, "last": 25672}, "rabbitmq-server.service", "carrot", "carrot"),
    ]
    assert host["firewall"]["ports"] == [[4369, 4369], [6000, 6500], [9100, 9105], [25672, 25672]]


def test_a_product_says_how_its_nodes_are_called() -> None:
    world = World()
    world.set("beam_product", "rabbitmq")
    world.set("beam_node_name", "carrot@n2", "n2")
    assert [member["node"] for member in world.cluster()["members"]] == ["carrot@n2", "rabbit@n1", "rabbit@n3"]


def test_an_unknown_product_is_one_mistake() -> None:
    world = World()
    world.set("beam_product", "kafka", "n2")
    cluster, problems = world.validate()
    assert cluster is None
    assert [(problem.host, problem.rule) for problem in problems] == [("n2", "product_unknown")]


def test_two_addresses_on_one_host_may_share_a_port_range(world: World) -> None:
    world.set("beam_nodes", [{"name": "a@n1", "ports": 9100}, {"name": "b@n1b", "ports": 9100, "address": "192.0.2.1"}], "n1")
    host = world.cluster()["hosts"]["n1"]
    assert host["addresses"] == ["10.0.0.1", "192.0.2.1"]
    assert host["epmd"]["listen"] == ["127.0.0.1", "::1", "10.0.0.1", "192.0.2.1"]


def test_members_without_a_group(world: World) -> None:
    world.groups.clear()
    members = [
        {"node": "beam@n1", "address": "10.0.0.1"},
        {"node": "beam@two", "address": "10.0.0.2", "ports": "9200-9201"},
        {"node": "beam@three", "address": "10.0.0.3", "host": "n3"},
        {"node": "beam@far", "address": "10.0.0.4"},
    ]
    world.set("beam_members", members, *world.run)
    cluster = world.cluster()
    assert [(member["node"], member["host"]) for member in cluster["members"]] == [
        ("beam@far", None),
        ("beam@n1", "n1"),
        ("beam@three", "n3"),
        ("beam@two", "n2"),
    ]
    assert cluster["hosts"]["n2"]["nodes"][0]["unit"] == "beam.service"
    assert cluster["hosts"]["n2"]["nodes"][0]["ports"] == {"first": 9200, "last": 9201}
    assert cluster["addresses"][-1] == "10.0.0.4"


def test_hidden_is_of_a_host_or_of_one_of_its_nodes(world: World) -> None:
    world.set("beam_hidden", "yes", "n2")
    world.set("beam_nodes", [{"name": "web", "ports": "9200"}, {"name": "eye", "ports": "9300", "hidden": True}], "n1")
    assert {member["node"] for member in world.cluster()["members"] if member["hidden"]} == {"beam@n2", "eye@n1"}


def test_a_listed_member_may_be_hidden(world: World) -> None:
    members = [{"node": f"beam@n{n}", "address": f"10.0.0.{n}", **({"hidden": True} if n == 2 else {})} for n in (1, 2, 3)]
    world.set("beam_members", members, *world.run)
    world.set("beam_hidden", True, "n3")
    assert [member["hidden"] for member in world.cluster()["members"]] == [False, True, True]

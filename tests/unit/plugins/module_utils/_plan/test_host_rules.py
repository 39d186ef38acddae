# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about a host as it was observed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING
from plan_world import HOSTS, World, found


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("wanted", "in_charge", "used"),
    [
        (MISSING, "firewalld", "firewalld"),
        ("auto", "ufw", "ufw"),
        ("auto", "nftables", "nftables"),
        ("auto", "none", "nftables"),
        ("nftables", "firewalld", "nftables"),
        ("external", "ufw", "external"),
        ("ufw", "ufw", "ufw"),
    ],
)
def test_who_runs_the_firewall(world: World, wanted: object, in_charge: str, used: str) -> None:
    world.set("beam_firewall", wanted, "n2")
    world.observed["n2"]["firewall"]["in_charge"] = in_charge
    assert world.cluster()["hosts"]["n2"]["firewall"]["backend"] == used
    assert world.cluster()["hosts"]["n1"]["firewall"]["backend"] == "nftables", "each host for itself"


def test_a_port_range_may_be_reserved(world: World) -> None:
    world.set("beam_ports", "9100-9103")
    for seen in world.observed.values():
        seen["ephemeral_ports"] = {"range": [9000, 60999], "reserved": [[9100, 9101], [9102, 9110]]}
    assert world.cluster()["hosts"]["n2"]["nodes"][0]["ports"] == {"first": 9100, "last": 9103}


def test_an_address_may_come_late(world: World) -> None:
    world.set("beam_address", "10.0.0.9", "n2")
    world.set("beam_address_late", True, "n2")
    assert world.cluster()["hosts"]["n2"]["interface"] is None


@pytest.mark.parametrize(
    "listener",
    [{"address": "10.0.0.2", "process": "beam.smp"}, {"address": "10.0.0.2", "process": None}],
)
def test_a_port_may_be_our_own(world: World, listener: dict[str, Any]) -> None:
    world.observed["n2"]["listeners"] = [{"port": 9100, **listener}]
    assert world.cluster()["advisories"] == []


def test_the_exact_limit_of_the_clock_is_right(world: World) -> None:
    world.observed["n2"]["skew_seconds"] = -3600.0
    assert world.cluster()["advisories"] == []


def test_unknown_otp_is_no_mistake(world: World) -> None:
    world.observed["n2"]["otp"] = {"installed": False, "candidate_release": None}
    world.observed["n3"]["otp"] = {"installed": True, "release": "25"}
    world.cluster()


def test_a_host_outside_the_run_is_validated_by_the_inventory_alone(world: World) -> None:
    world.provisioned()
    world.run, world.observed = ["n2"], {"n2": world.observed["n2"]}
    assert world.cluster()["hosts"]["n1"]["interface"] is None
    world.set("beam_ports", "9109-9100", "n1")
    assert found(world.validate()[1]) == {("n1", "beam_ports", "port_range_reversed")}


def running(world: World, *hosts: str, digest: str | None = None, **flags: Any) -> None:
    """RabbitMQ everywhere, and a process of its unit on these hosts. Without more it is that of the stock package."""
    world.set("beam_product", "rabbitmq")
    for host in hosts:
        world.observed[host]["processes"] = [
            {"pid": 1, "process": "epmd", "unit": "epmd.service", "digest": None, "flags": {}},
            {"pid": 2, "process": "beam.smp", "unit": "rabbitmq-server.service", "digest": digest, "flags": flags},
        ]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param({}, ["rabbit@n2"], id="stock"),
        pytest.param({"proto_dist": "inet_tls"}, ["rabbit@n2"], id="somebody's TLS"),
        pytest.param({"digest": "1", "proto_dist": "inet_tcp"}, ["rabbit@n2"], id="ours in clear text"),
        pytest.param({"digest": "1", "proto_dist": "inet_tls"}, [], id="ours"),
    ],
)
def test_who_speaks_otherwise_than_the_cluster_is_going_to(world: World, runs: Any, expected: list[str]) -> None:
    running(world, "n2", **runs)
    cluster = world.cluster()
    assert (cluster["incompatible_nodes"], cluster["full_stop"]) == (expected, False)
    world.set("beam_full_stop", "true")
    assert world.cluster()["full_stop"] is True


@pytest.mark.parametrize("flag", ["-erl_epmd_port", "erl_epmd_node_listen_port"])
@pytest.mark.parametrize(
    ("port", "discovery", "expected"), [("9100", "epmd", ["rabbit@n2"]), ("9100", "fixed_port", []), ("9200", "fixed_port", ["rabbit@n2"])]
)
def test_who_is_not_registered_cannot_be_found(world: World, flag: str, port: str, discovery: str, expected: list[str]) -> None:
    running(world, "n2", digest="1", proto_dist="inet_tls", **({"fixed_port": port} if flag[0] == "-" else {"kernel": {flag: port}}))
    world.set("beam_discovery", discovery)
    assert world.cluster()["incompatible_nodes"] == expected


def test_a_node_that_is_registered_goes_to_a_fixed_port_by_itself(world: World) -> None:
    """It is found at its old port, which is the new one, too."""
    running(world, *HOSTS, digest="1", proto_dist="inet_tls")
    world.set("beam_discovery", "fixed_port")
    assert world.cluster()["incompatible_nodes"] == []


@pytest.mark.parametrize(
    ("versions", "expected"),
    [(["tlsv1.2"], ["rabbit@n2"]), (["tlsv1.3", "tlsv1.2"], []), (["tlsv1.3"], []), (None, [])],
)
def test_who_has_no_tls_version_of_the_plan(world: World, versions: list[str] | None, expected: list[str]) -> None:
    running(world, "n2", digest="1", proto_dist="inet_tls")
    options: dict[str, Any] = {"names": [], "values": {}, "versions": versions}
    world.observed["n2"]["processes"][1]["hardening"] = {"server": options, "client": options, "options_read": True}
    assert world.cluster()["incompatible_nodes"] == expected


def test_a_product_that_tolerates_a_split_has_no_incompatible_nodes(world: World) -> None:
    running(world, *HOSTS)
    world.set("beam_product", "erlang")
    for host in HOSTS:
        world.observed[host]["processes"][1]["unit"] = "beam.service"
    assert world.cluster()["incompatible_nodes"] == []

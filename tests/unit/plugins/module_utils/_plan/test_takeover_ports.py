# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of a host that our firewall would cut off from their users, and what starts an EPMD or a node beside its unit."""

from __future__ import annotations

from typing import Any

import pytest
from plan_world import Bend, World, found, runs, says


def listens(port: int, address: str = "10.0.0.2", process: str | None = "redis-server", unit: str = "redis.service") -> dict[str, Any]:
    return {"address": address, "port": port, "process": process, "pid": 7, "unit": unit, "user": "redis"}


def sees(*listeners: dict[str, Any], **more: object) -> Bend:
    return lambda world: world.observed["n2"].update({"listeners": list(listeners), **more})


def both(*bends: Bend) -> Bend:
    def bend(world: World) -> None:
        for one in bends:
            one(world)

    return bend


def ephemeral(first: int, *reserved: tuple[int, int]) -> Bend:
    return sees(ephemeral_ports={"range": [first, 65535], "reserved": [[9100, 9100], *map(list, reserved)]})


def nftables(*commands: tuple[str, str], enabled: str = "enabled") -> Bend:
    loads = [{"directive": directive, "file": file, "where": "/etc/systemd/system/nftables.service.d/override.conf"} for directive, file in commands]
    unit = {"load": "loaded", "active": "inactive", "enabled": enabled}
    return sees(firewall={"readable": True, "beam": None, "loads": loads}, units={"nftables.service": unit})


LOCAL_USERS, EXTERNAL = says("beam_firewall_local_users", ["sensu"]), says("beam_firewall", "external")
CASES: list[tuple[str, Bend, str]] = [
    ("Redis beside RabbitMQ, whose streams use 6000-6500", runs("rabbitmq", sees(listens(6379))), "port_range_in_use"),
    ("Redis at all addresses", runs("rabbitmq", sees(listens(6379, "0.0.0.0"))), "port_range_in_use"),
    ("Redis for programs of the host", runs("rabbitmq", sees(listens(6379, "127.0.0.1"))), "port_range_in_use"),
    ("the same for users that are named", runs("rabbitmq", both(sees(listens(6379, "127.0.0.1")), LOCAL_USERS)), ""),
    ("other hosts are not among these users", runs("rabbitmq", both(sees(listens(6379)), LOCAL_USERS)), "port_range_in_use"),
    ("a firewall that is the operator's", runs("rabbitmq", both(sees(listens(6379)), EXTERNAL)), ""),
    ("on loopback, too", runs("rabbitmq", both(sees(listens(6379, "::1")), EXTERNAL)), ""),
    ("a stream of RabbitMQ itself", runs("rabbitmq", sees(listens(6001, process="beam.smp", unit="rabbitmq-server.service"))), ""),
    ("a listener that nobody may know", runs("rabbitmq", sees(listens(6379, process=None))), ""),
    ("a port beside", runs("rabbitmq", sees(listens(5999), listens(6501))), ""),
    ("Redis on a host without RabbitMQ", sees(listens(6379)), ""),
    ("an exporter on loopback at the node's port", sees(listens(9100, "127.0.0.1", "node_exporter")), "port_range_in_use"),
    ("an exporter for users that are named", both(sees(listens(9100, "127.0.0.1", "node_exporter")), LOCAL_USERS), ""),
    ("ports of streams for outgoing connections", runs("rabbitmq", ephemeral(1024)), "port_range_ephemeral"),
    ("the same, reserved", runs("rabbitmq", ephemeral(1024, (6000, 6500))), ""),
    ("half of them reserved", runs("rabbitmq", ephemeral(1024, (6000, 6250))), "port_range_ephemeral"),
    ("ports of streams that the firewall of the operator sees", runs("rabbitmq", both(ephemeral(1024), EXTERNAL)), ""),
    ("rules of nftables in another file", nftables(("ExecStart", "/etc/nft/main.nft")), "rules_elsewhere"),
    ("rules that a reload has elsewhere", nftables(("ExecStart", "/etc/nftables.conf"), ("ExecReload", "/etc/nft/main.nft")), "rules_elsewhere"),
    ("rules that a script makes", nftables(("ExecStart", "/usr/local/sbin/fw")), "rules_elsewhere"),
    ("rules that are named", both(nftables(("ExecStart", "/etc/nft/main.nft")), says("beam_firewall_nftables_conf", "/etc/nft/main.nft")), ""),
    ("rules that stay when it stops", nftables(("ExecStart", "/etc/nftables.conf"), ("ExecStop", "")), "rules_elsewhere"),
    ("nftables as Debian has it", nftables(("ExecStart", "/etc/nftables.conf"), ("ExecStop", "/usr/sbin/nft")), ""),
    ("one that is switched off", nftables(("ExecStart", "/etc/nft/main.nft"), enabled="disabled"), ""),
    ("one of a host without our table", both(nftables(("ExecStart", "/etc/nft/main.nft")), EXTERNAL), ""),
    ("EPMD's own socket", sees(listens(4369, "0.0.0.0", "systemd", "epmd.socket")), ""),
    ("the socket of one address", sees(listens(4369, "0.0.0.0", "systemd", "epmd@0.0.0.0.socket")), "epmd_foreign"),
]  # fmt: skip


@pytest.mark.parametrize(("bend", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_program_of_the_host(bend: Bend, rule: str) -> None:
    world = World()
    bend(world)
    problems = world.validate()[1]
    assert {(host, what) for host, _variable, what in found(problems)} == ({("n2", rule)} if rule else set())
    assert all(problem.message.endswith(".") and problem.fix.endswith(".") for problem in problems)


def only(bend: Bend) -> Any:
    world = World()
    bend(world)
    (problem,) = world.validate()[1]
    return problem


def test_a_port_of_the_product_cannot_be_chosen() -> None:
    problem = only(runs("rabbitmq", sees(listens(6379))))
    assert "redis-server listens on 10.0.0.2 port 6379" in problem.message and "6000-6500" in problem.message and "rabbitmq" in problem.message
    assert "redis.service" in problem.fix and "beam_ports" not in problem.fix


def test_a_port_on_loopback_is_left_to_users_that_are_named() -> None:
    assert "beam_firewall_local_users" in only(runs("rabbitmq", sees(listens(6379, "127.0.0.1")))).fix
    assert "beam_firewall_local_users" not in only(runs("rabbitmq", sees(listens(6379)))).fix


def test_the_socket_of_one_address_is_masked_and_nothing_is_killed() -> None:
    """Packages of the maker of RabbitMQ have their unit want epmd@0.0.0.0.socket. Its process is that of systemd."""
    problem = only(sees({**listens(4369, "0.0.0.0", "systemd", "epmd@0.0.0.0.socket"), "pid": 1}))
    assert "epmd@0.0.0.0.socket" in problem.message
    assert "systemctl mask --now epmd@0.0.0.0.socket epmd@0.0.0.0.service" in problem.fix and "kill" not in problem.fix


@pytest.mark.parametrize("unit", ["supervisor.service", "monit.service", "pacemaker.service", "runit.service", "containerd.service"])
def test_a_unit_that_starts_other_programs_is_no_unit_of_a_node(unit: str) -> None:
    running = {"pid": 7, "process": "beam.smp", "unit": unit, "user": "x", "flags": {"name": "beam@n2", "proto_dist": "inet_tcp", "listens": True}}
    problem = only(sees(processes=[running]))
    assert problem.rule == "node_elsewhere" and "`unit:" not in problem.fix and "disable" not in problem.fix and "beam.service" in problem.fix


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        ({"executable": "/opt/python3.13/bin/python3", "cryptography": False}, "library_missing"),
        ({"executable": "/usr/local/bin/python3.13", "cryptography": False}, "library_missing"),
        ({"executable": "/opt/python3.13/bin/python3", "cryptography": True}, ""),
        ({"executable": "/usr/bin/python3.11", "cryptography": False}, ""),
        ({"executable": None, "cryptography": False}, ""),
        ({}, ""),
    ],
)
def test_the_package_serves_the_python_of_the_distribution_alone(seen: dict[str, object], rule: str) -> None:
    world = World()
    world.observed["n2"]["interpreter"] = seen
    problems = world.validate()[1]
    assert {(host, what) for host, _variable, what in found(problems)} == ({("n2", rule)} if rule else set())
    world.set("beam_tls", False)
    world.set("beam_plaintext_accepted", "beam speaks clear text")
    assert found(world.validate()[1]) == set()

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What listens where, and what an erl of somebody's own shell opens."""

from __future__ import annotations

from conftest import EPMD, PORT, PRODUCT, Node


def listeners(node: Node) -> dict[tuple[str, int], str]:
    """Every listening TCP socket of the host: (address, port) -> process."""
    found = {}
    for line in node.host.check_output("ss -Hltnp").splitlines():
        fields = line.split()
        address, _colon, port = fields[3].rpartition(":")
        found[address.strip("[]"), int(port)] = fields[5].split('"')[1] if len(fields) > 5 else ""
    return found


def test_the_node_listens_on_its_cluster_address_only(node: Node) -> None:
    assert [address for address, port in listeners(node) if port == PORT] == [node.address("eth0")]
    assert listeners(node)[node.address("eth0"), PORT] == "beam.smp"


def test_epmd_listens_on_loopback_and_the_cluster_address_only(node: Node) -> None:
    assert {address for address, port in listeners(node) if port == EPMD} == {"127.0.0.1", "::1", node.address("eth0")}


def test_nothing_else_can_be_reached(node: Node) -> None:
    reachable = {key for key in listeners(node) if not key[0].startswith("127.") and key[0] != "::1" and key[1] not in PRODUCT.served}
    assert reachable == {(node.address("eth0"), PORT), (node.address("eth0"), EPMD)}


def test_epmd_knows_the_node(node: Node) -> None:
    assert f"name {PRODUCT.name} at port {PORT}" in node.host.check_output("epmd -names")


def opened_by(node: Node, command: str, until: str) -> dict[tuple[str, int], str]:
    """What a command in a root login shell listens on, once a shell condition holds."""
    before = listeners(node)
    node.host.check_output(
        "systemd-run --quiet --collect --unit adhoc --property KillSignal=SIGKILL --setenv HOME=/root bash -lc %s", f"exec {command}"
    )
    try:
        node.host.check_output("timeout 30 bash -lc %s", f"until {until}; do sleep 0.2; done")
        return {key: process for key, process in listeners(node).items() if key not in before}
    finally:
        node.host.check_output("systemctl stop adhoc")


def test_an_erl_of_roots_shell_opens_nothing_to_anybody(node: Node) -> None:
    opened = opened_by(node, "erl -sname x -noshell", "epmd -names | grep -q 'name x '")
    assert list(opened.values()) == ["beam.smp"], opened
    assert {address for address, _port in opened} <= {"127.0.0.1", "::1"}


def test_an_epmd_that_a_shell_starts_itself_opens_nothing_to_anybody(node: Node) -> None:
    """Not even on the cluster address: ERL_EPMD_ADDRESS of a shell names loopback."""
    opened = opened_by(node, "epmd -port 4370", "ss -Hltn | grep -q :4370")
    assert {address for address, _port in opened} == {"127.0.0.1", "::1"}

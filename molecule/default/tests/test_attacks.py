# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks with everybody's tools, from outside and from a member's position."""

from __future__ import annotations

import re

import pytest
from conftest import EPMD, NODES, PORT, PRODUCT, Node
from testinfra.host import Host

# A distribution handshake's first frame, in clear: 'N', flags, creation, name.
PLAIN_HELLO = r"\000\032N\000\000\000\004\003\007\017\224\000\000\000\001\000\013beam@attack"


def open_ports(outsider: Host, address: str, ports: str) -> str:
    """What nmap finds open, and how it calls the rest."""
    family = "-6" if ":" in address else "-4"
    return outsider.check_output(f"timeout 300 nmap {family} -n -Pn -T4 --max-retries 2 -p {ports} -oG - {address}")


@pytest.mark.parametrize("interface", ["eth0", "eth1"])
@pytest.mark.parametrize("family", [4, 6])
def test_the_ports_are_filtered_for_the_outsider(node: Node, outsider: Host, interface: str, family: int) -> None:
    found = open_ports(outsider, node.address(interface, family), f"{EPMD},{PORT}")
    assert re.findall(r"(\d+)/(\w+)/tcp", found) == [(str(EPMD), "filtered"), (str(PORT), "filtered")], found


@pytest.mark.parametrize("interface", ["eth0", "eth1"])
def test_no_port_is_open_to_the_outsider_but_what_the_product_serves(node: Node, outsider: Host, interface: str) -> None:
    found = open_ports(outsider, node.address(interface), "-")
    assert tuple(int(port) for port in re.findall(r"(\d+)/open/", found)) == PRODUCT.served, found


@pytest.mark.parametrize("action", ["stop", "start", "restart", "reload"])
def test_the_doors_stay_closed_whatever_happens_to_nftables(node: Node, outsider: Host, action: str) -> None:
    node.host.check_output(f"systemctl {action} nftables")
    found = open_ports(outsider, node.address("eth0"), f"{EPMD},{PORT}")
    assert re.findall(r"/(\w+)/tcp", found) == ["filtered", "filtered"], found


def test_the_firewall_knows_the_members_and_nobody_else(node: Node, nodes: list[Node]) -> None:
    table = node.host.check_output("nft list table inet beam_cluster")
    members = re.search(r"set members4 \{[^}]*elements = \{([^}]*)\}", table)
    assert members is not None, table
    assert {address.strip() for address in members[1].split(",")} == {each.address("eth0") for each in nodes}


@pytest.mark.parametrize("port", [EPMD, PORT])
def test_a_member_cannot_use_a_public_address(node: Node, peer: Node, port: int) -> None:
    assert peer.host.run(f"timeout 3 bash -c '</dev/tcp/{node.address('eth1')}/{port}'").rc != 0
    assert peer.host.run(f"timeout 3 bash -c '</dev/tcp/{node.address('eth0')}/{port}'").rc == 0


def s_client(node: Node, peer: Node, options: str) -> str:
    """What openssl says of a connection from a member to a node; it stays long enough to hear a late refusal."""
    done = peer.host.run(
        f"sleep 2 | timeout 20 openssl s_client -connect {node.address('eth0')}:{PORT} -CAfile {peer.directory}/tls/ca.pem "
        f"-verify_return_error {options} 2>&1"
    )
    return done.stdout


def test_a_member_is_let_in(node: Node, peer: Node) -> None:
    said = s_client(node, peer, f"-tls1_3 -cert {peer.directory}/tls/cert.pem -key {peer.directory}/tls/key.pem -verify_hostname {node.name}")
    assert "Verify return code: 0 (ok)" in said
    assert "TLSv1.3" in said and "alert" not in said, said


def test_no_certificate_is_refused(node: Node, peer: Node) -> None:
    assert "alert certificate required" in s_client(node, peer, "-tls1_3")


def test_a_certificate_of_another_ca_is_refused(node: Node, peer: Node) -> None:
    peer.host.check_output(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1 -subj /CN=%s -addext subjectAltName=DNS:%s "
        "-addext extendedKeyUsage=serverAuth,clientAuth -keyout /run/foreign.key -out /run/foreign.pem",
        peer.name,
        peer.name,
    )
    said = s_client(node, peer, "-tls1_3 -cert /run/foreign.pem -key /run/foreign.key")
    peer.host.check_output("rm /run/foreign.key /run/foreign.pem")
    assert re.search("alert (unknown ca|bad certificate)", said), said


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_1 -cipher DEFAULT@SECLEVEL=0"])
def test_an_older_tls_is_refused(node: Node, peer: Node, version: str) -> None:
    said = s_client(node, peer, f"{version} -cert {peer.directory}/tls/cert.pem -key {peer.directory}/tls/key.pem")
    # The second where a product wants the version listed, and it has no suite.
    assert "alert protocol version" in said or "alert insufficient security" in said, said


def test_a_plaintext_handshake_is_refused(node: Node, peer: Node) -> None:
    script = f"exec 3<>/dev/tcp/{node.address('eth0')}/{PORT}; printf '{PLAIN_HELLO}' >&3; timeout 10 od -An -tx1 <&3"
    answer = peer.host.check_output("bash -c %s", script)
    assert answer.split()[:2] == ["15", "03"], f"a TLS alert, not {answer}"


def test_every_attack_above_has_a_victim(nodes: list[Node]) -> None:
    """All refusals are worth nothing where nobody listens."""
    assert [node.host.service(PRODUCT.unit).is_running for node in nodes] == [True] * len(NODES)


@pytest.mark.parametrize("user", ["nobody", "root"])
@pytest.mark.parametrize("where", ["127.0.0.1", "::1", "cluster"])
def test_epmd_is_for_root_and_the_nodes_only_on_the_host_itself(node: Node, where: str, user: str) -> None:
    address = node.address("eth0") if where == "cluster" else where
    answer = node.host.run(f"runuser -u {user} -- timeout 5 bash -c '</dev/tcp/{address}/{EPMD}'")
    assert (answer.rc == 0) is (user == "root"), answer.stderr
    assert user == "root" or "refused" in answer.stderr, answer.stderr


@pytest.mark.parametrize("user", ["nobody", "root"])
def test_a_node_is_for_root_and_the_nodes_only_on_the_host_itself(node: Node, user: str) -> None:
    answer = node.host.run(f"runuser -u {user} -- timeout 5 bash -c '</dev/tcp/{node.address('eth0')}/{PORT}'")
    assert (answer.rc == 0) is (user == "root"), answer.stderr


def test_a_name_cannot_be_taken_from_epmd(node: Node) -> None:
    squat = node.host.run("cd / && runuser -u nobody -- env HOME=/tmp timeout 20 erl -noshell -sname squatter -eval 'halt().'")
    assert squat.rc != 0
    assert "squatter" not in node.host.check_output("epmd -names")


@pytest.mark.parametrize("port", [EPMD, PORT])
def test_a_node_reaches_members_only(node: Node, peer: Node, outsider: Host, port: int) -> None:
    stranger = outsider.check_output("ip -4 -oneline address show dev eth0 scope global").split()[3].partition("/")[0]
    listener = outsider.run(f"timeout 30 ncat -lk {stranger} {port} >/dev/null 2>&1 & sleep 1; ss -Hltn sport = :{port}")
    assert str(port) in listener.stdout
    for user, address, reached in [(PRODUCT.user, stranger, False), ("root", stranger, True), (PRODUCT.user, peer.address("eth0"), True)]:
        answer = node.host.run(f"runuser -u {user} -- timeout 5 bash -c '</dev/tcp/{address}/{port}'")
        assert (answer.rc == 0) is reached, f"{user} to {address}: {answer.stderr}"
    outsider.run(f"pkill -f 'ncat -lk {stranger} {port}'")

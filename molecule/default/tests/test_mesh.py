# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes' own word, asked by a real erl."""

from __future__ import annotations

from conftest import NODES, PRODUCT, Node


def test_a_real_ping_reaches_every_member(node: Node) -> None:
    for name in NODES:
        assert node.erl(f"net_adm:ping('{PRODUCT.name}@{name}')") == "pong"


def test_each_node_sees_all_others(node: Node) -> None:
    seen = node.erl(f"lists:sort(rpc:call('{node.node}', erlang, nodes, []))")
    assert seen == "[" + ",".join(f"{PRODUCT.name}@{name}" for name in NODES if name != node.name) + "]"


def test_a_plain_erl_is_not_let_in(node: Node, peer: Node) -> None:
    assert node.erl(f"net_adm:ping('{peer.node}')", tls=False) == "pang"


def test_a_member_cannot_claim_another_host(node: Node, peer: Node) -> None:
    """OTP holds the name's host against the certificate; another name of the same host is let in."""
    for host in (*(name for name in NODES if name not in (node.name, peer.name)), "elsewhere"):
        for name in (f"{PRODUCT.name}@{host}", f"stranger@{host}"):
            assert node.erl(f"net_adm:ping('{peer.node}')", name=name) == "pang"

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which probes a target asks for, and that dist_probe takes them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import ATTACKS
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import CONNECT, Probe, Questions, Scope, options
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from ansible_collections.beam.cluster.plugins.module_utils._net.connection_options import target_spec

ADDRESSES = {name: ("127.0.0.1", made.HOSTS[name], made.PUBLIC[name], f"2001:db8::{name[1]}", "172.17.0.1", "fe80::1") for name in made.HOSTS}
TAKEN = {*target_spec(), "label", "expect", "name", "present", "wrong_cookie", "cookie", "epmd_only", "plaintext", "tls", "source"}


SIGNED = {"expired": "/tmp/x/expired.pem", "revoked": "/tmp/x/revoked.pem"}


def questions(of: dict[str, Any] | None = None, scope: Scope | None = None) -> Questions:
    return Questions(Target.from_plan(of or made.plan()), ADDRESSES, scope or Scope())


def asked(made_probes: list[Probe], target: str) -> dict[str, dict[str, Any]]:
    source = Target.from_plan(made.plan()).node("beam@n1")
    return {probe.control: options(probe, source, SIGNED) for probe in made_probes if probe.target == target}


def test_a_node_connects_to_all_and_to_itself() -> None:
    probes = questions().connects("beam@n1")
    assert [(probe.control, probe.target) for probe in probes] == [(CONNECT, f"beam@{name}") for name in made.HOSTS]
    expected = {"node": "beam@n2", "host": "10.89.1.12", "label": CONNECT, "expect": ["any"], "source": "10.89.1.11"}
    assert asked(probes, "beam@n2") == {CONNECT: expected}


def test_a_member_makes_every_attack_of_a_member() -> None:
    of = made.plan()
    of["members"][1]["ports"] = {"first": 9100, "last": 9101}
    probes = questions(of).attacks("n1", "beam@n1")
    assert {probe.control for probe in probes} == {attack.id for attack in ATTACKS if attack.vantage in ("member", "user")}
    assert {probe.target for probe in probes if not probe.control.startswith("local-")} == {"beam@n2", "beam@n3"}
    shown = asked(probes, "beam@n2")
    assert shown["plaintext"]["plaintext"] is True
    assert shown["old-tls"]["tls"] == {"versions": ["tlsv1.2"]}
    assert shown["no-certificate"]["present"] == "none"
    assert shown["foreign-certificate"]["present"] == "foreign"
    assert shown["expired-certificate"]["tls"] == {"certificate": "/tmp/x/expired.pem"}
    assert shown["other-name"]["name"] == "beam_impostor@n3"
    assert shown["wrong-cookie"]["cookie"] == "nocookie"
    assert shown["member-public-epmd"]["epmd_only"] is True
    public = [(p.address, p.port) for p in probes if p.control == "member-public-distribution-port" and p.target == "beam@n2"]
    assert public == [("10.89.2.12", 9100), ("10.89.2.12", 9101), ("2001:db8::2", 9100), ("2001:db8::2", 9101)]
    assert all("source" not in options(probe) for probe in probes if probe.network == "public"), "the cluster address has no way to other networks"


def test_an_outsider_tries_every_address_and_shows_nothing() -> None:
    probes = questions().attacks("outsider")
    assert {probe.control for probe in probes} == {"outside-epmd", "outside-distribution-port"}
    assert {probe.address for probe in probes if probe.target == "beam@n3"} == {"10.89.1.13", "10.89.2.13", "2001:db8::3"}
    knock = options(next(probe for probe in probes if probe.control == "outside-distribution-port"))
    assert knock["tls"] == {"verify": False}
    assert knock["wrong_cookie"] is True
    assert "source" not in knock


def test_targets_have_only_what_the_module_takes() -> None:
    probes = [*questions().attacks("n1", "beam@n1"), *questions().connects("beam@n1"), *questions().attacks("outsider")]
    assert not {key for probe in probes for key in options(probe)} - TAKEN


def test_a_probe_is_the_same_as_plain_data() -> None:
    for probe in questions().attacks("n1", "beam@n1"):
        assert Probe.from_dict(probe.as_dict()) == probe


def test_no_two_members_claim_the_same_name_to_the_same_node() -> None:
    of = made.plan()
    claims = [(p.target, p.claim) for p in made.requests(questions(of), []) if p.claim]
    assert len(claims) == len(set(claims)) == 6
    assert all(claim.partition("@")[2] != target.partition("@")[2] for target, claim in claims)


def test_an_address_that_others_have_too_is_not_attacked() -> None:
    assert questions().public_addresses("n1") == ("10.89.2.11", "2001:db8::1")


def many(size: int, per_host: int = 1) -> Target:
    of = made.plan()
    of["members"] = [
        {**of["members"][0], "node": f"b{at:03}@h{at // per_host:03}", "host": f"h{at // per_host:03}", "address": f"10.0.{at // 200}.{at % 200 + 1}"}
        for at in range(size)
    ]
    of["hosts"] = {f"h{at:03}": made.plan()["hosts"]["n1"] for at in range(-(-size // per_host))}
    return Target.from_plan(of)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 51, 96])
@pytest.mark.parametrize("vantages", [1, 3, 7])
@pytest.mark.parametrize("per_host", [1, 4])
def test_in_a_sample_every_node_is_attacked_and_attacks_as_often_and_honestly_connects_there(size: int, vantages: int, per_host: int) -> None:
    target = many(size, per_host)
    some = Questions(target, {}, Scope(pairs_max=1, vantages=vantages))
    pairs = [(node.node, other.node) for node in target.members for other in some.attacked(node.node)]
    assert len(pairs) == len(set(pairs)) == size * min(vantages, size - 1)
    assert all(source != attacked for source, attacked in pairs)
    assert set(Counter(source for source, _target in pairs).values()) == set(Counter(attacked for _source, attacked in pairs).values())
    connected = {(node.node, other.node) for node in target.members for other in some.connected(node.node)}
    assert connected == {*pairs, *((node.node, node.node) for node in target.members)}


def test_a_limited_run_of_a_large_cluster_attacks_its_own_hosts_and_connects_to_others() -> None:
    of = made.plan()
    of["hosts"]["n1"]["in_run"] = of["hosts"]["n3"]["in_run"] = False
    some = questions(of, Scope(pairs_max=1, vantages=1))
    assert [node.node for node in some.attacked("beam@n2")] == ["beam@n2"]
    assert [node.node for node in some.connected("beam@n2")] == ["beam@n2", "beam@n3"]


def test_the_probes_of_a_thousand_nodes_are_linear() -> None:
    target = many(1000)
    some = Questions(target, {}, Scope())
    assert some.sampled
    probes = sum(len(some.connects(node.node)) + len(some.attacks(node.host, node.node)) for node in target.members[:50]) * 20
    assert probes < 50_000

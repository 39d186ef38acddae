# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a node is on a host, and that each control has an answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import stock_hosts as stock
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_probes import AuditQuestions
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_reached_hosts import AUDITED, NO_PYTHON, UNREACHABLE, Reach, reach_of
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import BY_ID
from ansible_collections.beam.cluster.plugins.module_utils._assess.discover import discover
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import (
    FAILED,
    NOT_APPLICABLE,
    NOT_TESTED,
    PASSED,
    Evidence,
    Finding,
    Verdict,
)
from ansible_collections.beam.cluster.plugins.module_utils._assess.target import Target
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation

EPMD = stock.listener(4369, 1, process="epmd")


def target_of(**hosts: Mapping[str, Any]) -> Target:
    return discover({name: Observation.parse(name, raw) for name, raw in hosts.items()})


def verdict_of(**hosts: Mapping[str, Any]) -> Verdict:
    seen = {name: Observation.parse(name, raw) for name, raw in hosts.items()}
    target = discover(seen)
    reach = {name: Reach(name, AUDITED) for name in hosts}
    return evaluate(Evidence(target, seen, (), {}, (), 1_795_000_000.0, reach=reach, asked=AuditQuestions.of(target, seen)))


def only(verdict: Verdict, control: str) -> Finding:
    (found,) = (one for one in verdict.findings if one.control == control)
    return found


KINDS: dict[str, tuple[dict[str, Any], tuple[str, str, int | None]]] = {
    "a short name, completed by the host's": (
        stock.host(stock.vm(7, {"name": "a"}), names={"a": 4001}, listeners=(EPMD, stock.listener(4001, 7))),
        ("a@box", "named", 4001),
    ),
    "a long name": (
        stock.host(stock.vm(7, {"name": "a@box.example.org", "long_names": True}), names={"a": 4001}, listeners=(stock.listener(4001, 7),)),
        ("a@box.example.org", "named", 4001),
    ),
    "a hidden node": (
        stock.host(stock.vm(7, {"name": "a", "hidden": True}), names={"a": 4001}, listeners=(stock.listener(4001, 7),)),
        ("a@box", "hidden", 4001),
    ),
    "a node with a dynamic name": (stock.host(stock.vm(7, {"name": "undefined"})), ("undefined@n1", "dynamic", None)),
    "a VM that net_kernel:start made a node": (
        stock.host(stock.vm(7), names={"a": 4001}, listeners=(stock.listener(4001, 7),)),
        ("a@box", "net_kernel", 4001),
    ),
    "a name of EPMD whose process nobody may see": (
        stock.host(stock.vm(7), names={"a": 4001}, listeners=(stock.listener(4001, None),), privileged=False),
        ("a@box", "registered", 4001),
    ),
    "a fixed port without EPMD": (
        stock.host(stock.vm(7, {"name": "a", "fixed_port": "4001"}), listeners=(stock.listener(4001, 7),)),
        ("a@box", "named", 4001),
    ),
    "a port range without EPMD": (
        stock.host(
            stock.vm(7, {"name": "a", "kernel": {"inet_dist_listen_min": "4000", "inet_dist_listen_max": "4009"}}),
            listeners=(stock.listener(4001, 7), stock.listener(5672, 7)),
        ),
        ("a@box", "named", 4001),
    ),
}


@pytest.mark.parametrize(("raw", "expected"), KINDS.values(), ids=KINDS)
def test_each_kind_of_node_is_found(raw: Mapping[str, Any], expected: tuple[str, str, int | None]) -> None:
    (node,) = target_of(n1=raw).members
    assert (node.node, node.found, node.port) == expected
    assert node.seen_at == (("10.9.0.5", "127.0.0.1") if node.port else ())


@pytest.mark.parametrize("raw", [raw for raw, _expected in KINDS.values()], ids=KINDS)
def test_every_control_answers_for_every_node_and_says_why(raw: Mapping[str, Any]) -> None:
    verdict = verdict_of(n1=raw)
    assert {one.control for one in verdict.findings} == set(BY_ID) - {"policy", "waivers"}
    assert {one.status for one in verdict.findings} <= {PASSED, FAILED, NOT_TESTED, NOT_APPLICABLE}
    assert all(one.details and all(one.details) for one in verdict.findings)


def test_several_nodes_of_a_host_and_a_tool_that_listens_for_nobody() -> None:
    target = target_of(
        n1=stock.host(
            stock.vm(7, {"name": "a"}),
            stock.vm(8, {"name": "b"}),
            stock.vm(9, {"name": "tool", "hidden": True, "listens": False}),
            names={"a": 4001, "b": 4002},
            listeners=(stock.listener(4001, 7), stock.listener(4002, 8)),
        )
    )
    assert [node.node for node in target.members] == ["a@box", "b@box"]


def test_one_name_on_two_hosts_is_two_nodes() -> None:
    raw = stock.host(stock.vm(7, {"name": "a@127.0.0.1"}), names={"a": 4001}, listeners=(stock.listener(4001, 7),))
    target = target_of(n1=raw, n2=raw)
    assert [node.node for node in target.members] == ["a@127.0.0.1/n1", "a@127.0.0.1/n2"]
    assert {node.own_name for node in target.members} == {"a@127.0.0.1"}


def test_a_node_in_a_container_is_named_and_not_tested() -> None:
    verdict = verdict_of(n1=stock.host(contained=[stock.vm(7, {"name": "a@c1"}, container=True, traces=["emqx"])]))
    found = [one for one in verdict.findings if one.subject == "a@c1" and one.control == "audit-coverage"]
    assert [(one.status, "emqx" in one.details[0]) for one in found] == [(NOT_TESTED, True)]


def test_a_host_without_beam_is_not_applicable() -> None:
    verdict = verdict_of(n1=stock.host())
    assert {one.status for one in verdict.findings if one.control != "audit-coverage"} == {NOT_APPLICABLE}
    assert only(verdict, "audit-coverage").details == ("no BEAM runs on this host",)
    assert str(verdict.score) == "withheld: no control applies"


def test_an_open_epmd_without_a_node_fails() -> None:
    verdict = verdict_of(n1=stock.host(listeners=(EPMD,)))
    assert only(verdict, "epmd-listeners").status == FAILED
    assert only(verdict, "private-key").status == NOT_APPLICABLE


PRODUCTS = {
    "rabbitmq by what it starts": ({"traces": ["rabbitmq"]}, "rabbitmq"),
    "rabbitmq by its unit": ({"unit": "rabbitmq-server.service"}, "rabbitmq"),
    "ejabberd by its user": ({"user": "ejabberd"}, "ejabberd"),
    "a Phoenix release": ({"traces": ["phoenix", "release"]}, "phoenix"),
    "Livebook, which has Phoenix in it": ({"traces": ["livebook", "phoenix", "release"]}, "livebook"),
    "MongooseIM": ({"traces": ["mongooseim", "release"]}, "mongooseim"),
    "Riak": ({"traces": ["riak", "release"]}, "riak"),
    "another release": ({"traces": ["release"]}, "release"),
    "a bare VM": ({}, "bare"),
}


@pytest.mark.parametrize(("values", "product"), PRODUCTS.values(), ids=PRODUCTS)
def test_a_product_is_known_by_its_traces(values: dict[str, Any], product: str) -> None:
    (node,) = target_of(n1=stock.host(stock.vm(7, {"name": "a"}, **values))).members
    assert node.product == product


def test_floors_of_a_stock_node() -> None:
    verdict = verdict_of(n1=stock.host(stock.vm(7, {"name": "a"}, core_limit=-1), names={"a": 4001}, listeners=(EPMD, stock.listener(4001, 7))))
    failed = {one.control for one in verdict.findings if one.status == FAILED}
    assert failed == {"epmd-listeners", "distribution-listeners", "unit-drop-in", "unit-sandbox", "core-dumps", "port-range"}
    needs = {one.control: one.details[0] for one in verdict.findings if one.status == NOT_APPLICABLE}
    assert needs["firewall-rules"] == "needs a plan: which nodes are members"
    assert needs["mesh-members"] == "needs a plan: which nodes are members"


REFUSED = {"failed": True, "msg": "Missing sudo password"}
REACHES = {
    "root": ([{"epoch": 1.0, "privileged": True}], ("audited", "")),
    "no root": ([REFUSED, {"epoch": 1.0, "privileged": False}], ("unprivileged", "Missing sudo password")),
    "unreachable": ([{"unreachable": True, "msg": "timed out"}], (UNREACHABLE, "timed out")),
    "no Python": ([{"failed": True, "rc": 127, "msg": "The module interpreter '/usr/bin/python3' was not found."}] * 2, (NO_PYTHON, None)),
    "a module that broke": ([{"failed": True, "msg": "boom"}] * 2, ("broken", "boom")),
    "nothing ran": ([{}, {}], (UNREACHABLE, "no task ran on it")),
}


@pytest.mark.parametrize(("attempts", "expected"), REACHES.values(), ids=REACHES)
def test_every_host_has_a_state(attempts: list[dict[str, Any]], expected: tuple[str, str | None]) -> None:
    reach, seen = reach_of("n1", attempts)
    assert reach.state == expected[0]
    assert expected[1] is None or reach.why == expected[1]
    assert (seen is not None) is reach.reached

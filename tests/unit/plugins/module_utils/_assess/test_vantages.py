# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer that a host got of itself, or as a member, is none from outside: not tested, whatever it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
import without_plan
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_probes import AuditQuestions
from ansible_collections.beam.cluster.plugins.module_utils._assess.audit_reached_hosts import AUDITED, Reach
from ansible_collections.beam.cluster.plugins.module_utils._assess.discover import discover
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Evidence, Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Answer, Probe
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from changes import Change, both, of_n2, product, system

OUTSIDE = ("outside-epmd", "outside-distribution-port")
Answers = Callable[[Probe], "Answer | None"]


def from_address(source: Callable[[Probe], str | None], answers: Answers) -> Answers:
    """Hosts outside make their probes from this address."""

    def made_there(probe: Probe) -> Answer | None:
        found = answers(probe)
        return replace(found, source_address=source(probe)) if found and not probe.source else found

    return made_there


def itself(probe: Probe) -> str:
    return probe.address


def reached(probe: Probe) -> Answer | None:
    """A member that lets in whoever is there."""
    if probe.source:
        return made.hardened(probe)
    return Answer(probe, "connected", "done") if probe.port == 9100 else Answer(probe, "names", "epmd")


def of(verdict: Verdict, hosts: Iterable[str] = ("n1", "n2", "n3")) -> dict[str, set[str]]:
    return {name: {one.status for one in verdict.findings if one.control in OUTSIDE and one.hosts == (name,)} for name in hosts}


def said(verdict: Verdict) -> str:
    return " ".join(detail for one in verdict.findings if one.control in OUTSIDE for detail in one.details)


# -- verify ----------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [made.hardened, reached], ids=["refused", "connected"])
def test_an_outsider_that_is_the_member_itself_has_tested_nothing(answers: Answers) -> None:
    def source(probe: Probe) -> str:
        return probe.address if probe.host == "n2" else made.PUBLIC["n2"]

    verdict = evaluate(made.evidence(answer=from_address(source, answers)))
    assert of(verdict) == {name: {NOT_TESTED} for name in made.HOSTS}
    assert "outsider is the host itself, and connects from 10.89.2.12" in said(verdict)
    assert "outsider connects from 10.89.2.12, an address of the member n2: name a host of another machine in beam_outsiders" in said(verdict)


def test_an_outsider_of_another_machine_counts() -> None:
    verdict = evaluate(made.evidence(answer=from_address(lambda probe: "192.0.2.7", made.hardened)))
    assert of(verdict) == {name: {PASSED} for name in made.HOSTS}


def test_an_address_that_the_outsider_has_itself_says_nothing_of_the_member() -> None:
    """docker0 of one member alone, and of the outsider: what answers there is the outsider."""
    seen = made.hosts()
    for name in ("n1", "n3"):
        seen[name]["addresses"] = [one for one in seen[name]["addresses"] if one["interface"] != "docker0"]

    def source(probe: Probe) -> str:
        return probe.address if probe.address == "172.17.0.1" else "192.0.2.7"

    def answers(probe: Probe) -> Answer | None:
        return reached(probe) if probe.address == "172.17.0.1" else made.hardened(probe)

    verdict = evaluate(made.evidence(seen=seen, answer=from_address(source, answers)))
    assert of(verdict) == {name: {PASSED} for name in made.HOSTS}
    refused = [one.details for one in verdict.findings if one.control == "outside-epmd" and one.hosts == ("n2",)]
    assert refused == [("refused 2 of 2",)]


# -- audit -----------------------------------------------------------------------------------------------------------------------------------------


def audited(outsiders: tuple[str, ...], answers: Answers = without_plan.hardened, hosts: Iterable[str] = ("n1", "n2", "n3"), **raws: Any) -> Verdict:
    raw = {**{name: own for name, own in without_plan.hosts().items() if name in hosts}, **raws}
    seen = {name: Observation.parse(name, own) for name, own in raw.items()}
    target = discover(seen)
    asked = AuditQuestions.of(target, seen)
    probes = [probe for name in seen for probe in asked.of_vantage(name, False)]
    probes += [probe for name in outsiders for probe in asked.of_vantage(name, True)]
    given = [one for one in map(answers, probes) if one]
    return evaluate(Evidence(target, seen, given, {}, outsiders, made.NOW, reach={name: Reach(name, AUDITED) for name in seen}, asked=asked))


def test_an_audited_host_that_is_the_only_outsider_has_not_tested_itself() -> None:
    verdict = audited(("n1",), hosts=("n1",))
    assert of(verdict, ["n1"]) == {"n1": {NOT_TESTED}}
    assert "looked at from n1 only, which is the host itself: nothing shows what others reach" in said(verdict)


@pytest.mark.parametrize("code", ["epmd_closed", "names", "closed", "connected"])
def test_nor_has_one_that_has_another_name(code: str) -> None:
    """The controller is the host that it audits: what it connects to never leaves it."""

    def answers(probe: Probe) -> Answer | None:
        return Answer(probe, code, "epmd" if "epmd" in code else "connect", source_address=probe.address) if probe.vantage == "localhost" else (
            without_plan.hardened(probe)
        )

    verdict = audited(("localhost",), answers, hosts=("n1",))
    assert of(verdict, ["n1"]) == {"n1": {NOT_TESTED}}
    assert "localhost is the host itself, and connects from" in said(verdict)


def test_another_host_of_the_inventory_does() -> None:
    assert of(audited(("n1",)), ["n2"]) == {"n2": {PASSED}}


def test_hosts_with_the_same_addresses_are_not_tested() -> None:
    twin = without_plan.hosts()["n1"]
    verdict = audited(("out",), hosts=("n1",), twin=twin)
    assert of(verdict, ["n1", "twin"]) == {"n1": {NOT_TESTED}, "twin": {NOT_TESTED}}
    assert "another host of the inventory has the same addresses" in said(verdict)


@pytest.mark.parametrize(("addresses", "status"), [(None, NOT_TESTED), ([made.host("n1")["addresses"][0]], NOT_APPLICABLE)])
def test_a_host_without_a_known_address(addresses: object, status: str) -> None:
    verdict = audited(("out",), hosts=(), n1={**without_plan.hosts()["n1"], "addresses": addresses})
    assert of(verdict, ["n1"]) == {"n1": {status}}
    assert FAILED not in of(verdict, ["n1"])["n1"]


# -- another network namespace --------------------------------------------------------------------------------------


def alone(program: str) -> Change:
    """A program of n2 in a network namespace of its own: the host lists none of its listeners."""

    def change(n2: dict[str, Any]) -> None:
        for one in n2["processes"]:
            one.update({"own_network": True} if one["process"] == program else {})
        gone = ("beam.smp",) if program == "beam.smp" else ("epmd", "systemd")
        n2["listeners"] = [one for one in n2["listeners"] if one["process"] not in gone]

    return change


@pytest.mark.parametrize(
    ("control", "program"),
    [
        ("client-ports", "beam.smp"),
        ("rabbitmq-management", "beam.smp"),
        ("ipv6-exposure", "beam.smp"),
        ("distribution-needed", "beam.smp"),
        ("distribution-listeners", "beam.smp"),
        ("epmd-listeners", "epmd"),
        ("epmd-needed", "epmd"),
    ],
)
def test_the_listeners_of_another_network_namespace_are_not_seen(control: str, program: str) -> None:
    broken = both(product("rabbitmq"), system(settings={}, client_ports={"rabbitmq": {"ports": [], "unread": ""}}), alone(program))
    assert of_n2(without_plan.audited(broken), control)[0] == {NOT_TESTED}

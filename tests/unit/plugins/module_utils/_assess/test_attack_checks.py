# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every attack is seen refused, succeeding and not tested."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import ATTACKS
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import attacks as attack_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import CONNECT, Answer, Probe
from ansible_collections.beam.cluster.plugins.module_utils._wire import codes

IN = {
    "outside-epmd": ("connected", "epmd"),
    "outside-distribution-port": ("timeout_tls", "tls"),
    "member-public-epmd": ("connected", "epmd"),
    "member-public-distribution-port": ("tls_alert_certificate_required", "tls"),
    "local-epmd": ("epmd_timeout", "epmd"),
    "local-distribution-port": ("timeout_tls", "tls"),
    "plaintext": ("connected", "done"),
    "old-tls": ("connected", "done"),
    "no-certificate": ("connected", "done"),
    "foreign-certificate": ("cookie_refused_theirs", "ack"),
    "expired-certificate": ("not_allowed", "status"),
    "revoked-certificate": ("not_allowed", "status"),
    "other-name": ("connected", "done"),
    "wrong-cookie": ("connected", "done"),
}
ON_THE_WIRE = [attack.id for attack in ATTACKS if attack.stage != "connect"]
AT_THE_PORT = [attack.id for attack in ATTACKS if attack.stage == "connect"]


def on(source: str, target: str, control: str = CONNECT, **values: Any) -> Callable[[Probe], Answer | None]:
    """A whole cluster but for what one pair answers; without values no answer at all."""

    def answer(probe: Probe) -> Answer | None:
        good = made.hardened(probe)
        if probe.control != control or probe.asker != source or probe.target != target:
            return good
        return replace(good, **values) if values else None

    return answer


def test_every_attack_is_tried_below() -> None:
    assert set(IN) == {attack.id for attack in ATTACKS} == set(made.HARDENED)


def vantage_of(attack: str) -> str:
    if attack.startswith("local"):
        return "beam@n2"
    return "outsider" if attack.startswith("outside") else "beam@n1"


@pytest.mark.parametrize("attack", IN)
def test_an_attack_that_succeeds_fails_its_control(attack: str) -> None:
    code, stage = IN[attack]
    verdict = evaluate(made.evidence(answer=on(vantage_of(attack), "beam@n2", attack, code=code, stage=stage)))
    assert [(f.control, f.status, f.subject, f.succeeded) for f in verdict.failures] == [(attack, FAILED, "beam@n2", True)]
    user = " as user nobody" if attack.startswith("local") else ""
    assert f"{vantage_of(attack)}{user} -> beam@n2" in verdict.failures[0].details[0]


# The target is down, the network lost it, the probe broke: none of this proves that the attack would be refused.
@pytest.mark.parametrize("attack", ON_THE_WIRE)
@pytest.mark.parametrize(
    ("code", "stage"),
    [
        ("closed", "connect"),
        ("filtered", "connect"),
        ("reset", "tls"),
        ("dropped_tls", "tls"),
        ("timeout_tls", "tls"),
        ("timeout_status", "status"),
        ("local_tls", "connect"),
        ("not_registered", "epmd"),
        ("tls_on_plaintext", "tls"),
    ],
)
def test_a_refusal_for_another_reason_is_not_tested(attack: str, code: str, stage: str) -> None:
    verdict = evaluate(made.evidence(answer=on("beam@n1", "beam@n2", attack, code=code, stage=stage)))
    assert [(f.control, f.status) for f in verdict.failures] == [(attack, NOT_TESTED)]


@pytest.mark.parametrize("attack", ON_THE_WIRE)
def test_a_refusal_without_the_honest_connection_is_not_tested(attack: str) -> None:
    verdict = evaluate(made.evidence(answer=on("beam@n1", "beam@n2", code="wrong_node", stage="challenge")))
    (found,) = (f for f in verdict.failures if f.control == attack)
    assert (found.status, found.cause) == (NOT_TESTED, CONNECT)
    assert "honest connection" in found.details[0]


@pytest.mark.parametrize("attack", AT_THE_PORT)
def test_a_closed_port_of_a_dead_node_is_not_tested(attack: str) -> None:
    def answer(probe: Probe) -> Answer:
        good = made.hardened(probe)
        dead = probe.target == "beam@n2" and probe.attack is None
        return replace(good, code="closed", stage="connect", port=None, tls=None) if dead else good

    (found,) = (f for f in evaluate(made.evidence(answer=answer)).failures if f.control == attack)
    assert (found.status, found.cause, found.cause_subject) == (NOT_TESTED, "mesh-node", "beam@n2")
    assert "no member can connect" in found.details[0]


def test_ports_of_a_range_that_no_node_uses_prove_nothing() -> None:
    of = made.plan()
    of["members"][1]["ports"] = {"first": 9100, "last": 9103}
    outside = "outside-distribution-port"
    verdict = evaluate(made.evidence(of=of))
    assert {f.control for f in verdict.failures} <= {"firewall-rules"}
    tried = [o.answer.probe.port for o in verdict.outcomes if o.answer.probe.control == outside and o.answer.probe.target == "beam@n2"]
    assert tried == [9100, 9100], "cluster and public address, proven port only"
    open_elsewhere = on("outsider", "beam@n2", outside, code="dropped_tls", stage="tls")
    assert outside in {f.control for f in evaluate(made.evidence(of=of, answer=open_elsewhere)).failures}


def test_an_attack_that_was_not_made_is_not_tested() -> None:
    for attack in ATTACKS:
        verdict = evaluate(made.evidence(answer=on(vantage_of(attack.id), "beam@n2", attack.id)))
        assert [(f.control, f.status) for f in verdict.failures] == [(attack.id, NOT_TESTED)]


def test_an_attack_that_could_not_be_made_says_why() -> None:
    verdict = evaluate(made.evidence(answer=on("beam@n1", "beam@n2", "expired-certificate", code="", stage="", message="no signer")))
    assert [(f.status, "no signer" in f.details[0], f.cause) for f in verdict.failures] == [(NOT_TESTED, True, "")]


def test_without_an_outsider_the_outside_was_not_tested() -> None:
    verdict = evaluate(made.evidence(outsiders=[]))
    assert {f.control for f in verdict.findings if f.status == NOT_TESTED} == {"outside-epmd", "outside-distribution-port"}


def test_what_does_not_apply_says_so() -> None:
    of, seen = made.plan(), made.hosts()
    of["tls_versions"] = ["tlsv1.3", "tlsv1.2"]
    for name, own in seen.items():
        own["addresses"] = [a for a in own["addresses"] if a["address"] != made.PUBLIC[name]]
    verdict = evaluate(made.evidence(of=of, seen=seen))
    not_applicable = {f.control for f in verdict.findings if f.status == NOT_APPLICABLE}
    assert not_applicable == {"old-tls", "member-public-epmd", "member-public-distribution-port"}
    assert verdict.ok


def test_attacks_and_what_shows_that_tls_is_over_use_codes_of_the_wire() -> None:
    assert not attack_checks._SPOKE_OF_NAMES - set(codes.CODES)
    for attack in ATTACKS:
        assert attack.stage in codes.STAGES
        assert {codes.CODES[code].category for code in attack.refused} <= {"refused_by_peer", "blocked"}, "only a no is a refusal"

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every control about the nodes' connections with each other is seen failing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import mesh as mesh_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import CONNECT, Answer, Probe


def on(source: str, target: str, control: str = CONNECT, **values: Any) -> Callable[[Probe], Answer | None]:
    """A whole cluster but for what one pair answers; without values no answer at all."""

    def answer(probe: Probe) -> Answer | None:
        good = made.hardened(probe)
        if probe.control != control or probe.asker != source or probe.target != target:
            return good
        return replace(good, **values) if values else None

    return answer


BROKEN_PAIRS = [
    ({"code": "closed", "stage": "connect", "message": "connection refused"}, "closed at stage connect: connection refused"),
    ({"code": "closed", "stage": "connect", "port": 9999}, "EPMD names port 9999, outside its port range 9100"),
    ({"code": "tls_on_plaintext", "stage": "tls"}, "tls_on_plaintext at stage tls"),
    ({"tls": None}, "plain TCP"),
    ({"tls": made.session(version="tlsv1.2")}, "tlsv1.2, not tlsv1.3"),
    ({"tls": made.session(peer=None)}, "without the peer's certificate"),
    ({"port": 41234}, "outside its port range 9100"),
]


@pytest.mark.parametrize(("values", "says"), BROKEN_PAIRS)
def test_a_broken_pair_fails_the_mesh(values: dict[str, Any], says: str) -> None:
    verdict = evaluate(made.evidence(answer=on("beam@n1", "beam@n2", **values)))
    failed = [found for found in verdict.findings if found.status == FAILED]
    assert [(found.control, found.subject) for found in failed] == [(CONNECT, "beam@n1 -> beam@n2")]
    assert says in failed[0].details[0]
    assert set(failed[0].hosts) == {"n1", "n2"}


def test_a_pair_that_was_not_probed_is_not_tested() -> None:
    verdict = evaluate(made.evidence(answer=on("beam@n1", "beam@n2")))
    bad = [found for found in verdict.failures if found.control == CONNECT]
    assert [(found.subject, found.status) for found in bad] == [("beam@n1 -> beam@n2", NOT_TESTED)]
    assert not verdict.ok


@pytest.mark.parametrize(
    ("said", "status", "says"),
    [
        ({"visible": ["beam@n1"]}, FAILED, "beam@n2 is not connected to beam@n3"),
        ({"visible": []}, FAILED, "beam@n2 is not connected to beam@n1"),
        ({"visible": ["beam@n1", "beam@n3", "evil@n9"]}, FAILED, "connected to evil@n9, which is no member"),
        ({"visible": ["beam@n1", "beam@n3", "x@n2"]}, FAILED, "connected to x@n2, which is no member"),
        ({"hidden": ["evil@n9"]}, FAILED, "a hidden connection to evil@n9"),
        ({"hidden": ["beam_probe@n9"]}, FAILED, "a hidden connection to beam_probe@n9"),
        ({"visible": None}, NOT_TESTED, "did not say"),
        ({"hidden": None}, NOT_TESTED, "did not say"),
        ({"code": "timeout_call"}, NOT_TESTED, "could not be asked for its nodes(): timeout_call"),
        (None, NOT_TESTED, "was not asked"),
    ],
)
def test_a_node_with_a_peer_too_few_or_too_many(said: Any, status: str, says: str) -> None:
    verdict = evaluate(made.evidence(mesh={"beam@n2": said}))
    (bad,) = [found for found in verdict.failures if found.control == "mesh-members"]
    assert (bad.status, bad.subject) == (status, "beam@n2")
    assert says in bad.details[0]


@pytest.mark.parametrize("hidden", ["rem-4711@n1", "rabbitmqcli-12-beam@n2", "beam_probe@n1", "beam_probe@outside.invalid"])
def test_tools_on_a_members_host_and_probes_are_no_peers_too_many(hidden: str) -> None:
    assert evaluate(made.evidence(mesh={"beam@n2": {"hidden": [hidden]}})).ok


@pytest.mark.parametrize("key", ["ticktime", "tickintensity", "prevent_overlapping_partitions", "connect_all", "auto_connect", "global_groups"])
@pytest.mark.parametrize(("value", "status", "says"), [(["other"], FAILED, "other"), (None, NOT_TESTED, "did not say")])
def test_a_node_with_settings_of_its_own(key: str, value: object, status: str, says: str) -> None:
    (bad,) = evaluate(made.evidence(mesh={"beam@n2": {key: value}})).failures
    assert (bad.control, bad.status, bad.subject) == ("mesh-settings", status, "beam@n2")
    assert says in bad.details[0]


def test_a_hidden_node_is_seen_by_nobody_and_known_to_all() -> None:
    of = made.plan()
    of["members"][1]["hidden"] = True
    assert {found.subject for found in evaluate(made.evidence(of=of)).failures} == {"beam@n1", "beam@n2", "beam@n3"}
    mesh = {
        "beam@n1": {"visible": ["beam@n3"], "hidden": ["beam@n2"]},
        "beam@n2": {"visible": [], "hidden": ["beam@n1", "beam@n3"]},
        "beam@n3": {"visible": ["beam@n1"], "hidden": ["beam@n2"]},
    }
    assert evaluate(made.evidence(of=of, mesh=mesh)).failures == []


def test_without_a_transitive_mesh_no_node_has_to_be_there_and_none_may_be_too_many() -> None:
    of = made.plan()
    of["settings"]["connect_all"] = False
    verdict = evaluate(made.evidence(of=of, mesh={"beam@n2": {"visible": []}}))
    assert {found.control for found in verdict.findings if found.status == NOT_APPLICABLE} == {"mesh-members"}
    verdict = evaluate(made.evidence(of=of, mesh={"beam@n2": {"visible": ["evil@n9"]}}))
    assert [(found.control, found.status) for found in verdict.failures] == [("mesh-members", FAILED)]


def test_every_control_of_the_mesh_fails_above() -> None:
    assert set(mesh_checks.CONTROLS) == {CONNECT, "mesh-members", "mesh-settings"}

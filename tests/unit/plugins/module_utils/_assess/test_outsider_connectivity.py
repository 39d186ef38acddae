# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host outside that is refused everywhere has proven something only if anything at all comes back to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import NOT_TESTED, PASSED
from ansible_collections.beam.cluster.plugins.module_utils._assess.outsider_connectivity import ways
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import REACHES, Answer, Probe, options

CONTROLS = ("outside-epmd", "outside-distribution-port")


def silent(probe: Probe, but: tuple[str, int] | None = None) -> Answer:
    """Its own network drops all that the host outside sends, but to one address and port."""
    good = made.hardened(probe)
    if probe.source or (probe.address, probe.port) == but:
        return good
    return replace(good, code="epmd_filtered", stage="epmd") if good.code.startswith("epmd") else replace(good, code="filtered", stage="connect")


def statuses(answer: object, drops: tuple[bool | None, ...] = (False, False, False)) -> set[str]:
    seen = made.hosts()
    for host, default in zip(seen.values(), drops):
        host["firewall"]["drops_by_default"] = default
    verdict = evaluate(made.evidence(seen=seen, answer=answer))  # type: ignore[arg-type]
    return {one.status for one in verdict.findings if one.control in CONTROLS}


def test_a_host_outside_to_which_nothing_comes_back_has_tested_nothing() -> None:
    assert statuses(made.hardened) == {PASSED}
    assert statuses(silent) == {NOT_TESTED}
    found = [detail for one in evaluate(made.evidence(answer=silent)).findings if one.control == "outside-epmd" for detail in one.details]
    assert found and all("nothing came back to outsider from any port of any host" in detail for detail in found)


def test_one_answer_from_anywhere_is_enough() -> None:
    assert statuses(lambda probe: silent(probe, (made.PUBLIC["n3"], 22))) == {PASSED}


@pytest.mark.parametrize(("drops", "status"), [((True, True, True), PASSED), ((True, True, None), NOT_TESTED), ((True, False, True), NOT_TESTED)])
def test_hosts_that_drop_by_default_explain_the_silence(drops: tuple[bool | None, ...], status: str) -> None:
    assert statuses(silent, drops) == {status}


def test_each_address_that_is_attacked_has_its_positive_control() -> None:
    attacks = made.evidence().questions.attacks("outsider")
    controls = list(ways("outsider", attacks))
    assert {(one.host, one.address) for one in controls} == {(one.host, one.address) for one in attacks}
    assert {one.port for one in controls} == {22, 61009} and {one.control for one in controls} == {REACHES}
    assert all(options(one)["epmd_only"] for one in controls)
    own = made.evidence().questions.attacks("n1", "beam@n1")
    assert list(ways("n1", own)) == []

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the terminal shows, in the order in which a person needs it."""

from __future__ import annotations

import pytest
import verdicts
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import NOT_OBSERVED
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import Scope
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import terminal


def lines_of(verdict: verdicts.Verdict) -> list[str]:
    return [line.text for line in terminal.lines(verdicts.report(verdict))]


def test_it_names_pair_stage_and_reason() -> None:
    text = "\n".join(lines_of(verdicts.failed()))
    for wanted in (
        "beam@n1 -> beam@n2: closed at stage connect: <refused> & gone",
        "FAILED  plaintext (critical): A handshake in clear text is refused",
        "NOT TESTED  unit-sandbox (medium)  beam@n3",
        "FAILED: a device & a <driver> (until 2026-12-31, ops)",
        "high  CVE-2026-89422",
        "What to do: Give the VM -proto_dist inet_tls exactly once.",
    ):
        assert wanted in text
    assert text.splitlines()[0] == text.splitlines()[-1]
    assert text.startswith("FAILED: ")
    assert max(map(len, text.splitlines())) <= 170


def test_the_order_is_verdict_faults_gaps_days_evidence() -> None:
    lines = [line for line in terminal.lines(verdicts.report(verdicts.failed())) if line.tone == terminal.TITLE]
    titles = ["Failed", "Not tested", "Waived", "Days left of the certificates", "Known vulnerabilities and advisories"]
    assert [line.text for line in lines] == [*titles, "Mesh: connections between the nodes", "Attacks"]


def test_tones_say_what_is_bad() -> None:
    found = terminal.lines(verdicts.report(verdicts.failed()))
    assert {line.tone for line in found if line.text.startswith("  FAILED")} == {terminal.BAD}
    assert {line.tone for line in found if line.text.startswith("  NOT TESTED")} == {terminal.WARNING}
    assert found[0].tone == found[-1].tone == terminal.BAD
    good = terminal.lines(verdicts.report(verdicts.passed()))
    assert {line.tone for line in good} == {terminal.GOOD, terminal.TITLE, terminal.PLAIN}


def test_it_shows_the_whole_mesh_and_all_attacks() -> None:
    lines = lines_of(verdicts.passed())
    rows = [line.split() for line in lines if line.startswith("  beam@n")]
    assert [row[0] for row in rows] == ["beam@n1", "beam@n2", "beam@n3"]
    assert all(row.count("TLS") == 2 for row in rows)
    refused = [line for line in lines if " refused  " in line]
    assert len(refused) == 14
    assert all(line.split()[1] == line.split()[3] for line in refused), "as many as were tried"
    assert lines[0] == lines[-1] == f"PASSED: {len(verdicts.passed().findings)} ok"


@pytest.mark.parametrize(("size", "scope"), [(13, Scope()), (70, Scope(pairs_max=10**6)), (70, Scope())])
def test_a_large_mesh_stays_readable(size: int, scope: Scope) -> None:
    verdict = evaluate(made.evidence(of=verdicts.plan_of(size), seen={}, answer=verdicts.lost_pair, outsiders=[], scope=scope))
    lines = lines_of(verdict)
    rows = [line.split() for line in lines if line.startswith("  beam@h") and len(line.split()) == 2]
    bad = [row for row in rows if "#" in row[1]]
    assert [row[0] for row in bad] == ["beam@h003"]
    assert bad[0][1].index("#") == 4
    assert len(rows) == (13 if size == 13 else 1)
    assert ("Coverage: " in "\n".join(lines)) is (not verdict.coverage.complete)
    assert len(lines) < 160


def test_what_one_cause_keeps_from_being_tested_is_one_line() -> None:
    verdict = verdicts.one_lost()
    text = " ".join(" ".join(lines_of(verdict)).split())
    count = next(len(gap.controls) for gap in verdicts.report(verdict).gaps if gap.reason == NOT_OBSERVED)
    assert f"NOT TESTED {count} controls n3: the host was not observed: epmd-listeners, " in text
    assert text.count("FAILED mesh-node (critical): ") == text.count(" (critical): ") == 1
    assert " more results follow from this: " in text
    assert f"n3: {count} controls not tested, because the host was not observed" in terminal.failure(verdicts.report(verdict))


def test_the_failure_names_what_failed_and_is_short() -> None:
    text = terminal.failure(verdicts.report(verdicts.failed()))
    assert "mesh-connected failed: beam@n1 -> beam@n2: closed at stage connect" in text
    assert "unit-sandbox not tested: beam@n3" in text
    assert "CVE" not in text
    assert "CVE-2026-89422 on n1" in terminal.failure(verdicts.report(verdicts.failed(advisories_fail_at="high")))
    assert terminal.failure(verdicts.report(verdicts.failed()), 2).endswith("more; the report has them all")

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verdict says in relation to others: its score, and the change since the report before.

Private to this collection, pure. A verdict without a score or a baseline says nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..finding import Finding, Verdict


def score_of(verdict: Verdict) -> str:
    """Empty where there is none."""
    return "" if verdict.score is None else str(verdict.score)


def changes_of(verdict: Verdict) -> Mapping[str, int]:
    """How many findings changed in each way. Empty where no report before was given."""
    baseline = verdict.baseline
    return {} if baseline is None else {change: count for change, count in baseline.counts().items() if count}


def change_of(verdict: Verdict, finding: Finding) -> str:
    """`new`, `regressed`, `unchanged`, ...; empty where no report before was given."""
    baseline = verdict.baseline
    return "" if baseline is None else baseline.changes.get(finding.fingerprint, "")


def changes_text(verdict: Verdict) -> str:
    """Empty where no report before was given."""
    baseline = verdict.baseline
    if baseline is None:
        return ""
    return f"Since {baseline.when}: " + (", ".join(f"{count} {change}" for change, count in changes_of(verdict).items()) or "no change")


def lines(verdict: Verdict) -> Iterator[str]:
    if score_of(verdict):
        yield f"Score: {score_of(verdict)}"
    if changes_text(verdict):
        yield changes_text(verdict)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since an earlier report, finding by finding. Findings are compared by their fingerprints.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NEW, FIXED, UNCHANGED, REGRESSED, UNKNOWN = "new", "fixed", "unchanged", "regressed", "unknown"
CHANGES = (NEW, REGRESSED, UNCHANGED, FIXED, UNKNOWN)
_FAILED, _PASSED, _NOT_TESTED, _NOT_APPLICABLE, _WAIVED = "failed", "passed", "not_tested", "not_applicable", "waived"


@dataclass(frozen=True)
class Baseline:
    """when: time of the earlier report. changes: by fingerprint, of every finding that fails now or failed then.

    new: it fails, and the earlier report has no result for it. regressed: it fails and did not fail then. unchanged: it fails in both. fixed: it
    failed then and does not now. unknown: it failed then, and could not be tested now.
    """

    when: str
    changes: Mapping[str, str]

    def counts(self) -> dict[str, int]:
        found = list(self.changes.values())
        return {change: found.count(change) for change in CHANGES}

    def as_dict(self) -> dict[str, object]:
        return {"when": self.when, "counts": self.counts(), "changes": dict(self.changes)}


class BaselineError(ValueError):
    """An earlier report that cannot be compared with; the message says why, and what to do."""


def compare(earlier: Mapping[str, object], now: Sequence[tuple[str, str]]) -> Baseline:
    """earlier: a JSON report. now: (fingerprint, status) of each finding. Raises BaselineError."""
    findings = earlier.get("findings")
    if not isinstance(findings, list) or not all(isinstance(one, Mapping) and one.get("fingerprint") for one in findings):
        raise BaselineError("it is no report with fingerprints. Name the .json file of an earlier run of beam.cluster.audit.")
    before = {str(one["fingerprint"]): _real(one) for one in findings}
    after = dict(now)
    changes = {}
    for mark, status in after.items():
        was = before.get(mark)
        if status == _FAILED:
            changes[mark] = UNCHANGED if was == _FAILED else REGRESSED if was in (_PASSED, _NOT_APPLICABLE) else NEW
        elif was == _FAILED:
            changes[mark] = UNKNOWN if status == _NOT_TESTED else FIXED
    changes.update({mark: UNKNOWN for mark, was in before.items() if was == _FAILED and mark not in after})
    return Baseline(str(earlier.get("when") or "an unknown time"), changes)


def _real(finding: Mapping[str, object]) -> str:
    """The status below a waiver."""
    status = str(finding.get("status"))
    return str(finding.get("waived_status") or status) if status == _WAIVED else status

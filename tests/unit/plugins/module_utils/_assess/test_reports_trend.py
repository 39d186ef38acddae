# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Score and changes since the report before: shown where the verdict has them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import jsonschema
import verdicts
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import FORMATS, terminal
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.trend import changes_of, changes_text, score_of
from test_reports_data import schema, strict


@dataclass(frozen=True)
class Score:
    def __str__(self) -> str:
        return "93 of 100, A"

    def as_dict(self) -> dict[str, object]:
        return {"value": 93, "letter": "A", "withheld": None}


@dataclass(frozen=True)
class Baseline:
    changes: Mapping[str, str]
    when: str = "2026-11-01T00:00:00Z"

    def counts(self) -> dict[str, int]:
        return {"new": 0, "regressed": 0, **Counter(self.changes.values())}

    def as_dict(self) -> dict[str, object]:
        return {"when": self.when, "counts": self.counts(), "changes": dict(self.changes)}


@dataclass(frozen=True)
class Told(Verdict):
    score: Score | None = None  # type: ignore[assignment]
    baseline: Baseline | None = None  # type: ignore[assignment]


def told(changes: Mapping[str, str]) -> Told:
    verdict = verdicts.failed()
    return Told(**{**{name: getattr(verdict, name) for name in Verdict.__dataclass_fields__}, "score": Score(), "baseline": Baseline(changes)})


def test_score_and_changes_show() -> None:
    finding = next(finding for finding in verdicts.failed().findings if finding.control == "plaintext" and finding.subject == "beam@n3")
    verdict = told({finding.fingerprint: "new", "0": "fixed", "1": "unchanged", "2": "unchanged"})
    wanted = "Since 2026-11-01T00:00:00Z: 1 new, 1 fixed, 2 unchanged"
    lines = [line.text for line in terminal.lines(verdicts.report(verdict))]
    assert lines.index("Score: 93 of 100, A") < lines.index(wanted) < lines.index("Failed")
    page = FORMATS["html"].text(verdicts.report(verdict))
    assert page.count("Score: 93 of 100, A") == 1 and page.count(wanted) == 2
    changes = page.partition('<section id="changes"')[2].partition("</section>")[0]
    assert "1 new" in changes and "<code>plaintext</code> beam@n3" in changes
    data = json.loads(FORMATS["json"].text(verdicts.report(verdict)))
    assert data["score"]["value"] == 93 and data["baseline"]["changes"][finding.fingerprint] == "new"
    jsonschema.Draft202012Validator(strict(schema())).validate(data)


def test_a_baseline_without_a_change() -> None:
    assert changes_text(told({})) == "Since 2026-11-01T00:00:00Z: no change"


def test_what_there_is_not_does_not_show() -> None:
    verdict = verdicts.passed()
    assert (score_of(verdict), dict(changes_of(verdict))) == ("", {})
    assert not [line for line in terminal.lines(verdicts.report(verdict)) if line.text.startswith(("Score", "Since"))]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Score and changes since the report before: shown where the verdict has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import jsonschema
import verdicts
from ansible_collections.beam.cluster.plugins.module_utils._assess.baseline import Baseline
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import terminal
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.formats import FORMATS
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.score_and_baseline import changes_of, changes_text, score_of
from ansible_collections.beam.cluster.plugins.module_utils._assess.score import Score
from test_reports_json_data import schema, strict


def told(changes: Mapping[str, str]) -> Verdict:
    return replace(verdicts.failed(), score=Score(93, "A"), baseline=Baseline("2026-11-01T00:00:00Z", changes))


def test_score_and_changes_show() -> None:
    finding = next(finding for finding in verdicts.failed().findings if finding.control == "plaintext" and finding.subject == "beam@n3")
    verdict = told({finding.fingerprint: "new", "0": "fixed", "1": "unchanged", "2": "unchanged"})
    wanted = "Since 2026-11-01T00:00:00Z: 1 new, 2 unchanged, 1 fixed"
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
    verdict = replace(verdicts.passed(), score=None)
    assert (score_of(verdict), dict(changes_of(verdict))) == ("", {})
    assert not [line for line in terminal.lines(verdicts.report(verdict)) if line.text.startswith(("Score", "Since"))]


def test_a_score_that_is_withheld_says_why() -> None:
    lines = [line.text for line in terminal.lines(verdicts.report(verdicts.untested()))]
    assert [line for line in lines if line.startswith("Score: withheld: ") and line.endswith(" results are not tested")]

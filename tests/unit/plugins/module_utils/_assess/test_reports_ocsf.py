# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OCSF against the published schema of Detection Finding."""

from __future__ import annotations

import json

import jsonschema
import pytest
import verdicts
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import ocsf


@pytest.mark.parametrize("kind", verdicts.KINDS)
def test_the_published_schema_accepts_every_event(kind: str) -> None:
    events = json.loads(ocsf.text(verdicts.report(verdicts.KINDS[kind]())))
    schema = verdicts.schema("ocsf-1.5.0-detection_finding.json")
    assert schema["additionalProperties"] is False
    validator = jsonschema.Draft202012Validator(schema)
    for event in events:
        validator.validate(event)
        assert event["time"] == 1_795_000_000_000
    uids = [event["finding_info"]["uid"] for event in events]
    assert len(set(uids)) == len(uids)


def test_status_severity_and_cve() -> None:
    events = json.loads(ocsf.text(verdicts.report(verdicts.failed())))
    by_code = {code: [event for event in events if event["status_code"] == code] for code in ("failed", "not_tested", "reported")}
    assert {event["status_id"] for event in by_code["failed"]} == {1, 3}, "new, and suppressed where it is waived"
    (suppressed,) = (event for event in by_code["failed"] if event["status_id"] == 3)
    assert suppressed["comment"] == "a device & a <driver> (until 2026-12-31, ops)"
    assert all(event["severity_id"] == 5 for event in events if event["finding_info"]["analytic"]["uid"] == "plaintext")
    (weakness,) = by_code["reported"]
    assert weakness["vulnerabilities"][0]["cve"]["uid"] == "CVE-2026-89422"
    assert weakness["remediation"]["desc"] == "Fixed in 27.3.4.18."
    assert json.loads(ocsf.text(verdicts.report(verdicts.passed()))) == []

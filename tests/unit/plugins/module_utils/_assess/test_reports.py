# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader, a program and a test tool are told the same thing."""

from __future__ import annotations

import html.parser
import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess import report_html, reports
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import CONNECT, Answer, Probe, Scope
from ansible_collections.beam.cluster.plugins.module_utils._model.waivers import Waiver


def verdict(*, good: bool = False, **other: Any) -> Verdict:
    """A cluster with one lost pair, one attack that got in, one host that was not looked at, one waiver, and a weakness with a strange title."""
    if good:
        return evaluate(made.evidence())

    def answer(probe: Probe) -> Answer:
        told = made.hardened(probe)
        if (probe.control, probe.source, probe.target) == (CONNECT, "beam@n1", "beam@n2"):
            return replace(told, code="closed", stage="connect", message="<refused> & gone", tls=None)
        if (probe.control, probe.target) == ("plaintext", "beam@n3"):
            return replace(told, code="connected", stage="done")
        return told

    seen = made.hosts()
    seen["n3"]["units"]["beam.service"]["exposure"] = None
    seen["n1"]["units"]["beam.service"]["exposure"] = 3.9
    advisories = {"n1": [{"control": "CVE-2026-89422", "severity": "high", "title": "<script>alert(1)</script>"}]}
    waiver = Waiver("unit-sandbox", "a device & a <driver>", "2026-12-31", "n1")
    return evaluate(made.evidence(seen=seen, answer=answer, advisories=advisories), [waiver], **other)


def test_the_terminal_names_pair_stage_and_reason() -> None:
    text = "\n".join(reports.text(verdict()))
    for wanted in (
        "beam@n1 -> beam@n2",
        "closed at stage connect: <refused> & gone",
        "FAILED  plaintext (critical)  beam@n3",
        "NOT TESTED  unit-sandbox (medium)  beam@n3",
        "FAILED: a device & a <driver> (until 2026-12-31)",
        "high  CVE-2026-89422",
    ):
        assert wanted in text
    assert text.splitlines()[-1].startswith("FAILED: ")
    assert max(map(len, text.splitlines())) <= 170


def test_the_terminal_shows_the_whole_mesh_and_all_attacks() -> None:
    lines = reports.text(verdict(good=True))
    rows = [line.split() for line in lines if line.strip().startswith("beam@n")]
    assert [row[0] for row in rows] == ["beam@n1", "beam@n2", "beam@n3"]
    assert all(row.count("tlsv1.3") == 2 for row in rows)
    refused = [line for line in lines if " refused  " in line]
    assert len(refused) == 13
    assert all(line.split()[1] == line.split()[3] for line in refused), "as many as were tried"
    assert lines[-1].startswith("PASSED: ")


def large(size: int) -> dict[str, Any]:
    of = made.plan()
    of["members"] = [
        {**of["members"][0], "node": f"beam@h{at:03}", "host": f"h{at:03}", "address": f"10.0.{at // 200}.{at % 200 + 1}"}
        for at in range(size)
    ]
    (node,) = of["hosts"]["n1"]["nodes"]
    of["hosts"] = {f"h{at:03}": {**made.plan()["hosts"]["n1"], "nodes": [{**node, "node": f"beam@h{at:03}"}]} for at in range(size)}
    return of


@pytest.mark.parametrize(("size", "scope"), [(13, Scope()), (70, Scope(pairs_max=10**6)), (70, Scope())])
def test_a_large_mesh_stays_readable(size: int, scope: Scope) -> None:
    def answer(probe: Probe) -> Answer | None:
        told = made.hardened(probe)
        lost = (probe.source, probe.target) == ("beam@h003", "beam@h004")
        return replace(told, code="filtered", tls=None) if lost else told

    verdict = evaluate(made.evidence(of=large(size), seen={}, answer=answer, outsiders=[], scope=scope))
    lines = reports.text(verdict)
    rows = [line.split() for line in lines[4:] if line.startswith("  beam@h") and len(line.split()) == 2 and "->" not in line]
    bad = [row for row in rows if "#" in row[1]]
    assert [row[0] for row in bad] == ["beam@h003"]
    assert bad[0][1].index("#") == 4
    assert len(rows) == (13 if size == 13 else 1)
    assert ("Coverage: " in "\n".join(lines)) is (not verdict.coverage.complete)
    data = reports.data(verdict, made.NOW)
    assert [(pair["from"], pair["to"], pair["code"]) for pair in data["matrix"]] == [("beam@h003", "beam@h004", "filtered")]
    assert data["coverage"]["complete"] is verdict.coverage.complete
    assert not data["all_listed"] and {outcome["result"] for outcome in data["attacks"]} == {"not_tested"}
    counts = {entry["node"]: entry for entry in data["counts"]}
    assert counts["beam@h004"]["connections"]["not_connected"] == 1
    assert counts["beam@h005"]["attacks"]["plaintext"]["refused"] == (3 if not verdict.coverage.complete else size - 1)


def test_the_report_of_96_nodes_stays_small() -> None:
    seen = {f"h{at:03}": made.host("n1") for at in range(96)}
    for scope in (Scope(), Scope(pairs_max=10**6)):
        verdict = evaluate(made.evidence(of=large(96), seen=seen, scope=scope))
        texts = [json.dumps(reports.data(verdict, made.NOW), indent=1), report_html.page(verdict, made.NOW), reports.junit(verdict, made.NOW)]
        sizes = list(map(len, texts))
        assert max(sizes) < 2_000_000, sizes


def test_what_one_cause_keeps_from_being_tested_is_one_line() -> None:
    def answer(probe: Probe) -> Answer:
        told = made.hardened(probe)
        return replace(told, code="reset", stage="tls", tls=None) if probe.attack is None and "beam@n2" in (probe.source, probe.target) else told

    told = evaluate(made.evidence(seen={**made.hosts(), "n3": {}}, answer=answer))
    lines = "\n".join(reports.text(told))
    assert "NOT TESTED  n3: 31 controls, because the host was not observed: epmd-listeners, " in lines
    assert "NOT TESTED  beam@n2: " in lines and "because mesh-connected fails: " in lines
    assert "n3: 31 controls not tested, because the host was not observed" in reports.failure(told)


def test_json_holds_everything_and_only_plain_data() -> None:
    told = verdict()
    data = json.loads(json.dumps(reports.data(told, made.NOW)))
    assert data["schema"] == 2
    assert data["when"] == "2026-11-18T11:06:40Z"
    assert data["result"] == "failed"
    assert len(data["matrix"]) == 6
    assert sum(data["summary"].values()) == len(data["findings"]) == len(told.findings)
    (lost,) = (pair for pair in data["matrix"] if pair["code"] != "connected")
    assert (lost["from"], lost["to"], lost["stage"]) == ("beam@n1", "beam@n2", "connect")
    assert all(pair["tls"]["peer"]["sans"] for pair in data["matrix"] if pair["code"] == "connected")
    assert {attack["result"] for attack in data["attacks"]} == {"refused", "succeeded", "not_tested"}
    waiver = {"control": "unit-sandbox", "host": "n1", "owner": "", "reason": "a device & a <driver>", "until": "2026-12-31", "status": None}
    assert data["waivers"] == [{**waiver, "used": True}]
    assert reports.data(verdict(good=True), made.NOW)["result"] == "passed"


def test_junit_counts_what_it_holds() -> None:
    told = verdict()
    root = ElementTree.fromstring(reports.junit(told, made.NOW).encode())
    cases = list(root.iter("testcase"))
    assert len(cases) == int(root.get("tests")) == len(told.findings)
    for kind, attribute, status in (("failure", "failures", "failed"), ("error", "errors", "not_tested"), ("skipped", "skipped", "waived")):
        found = [case for case in cases if case.find(kind) is not None]
        assert len(found) == int(root.get(attribute)) == sum(finding.status == status for finding in told.findings) > 0
    (lost,) = (case for case in cases if case.get("name") == "beam@n1 -> beam@n2")
    assert "closed at stage connect" in lost.find("failure").get("message")


class Reader(html.parser.HTMLParser):
    """Collects tags, and checks that they are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_needs_nothing_and_runs_nothing() -> None:
    page = report_html.page(verdict(), made.NOW)
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    assert "script" not in reader.seen
    assert not reader.links
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "beam@n1 -&gt; beam@n2" in page
    assert 'class="failed">failed' in page
    assert 'class="passed">passed' in report_html.page(verdict(good=True), made.NOW)


def test_the_failure_names_what_failed_and_is_short() -> None:
    text = reports.failure(verdict())
    assert "mesh-connected failed: beam@n1 -> beam@n2: closed at stage connect" in text
    assert "unit-sandbox not tested: beam@n3" in text
    assert "CVE" not in text
    assert "CVE-2026-89422 on n1" in reports.failure(verdict(fail_at="high"))
    assert reports.failure(verdict(), 2).endswith("more; the report has them all")

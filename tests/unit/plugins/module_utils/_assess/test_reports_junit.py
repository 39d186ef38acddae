# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit: what Jenkins' XSD requires of it (no schema of JUnit is common to all tools), and that it counts what it holds."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
import verdicts
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports import junit

# Element -> (required attributes, other attributes, elements in it), from the XSD of Jenkins' xUnit plugin.
COUNTS = frozenset({"tests", "failures", "errors", "skipped"})
ELEMENTS: dict[str, tuple[frozenset[str], frozenset[str], frozenset[str]]] = {
    "testsuites": (frozenset({"name"}), COUNTS, frozenset({"testsuite"})),
    "testsuite": (frozenset({"name", "tests"}), COUNTS | {"timestamp"}, frozenset({"testcase"})),
    "testcase": (frozenset({"name", "classname"}), frozenset({"time"}), frozenset({"failure", "error", "skipped"})),
    "failure": (frozenset(), frozenset({"type", "message"}), frozenset()),
    "error": (frozenset(), frozenset({"type", "message"}), frozenset()),
    "skipped": (frozenset(), frozenset({"message"}), frozenset()),
}


@pytest.mark.parametrize("kind", verdicts.KINDS)
def test_elements_and_attributes_are_those_of_the_schema(kind: str) -> None:
    root = ElementTree.fromstring(junit.text(verdicts.report(verdicts.KINDS[kind]())).encode())
    assert root.tag == "testsuites"
    for element in root.iter():
        required, other, inside = ELEMENTS[element.tag]
        assert required <= set(element.attrib) <= required | other
        assert {child.tag for child in element} <= inside
        assert element.tag != "testcase" or len(element) <= 1
        for attribute in COUNTS & set(element.attrib):
            assert element.attrib[attribute].isdigit()


def test_it_counts_what_it_holds() -> None:
    verdict = verdicts.failed()
    root = ElementTree.fromstring(junit.text(verdicts.report(verdict)).encode())
    cases = list(root.iter("testcase"))
    assert len(cases) == int(root.get("tests", "")) == len(verdict.findings)
    for kind, attribute, statuses in (
        ("failure", "failures", {"failed"}),
        ("error", "errors", {"not_tested"}),
        ("skipped", "skipped", {"waived", "not_applicable"}),
    ):
        found = [case for case in cases if case.find(kind) is not None]
        assert len(found) == int(root.get(attribute, "")) == sum(finding.status in statuses for finding in verdict.findings) > 0
    (lost,) = (case for case in cases if case.get("name") == "beam@n1 -> beam@n2")
    (failure,) = lost.findall("failure")
    assert "closed at stage connect" in failure.get("message", "")

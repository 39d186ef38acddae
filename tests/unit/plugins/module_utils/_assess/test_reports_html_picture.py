# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture: well-formed, with every node and link, and linear in the nodes."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest
import verdicts
import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.html_picture import LINKS_MAX, picture

SVG = "{http://www.w3.org/2000/svg}"


def drawn(verdict: verdicts.Verdict) -> ElementTree.Element:
    return ElementTree.fromstring(picture(verdicts.report(verdict)))


def classes(root: ElementTree.Element, name: str) -> Counter[str]:
    return Counter(element.get("class", "") for element in root.iter(SVG + name))


def texts(root: ElementTree.Element) -> set[str]:
    return {(element.text or "").strip() for element in root.iter(SVG + "text")}


def test_hosts_nodes_links_and_outsiders() -> None:
    root = drawn(verdicts.passed())
    assert {"n1", "n2", "n3", "beam@n1", "beam@n2", "beam@n3", "outsider", "TLS 1.3", "12 stopped: packets dropped"} <= texts(root)
    assert classes(root, "line") == {"link passed": 3, "link": 1}
    assert "All probed pairs connect as planned" in (root.findtext(SVG + "desc") or "")


def test_what_is_wrong_shows() -> None:
    root = drawn(verdicts.failed())
    assert classes(root, "line")["link failed"] == 1
    assert "closed" in texts(root)
    assert classes(root, "circle") == {"dot failed": 3}
    assert "No host attacked from outside" in texts(drawn(verdicts.untested()))


def test_an_outsider_that_got_in_goes_through_the_wall() -> None:
    def answer(probe: verdicts.Probe) -> verdicts.Answer:
        told = made.hardened(probe)
        return verdicts.replace(told, code="plaintext_on_tls", stage="tls") if probe.control == "outside-distribution-port" else told

    root = drawn(evaluate(made.evidence(answer=answer)))
    assert "6 of 12 got in" in texts(root)
    assert root.find(f"{SVG}polygon") is not None


def test_outsiders_without_room_are_counted_and_the_worst_are_shown() -> None:
    verdict = verdicts.passed()
    names = ("outsider", *(f"jump{number}" for number in range(6)))
    root = drawn(verdicts.replace(verdict, outsiders=names))
    assert {"jump0", "jump1", "jump2", "4 more", "3 not tested, 1 refused"} <= texts(root)
    assert "jump5: not tested." in (root.findtext(SVG + "desc") or "")


@pytest.mark.parametrize("size", [1, 2, 6, 7, LINKS_MAX])
def test_every_pair_is_a_line_while_there_are_few(size: int) -> None:
    root = drawn(verdicts.large(size))
    links = sum(count for kind, count in classes(root, "line").items() if "passed" in kind)
    assert links == size * (size - 1) // 2
    for element in root.iter(SVG + "circle"):
        assert 230 < float(element.get("cx", "")) < 1000


def test_many_nodes_are_tiles() -> None:
    sizes = {size: len(picture(verdicts.report(verdicts.large(size, answer=verdicts.lost_pair)))) for size in (60, 240)}
    assert sizes[240] < 4.1 * sizes[60]
    root = drawn(verdicts.large(60, answer=verdicts.lost_pair))
    tiles = {kind: count for kind, count in classes(root, "rect").items() if kind.startswith("tile")}
    assert sum(tiles.values()) == 60 and tiles["tile failed"] == 2
    assert len(list(root.iter(SVG + "line"))) == 1

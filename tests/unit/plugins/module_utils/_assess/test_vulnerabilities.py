# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases and packages against the CVEs that they are known to carry."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess import vulnerabilities
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import SEVERITIES


def carried(version: str, package: str = "") -> set[str]:
    return {known.cve for known in vulnerabilities.known_vulnerabilities(version, package)}


# The floors that OTP's own fixes make: nothing below them is clean, they are.
@pytest.mark.parametrize("version", ["27.3.4.18", "28.5.0.7", "29.1.1", "29.1.2", "30.0"])
def test_fixed_releases_carry_nothing(version: str) -> None:
    assert carried(version) == set()


@pytest.mark.parametrize(
    ("version", "cves"),
    [
        ("27.3.4.17", {"CVE-2026-65634", "CVE-2026-89422"}),
        ("28.5.0.6", {"CVE-2026-65634", "CVE-2026-89422"}),
        ("29.1", {"CVE-2026-65634", "CVE-2026-89422"}),
        ("29.0.5", {"CVE-2026-65634", "CVE-2026-75538", "CVE-2026-89422"}),
    ],
)
def test_releases_just_below_the_floor(version: str, cves: set[str]) -> None:
    assert carried(version) == cves


@pytest.mark.parametrize(
    ("cve", "affected", "unaffected"),
    [
        ("CVE-2022-37026", ["23.3.4.14", "24.3.4.1", "25.0.1"], ["23.3.4.15", "24.3.4.2", "25.0.2", "26.0"]),
        ("CVE-2024-53846", ["25.3.2.8", "26.2.5.5", "27.1.2"], ["25.2.3", "25.3.2.16", "26.1", "26.2.5.6", "27.1.3"]),
        ("CVE-2025-32433", ["24.3.4", "25.3.2.19", "26.2.5.10", "27.3.2"], ["25.3.2.20", "26.2.5.11", "27.3.3", "28.0"]),
        ("CVE-2026-28810", ["26.2.5.21", "27.3.4.9", "28.4.1"], ["27.3.4.10", "28.4.2", "29.0"]),
        ("CVE-2026-42789", ["25.3.2.21", "26.2.5.20", "27.3.4.11", "29.0"], ["26.2.5.21", "27.3.4.12", "29.0.1"]),
        ("CVE-2026-48860", ["26.0", "27.3.4.12", "28.5.0.1"], ["25.3.2.21", "27.3.4.13", "28.5.0.2", "29.0.2"]),
        ("CVE-2026-89422", ["22.2", "25.2.3", "27.3.4.17"], ["22.1", "27.3.4.18"]),
    ],
)
def test_ranges(cve: str, affected: list[str], unaffected: list[str]) -> None:
    assert {version: cve in carried(version) for version in affected + unaffected} == {
        **dict.fromkeys(affected, True),
        **dict.fromkeys(unaffected, False),
    }


def test_debian_13_mends_revision_by_revision() -> None:
    assert "CVE-2026-55953" in carried("27.3.4.1", "1:27.3.4.1+dfsg-1+deb13u2")
    assert carried("27.3.4.1", "1:27.3.4.1+dfsg-1+deb13u3") == {"CVE-2026-65634", "CVE-2026-75538", "CVE-2026-89422"}
    assert carried("27.3.4.1", "1:27.3.4.1+dfsg-1+deb13u4") == set()
    assert carried("27.3.4.1", "1:27.3.4.1+dfsg-1+deb13u12") == set()


def test_debian_12_has_none_of_2026() -> None:
    package = "1:25.2.3+dfsg-1+deb12u4"
    assert "CVE-2025-32433" not in carried("25.2.3", package)
    assert {cve for cve in carried("25.2.3") if cve.startswith("CVE-2026-")} <= carried("25.2.3", package)
    assert "CVE-2026-89422" in carried("25.2.3", package)


@pytest.mark.parametrize("package", ["", "1:27.3.4.1+dfsg-1", "1:25.2.3+dfsg-1+deb13u9", "esl-erlang 27.3.4.1"])
def test_a_package_that_says_nothing_mends_nothing(package: str) -> None:
    assert carried("27.3.4.1", package) == carried("27.3.4.1")


def test_fixed_in_is_the_way_up() -> None:
    by_cve = {known.cve: known for known in vulnerabilities.VULNERABILITIES}
    assert by_cve["CVE-2026-89422"].fixed_in("25.2.3") == "27.3.4.18"
    assert by_cve["CVE-2026-42789"].fixed_in("26.2.5") == "26.2.5.21"
    assert by_cve["CVE-2026-89422"].fixed_in("29.1.1") is None


@pytest.mark.parametrize(("text", "number"), [("27.3.4.1", (27, 3, 4, 1)), ("29.0-rc1", (29, 0)), ("27.3.4.1**", (27, 3, 4, 1))])
def test_version_numbers(text: str, number: tuple[int, ...]) -> None:
    assert vulnerabilities.parsed(text) == number


def test_no_version_is_an_error() -> None:
    with pytest.raises(ValueError, match="no OTP version"):
        vulnerabilities.known_vulnerabilities("R16B03")


def test_the_table_is_sound() -> None:
    names = [known.cve for known in vulnerabilities.VULNERABILITIES]
    assert names == sorted(set(names))
    for known in vulnerabilities.VULNERABILITIES:
        assert known.severity in SEVERITIES
        edges = [vulnerabilities.parsed(edge) for pair in known.ranges for edge in pair if edge]
        assert edges == sorted(edges), f"{known.cve}: ranges overlap"
    assert {cve for patches in vulnerabilities.DEBIAN_PATCHES.values() for cve in patches} <= set(names)

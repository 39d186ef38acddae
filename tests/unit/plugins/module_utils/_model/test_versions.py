# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of versions: of OTP by its own rule, of Debian packages against dpkg itself."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model import versions
from hypothesis import given
from hypothesis import strategies as st

# In ascending order; those in one tuple are the same version.
OTP = [
    ("R13A",),
    ("R13B03",),
    ("R16B03",),
    ("R16B03-1",),
    ("17.0-rc1",),
    ("17.0", "17"),
    ("25.3.2.8",),
    ("25.3.2.21", "25.3.2.21**"),
    ("26.0",),
    ("27.0-rc2",),
    ("27.0-rc10",),
    ("27.0",),
    ("27.3.4",),
    ("27.3.4.1",),
    ("27.3.4.2",),
    ("27.3.4.12",),
    ("27.3.4.12.1",),
    ("28.0-rc1", "28.0-rc.1", "28.0~rc1"),
    ("28.0",),
    ("28.5",),
    ("28.5.0.1",),
    ("28.5.1",),
    ("29.0",),
]
SEMVER = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.15.0-rc.0", "1.15.0", "1.18.5"]


def test_otp_versions_are_in_order() -> None:
    keys = [[versions.key(one) for one in same] for same in OTP]
    for same in keys:
        assert len(set(same)) == 1
    assert [same[0] for same in keys] == sorted(same[0] for same in keys)
    assert len({same[0] for same in keys}) == len(OTP)


def test_semantic_versions_are_in_order() -> None:
    assert sorted(random.Random(7).sample(SEMVER, len(SEMVER)), key=versions.key) == SEMVER


numbers = st.lists(st.integers(0, 40), min_size=1, max_size=6)


@given(numbers, numbers)
def test_numbers_compare_as_numbers(left: list[int], right: list[int]) -> None:
    one, other = versions.key(".".join(map(str, left))), versions.key(".".join(map(str, right)))
    longest = max(len(left), len(right))
    padded = [each + [0] * (longest - len(each)) for each in (left, right)]
    assert (one < other) == (padded[0] < padded[1])
    assert (one == other) == (padded[0] == padded[1])


@given(numbers, st.integers(1, 9))
def test_a_candidate_is_older_than_its_release_and_newer_than_what_is_older(parts: list[int], candidate: int) -> None:
    release = ".".join(map(str, parts))
    assert versions.key(f"{release}-rc{candidate}") < versions.key(release)
    assert versions.key(f"{release}-rc{candidate}") < versions.key(f"{release}-rc{candidate + 1}")
    assert versions.key(release) < versions.key(f"{release}.1")


@pytest.mark.parametrize("text", ["", "x", "1..2", "1.2-", "../27", "27.3.4.1; id", "1.2\n", "27 28", None, 27])
def test_what_is_no_version(text: object) -> None:
    assert not versions.is_version(text)
    if isinstance(text, str):
        with pytest.raises(ValueError, match="no version"):
            versions.key(text)


@pytest.mark.parametrize(
    ("fixed", "following"), [("27.3.4.1", "27.3.5"), ("26.2.5.21", "26.2.6"), ("28.5.0.1", "28.5.1"), ("27.3.4.12.1", "27.3.4.13")]
)
def test_a_branch_ends_where_its_base_goes_on(fixed: str, following: str) -> None:
    assert versions.next_line(fixed) == following
    with pytest.raises(ValueError, match="no branch"):
        versions.next_line("27.3.4")


@pytest.mark.parametrize(
    ("package", "upstream"),
    [
        ("1:27.3.4.1+dfsg-1+deb13u4", "27.3.4.1"),
        ("1:27.0~rc3+dfsg-4", "27.0~rc3"),
        ("1:27.3.4.6-1", "27.3.4.6"),
        ("25.2.3+dfsg-1", "25.2.3"),
        ("1.14.0.dfsg-2", "1.14.0"),
        ("1.20.4+dfsg-1", "1.20.4"),
        ("3.10.8-1.1+deb12u1", "3.10.8"),
        ("24.12-3+deb13u2", "24.12"),
        ("1:25.3.2.8+dfsg-1ubuntu4.4", "25.3.2.8"),
        ("~", None),
        ("", None),
    ],
)
def test_upstream(package: str, upstream: str | None) -> None:
    assert versions.upstream(package) == upstream


U3, U4, U12 = (f"1:27.3.4.1+dfsg-1+deb13u{number}" for number in (3, 4, 12))


@pytest.mark.parametrize(
    ("package", "fixed", "has"),
    [
        (U3, U3, True),
        (U4, U3, True),
        (U12, U3, True),
        (U3, U4, False),
        # Another line of uploads, newer or not, was not made from it.
        ("1:27.3.4.1+dfsg-2", U4, False),
        ("1:27.3.4.1+dfsg-1+deb14u9", U4, False),
        ("1:27.3.4.1+dfsg-1", U3, False),
        ("1:28.0+dfsg-1", U3, False),
        ("1:25.2.3+dfsg-1+deb13u9", U3, False),
        # An upload to unstable is in all that was made from it.
        ("1:27.3.4.1+dfsg-1+deb13u1", "1:27.3.4.1+dfsg-1", True),
        ("1:27.3.4.1+dfsg-1~bpo12+1", "1:27.3.4.1+dfsg-1", True),
        ("4.0.5-6+deb13u2", "4.0.5-9", False),
        ("1:25.3.2.8+dfsg-1ubuntu4.4", "1:25.3.2.8+dfsg-1ubuntu4.3", True),
        ("1:25.3.2.8+dfsg-1ubuntu5.1", "1:25.3.2.8+dfsg-1ubuntu4.3", False),
    ],
)
def test_what_a_package_has(package: str, fixed: str, has: bool) -> None:
    assert versions.contains(package, fixed) is has


# Of current packages, of backports, of the corners that deb-version(7) names.
DEBIAN = [
    U3, U4, U12, "1:27.3.4.1+dfsg-1", "1:27.3.4.1+dfsg-2", "1:27.0~rc3+dfsg-4", "1:27.0+dfsg-1", "1:27.3.4.1+dfsg-1~bpo12+1",
    "1:25.2.3+dfsg-1+deb12u4", "1:29.1.1+dfsg-1", "3.10.8-1.1+deb12u1", "3.10.8-1.1", "4.0.5-6+deb13u2", "4.0.5-9", "4.3.6-1", "24.12-3+deb13u2",
    "26.07-1", "1.14.0.dfsg-2", "1.20.4+dfsg-1", "1:25.3.2.8+dfsg-1ubuntu4.4", "0", "0-0", "00", "1.0", "1.00", "1.0a", "1.0+", "1.0~", "1.0~~",
    "1.0~~a", "1.0-0", "1.0.0", "1.a", "1.0-1~", "1.0-1+b1", "1:0", "0:1.0",
]  # fmt: skip


@pytest.mark.skipif(not shutil.which("dpkg"), reason="needs dpkg")
def test_debian_versions_compare_as_dpkg_says() -> None:
    chance = random.Random(20261126)
    made = [f"0{''.join(chance.choice('0123~+.ab') for _number in range(chance.randint(1, 8)))}" for _number in range(24)]
    pairs = list(itertools.product(DEBIAN + made, repeat=2))
    script = "\n".join(f"dpkg --compare-versions '{left}' lt '{right}' && echo 1 || echo 0" for left, right in pairs)
    answers = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True).stdout.split()
    assert len(answers) == len(pairs) > 3000
    ours = [versions.DebianVersion(left) < versions.DebianVersion(right) for left, right in pairs]
    assert [pair for pair, own, theirs in zip(pairs, ours, answers) if own != (theirs == "1")] == []

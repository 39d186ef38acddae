# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of versions: of OTP and its applications, of semantic versions, and of Debian packages. Pure.

Private to this collection.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest

_VERSION = re.compile(r"v?(?P<numbers>\d+(?:\.\d+)*)(?:[-~](?P<candidate>[0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\**")
# Before OTP 17: R16B03, R16B03-1, R13A.
_OLD = re.compile(r"R(?P<release>\d+)(?P<stage>[AB])(?P<service>\d*)(?:-(?P<patch>\d+))?")
# What Debian appends to an upstream version whose source it had to change.
_REPACKED = re.compile(r"[.+~](?:dfsg|ds|repack)(?:[.\d]*)$")
_PARTS = re.compile(r"(\D*)(\d*)")
# The stable update of a Debian release, the update of an Ubuntu release; its last number counts the uploads to that release.
_UPDATE = re.compile(r"(?P<line>.*(?:[+~]deb\d+u|ubuntu(?:\d+\.)+))(?P<number>\d+)")
_BACKPORT = re.compile(r"~bpo\d+\+\d+$")

Key = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]


@lru_cache(maxsize=4096)
def key(version: str) -> Key:
    """A sort key: `28.0-rc1` < `28.0` = `28` < `28.0.1` < `28.0.1.1` < `28.0.2`. Patch marks (`27.3.4.1**`) and build metadata are ignored.

    Raises ValueError where `version` is none.
    """
    old = _OLD.fullmatch(version)
    if old:
        numbers = (0, int(old["release"]), "AB".index(old["stage"]), int(old["service"] or 0), int(old["patch"] or 0))
        return (numbers, 1, ())
    found = _VERSION.fullmatch(version)
    if not found:
        raise ValueError(f"no version: {version!r}")
    numbers_found = [int(number) for number in found["numbers"].split(".")]
    while numbers_found and not numbers_found[-1]:
        numbers_found.pop()
    candidate = found["candidate"]
    if candidate is None:
        return (tuple(numbers_found), 1, ())
    words = re.findall(r"\d+|[A-Za-z]+", candidate)
    return (tuple(numbers_found), 0, tuple((0, int(word), "") if word.isdigit() else (1, 0, word) for word in words))


def is_version(text: object) -> bool:
    """Whether `key` understands it."""
    return isinstance(text, str) and bool(_OLD.fullmatch(text) or _VERSION.fullmatch(text))


def next_line(fixed: str) -> str:
    """The first version that does not contain a fix released as `fixed`, and sorts after it.

    An OTP version with more than three numbers is a branch of the version in front of its last number (OTP, "Order of Versions"): 27.3.4.1 is in
    27.3.4.2 and in nothing from 27.3.5 on. Raises ValueError where `fixed` has three numbers or fewer: everything after it contains it.
    """
    numbers = fixed.split(".")
    if len(numbers) < 4:
        raise ValueError(f"{fixed} is no branch")
    return ".".join([*numbers[:-2], str(int(numbers[-2]) + 1)])


def upstream(package: str) -> str | None:
    """The upstream version in that of a Debian package: 27.3.4.1 of `1:27.3.4.1+dfsg-1+deb13u4`. None where there is none to be seen."""
    version = package.partition(":")[2] or package
    version = version.rpartition("-")[0] or version
    version = _REPACKED.sub("", version)
    return version if is_version(version) else None


def contains(package: str, fixed: str) -> bool:
    """Whether a Debian package has a patch that came with version `fixed` of it, by the versions alone.

    It has where both are of one upstream version and one line of uploads, and `package` is not older. An update of one Debian release says nothing
    of another: 1:27.3.4.1+dfsg-2 is newer than 1:27.3.4.1+dfsg-1+deb13u4, and was not made from it.
    """
    package = _BACKPORT.sub("", package)
    return DebianVersion(package) >= DebianVersion(fixed) and same_line(package, fixed)


def same_line(package: str, fixed: str) -> bool:
    """Whether a later upload of the line of `package` may be, or was, made from `fixed`."""
    if upstream(package) != upstream(fixed):
        return False
    line = _UPDATE.fullmatch(fixed)
    return line is None or package == fixed or package.startswith(line["line"])


class DebianVersion:
    """A version as deb-version(7) orders them."""

    def __init__(self, text: str) -> None:
        epoch, colon, rest = text.partition(":")
        if not (colon and epoch.isdigit()):
            epoch, rest = "0", text
        main, dash, revision = rest.rpartition("-")
        self._parts = ((int(epoch),), _sortable(main if dash else rest), _sortable(revision if dash else ""))

    def __ge__(self, other: DebianVersion) -> bool:
        return not self < other

    def __lt__(self, other: DebianVersion) -> bool:
        for own, others in zip(self._parts, other._parts):
            for left, right in zip_longest(own, others, fillvalue=0):
                if left != right:
                    return left < right
        return False


def _sortable(text: str) -> tuple[int, ...]:
    """Numbers that compare as the text does, with zeros after the end: those of the characters, a zero, the number that follows, and so on."""
    found: list[int] = []
    for characters, number in _PARTS.findall(text):
        found += [*map(_weight, characters), 0, int(number or 0)]
    return tuple(found)


def _weight(character: str) -> int:
    """The sign "~" sorts before the end of the text, letters before all other characters."""
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of known vulnerabilities: what is in it, and its two files.

Private to this collection, pure. derive_advisories.py makes the first file from published records; the second one is written by hand, for what no
record has. Both have the shape of Table.as_dict(). docs/advisories.md describes it for operators.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .._model import versions
from .._model.problems import shown
from .controls import SEVERITIES

SCHEMA = 1
ID = re.compile(r"CVE-\d{4}-\d{4,}|[a-z][a-z0-9]*-[0-9.]+-[a-z0-9-]+")
"""A CVE, or for what has none: product, release that fixes it, and a word."""

OTP = "otp"
"""The package name of a whole OTP release. Any other is that of an application of OTP, or of a product."""

Range = tuple[str, "str | None"]
"""First affected version, and the first one after it that is not (None: none is known)."""


class TableError(ValueError):
    """What is wrong with a table: one sentence, with the place in the file."""


@dataclass(frozen=True)
class Known:
    """One vulnerability. affected: ranges in ascending order, by package name."""

    id: str
    title: str
    severity: str
    url: str
    affected: Mapping[str, tuple[Range, ...]]

    def affects(self, package: str, version: str) -> bool:
        """Whether a version as its authors released it is affected. False for a package that the record does not name."""
        return any(_within(version, each) for each in self.affected.get(package, ()))

    def fixed_in(self, package: str, version: str) -> str | None:
        """The first fixed version that is an upgrade of `version`. None where it is not affected, or nothing fixes it."""
        return next((each[1] for each in self.affected.get(package, ()) if _within(version, each)), None)


def _within(version: str, each: Range) -> bool:
    number = versions.key(version)
    return versions.key(each[0]) <= number and (each[1] is None or number < versions.key(each[1]))


@dataclass(frozen=True)
class Source:
    """Where records of a table come from. date: the day whose state they are."""

    name: str
    date: datetime.date
    url: str
    licence: str


@dataclass(frozen=True)
class Table:
    """All that is known. date: the day whose state it is, that of its oldest source.

    patches: Debian source package -> vulnerability -> versions of the package that first had a fix of their own. not_affected: vulnerability ->
    package name -> versions that their authors call not affected (OpenVEX), whatever the ranges say.
    """

    date: datetime.date
    sources: tuple[Source, ...]
    known: Mapping[str, Known]
    patches: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    not_affected: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    def patched(self, source: str, package: str, vulnerability: str) -> bool:
        """Whether version `package` of a Debian source package has a fix that its upstream version does not have."""
        return any(versions.contains(package, fixed) for fixed in self.patches.get(source, {}).get(vulnerability, ()))

    def excepted(self, vulnerability: str, package: str, version: str) -> bool:
        return version in self.not_affected.get(vulnerability, {}).get(package, ())

    def age(self, today: datetime.date) -> int:
        """Days."""
        return (today - self.date).days

    def with_others(self, hand: Table) -> Table:
        """With what is written by hand and no feed has: a record of a feed wins."""
        patches: dict[str, dict[str, tuple[str, ...]]] = {source: dict(own) for source, own in self.patches.items()}
        for source, own in hand.patches.items():
            mine = patches.setdefault(source, {})
            for vulnerability, fixed in own.items():
                mine[vulnerability] = tuple(dict.fromkeys((*mine.get(vulnerability, ()), *fixed)))
        both = {**hand.known, **self.known}
        return Table(
            date=self.date,
            sources=(*self.sources, *hand.sources),
            known={name: both[name] for name in sorted(both, key=id_key)},
            patches=patches,
            not_affected={**hand.not_affected, **self.not_affected},
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "schema": SCHEMA,
            "date": self.date.isoformat(),
            "sources": [{"name": one.name, "date": one.date.isoformat(), "url": one.url, "licence": one.licence} for one in self.sources],
            "vulnerabilities": {
                one.id: {
                    "severity": one.severity,
                    "title": one.title,
                    "affected": {name: [list(each) for each in ranges] for name, ranges in sorted(one.affected.items())},
                    "url": one.url,
                }
                for one in sorted(self.known.values(), key=lambda one: id_key(one.id))
            },
            "patches": {source: {name: list(own[name]) for name in sorted(own, key=id_key)} for source, own in sorted(self.patches.items())},
            "not_affected": {
                name: {package: sorted(found, key=versions.key) for package, found in sorted(own.items())}
                for name, own in sorted(self.not_affected.items(), key=lambda one: id_key(one[0]))
            },
        }

    @classmethod
    def parse(cls, raw: object) -> Table:
        """From JSON. Raises TableError at the first thing that is wrong."""
        top = _mapping(raw, "the table")
        if top.get("schema") != SCHEMA:
            raise TableError(f"schema is {shown(top.get('schema'))}, and this version of the collection reads {SCHEMA}")
        known = {name: _known(name, one) for name, one in _mapping(top.get("vulnerabilities"), "vulnerabilities").items()}
        if not known:
            raise TableError("vulnerabilities is empty")
        return cls(
            date=_date(top.get("date"), "date"),
            sources=tuple(_source(one, f"sources[{at}]") for at, one in enumerate(_list(top.get("sources"), "sources"))),
            known=known,
            patches={
                source: {_id(name, "patches"): tuple(_texts(fixed, f"patches.{source}.{name}")) for name, fixed in _mapping(own, source).items()}
                for source, own in _mapping(top.get("patches", {}), "patches").items()
            },
            not_affected={
                _id(name, "not_affected"): {
                    package: frozenset(_version(one, f"not_affected.{name}.{package}") for one in _list(found, f"not_affected.{name}.{package}"))
                    for package, found in _mapping(own, f"not_affected.{name}").items()
                }
                for name, own in _mapping(top.get("not_affected", {}), "not_affected").items()
            },
        )


def id_key(name: str) -> tuple[str, ...]:
    """CVEs by year and number."""
    return tuple(part.zfill(8) if part.isdigit() else part for part in name.split("-"))


def _known(name: str, raw: object) -> Known:
    own = _mapping(raw, _id(name, "vulnerabilities"))
    severity = own.get("severity")
    if severity not in SEVERITIES:
        raise TableError(f"{name}: severity is {shown(severity)}, not one of {', '.join(SEVERITIES)}")
    affected = {package: _ranges(found, f"{name}: {package}") for package, found in _mapping(own.get("affected"), f"{name}: affected").items()}
    if not affected:
        raise TableError(f"{name}: affected is empty")
    return Known(name, _text(own.get("title"), f"{name}: title"), str(severity), _text(own.get("url"), f"{name}: url"), affected)


def _ranges(raw: object, where: str) -> tuple[Range, ...]:
    found: list[Range] = []
    for one in _list(raw, where):
        pair = _list(one, where)
        if len(pair) != 2:
            raise TableError(f"{where}: {shown(one)} is not a pair of versions")
        first, fixed = _version(pair[0], where), None if pair[1] is None else _version(pair[1], where)
        if fixed is not None and versions.key(fixed) <= versions.key(first):
            raise TableError(f"{where}: {fixed} does not come after {first}")
        if found and (found[-1][1] is None or versions.key(first) < versions.key(found[-1][1])):
            raise TableError(f"{where}: the range from {first} is not in ascending order")
        found.append((first, fixed))
    if not found:
        raise TableError(f"{where}: there is no range")
    return tuple(found)


def _source(raw: object, where: str) -> Source:
    own = _mapping(raw, where)
    name, url, licence = (_text(own.get(part), f"{where}.{part}") for part in ("name", "url", "licence"))
    return Source(name, _date(own.get("date"), f"{where}.date"), url, licence)


def _mapping(raw: object, where: str) -> Mapping[str, object]:
    if not isinstance(raw, Mapping):
        raise TableError(f"{where} is not an object")
    return raw


def _list(raw: object, where: str) -> list[Any]:
    if not isinstance(raw, list):
        raise TableError(f"{where} is not a list")
    return raw


def _text(raw: object, where: str) -> str:
    if not isinstance(raw, str) or not raw.strip() or not raw.isprintable():
        raise TableError(f"{where} is not a printable text")
    return raw


def _texts(raw: object, where: str) -> Iterable[str]:
    return (_text(one, where) for one in _list(raw, where))


def _id(name: object, where: str) -> str:
    if not isinstance(name, str) or not ID.fullmatch(name):
        raise TableError(f"{where}: {shown(name)} is not a CVE")
    return name


def _version(raw: object, where: str) -> str:
    if not isinstance(raw, str) or not versions.is_version(raw):
        raise TableError(f"{where}: {shown(raw)} is not a version")
    return raw


def _date(raw: object, where: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(raw if isinstance(raw, str) else "")
    except ValueError:
        raise TableError(f"{where} is {shown(raw)}, not a date (YYYY-MM-DD)") from None

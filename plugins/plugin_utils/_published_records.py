# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published records as values: CVE JSON 5, OSV, OpenVEX and Debian changelogs.

Private to this collection, pure; derive_vulnerability_table.py reads the files. Each reader takes one document and raises FeedError where it has
another shape than its format says. What a record says of packages that no host reports is left out.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerability_table import OTP, Range, Vulnerability
from ansible_collections.beam.cluster.plugins.module_utils._model import applications, versions

REPORTED = frozenset({OTP, *applications.OTP, *applications.PRODUCTS.values()})
"""Package names that a host's versions can be compared with."""


class FeedError(ValueError):
    """What is wrong with a record."""


@dataclass(frozen=True)
class Record:
    """What one document says. withdrawn: identifiers that are no vulnerabilities any more. patches, not_affected: as in VulnerabilityTable."""

    kind: str
    date: datetime.date
    known: tuple[Vulnerability, ...] = ()
    withdrawn: tuple[str, ...] = ()
    patches: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    not_affected: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)


def read_json(raw: object) -> Record | None:
    """A record of any of the JSON formats, None for a document of another kind."""
    if not isinstance(raw, Mapping):
        return None
    try:
        if raw.get("dataType") == "CVE_RECORD":
            return read_cve(raw)
        if "openvex.dev" in str(raw.get("@context")):
            return read_openvex(raw)
        if isinstance(raw.get("id"), str) and isinstance(raw.get("affected"), list):
            return read_osv(raw)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise FeedError(f"the record has another shape than its format: {error!r}") from error
    return None


# -- CVE JSON 5 --------------------------------------------------------------------------------------------------------------------------------


def read_cve(raw: Mapping[str, Any]) -> Record:
    """A CVE record. Its schema: https://github.com/CVEProject/cve-schema."""
    meta = raw["cveMetadata"]
    name, date = meta["cveId"], _day(meta.get("dateUpdated") or meta.get("datePublished"))
    kind = f"CVE {meta.get('assignerShortName') or ''}".strip()
    if meta["state"] != "PUBLISHED":
        return Record(kind, date, withdrawn=(name,))
    cna = raw["containers"]["cna"]
    affected: dict[str, list[Range]] = {}
    for one in cna["affected"]:
        package = _cve_package(one)
        if package in REPORTED:
            affected.setdefault(package, []).extend(_cve_ranges(one))
    ranges = {package: _merged(found) for package, found in affected.items() if found}
    if not ranges:
        return Record(kind, date)
    descriptions = [one["value"] for one in cna.get("descriptions") or () if str(one.get("lang", "")).startswith("en")]
    title = _title(cna.get("title"), descriptions)
    return Record(kind, date, (Vulnerability(name, title, _cve_severity(cna), _cve_url(name, cna), ranges),))


_GITHUB = {"erlang/otp": OTP, "elixir-lang/elixir": "elixir", "rabbitmq/rabbitmq-server": "rabbitmq", "apache/couchdb": "couchdb"}
_SEMVER_TEXT = re.compile(r"(?:(>=|>|<=|<|=)\s*)?v?(\d[0-9A-Za-z.+-]*)")


def _cve_package(one: Mapping[str, Any]) -> str:
    found = re.match(r"pkg:([a-z-]+)/([^?@]+)", str(one.get("packageURL") or ""))
    if found:
        kind, name = found.group(1), found.group(2)
        if kind == "software-id":
            return OTP if name == "erlang.org/otp" else ""
        if kind in ("github", "githubactions"):
            return _GITHUB.get(name.lower(), "")
        return name.rpartition("/")[2] if kind in ("otp", "hex", "bitnami") else ""
    product = str(one.get("product") or "").lower()
    named = {"rabbitmq-server": "rabbitmq", "rabbitmq": "rabbitmq", "apache couchdb": "couchdb", "couchdb": "couchdb", "otp": OTP}
    return named.get(product, product)


def _cve_ranges(one: Mapping[str, Any]) -> Iterator[Range]:
    entries = [entry for entry in one.get("versions") or () if entry.get("versionType") != "git"]
    affected = [entry for entry in entries if entry["status"] == "affected"]
    # Then the versions that no entry names are affected, too: those before the first.
    everything = one.get("defaultStatus") == "affected" and bool(affected)
    for number, entry in enumerate(sorted(affected, key=lambda entry: versions.key(_first(str(entry["version"]))))):
        yield from _entry_ranges(entry, "0" if everything and not number else None)


def _first(text: str) -> str:
    """The version that an entry begins with; GitHub writes a condition in its place."""
    if versions.is_version(text):
        return text
    for sign, version in _SEMVER_TEXT.findall(text):
        if sign in (">=", ">", "="):
            return str(version)
    return "0"


def _entry_ranges(entry: Mapping[str, Any], first: str | None) -> Iterator[Range]:
    text = str(entry["version"])
    start = first or _first(text)
    end = entry.get("lessThan")
    if entry.get("lessThanOrEqual") not in (None, "*"):
        end = _after(str(entry["lessThanOrEqual"]))
    if not versions.is_version(text) and text not in ("*", "0"):
        below = [(sign, version) for sign, version in _SEMVER_TEXT.findall(text) if sign.startswith("<")]
        end = next((version if sign == "<" else _after(version) for sign, version in below), end)
    elif end is None and entry.get("lessThanOrEqual") is None and not entry.get("changes"):
        # One version and no other.
        end = _after(start)
    limit = None if end in (None, "*") else str(end)
    fixes = sorted((str(one["at"]) for one in entry.get("changes") or () if one["status"] == "unaffected"), key=versions.key)
    again = [str(one["at"]) for one in entry.get("changes") or () if one["status"] == "affected"]
    yield from _lines(start, [*fixes, *([limit] if limit else [])])
    for at in again:
        yield from _lines(at, [fix for fix in fixes if versions.key(fix) > versions.key(at)])


def _lines(start: str, fixes: Sequence[str]) -> Iterator[Range]:
    """One range for each release line. A fix on a branch ends its own line only; the next range begins after the branch."""
    if not fixes:
        yield (start, None)
        return
    for number, fix in enumerate(fixes):
        if versions.key(start) < versions.key(fix):
            yield (start, fix)
        if number + 1 == len(fixes):
            return
        if fix.count(".") >= 3:
            start = versions.next_line(fix)
        elif versions.key(fix)[0][:1] != versions.key(fixes[number + 1])[0][:1]:
            # The next major release was branched off before the fix.
            start = f"{fixes[number + 1].partition('.')[0]}.0-rc0"
        else:
            return


def _after(version: str) -> str:
    """What sorts right after a version that is the last affected one: the fixed one is not named."""
    return f"{version}.0.0.0.1"


def _cve_severity(cna: Mapping[str, Any]) -> str:
    scores = [(value.get("baseScore", 0), str(value.get("baseSeverity") or "")) for one in cna.get("metrics") or () for value in _scores(one)]
    return _severity(max(scores, default=(0, ""))[1])


def _scores(metric: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (value for key, value in metric.items() if key.startswith("cvss") and isinstance(value, Mapping))


def _severity(word: str) -> str:
    """A record without a score counts as medium: nobody said that it is harmless."""
    known = {"none": "info", "info": "info", "low": "low", "moderate": "medium", "medium": "medium", "high": "high", "critical": "critical"}
    return known.get(word.lower(), "medium")


def _cve_url(name: str, cna: Mapping[str, Any]) -> str:
    urls = [str(one["url"]) for one in cna.get("references") or ()]
    own = [url for url in urls if "cna.erlef.org" in url]
    vendor = [str(one["url"]) for one in cna.get("references") or () if "vendor-advisory" in (one.get("tags") or ())]
    return next(iter((*own, *vendor)), f"https://www.cve.org/CVERecord?id={name}")


def _title(title: object, texts: Iterable[str]) -> str:
    """One printable line."""
    text = " ".join(str(title or next(iter(texts), "") or "no title").split())
    if not title and len(text) > 120:
        text = text[:120].rpartition(" ")[0] + " ..."
    return "".join(one if one.isprintable() else "?" for one in text)


def _day(text: object) -> datetime.date:
    try:
        return datetime.date.fromisoformat(str(text)[:10])
    except ValueError:
        raise FeedError(f"{text!r} is not a date") from None


def _merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """In ascending order, without overlap."""
    ordered = sorted(ranges, key=lambda one: (versions.key(one[0]), one[1] is None, versions.key(one[1] or "0")))
    found: list[Range] = []
    for first, fixed in ordered:
        if found and (found[-1][1] is None or versions.key(first) < versions.key(found[-1][1])):
            begun, end = found[-1]
            longer = fixed is None or (end is not None and versions.key(fixed) > versions.key(end))
            found[-1] = (begun, None if end is None else fixed if longer else end)
        else:
            found.append((first, fixed))
    return tuple(found)


# -- OSV ---------------------------------------------------------------------------------------------------------------------------------------

_OSV_NAMES = {"erlang": OTP, "rabbitmq-server": "rabbitmq"}


def read_osv(raw: Mapping[str, Any]) -> Record:
    """An OSV record (https://ossf.github.io/osv-schema/): of Bitnami or Hex the versions of a product, of Debian those of a source package."""
    date = _day(raw.get("modified") or raw.get("published"))
    names = [one for one in (raw["id"], *(raw.get("aliases") or ()), *(raw.get("upstream") or ())) if str(one).startswith("CVE-")]
    debian = any(str((one.get("package") or {}).get("ecosystem") or "").startswith("Debian") for one in raw["affected"])
    kind = "OSV Debian" if debian else f"OSV {str(raw['id']).partition('-')[0]}"
    if not names:
        return Record(kind, date)
    if raw.get("withdrawn"):
        return Record(kind, date, withdrawn=() if debian else (names[0],))
    affected: dict[str, list[Range]] = {}
    patches: dict[str, dict[str, tuple[str, ...]]] = {}
    for one in raw["affected"]:
        package = one.get("package") or {}
        ecosystem, name = str(package.get("ecosystem") or ""), str(package.get("name") or "")
        if ecosystem.startswith("Debian"):
            fixed = tuple(dict.fromkeys(str(event["fixed"]) for event in _events(one) if event.get("fixed")))
            if fixed and name in _SOURCES:
                own = patches.setdefault(name, {})
                own[names[0]] = tuple(dict.fromkeys((*own.get(names[0], ()), *fixed)))
            continue
        name = _OSV_NAMES.get(name, name)
        if name in REPORTED:
            affected.setdefault(name, []).extend(_osv_ranges(one))
    ranges = {package: _merged(found) for package, found in affected.items() if found}
    if not ranges:
        return Record(kind, date, patches=patches)
    severity = _severity(str((raw.get("database_specific") or {}).get("severity") or ""))
    url = next((one["url"] for one in raw.get("references") or () if "nvd.nist.gov" not in one["url"]), f"https://osv.dev/vulnerability/{raw['id']}")
    title = _title(raw.get("summary"), [str(raw.get("details") or "")])
    return Record(kind, date, (Vulnerability(names[0], title, severity, url, ranges),), patches=patches)


def _events(one: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in one.get("ranges") or ():
        if each.get("type") != "GIT":
            yield from each["events"]


def _osv_ranges(one: Mapping[str, Any]) -> Iterator[Range]:
    start: str | None = None
    for event in _events(one):
        if "introduced" in event:
            if start is not None:
                yield (start, None)
            start = str(event["introduced"])
        elif start is not None and ("fixed" in event or "last_affected" in event):
            yield (start, str(event["fixed"]) if "fixed" in event else _after(str(event["last_affected"])))
            start = None
    if start is not None:
        yield (start, None)


# -- OpenVEX -----------------------------------------------------------------------------------------------------------------------------------


_PRODUCT = re.compile(r"pkg:(github/erlang/otp|otp/([a-z0-9_]+))@(?:OTP-)?([^?]+)(?:\?.*)?")


def read_openvex(raw: Mapping[str, Any]) -> Record:
    """What OTP's authors say of their releases (https://github.com/openvex/spec): versions that are not affected, or fixed. The last word counts."""
    said: dict[tuple[str, str, str], str] = {}
    for statement in sorted(raw["statements"], key=lambda one: str(one.get("last_updated") or one.get("timestamp") or "")):
        vulnerability = statement["vulnerability"]
        name = str(vulnerability["name"] if isinstance(vulnerability, Mapping) else vulnerability)
        for product in statement.get("products") or ():
            found = _PRODUCT.fullmatch(str(product["@id"] if isinstance(product, Mapping) else product))
            if found and name.startswith("CVE-") and versions.is_version(found.group(3)):
                said[(name, found.group(2) or OTP, found.group(3))] = str(statement["status"])
    excepted: dict[str, dict[str, set[str]]] = {}
    for (name, package, version), status in said.items():
        if status in ("not_affected", "fixed"):
            excepted.setdefault(name, {}).setdefault(package, set()).add(version)
    frozen = {name: {package: frozenset(found) for package, found in own.items()} for name, own in excepted.items()}
    return Record("OpenVEX", _day(raw.get("last_updated") or raw.get("timestamp")), not_affected=frozen)


# -- Debian changelogs ---------------------------------------------------------------------------------------------------------------------------

_SOURCES = frozenset({"couchdb", "ejabberd", "elixir-lang", "erlang", "rabbitmq-server"})
_HEAD = re.compile(r"(?P<source>[a-z0-9][a-z0-9+.-]*) \((?P<version>[^()\s]+)\) [^;]+;.*")
_ITEM = re.compile(r"\s+[*+-] ")
_NO_FIX = re.compile(r"\b(?:removed?|drop(?:ped)?|revert(?:ed)?|disabled?|not affected|not vulnerable|incomplete|regression)\b", re.IGNORECASE)
_CVE = re.compile(r"CVE-\d{4}-\d{4,}")


def is_changelog(text: str) -> bool:
    found = _HEAD.fullmatch(text.partition("\n")[0].strip())
    return found is not None and found["source"] in _SOURCES


def read_changelog(text: str) -> Record:
    """What deb-changelog(5) says was fixed, and in which version. An item that drops or reverts a patch fixes nothing."""
    patches: dict[str, dict[str, tuple[str, ...]]] = {}
    dates = []
    head: re.Match[str] | None = None
    item: list[str] = []

    def close() -> None:
        words = " ".join(item)
        item.clear()
        if head is None or _NO_FIX.search(words):
            return
        own = patches.setdefault(head["source"], {})
        for name in _CVE.findall(words):
            own[name] = tuple(dict.fromkeys((*own.get(name, ()), head["version"])))

    for line in text.splitlines():
        found = _HEAD.fullmatch(line.rstrip())
        if found or line.startswith(" -- ") or _ITEM.match(line) or not line.strip():
            close()
        if found:
            head = found
        elif line.startswith(" -- "):
            dates.append(parsedate_to_datetime(line.rpartition(">")[2].strip()).date())
        else:
            item.append(line.strip())
    close()
    if not dates:
        raise FeedError("the changelog has no dated entry")
    return Record("Debian changelog", max(dates), patches=patches)


__all__ = ("REPORTED", "FeedError", "Record", "is_changelog", "read_changelog", "read_json")

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a table of known vulnerabilities from a folder of published records; docs/advisories.md says where to get them.

    derive_advisories.py FOLDER --output advisories.json [--as-of YYYY-MM-DD] [--base advisories.json]

Reads every file below FOLDER: CVE JSON 5, OSV and OpenVEX (*.json), changelogs of Debian packages (changelog*, *.changelog, also *.gz). Other files
are left out and counted. A record replaces the one of the same CVE in the base table, which by default is that of this collection.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

if __name__ == "__main__":
    # Run as a file: the folder above ansible_collections, links not followed.
    sys.path.insert(0, os.path.abspath(__file__).rsplit("/ansible_collections/", 1)[0])

from ansible_collections.beam.cluster.plugins.module_utils._assess.advisory_table import OTP, Known, Source, Table, TableError
from ansible_collections.beam.cluster.plugins.module_utils._model import versions
from ansible_collections.beam.cluster.plugins.plugin_utils import _advisories, _published_records

ORIGINS = {
    "CVE EEF": ("Erlang Ecosystem Foundation CNA", "https://cna.erlef.org", "CC-BY-4.0"),
    "CVE": ("CVE Program", "https://www.cve.org", "CVE Program Terms of Use"),
    "OSV BIT": ("Bitnami Vulnerability Database", "https://github.com/bitnami/vulndb", "Apache-2.0"),
    "OSV Debian": ("Debian Security Tracker, as OSV", "https://osv.dev/list?q=erlang&ecosystem=Debian", "MIT"),
    "OSV": ("OSV", "https://osv.dev", "CC-BY-4.0"),
    "OpenVEX": ("Erlang/OTP OpenVEX", "https://erlang.org/download/vex", "Apache-2.0"),
    "Debian changelog": ("Debian changelogs", "https://metadata.ftp-master.debian.org/changelogs", "as each package"),
}
# What says that there is a vulnerability. The others only say that there is none, and an old one hides nothing.
VULNERABILITIES = frozenset(ORIGINS[kind][0] for kind in ("CVE EEF", "CVE", "OSV BIT", "OSV"))
_SOURCE_PRODUCT = {"erlang": OTP, "elixir-lang": "elixir", "rabbitmq-server": "rabbitmq", "ejabberd": "ejabberd", "couchdb": "couchdb"}


def records(folder: Path, left_out: Counter[str]) -> Iterator[_published_records.Record]:
    """Every record below a folder. Raises FeedError with the file's path."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            record = _read(path)
        except (_published_records.FeedError, UnicodeDecodeError, json.JSONDecodeError, OSError, ValueError) as error:
            raise _published_records.FeedError(f"{path}: {error}") from error
        if record is None:
            left_out[path.suffix or path.name] += 1
        else:
            yield record


def _read(path: Path) -> _published_records.Record | None:
    if path.suffix == ".json":
        return _published_records.read_json(json.loads(path.read_text(encoding="utf-8")))
    if "changelog" not in path.name:
        return None
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8", "replace")
    return _published_records.read_changelog(text) if _published_records.is_changelog(text) else None


def derive(found: Iterable[_published_records.Record], base: Table | None, as_of: datetime.date | None) -> Table:
    """The table of the records on top of another one. as_of: the day whose state the records are; by default each source's newest one.

    The date of the table is that of the oldest source of vulnerabilities in it, so that nobody takes an old one for new.
    """
    known: dict[str, Known] = dict(base.known) if base else {}
    patches = {source: dict(own) for source, own in base.patches.items()} if base else {}
    excepted = {name: dict(own) for name, own in base.not_affected.items()} if base else {}
    dates: dict[str, datetime.date] = {}
    for record in found:
        dates[record.kind] = max(record.date, dates.get(record.kind, record.date))
        known.update((one.id, one) for one in record.known)
        for name in record.withdrawn:
            known.pop(name, None)
        for source, fixes in record.patches.items():
            mine = patches.setdefault(source, {})
            for name, fixed in fixes.items():
                mine[name] = tuple(dict.fromkeys((*mine.get(name, ()), *fixed)))
        for name, own in record.not_affected.items():
            for package, those in own.items():
                mine_excepted = excepted.setdefault(name, {})
                mine_excepted[package] = mine_excepted.get(package, frozenset()) | those
    sources = {one.name: one for one in base.sources} if base else {}
    for kind, day in sorted(dates.items()):
        name, url, licence = ORIGINS.get(kind) or ORIGINS[kind.partition(" ")[0]]
        sources[name] = Source(name, as_of or day, url, licence)
    date = min((one.date for one in sources.values() if one.name in VULNERABILITIES), default=None)
    if date is None:
        raise _published_records.FeedError("there is no record of a vulnerability, and no base table")
    table = Table(date, tuple(sources[name] for name in sorted(sources)), known)
    return replace(table, patches=_needed_patches(table, patches), not_affected=_needed_exceptions(table, excepted))


def _needed_patches(table: Table, patches: dict[str, dict[str, tuple[str, ...]]]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Those that the upstream version does not have anyway."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for source, own in patches.items():
        product = _SOURCE_PRODUCT.get(source, source)
        for name, fixed in own.items():
            record = table.known.get(name)
            needed = tuple(
                one for one in fixed if record is None or product not in record.affected or record.affects(product, versions.upstream(one) or "0")
            )
            if needed:
                found.setdefault(source, {})[name] = needed
    return found


def _needed_exceptions(table: Table, excepted: dict[str, dict[str, frozenset[str]]]) -> dict[str, dict[str, frozenset[str]]]:
    """Those that the ranges call affected."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for name, own in excepted.items():
        for package, those in own.items():
            needed = frozenset(version for version in those if name in table.known and table.known[name].affects(package, version))
            if needed:
                found.setdefault(name, {})[package] = needed
    return found


def text(table: Table) -> str:
    """The file: a line for each vulnerability, so that a newer table shows as a readable difference."""
    data = table.as_dict()
    parts = [f'"schema": {data["schema"]}', f'"date": "{data["date"]}"', f'"sources": {_lines(data["sources"])}']
    parts += [f'"{key}": {_block(data[key])}' for key in ("vulnerabilities",)]
    parts.append('"patches": {\n' + ",\n".join(f'  "{source}": {_block(own, "    ")}' for source, own in data["patches"].items()) + "\n}")
    parts.append(f'"not_affected": {_block(data["not_affected"])}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _block(data: dict[str, object], indent: str = "  ") -> str:
    if not data:
        return "{}"
    return "{\n" + ",\n".join(f"{indent}{json.dumps(key)}: {json.dumps(value)}" for key, value in data.items()) + f"\n{indent[2:]}}}"


def _lines(data: list[object]) -> str:
    return "[\n" + ",\n".join(f"  {json.dumps(value)}" for value in data) + "\n]"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="folder of records as published")
    parser.add_argument("--output", type=Path, required=True, help="the table to write")
    parser.add_argument("--as-of", type=datetime.date.fromisoformat, help="day of the download (default: that of the newest record of each source)")
    parser.add_argument("--base", type=Path, default=_advisories.SHIPPED, help="table to start from (default: that of the collection)")
    options = parser.parse_args(arguments)
    left_out: Counter[str] = Counter()
    try:
        if not options.folder.is_dir():
            raise _published_records.FeedError(f"{options.folder} is not a folder")
        found = list(records(options.folder, left_out))
        if not found:
            raise _published_records.FeedError(f"{options.folder} holds no record of a known format")
        base = _advisories.read(options.base) if options.base.exists() else None
        table = derive(found, base, options.as_of)
        Table.parse(table.as_dict())
    except (_published_records.FeedError, TableError) as error:
        print(f"derive_advisories: {error}", file=sys.stderr)
        return 1
    temporary = options.output.with_name(f".{options.output.name}.new")
    temporary.write_text(text(table), encoding="utf-8")
    temporary.replace(options.output)
    before = set(base.known) if base else set()
    print(f"{options.output}: {len(table.known)} vulnerabilities, {len(set(table.known) - before)} of them new, state of {table.date}")
    print(f"read {len(found)} records; left out {sum(left_out.values())} files{''.join(f', {number} {kind}' for kind, number in left_out.items())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

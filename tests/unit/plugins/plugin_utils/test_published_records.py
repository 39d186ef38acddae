# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published records become a table; a table that is none is one clear error."""

from __future__ import annotations

import copy
import datetime
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ansible")

from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerability_table import TableError, VulnerabilityTable  # noqa: E402
from ansible_collections.beam.cluster.plugins.plugin_utils import _published_records as records  # noqa: E402
from ansible_collections.beam.cluster.plugins.plugin_utils import _vulnerability_table, derive_vulnerability_table  # noqa: E402

RECORDS = Path(__file__).parent / "published_records"


def record(name: str) -> dict[str, Any]:
    (path,) = RECORDS.rglob(f"{name}.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def affected(raw: dict[str, Any]) -> dict[str, Any]:
    found = records.read_json(raw)
    assert found is not None
    return {package: [list(one) for one in ranges] for known in found.known for package, ranges in known.affected.items()}


# -- records ---------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(RECORDS.rglob("*.json")), ids=lambda path: path.stem)
def test_every_record_is_read(path: Path) -> None:
    assert records.read_json(json.loads(path.read_text(encoding="utf-8"))) is not None


def test_changes_are_one_range_for_each_line() -> None:
    assert affected(record("CVE-2026-42792")) == {
        "otp": [["17.0", "27.3.4.15"], ["27.3.5", "28.5.0.4"], ["28.5.1", "29.0.4"]],
        "erts": [["6.0", "15.2.7.11"], ["15.2.8", "16.4.0.4"], ["16.4.1", "17.0.4"]],
    }
    assert affected(record("CVE-2026-48859")) == {"otp": [["29.0", "29.0.2"]], "ssh": [["6.0", "6.0.1"]]}


def test_what_is_affected_by_default_is_affected_from_the_first_version() -> None:
    assert affected(record("CVE-2026-28808"))["otp"][0] == ["0", "26.2.5.19"]


def test_packages_that_no_host_reports_are_left_out() -> None:
    assert affected(record("CVE-2026-21619")) == {}
    assert affected(record("CVE-2026-49762")) == {"elixir": [["1.5.0", "1.20.1"]]}


def test_osv() -> None:
    assert affected(record("BIT-rabbitmq-2023-46118")) == {"rabbitmq": [["0", "3.11.24"], ["3.12.0", "3.12.7"]]}
    (known,) = records.read_osv(record("BIT-couchdb-2023-26268")).known
    assert (known.id, known.severity, known.url) == ("CVE-2023-26268", "medium", "https://docs.couchdb.org/en/stable/cve/2023-26268.html")


def test_the_shape_of_records_since_september_2026() -> None:
    """A range for each line in place of changes, what is before unknown, and OTP under a name of its own."""
    raw = record("CVE-2026-42792")
    first, whole = raw["containers"]["cna"]["affected"]
    whole.update(packageURL="pkg:software-id/erlang.org/otp", packageName="otp")
    lines = [("unknown", "0", "17.0"), ("affected", "17.0", "27.3.4.17"), ("affected", "28.0", "28.5.0.6"), ("affected", "29.0", "29.0.6")]
    whole["versions"] = [{"status": status, "version": low, "lessThan": high, "versionType": "otp"} for status, low, high in lines]
    assert affected(raw)["otp"] == [["17.0", "27.3.4.17"], ["28.0", "28.5.0.6"], ["29.0", "29.0.6"]]
    assert "erts" in affected(raw) and first["packageName"] == "erts"


def test_the_shape_of_github() -> None:
    raw = record("CVE-2026-49762")
    raw["cveMetadata"]["assignerShortName"] = "GitHub_M"
    raw["containers"]["cna"]["affected"] = [
        {
            "vendor": "rabbitmq",
            "product": "rabbitmq-server",
            "versions": [{"version": "< 4.0.13", "status": "affected"}, {"version": ">= 4.1.0, < 4.1.2", "status": "affected"}],
        }
    ]
    assert affected(raw) == {"rabbitmq": [["0", "4.0.13"], ["4.1.0", "4.1.2"]]}


def test_a_last_affected_version_ends_right_after_it() -> None:
    raw = record("CVE-2026-49762")
    (entry,) = raw["containers"]["cna"]["affected"][0]["versions"]
    del entry["lessThan"]
    entry["lessThanOrEqual"] = "1.20.0"
    found = records.read_cve(raw)
    assert found.known[0].affects("elixir", "1.20.0") and not found.known[0].affects("elixir", "1.20.1")


def test_a_rejected_record_takes_a_vulnerability_back() -> None:
    raw = record("CVE-2026-42792")
    base = derive_vulnerability_table.derive([records.read_cve(raw)], None, None)
    raw["cveMetadata"]["state"] = "REJECTED"
    assert set(base.known) == {"CVE-2026-42792"}
    assert set(derive_vulnerability_table.derive([records.read_cve(raw)], base, None).known) == set()


def test_openvex_the_last_word_counts() -> None:
    raw = record("otp-27.openvex")
    found = records.read_openvex(raw)
    assert found.not_affected["CVE-2025-4575"] == {"otp": frozenset({"27.0"}), "erts": frozenset({"15.0"})}
    assert found.not_affected["CVE-2025-4748"]["stdlib"] == {"6.2.2.1"}
    again = copy.deepcopy(raw["statements"][2])
    again.update(status="affected", timestamp="2026-01-01T00:00:00Z")
    raw["statements"].insert(0, again)
    assert "CVE-2025-4575" not in records.read_openvex(raw).not_affected


BREAK = (lambda raw: raw.pop("containers"), lambda raw: raw["cveMetadata"].pop("cveId"), lambda raw: raw.update(containers=[]))


@pytest.mark.parametrize("break_it", BREAK)
def test_a_record_of_another_shape_is_an_error_and_no_traceback(break_it: Any) -> None:
    raw = record("CVE-2026-42792")
    break_it(raw)
    with pytest.raises(records.FeedError, match="another shape"):
        records.read_json(raw)


# -- changelogs ------------------------------------------------------------------------------------------------------------------------------------


def changelog(name: str) -> dict[str, Any]:
    text = (RECORDS / "debian" / f"{name}.changelog").read_text(encoding="utf-8")
    assert records.is_changelog(text)
    return {source: dict(own) for source, own in records.read_changelog(text).patches.items()}


def test_what_a_changelog_says_was_fixed() -> None:
    own = changelog("erlang-bookworm")["erlang"]
    assert own["CVE-2026-23943"] == ("1:25.2.3+dfsg-1+deb12u4",)
    assert own["CVE-2025-4748"] == ("1:25.2.3+dfsg-1+deb12u2",)
    assert own["CVE-2025-32433"] == ("1:25.2.3+dfsg-1+deb12u1",)
    assert "CVE-2026-55953" not in own


def test_a_list_over_several_lines_and_a_patch_that_was_removed() -> None:
    own = changelog("rabbitmq-server-forky")["rabbitmq-server"]
    assert own["CVE-2026-67421"] == ("4.3.6-1",)
    # 4.3.0-1 removes the patch for it.
    assert "4.3.0-1" not in own.get("CVE-2025-50200", ())


@pytest.mark.parametrize("words", ["Revert the fix for CVE-2026-1111.", "Drop CVE-2026-1111.patch.", "Not affected by CVE-2026-1111."])
def test_an_entry_that_fixes_nothing(words: str) -> None:
    head, tail = "erlang (1:27.0+dfsg-2) unstable; urgency=medium", " -- A B <a@b.example>  Thu, 20 Aug 2026 13:21:18 +0800"
    found = records.read_changelog(f"{head}\n\n  * {words}\n  * Fix CVE-2026-2222.\n\n{tail}\n")
    assert dict(found.patches["erlang"]) == {"CVE-2026-2222": ("1:27.0+dfsg-2",)}
    assert found.date == datetime.date(2026, 8, 20)


# -- the script ------------------------------------------------------------------------------------------------------------------------------------


def derive(tmp_path: Path, *more: str) -> VulnerabilityTable:
    output = tmp_path / "vulnerabilities.json"
    assert derive_vulnerability_table.main([str(RECORDS), "--output", str(output), "--base", str(tmp_path / "none"), *more]) == 0
    return _vulnerability_table.read(output)


def test_a_folder_becomes_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = derive(tmp_path)
    assert len(table.known) == 7
    dates = {one.name: one.date for one in table.sources}
    assert dates["Erlang Ecosystem Foundation CNA"] == max(records.read_cve(record(one.stem)).date for one in RECORDS.glob("eef-cna/*.json"))
    assert table.date == dates["Bitnami Vulnerability Database"] < dates["Erlang Ecosystem Foundation CNA"], "that of the oldest source"
    assert "7 vulnerabilities, 7 of them new" in capsys.readouterr().out
    assert {one.licence for one in table.sources} >= {"CC-BY-4.0", "Apache-2.0"}
    # What the upstream version has anyway is no patch; what no range calls affected needs no exception.
    assert table.patches["erlang"]["CVE-2025-4748"] == ("1:25.2.3+dfsg-1+deb12u2",)
    assert table.not_affected == {}


def test_the_day_of_the_download_is_the_date(tmp_path: Path) -> None:
    assert derive(tmp_path, "--as-of", "2026-11-26").date == datetime.date(2026, 11, 26)


def test_a_newer_folder_comes_on_top_of_the_table(tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    newer.mkdir()
    raw = record("CVE-2026-42792")
    raw["containers"]["cna"]["title"] = "changed"
    (newer / "one.json").write_text(json.dumps(raw), encoding="utf-8")
    (newer / "changelog.Debian.gz").write_bytes(gzip.compress((RECORDS / "debian" / "erlang-bookworm.changelog").read_bytes()))
    (newer / "notes.txt").write_text("nothing", encoding="utf-8")
    output = tmp_path / "out.json"
    assert derive_vulnerability_table.main([str(newer), "--output", str(output)]) == 0
    table, shipped = _vulnerability_table.read(output), _vulnerability_table.read(_vulnerability_table.SHIPPED)
    assert set(table.known) == set(shipped.known) and table.known["CVE-2026-42792"].title == "changed"
    assert table.patches == shipped.patches


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "one.json: Expecting"), ('{"dataType": "CVE_RECORD"}', "one.json: the record has another shape"), ('{"a": 1}', "holds no record")],
)
def test_a_folder_that_is_none_leaves_the_table_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, message: str) -> None:
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "one.json").write_text(content, encoding="utf-8")
    output = tmp_path / "out.json"
    output.write_text("before", encoding="utf-8")
    assert derive_vulnerability_table.main([str(tmp_path / "records"), "--output", str(output)]) == 1
    assert message in capsys.readouterr().err and output.read_text(encoding="utf-8") == "before"
    assert derive_vulnerability_table.main([str(tmp_path / "nowhere"), "--output", str(output)]) == 1


# -- the table -------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [_vulnerability_table.SHIPPED, _vulnerability_table.BY_HAND], ids=lambda path: path.name)
def test_the_files_are_as_the_script_writes_them(path: Path) -> None:
    table = _vulnerability_table.read(path)
    assert path.read_text(encoding="utf-8") == derive_vulnerability_table.text(table)
    assert VulnerabilityTable.parse(table.as_dict()) == table


def test_by_hand_is_only_what_no_feed_has() -> None:
    assert not set(_vulnerability_table.read(_vulnerability_table.SHIPPED).known) & set(_vulnerability_table.read(_vulnerability_table.BY_HAND).known)


def broken(**other: Any) -> dict[str, Any]:
    one = {"severity": "high", "title": "t", "url": "https://a.example", "affected": {"otp": [["27.0", "27.1"]]}}
    source = {"name": "a", "date": "2026-08-01", "url": "https://a.example", "licence": "x"}
    whole = {"schema": 1, "date": "2026-08-01", "sources": [source], "vulnerabilities": {"CVE-2026-1111": one}}
    return {**whole, "patches": {}, "not_affected": {}, **other}


def only(**other: Any) -> dict[str, Any]:
    return broken(vulnerabilities={"CVE-2026-1111": {"severity": "high", "title": "t", "url": "u", "affected": {"otp": [["27.0", "27.1"]]}, **other}})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ([], "the table is not an object"),
        (broken(schema=2), "schema is 2, and this version of the collection reads 1"),
        (broken(date="yesterday"), "date is 'yesterday', not a date"),
        (broken(vulnerabilities={}), "vulnerabilities is empty"),
        (broken(vulnerabilities={"x; y": {}}), "vulnerabilities: 'x; y' is not a CVE"),
        (only(severity="urgent"), "CVE-2026-1111: severity is 'urgent'"),
        (only(title="a\x1b[2Jb"), "CVE-2026-1111: title is not a printable text"),
        (only(affected={}), "CVE-2026-1111: affected is empty"),
        (only(affected={"otp": []}), "CVE-2026-1111: otp: there is no range"),
        (only(affected={"otp": [["27.1", "27.0"]]}), "CVE-2026-1111: otp: 27.0 does not come after 27.1"),
        (only(affected={"otp": [["27.0", "28.0"], ["27.5", "29.0"]]}), "CVE-2026-1111: otp: the range from 27.5 is not in ascending order"),
        (only(affected={"otp": [["27.0"]]}), "is not a pair of versions"),
        (only(affected={"otp": [["new", None]]}), "CVE-2026-1111: otp: 'new' is not a version"),
        (broken(patches={"erlang": {"CVE-2026-1111": "1"}}), "patches.erlang.CVE-2026-1111 is not a list"),
        (broken(not_affected={"CVE-2026-1111": {"otp": [1]}}), "not_affected.CVE-2026-1111.otp: 1 is not a version"),
        (broken(sources=[{}]), "sources[0].name is not a printable text"),
    ],
)
def test_a_wrong_table_is_one_error_with_its_place(raw: Any, message: str) -> None:
    with pytest.raises(TableError) as error:
        VulnerabilityTable.parse(raw)
    assert message in str(error.value) and str(error.value).isprintable()


def test_a_right_table_is_read() -> None:
    assert set(VulnerabilityTable.parse(broken()).known) == {"CVE-2026-1111"}


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "it cannot be read: No such file"), (b"{", "it is not JSON"), (b"[" * 100_000, "nested too deeply"), (b"\xff\xfe", "it is not JSON")],
)
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "vulnerabilities.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TableError, match=message):
        _vulnerability_table.table(str(path))


def test_an_operators_table_has_what_is_written_by_hand_too(tmp_path: Path) -> None:
    path = tmp_path / "vulnerabilities.json"
    shutil.copy(_vulnerability_table.SHIPPED, path)
    raw = broken()
    raw["vulnerabilities"]["CVE-2025-32433"] = raw["vulnerabilities"].pop("CVE-2026-1111")
    path.write_text(json.dumps(raw), encoding="utf-8")
    table = _vulnerability_table.table(str(path))
    assert table.known["CVE-2025-32433"].title == "t", "the file's own record wins"
    assert "ejabberd-26.07-plain" in table.known

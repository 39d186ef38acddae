# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages, releases, applications and products against the vulnerabilities that they are known to have."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("ansible")

from ansible_collections.beam.cluster.plugins.module_utils._assess import vulnerabilities  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerabilities import Software  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._assess.vulnerability_table import VulnerabilityTable  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._model import versions  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._model.advisories import Advisory  # noqa: E402
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation  # noqa: E402
from ansible_collections.beam.cluster.plugins.plugin_utils import _vulnerability_table  # noqa: E402

TABLE = _vulnerability_table.table()
FEED = _vulnerability_table.read(_vulnerability_table.SHIPPED)


def carried(name: str, version: str | None, package_name: str = "", package: str = "", applications: dict[str, str] | None = None) -> set[str]:
    software = Software(name, version, "", package_name, package, package, applications)
    return {known.id for known, _reason in vulnerabilities.carried(software, TABLE)}


# -- Debian ----------------------------------------------------------------------------------------------------------------------------------------

# Current packages of 2026-11-26, and what their changelogs say of every vulnerability that is open in them by the table. Each was looked up by hand.
BOOKWORM_OTP = """\
CVE-2026-28808 CVE-2026-28810 CVE-2026-32147 CVE-2026-42789 CVE-2026-42790 CVE-2026-42792 CVE-2026-48855 CVE-2026-48856 CVE-2026-48858 CVE-2026-49759
CVE-2026-49760 CVE-2026-53422 CVE-2026-54886 CVE-2026-54887 CVE-2026-54891 CVE-2026-55737 CVE-2026-55951 CVE-2026-55952 CVE-2026-55953 CVE-2026-58227
CVE-2026-59250 CVE-2026-59696 CVE-2026-65634 CVE-2026-66357 CVE-2026-66835 CVE-2026-68956 CVE-2026-69664 CVE-2026-70399 CVE-2026-70405 CVE-2026-70409
CVE-2026-71380 CVE-2026-71562 CVE-2026-73270 CVE-2026-73276 CVE-2026-73812 CVE-2026-74835 CVE-2026-74994 CVE-2026-75538 CVE-2026-89422""".split()
BOOKWORM_RABBITMQ = ["CVE-2025-30219", "CVE-2025-50200", "CVE-2026-44839", "CVE-2026-67419"]
# Published in September and October 2026, and the newest entry of Debian 13 is of August 2025: it names none of them, and CVE-2025-50200 only.
TRIXIE_RABBITMQ = [
    f"CVE-2026-{number}"
    for number in """\
44839 61837 66068 66070 66071 66072 66073 66074 66075 66076 66077 66078 66079 67218 67219 67220 67221 67222 67223 67224 67225 67226 67227 67229 67230
67231 67232 67233 67235 67239 67404 67405 67406 67407 67409 67411 67412 67413 67419 67420 67421""".split()
]
EJABBERD = ["ejabberd-26.07-atoms", "ejabberd-26.07-caps", "ejabberd-26.07-oauth", "ejabberd-26.07-plain", "ejabberd-26.07-pubsub"]
DEBIAN = [
    ("otp", "erlang-base", "1:25.2.3+dfsg-1+deb12u4", BOOKWORM_OTP, "u4 of 2026-04-07 is the newest entry, all of these are younger"),
    ("otp", "erlang-base", "1:27.3.4.1+dfsg-1+deb13u4", [], "u1 to u4 name every one that affects 27.3.4.1, u4 the 19 of September"),
    ("otp", "erlang-base", "1:29.1.1+dfsg-1", [], "forky: 'New upstream release' that fixes 65634, 68956, 89422; those before it the rest"),
    ("rabbitmq", "rabbitmq-server", "3.10.8-1.1+deb12u1", BOOKWORM_RABBITMQ, "u1 of 2023 fixes CVE-2023-46118 only"),
    ("rabbitmq", "rabbitmq-server", "4.0.5-6+deb13u2", TRIXIE_RABBITMQ, "u2 of 2025-08-21 fixes CVE-2025-50200 only"),
    ("rabbitmq", "rabbitmq-server", "4.3.6-1", [], "forky: 'New upstream release', names 17; the newest fix in the table is 4.3.5"),
    ("elixir", "elixir", "1.14.0.dfsg-2", ["CVE-2026-49762"], "entry of 2022, names no CVE; 75758 begins with 1.15.0-rc.0"),
    ("elixir", "elixir", "1.18.3.dfsg-1", ["CVE-2026-49762", "CVE-2026-75758"], "entry of 2025, names no CVE; 75758 is fixed in 1.18.5"),
    ("elixir", "elixir", "1.20.4+dfsg-1", [], "forky: 'Fix CVE-2026-75758'; 49762 is fixed in 1.20.1"),
    ("ejabberd", "ejabberd", "23.01-1", EJABBERD, "no entry after 23.01-1"),
    ("ejabberd", "ejabberd", "24.12-3+deb13u2", EJABBERD, "u1: a conffile; u2 of 2026-03-15: certificate purposes; 26.07 is younger"),
    ("ejabberd", "ejabberd", "26.07-1", [], "forky: the release that fixes them"),
]


@pytest.mark.parametrize(("name", "binary", "package", "open_in_it", "evidence"), DEBIAN, ids=[f"{one[1]} {one[2]}" for one in DEBIAN])
def test_current_debian_packages(name: str, binary: str, package: str, open_in_it: list[str], evidence: str) -> None:
    assert carried(name, versions.upstream(package), binary, package) == set(open_in_it), evidence


def test_debian_13_fixes_revision_by_revision() -> None:
    package = "1:27.3.4.1+dfsg-1+deb13u{}"
    fixed = {number: carried("otp", "27.3.4.1", "erlang-base", package.format(number)) for number in range(1, 13)}
    assert "CVE-2026-55953" in fixed[2] and "CVE-2026-55953" not in fixed[3]
    assert {"CVE-2026-65634", "CVE-2026-75538", "CVE-2026-89422"} < fixed[3]
    assert fixed[4] == fixed[12] == set()
    assert fixed[1] >= fixed[2] >= fixed[3]


@pytest.mark.parametrize("package", ["1:27.3.4.1+dfsg-1", "1:27.3.4.1+dfsg-2", "1:25.2.3+dfsg-1+deb13u9", "27.3.4.1-1", "1:27.3.4.1-1ubuntu9"])
def test_a_package_of_another_line_fixes_nothing(package: str) -> None:
    assert carried("otp", "27.3.4.1", "erlang-base", package) == carried("otp", "27.3.4.1")


# -- twenty versions -------------------------------------------------------------------------------------------------------------------------------


def listed_lines() -> list[tuple[str, str, list[tuple[int, ...]], list[tuple[int, ...]]]]:
    """(vulnerability, package, first affected version of each line, fixes) of the shipped table: what the record says, as numbers."""
    found = []
    for known in FEED.known.values():
        for package, ranges in known.affected.items():
            if package in ("otp", "elixir", "rabbitmq"):
                fixes = [tuple(map(int, fixed.split("."))) for _first, fixed in ranges if fixed]
                firsts = [() if first.startswith("R") else tuple(map(int, first.split("."))) for first, _fixed in ranges]
                found.append((known.id, package, firsts, fixes))
    return found


def by_another_rule(package: str, version: str) -> set[str]:
    """Affected where no fix of its own release line is older or equal, and no fix of an older line is on the main line.

    Written from OTP's "Order of Versions" and not from ranges: a version has a fix if the fix is one of its ancestors.
    """
    number = tuple(map(int, version.split(".")))
    found = set()
    for name, of, firsts, fixes in listed_lines():
        if of != package or number < firsts[0]:
            continue
        if package != "otp" and any(first[:2] == number[:2] and number < first for first in firsts):
            continue
        if package == "otp":
            ancestors = {number[:length] for length in range(4, len(number) + 1)}
            has = any(
                fix <= number[:3] if len(fix) < 4 else any(one[:-1] == fix[:-1] and one >= fix for one in ancestors) for fix in fixes
            )
        else:
            has = number >= max(fixes) or any(fix[:2] == number[:2] and fix <= number for fix in fixes)
            has = has or (package == "rabbitmq" and not any(fix[:2] == number[:2] for fix in fixes) and number > max(fixes))
        if not has:
            found.add(name)
    return found


TWENTY = [
    *(("otp", version) for version in "25.2.3 25.3.2.21 26.2.5 26.2.5.21 27.0 27.3.4.1 27.3.4.8 27.3.4.12 27.3.4.14 27.3.4.15".split()),
    *(("otp", version) for version in "28.0 28.4.2 28.5 28.5.0.3 29.0 29.0.2".split()),
    *(("elixir", version) for version in "1.4.5 1.17.3 1.20.0 1.20.1".split()),
    *(("rabbitmq", version) for version in "3.8.5 3.10.8 4.0.5 4.0.13 4.2.3 4.3.0".split()),
]  # fmt: skip


@pytest.mark.parametrize(("name", "version"), TWENTY)
def test_no_miss_by_another_rule(name: str, version: str) -> None:
    ours = {known.id for known, _reason in vulnerabilities.carried(Software(name, version, ""), FEED)}
    assert by_another_rule(name, version) <= ours
    if name == "otp":
        assert ours == by_another_rule(name, version)


# Counted by hand in the records: an OTP release, how many of the 37 records about OTP affect it, one that does and one that does not.
@pytest.mark.parametrize(
    ("version", "number", "affected", "unaffected"),
    [
        ("25.3.2.21", 30, "CVE-2026-55950", "CVE-2026-32144"),
        ("26.2.5.21", 18, "CVE-2026-48860", "CVE-2026-42790"),
        ("27.3.4.12", 20, "CVE-2026-48855", "CVE-2026-42791"),
        ("27.3.4.14", 8, "CVE-2026-55953", "CVE-2026-55952"),
        ("27.3.4.15", 0, "", "CVE-2026-55953"),
        ("28.5.0.3", 8, "CVE-2026-47078", "CVE-2026-54886"),
        ("29.0", 24, "CVE-2026-48859", "CVE-2026-28810"),
        ("29.0.4", 0, "", "CVE-2026-42792"),
        ("30.0", 0, "", "CVE-2026-42792"),
    ],
)
def test_releases_of_otp(version: str, number: int, affected: str, unaffected: str) -> None:
    ours = {known.id for known, _reason in vulnerabilities.carried(Software("otp", version, ""), FEED)}
    assert len(ours) == number, sorted(ours)
    assert unaffected not in ours and (not affected or affected in ours)


@pytest.mark.parametrize("version", ["27.3.4.18", "28.5.0.7", "29.1.1", "29.1.2", "30.0"])
def test_fixed_releases_have_nothing(version: str) -> None:
    assert carried("otp", version) == set()


@pytest.mark.parametrize(
    ("name", "affected", "unaffected"),
    [
        ("CVE-2022-37026", ["23.3.4.14", "24.3.4.1", "25.0.1"], ["23.3.4.15", "24.3.4.2", "25.0.2", "26.0"]),
        ("CVE-2024-53846", ["25.3.2.8", "26.2.5.5", "27.1.2"], ["25.2.3", "25.3.2.16", "26.1", "26.2.5.6", "27.1.3"]),
        ("CVE-2025-32433", ["24.3.4", "25.3.2.19", "26.2.5.10", "27.3.2"], ["25.3.2.20", "26.2.5.11", "27.3.3", "28.0"]),
        ("CVE-2026-48860", ["26.0", "27.3.4.12", "28.5.0.1"], ["25.3.2.21", "27.3.4.13", "28.5.0.2", "29.0.2"]),
        ("CVE-2026-89422", ["22.2", "25.2.3", "27.3.4.17"], ["22.1", "27.3.4.18"]),
    ],
)
def test_ranges(name: str, affected: list[str], unaffected: list[str]) -> None:
    assert {version: name in carried("otp", version) for version in affected + unaffected} == {
        **dict.fromkeys(affected, True),
        **dict.fromkeys(unaffected, False),
    }


def test_couchdb() -> None:
    assert carried("couchdb", "3.2.1") == {"CVE-2022-24706", "CVE-2023-26268", "CVE-2023-45725"}
    assert carried("couchdb", "3.3.3") == set()


# -- applications ----------------------------------------------------------------------------------------------------------------------------------

# Of OTP 27.3.4.14 and 27.3.4.15.
OLD = {"kernel": "10.2.7.4", "stdlib": "6.2.2.3", "ssl": "11.2.12.10", "public_key": "1.17.1.4", "erts": "15.2.7.10", "crypto": "5.5.3.3"}
NEW = {**OLD, "stdlib": "6.2.2.4", "ssl": "11.2.12.11", "public_key": "1.17.1.5", "erts": "15.2.7.11"}


def test_an_application_that_is_not_there_has_no_vulnerability() -> None:
    whole, slim = carried("otp", "27.3.4.14"), carried("otp", "27.3.4.14", applications=OLD)
    assert {"CVE-2026-59250", "CVE-2026-68956"} <= whole - slim, "megaco, ssh"
    assert {"CVE-2026-55953", "CVE-2026-42792"} <= slim, "ssl, erts"
    assert slim < whole


def test_an_application_that_was_patched_by_itself_counts() -> None:
    """otp_patch_apply replaces applications and leaves the release, whose OTP_VERSION ends in ** then."""
    patched = carried("otp", "27.3.4.14", applications={**OLD, "ssl": "11.2.12.11"})
    assert "CVE-2026-55953" not in patched and "CVE-2026-42792" in patched


def test_applications_and_release_say_the_same() -> None:
    """Applications of one release, compared by their own versions: what the release has, without applications that are not there."""
    everything = {**NEW, "ssh": "5.2.11.9", "inets": "9.3.2.6", "ftp": "1.2.3.1", "megaco": "4.7.2.2", "erl_interface": "5.5.2.1", "tftp": "1.2.2.1"}
    ours = {known.id for known, _reason in vulnerabilities.carried(Software("otp", "27.3.4.15", "", applications=everything), FEED)}
    assert ours == {known.id for known, _reason in vulnerabilities.carried(Software("otp", "27.3.4.15", ""), FEED)} == set()


def test_what_its_authors_call_not_affected_is_not() -> None:
    raw = json.loads(json.dumps(FEED.as_dict()))
    raw["not_affected"] = {"CVE-2026-42792": {"otp": ["27.3.4.14"], "erts": ["15.2.7.10"]}}
    table = VulnerabilityTable.parse(raw)
    for applications in (None, OLD):
        before = {known.id for known, _reason in vulnerabilities.carried(Software("otp", "27.3.4.14", "", applications=applications), FEED)}
        after = {known.id for known, _reason in vulnerabilities.carried(Software("otp", "27.3.4.14", "", applications=applications), table)}
        assert before - after == {"CVE-2026-42792"}


# -- hosts -----------------------------------------------------------------------------------------------------------------------------------------

ROOT, U3, U4 = "/usr/lib/erlang", "1:27.3.4.1+dfsg-1+deb13u3", "1:27.3.4.1+dfsg-1+deb13u4"
DEBIAN_13 = {"kernel": "10.2.7.1", "stdlib": "6.2.2.1", "ssl": "11.2.12.1", "public_key": "1.17.1", "asn1": "5.3.4.2", "erts": "15.2.7.1"}


def process(pid: int = 7, **vm: Any) -> dict[str, Any]:
    seen = {
        "executable": f"{ROOT}/erts-15.2.7.1/bin/beam.smp", "otp_root": ROOT, "erts": "15.2.7.1", "installed_erts": "15.2.7.1", "version": "27.3.4.1",
        "package": {"name": "erlang-base", "installed": U4, "started": U4}, "replaced": [], "applications": dict(DEBIAN_13), "products": [], **vm,
    }  # fmt: skip
    return {"pid": pid, "process": "beam.smp", "user": "beam", "unit": "beam.service", "flags": {}, "vm": seen}


def advisories(*processes: dict[str, Any], roots: list[dict[str, Any]] | None = None) -> dict[str, Advisory]:
    seen = Observation.parse("n1", {"processes": list(processes), "otp_roots": roots or []})
    return {one.control: one for one in vulnerabilities.host_advisories(seen, TABLE)}


def test_a_node_that_runs_the_current_package_has_nothing() -> None:
    assert advisories(process()) == {}
    # Without the log, files that nobody has replaced are the installed package.
    assert advisories(process(package={"name": "erlang-base", "installed": U4, "started": None})) == {}


def test_a_node_from_before_the_upgrade_has_what_the_upgrade_fixed() -> None:
    old = process(package={"name": "erlang-base", "installed": U4, "started": U3}, replaced=[f"{ROOT}/erts-15.2.7.1/bin/beam.smp"])
    found = advisories(old)
    assert set(found) >= {"CVE-2026-65634", "CVE-2026-75538", "CVE-2026-89422"}
    one = found["CVE-2026-89422"]
    assert one.host == "n1" and one.severity == "high"
    assert one.detail == f"OTP 27.3.4.1 (erlang-base {U3}), which pid 7 of beam.service runs"
    assert one.fix == "Restart the node: run beam.cluster.site. See https://cna.erlef.org/cves/CVE-2026-89422.html"


def test_an_old_package_is_told_the_package_that_fixes_it() -> None:
    found = advisories(process(package={"name": "erlang-base", "installed": U3, "started": U3}))
    assert set(found) == {"CVE-2026-59696", "CVE-2026-65634", "CVE-2026-75538", "CVE-2026-89422"}, "ssh and inets are not there"
    assert found["CVE-2026-65634"].fix.startswith(f"Upgrade erlang-base to {U4} or newer. See ")
    assert "application asn1 5.3.4.2" in found["CVE-2026-65634"].detail


def test_a_running_vm_counts_and_not_what_is_installed() -> None:
    """The files are of the newest release, the process is from before."""
    found = advisories(
        process(version="26.0", package=None, erts="14.0", installed_erts="17.1.1", applications={"kernel": "11.0.2", "ssl": "11.7.7"}),
        roots=[{"root": ROOT, "release": "29", "version": "29.1.1", "pids": [7]}],
    )
    assert "CVE-2026-55953" in found and "OTP 26.0, which pid 7" in found["CVE-2026-55953"].detail


def test_a_vm_of_unknown_version_is_said_and_not_clean() -> None:
    for unknown in (process(version=None, package=None), {**process(), "vm": None}):
        found = advisories(process(8), unknown)
        assert set(found) == {"unknown_version"}
        assert found["unknown_version"].detail == "OTP, which pid 7 of beam.service runs"


def test_two_nodes_of_one_otp_are_one_advisory() -> None:
    old = {"package": {"name": "erlang-base", "installed": U3, "started": U3}}
    found = advisories(process(7, **old), process(8, **old))
    assert "which pid 7 of beam.service runs, which pid 8 of beam.service runs" in found["CVE-2026-89422"].detail


def test_a_release_with_its_own_otp_and_elixir() -> None:
    found = advisories(
        process(
            otp_root="/opt/shop", version="26.2.5", package=None, erts="14.2.5", installed_erts="14.2.5",
            executable="/opt/shop/erts-14.2.5/bin/beam.smp",
            applications={"kernel": "9.2.4", "ssl": "11.1.4", "erts": "14.2.5"}, products=[{"name": "elixir", "version": "1.17.3", "package": None}],
        )
    )  # fmt: skip
    assert "CVE-2026-49762" in found and found["CVE-2026-49762"].detail == "Elixir 1.17.3, which pid 7 of beam.service runs"
    assert found["CVE-2026-49762"].fix.startswith("Upgrade to Elixir 1.20.1 or newer. ")
    assert "CVE-2026-55953" in found and "CVE-2025-32433" not in found


def test_products_of_a_package_as_they_were_started() -> None:
    package = {"name": "rabbitmq-server", "installed": "4.0.5-6+deb13u2", "started": "4.0.5-6+deb13u1"}
    found = advisories(process(products=[{"name": "rabbitmq", "version": "4.0.5", "package": package}]))
    assert set(found) == {"CVE-2025-50200", *TRIXIE_RABBITMQ}
    assert found["CVE-2025-50200"].fix.startswith("Restart the node")
    assert "RabbitMQ 4.0.5 (rabbitmq-server 4.0.5-6+deb13u1)" in found["CVE-2025-50200"].detail


def test_an_installation_that_nobody_runs_counts_as_installed() -> None:
    package = {"name": "erlang-base", "installed": "1:25.2.3+dfsg-1+deb12u4"}
    root = {"root": ROOT, "release": "25", "version": "25.2.3", "pids": [], "package": package}
    found = advisories(roots=[root])
    assert "installed in /usr/lib/erlang, which no node runs" in found["CVE-2026-55953"].detail
    assert advisories(process(), roots=[{**root, "pids": [7]}]) == {}


def test_a_container_of_the_host() -> None:
    root = {"root": "/usr/local/lib/erlang", "release": "27", "version": "27.3.4.14", "pids": [99], "container": True, "applications": OLD}
    assert "which pid 99 in a container runs" in advisories(roots=[root])["CVE-2026-55953"].detail


@pytest.mark.parametrize("junk", ["27; rm -rf /", "", "latest", "../../etc"])
def test_a_version_that_is_none_is_unknown(junk: str) -> None:
    assert set(advisories(process(version=junk, package=None))) == {"unknown_version"}
    found = advisories(process(applications={"kernel": "10.2.7.1", "ssl": junk}))
    assert found == {}

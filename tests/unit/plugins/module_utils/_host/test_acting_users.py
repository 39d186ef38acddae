# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs programs as the user of a node: sudo, doas, polkit, other accounts with its number, cron and other units."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import jobs_of_node_users, pam_and_polkit, sudo_rules

BEAM = pwd.struct_passwd(("beam", "x", 65997, 65999, "", "/nonexistent", "/usr/sbin/nologin"))

OWN = grp.struct_group(("beam", "x", 65999, []))

DEBIAN = """\
Defaults\tenv_reset
Defaults\tsecure_path="/usr/sbin:/usr/bin"
# User privilege specification
root\tALL=(ALL:ALL) ALL
%sudo\tALL=(ALL:ALL) ALL
@includedir {}/sudoers.d
"""


def acting(tmp_path: Path, text: str, *, name: str = "sudoers.d/90-x", **other: str) -> list[tuple[str, str]]:
    """Who acts as beam on a host with Debian's sudoers and a file more."""
    (tmp_path / "sudoers.d").mkdir(exist_ok=True)
    (tmp_path / "sudoers").write_text(DEBIAN.format(tmp_path))
    (tmp_path / name).write_text(text)
    places: dict[str, Any] = {"SUDOERS": (f"{tmp_path}/sudoers", f"{tmp_path}/sudoers.d/*"), "DOAS": (), "POLKIT": ()}
    with mock.patch.multiple(sudo_rules, **{**places, **{key: (f"{tmp_path}/{value}",) for key, value in other.items()}}):
        with mock.patch.multiple(pam_and_polkit, without_password=lambda: [], managing=lambda: []):
            with mock.patch.object(grp, "getgrall", return_value=[OWN]):
                found = sudo_rules.acting_as(BEAM)
        assert found is not None
        return [(one["name"], one["path"].replace(f"{tmp_path}/", "")) for one in found]


RULES = [
    ("games ALL=(beam) NOPASSWD: ALL", ["games"]),
    ("games,%ops ALL = (root, beam : beam) /usr/bin/erl, (www-data) ALL", ["%ops", "games"]),
    ("alice ALL=(#65997) ALL", ["alice"]),
    ("Runas_Alias NODES = beam, rabbitmq : DB = postgres\nbob ALL=(NODES) ALL\ncarol ALL=(DB) ALL", ["bob"]),
    ("User_Alias OPS = bob, \\\n  carol\nOPS ALL=(beam) ALL", ["OPS", "bob", "carol"]),
    ("dave ALL=(ALL, !root) ALL", ["dave"]),
    ("Defaults:erin runas_default=beam\nerin ALL=/usr/bin/erl", ["erin"]),
    ("fred ALL=/usr/bin/id,(beam)NOPASSWD:ALL", ["fred"]),
    ("fred web=(root) /usr/bin/id : ALL=(beam) ALL", ["fred"]),
    ("%ops ALL=(%beam) ALL\nhal ALL=(%#65999) ALL", ["%ops", "hal"]),
    # Who may be everybody is root, and what names others is of no interest.
    ("frank ALL=(ALL) ALL", []),
    ("frank ALL=(ALL, !beam) ALL\ngrace ALL=ALL", []),
    ("grace ALL=(postgres) NOPASSWD: /usr/bin/psql", []),
    ("# games ALL=(beam) ALL\nbeam ALL=(beam) ALL\nroot ALL=(beam) ALL", []),
]


@pytest.mark.parametrize(("text", "who"), RULES)
def test_who_may_act_as_the_user_of_a_node(text: str, who: list[str], tmp_path: Path) -> None:
    assert sorted(one for one, path in acting(tmp_path, text) if path == "sudoers.d/90-x") == who


def test_files_that_sudo_leaves_out_and_that_it_includes(tmp_path: Path) -> None:
    assert acting(tmp_path, "games ALL=(beam) ALL", name="sudoers.d/old.bak") == []
    (tmp_path / "more").write_text("games ALL=(beam) ALL\n")
    assert acting(tmp_path, "@include ../more") == [("games", "more")]


def test_doas_and_another_account_with_the_number_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "doas.conf").write_text("permit nopass games as beam\npermit persist :wheel\n# permit alice as beam\n")
    twin = pwd.struct_passwd(("evil", "x", 65997, 1, "", "/", "/bin/sh"))
    with mock.patch.object(pwd, "getpwall", return_value=[BEAM, twin]):
        assert acting(tmp_path, "", DOAS="doas.conf") == [("games", "doas.conf"), ("evil", "")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("beam ALL=(ALL) NOPASSWD: ALL", True),
        ("User_Alias NODES = beam, rabbitmq\nNODES ALL=(root) ALL", True),
        ("Defaults:beam !requiretty", False),
        ("beam ALL=(beam) ALL", False),
        ("beam ALL=(beam) NOPASSWD: /usr/bin/env, /usr/bin/id", False),
        ("%#65999 ALL=(ALL) ALL", True),
        # The first command runs as root, and so does that of another host.
        ("beam ALL=/usr/bin/apt, (beam) /usr/bin/id", True),
        ("beam ALL=(beam) NOPASSWD: /usr/bin/id : web=/usr/bin/apt", True),
    ],
)
def test_rights_of_the_user_through_aliases(text: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    with mock.patch.multiple(sudo_rules, SUDOERS=(f"{tmp_path}/x",), DOAS=(), POLKIT=()):
        with mock.patch.object(grp, "getgrall", return_value=[OWN]):
            assert bool(sudo_rules.rights(BEAM)) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('polkit.addRule(function(a, s) { if (s.user == "beam") return polkit.Result.YES; });', True),
        ("[x]\nIdentity=unix-user:beam;unix-user:a\nAction=*\n", True),
        ('// s.user == "beam"\nif (s.user == "beam2") {}', False),
    ],
)
def test_rules_of_polkit_that_name_the_user(text: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / "50-x.rules").write_text(text)
    with mock.patch.multiple(sudo_rules, SUDOERS=(), DOAS=(), POLKIT=(f"{tmp_path}/*",)):
        assert bool(sudo_rules.rights(BEAM)) is found


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("beam", "*/5 * * * * beam /srv/job\n", True),
        ("beam", "SHELL=/bin/sh\n@reboot  beam /srv/job\n", True),
        ("beam", "# * * * * * beam /srv/job\nMAILTO=beam\n* * * * * root /usr/bin/beam x\n", False),
        ("beam.dpkg-old", "* * * * * beam /srv/job\n", False),
    ],
)
def test_lines_of_the_tables_of_the_system(name: str, text: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with mock.patch.multiple(jobs_of_node_users, SYSTEM_CRON=(f"{tmp_path}/*",), AT=(), CRON=(), OF_ROOT=(), LINGER="/nonexistent/{}"):
        assert jobs_of_node_users.of(BEAM) == ([f"{tmp_path}/{name}"] if found else [])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("0 4 * * * root su - beam -c /srv/job", True),
        ("0 4 * * * root su -s /bin/sh beam -c /srv/job", True),
        ("0 4 * * * root /usr/sbin/runuser -u beam -- /srv/job", True),
        ("runuser -l beam -c /srv/job", True),
        ("@daily sudo -n -u beam /srv/job", True),
        ("sudo --user=beam /srv/job", True),
        ("sudo -u '#65997' /srv/job", True),
        ("setpriv --reuid=65997 --clear-groups /srv/job", True),
        ("start-stop-daemon --start --chuid beam --exec /srv/job", True),
        ("systemd-run --uid=beam /srv/job", True),
        ("chpst -u beam /srv/job", True),
        ("gosu beam /srv/job", True),
        ("su -c '/srv/job now' beam", True),
        ('su -s /bin/sh -c "/srv/job now" - beam', True),
        ("su -lc /srv/job beam", True),
        ("su --shell=/bin/sh --command '/srv/job now' beam", True),
        ("runuser -g games -c '/srv/job' beam", True),
        ("systemd-run -p User=beam /srv/job", True),
        ("systemd-run --property 'User=beam' /srv/job", True),
        ("run0 --user=beam /srv/job", True),
        ("pkexec --user beam /srv/job", True),
        ("chroot --userspec=beam:beam / /srv/job", True),
        ("nsenter -t 1 -S 65997 /srv/job", True),
        ("machinectl shell beam@.host /srv/job", True),
        ("machinectl shell --uid=beam .host /srv/job", True),
        ("su -c beam alice", False),
        ("su -lc 'ls beam' alice", False),
        ("su --command beam alice", False),
        ("systemd-run -p User=beamer /srv/job", False),
        ("chroot / chown beam /srv", False),
        ("machinectl shell alice@beam /srv/job", False),
        ("# su - beam -c /srv/job", False),
        ("su - alice -c 'ls beam'", False),
        ("sudo -u alice beam", False),
        ("su beam2 -c /srv/job", False),
        ("sudo -u beam-web /srv/job", False),
        ("chown beam /srv/x; su alice", False),
        ("/opt/su beam", True),
        ("/opt/visu beam", False),
    ],
)
def test_jobs_of_root_that_become_the_user(line: str, found: bool, tmp_path: Path) -> None:
    (tmp_path / "job").write_text(f"#!/bin/sh\n{line}\n")
    with mock.patch.multiple(jobs_of_node_users, SYSTEM_CRON=(), AT=(), CRON=(), OF_ROOT=(f"{tmp_path}/*",), LINGER="/nonexistent/{}"):
        assert jobs_of_node_users.of(BEAM) == ([f"{tmp_path}/job"] if found else [])


def test_a_service_of_root_that_becomes_the_user(tmp_path: Path) -> None:
    (tmp_path / "job.service").write_text("[Service]\nExecStart=/usr/sbin/runuser -u beam -- /srv/job\n")
    (tmp_path / "web.service").write_text("[Service]\nExecStart=/usr/sbin/runuser -u www-data -- /srv/job\n")
    with mock.patch.multiple(jobs_of_node_users, UNITS=(str(tmp_path),)):
        assert [one["name"] for one in jobs_of_node_users.units_of(BEAM)] == ["job.service"]


def test_services_that_run_as_the_user(tmp_path: Path) -> None:
    for name, text in {
        "beam.service": "[Service]\nUser=beam\n", "job.service": "[Service]\nUser = 65997\n", "web.service": "[Service]\nUser=www-data\n",
        "db.service.d/x.conf": "[Service]\nUser=beam\n", "old.service": "[Service]\n#User=beam\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    # An alias (Alias=) is the same unit.
    (tmp_path / "node.service").symlink_to(tmp_path / "beam.service")
    (tmp_path / "shop.service").write_text("[Service]\nUser=beam\n")
    (tmp_path / "shop.service.d").mkdir()
    # Anybody can give a unit a file of that name: which units are nodes, the plan says.
    (tmp_path / "shop.service.d" / "zzz-beam.conf").write_text("[Service]\n")
    with mock.patch.multiple(jobs_of_node_users, UNITS=(str(tmp_path),)):
        assert sorted(one["name"] for one in jobs_of_node_users.units_of(BEAM)) == ["beam.service", "db.service", "job.service", "shop.service"]


TEMPLATE = "[Service]\nUser=%i\nExecStart=/usr/bin/syncthing\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"usr/sync@.service": TEMPLATE, "etc/multi-user.target.wants/sync@beam.service": ""}, "etc/multi-user.target.wants/sync@beam.service"),
        ({"etc/sync@.service": TEMPLATE, "etc/timers.target.wants/sync@beam.timer": ""}, "etc/timers.target.wants/sync@beam.timer"),
        ({"etc/sync@.service": TEMPLATE, "cgroup/system-sync.slice/sync@beam.service": ""}, "cgroup/system-sync.slice/sync@beam.service"),
        ({"usr/sync@.service": TEMPLATE.replace("%i", "%I"), "etc/x.wants/sync@65997.service": ""}, "etc/x.wants/sync@65997.service"),
        ({"usr/sync@.service": TEMPLATE.replace("User=%i", "ExecStartPre=/sbin/runuser -u %I -- true"), "etc/x.wants/sync@beam.service": ""},
         "etc/x.wants/sync@beam.service"),
        ({"usr/sync@.service": "[Service]\nUser=sync\n", "etc/sync@.service.d/x.conf": TEMPLATE, "etc/x.wants/sync@beam.service": ""},
         "etc/x.wants/sync@beam.service"),
        ({"usr/sync@.service": TEMPLATE, "etc/x.wants/sync@alice.service": ""}, ""),
        ({"usr/sync@.service": TEMPLATE}, ""),
        ({"usr/sync@.service": TEMPLATE.replace("%i", "sync"), "etc/x.wants/sync@beam.service": ""}, ""),
        ({"usr/sync@.service": TEMPLATE, "etc/x.wants/sync@beam.service": "", "etc/sync@beam.service.d/zzz-beam.conf": ""},
         "etc/x.wants/sync@beam.service"),
    ],
)  # fmt: skip
def test_instances_that_run_as_the_user_of_their_name(files: dict[str, str], found: str, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    places: dict[str, Any] = {
        "UNITS": (f"{tmp_path}/etc",), "PACKAGES": (f"{tmp_path}/usr",), "CGROUPS": f"{tmp_path}/cgroup/system-*.slice",
    }
    with mock.patch.multiple(jobs_of_node_users, **places):
        assert [one["path"].replace(f"{tmp_path}/", "") for one in jobs_of_node_users.units_of(BEAM)] == ([found] if found else [])

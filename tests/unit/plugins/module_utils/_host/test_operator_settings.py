# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An operator's files: what is read of them, with its line, and what stays on the host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import operator_settings, units
from ansible_collections.beam.cluster.plugins.module_utils._host.operator_settings import Question


def test_what_leaves_the_host(tmp_path: Path) -> None:
    """Names of a fixed list; values of those that were asked for; nothing of files and blocks of ours."""
    unit, extra, file, ours = (tmp_path / name for name in ("a.service", "env", "product.conf", "zzz-beam.conf"))
    unit.write_text("[Service]\nEnvironment=SECRET=s3cret 'ERL_AFLAGS=-setcookie s3cret'\nAmbientCapabilities=CAP_NET_RAW\n", encoding="utf-8")
    extra.write_text("DATABASE_URL=s3cret\nERL_ZFLAGS=s3cret\n", encoding="utf-8")
    file.write_text(
        "NODENAME=rabbit@a\nPASSWORD=s3cret\n# BEGIN beam.cluster (x)\n. /etc/beam/x -name\n# END beam.cluster (x)\nB=-hidden\n",
        encoding="utf-8",
    )
    ours.write_text("# Managed by beam.cluster (role service)\n[Service]\nEnvironment=ERL_AFLAGS=-name\n", encoding="utf-8")
    question = Question("a.service", ((str(tmp_path / "*.conf"), "shell"), (str(tmp_path / "gone"), "shell")), frozenset({"NODENAME"}))
    shown = {"fragment": str(unit), "drop_ins": [str(ours)], "environment_files": [f"-{extra}", "/nonexistent"]}
    found = operator_settings.settings([question], {"a.service": shown})
    assert "s3cret" not in json.dumps(found)
    assert [(one["path"], one["line"], one["name"], one["value"]) for one in found] == [
        (str(unit), 2, "ERL_AFLAGS", None),
        (str(unit), 2, "-setcookie", None),
        (str(unit), 3, "AmbientCapabilities", "CAP_NET_RAW"),
        (str(extra), 2, "ERL_ZFLAGS", None),
        (str(file), 1, "NODENAME", "rabbit@a"),
        (str(file), 6, "-hidden", None),
    ]


@pytest.mark.parametrize(
    ("text", "syntax", "found"),
    [
        ("SPOOL_DIR=/srv/xmpp/db\n", "shell", ["/srv/xmpp/db"]),
        ("BASE=/srv/xmpp\nSPOOL_DIR=\"${BASE}/db\"\nLOGS_DIR=$BASE/log\n", "shell", ["/srv/xmpp/db", "/srv/xmpp/log"]),
        ("PASS='a b'\nSPOOL_DIR=/srv/$PASS/$OTHER\n", "shell", ["/srv/$PASS/$OTHER"]),
        ("ERL_OPTIONS=\"+K true -mnesia dir '\\\"/srv/xmpp/db\\\"'\"\n", "shell", ["/srv/xmpp/db"]),
        ("-mnesia dir '\"/srv/xmpp/db\"'\n-mnesia dump_log_write_threshold 1\n", "arguments", ["/srv/xmpp/db"]),
        ("# -mnesia dir \"/srv/xmpp/db\"\n", "arguments", []),
    ],
)
def test_directories_that_the_files_of_a_stopped_node_name(tmp_path: Path, text: str, syntax: str, found: list[str]) -> None:
    """What a running node writes to is seen in /proc; of a stopped one nothing but its files says it."""
    (tmp_path / "mine").write_text(text, encoding="utf-8")
    question = Question("a.service", ((str(tmp_path / "mine"), syntax),), frozenset({"SPOOL_DIR", "LOGS_DIR", "mnesia.dir"}))
    assert [one["value"] for one in operator_settings.settings([question], None)] == found


def test_what_a_unit_may_write_to_and_what_it_starts() -> None:
    shown = (
        "Id=a.service\nNames=a.service\nFragmentPath=/nonexistent\nRuntimeDirectory=a\nStateDirectory=b:c d\nReadWritePaths=-/data +/srv\n"
        "ExecStart={ path=/opt/a/bin/a ; argv[]=/opt/a/bin/a start ; ignore_errors=no ; start_time=[n/a] }\n"
    )
    found = units.parse(shown)["a.service"]
    assert found["writable"] == ["/data", "/run/a", "/srv", "/var/lib/b", "/var/lib/d"]
    assert (found["program"], found["release"]) == ("/opt/a/bin/a", "/opt/a")
    other = units.parse(shown.replace(" start ;", " eval x ;"))["a.service"]
    assert (other["program"], other["release"]) == ("/opt/a/bin/a", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("StandardOutput=append:/var/log/shop.log\n", True),
        (" StandardError = truncate:/srv/shop/%n.log\n", True),
        ("StandardOutput=journal\nStandardError=inherit\n", False),
        ("# StandardOutput=append:/var/log/shop.log\n", False),
        ("", False),
    ],
)
def test_units_whose_output_systemd_writes_to_a_file(tmp_path: Path, text: str, found: bool) -> None:
    (tmp_path / "mine.conf").write_text(f"[Service]\n{text}", encoding="utf-8")
    units: dict[str, dict[str, object]] = {"shop.service": {"fragment": "/nonexistent", "drop_ins": [str(tmp_path / "mine.conf")]}, "x.service": {}}
    assert operator_settings.redirected(units) == ({"shop.service"} if found else set())

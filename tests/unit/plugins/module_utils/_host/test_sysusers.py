# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of sysusers.d that put users into the groups of nodes, and those that do not."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import sysusers

USERS = {"beam": 990, "alice": 1000, "bob": 1001}
GROUPS = {"beam": (990, ["bob"]), "docker": (999, []), "alice": (1000, [])}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("m alice beam", ("alice", "beam")),
        ("m new beam", ("new", "beam")),
        ("m beam docker", ("beam", "docker")),
        ("m beam unknown", ("beam", "unknown")),
        ("u evil -:beam 'somebody' /", ("evil", "beam")),
        ("u! evil 4711:990", ("evil", "beam")),
        ("m bob beam", None),
        ("m beam beam", None),
        ("m root beam", None),
        ("m alice docker", None),
        ("u alice -:beam", None),
        ("u evil 990", None),
        ("g beam 990", None),
        ("# m alice beam", None),
        ("m alice", None),
    ],
)
def test_what_a_line_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str, found: tuple[str, str] | None) -> None:
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_gid=USERS[name]))
    monkeypatch.setattr(grp, "getgrnam", lambda name: SimpleNamespace(gr_mem=GROUPS[name][1]))
    names = {number: name for name, (number, _members) in GROUPS.items()}
    monkeypatch.setattr(grp, "getgrgid", lambda number: SimpleNamespace(gr_name=names[number]))
    (tmp_path / "x.conf").write_text(f"{line}\n", encoding="utf-8")
    said = sysusers.describe(["beam"], [str(tmp_path)])
    assert said == ([{"user": found[0], "group": found[1], "where": f"{tmp_path}/x.conf"}] if found else [])

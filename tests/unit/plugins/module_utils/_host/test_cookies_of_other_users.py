# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of a node's cookie in the homes of other users: monitoring agents and command line tools have them."""

from __future__ import annotations

import json
from pathlib import Path, PurePath

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import cookies_of_other_users


def write(path: Path, word: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(word, encoding="utf-8")
    path.chmod(0o400)
    return str(path)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = (f"zabbix:x:1:1::{tmp_path}/agents/zabbix:/bin/false", "broken", "other:x:2:2::/nonexistent:/bin/false")
    (tmp_path / "passwd").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(cookies_of_other_users, "PASSWD", str(tmp_path / "passwd"))
    monkeypatch.setattr(cookies_of_other_users, "HOMES", (f"{tmp_path}/root", f"{tmp_path}/lib/*"))
    return tmp_path


def test_copies_in_other_homes(here: Path) -> None:
    write(here / "lib/rabbitmq/.erlang.cookie", "ABCDEFGHIJKLMNOPQRST")
    root = write(here / "root/.erlang.cookie", "ABCDEFGHIJKLMNOPQRST\n")
    agent = write(here / "agents/zabbix/.config/erlang/.erlang.cookie", "ABCDEFGHIJKLMNOPQRST")
    write(here / "lib/prometheus/.erlang.cookie", "ANOTHERCOOKIEOFMINE1")
    (here / "lib/other").symlink_to("rabbitmq")
    (here / "lib/link").mkdir()
    (here / "lib/link/.erlang.cookie").symlink_to(here / "lib/rabbitmq/.erlang.cookie")
    found = cookies_of_other_users.describe({"a.service": {f"{here}/lib/rabbitmq", f"{here}/none"}, "b.service": {f"{here}/none"}})
    assert [(one["unit"], one["path"]) for one in found] == [("a.service", agent), ("a.service", root)]
    assert all(one["owner"] for one in found) and "ABC" not in json.dumps(found)


def test_the_homes_of_users_of_a_directory() -> None:
    """sssd makes /home/DOMAIN/USER, and passwd(5) has none of them."""
    home = PurePath("/home/example.org/alice")
    assert any(home.match(pattern) for pattern in cookies_of_other_users.HOMES)


def test_what_is_no_cookie_has_no_copies(here: Path) -> None:
    write(here / "lib/rabbitmq/.erlang.cookie", "")
    write(here / "root/.erlang.cookie", "")
    assert cookies_of_other_users.describe({"a.service": {f"{here}/lib/rabbitmq"}}) == []

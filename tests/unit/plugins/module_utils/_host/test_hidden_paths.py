# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in homes and in /tmp that settings name: found in every syntax, with their line, and only where the service reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import hidden_paths, operator_settings, units
from ansible_collections.beam.cluster.plugins.module_utils._host.operator_settings import Question

CERTIFICATE = "/home/acme/live/cert.pem"


@pytest.fixture(autouse=True)
def everything_exists(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """But what has 'missing' in its name."""
    with monkeypatch.context() as patched:
        patched.setattr(hidden_paths, "_exists", lambda path: "missing" not in path)
        yield


@pytest.mark.parametrize(
    ("syntax", "text", "expected"),
    [
        ("conf", f"# ssl_options.keyfile = /home/a\nssl_options.certfile = {CERTIFICATE}\n", [(2, CERTIFICATE)]),
        ("conf", "load_definitions = /tmp/definitions.json\n", [(1, "/tmp/definitions.json")]),
        ("conf", "log.dir = /srv/home/x\nurl = https://example.org/home/x\n", []),
        ("yaml", "certfiles:\n  - /home/acme/live/*.pem\n", [(2, "/home/acme/live/*.pem")]),
        ("yaml", 'sql_server: "unix:/tmp/mysql.sock"\n', [(1, "/tmp/mysql.sock")]),
        ("terms", f'[{{rabbit, [\n  %% /home/x\n  {{cacertfile, "{CERTIFICATE}"}}]}}].\n', [(3, CERTIFICATE)]),
        ("shell", "A=/home/missing\nexport PLUGINS_DIR=/usr/lib/p:/home/mq/plugins  # /home/x\n", [(2, "/home/mq/plugins")]),
        ("variables", "CERT=/run/user/1000/x\nRELEASE_TMP=/tmp/shop\n", [(1, "/run/user/1000/x")]),
        ("unit", "[Service]\nEnvironmentFile=/home/a\nExecStart=/home/b\nExecStartPre=-/home/c/prepare\n", [(4, "/home/c/prepare")]),
        ("unit", "[Service]\nEnvironment=A=1 \\\n  CERT=/home/c/x\nReadWritePaths=/home/d\n", [(3, "/home/c/x")]),
        ("unit", "[Service]\n# ExecStartPre=/home/c\n", []),
    ],
)
def test_a_path_in_each_syntax(tmp_path: Path, syntax: str, text: str, expected: list[tuple[int, str]]) -> None:
    (tmp_path / "file").write_text(text, encoding="utf-8")
    found = operator_settings.settings([Question("x.service", ((str(tmp_path / "file"), syntax),))], {"x.service": {"user": ""}})
    assert [(one["line"], one["value"]) for one in found if one["kind"] == "path"] == expected


@pytest.mark.parametrize(
    ("mode", "owner", "user", "expected"),
    [(0o755, 0, "nobody", True), (0o700, 0, "nobody", False), (0o700, 65534, "nobody", True), (0o710, 0, "nobody", True), (0o700, 0, "", True),
     (0o755, 0, "no-such-account", False)],
)  # fmt: skip
def test_a_directory_that_is_closed_to_the_service(monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, user: str, expected: bool) -> None:
    closed = SimpleNamespace(st_mode=mode, st_uid=owner)
    monkeypatch.setattr(hidden_paths.os, "stat", lambda path: closed if path == "/home/a" else SimpleNamespace(st_mode=0o755, st_uid=0))
    monkeypatch.setattr(hidden_paths.pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid={"nobody": 65534}[name]))
    assert hidden_paths._reaches(user, "/home/a/b/key.pem") is expected


def test_a_link_into_a_home(tmp_path: Path) -> None:
    (tmp_path / "home" / "bin").mkdir(parents=True)
    (tmp_path / "srv").symlink_to(tmp_path / "home")
    start = f"ExecStart={{ path={tmp_path}/srv/bin/shop ; argv[]={tmp_path}/srv/bin/shop start ; ignore_errors=no ; }}"
    unit = units.parse(f"Id=shop.service\nLoadState=loaded\nWorkingDirectory=!{tmp_path}/srv\n{start}\n")["shop.service"]
    assert unit["leads_to"] == [f"{tmp_path}/home", f"{tmp_path}/home/bin/shop"]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of products: by an allow list, and without a password in what leaves the host."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import product_files, product_settings
from ansible_collections.beam.cluster.plugins.module_utils._host.product_files import ProductFiles


def rabbitmq(conf: str = "", terms: str = "", **variables: str) -> dict[str, str]:
    found = product_settings.rabbitmq(ProductFiles({"/r.conf": conf}, {"/a.config": terms} if terms else {}), variables)
    assert "s3cretpassword" not in repr(found)
    return found


@pytest.mark.parametrize(
    ("conf", "terms", "said"),
    [
        ("loopback_users = none\ndefault_pass = s3cretpassword\n# anonymous_login_user = x\n", "", {"loopback_users": "none"}),
        ("loopback_users.guest = false\nanonymous_login_user = none\n", "", {"loopback_users.guest": "false", "anonymous_login_user": "none"}),
        ("", "[{rabbit, [{loopback_users, []}]}].", {"loopback_users": "none", "loopback_users.guest": "false"}),
        ("", '[{rabbit, [{loopback_users, [<<"bob">>]}]}].', {"loopback_users": "some", "loopback_users.guest": "false"}),
        ("loopback_users = none\n", '[{rabbit, [{loopback_users, [<<"guest">>]}]}].', {"loopback_users": "some", "loopback_users.guest": "true"}),
        ("", '[{rabbit, [{anonymous_login_user, <<"eve">>}]}, {other, [x]}].', {"anonymous_login_user": "eve"}),
        ("", "[{rabbit, [{anonymous_login_user, none}]}].", {"anonymous_login_user": "none"}),
        ("", "[{rabbit, fun() -> x end}].", {"unread": "/a.config"}),
    ],
)
def test_settings_of_rabbitmq(conf: str, terms: str, said: dict[str, str]) -> None:
    assert rabbitmq(conf, terms) == said


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ("default_user = bob\ndefault_pass = changeme\n", "bob in /r.conf"),
        ("default_user = bob\ndefault_pass = Bob\n", "bob in /r.conf"),
        ("default_pass = guest\n", "guest in /r.conf"),
        ("default_user = bob\ndefault_pass = s3cretpassword\n", None),
        ("#default_pass = changeme\n", None),
    ],
)
def test_default_passwords(conf: str, said: str | None) -> None:
    assert rabbitmq(conf).get("known_logins") == said


def test_a_default_password_of_the_environment() -> None:
    found = rabbitmq(RABBITMQ_DEFAULT_USER="bob", RABBITMQ_DEFAULT_PASS="changeme")
    assert found["known_logins"] == "bob in the variable RABBITMQ_DEFAULT_PASS"


def hashed(word: str, kind: str = "sha256") -> str:
    salt = b"\x01\x02\x03\x04"
    return base64.b64encode(salt + hashlib.new(kind, salt + word.encode()).digest()).decode()


def test_users_of_definitions(tmp_path: Path) -> None:
    users = [
        {"name": "guest", "password_hash": hashed("guest")},
        {"name": "app", "password_hash": hashed("changeme", "sha512"), "hashing_algorithm": "rabbit_password_hashing_sha512"},
        {"name": "same", "password_hash": hashed("same")},
        {"name": "plain", "password": "secret"},
        {"name": "good", "password_hash": hashed("s3cretpassword")},
        {"name": "none", "password_hash": ""},
        {"name": "odd", "password_hash": "no base64!"},
    ]
    (tmp_path / "d").mkdir()
    path = tmp_path / "d" / "x.json"
    path.write_text(json.dumps({"users": users}))
    wanted = "; ".join(f"{name} in {path}" for name in ("guest", "app", "same", "plain"))
    assert rabbitmq(f"load_definitions = {path}\n") == {"known_logins": wanted}
    assert rabbitmq(f"definitions.local.path = {tmp_path}/d\n") == {"known_logins": wanted}
    assert rabbitmq(f"load_definitions = {tmp_path}/none.json\n") == {"unread": f"{tmp_path}/none.json"}
    path.write_text("[]")
    assert rabbitmq(f"load_definitions = {path}\n") == {"unread": str(path)}


def test_settings_of_ejabberd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ejabberd.yml"
    path.write_text("hosts:\n  - x\nloglevel: 5 # for now\nsql_password: s3cretpassword\n")
    found = product_settings.describe({"ejabberd": {"EJABBERD_CONFIG_PATH": str(path)}})
    assert found["ejabberd"]["loglevel"] == "5" and "s3cretpassword" not in repr(found)
    gone = product_settings.describe({"ejabberd": {"EJABBERD_CONFIG_PATH": f"{tmp_path}/gone.yml"}})
    assert gone["ejabberd"]["unread"].endswith("gone.yml")


@pytest.mark.parametrize(
    "words",
    [
        "include_config_file: {0}/more.yml",
        'include_config_file: ["{0}/more.yml"]',
        "include_config_file:\n  - {0}/more.yml",
        'include_config_file:\n  "more.yml":\n    allow_only: [x]',
        "include_config_file: {0}/secrets\nacl: {{}}",
    ],
)
def test_included_files_of_ejabberd_count_and_a_mode_counts_in_a_closed_directory(words: str, tmp_path: Path) -> None:
    path, more = tmp_path / "ejabberd.yml", tmp_path / ("secrets" if "secrets" in words else "more.yml")
    path.write_text(f"hosts: [x]\n{words.format(tmp_path)}\nacl: {{}}\n")
    more.write_text("loglevel: debug\n")
    path.chmod(0o600)
    more.chmod(0o644)
    tmp_path.chmod(0o700)
    found = product_settings.describe({"ejabberd": {"EJABBERD_CONFIG_PATH": str(path)}})
    assert found == {"ejabberd": {"loglevel": "debug", "open": str(more)}}


def test_variables_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    pairs = ("RABBITMQ_CONFIG_FILE=/a", "RABBITMQ_DEFAULT_PASS=x", "RABBITMQ_ERLANG_COOKIE=c", "EJABBERD_CONFIG_PATH=/b", "A=1", "")
    (tmp_path / "7" / "environ").write_bytes("\0".join(pairs).encode())
    assert product_files.variables_of(7, str(tmp_path)) == {"RABBITMQ_CONFIG_FILE": "/a", "RABBITMQ_DEFAULT_PASS": "x", "EJABBERD_CONFIG_PATH": "/b"}


def test_plugins_of_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_settings, "PLUGINS", str(tmp_path / "enabled_plugins"))
    assert "plugins" not in product_settings.describe({"rabbitmq": {}})["rabbitmq"]
    (tmp_path / "enabled_plugins").write_text("% rabbitmq_management\n[rabbitmq_prometheus,rabbitmq_management_agent].\n")
    assert product_settings.describe({"rabbitmq": {}})["rabbitmq"]["plugins"] == "rabbitmq_prometheus"
    assert rabbitmq("management.tcp.ip = 127.0.0.1\n") == {"management.tcp.ip": "127.0.0.1"}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which ports of a product are in clear text, by its configuration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import client_ports, product_files
from ansible_collections.beam.cluster.plugins.module_utils._host.product_files import ProductFiles
from ansible_collections.beam.cluster.plugins.module_utils._model.client_port_facts import parse_all


def rabbitmq(conf: str = "", terms: str = "") -> dict[int, tuple[str, str]]:
    found = client_ports.rabbitmq(ProductFiles({"/r.conf": conf}, {"/a.config": terms} if terms else {}))
    return {one["port"]: (one["protocol"], one["tls"]) for one in found["ports"]}


@pytest.mark.parametrize(
    ("conf", "port", "said"),
    [
        ("", 5672, ("AMQP", "no")),
        ("", 1883, ("MQTT", "no")),
        ("listeners.tcp.default = 127.0.0.1:5673 # inner\n", 5673, ("AMQP", "no")),
        ("listeners.tcp.default = 5673\n", 5672, None),
        ("#listeners.ssl.default = 5672\n", 5672, ("AMQP", "no")),
        ("listeners.tcp = none\nlisteners.ssl.default = :::5672\n", 5672, ("AMQP", "yes")),
        ("listeners.ssl.default = 5671\n", 5671, ("AMQP", "yes")),
        ("mqtt.listeners.ssl.1 = 8883\nmqtt.listeners.tcp.x = [::]:1884\n", 1884, ("MQTT", "no")),
        ("stomp.listeners.tcp.1 = 61700\n", 61700, ("STOMP", "no")),
        ("web_mqtt.ssl.port = 15675\n", 15675, ("MQTT over WebSockets", "yes")),
        ("management.tcp.port = 8080\n", 8080, ("the management interface", "no")),
        ("management.ssl.port = 15672\n", 15672, ("the management interface", "yes")),
    ],
)
def test_rabbitmq_conf(conf: str, port: int, said: tuple[str, str] | None) -> None:
    assert rabbitmq(conf).get(port) == said


@pytest.mark.parametrize(
    ("terms", "port", "said"),
    [
        ('[{rabbit, [{tcp_listeners, [{"0.0.0.0", 5700}]}]}].', 5700, ("AMQP", "no")),
        ("[{rabbit, [{tcp_listeners, []}, {ssl_listeners, [5672]}]}].", 5672, ("AMQP", "yes")),
        ("[{rabbitmq_management, [{listener, [{port, 15672}, {ssl, true}]}]}].", 15672, ("the management interface", "yes")),
        ("[{rabbitmq_web_stomp, [{tcp_config, [{port, 99}]}]}].", 99, ("STOMP over WebSockets", "no")),
    ],
)
def test_files_of_terms(terms: str, port: int, said: tuple[str, str]) -> None:
    assert rabbitmq("", terms).get(port) == said


def test_terms_that_are_none_are_said() -> None:
    assert client_ports.rabbitmq(ProductFiles({}, {"/a.config": "[{rabbit, fun() -> x end}]."}))["unread"] == "/a.config"


def test_files_that_variables_name(tmp_path: Path) -> None:
    (tmp_path / "rabbitmq.conf").write_text("listeners.tcp.default = 1\n")
    (tmp_path / "other.conf").write_text("listeners.tcp.default = 2\n")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "9.conf").write_text("listeners.tcp.default = 3\n")
    (tmp_path / "advanced.config").write_text("[].")
    found = product_files.rabbitmq({}, str(tmp_path))
    assert [os.path.basename(path) for path in (*found.texts, *found.terms)] == ["rabbitmq.conf", "9.conf", "advanced.config"]
    assert list(product_files.rabbitmq({"RABBITMQ_CONFIG_FILE": f"{tmp_path}/other"}, str(tmp_path)).texts)[0].endswith("other.conf")
    (tmp_path / "rabbitmq-env.conf").write_text(f"CONFIG_FILE={tmp_path}/other.conf\n")
    assert list(product_files.rabbitmq({}, str(tmp_path)).texts)[0].endswith("other.conf")
    (tmp_path / "rabbitmq-env.conf").write_text("CONFIG_FILE=$HOME/other.conf\n")
    assert product_files.rabbitmq({}, str(tmp_path)).unread == "CONFIG_FILE=$HOME/other.conf"


BLOCK = """\
loglevel: info
listen:
  -
    port: 5222
    ip: "::"
    module: ejabberd_c2s
    starttls: true
  -
    port: 5280   # proxied
    module: ejabberd_http
    request_handlers:
      "/admin": ejabberd_web_admin
      /api: mod_http_api
  - {port: 1883, ip: "::", module: mod_mqtt}
  - {port: 5443, module: ejabberd_http, tls: true, request_handlers: {/api: mod_http_api}}
  - {port: 80, module: ejabberd_http, request_handlers: {/.well-known/acme-challenge: ejabberd_acme}}
  - {port: 3478, transport: udp, module: ejabberd_stun}
  -
    port: 5269
    module: ejabberd_s2s_in
modules:
  mod_proxy65:
    access: local
"""


def ejabberd(text: str) -> dict[str, object]:
    return client_ports.ejabberd(ProductFiles({"/e.yml": text}, {}))


def test_listeners_of_ejabberd() -> None:
    found = parse_all({"ejabberd": ejabberd(BLOCK)})
    assert found is not None and not found["ejabberd"].unread
    assert {one.port: (one.tls, one.commands) for one in found["ejabberd"].ports} == {
        5222: ("optional", False),
        5280: ("no", True),
        1883: ("no", False),
        5443: ("yes", True),
        80: ("yes", False),
        5269: ("optional", False),
        7777: ("yes", False),
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BLOCK.replace("starttls: true", "starttls_required: true"), "yes"),
        (BLOCK.replace("starttls: true", "tls: true"), "yes"),
        (BLOCK.replace("starttls: true", "access: c2s"), "no"),
        (BLOCK.replace("  -\n", "-\n"), "optional"),
    ],
)
def test_tls_of_clients(text: str, said: str) -> None:
    (found,) = [one for one in ejabberd(text)["ports"] if one["port"] == 5222]  # type: ignore[attr-defined]
    assert found["tls"] == said


def test_tls_of_servers() -> None:
    (found,) = [one for one in ejabberd(f"s2s_use_starttls: required_trusted\n{BLOCK}")["ports"] if one["port"] == 5269]  # type: ignore[attr-defined]
    assert found["tls"] == "yes"


@pytest.mark.parametrize("text", ["listen: []\ninclude_config_file: x\n", "listen:\n  - {port: PORT, module: ejabberd_c2s}\n", "listen: [a]\n"])
def test_what_is_not_understood_is_said(text: str) -> None:
    assert ejabberd(text)["unread"]


def test_products_without_a_configuration_that_is_read() -> None:
    said = client_ports.describe({"emqx": {}, "livebook": {}})
    assert list(said) == ["emqx"] and (1883, "no") in [(one["port"], one["tls"]) for one in said["emqx"]["ports"]]

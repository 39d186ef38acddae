# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A product that listens without options and gives them to OTP at the handshake, as RabbitMQ before 3.12.7 does for its streams.

OTP 25 loses such a server where the options list TLS 1.3 alone. What the role writes for it is spoken to here as that product speaks.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.template import Templar, trust_as_template
from rendering import render
from test_distribution_check_files import Authority, prove

ROLES = Path(__file__).resolve().parents[2] / "roles"
RABBITMQ = yaml.safe_load((ROLES / "product/products/rabbitmq/vars.yml").read_text(encoding="utf-8"))["__beam_product"]
ERLANG = yaml.safe_load((ROLES / "product/products/erlang/vars.yml").read_text(encoding="utf-8"))["__beam_product"]
VARS = yaml.safe_load((ROLES / "distribution/vars/main.yml").read_text(encoding="utf-8"))
# What the server and then the client come to, in the versions that the client is told.
STREAM = """#!/usr/bin/env escript
main([File, Versions]) ->
    logger:set_primary_config(level, none),
    {ok, _} = application:ensure_all_started(ssl),
    {ok, [[{server, Server}, {client, Client}]]} = file:consult(File),
    Told = [list_to_atom(Version) || Version <- string:lexemes(Versions, ",")],
    {ok, Listen} = ssl:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, {_, Port}} = ssl:sockname(Listen),
    Self = self(),
    spawn(fun() ->
        {ok, Socket} = ssl:transport_accept(Listen, 5000),
        Self ! {server, try element(1, ssl:handshake(Socket, Server, 5000)) catch _:_ -> lost end},
        receive never -> ok end
    end),
    Options = [{server_name_indication, "n1"}, {versions, Told} | lists:keydelete(versions, 1, Client)],
    Connected = ssl:connect({127, 0, 0, 1}, Port, Options, 5000),
    Said = case Connected of
        {ok, Session} -> {ok, [{protocol, Version}]} = ssl:connection_information(Session, [protocol]), Version;
        {error, {tls_alert, {Alert, _}}} -> Alert;
        {error, Reason} -> Reason
    end,
    receive {server, Result} -> io:format("~p ~p~n", [Result, Said]) after 10000 -> io:format("stuck ~p~n", [Said]) end.
"""


def late(product: dict[str, Any], release: str, versions: list[str]) -> bool:
    """Whether the role takes the product for such a one, on a host with this OTP."""
    variables = {"beam_plan": {"tls_versions": versions}, "__beam_distribution_product": product, "__beam_distribution_release": release}
    return Templar(variables=variables).template(trust_as_template(VARS["__beam_distribution_late_tls_options"].strip()))


@pytest.mark.parametrize(
    ("product", "release", "versions", "expected"),
    [
        (RABBITMQ, "25.2.3", ["tlsv1.3"], True),
        (RABBITMQ, "27.3.4", ["tlsv1.3"], False),
        (RABBITMQ, "27.999", ["tlsv1.3"], False),
        (RABBITMQ, "25.2.3", ["tlsv1.3", "tlsv1.2"], False),
        (ERLANG, "25.2.3", ["tlsv1.3"], False),
    ],
)
def test_only_where_it_is_needed(product: dict[str, Any], release: str, versions: list[str], expected: bool) -> None:
    assert late(product, release, versions) is expected


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The options as the role writes them for such a product."""
    authority = Authority(tmp_path / "tls")
    authority.issue("n1")
    path = tmp_path / "ssl_dist.conf"
    plan = {"tls_versions": ["tlsv1.3"], "crl": False}
    values = {"__beam_node": {"directory": str(tmp_path)}, "beam_plan": plan, "__beam_distribution_late_tls_options": True}
    path.write_text(render(ROLES / "distribution/templates", "ssl_dist.conf", values), encoding="utf-8")
    return path


def stream(options: Path, versions: str) -> str:
    script = options.parent / "stream.escript"
    script.write_text(STREAM, encoding="utf-8")
    escript = shutil.which("escript")
    assert escript, "these tests need OTP: the package erlang-base with erlang-ssl"
    return subprocess.run([escript, str(script), str(options), versions], capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_a_late_listener_speaks_tls_1_3_and_nothing_else(told: Path) -> None:
    assert prove("tls", told, "n1") == (0, "")
    assert stream(told, "tlsv1.3") == "ok 'tlsv1.3'"
    assert stream(told, "tlsv1.3,tlsv1.2") == "ok 'tlsv1.3'"
    assert stream(told, "tlsv1.2") == "error insufficient_security"

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What forwards connections to the ports of a node, in all the ways in which programs and rules say so."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import forwards, proc

WANTED = ("10.0.0.1", 9100)


@pytest.mark.parametrize(
    "text",
    [
        "socat TCP-LISTEN:9200,fork,reuseaddr TCP:10.0.0.1:9100",
        "socat TCP4-LISTEN:9200,fork TCP4:10.0.0.1:9100,connect-timeout=3",
        "ssh -N -L 0.0.0.0:9200:10.0.0.1:9100 gateway",
        "ncat -lk 9200 -c 'ncat 10.0.0.1 9100'",
        "/usr/lib/systemd/systemd-socket-proxyd 10.0.0.1:9100",
        "redir :9200 10.0.0.1:9100",
        "0.0.0.0 9200 10.0.0.1 9100",
        "    server n1 10.0.0.1:9100 check",
        "    proxy_pass 10.0.0.1:9100;",
        "connect = 10.0.0.1:9100",
        "redirect = 10.0.0.1 9100",
        "upstream nodes { server 10.0.0.1:9100; server 10.0.0.2:9100; }",
    ],
)
def test_every_way_to_name_an_address_and_a_port(text: str) -> None:
    assert WANTED in forwards.pairs(text)


def test_other_words_are_no_addresses() -> None:
    assert forwards.pairs("TCP6:[2001:DB8::1]:9100 localhost:4369") == {("2001:db8::1", 9100), ("localhost", 4369)}
    assert forwards.pairs("version 10.0.0.1 2026-11-26 10.0.0.1:91000x 1.2:9100.5") == set()


def rule(*expr: dict[str, Any]) -> dict[str, Any]:
    return {"rule": {"family": "ip", "table": "nat", "chain": "pre", "expr": list(expr)}}


DPORT = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 9200}}


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ([DPORT, {"dnat": {"addr": "10.0.0.2", "port": 9100}}], [("a rule with dnat", "10.0.0.2", 9100)]),
        ([DPORT, {"dnat": {"addr": "10.0.0.2"}}], [("a rule with dnat", "10.0.0.2", 9200)]),
        ([DPORT, {"redirect": {"port": 4369}}], [("a rule with redirect", None, 4369)]),
        ([DPORT, {"redirect": None}], [("a rule with redirect", None, 9200)]),
        ([DPORT, {"tproxy": {"addr": "127.0.0.1", "port": 9100}}], [("a rule with tproxy", "127.0.0.1", 9100)]),
        ([DPORT, {"dnat": {"addr": {"map": {}}, "port": {"range": [9100, 9100]}}}], [("a rule with dnat", None, 9100)]),
        ([DPORT, {"accept": None}], []),
        ([{"masquerade": None}], []),
    ],
)
def test_rules_of_nftables(expr: list[dict[str, Any]], found: list[tuple[str, str | None, int]]) -> None:
    assert [(by, address, port) for by, _where, address, port in forwards.of_rules([rule(*expr), {"table": {"name": "nat"}}])] == found


def test_rules_of_iptables() -> None:
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -p tcp -m tcp --dport 9200 -j DNAT --to-destination 10.0.0.2:9100\n"
        "-A PREROUTING -p tcp -m tcp --dport 9100 -j DNAT --to-destination 10.0.0.3\n"
        "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 4369\n"
        "-A POSTROUTING -j MASQUERADE\nCOMMIT\n"
    )
    assert [one[2:] for one in forwards.of_saved(text, "iptables")] == [("10.0.0.2", 9100), ("10.0.0.3", 9100), (None, 4369)]


def test_a_program_that_listens_and_names_a_port_in_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, "TCP:localhost:9100", "TCP:localhost:9101"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None and program.stdin is not None
        port = int(program.stdout.readline())
        listeners = [one for one in proc.listeners() or () if one["port"] == port]
        monkeypatch.setattr(forwards, "_socket_proxies", lambda: iter(()))
        found = forwards.describe([], listeners, {9100, 4369})
        program.stdin.close()
    assert found is not None
    assert [(one["where"], one["address"], one["port"]) for one in found] == [("its arguments", "127.0.0.1", 9100)]
    assert str(program.pid) in str(found[0]["by"])
    assert forwards.describe([], None, {9100}) is None


def test_configuration_files_of_programs_and_units_that_start_on_demand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text("# server old 10.0.0.9:9100\nserver n1 10.0.0.1:9100\n", encoding="utf-8")
    (tmp_path / "a.service").write_text(f"[Service]\nExecStart=/lib/systemd/{forwards.SOCKET_PROXY} 127.0.0.1:4369\n", encoding="utf-8")
    monkeypatch.setattr(forwards, "CONFIGURATIONS", {"": (f"{tmp_path}/*.cfg",)})
    monkeypatch.setattr(forwards, "_UNITS", (f"{tmp_path}/*.service",))
    with socket.create_server(("127.0.0.1", 0)) as server:
        own = [one for one in proc.listeners() or () if one["port"] == server.getsockname()[1]]
        found = forwards.describe([], own, {9100, 4369})
    said = {(str(one["where"]).rpartition("/")[2], one["address"], one["port"]) for one in found or ()}
    assert said == {("a.cfg", "10.0.0.1", 9100), ("a.service", "127.0.0.1", 4369)}

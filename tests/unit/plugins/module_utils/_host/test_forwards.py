# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What forwards connections to the ports of a node, in all the ways in which programs and rules say so."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import forwarding_rules, forwards, proc, relays

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
    assert forwards.pairs("socat TCP-LISTEN:9,fork TCP:127.0.0.1:epmd") == {("127.0.0.1", 4369)}
    assert forwards.pairs("version 10.0.0.1 2026-11-26 10.0.0.1:91000x 1.2:9100.5") == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{ name: "tls"; host: "10.0.0.1"; port: "9100"; }', {("10.0.0.1", 9100)}),
        ('socket_address: {address: 127.0.0.1, port_value: 9100}', {("127.0.0.1", 9100)}),
        ('socket_address:\n  address: 127.0.0.1\n  port_value: 9100\n', {("127.0.0.1", 9100)}),
        ('localIP = "10.0.0.1"\nlocalPort = 9100\nremotePort = 9101\n', {("10.0.0.1", 9100)}),
        ("[x]\nlocal_port = 9100\nremote_port = 9101\n", {(None, 9100)}),
        ("connect = 9100\n", {(None, 9100)}),
        ("tunnels:\n  x:\n    addr: 9100\n    proto: tcp\n", {(None, 9100)}),
        ("HiddenServicePort 9100\n", {(None, 9100)}),
        ("HiddenServicePort 9100 10.9.9.9:80\nbindPort = 9100\nserverPort = 9100\nremotePort = 9100\nlisten 9100;\n", set()),
    ],
)
def test_addresses_and_ports_with_keys(text: str, found: set[tuple[str | None, int]]) -> None:
    assert forwards.keyed(text) == found


def rule(*expr: dict[str, Any]) -> dict[str, Any]:
    return {"rule": {"family": "ip", "table": "nat", "chain": "pre", "expr": list(expr)}}


KEY = {"payload": {"protocol": "tcp", "field": "dport"}}
NAMED: list[dict[str, Any]] = [
    {"set": {"family": "ip", "table": "nat", "name": "s", "elem": [9100]}},
    {"map": {"family": "ip", "table": "nat", "name": "m", "elem": [[9871, {"concat": ["10.0.0.4", 9100]}]]}},
]


def _raw(base: str, first: int, length: int, value: object = 0) -> dict[str, Any]:
    return {"mangle": {"key": {"payload": {"base": base, "offset": first, "len": length}}, "value": value}}


def _only(key: str, right: object) -> dict[str, Any]:
    return {"match": {"op": "==", "left": {"meta": {"key": key}}, "right": right}}


def _set(field: str, value: object) -> dict[str, Any]:
    return {"mangle": {"key": {"payload": {"protocol": "tcp" if field in ("sport", "dport") else "ip", "field": field}}, "value": value}}


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
        ([DPORT, _set("dport", 9100)], [("a rule that rewrites packets", None, 9100)]),
        ([DPORT, _raw("th", 16, 16, 9100)], [("a rule that rewrites packets", None, 9100)]),
        ([DPORT, _raw("th", 0, 32, 0x238C << 16 | 9100)], [("a rule that rewrites packets", None, 9100)]),
        ([DPORT, _raw("th", 24, 8, 0x8C)], [("a rule that rewrites packets", None, 9200)]),
        ([DPORT, _raw("nh", 176, 16, 9100)], [("a rule that rewrites packets", None, 9100)]),
        ([DPORT, _raw("nh", 128, 32, 0x0A000002)], [("a rule that rewrites packets", "10.0.0.2", 9200)]),
        ([DPORT, _raw("nh", 128, 8, 10)], [("a rule that rewrites packets", None, 9200)]),
        ([DPORT, _raw("ll", 240, 32, 0x0A000002)], [("a rule that rewrites packets", "10.0.0.2", 9200)]),
        ([_raw("ll", 272, 16)], [("a rule that rewrites packets", None, None)]),
        # The answers of a connection that was led to another port.
        ([{"match": {**DPORT["match"], "left": _set("sport", 0)["mangle"]["key"], "right": 9100}}, _set("sport", 9999)],
         [("a rule that rewrites packets", None, 9100)]),
        ([DPORT, _raw("nh", 64, 8, 64), _raw("nh", 8, 8), _raw("ll", 0, 96), _raw("th", 32, 64), _raw("nh", 96, 32)], []),
        # Another range than one of ports may be any size.
        ([_only("mark", {"range": [0, 2**32 - 1]}), DPORT, {"redirect": None}], [("a rule with redirect", None, 9200)]),
        ([_only("l4proto", "udp"), _raw("th", 0, 32)], []),
        ([_only("l4proto", {"set": [6, 17]}), _raw("th", 16, 16, 9100)], [("a rule that rewrites packets", None, 9100)]),
        ([{"mangle": {"key": {"payload": {"protocol": "udp", "field": "dport"}}, "value": 4369}}], []),
        ([{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 53}}, {"dnat": {"addr": "10.0.0.2"}}], []),
        ([DPORT, _set("daddr", "10.0.0.2")], [("a rule that rewrites packets", "10.0.0.2", 9200)]),
        ([_set("daddr", "10.0.0.2")], [("a rule that rewrites packets", "10.0.0.2", None)]),
        ([DPORT, _set("dscp", "cs0")], []),
        ([DPORT, {"accept": None}], []),
        ([{"masquerade": None}], []),
        # A rule that names no port is about all of them, and a map has one target for each of its elements.
        ([{"dnat": {"addr": "10.0.0.2"}}], [("a rule with dnat", "10.0.0.2", None)]),
        ([{"match": {**DPORT["match"], "op": "!=", "right": 22}}, {"dnat": {"addr": "10.0.0.2"}}], [("a rule with dnat", "10.0.0.2", None)]),
        ([{"match": {**DPORT["match"], "right": "@s"}}, {"dnat": {"addr": "10.0.0.2"}}], [("a rule with dnat", "10.0.0.2", 9100)]),
        (
            [{"dnat": {"addr": {"map": {"key": KEY, "data": {"set": [[9879, {"concat": ["10.0.0.2", 9100]}], [4369, "10.0.0.3"]]}}}}}],
            [("a rule with dnat", "10.0.0.2", 9100), ("a rule with dnat", "10.0.0.3", 4369)],
        ),
        ([{"dnat": {"addr": {"map": {"key": KEY, "data": "@m"}}}}], [("a rule with dnat", "10.0.0.4", 9100)]),
        ([DPORT, {"dnat": {"addr": "10.0.0.2", "port": {"map": {"data": {"set": [[1, 9100]]}}}}}], [("a rule with dnat", "10.0.0.2", 9100)]),
        (
            [DPORT, {"dnat": {"addr": {"range": ["10.0.0.2", "10.0.0.3"]}, "port": 9100}}],
            [("a rule with dnat", "10.0.0.2", 9100), ("a rule with dnat", "10.0.0.3", 9100)],
        ),
    ],
)
def test_rules_of_nftables(expr: list[dict[str, Any]], found: list[tuple[str, str | None, int | None]]) -> None:
    objects: list[Mapping[str, Any]] = [rule(*expr), {"table": {"name": "nat"}}, *NAMED]
    assert list(dict.fromkeys((by, address, port) for by, _where, address, port in forwarding_rules.of_rules(objects))) == found


def test_bits_of_addresses_of_ipv6() -> None:
    """In a table of both versions a write is taken for that of both."""
    v6 = int(ipaddress.IPv6Address("fd00::2"))
    for family, extra in (("ip6", []), ("inet", [_only("nfproto", "ipv6")]), ("bridge", [_only("protocol", "ip6")])):
        one = {"rule": {"family": family, "table": "t", "chain": "c", "expr": [*extra, _raw("nh", 192, 128, v6)]}}
        assert [found[2:] for found in forwarding_rules.of_rules([one])] == [("fd00::2", None)]
        source = {"rule": {**one["rule"], "expr": [*extra, _raw("nh", 64, 128, v6)]}}
        assert list(forwarding_rules.of_rules([source])) == []
        assert forwarding_rules.rewriting([source], OURS) == [f"table {family} t, chain c gives packets another source address"]
    both = {"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [_raw("nh", 128, 32, 0x0A000002)]}}
    assert [found[2:] for found in forwarding_rules.of_rules([both])] == [("10.0.0.2", None)]
    assert len(forwarding_rules.rewriting([both], OURS)) == 1


def test_rules_of_iptables() -> None:
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n"
        "-A PREROUTING -p tcp -m tcp --dport 9200 -j DNAT --to-destination 10.0.0.2:9100\n"
        "-A PREROUTING -p tcp -m tcp --dport 9100 -j DNAT --to-destination 10.0.0.3\n"
        "-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 4369\n"
        "-A POSTROUTING -j MASQUERADE\nCOMMIT\n"
        "-A PREROUTING -i eth1 -j DNAT --to-destination 10.0.0.4\n"
        "-A PREROUTING -p tcp -m multiport --dports 22,4368:4369 -j DNAT --to-destination 10.0.0.5\n"
        "-A PREROUTING -p tcp -m tcp ! --dport 22 -j REDIRECT\n"
        "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.6:9100-9101\n"
    )
    assert [one[2:] for one in forwarding_rules.of_saved(text, "iptables")] == [
        ("10.0.0.2", 9100), ("10.0.0.3", 9100), (None, 4369), ("10.0.0.4", None), ("10.0.0.5", 22), ("10.0.0.5", 4368), ("10.0.0.5", 4369),
        (None, None), ("10.0.0.6", 9100), ("10.0.0.6", 9101),
    ]


def test_rules_of_iptables_in_each_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """TPROXY and DNPT are in mangle, NETMAP is in nat: each program is asked for both tables."""
    saved = {
        ("iptables-save", "mangle"): "-A PREROUTING -p tcp -m tcp --dport 9200 -j TPROXY --on-port 9100 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0\n",
        ("iptables-save", "nat"): "-A PREROUTING -d 10.9.0.0/24 -p tcp -m tcp --dport 9100 -j NETMAP --to 127.0.0.0/24\n",
        ("ip6tables-save", "mangle"): "-A PREROUTING -d fd00:9::/64 -j DNPT --src-pfx fd00:9::/64 --dst-pfx fd00:1::/64\n",
    }
    monkeypatch.setattr(forwarding_rules.commands, "output", lambda program, *words: saved.get((program, words[-1])))
    monkeypatch.setattr(forwarding_rules.proc, "text_of", lambda _path: None)
    found = list(forwarding_rules.of_kernel([rule({"xt": {}})]))
    assert [(by, where.split(",")[0], port) for by, where, _address, port in found] == [
        ("a rule of iptables", "table nat", 9100), ("a rule of iptables", "table mangle", 9100), ("a rule of ip6tables", "table mangle", None),
    ]


def test_virtual_services_of_ipvs() -> None:
    text = (
        "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
        "TCP  C0A80001:2694 rr \n  -> 0A000002:238C      Masq    1      0          0         \n"
        "TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0050 rr\n  -> [fd00:0000:0000:0000:0000:0000:0000:0002]:1111  Route 1 0 0\n"
    )
    assert [one[2:] for one in forwarding_rules.of_ipvs(text)] == [("10.0.0.2", 9100), ("fd00::2", 4369)]


OURS = ("inet", "beam_cluster")
SOURCE = "table ip nat, chain pre gives packets another source address"
LOOPBACK = "table ip nat, chain pre leads packets to the interface lo"


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (_set("saddr", "10.0.0.2"), [SOURCE]),
        (_raw("nh", 96, 32), [SOURCE]),
        (_raw("nh", 104, 24), [SOURCE]),
        (_raw("nh", 64, 64), [SOURCE]),
        (_raw("ll", 208, 32), [SOURCE]),
        (_raw("ll", 240, 16), [SOURCE]),
        ({"fwd": {"dev": "lo"}}, [LOOPBACK]),
        ({"fwd": {"dev": {"map": {"key": {"meta": {"key": "iifname"}}, "data": {"set": [["eth0", "lo"]]}}}}}, [LOOPBACK]),
        ({"dup": {"addr": "lo"}}, [LOOPBACK]),
        ({"dup": {"addr": "10.0.0.9", "dev": "lo"}}, [LOOPBACK]),
        ({"dup": {"addr": "127.0.0.1"}}, [LOOPBACK]),
        ({"dup": {"addr": "10.0.0.1", "dev": "eth0"}}, [LOOPBACK]),
        # A copy for another host, and for another interface: a sensor, for example.
        ({"dup": {"addr": "10.0.0.9", "dev": "eth1"}}, []),
        ({"dup": {"addr": "eth1"}}, []),
        ({"fwd": {"dev": "eth1"}}, []),
        ({"snat": {"addr": "10.0.0.2"}}, []),
        (_raw("nh", 128, 32), []),
        (_raw("nh", 64, 8), []),
        ({"mangle": {"key": {"payload": {"protocol": "ether", "field": "saddr"}}, "value": "00:00:5e:00:53:01"}}, []),
        ({"mangle": {"key": {"tcp option": {"name": "maxseg", "field": "size"}}, "value": 1200}}, []),
        ({"mangle": {"key": {"meta": {"key": "mark"}}}}, []),
    ],
)
def test_rules_that_make_packets_look_like_a_members(statement: dict[str, Any], found: list[str]) -> None:
    assert forwarding_rules.rewriting([rule(statement)], OURS, {"10.0.0.1"}) == found
    assert forwarding_rules.rewriting([rule(statement)], ("ip", "nat"), {"10.0.0.1"}) == []
    assert forwarding_rules.rewriting([rule(_only("l4proto", "udp"), statement)], OURS, {"10.0.0.1"}) == []


def test_source_rules_of_nftables_in_what_comes_in() -> None:
    """In postrouting they are those of containers and guests."""

    def objects(hook: str, expr: dict[str, Any]) -> list[dict[str, Any]]:
        base = {"chain": {"family": "ip", "table": "nat", "name": "base", "type": "nat", "hook": hook, "prio": 100}}
        return [base, {"rule": {"family": "ip", "table": "nat", "chain": "base", "expr": [expr]}}, rule({"snat": {"addr": "10.0.0.2"}})]

    for expr in ({"jump": {"target": "pre"}}, {"vmap": {"key": KEY, "data": {"set": [[9100, {"goto": {"target": "pre"}}]]}}}):
        assert forwarding_rules.rewriting(objects("input", expr), OURS) == [SOURCE]
        assert forwarding_rules.rewriting(objects("postrouting", expr), OURS) == []
    assert forwarding_rules.rewriting(objects("input", {"jump": {"target": "other"}}), OURS) == []


SAVED_SOURCES = """*nat
:INPUT ACCEPT [0:0]
-A INPUT -p tcp -m tcp --dport 9100 -j SNAT --to-source 10.0.0.2
-A INPUT -s 192.0.2.0/24 -g FAULT
-A FAULT -j DEEPER
-A DEEPER -j NETMAP --to 10.0.0.0/24
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -j GUESTS
-A GUESTS -j SNAT --to-source 10.0.0.1
COMMIT
"""


def test_source_rules_of_iptables_in_what_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [f"iptables: table nat, chain {chain} gives packets another source address" for chain in ("INPUT", "DEEPER")]
    assert list(forwarding_rules.rewriting_saved(SAVED_SOURCES, "iptables", "nat")) == found
    prefix = "-A INPUT -s fd00:9::/64 -j SNPT --src-pfx fd00:9::/64 --dst-pfx fd00:1::/64\n"
    assert len(list(forwarding_rules.rewriting_saved(prefix, "ip6tables", "mangle"))) == 1
    for gateway, count in (("127.0.0.1", 1), ("10.0.0.1", 1), ("10.0.0.9", 0), ("10.0.0.9 --oif lo", 1), ("10.0.0.9 --oif eth1", 0)):
        copied = f"-A PREROUTING -p tcp -j TEE --gateway {gateway}\n"
        assert len(list(forwarding_rules.rewriting_saved(copied, "iptables", "mangle", {"10.0.0.1"}))) == count
    saved = {("iptables-save", "nat"): SAVED_SOURCES}
    monkeypatch.setattr(forwarding_rules.commands, "output", lambda program, *words: saved.get((program, words[-1])))
    monkeypatch.setattr(forwarding_rules.proc, "text_of", lambda _path: None)
    assert forwarding_rules.rewriting([rule({"xt": {"type": "target", "name": "SNAT"}})], OURS) == found


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the test gives listens or is connected: other programs of this machine may be so, too."""
    monkeypatch.setattr(forwards, "_tunnels", set)
    monkeypatch.setattr(forwards, "_connected", lambda _connections: set())
    monkeypatch.setattr(relays, "connections", dict)


@pytest.mark.usefixtures("alone")
def test_a_program_that_listens_and_names_a_port_in_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, "TCP:localhost:9100", "TCP:localhost:9101"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None and program.stdin is not None
        port = int(program.stdout.readline())
        listeners = [one for one in proc.listeners() or () if one["port"] == port]
        monkeypatch.setattr(forwards, "_on_demand", lambda: iter(()))
        found = forwards.describe([], listeners, {9100, 4369})
        program.stdin.close()
    assert found is not None
    assert [(one["where"], one["address"], one["port"]) for one in found] == [("its arguments", "127.0.0.1", 9100)]
    assert str(program.pid) in str(found[0]["by"])
    assert forwards.describe([], None, {9100}) is None


@pytest.mark.usefixtures("alone")
def test_configuration_files_of_programs_and_units_that_start_on_demand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text("# server old 10.0.0.9:9100\nserver n1 10.0.0.1:9100\n", encoding="utf-8")
    (tmp_path / "a.service").write_text(f"[Service]\nExecStart=/lib/systemd/{forwards.SOCKET_PROXY} 127.0.0.1:4369\n", encoding="utf-8")
    monkeypatch.setattr(forwards, "CONFIGURATIONS", {"": (f"{tmp_path}/*.cfg",)})
    monkeypatch.setattr(forwards, "_UNITS", (str(tmp_path),))
    with socket.create_server(("127.0.0.1", 0)) as server:
        own = [one for one in proc.listeners() or () if one["port"] == server.getsockname()[1]]
        found = forwards.describe([], own, {9100, 4369})
    said = {(str(one["where"]).rpartition("/")[2], one["address"], one["port"]) for one in found or ()}
    assert said == {("a.cfg", "10.0.0.1", 9100), ("a.service", "127.0.0.1", 4369)}


def connected(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("alone")
def test_a_program_that_listens_at_the_port_itself_does_not_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter of metrics with the port of a node at another address, for example."""
    monkeypatch.setattr(forwards, "_on_demand", lambda: iter(()))
    code = "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); sys.stdin.read()"
    with connected(code) as first:
        assert first.stdout is not None and first.stdin is not None
        port = int(first.stdout.readline())
        listeners = [one for one in proc.listeners() or () if one["port"] == port]
        text = f"--web.listen-address=127.0.0.1:{port}\0--upstream=10.0.0.1:{port}".encode()
        read = proc.read
        monkeypatch.setattr(proc, "read", lambda path: text if path.endswith("/cmdline") else read(path))
        found = forwards.describe([], listeners, {port})
        first.stdin.close()
    assert [one["address"] for one in found or ()] == ["10.0.0.1"]


@pytest.mark.usefixtures("alone")
def test_a_tunnel_that_listens_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """ssh -R, for example. It is known by its name, or by its connection to another host."""
    monkeypatch.setattr(forwards, "_on_demand", lambda: iter(()))
    for way, other in (("_tunnels", "_connected"), ("_connected", "_tunnels")):
        with connected("import sys; print(flush=True); sys.stdin.read()", "-R", "9999:localhost:9100", "outsider") as program:
            assert program.stdin is not None and program.stdout is not None
            program.stdout.readline()
            monkeypatch.setattr(forwards, way, lambda *_connections, pid=program.pid: {pid})
            monkeypatch.setattr(forwards, other, lambda *_connections: set())
            found = forwards.describe([], [], {9100, 4369})
            program.stdin.close()
        assert [(one["address"], one["port"]) for one in found or ()] == [("127.0.0.1", 9100)]
    assert isinstance(forwards.TUNNELS, tuple) and "ssh" in forwards.TUNNELS


@pytest.mark.parametrize(
    ("name", "arguments", "found"),
    [
        ("ngrok", "ngrok tcp 9100", [(None, 9100)]),
        ("bore", "bore local 9100 --to bore.example", [(None, 9100)]),
        ("chisel", "chisel client server R:9100", [(None, 9100)]),
        ("frpc", "frpc tcp --local_port 9100 --remote_port 4369", [(None, 9100)]),
        ("inlets-pro", "inlets-pro tcp client --ports=9100,22", [(None, 9100)]),
        ("websocat", "websocat -E ws://elsewhere/ tcp:127.0.0.1:9100", [("127.0.0.1", 9100)]),
        ("tailscaled", "tailscaled --tun=userspace-networking", [(None, 4369), (None, 9100)]),
        ("tailscaled", "tailscaled --state=/var/lib/tailscale/tailscaled.state --port=41641", []),
        ("ssh", "ssh -p 9100 elsewhere", []),
        ("ngrok", "ngrok tcp 10.9.9.9:9100", [("10.9.9.9", 9100)]),
    ],
)
def test_arguments_of_tunnels(monkeypatch: pytest.MonkeyPatch, name: str, arguments: str, found: list[tuple[str | None, int]]) -> None:
    with connected("import sys; print(flush=True); sys.stdin.read()") as program:
        assert program.stdin is not None and program.stdout is not None
        program.stdout.readline()
        read = proc.read
        fake = {f"/proc/{program.pid}/cmdline": arguments.replace(" ", "\0").encode(), f"/proc/{program.pid}/comm": name.encode()}
        monkeypatch.setattr(proc, "read", lambda path: fake.get(path) or read(path))
        monkeypatch.setattr(proc, "pids", lambda _root="/proc": [program.pid])
        monkeypatch.setattr(forwards, "_on_demand", lambda: iter(()))
        monkeypatch.setattr(forwards, "CONFIGURATIONS", {})
        assert name in forwards.TUNNELS
        said = forwards.describe([], [], {9100, 4369})
        program.stdin.close()
    # "tcp 9100" is no address and port: the check knows no member of such a name.
    assert [(one["address"], one["port"]) for one in said or () if one["address"] not in ("tcp", "local", "r", "p", "port")] == found


RELAY = (
    "import socket, sys\n"
    "links = [socket.create_connection(('127.0.0.1', int(port))) for port in sys.argv[1:2]]\n"
    "if 'listens' in sys.argv: links.append(socket.create_server(('127.0.0.1', 0)))\n"
    "print(flush=True); sys.stdin.read()\n"
)


@pytest.mark.parametrize(("words", "relays_it"), [(("listens",), True), ((), False)])
def test_a_program_of_any_name_that_passes_connections_on(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], relays_it: bool) -> None:
    """A probe or tool is connected to the node alone, and a program that fetches from elsewhere not to the node."""
    monkeypatch.setattr(forwards, "_on_demand", lambda: iter(()))
    with socket.create_server(("127.0.0.1", 0)) as node:
        port = node.getsockname()[1]
        with connected(RELAY, str(port), *words) as program:
            assert program.stdin is not None and program.stdout is not None
            program.stdout.readline()
            listening = [one for one in proc.listeners() or () if one["pid"] == program.pid]
            said = forwards.describe([], listening, {port})
            others = forwards.describe([], listening, {port + 1})
            program.stdin.close()
    assert [(one["where"], one["address"], one["port"]) for one in said or ()] == ([("its connections", "127.0.0.1", port)] if relays_it else [])
    assert others == []


def _socket(local: str, remote: str, port: int, inode: str = "1") -> proc.Socket:
    return proc.Socket("01", (local, 40000), (remote, port), 4, 0, inode)


NODE, MEMBER = _socket("10.0.0.1", "10.0.0.1", 9100, "1"), _socket("10.0.0.1", "10.0.0.2", 9100, "3")
OUTSIDE = _socket("10.0.0.1", "192.0.2.7", 22, "2")


@pytest.mark.parametrize(
    ("now", "holders", "names", "found"),
    [
        # The server of ssh -L, for example.
        ([NODE, OUTSIDE], {"1": [7], "2": [7]}, {7: "sshd"}, [("10.0.0.1", 9100)]),
        ([MEMBER, OUTSIDE], {"3": [7], "2": [7]}, {7: "x"}, [("10.0.0.2", 9100)]),
        # Tools and probes connect to nodes alone, also to those of other members.
        ([NODE, MEMBER], {"1": [7], "3": [7]}, {7: "python3"}, []),
        ([NODE, OUTSIDE], {"1": [7], "2": [8]}, {7: "erl_call", 8: "sshd"}, []),
        ([NODE, OUTSIDE], {"1": [7], "2": [7]}, {7: "beam.smp"}, []),
        ([NODE, OUTSIDE], {"1": [7, 8], "2": [8]}, {7: "beam.smp", 8: "sh"}, []),
    ],
)
def test_a_way_in_from_another_host(
    monkeypatch: pytest.MonkeyPatch, now: list[proc.Socket], holders: dict[str, list[int]], names: dict[int, str], found: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(proc, "owners", lambda _inodes: holders)
    monkeypatch.setattr(proc, "read", lambda path: names.get(int(path.split("/")[2]), "").encode())
    monkeypatch.setattr(proc, "describe", lambda _pid: None)
    table = {one.inode: one for one in now}
    assert [one[2:] for one in relays.of(table, table, set(), {9100, 4369})] == found
    assert list(relays.of({}, table, set(), {9100, 4369})) == [], "it was there for a moment"


UNITS = {
    # Each connection is the standard input of a program.
    "x.socket": "[Socket]\nListenStream=9876\nAccept=yes\n",
    "x@.service": "[Service]\nExecStart=/usr/bin/nc 127.0.0.1 9100\nStandardInput=socket\n",
    "y.socket": "[Socket]\nListenStream=9877\nService=z.service\n",
    "z.service": "[Service]\nEnvironmentFile=-{}/z.env\nExecStart=/usr/bin/proxy $TARGET\n",
    "z.env": "TARGET=127.0.0.1:4369\n",
    "p.service": "[Service]\nExecStart=/usr/bin/true\n",
    "p.service.d/x.conf": "[Service]\nExecStart=\nExecStart=/lib/systemd/systemd-socket-proxyd 10.0.0.1:9100\n",
    "check.service": "[Service]\nExecStart=/usr/bin/nc -z 127.0.0.1 9100\n",
}


def test_units_that_start_when_somebody_connects(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, text in UNITS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.format(tmp_path) if "{}" in text else text)
    monkeypatch.setattr(forwards, "_UNITS", (str(tmp_path),))
    found = {(by, address, port) for by, _path, address, port in forwards._on_demand()}
    assert found == {("x@.service", "127.0.0.1", 9100), ("z.service", "127.0.0.1", 4369), ("p.service", "10.0.0.1", 9100)}


@pytest.mark.parametrize(("name", "read"), [("ssh", True), ("sshd", False), ("sshd-session", False), ("ssh-agent", False), ("stunnel4", True)])
def test_only_a_program_that_forwards_has_a_configuration_of_forwards(name: str, read: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("RemoteForward 9200 10.0.0.1:9100\n", encoding="utf-8")
    monkeypatch.setattr(forwards, "CONFIGURATIONS", {program: (str(config),) for program in ("ssh", "stunnel")})
    assert forwards._configurations(name, f"/usr/bin/{name} -D") == ([str(config)] if read else [])

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules in files of firewalls that lead to the port of a node when they are loaded. nft is asked where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import commands, forwarding_at_boot

DEBIAN = """\
#!/usr/sbin/nft -f

flush ruleset

table inet filter {
\tchain input {
\t\ttype filter hook input priority filter;
\t}
}
"""
NAT = "table ip nat {{ chain pre {{ type nat hook prerouting priority dstnat; {}\n}}\n}}\n"
asks = pytest.mark.skipif(os.geteuid() != 0 or commands.find("nft") is None, reason="only root makes namespaces, and nft has to be there")


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, files in (("NFTABLES", ("nftables.conf",)), ("SAVED", ("rules.v4", "before.rules")), ("FIREWALLD", ("zone.xml", "direct.xml"))):
        monkeypatch.setattr(forwarding_at_boot, name, tuple(f"{tmp_path}/{file}" for file in files))
    monkeypatch.setattr(forwarding_at_boot.loaded_later, "__defaults__", ((f"{tmp_path}/nftables.conf",),))
    return tmp_path


def found(path: Path, text: str) -> list[tuple[str | None, int | None]]:
    path.write_text(text)
    said = list(forwarding_at_boot.of_files())
    assert all(where.startswith(str(path)) for _by, where, _address, _port in said)
    return [(address, port) for _by, _where, address, port in said]


@asks
@pytest.mark.parametrize(
    ("text", "leads"),
    [
        (DEBIAN, []),
        (DEBIAN + NAT.format("tcp dport 9878 redirect to :9100;"), [(None, 9100)]),
        (DEBIAN + NAT.format("tcp dport 9878 dnat to 10.0.0.2:9100;"), [("10.0.0.2", 9100)]),
        # There is no such interface where it is tried.
        (DEBIAN + NAT.format('iif "none0" tcp dport 9878 redirect to :9100;'), [(None, 9100)]),
        (DEBIAN + NAT.format("tcp dport 9878 accept # redirect to :9100"), []),
        (DEBIAN + NAT.format('iif "none0" accept # redirect to :9100'), []),
    ],
)
def test_a_file_of_nftables(text: str, leads: list[tuple[str | None, int]], places: Path) -> None:
    assert found(places / "nftables.conf", text) == leads


@asks
def test_a_file_that_gives_packets_another_source(places: Path) -> None:
    chain = "chain y { type filter hook prerouting priority -400; ip saddr 192.0.2.7 ip saddr set 10.0.0.2; }"
    (places / "nftables.conf").write_text(f"{DEBIAN}table ip x {{\n{chain}\n}}\n")
    (said,) = forwarding_at_boot.rewriting(("inet", "beam_cluster"))
    assert said == f"{places}/nftables.conf, table ip x, chain y gives packets another source address (from its next load on)"


@pytest.mark.parametrize(("more", "asked"), [("", False), ("# redirect to :9100\n", False), ('include "/etc/nftables.d/*.nft"\n', True)])
def test_nft_is_asked_only_where_packets_may_be_changed(more: str, asked: bool, places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(commands, "output", lambda *words, seconds: calls.append(words))
    assert found(places / "nftables.conf", DEBIAN + more) == []
    assert bool(calls) == asked


OF_IPTABLES = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 9878 -j REDIRECT --to-ports 9100\nCOMMIT\n"
ZONE = "<zone><rule>{}</rule></zone>"
DIRECT = '<rule ipv="ipv4" table="nat" chain="PREROUTING" priority="0">-p tcp --dport 1 -j REDIRECT --to-ports 9100</rule>'


@pytest.mark.parametrize(
    ("name", "text", "leads"),
    [
        ("rules.v4", OF_IPTABLES, [(None, 9100)]),
        ("before.rules", "*nat\n-A PREROUTING -p tcp --dport 9878 -j DNAT --to-destination 10.0.0.2:9100\nCOMMIT\n", [("10.0.0.2", 9100)]),
        ("rules.v4", "*filter\n-A INPUT -p tcp --dport 9100 -j ACCEPT\nCOMMIT\n", []),
        ("zone.xml", '<zone><forward-port port="9878" protocol="tcp" to-port="9100"/></zone>', [(None, 9100)]),
        ("zone.xml", ZONE.format('<forward-port to-addr="::2" port="9100-9101" protocol="tcp"/>'), [("::2", 9100), ("::2", 9101)]),
        ("zone.xml", '<zone><forward-port port="53" protocol="udp" to-port="9100"/><port port="9100" protocol="tcp"/></zone>', []),
        ("direct.xml", DIRECT, [(None, 9100)]),
    ],
)
def test_files_of_other_firewalls(name: str, text: str, leads: list[tuple[str | None, int]], places: Path) -> None:
    assert found(places / name, text) == leads

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nftables' JSON: made-up rulesets, and real ones in a network namespace of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import firewall, firewall_admissions
from ansible_collections.beam.cluster.plugins.module_utils._model.firewall_facts import BeamTable
from hypothesis import given
from hypothesis import strategies as st

OURS = """
table inet beam_cluster {
  set members4 { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }
  set members6 { type ipv6_addr; elements = { fd00::1 } }
  set own4 { type ipv4_addr; elements = { 10.0.0.1 } }
  set ports { type inet_service; flags interval; auto-merge; elements = { 4369, 9100-9109 } }
  chain input {
    type filter hook input priority raw; policy accept;
    tcp dport @ports ip saddr != @members4 counter drop
  }
}
"""
INLINE = """
table inet beam_cluster {
  chain input {
    type filter hook input priority raw; policy drop;
    tcp dport { 4369, 9100-9109 } drop
    tcp dport 9200 drop
  }
}
"""
DROPS = "table inet filter { chain input { type filter hook input priority 0; policy drop; ct state established accept; }\n}"
DROPS_AT_THE_END = "table ip filter { chain input { type filter hook input priority 0; policy accept; tcp dport 22 accept; counter log drop; }\n}"
REJECTS_AT_THE_END = (
    "table inet filter { chain input { type filter hook input priority 0; tcp dport 22 accept; reject with icmpx type admin-prohibited; }\n}"
)
ACCEPTS = "table inet filter { chain input { type filter hook input priority 0; policy accept; tcp dport 23 drop; }\n}"
FORWARDS = "table inet filter { chain forward { type filter hook forward priority 0; policy drop; }\n}"
OWN_CHAIN = (
    "table inet filter { chain closed { drop; }\nchain input { type filter hook input priority 0; policy accept; tcp dport 23 jump closed; }\n}"
)

_INPUT = "chain input { type filter hook input priority 0; policy accept;"
JUMPS = f"table inet filter {{ chain rest {{ counter reject; }}\n{_INPUT} tcp dport 22 accept; jump rest; }}\n}}"
JUMPS_BACK = f"table inet filter {{ chain rest {{ return; drop; }}\n{_INPUT} jump rest; }}\n}}"
GOES = "table inet filter { chain rest { tcp dport 22 accept; }\nchain input { type filter hook input priority 0; policy drop; goto rest; }\n}"
NEW_ONLY = f"table inet filter {{ {_INPUT} ct state new meta l4proto tcp reject with tcp reset; }}\n}}"
NOT_NEW = f"table inet filter {{ {_INPUT} ct state invalid drop; ip protocol udp drop; }}\n}}"
OTHER_INTERFACES = f'table inet filter {{ {_INPUT} iifname != "lo" counter drop; }}\n}}'
ACCEPTS_FIRST = f"table inet filter {{ {_INPUT} meta l4proto tcp accept; drop; }}\n}}"
NAT = "table ip nat { chain input { type nat hook input priority 100; policy accept; }\n}"

privileged = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("unshare"),
    reason="wants a network namespace of its own and nft",
)


def loaded(rules: str) -> list[dict[str, Any]]:
    """The kernel's own account of rules, loaded where nobody else sees them."""
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", "nft -f - && nft -j list ruleset"], input=rules, capture_output=True, text=True, timeout=30, check=False
    )
    if "Operation not supported" in done.stderr:
        pytest.skip("the nft of Debian 11 does not declare a set dynamic by itself, and the kernel wants that")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["nftables"]


@privileged
@pytest.mark.parametrize(
    "rules,drops",
    [
        (DROPS, True),
        (DROPS_AT_THE_END, True),
        (REJECTS_AT_THE_END, True),
        (ACCEPTS, False),
        (FORWARDS, False),
        (OWN_CHAIN, False),
        (JUMPS, True),
        (JUMPS_BACK, False),
        (GOES, True),
        (NEW_ONLY, True),
        (NOT_NEW, False),
        (OTHER_INTERFACES, True),
        (ACCEPTS_FIRST, False),
        (NAT, False),
        (OURS, False),
        (INLINE, False),
        ("", False),
    ],
)
def test_who_drops_by_default(rules: str, drops: bool) -> None:
    assert firewall.drops_by_default(loaded(rules)) is drops


IPTABLES = {"family": "ip", "table": "filter", "chain": "INPUT"}
BASE = {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "type": "filter", "hook": "input", "policy": "accept"}}
XT = {"type": "target", "name": "REJECT"}


@pytest.mark.parametrize(
    ("statements", "drops"),
    [
        ([{"counter": {}}, {"xt": XT}], True),
        ([{"counter": {}}, {"xt": {"type": "target", "name": "LOG"}}], False),
        ([{"xt": {"type": "match", "name": "conntrack"}}, {"counter": {}}, {"drop": None}], False),
        ([{"xt": {"type": "match", "name": "comment"}}, {"counter": {}}, {"xt": XT}], True),
        ([{"counter": {}}, {"xt": None}], True),
        ([{"xt": None}, {"counter": {}}, {"accept": None}], False),
        ([{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "10.0.0.9"}}, {"xt": XT}], False),
    ],
)
def test_rules_of_iptables_as_every_nft_prints_them(statements: list[dict[str, Any]], drops: bool) -> None:
    assert firewall.drops_by_default([BASE, {"rule": {**IPTABLES, "expr": statements}}]) is drops


@privileged
@pytest.mark.skipif(not shutil.which("iptables-nft"), reason="wants iptables-nft")
@pytest.mark.parametrize(("last", "drops"), [("-j REJECT --reject-with icmp-host-prohibited", True), ("-j mine", True), ("-j LOG", False)])
def test_rules_that_iptables_has_made(last: str, drops: bool) -> None:
    """As cloud images have them: accepts, then REJECT, and the policy is ACCEPT."""
    commands = ["-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-p tcp --dport 22 -j ACCEPT", last]
    script = "iptables-nft -N mine; iptables-nft -A mine -j DROP\n" + "".join(f"iptables-nft -A INPUT {command}\n" for command in commands)
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", f"{script}nft -j list ruleset"], capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        pytest.skip(done.stderr)
    assert firewall.drops_by_default(json.loads(done.stdout)["nftables"]) is drops


def known(rules: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What is said of our table, but for what it lets in."""
    table = firewall.our_table(rules)
    return table and {name: table[name] for name in ("members", "own", "ports")}


@privileged
def test_our_table() -> None:
    assert known(loaded(OURS + DROPS)) == {
        "members": ["10.0.0.1", "10.0.0.2", "fd00::1"],
        "own": ["10.0.0.1"],
        "ports": [[4369, 4369], [9100, 9109]],
    }


@privileged
def test_ports_in_the_rules() -> None:
    assert known(loaded(INLINE)) == {"members": [], "own": [], "ports": [[4369, 4369], [9100, 9109], [9200, 9200]]}


@privileged
def test_no_table_of_ours() -> None:
    assert firewall.our_table(loaded(DROPS)) is None
    assert firewall.our_table(loaded(OURS.replace("inet beam_cluster", "inet other"))) is None


def test_elements_of_every_kind() -> None:
    table = {"table": {"family": "inet", "name": "beam_cluster"}}
    elements = [
        "10.0.0.1",
        {"elem": {"val": "10.0.0.2", "counter": {}}},
        {"prefix": {"addr": "10.1.0.0", "len": 16}},
        {"range": ["10.2.0.1", "10.2.0.9"]},
    ]
    members = {"set": {"family": "inet", "table": "beam_cluster", "name": "m", "type": "ipv4_addr", "elem": elements}}
    assert known([{"metainfo": {"version": "1"}}, table, members]) == {
        "members": ["10.0.0.1", "10.0.0.2", "10.1.0.0/16", "10.2.0.1-10.2.0.9"],
        "own": [],
        "ports": [],
    }


def sets(members4: str = "10.0.0.1, 10.0.0.2", members6: str = "fd00::1", flags: str = "") -> str:
    def one(name: str, kind: str, elements: str) -> str:
        return f"set {name} {{ type {kind}; {flags if 'member' in name else ''} {f'elements = {{ {elements} }}' if elements else ''} }}\n"

    ports = "set ports { type inet_service; flags interval; auto-merge; elements = { 4369, 9100-9109 } }\n"
    return ports + one("members4", "ipv4_addr", members4) + one("members6", "ipv6_addr", members6) + one("own4", "ipv4_addr", "10.0.0.1")


INTO = "chain input { type filter hook input priority raw; policy accept; tcp dport @ports jump cluster; }\n"
FIRST = 'iif "lo" accept; fib saddr . iif oif 0 counter drop;'
CLUSTER = f"chain cluster {{ {FIRST} ip saddr @members4 ip daddr @own4 accept; ip6 saddr @members6 accept; counter drop; }}\n"
GUARDED = [(4369, 4369), (9100, 9109)]
KNOWN = ("10.0.0.1", "10.0.0.2", "fd00::1")


def beam(*parts: str, options: str = "", family: str = "inet") -> str:
    return f"table {family} beam_cluster {{ {options} {''.join(parts)} }}\n"


def cluster(rules: str) -> str:
    return f"chain cluster {{ {rules} }}\n"


def hooked(rules: str, hook: str = "input", priority: str = "raw", policy: str = "accept", kind: str = "filter") -> str:
    return f"chain input {{ type {kind} hook {hook} priority {priority}; policy {policy}; {rules} }}\n"


OTHERS = ("0.0.0.0-10.0.0.0", "10.0.0.3-255.255.255.255")
# Rules, and who beside the members they let in: the family and the sources.
RULESETS: dict[str, tuple[str, list[tuple[int, tuple[str, ...]]]]] = {
    "ours": (beam(sets(), CLUSTER, INTO), []),
    "beside other tables": (beam(sets(), CLUSTER, INTO) + DROPS + "\n" + DROPS_AT_THE_END, []),
    "a policy that drops": (beam(sets(), hooked(f"{FIRST} ip saddr @members4 accept; ip6 saddr @members6 accept;", policy="drop")), []),
    "a negated set": (beam(sets(), hooked("tcp dport @ports ip saddr != @members4 drop; tcp dport @ports ip6 saddr != @members6 drop;")), []),
    "ports one by one": (beam(sets(), hooked("tcp dport 4369 goto cluster; tcp dport 9100-9109 goto cluster;"), CLUSTER), []),
    "a reject": (beam(sets(), INTO, cluster("ip saddr @members4 accept; reject with tcp reset;")), []),
    "accept first": (beam(sets(), INTO, cluster("accept; counter drop;")), [(4, ("any",)), (6, ("any",))]),
    "accept only": (beam(sets(), hooked("accept;")), [(4, ("any",)), (6, ("any",))]),
    "no rule": (beam(sets(), hooked("")), [(4, ("any",)), (6, ("any",))]),
    "no chain": (beam(sets()), [(4, ("any",)), (6, ("any",))]),
    "a chain without its drop": (beam(sets(), INTO, cluster("ip saddr @members4 accept;")), [(4, OTHERS), (6, ("any",))]),
    "a drop under a condition": (beam(sets(), INTO, cluster("ip saddr @members4 accept; ct state new drop;")), [(4, OTHERS), (6, ("any",))]),
    "a drop of UDP": (beam(sets(), INTO, cluster("meta l4proto udp drop;")), [(4, ("any",)), (6, ("any",))]),
    "established first": (beam(sets(), INTO, cluster("ct state established accept; counter drop;")), [(4, ("any",)), (6, ("any",))]),
    "another interface first": (beam(sets(), INTO, cluster('iifname "eth0" accept; counter drop;')), [(4, ("any",)), (6, ("any",))]),
    "everything but lo": (beam(sets(), INTO, cluster('iif != "lo" accept; drop;')), [(4, ("any",)), (6, ("any",))]),
    "IPv6 left out": (beam(sets(), INTO, cluster("ip saddr @members4 accept; meta nfproto ipv4 drop;")), [(6, ("any",))]),
    "IPv4 only": (
        beam("set ports { type inet_service; elements = { 4369, 9100-9109 }; flags interval; }\n", hooked("tcp dport @ports drop;"), family="ip"),
        [(6, ("any",))],
    ),
    "all of IPv6": (beam(sets(), INTO, cluster("ip saddr @members4 accept; ip6 saddr ::/0 accept; drop;")), [(6, ("any",))]),
    "a network": (beam(sets("10.0.0.0/8", flags="flags interval;"), CLUSTER, INTO), [(4, ("10.0.0.0/8",))]),
    "the world": (beam(sets("0.0.0.0/0", flags="flags interval;"), CLUSTER, INTO), [(4, ("any",))]),
    "an interval": (beam(sets("10.0.0.1-10.0.0.9", flags="flags interval;"), CLUSTER, INTO), [(4, ("10.0.0.1-10.0.0.9",))]),
    "one more": (beam(sets("10.0.0.1, 10.0.0.2, 10.9.9.9"), CLUSTER, INTO), [(4, ("10.9.9.9",))]),
    "one more, inline": (beam(sets(), INTO, cluster("ip saddr { 10.0.0.1, 10.9.9.9 } accept; drop;")), [(4, ("10.9.9.9",))]),
    "one more, below": (
        beam(sets(), "chain below { ip saddr 10.9.9.9 accept; }\n", INTO, cluster("jump below; ip saddr @members4 accept; drop;")),
        [(4, ("10.9.9.9",))],
    ),
    "a return": (beam(sets(), INTO, cluster("ip saddr 10.9.9.0/24 return; drop;")), [(4, ("10.9.9.0/24",))]),
    "a map of verdicts": (beam(sets(), INTO, cluster("ip saddr vmap { 10.9.9.9 : accept }; drop;")), [(4, ("any",)), (6, ("any",))]),
    "a set that packets change": (
        beam(sets("", flags="size 9;"), INTO, cluster("ip saddr @members4 accept; tcp dport 4369 add @members4 { ip saddr } drop; drop;")),
        [(4, ("any",))],
    ),
    "another port": (beam(sets(), hooked("tcp dport 4369 jump cluster;"), CLUSTER), [(4, ("any",)), (6, ("any",))]),
    "dormant": (beam(sets(), CLUSTER, INTO, options="flags dormant;"), [(4, ("any",)), (6, ("any",))]),
    "forward": (beam(sets(), hooked("drop;", hook="forward")), [(4, ("any",)), (6, ("any",))]),
    "output": (beam(sets(), hooked("drop;", hook="output")), [(4, ("any",)), (6, ("any",))]),
    "nat": (beam(sets(), hooked("", hook="input", kind="nat", priority="100")), [(4, ("any",)), (6, ("any",))]),
    "prerouting": (beam(sets(), hooked("tcp dport @ports jump cluster;", hook="prerouting"), CLUSTER), []),
    "late": (beam(sets(), hooked("tcp dport @ports jump cluster;", priority="300"), CLUSTER), []),
    "two chains": (beam(sets(), CLUSTER, INTO, "chain late { type filter hook input priority 10; accept; }\n"), []),
}


@privileged
@pytest.mark.parametrize("name", RULESETS)
def test_what_our_table_lets_in(name: str) -> None:
    rules, expected = RULESETS[name]
    objects = loaded(rules)
    family = "ip" if name == "IPv4 only" else "inet"
    admits = firewall_admissions.admissions(objects, family, "beam_cluster", name == "dormant")
    table = BeamTable.parse({"admits": json.loads(json.dumps(admits))})
    found = table.open_to_others(KNOWN, GUARDED)
    assert found is not None
    assert sorted({(one.family, one.beyond(KNOWN)) for one in found}) == expected
    if name in ("ours", "ports one by one", "a network"):
        sources = {source for one in table.admits or () if not one.loopback and one.touches(GUARDED) for source in one.sources or ("any",)}
        assert sources == ({"10.0.0.0/8", "fd00::1"} if name == "a network" else {"10.0.0.1-10.0.0.2", "fd00::1"})
        assert {one.destinations for one in table.admits or () if one.rule.startswith("ip saddr")} == {("10.0.0.1",)}
        assert any(one.loopback for one in table.admits or ())


@privileged
def test_our_own_template() -> None:
    """With the lock of local users, which is about what goes out."""
    locked = (
        "set locals { type uid; elements = { 0, 1000 } }\n"
        'chain output { type filter hook output priority filter; oif "lo" tcp dport @ports meta skuid != @locals reject with tcp reset; }\n'
    )
    table = firewall.our_table(loaded(beam(sets(), locked, INTO, CLUSTER)))
    assert table is not None and table["hooks"] == ["input", "output"] and table["dormant"] is False
    assert BeamTable.parse(table).open_to_others(KNOWN, GUARDED) == ()
    (odd,) = [one for one in table["admits"] if one["sources"] == ["10.0.0.1-10.0.0.2"]]  # type: ignore[attr-defined]
    assert odd["rule"] == "ip saddr @members4 ip daddr @own4 accept" and odd["ports"] == [[4369, 4369], [9100, 9109]] and odd["certain"]


@privileged
@pytest.mark.parametrize(("name", "dormant"), [("dormant", True), ("ours", False)])
def test_a_dormant_table_says_so(monkeypatch: pytest.MonkeyPatch, name: str, dormant: bool) -> None:
    """The JSON of older nft does not: it is asked once more for its text."""
    asked = f"nft -f - && nft -j list ruleset && nft -t list table {firewall.FAMILY} {firewall.TABLE}"
    done = subprocess.run(["unshare", "--net", "sh", "-c", asked], input=RULESETS[name][0], capture_output=True, text=True, timeout=30, check=True)
    text, _newline, words = done.stdout.partition("\n")
    said: dict[str, str | None] = {"-j": text, "-t": words}
    monkeypatch.setattr(firewall.commands, "output", lambda _program, option, *_rest, seconds: said.get(option))
    table: Any = firewall.summary({})["beam"]
    assert table["dormant"] is dormant and ({one["rule"] for one in table["admits"]} == {"the table is dormant"}) is dormant
    said["-t"] = None
    table = firewall.summary({})["beam"]
    assert table["dormant"] is True if '"dormant"' in text else table["dormant"] is None and table["admits"] is None


@pytest.mark.parametrize("flags", ["dormant", ["dormant"], ["owner", "dormant"]])
def test_a_dormant_table_in_the_json_of_newer_nft(monkeypatch: pytest.MonkeyPatch, flags: object) -> None:
    text = json.dumps({"nftables": [{"table": {"family": "inet", "name": "beam_cluster", "handle": 1, "flags": flags}}]})
    monkeypatch.setattr(firewall.commands, "output", lambda _program, option, *_rest, seconds: text if option == "-j" else None)
    table: Any = firewall.summary({})["beam"]
    assert table["dormant"] is True


@privileged
def test_a_thousand_members() -> None:
    members = [f"10.{number // 250}.{number % 250}.7" for number in range(1000)]
    objects = loaded(beam(sets(", ".join(members)), INTO, CLUSTER))
    began = time.monotonic()
    table = BeamTable.parse(firewall.our_table(objects) or {})
    assert table.open_to_others(members + ["fd00::1"], GUARDED) == () and len(table.open_to_others(members[1:], GUARDED) or ()) == 2
    assert time.monotonic() - began < 2


def rules_of(*rules: list[dict[str, Any]], chain: str = "input") -> list[dict[str, Any]]:
    where = {"family": "inet", "table": "beam_cluster"}
    made = [{"chain": {**where, "name": "input", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}]
    return [*made, *({"rule": {**where, "chain": chain, "expr": rule}} for rule in rules)]


def test_chains_that_call_each_other_end() -> None:
    objects = rules_of([{"jump": {"target": "input"}}])
    with pytest.raises(firewall_admissions.TooComplex):
        firewall_admissions.admissions(objects, "inet", "beam_cluster")
    table = firewall.our_table([{"table": {"family": "inet", "name": "beam_cluster"}}, *objects])
    assert table is not None and table["admits"] is None and BeamTable.parse(table).open_to_others((), GUARDED) is None


@pytest.mark.parametrize(
    "condition",
    [
        {"xt": None},
        {"limit": {"rate": 1}},
        {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@gone"}},
        {"new": {}},
    ],
)
def test_what_is_not_understood_may_let_in_and_never_keeps_out(condition: dict[str, Any]) -> None:
    accepts = firewall_admissions.admissions(rules_of([condition, {"accept": None}], [{"drop": None}]), "inet", "beam_cluster")
    assert accepts and all(one["sources"] is None and not one["certain"] for one in accepts)
    open_chain = rules_of([condition, {"drop": None}])
    open_chain[0]["chain"]["policy"] = "accept"
    assert all(one["sources"] is None and one["certain"] for one in firewall_admissions.admissions(open_chain, "inet", "beam_cluster"))


PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=4)
SMALL = PAIRS.map(lambda pairs: firewall_admissions.union((min(p), max(p)) for p in pairs))


def members_of(found: firewall_admissions.Set) -> set[int]:
    return {number for first, last in found for number in range(first, last + 1)}


@given(SMALL, SMALL)
def test_sets_of_numbers(one: firewall_admissions.Set, other: firewall_admissions.Set) -> None:
    assert members_of(firewall_admissions.intersection(one, other)) == members_of(one) & members_of(other)
    assert members_of(firewall_admissions.difference(one, other)) == members_of(one) - members_of(other)
    assert members_of(firewall_admissions.union(one + other)) == members_of(one) | members_of(other)


@pytest.mark.parametrize(
    "units,ufw,in_charge",
    [
        ({"firewalld.service": {"active": "active"}}, False, "firewalld"),
        ({"firewalld.service": {"active": "inactive"}}, False, "nftables"),
        # Turned on by hand since the boot: its unit has not heard of it.
        ({"ufw.service": {"active": "inactive"}}, True, "ufw"),
        ({"ufw.service": {"active": "active"}}, False, "nftables"),
    ],
)
def test_who_is_in_charge(monkeypatch: pytest.MonkeyPatch, units: dict[str, dict[str, object]], ufw: bool, in_charge: str) -> None:
    monkeypatch.setattr(firewall.commands, "find", lambda program: f"/usr/sbin/{program}")
    monkeypatch.setattr(firewall, "ufw_enabled", lambda: ufw)
    monkeypatch.setattr(firewall, "ruleset", lambda: None)
    summary = firewall.summary(units)
    assert (summary["in_charge"], summary["readable"], summary["beam"]) == (in_charge, False, None)


def test_a_host_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firewall.commands, "find", lambda program: None)
    monkeypatch.setattr(firewall, "undoing", list)
    seen = firewall.summary({})
    unread: dict[str, Any] = {"drops_by_default": None, "masquerades": None, "beam": None, "rewriting": None, "undoing": [], "waiting": []}
    assert seen == {"loads": [], "nft": False, "readable": False, "in_charge": "none", "at_boot": False, **unread}
    assert firewall.summary(None)["at_boot"] is None


@privileged
@pytest.mark.parametrize(
    ("change", "same"),
    [
        ("true", True),
        ("nft add element inet beam_cluster locals { 4711 }", False),
        ("nft flush chain inet beam_cluster output", False),
        ("nft add rule inet beam_cluster input tcp dport 1 accept", False),
        ("nft delete table inet beam_cluster", None),
        ("rm $0", None),
    ],
)
def test_a_loaded_table_that_is_not_the_one_in_the_file(change: str, same: bool | None, tmp_path: Path) -> None:
    file = tmp_path / "firewall.nft"
    chain = "type filter hook output priority filter; policy accept; oif lo tcp dport @ports meta skuid != @locals reject with tcp reset"
    more = f"set locals {{ type uid; elements = {{ 0 }} }}\n chain output {{ {chain}; }}\n}}\n"
    file.write_text(OURS.rstrip().removesuffix("}") + more, encoding="utf-8")
    asked = f"import sys; from {firewall.__name__} import as_in_file, __name__ as name; sys.modules[name].FILE = sys.argv[1]; print(as_in_file())"
    script = f'nft -f "$0"; {change}; exec "$1" -c "$2" "$0"'
    words = ["unshare", "--net", "sh", "-c", script, str(file), sys.executable, asked]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == str(same), done.stderr

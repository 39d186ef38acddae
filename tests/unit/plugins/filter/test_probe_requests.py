# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filter hands to a playbook is what the probing modules take."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.beam.cluster.plugins.filter.probe_requests import probe_requests
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import ATTACKS
from ansible_collections.beam.cluster.plugins.module_utils._net.options import target_spec

PLAN = {
    "members": [
        {
            "node": f"beam@n{at}",
            "host": f"n{at}",
            "address": f"10.0.0.{at}",
            "ports": {"first": 9100, "last": 9100 + (at == 2)},
            "port": None,
            "hidden": False,
        }
        for at in (1, 2, 3)
    ],
    "hosts": {
        f"n{at}": {"in_run": True, "addresses": [f"10.0.0.{at}"], "epmd": {"listen": [f"10.0.0.{at}"]}, "firewall": {"backend": "nftables"}}
        for at in (1, 2, 3)
    },
    "mode": "cluster",
    "tls": True,
    "tls_versions": ["tlsv1.3"],
    "epmd_port": 4369,
}
ADDRESSES = {f"n{at}": ["127.0.0.1", f"10.0.0.{at}", f"192.0.2.{at}", f"2001:db8::{at}"] for at in (1, 2, 3)}
TAKEN = {*target_spec(), "label", "expect", "name", "present", "wrong_cookie", "plaintext", "tls", "source"}


def test_a_node_connects_to_all_and_to_itself() -> None:
    made = probe_requests(PLAN, kind="connect", source="beam@n1")
    assert [(r["control"], r["target"]) for r in made] == [("self", "beam@n1"), ("mesh-connected", "beam@n2"), ("mesh-connected", "beam@n3")]
    assert made[1]["ask"] == {"node": "beam@n2", "host": "10.0.0.2", "label": "mesh-connected", "expect": ["any"], "source": "10.0.0.1"}


def test_a_member_makes_every_attack_of_a_member() -> None:
    made = probe_requests(PLAN, kind="attack", source="beam@n1", addresses=ADDRESSES, expired="/tmp/x/expired.pem")
    assert {r["control"] for r in made} == {attack.id for attack in ATTACKS if attack.vantage in ("member", "user")}
    assert {r["target"] for r in made if not r["control"].startswith("local-")} == {"beam@n2", "beam@n3"}
    asked = {r["control"]: r["ask"] for r in made if r["target"] == "beam@n2"}
    assert asked["plaintext"]["plaintext"] is True
    assert asked["old-tls"]["tls"] == {"versions": ["tlsv1.2"]}
    assert asked["no-certificate"]["present"] == "none"
    assert asked["foreign-certificate"]["present"] == "foreign"
    assert asked["expired-certificate"]["tls"] == {"certificate": "/tmp/x/expired.pem"}
    assert asked["other-name"]["name"] == "beam_impostor@n3"
    public = [(r["ask"]["host"], r["ask"]["port"]) for r in made if r["control"] == "member-public-window" and r["target"] == "beam@n2"]
    assert public == [("192.0.2.2", 9100), ("192.0.2.2", 9101), ("2001:db8::2", 9100), ("2001:db8::2", 9101)]
    assert all("source" not in r["ask"] for r in made if r["network"] == "public"), "the cluster address has no way to other networks"


def test_an_outsider_knocks_at_every_address_and_shows_nothing() -> None:
    made = probe_requests(PLAN, kind="attack", vantage="outsider", addresses=ADDRESSES)
    assert {r["control"] for r in made} == {"outside-epmd", "outside-window"}
    assert {r["address"] for r in made if r["target"] == "beam@n3"} == {"10.0.0.3", "192.0.2.3", "2001:db8::3"}
    knock = next(r["ask"] for r in made if r["control"] == "outside-window")
    assert knock["tls"] == {"verify": False}
    assert knock["wrong_cookie"] is True
    assert "source" not in knock


def test_targets_have_only_what_the_module_takes() -> None:
    made = probe_requests(PLAN, kind="attack", source="beam@n1", addresses=ADDRESSES) + probe_requests(PLAN, kind="connect", source="beam@n1")
    assert not {key for r in made for key in r["ask"]} - TAKEN


@pytest.mark.parametrize(("plan", "kind"), [({}, "connect"), ([], "attack"), (PLAN, "conect")])
def test_nonsense_is_refused(plan: object, kind: str) -> None:
    with pytest.raises(AnsibleFilterError):
        probe_requests(plan, kind=kind, source="beam@n1")

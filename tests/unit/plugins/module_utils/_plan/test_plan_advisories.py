# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advisories of the plan, and what hosts outside the run do not know."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from plan_world import CLEAR, HOSTS, PRODUCTS, World


@pytest.fixture
def world() -> World:
    return World()


def test_members_outside_the_run_still_count_on_one_that_leaves(world: World) -> None:
    world.provisioned()
    world.set("beam_state", "absent", "n2")
    world.run = ["n2"]
    stale = [finding for finding in world.cluster()["advisories"] if finding["control"] == "stale_host"]
    assert [(finding["host"], finding["severity"]) for finding in stale] == [("n1", "high"), ("n3", "high")]
    assert "beam@n2 leaves" in stale[0]["detail"]


def test_a_clock_that_is_ahead_is_a_finding(world: World) -> None:
    world.observed["n2"]["skew_seconds"] = 7200.0
    assert [(finding["control"], finding["host"]) for finding in world.cluster()["advisories"]] == [("clock_ahead", "n2")]


def test_one_shared_network_is_an_advisory(world: World) -> None:
    world.set("beam_address", "192.0.2.2", "n2")
    assert [(finding["control"], finding["host"]) for finding in world.cluster()["advisories"]] == [("one_network", "n2")]


def stale(cluster: dict[str, Any]) -> dict[str, str]:
    return {finding["host"]: finding["severity"] for finding in cluster["advisories"] if finding["control"] == "stale_host"}


def limit(world: World, *hosts: str) -> None:
    world.run = list(hosts)
    world.observed = {host: copy.deepcopy(world.observed[host]) for host in hosts}


@pytest.mark.parametrize(
    ("unit", "named", "noted"), [("data.service", "data@n1", True), ("beam.service", "data@n1", False), ("data.service", "other@n1", False)]
)
def test_a_node_that_left_beam_nodes_and_still_runs(world: World, unit: str, named: str, noted: bool) -> None:
    """Not one that was renamed, and not one of another cluster."""
    world.provisioned()
    world.observed["n1"]["files"].append({"path": "/etc/beam/data@n1/vm.args", "mode": "0644"})
    flags = {"name": named, "arguments_read": True}
    world.observed["n1"]["processes"] = [{"pid": 7, "name": "beam.smp", "user": "beam", "unit": unit, "flags": flags}]
    found = [one for one in world.cluster()["advisories"] if one["control"] == "forgotten_node"]
    assert [one["host"] for one in found] == (["n1"] if noted else [])
    assert not noted or "state: absent (name: data@n1, unit: data.service)" in found[0]["fix"]
    world.set("beam_nodes", [{"name": "beam", "ports": "9200"}, {"name": "data", "ports": "9300", "state": "absent"}], "n1")
    assert not [one for one in world.cluster()["advisories"] if one["control"] == "forgotten_node"]


def test_a_new_cluster_has_no_stale_hosts(world: World) -> None:
    assert world.cluster()["changes"] == {host: [f"beam@{host} (10.0.0.{number}) is new"] for number, host in enumerate(HOSTS, start=1)}
    assert not stale(world.cluster())


def test_without_changes_no_host_is_stale(world: World) -> None:
    world.provisioned()
    limit(world, "n2")
    cluster = world.cluster()
    assert cluster["changes"] == {} and not stale(cluster)
    assert [host for host, part in cluster["hosts"].items() if part["in_run"]] == ["n2"]


def test_a_new_host_makes_the_others_stale(world: World) -> None:
    limit(world, "n2")
    cluster = world.cluster()
    assert cluster["changes"] == {"n2": ["beam@n2 (10.0.0.2) is new"]}
    assert stale(cluster) == {"n1": "medium", "n3": "medium"}
    assert "beam@n2" in cluster["advisories"][0]["detail"]


def test_a_changed_address_makes_the_others_stale(world: World) -> None:
    world.provisioned()
    limit(world, "n2")
    world.set("beam_address", "192.0.2.2", "n2")
    cluster = world.cluster()
    assert cluster["changes"] == {"n2": ["beam@n2 (192.0.2.2) is added", "10.0.0.2 is removed"]}
    assert stale(cluster) == {"n1": "high", "n3": "high"}


def test_a_removed_host_makes_those_outside_stale(world: World) -> None:
    world.provisioned()
    limit(world, "n2")
    world.groups["beam"] = ["n1", "n2"]
    cluster = world.cluster()
    assert cluster["changes"] == {"n2": ["10.0.0.3 is removed"]}
    assert stale(cluster) == {"n1": "high"}


def test_a_new_name_makes_the_others_stale(world: World) -> None:
    world.provisioned()
    limit(world, "n2")
    world.set("beam_node_name", "other@n2", "n2")
    cluster = world.cluster()
    assert cluster["changes"] == {"n2": ["other@n2 (10.0.0.2) is new", "beam@n2 is no member any more"]}
    assert stale(cluster) == {"n1": "high", "n3": "high"}


def test_another_clusters_node_on_a_members_host_is_an_advisory(world: World) -> None:
    world.observed["n2"]["processes"] = [
        {"flags": {"name": "beam@n2"}, "pid": 1},
        {"flags": {"name": "web@n2"}, "pid": 2},
        {"flags": {"name": None}, "pid": 3},
    ]
    (found,) = world.cluster()["advisories"]
    assert (found["control"], found["host"], found["severity"]) == ("shared_epmd", "n2", "medium")
    assert "web@n2" in found["detail"]


def test_what_tls_does_not_cover_is_a_finding(world: World) -> None:
    world.set("beam_product", "rabbitmq", "n1")
    assert world.cluster()["advisories"] == []
    world.values["beam_address"] = {host: f"fd00::{number}" for number, host in enumerate(HOSTS, start=1)}
    (found,) = world.cluster()["advisories"]
    assert (found["control"], found["host"], found["severity"], found["fix"]) == ("outside_tls", "n1", "high", "Use none.")
    world.set("beam_tls", False)
    world.set("beam_plaintext_accepted", CLEAR)
    assert world.cluster()["advisories"] == []


@pytest.mark.parametrize(
    ("account", "unit", "named"),
    [
        ({"sudo": ["/etc/sudoers.d/beam"]}, {}, True),
        ({"sudo": ["/etc/sudoers.d/beam"], "login": True}, {}, False),
        ({"sudo": ["/etc/sudoers.d/beam"]}, {"drop_ins": ["/etc/systemd/system/beam.service.d/zzz-beam.conf"]}, False),
        ({"sudo": []}, {}, False),
    ],
)
def test_a_rule_of_sudo_for_a_service_is_an_advisory(world: World, account: dict[str, Any], unit: dict[str, Any], named: bool) -> None:
    """A person's account may need it, and a hardened node has lived without."""
    world.observed["n2"]["accounts"] = [{"name": "beam", "uid": 900, "group": "beam", "home": "/var/lib/beam", "login": False, **account}]
    world.observed["n2"]["units"] = {"beam.service": {"load": "loaded", "ours": True, **unit}}
    if account.get("login"):
        world.more["preflight"] = False
    assert [one["control"] for one in world.cluster()["advisories"]] == (["sudo_refused"] if named else [])


@pytest.mark.parametrize(
    ("command", "made_by", "named"),
    [("rpc", "mix", True), ("eval", "mix", False), ("eval", "relx", True), ("remote_console", "relx", True), ("version", "mix", False)],
)
def test_a_job_that_connects_by_the_script_of_a_release(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str, made_by: str, named: bool
) -> None:
    """A report at night, a command behind logrotate. relx's eval connects to the node, mix release's does not."""
    release = {"kind": "release", "unit": "{name}.service", "user": "{name}", "home": "/var/lib/beam/{node}", "writable": []}
    monkeypatch.setitem(PRODUCTS, "release", release)
    world.set("beam_product", "release")
    world.observed["n2"]["units"] = {"beam.service": {"load": "loaded", "user": "beam", "release": "/opt/beam", "made_by": made_by}}
    job = {"unit": "beam.service", "path": "/etc/cron.d/report", "line": 2, "kind": "tool", "name": command, "value": None}
    world.observed["n2"]["settings"] = [job, {**job, "unit": "x.service"}]
    found = world.cluster()["advisories"]
    assert [one["control"] for one in found] == (["tool_refused"] if named else [])
    for one in found:
        assert f"/etc/cron.d/report line 2 ({command})" in one["detail"] and f"/etc/beam/beam@n2/release {command}" in one["fix"]


def test_copies_of_the_cookie_that_a_first_run_makes_useless_are_an_advisory(world: World) -> None:
    """An agent with a copy of the cookie stops working without a word."""
    world.observed["n2"]["cookies_of_other_users"] = [
        {"unit": "beam.service", "path": "/var/lib/zabbix/.erlang.cookie", "owner": "zabbix"},
        {"unit": "beam.service", "path": "/root/.erlang.cookie", "owner": "root"},
        {"unit": "other.service", "path": "/home/x/.erlang.cookie", "owner": "x"},
    ]
    (found,) = world.cluster()["advisories"]
    assert (found["control"], found["host"], found["severity"]) == ("cookies_of_other_users", "n2", "medium")
    assert "/root/.erlang.cookie (root), /var/lib/zabbix/.erlang.cookie (zabbix)" in found["detail"] and "/home/x" not in found["detail"]
    drop_in = "/etc/systemd/system/beam.service.d/zzz-beam.conf"
    world.observed["n2"]["units"] = {"beam.service": {"load": "loaded", "ours": True, "drop_ins": [drop_in]}}
    assert world.cluster()["advisories"] == []

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters that roles use to shape lists."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.beam.cluster.plugins.filter.cookie_nodes import cookie_nodes
from ansible_collections.beam.cluster.plugins.filter.ejabberd_existing_data import ejabberd_existing_data
from ansible_collections.beam.cluster.plugins.filter.node_files import node_files
from ansible_collections.beam.cluster.plugins.filter.probe_targets import probe_targets
from ansible_collections.beam.cluster.plugins.filter.rabbitmq_existing_data import rabbitmq_existing_data
from ansible_collections.beam.cluster.plugins.filter.rabbitmq_join_target import rabbitmq_join_target

NEW = {"users": [{"name": "guest"}], "vhosts": [{"name": "/"}], "queues": [], "exchanges": [], "bindings": [], "policies": []}


def test_probe_targets() -> None:
    members: list[dict[str, Any]] = [
        {"node": "beam@n1", "address": "10.0.0.1", "port": 9100, "host": "n1"},
        {"node": "beam@n2", "address": "fd00::2", "port": None},
    ]
    assert probe_targets(members) == [
        {"node": "beam@n1", "host": "10.0.0.1", "port": 9100},
        {"node": "beam@n2", "host": "fd00::2", "port": None},
    ]


def test_node_files() -> None:
    tls = {"key": "/etc/beam/a@n1/tls/key.pem", "certificate": "/etc/beam/a@n1/tls/cert.pem", "ca": "/etc/beam/a@n1/tls/ca.pem"}
    node: dict[str, Any] = {"directory": "/etc/beam/a@n1", "home": "/var/lib/a", "tls": tls, "product_data": {"contents": {"/etc/default/a": ["x"]}}}
    plain = {**node, "tls": None, "product_data": {}}
    encrypted, clear = node_files([node, plain])
    named = [f"/etc/beam/a@n1/{name}" for name in ("vm.args", "inetrc", "allow.conf", "ssl_dist.conf", "tool.args", "unit.env")]
    home = ["/var/lib/a/.erlang.cookie", "/var/lib/a/.erlang", "/var/lib/a/.config/erlang/.erlang"]
    assert encrypted["files"] == [*named, "/etc/default/a", *home, tls["key"], tls["certificate"], tls["ca"]]
    assert encrypted["needed"] == [home[0], tls["key"], tls["certificate"]]
    # What is left of an earlier run is looked at, too.
    assert clear["files"] == [*named, *home, tls["key"]]
    assert clear["needed"] == home[:1]
    assert (encrypted["node"], clear["node"]) == (node, plain)


def test_cookie_nodes() -> None:
    node = {
        "node": "beam@n1", "address": "10.0.0.1", "port": 9100, "unit": "beam.service", "home": "/var/lib/beam/beam@n1", "user": "beam",
        "group": "beam", "host_part": "n1", "tls": {"ca": "ca.pem"},
    }
    other = {**node, "node": "second@n1b", "host_part": "n1b"}
    plan = {"probe_name": "beam_probe", "incompatible_nodes": ["second@n1b"]}
    first, second = cookie_nodes([node, other], plan, "/run/beam-retired-{node}.cookie")
    assert first["cookie_file"] == "/var/lib/beam/beam@n1/.erlang.cookie" and first["retired_file"] == "/run/beam-retired-beam@n1.cookie"
    assert (first["live"], first["name"], first["source"], first["owner"]) == (True, "beam_probe@n1", "10.0.0.1", "beam")
    assert (second["live"], second["name"]) == (False, "beam_probe@n1b")


@pytest.mark.parametrize(
    ("definitions", "expected"),
    [
        ({}, []),
        (NEW, []),
        ({**NEW, "queues": [{}, {}], "topic_permissions": [{}]}, ["2 queues", "1 topic_permissions"]),
        ({**NEW, "users": [{"name": "guest"}, {"name": "shop"}], "vhosts": [{"name": "/"}, {"name": "eu"}]}, ["users shop", "vhosts eu"]),
    ],
)
def test_rabbitmq_existing_data(definitions: dict[str, Any], expected: list[str]) -> None:
    assert rabbitmq_existing_data(definitions) == expected


@pytest.mark.parametrize(
    ("node", "clusters", "leader"),
    [
        pytest.param("b", [["a"], ["c"]], "a", id="each is alone"),
        pytest.param("a", [["b"], ["c"]], "a", id="each is alone, and this is the first"),
        pytest.param("a", [["b", "c"], ["b", "c"]], "b", id="the first by name is alone, the others are not"),
        pytest.param("b", [["a"], ["c", "d"]], "c", id="another one is alone as well"),
        pytest.param("a", [["a", "b", "c"]], "b", id="its peers still know it from before"),
        pytest.param("a", [["x", "y"]], "a", id="nodes that are nobody's peers"),
        pytest.param("b", [], "a", id="no peer answers"),
    ],
)
def test_rabbitmq_join_target(node: str, clusters: list[list[str]], leader: str) -> None:
    peers = sorted({"a", "b", "c", "d"} - {node})
    assert rabbitmq_join_target([{"disk_nodes": cluster} for cluster in clusters], node, peers) == leader


# As mnesia:info/0 of ejabberd 23.01 and 24.12 prints it, shortened.
MNESIA = """\
---> Active tables <---
oauth_client   : with 0        records occupying 305      words of mem
passwd         : with 0        records occupying 5432     bytes on disc
archive_msg    : with 0        records occupying 5432     bytes on disc
muc_online_room: with 3        records occupying 139      words of mem
muc_room       : with 0        records occupying 305      words of mem
caps_features  : with 7        records occupying 5432     bytes on disc
schema         : with 39       records occupying 5220     words of mem
===> System info in version "4.23.5", debug level = none <===
opt_disc. Directory "/var/lib/ejabberd" is used.
ram_copies         = [ejabberd_commands,muc_online_room,
                      route]
disc_copies        = [muc_room,oauth_client,
                      schema]
disc_only_copies   = [archive_msg,caps_features,
                      passwd]
[{ejabberd@localhost,disc_copies}] = [schema,muc_room]
"""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"muc_room       : with 0 ": "muc_room       : with 1 "}, ["1 record in muc_room"]),
        (
            {"passwd         : with 0 ": "passwd: with 12 ", "archive_msg    : with 0 ": "archive_msg: with 20000000 "},
            ["20000000 records in archive_msg", "12 records in passwd"],
        ),
        ({"oauth_client   : with 0        records": "oauth_client: lost"}, ["unknown records in oauth_client"]),
    ],
)
def test_ejabberd_existing_data(changes: dict[str, str], expected: list[str]) -> None:
    shown = MNESIA
    for old, new in changes.items():
        assert old in shown
        shown = shown.replace(old, new)
    assert ejabberd_existing_data(shown) == expected


@pytest.mark.parametrize("shown", ["", "Failed RPC connection to the node ejabberd@n1: nodedown", MNESIA.partition("===>")[0]])
def test_what_lists_no_tables_is_an_error_and_no_empty_database(shown: str) -> None:
    with pytest.raises(AnsibleFilterError, match="does not list the tables"):
        ejabberd_existing_data(shown)

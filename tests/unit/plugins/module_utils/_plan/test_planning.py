# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as a whole: its shape, its modes, hosts that leave, secrets."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.reserved_flags import FLAGS
from ansible_collections.beam.cluster.plugins.module_utils._plan.ca_dir import Places
from ansible_collections.beam.cluster.plugins.module_utils._plan.cluster import Inventory
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING
from plan_world import CLEAR, COOKIE, HOSTS, PASSPHRASE, PRODUCTS, WAIVER, World, everywhere, found


@pytest.fixture
def world() -> World:
    return World()


def test_the_shape(world: World) -> None:
    cluster = world.cluster()
    assert {key: value for key, value in cluster.items() if key not in ("hosts", "members", "changes")} == {
        "group": "beam",
        "name_type": "short",
        "address_family": 4,
        "mode": "cluster",
        "discovery": "epmd",
        "proto_dist": "inet_tls",
        "incompatible_nodes": [],
        "full_stop": False,
        "restart": "auto",
        "restart_from": "",
        "settings": {
            "net_ticktime": 60,
            "net_tickintensity": 4,
            "prevent_overlapping_partitions": True,
            "connect_all": True,
            "dist_auto_connect": "always",
        },
        "tls": True,
        "tls_versions": ["tlsv1.3"],
        "epmd_port": 4369,
        "probe_name": "beam_probe",
        "reserved_flags": list(FLAGS),
        "ca_dir": "/inventory/pki/beam",
        "crl": False,
        "revoke": [],
        "unrevoke": [],
        "requires": ["cookie", "ca_passphrase"],
        "waivers": [],
        "addresses": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        "departing": {},
        "departing_nodes": [],
        "outsiders": ["outsider"],
        "advisories": [],
        "vulnerabilities_file": None,
        "compromised": None,
    }
    assert cluster["members"][1] == {
        "node": "beam@n2",
        "name": "beam",
        "host_part": "n2",
        "host": "n2",
        "address": "10.0.0.2",
        "ports": {"first": 9100, "last": 9100},
        "port": None,
        "inet_tuple": "{10,0,0,2}",
        "hidden": False,
    }
    assert cluster["hosts"]["n2"] == {
        "in_run": True,
        "address": "10.0.0.2",
        "addresses": ["10.0.0.2"],
        "interface": "eth0",
        "nodes": [
            {
                "node": "beam@n2",
                "name": "beam",
                "host_part": "n2",
                "address": "10.0.0.2",
                "ports": {"first": 9100, "last": 9100},
                "port": None,
                "hidden": False,
                "kernel": cluster["settings"],
                "product": "erlang",
                "kind": "erlang",
                "unit": "beam.service",
                "user": "beam",
                "group": "beam",
                "home": "/var/lib/beam/beam@n2",
                "directory": "/etc/beam/beam@n2",
                "product_data": {**PRODUCTS["erlang"], "unit": "beam.service", "home": "/var/lib/beam/beam@n2"},
                "inet_tuple": "{10,0,0,2}",
                "certificate_names": ["DNS:n2"],
                "tls": {
                    "ca": "/etc/beam/beam@n2/tls/ca.pem",
                    "certificate": "/etc/beam/beam@n2/tls/cert.pem",
                    "key": "/etc/beam/beam@n2/tls/key.pem",
                    "versions": ["tlsv1.3"],
                },
            }
        ],
        "absent": [],
        "firewall": {"backend": "nftables", "ports": [[4369, 4369], [9100, 9100]], "own": ["10.0.0.2"]},
        "epmd": {"listen": ["127.0.0.1", "::1", "10.0.0.2"], "port": 4369},
    }
    assert "outsider" not in cluster["hosts"]


def test_a_host_that_is_to_be_without_is_no_member(world: World) -> None:
    world.provisioned()
    world.set("beam_state", "absent", "n2")
    world.set("beam_product", "rabbitmq", "n2")
    cluster = world.cluster()
    assert [member["node"] for member in cluster["members"]] == ["beam@n1", "beam@n3"]
    assert cluster["addresses"] == ["10.0.0.1", "10.0.0.3"]
    assert set(cluster["hosts"]) == {"n1", "n3"}
    assert cluster["departing"] == {
        "n2": {
            "in_run": True,
            "addresses": ["10.0.0.2"],
            "nodes": [
                {
                    "node": "rabbit@n2",
                    "name": "rabbit",
                    "product": "rabbitmq",
                    "kind": "rabbitmq",
                    "unit": "rabbitmq-server.service",
                    "user": "rabbitmq",
                    "group": "rabbitmq",
                    "home": "/var/lib/rabbitmq",
                    "directory": "/etc/beam/rabbit@n2",
                    "product_data": PRODUCTS["rabbitmq"],
                }
            ],
        }
    }


def test_of_a_host_that_is_to_be_without_nothing_is_asked(world: World) -> None:
    world.set("beam_state", "absent")
    world.values["beam_address"] = {}
    world.secrets = {"beam_cookie": {}, "beam_pki_ca_passphrase": {}}
    world.observed["n1"]["skew_seconds"] = -7200.0
    world.observed["n1"]["otp"] = {"installed": True, "release": "20"}
    world.more = {"ca_places": Places()}
    cluster = world.cluster()
    assert cluster["members"] == [] and cluster["hosts"] == {}
    assert set(cluster["departing"]) == set(HOSTS)


def test_secrets_are_asked_for_as_soon_as_a_member_is_in_the_run(world: World) -> None:
    world.set("beam_state", "absent", "n2")
    world.secrets = {"beam_cookie": {}, "beam_pki_ca_passphrase": {}}
    world.run = ["n2"]
    assert set(world.cluster()["departing"]) == {"n2"}
    world.run = ["n1", "n2"]
    _cluster, problems = world.validate()
    assert {(problem.host, problem.rule) for problem in problems} == {
        (host, rule) for host in ("n1", "n3") for rule in ("cookie_missing", "passphrase_missing")
    }


def test_no_secret_in_the_plan_nor_in_what_it_is_made_from(world: World) -> None:
    assert COOKIE not in str(world.cluster()) and PASSPHRASE not in str(world.cluster())
    inventory = Inventory(groups={}, run=[], values={}, secrets=world.secrets, observed={}, products={}, defaults={})
    assert COOKIE not in repr(inventory)


def test_certificates_of_ones_own_need_no_passphrase(world: World) -> None:
    for name in ("beam_pki_certificate", "beam_pki_key", "beam_pki_ca"):
        world.set(name, "/etc/x.pem")
    world.secret("beam_pki_ca_passphrase", MISSING)
    world.more.update(ca_places=Places())
    assert world.cluster()["ca_dir"] is None


def test_a_role_alone_needs_no_secret_but_validates_a_given_one(world: World) -> None:
    world.more.update(requires=(), ca_places=Places())
    world.secret("beam_cookie", MISSING)
    world.secret("beam_pki_ca_passphrase", MISSING)
    assert world.cluster()["requires"] == []
    world.secret("beam_cookie", "riak")
    assert found(world.validate()[1]) == everywhere("beam_cookie", "cookie_known")


def test_waivers(world: World) -> None:
    day = datetime.date(2027, 1, 31)
    world.set("beam_waivers", [WAIVER, {**WAIVER, "control": "CVE-2026-12345", "host": "beam@n1", "until": day, "status": "failed"}])
    same = {"owner": "operations", "reason": "no outsider here"}
    assert world.cluster()["waivers"] == [
        {"control": "outside-epmd", "host": None, **same, "until": "2026-11-26", "status": None},
        {"control": "CVE-2026-12345", "host": "beam@n1", **same, "until": "2027-01-31", "status": "failed"},
    ]


def test_tls_versions_newest_first(world: World) -> None:
    world.set("beam_tls_versions", ["tlsv1.2", "tlsv1.3"])
    assert world.cluster()["tls_versions"] == ["tlsv1.3", "tlsv1.2"]


def shape(world: World, host: str = "n1") -> tuple[Any, ...]:
    """What a host listens to and lets in: of the nodes' addresses and ports, epmd's addresses, the firewall's members, own addresses and ports."""
    cluster = world.cluster()
    own = cluster["hosts"][host]
    nodes = [(node["node"], node["address"], node["port"]) for node in own["nodes"]]
    return nodes, own["epmd"]["listen"], cluster["addresses"], own["firewall"]["own"], own["firewall"]["ports"]


PORTS = [[4369, 4369], [9100, 9100]]


ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


def test_with_a_fixed_port_there_is_no_epmd_and_its_port_stays_shut(world: World) -> None:
    world.set("beam_discovery", "fixed_port")
    assert shape(world) == ([("beam@n1", "10.0.0.1", 9100)], [], ADDRESSES, ["10.0.0.1"], PORTS)


def test_with_a_fixed_port_several_nodes_of_a_host_have_addresses_of_their_own(world: World) -> None:
    world.set("beam_discovery", "fixed_port")
    world.set("beam_node_name", "beam@n1b", "n2")
    nodes = [{"name": "beam@n1", "unit": "a.service"}, {"name": "beam@n1c", "unit": "b.service", "address": "192.0.2.1"}]
    world.set("beam_nodes", nodes, "n1")
    found = shape(world)
    assert found[0] == [("beam@n1", "10.0.0.1", 9100), ("beam@n1c", "192.0.2.1", 9100)]
    assert found[3] == ["10.0.0.1", "192.0.2.1"]


def test_a_standalone_node_is_on_loopback_and_has_no_peers(world: World) -> None:
    world.set("beam_mode", "standalone")
    world.set("beam_address", MISSING, "n1")
    world.set("beam_address", "fd00::3", "n3")
    world.set("beam_node_name", "beam@n3", "n3")
    cluster, problems = world.validate()
    assert {(p.host, p.rule) for p in problems} == {("n3", "family_mixed")}
    world.set("beam_address", "10.0.0.3", "n3")
    assert shape(world) == ([("beam@n1", "127.0.0.1", None)], ["127.0.0.1", "::1"], [], [], PORTS)


def test_a_node_that_is_off_needs_no_secret_and_no_address(world: World) -> None:
    world.set("beam_mode", "off")
    world.set("beam_address", MISSING)
    world.secrets = {"beam_cookie": {}, "beam_pki_ca_passphrase": {}}
    assert shape(world) == ([("beam@n1", "127.0.0.1", None)], [], [], [], PORTS)


def test_settings_are_the_clusters_and_a_product_may_insist(world: World) -> None:
    world.set("beam_net_ticktime", "15")
    world.set("beam_product", "rabbitmq", "n1")
    cluster = world.cluster()
    kernel = {host: own["nodes"][0]["kernel"] for host, own in cluster["hosts"].items()}
    assert kernel["n2"] == cluster["settings"] == {**kernel["n1"], "prevent_overlapping_partitions": True}
    assert kernel["n1"]["prevent_overlapping_partitions"] is False
    assert kernel["n1"]["net_ticktime"] == 15


def test_clear_text_that_is_asked_for_twice_needs_no_authority(world: World) -> None:
    world.set("beam_tls", False)
    world.set("beam_plaintext_accepted", CLEAR)
    del world.secrets["beam_pki_ca_passphrase"]
    world.more["ca_places"] = Places()
    cluster = world.cluster()
    assert (cluster["tls"], cluster["ca_dir"], {own["nodes"][0]["tls"] for own in cluster["hosts"].values()}) == (False, None, {None})
    # All the rest is as it was.
    world.values["beam_tls"], world.values["beam_plaintext_accepted"] = {}, {}
    world.secrets["beam_pki_ca_passphrase"] = dict.fromkeys(HOSTS, PASSPHRASE)
    world.more["ca_places"] = Places(("/inventory",))
    before = world.cluster()
    assert before["tls"] and before["hosts"]["n1"]["nodes"][0]["tls"]["key"] == "/etc/beam/beam@n1/tls/key.pem"
    assert (cluster["proto_dist"], before["proto_dist"]) == ("inet_tcp", "inet_tls")
    for one in (cluster, before):
        del one["tls"], one["ca_dir"], one["proto_dist"]
        for own in one["hosts"].values():
            del own["nodes"][0]["tls"]
    assert cluster == before

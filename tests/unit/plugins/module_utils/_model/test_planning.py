# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of the plan seen red once, on a cluster that is otherwise right; and what the plan says where nothing is wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.cluster import Cluster, Inventory
from ansible_collections.beam.cluster.plugins.module_utils._model.inputs import MISSING, READABLE, Unreadable
from ansible_collections.beam.cluster.plugins.module_utils._model.planning import plan
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems

COOKIE = "0123456789abcdefghijklmnopqrstuvwxyz"
OTHER_COOKIE = COOKIE[::-1]
PASSPHRASE = "correct horse battery staple"
DEFAULTS = {
    "beam_group": "beam",
    "beam_state": "present",
    "beam_mode": "cluster",
    "beam_discovery": "epmd",
    "beam_tls": True,
    "beam_full_stop": False,
    "beam_restart": "auto",
    "beam_tls_versions": ["tlsv1.3"],
    "beam_ports": "9100",
    "beam_product": "erlang",
    "beam_waivers": [],
    "beam_firewall": "auto",
    "beam_hidden": False,
    "beam_net_ticktime": 60,
    "beam_net_tickintensity": 4,
    "beam_prevent_overlapping_partitions": True,
    "beam_connect_all": True,
    "beam_dist_auto_connect": "always",
}
PRODUCTS = {
    "erlang": {"kind": "erlang", "unit": "{name}.service", "user": "beam", "group": "beam", "home": "/var/lib/beam/{node}"},
    "rabbitmq": {
        "kind": "rabbitmq",
        "name": "rabbit",
        "unit": "rabbitmq-server.service",
        "user": "rabbitmq",
        "home": "/var/lib/rabbitmq",
        "peer_ports": ["6000-6500"],
        "kernel": {"prevent_overlapping_partitions": False},
        "modes": ["cluster", "standalone"],
        "links": "kept",
        "outside_tls": {6: {"what": "streams are open.", "fix": "Use none."}},
    },
    "emqx": {"kind": "emqx", "unit": "emqx.service", "user": "emqx", "home": "/var/lib/emqx", "names": ["long", "ip"]},
    "carrot": {"kind": "carrot", "unit": "carrot.service", "user": "carrot", "home": "/var/lib/carrot", "tool_ports": {"first": 6400, "last": 6410}},
}
HOSTS = ("n1", "n2", "n3")
CLEAR = "beam speaks clear text"


class World:
    """An inventory that can be bent before it is judged: three hosts, each seen with its cluster address on eth0 and a public one on eth1."""

    def __init__(self) -> None:
        self.groups: dict[str, list[str]] = {"beam": list(HOSTS), "outsiders": ["outsider"], "empty": []}
        self.run: list[str] = [*HOSTS, "outsider"]
        self.values: dict[str, dict[str, Any]] = {name: {} for name in (*READABLE, "ansible_host")}
        self.values["beam_address"] = {host: f"10.0.0.{number}" for number, host in enumerate(HOSTS, start=1)}
        self.secrets: dict[str, dict[str, Any]] = {
            "beam_cookie": dict.fromkeys(HOSTS, COOKIE),
            "beam_pki_ca_passphrase": dict.fromkeys(HOSTS, PASSPHRASE),
        }
        self.observed = {host: self.seen(number) for number, host in enumerate(HOSTS, start=1)}
        self.more: dict[str, Any] = {}

    @staticmethod
    def seen(number: int) -> dict[str, Any]:
        return {
            "epoch": 1.0,
            "skew_seconds": 0.0,
            "addresses": [
                {"interface": "eth0", "address": f"10.0.0.{number}", "family": 4, "prefix": 24, "default_route": False},
                {"interface": "eth0", "address": f"fd00::{number}", "family": 6, "prefix": 64, "default_route": False},
                {"interface": "eth0", "address": f"fe80::{number}", "family": 6, "prefix": 64, "default_route": False},
                {"interface": "eth1", "address": f"192.0.2.{number}", "family": 4, "prefix": 24, "default_route": True},
            ],
            "otp": {"installed": False, "candidate_release": "27"},
            "firewall": {"beam": None},
            "files": [],
        }

    def set(self, variable: str, value: object, *hosts: str) -> None:
        self.values[variable].update(dict.fromkeys(hosts or HOSTS, value))

    def secret(self, variable: str, value: object, *hosts: str) -> None:
        self.secrets[variable].update(dict.fromkeys(hosts or HOSTS, value))

    def judge(self) -> tuple[Cluster | None, Problems]:
        problems = Problems()
        inventory = Inventory(
            groups=self.groups,
            run=self.run,
            values=self.values,
            secrets=self.secrets,
            observed=self.observed,
            products=PRODUCTS,
            defaults=DEFAULTS,
            inventory_dir="/inventory",
        )
        return plan(replace(inventory, **self.more), problems), problems

    def cluster(self) -> dict[str, Any]:
        cluster, problems = self.judge()
        assert [vars(problem) for problem in problems] == []
        assert cluster is not None
        return cluster.as_dict()

    def provisioned(self) -> None:
        """As after a run: every host's table knows all addresses, and its node has a directory."""
        for host in HOSTS:
            self.observed[host]["firewall"] = {"beam": {"members": ["10.0.0.1", "10.0.0.2", "10.0.0.3"], "own": [], "ports": []}}
            self.observed[host]["files"] = [
                {"path": f"/etc/beam/beam@{host}"},
                {"path": f"/etc/beam/beam@{host}/vm.args"},
                {"path": "/etc/beam/firewall.nft"},
            ]


@pytest.fixture
def world() -> World:
    return World()


def both_nodes(world: World, **second: object) -> None:
    world.set("beam_nodes", [{"name": "web", "ports": "9200"}, {"name": "data", "ports": "9300", **second}], "n1")


Bend = Callable[[World], object]
Expected = set[tuple[str, str, str]]


def everywhere(variable: str, rule: str, *hosts: str) -> Expected:
    return {(host, variable, rule) for host in hosts or HOSTS}


MISTAKES: dict[str, tuple[Bend, Expected]] = {
    "a state that nobody knows": (lambda w: w.set("beam_state", "gone", "n2"), {("n2", "beam_state", "choice")}),
    "a mode that nobody knows": (lambda w: w.set("beam_mode", "alone", *w.run), {("", "beam_mode", "choice")}),
    "a discovery that nobody knows": (lambda w: w.set("beam_discovery", "dns", *w.run), {("", "beam_discovery", "choice")}),
    "a fixed port that is a range": (
        lambda w: (w.set("beam_discovery", "fixed_port"), w.set("beam_ports", "9100-9101")),
        everywhere("beam_ports", "fixed_port_window"),
    ),
    "different fixed ports": (
        lambda w: (w.set("beam_discovery", "fixed_port"), w.set("beam_ports", "9101", "n3")),
        {("n3", "beam_ports", "fixed_port_differs")},
    ),
    "a fixed port with two nodes on one address": (
        lambda w: (w.set("beam_discovery", "fixed_port"), w.set("beam_nodes", [{"name": "web"}, {"name": "data"}], "n1")),
        {("n1", "beam_nodes", "fixed_port_shared")},
    ),
    "standalone nodes with a fixed port on one host": (
        lambda w: (
            w.set("beam_mode", "standalone"),
            w.set("beam_discovery", "fixed_port"),
            w.set("beam_nodes", [{"name": "web"}, {"name": "data", "address": "10.0.1.1"}], "n1"),
        ),
        {("n1", "beam_nodes", "fixed_port_shared")},
    ),
    "a ticktime that is no number": (lambda w: w.set("beam_net_ticktime", "soon"), {("", "beam_net_ticktime", "choice")}),
    "a tickintensity out of range": (lambda w: w.set("beam_net_tickintensity", 3), {("", "beam_net_tickintensity", "choice")}),
    "a setting that is neither true nor false": (lambda w: w.set("beam_connect_all", "perhaps"), {("", "beam_connect_all", "choice")}),
    "different settings": (
        lambda w: w.set("beam_net_ticktime", 15, "n2"),
        {("n2", "beam_net_ticktime", "differs")},
    ),
    "a setting that the product does not bear": (
        lambda w: (w.set("beam_product", "rabbitmq"), w.set("beam_prevent_overlapping_partitions", True)),
        everywhere("beam_prevent_overlapping_partitions", "setting_of_product"),
    ),
    "clear text that is asked for once": (lambda w: w.set("beam_tls", False), {("", "beam_plaintext_accepted", "plaintext_said_once")}),
    "clear text that is accepted, and TLS": (
        lambda w: w.set("beam_plaintext_accepted", CLEAR),
        {("", "beam_plaintext_accepted", "plaintext_said_once")},
    ),
    "clear text that was accepted for another cluster": (
        lambda w: (w.set("beam_tls", "no"), w.set("beam_plaintext_accepted", "data speaks clear text")),
        {("", "beam_plaintext_accepted", "plaintext_said_once")},
    ),
    "clear text that is accepted with a yes": (
        lambda w: (w.set("beam_tls", False), w.set("beam_plaintext_accepted", True)),
        {("", "beam_plaintext_accepted", "plaintext_said_once")},
    ),
    "clear text on one host": (
        lambda w: (w.set("beam_tls", False, "n2"), w.set("beam_plaintext_accepted", CLEAR, "n2")),
        {("n2", "beam_tls", "differs"), ("n2", "beam_plaintext_accepted", "differs")},
    ),
    "TLS that is neither on nor off": (lambda w: w.set("beam_tls", "perhaps"), {("", "beam_tls", "type")}),
    "a product whose tools need distribution, without": (
        lambda w: (w.set("beam_mode", "off"), w.set("beam_product", "rabbitmq", "n2")),
        {("n2", "beam_mode", "mode_of_product")},
    ),
    "a product whose nodes dial its tools, without EPMD": (
        lambda w: (w.set("beam_discovery", "fixed_port"), w.set("beam_product", "carrot", "n2")),
        {("n2", "beam_discovery", "discovery_of_product")},
    ),
    "a short name of a product that cannot bear one": (
        lambda w: w.set("beam_product", "emqx", "n2"),
        {("n2", "beam_node_name", "name_of_product")},
    ),
    "a hidden host that is no member": (lambda w: w.set("beam_hidden", True, "outsider"), {("outsider", "beam_hidden", "hidden_stranger")}),
    "a hidden host that is not among the members": (
        lambda w: (
            w.set("beam_members", [{"node": f"beam@n{n}", "address": f"10.0.0.{n}"} for n in (1, 2)], *w.run),
            w.set("beam_hidden", True, "n3"),
        ),
        {("n3", "beam_hidden", "hidden_stranger")},
    ),
    "a hidden that is neither true nor false": (lambda w: w.set("beam_hidden", "perhaps", "n2"), {("n2", "beam_hidden", "type")}),
    "a name of another address in standalone": (
        lambda w: (w.set("beam_mode", "standalone"), [w.set("beam_node_name", f"beam@10.0.0.{n}", f"n{n}") for n in (1, 2, 3)]),
        everywhere("beam_node_name", "name_is_another_address"),
    ),
    "no group": (lambda w: w.groups.pop("beam"), {("", "beam_group", "group_missing")}),
    "a group that is not there": (
        lambda w: w.set("beam_group", "baem", *w.run),
        {("", "beam_group", "group_missing")},
    ),
    "an empty group": (lambda w: w.groups.update(beam=[]), {("", "beam_group", "group_empty")}),
    "a group that is no name": (lambda w: w.set("beam_group", 7, *w.run), everywhere("beam_group", "type", *HOSTS, "outsider")),
    "two clusters in one play": (lambda w: (w.groups.update(data=["n3"]), w.set("beam_group", "data", "n3")), {("", "beam_group", "one_cluster")}),
    "no address": (lambda w: w.set("beam_address", MISSING, "n2"), {("n2", "beam_address", "address_missing")}),
    "no address, and Ansible goes by name": (
        lambda w: (w.set("beam_address", MISSING, "n2"), w.set("ansible_host", "n2.example.com", "n2")),
        {("n2", "beam_address", "address_missing")},
    ),
    "an address that is loopback from ansible_host": (
        lambda w: (w.set("beam_address", MISSING, "n2"), w.set("ansible_host", "127.0.0.1", "n2")),
        {("n2", "ansible_host", "address_unusable")},
    ),
    "an address that is a name": (lambda w: w.set("beam_address", "n2.example.com", "n2"), {("n2", "beam_address", "address_format")}),
    "an address that is a number": (lambda w: w.set("beam_address", 10, "n2"), {("n2", "beam_address", "address_format")}),
    "an address with a zone": (lambda w: w.set("beam_address", "fe80::2%eth0", "n2"), {("n2", "beam_address", "address_format")}),
    "an address that the host does not have": (lambda w: w.set("beam_address", "10.0.0.9", "n2"), {("n2", "beam_address", "address_not_on_host")}),
    "a port that another program has": (
        lambda w: w.observed["n2"].update(listeners=[{"address": "*", "port": 9100, "process": "node_exporter"}]),
        {("n2", "beam_ports", "window_in_use")},
    ),
    "a window of the kernel's own": (
        lambda w: w.observed["n2"].update(ephemeral_ports={"range": [9000, 60999], "reserved": []}),
        {("n2", "beam_ports", "window_ephemeral")},
    ),
    "a window that is reserved in part": (
        lambda w: (
            w.set("beam_ports", "9100-9103"),
            w.observed["n2"].update(ephemeral_ports={"range": [9000, 60999], "reserved": [[22, 22], [9100, 9102]]}),
        ),
        {("n2", "beam_ports", "window_ephemeral")},
    ),
    "a firewall that nobody knows": (lambda w: w.set("beam_firewall", "iptables", "n2"), {("n2", "beam_firewall", "choice")}),
    "a firewall that is not installed": (
        lambda w: (w.set("beam_firewall", "ufw", "n2"), w.observed["n2"]["firewall"].update(in_charge="none")),
        {("n2", "beam_firewall", "firewall_inactive")},
    ),
    "a firewall that is off": (
        lambda w: (w.set("beam_firewall", "ufw", "n2"), w.observed["n2"]["firewall"].update(in_charge="nftables")),
        {("n2", "beam_firewall", "firewall_inactive")},
    ),
    "a flag that is no flag": (lambda w: w.set("beam_address_late", "perhaps", "n2"), {("n2", "beam_address_late", "type")}),
    "one address twice": (
        lambda w: (w.set("beam_address", "10.0.0.1", "n2"), w.set("beam_address_late", True, "n2")),
        everywhere("beam_address", "address_duplicate", "n1", "n2"),
    ),
    "an interface that is not there": (
        lambda w: (w.set("beam_address", MISSING, "n2"), w.set("beam_interface", "eth9", "n2")),
        {("n2", "beam_interface", "interface_missing")},
    ),
    "an interface that has only a link-local address": (
        lambda w: (
            w.set("beam_address", MISSING, "n2"),
            w.set("beam_interface", "wg0", "n2"),
            w.observed["n2"]["addresses"].append({"interface": "wg0", "address": "fe80::9", "family": 6, "prefix": 64, "default_route": False}),
        ),
        {("n2", "beam_interface", "interface_missing")},
    ),
    "an interface without an address of the family": (
        lambda w: (
            [w.set("beam_address", f"fd00::{number}", f"n{number}") for number in (1, 3)],
            w.set("beam_address", MISSING, "n2"),
            w.set("beam_interface", "eth1", "n2"),
        ),
        {("n2", "beam_interface", "interface_family")},
    ),
    "an interface with addresses of both families": (
        lambda w: (
            [w.set("beam_address", f"fd00::{number}", f"n{number}") for number in (1, 3)],
            w.set("beam_address", MISSING, "n2"),
            w.set("beam_interface", "eth0", "n2"),
        ),
        {("n2", "beam_interface", "interface_family")},
    ),
    "an interface with two addresses": (
        lambda w: (
            w.set("beam_address", MISSING, "n2"),
            w.set("beam_interface", "eth0", "n2"),
            w.observed["n2"]["addresses"].append({"interface": "eth0", "address": "10.0.0.22", "family": 4, "prefix": 24, "default_route": False}),
        ),
        {("n2", "beam_interface", "interface_ambiguous")},
    ),
    "an interface of a host that is not in the run": (
        lambda w: (w.set("beam_address", MISSING, "n2"), w.set("beam_interface", "eth0", "n2"), w.run.remove("n2"), w.observed.pop("n2")),
        {("n2", "beam_interface", "interface_not_observed")},
    ),
    "a node without a host": (lambda w: w.set("beam_node_name", "beam", "n2"), {("n2", "beam_node_name", "node_name")}),
    "a node with two hosts": (lambda w: w.set("beam_node_name", "beam@n2@n2", "n2"), {("n2", "beam_node_name", "node_name")}),
    "a node with a dot before the @": (lambda w: w.set("beam_node_name", "my.beam@n2", "n2"), {("n2", "beam_node_name", "node_name")}),
    "a node that would leave its directory": (lambda w: w.set("beam_node_name", "beam@../n2", "n2"), {("n2", "beam_node_name", "node_name")}),
    "two nodes of the same name": (lambda w: w.set("beam_node_name", "beam@n1", "n2"), {("n2", "beam_node_name", "node_name_duplicate")}),
    "two names for epmd on one host": (
        lambda w: (both_nodes(w, name="web@n1b", address="192.0.2.1", unit="b.service"),),
        {("n1", "beam_nodes", "epmd_name_duplicate")},
    ),
    "two nodes in one unit": (lambda w: both_nodes(w, unit="web.service"), {("n1", "beam_nodes", "unit_duplicate")}),
    "one host name, two addresses": (
        lambda w: (w.set("beam_node_name", "two@n1", "n2"),),
        {("n2", "beam_node_name", "name_has_two_addresses")},
    ),
    "an IP name of somebody else": (
        lambda w: [w.set("beam_node_name", f"beam@10.0.0.{number}", host) for number, host in ((7, "n1"), (2, "n2"), (3, "n3"))],
        {("n1", "beam_node_name", "name_is_another_address")},
    ),
    # Which carrier a node has follows from its address, so that this is how an IPv6 literal would meet inet_tcp.
    "an IPv6 literal and IPv4 addresses": (
        lambda w: [w.set("beam_node_name", f"beam@fd00::{number}", f"n{number}") for number in (1, 2, 3)],
        everywhere("beam_node_name", "name_is_another_address"),
    ),
    "short names of hosts in different domains": (
        lambda w: (w.set("beam_node_name", "beam@n", "n1"), w.set("beam_node_name", "beam@n", "n2")),
        {("n2", "beam_node_name", "node_name_duplicate")},
    ),
    "long names by inventory, a short one by hand": (
        lambda w: (
            w.set("beam_node_name", "beam@n1.a.example", "n1"),
            w.set("beam_node_name", "beam@n2.b.example", "n2"),
            w.set("beam_node_name", "beam@n3", "n3"),
        ),
        {("n3", "beam_node_name", "names_mixed")},
    ),
    "short and long names": (lambda w: w.set("beam_node_name", "beam@n2.example.com", "n2"), {("n2", "beam_node_name", "names_mixed")}),
    "long and IP names": (
        lambda w: (
            w.set("beam_node_name", "beam@10.0.0.1", "n1"),
            w.set("beam_node_name", "beam@n2.x.org", "n2"),
            w.set("beam_node_name", "beam@n3.x.org", "n3"),
        ),
        {("n1", "beam_node_name", "names_mixed")},
    ),
    "IPv4 and IPv6": (lambda w: w.set("beam_address", "fd00::2", "n2"), {("n2", "beam_address", "family_mixed")}),
    "a window that is none": (lambda w: w.set("beam_ports", "many", "n2"), {("n2", "beam_ports", "ports_format")}),
    "a window that is true": (lambda w: w.set("beam_ports", True, "n2"), {("n2", "beam_ports", "ports_format")}),
    "a window reversed": (lambda w: w.set("beam_ports", "9109-9100", "n2"), {("n2", "beam_ports", "window_reversed")}),
    "a window of privileged ports": (lambda w: w.set("beam_ports", "1000-1100", "n2"), {("n2", "beam_ports", "window_range")}),
    "a window above all ports": (lambda w: w.set("beam_ports", "65000-65536", "n2"), {("n2", "beam_ports", "window_range")}),
    "a window over epmd": (lambda w: w.set("beam_ports", "4000-5000", "n2"), {("n2", "beam_ports", "window_overlaps_epmd")}),
    "a window that is epmd's port": (lambda w: w.set("beam_ports", 4369, "n2"), {("n2", "beam_ports", "window_overlaps_epmd")}),
    "windows that overlap": (lambda w: both_nodes(w, ports="9190-9200"), {("n1", "beam_ports", "window_overlap")}),
    "a window too small": (
        lambda w: (w.set("beam_ports", "9100-9101", "n1"), w.set("beam_nodes", [{"name": "a"}, {"name": "b"}, {"name": "c"}], "n1")),
        {("n1", "beam_ports", "window_too_small")},
    ),
    "nodes that are no list": (lambda w: w.set("beam_nodes", "web", "n1"), {("n1", "beam_nodes", "type")}),
    "no nodes": (lambda w: w.set("beam_nodes", [], "n1"), {("n1", "beam_nodes", "type")}),
    "a node that is no dictionary": (lambda w: w.set("beam_nodes", ["web"], "n1"), {("n1", "beam_nodes", "type")}),
    "a node with a key that nobody reads": (
        lambda w: w.set("beam_nodes", [{"name": "a", "adress": "10.0.0.1"}], "n1"),
        {("n1", "beam_nodes", "unknown_key")},
    ),
    "two nodes, one without a name": (lambda w: w.set("beam_nodes", [{"name": "a"}, {"ports": "9200"}], "n1"), {("n1", "beam_nodes", "missing_key")}),
    "an unknown product": (lambda w: w.set("beam_product", "erlong", "n2"), {("n2", "beam_product", "product_unknown")}),
    "an unknown product, and no address": (
        lambda w: (w.set("beam_product", "erlong", "n2"), w.set("beam_address", MISSING, "n2")),
        {("n2", "beam_product", "product_unknown"), ("n2", "beam_address", "address_missing")},
    ),
    "an unknown mode": (lambda w: w.set("beam_mode", "of"), {("", "beam_mode", "choice")}),
    "an unknown discovery": (lambda w: w.set("beam_discovery", "dns"), {("", "beam_discovery", "choice")}),
    "an old TLS version": (lambda w: w.set("beam_tls_versions", ["tlsv1.1"]), {("", "beam_tls_versions", "choice")}),
    "no TLS version": (lambda w: w.set("beam_tls_versions", []), {("", "beam_tls_versions", "choice")}),
    "a TLS version that is no list": (lambda w: w.set("beam_tls_versions", "tlsv1.3"), {("", "beam_tls_versions", "choice")}),
    "two settings for one cluster": (lambda w: w.set("beam_tls_versions", ["tlsv1.2"], "n2"), {("n2", "beam_tls_versions", "differs")}),
    "a waiver without an end": (lambda w: w.set("beam_waivers", [{"control": "x", "reason": "y"}]), {("", "beam_waivers", "missing_key")}),
    "a waiver that ends never": (
        lambda w: w.set("beam_waivers", [{"control": "x", "reason": "y", "until": "never"}]),
        {("", "beam_waivers", "waiver_until")},
    ),
    "waivers that are no list": (lambda w: w.set("beam_waivers", {"control": "x"}), {("", "beam_waivers", "type")}),
    "outsiders that are not there": (lambda w: w.set("beam_outsiders", "strangers"), {("", "beam_outsiders", "group_missing")}),
    "an outsider that is a member": (lambda w: w.groups.update(outsiders=["n3"]), {("n3", "beam_outsiders", "outsider_is_member")}),
    "a CA directory that is a number": (lambda w: w.set("beam_pki_ca_dir", 7), {("", "beam_pki_ca_dir", "type")}),
    "no place for a CA": (lambda w: w.more.update(inventory_dir=None), {("", "beam_pki_ca_dir", "ca_dir_missing")}),
    "old OTP installed": (
        lambda w: w.observed["n2"].update(otp={"installed": True, "release": "24", "candidate_release": "27"}),
        {("n2", "", "otp_unsupported")},
    ),
    "old OTP offered": (lambda w: w.observed["n2"].update(otp={"installed": False, "candidate_release": "23"}), {("n2", "", "otp_unsupported")}),
    "a clock that is behind": (lambda w: w.observed["n2"].update(skew_seconds=-3601.0), {("n2", "", "clock_skew")}),
    "a clock that is behind a shorter time": (
        lambda w: (w.observed["n2"].update(skew_seconds=-70.0), w.more.update(backdate_seconds=60)),
        {("n2", "", "clock_skew")},
    ),
    "no cookie": (lambda w: w.secret("beam_cookie", MISSING), everywhere("beam_cookie", "cookie_missing")),
    "an empty cookie": (lambda w: w.secret("beam_cookie", ""), everywhere("beam_cookie", "cookie_missing")),
    "a cookie on some hosts": (lambda w: w.secret("beam_cookie", MISSING, "n2"), {("n2", "beam_cookie", "cookie_missing")}),
    "a cookie that cannot be read": (
        lambda w: w.secret("beam_cookie", Unreadable("'vault' is undefined"), "n2"),
        {("n2", "beam_cookie", "cookie_unreadable")},
    ),
    "a short cookie": (lambda w: w.secret("beam_cookie", COOKIE[:31]), everywhere("beam_cookie", "cookie_short")),
    "a long cookie": (lambda w: w.secret("beam_cookie", COOKIE * 8), everywhere("beam_cookie", "cookie_long")),
    "a known cookie": (lambda w: w.secret("beam_cookie", "monster"), everywhere("beam_cookie", "cookie_known")),
    "a known cookie made long": (lambda w: w.secret("beam_cookie", "riak" * 10), everywhere("beam_cookie", "cookie_known")),
    "a cookie of one letter": (lambda w: w.secret("beam_cookie", "x" * 40), everywhere("beam_cookie", "cookie_weak")),
    "a cookie with a space": (lambda w: w.secret("beam_cookie", COOKIE + " x"), everywhere("beam_cookie", "cookie_characters")),
    "a cookie with a quote": (lambda w: w.secret("beam_cookie", COOKIE + "'"), everywhere("beam_cookie", "cookie_characters")),
    "a cookie with an umlaut": (lambda w: w.secret("beam_cookie", COOKIE + "\u00e4"), everywhere("beam_cookie", "cookie_characters")),
    "a cookie with a line break": (lambda w: w.secret("beam_cookie", COOKIE + "\n"), everywhere("beam_cookie", "cookie_characters")),
    "a cookie like a flag": (lambda w: w.secret("beam_cookie", "-" + COOKIE), everywhere("beam_cookie", "cookie_characters")),
    "a cookie that is a number": (lambda w: w.secret("beam_cookie", 10**40), everywhere("beam_cookie", "cookie_type")),
    "two cookies": (lambda w: w.secret("beam_cookie", OTHER_COOKIE, "n3"), {("n3", "beam_cookie", "differs")}),
    "no passphrase": (lambda w: w.secret("beam_pki_ca_passphrase", MISSING), everywhere("beam_pki_ca_passphrase", "passphrase_missing")),
    "a short passphrase": (lambda w: w.secret("beam_pki_ca_passphrase", "short"), everywhere("beam_pki_ca_passphrase", "passphrase_short")),
    "a known passphrase": (lambda w: w.secret("beam_pki_ca_passphrase", "changeme"), everywhere("beam_pki_ca_passphrase", "passphrase_known")),
    "two passphrases": (lambda w: w.secret("beam_pki_ca_passphrase", PASSPHRASE + "!", "n3"), {("n3", "beam_pki_ca_passphrase", "differs")}),
    "half a certificate of one's own": (
        lambda w: w.set("beam_pki_certificate", "/etc/x.pem", "n2"),
        {("n2", "beam_pki_key, beam_pki_ca", "certificate_incomplete")},
    ),
    "certificates of some members only, and no passphrase": (
        lambda w: (
            [w.set(name, "/etc/x.pem", "n1", "n2") for name in ("beam_pki_certificate", "beam_pki_key", "beam_pki_ca")],
            w.secret("beam_pki_ca_passphrase", MISSING),
        ),
        everywhere("beam_pki_ca_passphrase", "passphrase_missing"),
    ),
    "members that are no list": (lambda w: w.set("beam_members", "n1", *w.run), {("", "beam_members", "member_list")}),
    "a member without an address": (lambda w: w.set("beam_members", [{"node": "beam@n1"}], *w.run), {("", "beam_members", "missing_key")}),
}


def found(problems: Problems) -> Expected:
    return {(problem.host, problem.variable, problem.rule) for problem in problems}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_found_and_nothing_else(world: World, mistake: str) -> None:
    bend, expected = MISTAKES[mistake]
    bend(world)
    cluster, problems = world.judge()
    assert cluster is None
    assert found(problems) == expected
    for problem in problems:
        assert problem.message.endswith(".") and problem.fix.endswith("."), "a sentence for a reader"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_message_shows_a_secret(world: World, mistake: str) -> None:
    MISTAKES[mistake][0](world)
    secrets = {str(value) for values in world.secrets.values() for value in values.values() if isinstance(value, str) and value}
    _cluster, problems = world.judge()
    for problem in problems:
        assert not any(secret in problem.message or secret in problem.fix for secret in secrets)


def test_all_at_once(world: World) -> None:
    world.set("beam_ports", "9109-9100", "n1")
    world.set("beam_address", "nowhere", "n2")
    world.set("beam_node_name", "beam", "n3")
    world.set("beam_mode", "of")
    world.secret("beam_cookie", "riak")
    world.observed["n3"]["skew_seconds"] = -86400.0
    assert found(world.judge()[1]) == {
        ("n1", "beam_ports", "window_reversed"),
        ("n2", "beam_address", "address_format"),
        ("n3", "beam_node_name", "node_name"),
        ("", "beam_mode", "choice"),
        *everywhere("beam_cookie", "cookie_known"),
        ("n3", "", "clock_skew"),
    }


def test_the_shape(world: World) -> None:
    cluster = world.cluster()
    assert {key: value for key, value in cluster.items() if key not in ("hosts", "members", "changes")} == {
        "group": "beam",
        "names": "short",
        "family": 4,
        "mode": "cluster",
        "discovery": "epmd",
        "carrier": "inet_tls",
        "strangers": [],
        "full_stop": False,
        "restart": "auto",
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
        "ca_dir": "/inventory/pki/beam",
        "requires": ["cookie", "ca_passphrase"],
        "waivers": [],
        "addresses": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        "leaving": {},
        "outsiders": ["outsider"],
        "findings": [],
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
                "inet_tuple": "{10,0,0,2}",
                "tls": {
                    "ca": "/etc/beam/beam@n2/tls/ca.pem",
                    "certificate": "/etc/beam/beam@n2/tls/cert.pem",
                    "key": "/etc/beam/beam@n2/tls/key.pem",
                    "versions": ["tlsv1.3"],
                },
            }
        ],
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
    assert cluster["leaving"] == {
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
                }
            ],
        }
    }


def test_every_node_of_a_host_leaves_with_it(world: World) -> None:
    both_nodes(world)
    world.set("beam_state", "absent", "n1")
    assert [node["unit"] for node in world.cluster()["leaving"]["n1"]["nodes"]] == ["web.service", "data.service"]


def test_of_a_host_that_is_to_be_without_nothing_is_asked(world: World) -> None:
    world.set("beam_state", "absent")
    world.values["beam_address"] = {}
    world.secrets = {"beam_cookie": {}, "beam_pki_ca_passphrase": {}}
    world.observed["n1"]["skew_seconds"] = -7200.0
    world.observed["n1"]["otp"] = {"installed": True, "release": "20"}
    world.more = {"inventory_dir": None}
    cluster = world.cluster()
    assert cluster["members"] == [] and cluster["hosts"] == {}
    assert set(cluster["leaving"]) == set(HOSTS)


def test_secrets_are_asked_for_as_soon_as_a_member_is_in_the_run(world: World) -> None:
    world.set("beam_state", "absent", "n2")
    world.secrets = {"beam_cookie": {}, "beam_pki_ca_passphrase": {}}
    world.run = ["n2"]
    assert set(world.cluster()["leaving"]) == {"n2"}
    world.run = ["n1", "n2"]
    _cluster, problems = world.judge()
    assert {(problem.host, problem.rule) for problem in problems} == {
        (host, rule) for host in ("n1", "n3") for rule in ("cookie_missing", "passphrase_missing")
    }


def test_members_outside_the_run_still_count_on_one_that_leaves(world: World) -> None:
    world.provisioned()
    world.set("beam_state", "absent", "n2")
    world.run = ["n2"]
    stale = [finding for finding in world.cluster()["findings"] if finding["control"] == "stale_host"]
    assert [(finding["host"], finding["severity"]) for finding in stale] == [("n1", "high"), ("n3", "high")]
    assert "beam@n2 leaves" in stale[0]["detail"]


def test_listed_members_leave_with_their_host(world: World) -> None:
    world.set("beam_members", [{"node": f"beam@n{number}", "address": f"10.0.0.{number}"} for number in (1, 2)], *world.run)
    world.set("beam_state", "absent", "n2")
    cluster = world.cluster()
    assert [member["node"] for member in cluster["members"]] == ["beam@n1"]
    assert [node["unit"] for node in cluster["leaving"]["n2"]["nodes"]] == ["beam.service"]


def test_no_secret_in_the_plan_nor_in_what_it_is_made_from(world: World) -> None:
    assert COOKIE not in str(world.cluster()) and PASSPHRASE not in str(world.cluster())
    inventory = Inventory(groups={}, run=[], values={}, secrets=world.secrets, observed={}, products={}, defaults={})
    assert COOKIE not in repr(inventory)


@pytest.mark.parametrize(
    ("wanted", "in_charge", "used"),
    [
        (MISSING, "firewalld", "firewalld"),
        ("auto", "ufw", "ufw"),
        ("auto", "nftables", "nftables"),
        ("auto", "none", "nftables"),
        ("nftables", "firewalld", "nftables"),
        ("external", "ufw", "external"),
        ("ufw", "ufw", "ufw"),
    ],
)
def test_who_runs_the_firewall(world: World, wanted: object, in_charge: str, used: str) -> None:
    world.set("beam_firewall", wanted, "n2")
    world.observed["n2"]["firewall"]["in_charge"] = in_charge
    assert world.cluster()["hosts"]["n2"]["firewall"]["backend"] == used
    assert world.cluster()["hosts"]["n1"]["firewall"]["backend"] == "nftables", "each host for itself"


def test_a_window_may_be_reserved(world: World) -> None:
    world.set("beam_ports", "9100-9103")
    for seen in world.observed.values():
        seen["ephemeral_ports"] = {"range": [9000, 60999], "reserved": [[9100, 9101], [9102, 9110]]}
    assert world.cluster()["hosts"]["n2"]["nodes"][0]["ports"] == {"first": 9100, "last": 9103}


def test_addresses_sort_as_numbers(world: World) -> None:
    world.set("beam_address", "10.0.0.10", "n1")
    world.set("beam_address_late", "yes", "n1")
    assert world.cluster()["addresses"] == ["10.0.0.2", "10.0.0.3", "10.0.0.10"]


def test_an_address_may_come_late(world: World) -> None:
    world.set("beam_address", "10.0.0.9", "n2")
    world.set("beam_address_late", True, "n2")
    assert world.cluster()["hosts"]["n2"]["interface"] is None


def test_ansible_host_serves_where_it_is_an_address(world: World) -> None:
    world.set("beam_address", MISSING, "n2")
    world.set("ansible_host", "192.0.2.2", "n2")
    assert world.cluster()["hosts"]["n2"]["interface"] == "eth1"


@pytest.mark.parametrize("interface,address", [("eth0", "10.0.0.2"), ("eth1", "192.0.2.2")])
def test_an_interface_gives_its_address(world: World, interface: str, address: str) -> None:
    world.set("beam_address", MISSING, "n2")
    world.set("beam_interface", interface, "n2")
    assert world.cluster()["hosts"]["n2"]["address"] == address


def test_ipv6_only(world: World) -> None:
    for number, host in enumerate(HOSTS, start=1):
        world.set("beam_address", f"fd00::{number}", host)
    cluster = world.cluster()
    assert cluster["family"] == 6
    assert cluster["hosts"]["n1"]["nodes"][0]["inet_tuple"] == "{64768,0,0,0,0,0,0,1}"


def test_ip_names(world: World) -> None:
    for number, host in enumerate(HOSTS, start=1):
        world.set("beam_node_name", f"beam@10.0.0.{number}", host)
    assert world.cluster()["names"] == "ip"


def test_long_names(world: World) -> None:
    for host in HOSTS:
        world.set("beam_node_name", f"beam@{host}.example.com", host)
    assert world.cluster()["names"] == "long"


def test_several_nodes_on_one_host(world: World) -> None:
    world.set("beam_ports", "9100-9105", "n1")
    world.set("beam_nodes", [{"name": "a"}, {"name": "b"}, {"name": "mq@n1", "product": "rabbitmq", "ports": 25672, "user": "carrot"}], "n1")
    host = world.cluster()["hosts"]["n1"]
    assert [(node["node"], node["ports"], node["unit"], node["user"], node["group"]) for node in host["nodes"]] == [
        ("a@n1", {"first": 9100, "last": 9102}, "a.service", "beam", "beam"),
        ("b@n1", {"first": 9103, "last": 9105}, "b.service", "beam", "beam"),
        ("mq@n1", {"first": 25672, "last": 25672}, "rabbitmq-server.service", "carrot", "carrot"),
    ]
    assert host["firewall"]["ports"] == [[4369, 4369], [6000, 6500], [9100, 9105], [25672, 25672]]


def test_a_product_says_how_its_nodes_are_called() -> None:
    world = World()
    world.set("beam_product", "rabbitmq")
    world.set("beam_node_name", "carrot@n2", "n2")
    assert [member["node"] for member in world.cluster()["members"]] == ["carrot@n2", "rabbit@n1", "rabbit@n3"]


def test_an_unknown_product_is_one_mistake() -> None:
    world = World()
    world.set("beam_product", "kafka", "n2")
    cluster, problems = world.judge()
    assert cluster is None
    assert [(problem.host, problem.rule) for problem in problems] == [("n2", "product_unknown")]


def test_two_addresses_on_one_host_may_share_a_window(world: World) -> None:
    world.set("beam_nodes", [{"name": "a@n1", "ports": 9100}, {"name": "b@n1b", "ports": 9100, "address": "192.0.2.1"}], "n1")
    host = world.cluster()["hosts"]["n1"]
    assert host["addresses"] == ["10.0.0.1", "192.0.2.1"]
    assert host["epmd"]["listen"] == ["127.0.0.1", "::1", "10.0.0.1", "192.0.2.1"]


def test_members_without_a_group(world: World) -> None:
    world.groups.clear()
    members = [
        {"node": "beam@n1", "address": "10.0.0.1"},
        {"node": "beam@two", "address": "10.0.0.2", "ports": "9200-9201"},
        {"node": "beam@three", "address": "10.0.0.3", "host": "n3"},
        {"node": "beam@far", "address": "10.0.0.4"},
    ]
    world.set("beam_members", members, *world.run)
    cluster = world.cluster()
    assert [(member["node"], member["host"]) for member in cluster["members"]] == [
        ("beam@far", None),
        ("beam@n1", "n1"),
        ("beam@three", "n3"),
        ("beam@two", "n2"),
    ]
    assert cluster["hosts"]["n2"]["nodes"][0]["unit"] == "beam.service"
    assert cluster["hosts"]["n2"]["nodes"][0]["ports"] == {"first": 9200, "last": 9201}
    assert cluster["addresses"][-1] == "10.0.0.4"


def test_certificates_of_ones_own_need_no_passphrase(world: World) -> None:
    for name in ("beam_pki_certificate", "beam_pki_key", "beam_pki_ca"):
        world.set(name, "/etc/x.pem")
    world.secret("beam_pki_ca_passphrase", MISSING)
    world.more.update(inventory_dir=None)
    assert world.cluster()["ca_dir"] is None


def test_a_role_alone_needs_no_secret_but_judges_one_that_is_there(world: World) -> None:
    world.more.update(requires=(), inventory_dir=None)
    world.secret("beam_cookie", MISSING)
    world.secret("beam_pki_ca_passphrase", MISSING)
    assert world.cluster()["requires"] == []
    world.secret("beam_cookie", "riak")
    assert found(world.judge()[1]) == everywhere("beam_cookie", "cookie_known")


def test_waivers(world: World) -> None:
    world.set(
        "beam_waivers", [{"control": "x", "reason": "y", "until": "2027-01-31"}, {"control": "z", "host": "n1", "reason": "y", "until": "2027-01-31"}]
    )
    assert world.cluster()["waivers"] == [
        {"control": "x", "host": None, "reason": "y", "until": "2027-01-31"},
        {"control": "z", "host": "n1", "reason": "y", "until": "2027-01-31"},
    ]


def test_tls_versions_newest_first(world: World) -> None:
    world.set("beam_tls_versions", ["tlsv1.2", "tlsv1.3"])
    assert world.cluster()["tls_versions"] == ["tlsv1.3", "tlsv1.2"]


def test_a_clock_that_is_ahead_is_a_finding(world: World) -> None:
    world.observed["n2"]["skew_seconds"] = 7200.0
    assert [(finding["control"], finding["host"]) for finding in world.cluster()["findings"]] == [("clock_ahead", "n2")]


@pytest.mark.parametrize(
    "listener",
    [{"address": "10.0.0.2", "process": "beam.smp"}, {"address": "10.0.0.2", "process": None}, {"address": "127.0.0.1", "process": "node_exporter"}],
)
def test_a_port_may_be_our_own_or_on_loopback(world: World, listener: dict[str, Any]) -> None:
    world.observed["n2"]["listeners"] = [{"port": 9100, **listener}]
    assert world.cluster()["findings"] == []


def test_the_exact_limit_of_the_clock_is_right(world: World) -> None:
    world.observed["n2"]["skew_seconds"] = -3600.0
    assert world.cluster()["findings"] == []


def test_unknown_otp_is_no_mistake(world: World) -> None:
    world.observed["n2"]["otp"] = {"installed": False, "candidate_release": None}
    world.observed["n3"]["otp"] = {"installed": True, "release": "25"}
    world.cluster()


def test_one_network_is_a_finding(world: World) -> None:
    world.set("beam_address", "192.0.2.2", "n2")
    assert [(finding["control"], finding["host"]) for finding in world.cluster()["findings"]] == [("one_network", "n2")]


# What hosts outside the run do not know of


def stale(cluster: dict[str, Any]) -> dict[str, str]:
    return {finding["host"]: finding["severity"] for finding in cluster["findings"] if finding["control"] == "stale_host"}


def limit(world: World, *hosts: str) -> None:
    world.run = list(hosts)
    world.observed = {host: copy.deepcopy(world.observed[host]) for host in hosts}


def test_a_new_cluster_has_nobody_outside(world: World) -> None:
    assert world.cluster()["changes"] == {host: [f"beam@{host} (10.0.0.{number}) is new"] for number, host in enumerate(HOSTS, start=1)}
    assert not stale(world.cluster())


def test_nothing_changed_nobody_is_stale(world: World) -> None:
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
    assert "beam@n2" in cluster["findings"][0]["detail"]


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


def test_a_host_outside_the_run_is_judged_by_the_inventory_alone(world: World) -> None:
    world.provisioned()
    limit(world, "n2")
    assert world.cluster()["hosts"]["n1"]["interface"] is None
    world.set("beam_ports", "9109-9100", "n1")
    assert found(world.judge()[1]) == {("n1", "beam_ports", "window_reversed")}


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


def test_a_standalone_node_is_on_loopback_and_nobody_is_let_in(world: World) -> None:
    world.set("beam_mode", "standalone")
    world.set("beam_address", MISSING, "n1")
    world.set("beam_address", "fd00::3", "n3")
    world.set("beam_node_name", "beam@n3", "n3")
    cluster, problems = world.judge()
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


def test_hidden_is_of_a_host_or_of_one_of_its_nodes(world: World) -> None:
    world.set("beam_hidden", "yes", "n2")
    world.set("beam_nodes", [{"name": "web", "ports": "9200"}, {"name": "eye", "ports": "9300", "hidden": True}], "n1")
    assert {member["node"] for member in world.cluster()["members"] if member["hidden"]} == {"beam@n2", "eye@n1"}


def test_a_node_of_somebody_else_on_a_members_host_is_a_finding(world: World) -> None:
    world.observed["n2"]["processes"] = [{"node": "beam@n2", "pid": 1}, {"node": "web@n2", "pid": 2}, {"node": None, "pid": 3}]
    (found,) = world.cluster()["findings"]
    assert (found["control"], found["host"], found["severity"]) == ("shared_epmd", "n2", "medium")
    assert "web@n2" in found["detail"]


def test_clear_text_that_is_asked_for_twice_needs_no_authority(world: World) -> None:
    world.set("beam_tls", False)
    world.set("beam_plaintext_accepted", CLEAR)
    del world.secrets["beam_pki_ca_passphrase"]
    world.more["inventory_dir"] = None
    cluster = world.cluster()
    assert (cluster["tls"], cluster["ca_dir"], {own["nodes"][0]["tls"] for own in cluster["hosts"].values()}) == (False, None, {None})
    # All the rest is as it was.
    world.values["beam_tls"], world.values["beam_plaintext_accepted"] = {}, {}
    world.secrets["beam_pki_ca_passphrase"] = dict.fromkeys(HOSTS, PASSPHRASE)
    world.more["inventory_dir"] = "/inventory"
    before = world.cluster()
    assert before["tls"] and before["hosts"]["n1"]["nodes"][0]["tls"]["key"] == "/etc/beam/beam@n1/tls/key.pem"
    assert (cluster["carrier"], before["carrier"]) == ("inet_tcp", "inet_tls")
    for one in (cluster, before):
        del one["tls"], one["ca_dir"], one["carrier"]
        for own in one["hosts"].values():
            del own["nodes"][0]["tls"]
    assert cluster == before


def test_a_listed_member_may_be_hidden(world: World) -> None:
    members = [{"node": f"beam@n{n}", "address": f"10.0.0.{n}", **({"hidden": True} if n == 2 else {})} for n in (1, 2, 3)]
    world.set("beam_members", members, *world.run)
    world.set("beam_hidden", True, "n3")
    assert [member["hidden"] for member in world.cluster()["members"]] == [False, True, True]


def running(world: World, *hosts: str, digest: str | None = None, argv: tuple[str, ...] = ()) -> None:
    """RabbitMQ everywhere, and a process of its unit on these hosts. Without more it is that of the stock package."""
    world.set("beam_product", "rabbitmq")
    for host in hosts:
        world.observed[host]["processes"] = [
            {"process": "epmd", "unit": "epmd.service", "digest": None, "argv": []},
            {"process": "beam.smp", "unit": "rabbitmq-server.service", "node": None, "digest": digest, "argv": ["-sname", "x", *argv]},
        ]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param({}, ["rabbit@n2"], id="stock"),
        pytest.param({"argv": ("-proto_dist", "inet_tls")}, ["rabbit@n2"], id="somebody's TLS"),
        pytest.param({"digest": "1", "argv": ("-proto_dist", "inet_tcp")}, ["rabbit@n2"], id="ours in clear text"),
        pytest.param({"digest": "1", "argv": ("-proto_dist", "inet_tls")}, [], id="ours"),
    ],
)
def test_who_speaks_otherwise_than_the_cluster_is_going_to(world: World, runs: Any, expected: list[str]) -> None:
    running(world, "n2", **runs)
    cluster = world.cluster()
    assert (cluster["strangers"], cluster["full_stop"]) == (expected, False)
    world.set("beam_full_stop", "true")
    assert world.cluster()["full_stop"] is True


@pytest.mark.parametrize("told", [("-erl_epmd_port",), ("-kernel", "erl_epmd_node_listen_port")])
@pytest.mark.parametrize(
    ("port", "discovery", "expected"), [("9100", "epmd", ["rabbit@n2"]), ("9100", "fixed_port", []), ("9200", "fixed_port", ["rabbit@n2"])]
)
def test_who_is_not_registered_cannot_be_found(world: World, told: tuple[str, ...], port: str, discovery: str, expected: list[str]) -> None:
    running(world, "n2", digest="1", argv=("-proto_dist", "inet_tls", *told, port))
    world.set("beam_discovery", discovery)
    assert world.cluster()["strangers"] == expected


def test_a_node_that_is_registered_goes_to_a_fixed_port_by_itself(world: World) -> None:
    """It is found at its old port, which is the new one, too."""
    running(world, *HOSTS, digest="1", argv=("-proto_dist", "inet_tls"))
    world.set("beam_discovery", "fixed_port")
    assert world.cluster()["strangers"] == []


def test_a_product_that_bears_two_parts_has_no_strangers(world: World) -> None:
    running(world, *HOSTS)
    world.set("beam_product", "erlang")
    for host in HOSTS:
        world.observed[host]["processes"][1]["unit"] = "beam.service"
    assert world.cluster()["strangers"] == []


def test_what_tls_does_not_cover_is_a_finding(world: World) -> None:
    world.set("beam_product", "rabbitmq", "n1")
    assert world.cluster()["findings"] == []
    world.values["beam_address"] = {host: f"fd00::{number}" for number, host in enumerate(HOSTS, start=1)}
    (found,) = world.cluster()["findings"]
    assert (found["control"], found["host"], found["severity"], found["fix"]) == ("outside_tls", "n1", "high", "Use none.")
    world.set("beam_tls", False)
    world.set("beam_plaintext_accepted", CLEAR)
    assert world.cluster()["findings"] == []

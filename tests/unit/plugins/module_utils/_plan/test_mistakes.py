# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of the plan seen red once, on a cluster that is otherwise right."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._plan.ca_dir import Places
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import MISSING, Unreadable
from plan_world import CLEAR, COOKIE, HOSTS, OTHER_COOKIE, PASSPHRASE, WAIVER, Expected, World, both_nodes, everywhere, found


@pytest.fixture
def world() -> World:
    return World()


Bend = Callable[[World], object]


MISTAKES: dict[str, tuple[Bend, Expected]] = {
    "a state that nobody knows": (lambda w: w.set("beam_state", "gone", "n2"), {("n2", "beam_state", "choice")}),
    "a mode that nobody knows": (lambda w: w.set("beam_mode", "alone", *w.run), {("", "beam_mode", "choice")}),
    "a discovery that nobody knows": (lambda w: w.set("beam_discovery", "dns", *w.run), {("", "beam_discovery", "choice")}),
    "a fixed port that is a range": (
        lambda w: (w.set("beam_discovery", "fixed_port"), w.set("beam_ports", "9100-9101")),
        everywhere("beam_ports", "fixed_port_range"),
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
    "a hidden host that is no member": (lambda w: w.set("beam_hidden", True, "outsider"), {("outsider", "beam_hidden", "hidden_non_member")}),
    "a hidden host that is not among the members": (
        lambda w: (
            w.set("beam_members", [{"node": f"beam@n{n}", "address": f"10.0.0.{n}"} for n in (1, 2)], *w.run),
            w.set("beam_hidden", True, "n3"),
        ),
        {("n3", "beam_hidden", "hidden_non_member")},
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
        {("n2", "beam_ports", "port_range_in_use")},
    ),
    "a port range of the kernel's own": (
        lambda w: w.observed["n2"].update(ephemeral_ports={"range": [9000, 60999], "reserved": []}),
        {("n2", "beam_ports", "port_range_ephemeral")},
    ),
    "a port range that is reserved in part": (
        lambda w: (
            w.set("beam_ports", "9100-9103"),
            w.observed["n2"].update(ephemeral_ports={"range": [9000, 60999], "reserved": [[22, 22], [9100, 9102]]}),
        ),
        {("n2", "beam_ports", "port_range_ephemeral")},
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
    "a port range that is none": (lambda w: w.set("beam_ports", "many", "n2"), {("n2", "beam_ports", "ports_format")}),
    "a port range that is true": (lambda w: w.set("beam_ports", True, "n2"), {("n2", "beam_ports", "ports_format")}),
    "a port range reversed": (lambda w: w.set("beam_ports", "9109-9100", "n2"), {("n2", "beam_ports", "port_range_reversed")}),
    "a port range of privileged ports": (lambda w: w.set("beam_ports", "1000-1100", "n2"), {("n2", "beam_ports", "port_range_bounds")}),
    "a port range above all ports": (lambda w: w.set("beam_ports", "65000-65536", "n2"), {("n2", "beam_ports", "port_range_bounds")}),
    "a port range over epmd": (lambda w: w.set("beam_ports", "4000-5000", "n2"), {("n2", "beam_ports", "port_range_overlaps_epmd")}),
    "a port range that is epmd's port": (lambda w: w.set("beam_ports", 4369, "n2"), {("n2", "beam_ports", "port_range_overlaps_epmd")}),
    "port ranges that overlap": (lambda w: both_nodes(w, ports="9190-9200"), {("n1", "beam_ports", "port_range_overlap")}),
    "a port range too small": (
        lambda w: (w.set("beam_ports", "9100-9101", "n1"), w.set("beam_nodes", [{"name": "a"}, {"name": "b"}, {"name": "c"}], "n1")),
        {("n1", "beam_ports", "port_range_too_small")},
    ),
    "all nodes absent": (lambda w: w.set("beam_nodes", [{"name": "a", "state": "absent"}], "n1"), {("n1", "beam_nodes", "absent_all")}),
    "an absent node in the unit of another": (
        lambda w: both_nodes(w, state="absent", unit="web.service"), {("n1", "beam_nodes", "absent_shared")},
    ),
    "an absent node of a product with one home": (
        lambda w: w.set("beam_nodes", [{"name": name, "product": "rabbitmq", "ports": port, "unit": f"{name}.service", "state": state}
                                       for name, port, state in (("a", "9200", "present"), ("b", "9300", "absent"))], "n1"),
        {("n1", "beam_nodes", "absent_shared")},
    ),
    "an unknown state": (lambda w: both_nodes(w, state="gone"), {("n1", "beam_nodes[1].state", "choice")}),
    "nodes that are no list": (lambda w: w.set("beam_nodes", "web", "n1"), {("n1", "beam_nodes", "type")}),
    "no nodes": (lambda w: w.set("beam_nodes", [], "n1"), {("n1", "beam_nodes", "type")}),
    "a node that is no dictionary": (lambda w: w.set("beam_nodes", ["web"], "n1"), {("n1", "beam_nodes", "type")}),
    "a node with a key that nobody reads": (
        lambda w: w.set("beam_nodes", [{"name": "a", "adress": "10.0.0.1"}], "n1"),
        {("n1", "beam_nodes", "unknown_key")},
    ),
    "two nodes, one without a name": (lambda w: w.set("beam_nodes", [{"name": "a"}, {"ports": "9200"}], "n1"), {("n1", "beam_nodes", "missing_key")}),
    "a unit with a format in it": (
        lambda w: w.set("beam_nodes", [{"unit": "my-{instance}.service"}], "n1"),
        {("n1", "beam_nodes[0].unit", "unit_name")},
    ),
    "a unit that is a number": (lambda w: w.set("beam_nodes", [{"unit": 7}], "n1"), {("n1", "beam_nodes[0].unit", "unit_name")}),
    "a unit that is no service": (lambda w: w.set("beam_nodes", [{"unit": "web.socket"}], "n1"), {("n1", "beam_nodes[0].unit", "unit_name")}),
    "a unit without its instance": (lambda w: w.set("beam_nodes", [{"unit": "web@.service"}], "n1"), {("n1", "beam_nodes[0].unit", "unit_name")}),
    "a unit elsewhere": (lambda w: w.set("beam_nodes", [{"unit": "../web.service"}], "n1"), {("n1", "beam_nodes[0].unit", "unit_name")}),
    "a user with a command": (lambda w: w.set("beam_nodes", [{"user": "root; x"}], "n1"), {("n1", "beam_nodes[0].user", "user_name")}),
    "a user with a format in it": (lambda w: w.set("beam_nodes", [{"user": "a{b"}], "n1"), {("n1", "beam_nodes[0].user", "user_name")}),
    "a mode that YAML reads as false": (lambda w: w.set("beam_mode", False), {("", "beam_mode", "choice")}),
    "a group that leaves its directory": (lambda w: w.set("beam_group", "../x", *w.run), everywhere("beam_group", "type", *HOSTS, "outsider")),
    "a member whose host is a list": (
        lambda w: w.set("beam_members", [{"node": "beam@n1", "address": "10.0.0.1", "host": ["n1"]}], *w.run),
        {("", "beam_members[0].host", "type")},
    ),
    "a setting of a product that is none": (
        lambda w: (w.set("beam_product", "rabbitmq"), w.set("beam_prevent_overlapping_partitions", "maybe")),
        {("", "beam_prevent_overlapping_partitions", "choice")},
    ),
    "an unknown product": (lambda w: w.set("beam_product", "erlong", "n2"), {("n2", "beam_product", "product_unknown")}),
    "an unknown product, and no address": (
        lambda w: (w.set("beam_product", "erlong", "n2"), w.set("beam_address", MISSING, "n2")),
        {("n2", "beam_product", "product_unknown"), ("n2", "beam_address", "address_missing")},
    ),
    "an unknown mode": (lambda w: w.set("beam_mode", "of"), {("", "beam_mode", "choice")}),
    "an unknown discovery": (lambda w: w.set("beam_discovery", "dns"), {("", "beam_discovery", "choice")}),
    "an old TLS version": (lambda w: w.set("beam_tls_versions", ["tlsv1.1"]), {("", "beam_tls_versions", "choice")}),
    "CRLs without TLS": (
        lambda w: w.set("beam_pki_crl", True) or w.set("beam_tls", False) or w.set("beam_plaintext_accepted", CLEAR),
        {("", "beam_pki_crl", "crl_without_tls")},
    ),
    "something to revoke without CRLs": (lambda w: w.set("beam_revoke", "beam@n3"), {("", "beam_revoke", "crl_off")}),
    "something to accept again without CRLs": (lambda w: w.set("beam_unrevoke", "beam@n3"), {("", "beam_unrevoke", "crl_off")}),
    "no TLS version": (lambda w: w.set("beam_tls_versions", []), {("", "beam_tls_versions", "choice")}),
    "a TLS version that is no list": (lambda w: w.set("beam_tls_versions", "tlsv1.3"), {("", "beam_tls_versions", "choice")}),
    "two settings for one cluster": (lambda w: w.set("beam_tls_versions", ["tlsv1.2"], "n2"), {("n2", "beam_tls_versions", "differs")}),
    **{
        f"a waiver {name}": (partial(World.set, variable="beam_waivers", value=[entry]), {("", "beam_waivers", rule)})
        for name, entry, rule in (
            ("without an end", {key: WAIVER[key] for key in ("control", "owner", "reason")}, "missing_key"),
            ("that ends never", {**WAIVER, "until": "never"}, "waiver_until"),
            ("that has ended", {**WAIVER, "until": "2026-11-25"}, "waiver_ended"),
            ("of a control that is not there", {**WAIVER, "control": "outside_epmd"}, "waiver_control"),
            ("of a list of controls", {**WAIVER, "control": ["outside-epmd"]}, "waiver_control"),
            ("without a reason", {**WAIVER, "reason": " "}, "waiver_reason"),
            ("without an owner", {key: WAIVER[key] for key in ("control", "reason", "until")}, "missing_key"),
            ("of an owner without a name", {**WAIVER, "owner": " "}, "waiver_owner"),
            ("of a host that is not there", {**WAIVER, "host": "n9"}, "waiver_host"),
            ("with a key that nobody reads", {**WAIVER, "hosts": "n1"}, "unknown_key"),
            ("of a status that cannot be waived", {**WAIVER, "status": "passed"}, "waiver_status"),
            ("that is no dictionary", "outside-epmd", "type"),
        )
    },
    "waivers that are no list": (lambda w: w.set("beam_waivers", {"control": "x"}), {("", "beam_waivers", "type")}),
    "outsiders that are not there": (lambda w: w.set("beam_outsiders", "strangers"), {("", "beam_outsiders", "group_missing")}),
    "an outsider that is a member": (lambda w: w.groups.update(outsiders=["n3"]), {("n3", "beam_outsiders", "outsider_is_member")}),
    "a CA directory without a place": (lambda w: w.set("beam_pki_ca_dir", "pki/beam"), {("", "beam_pki_ca_dir", "ca_dir_relative")}),
    "a CA directory that is a number": (lambda w: w.set("beam_pki_ca_dir", 7), {("", "beam_pki_ca_dir", "type")}),
    "no place for a CA": (lambda w: w.more.update(ca_places=Places()), {("", "beam_pki_ca_dir", "ca_dir_missing")}),
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


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_found_and_nothing_else(world: World, mistake: str) -> None:
    bend, expected = MISTAKES[mistake]
    bend(world)
    cluster, problems = world.validate()
    assert cluster is None
    assert found(problems) == expected
    for problem in problems:
        assert problem.message.endswith(".") and problem.fix.endswith("."), "a sentence for a reader"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_message_shows_a_secret(world: World, mistake: str) -> None:
    MISTAKES[mistake][0](world)
    secrets = {str(value) for values in world.secrets.values() for value in values.values() if isinstance(value, str) and value}
    _cluster, problems = world.validate()
    for problem in problems:
        assert not any(secret in problem.message or secret in problem.fix for secret in secrets)


def test_all_at_once(world: World) -> None:
    world.set("beam_ports", "9109-9100", "n1")
    world.set("beam_address", "nowhere", "n2")
    world.set("beam_node_name", "beam", "n3")
    world.set("beam_mode", "of")
    world.secret("beam_cookie", "riak")
    world.observed["n3"]["skew_seconds"] = -86400.0
    assert found(world.validate()[1]) == {
        ("n1", "beam_ports", "port_range_reversed"),
        ("n2", "beam_address", "address_format"),
        ("n3", "beam_node_name", "node_name"),
        ("", "beam_mode", "choice"),
        *everywhere("beam_cookie", "cookie_known"),
        ("n3", "", "clock_skew"),
    }

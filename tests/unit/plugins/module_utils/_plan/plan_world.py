# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory that is right, and can be bent before the plan judges it."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any, Callable

from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.problems import Problems
from ansible_collections.beam.cluster.plugins.module_utils._model.product_data import ProductData
from ansible_collections.beam.cluster.plugins.module_utils._plan.ca_dir import Places
from ansible_collections.beam.cluster.plugins.module_utils._plan.cluster import Cluster, Inventory
from ansible_collections.beam.cluster.plugins.module_utils._plan.planning import plan
from ansible_collections.beam.cluster.plugins.module_utils._plan.variable_names import READABLE

COOKIE = "q7Zk2mXv9RbT4wLc8NsY1hGd6JfP3eUa"


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
    "beam_restart_window": "any",
    "beam_tls_versions": ["tlsv1.3"],
    "beam_ports": "9100",
    "beam_product": "erlang",
    "beam_waivers": [],
    "beam_pki_crl": False,
    "beam_firewall": "auto",
    "beam_hidden": False,
    "beam_net_ticktime": 60,
    "beam_net_tickintensity": 4,
    "beam_prevent_overlapping_partitions": True,
    "beam_connect_all": True,
    "beam_dist_auto_connect": "always",
}


PRODUCTS: dict[str, dict[str, Any]] = {
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


WAIVER = {"control": "outside-epmd", "owner": "operations", "reason": "no outsider here", "until": "2026-11-26"}


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
            "firewall": {"readable": True, "beam": None},
            "files": [],
        }

    def set(self, variable: str, value: object, *hosts: str) -> None:
        self.values[variable].update(dict.fromkeys(hosts or HOSTS, value))

    def secret(self, variable: str, value: object, *hosts: str) -> None:
        self.secrets[variable].update(dict.fromkeys(hosts or HOSTS, value))

    def validate(self) -> tuple[Cluster | None, Problems]:
        problems = Problems()
        inventory = Inventory(
            groups=self.groups,
            run=self.run,
            values=self.values,
            secrets=self.secrets,
            observed={host: Observation.parse(host, seen) for host, seen in self.observed.items()},
            products={name: ProductData.parse(data) for name, data in PRODUCTS.items()},
            defaults=DEFAULTS,
            ca_places=Places(("/inventory",)),
            controls=("outside-epmd", "unit-sandbox"),
            today=datetime.date(2026, 11, 26),
        )
        return plan(replace(inventory, **self.more), problems), problems

    def cluster(self) -> dict[str, Any]:
        cluster, problems = self.validate()
        assert [vars(problem) for problem in problems] == []
        assert cluster is not None
        return cluster.as_dict()

    def provisioned(self) -> None:
        """As after a run: every host's table knows all addresses, and its node has a directory."""
        for host in HOSTS:
            self.observed[host]["firewall"] = {"readable": True, "beam": {"members": ["10.0.0.1", "10.0.0.2", "10.0.0.3"], "own": [], "ports": []}}
            self.observed[host]["files"] = [
                {"path": f"/etc/beam/beam@{host}", "mode": "0755"},
                {"path": f"/etc/beam/beam@{host}/vm.args", "mode": "0644"},
                {"path": "/etc/beam/firewall.nft", "mode": "0644"},
            ]


def both_nodes(world: World, **second: object) -> None:
    world.set("beam_nodes", [{"name": "web", "ports": "9200"}, {"name": "data", "ports": "9300", **second}], "n1")


Bend = Callable[[World], None]
"""One thing that is different on n2."""


def runs(product: str, *bends: Bend) -> Bend:
    def bend(world: World) -> None:
        world.set("beam_product", product)
        for one in bends:
            one(world)

    return bend


def says(variable: str, value: object) -> Bend:
    return lambda world: world.set(variable, value, "n2")


Expected = set[tuple[str, str, str]]


def everywhere(variable: str, rule: str, *hosts: str) -> Expected:
    return {(host, variable, rule) for host in hosts or HOSTS}


def found(problems: Problems) -> Expected:
    return {(problem.host, problem.variable, problem.rule) for problem in problems}

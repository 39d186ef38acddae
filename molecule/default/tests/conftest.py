# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The converged lab as other people's tools see it: ss, nft, openssl, nmap, systemd-analyze, epmd and erl."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
import testinfra
from testinfra.host import Host


@dataclass(frozen=True)
class Product:
    """What the hosts of a scenario run. `served`: the ports for everybody, which are the product's own affair."""

    name: str = "beam"
    unit: str = "beam.service"
    user: str = "beam"
    home: str = "/var/lib/beam/{node}"
    served: tuple[int, ...] = ()


# A scenario is named after its product; all others run bare nodes.
PRODUCTS = {
    "ejabberd": Product("ejabberd", "ejabberd.service", "ejabberd", "/var/lib/ejabberd", (1883, 5222, 5223, 5269, 5280, 5443)),
    "release": Product("shop", "shop.service", "shop", "/var/lib/beam/{node}", (4000,)),
    "rabbitmq": Product("rabbit", "rabbitmq-server.service", "rabbitmq", "/var/lib/rabbitmq", (5672,)),
}
SCENARIO = os.environ.get("MOLECULE_SCENARIO_NAME", "default")
PRODUCT = PRODUCTS.get(SCENARIO, Product())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out the other products' own tests, which lie in folders of their names: molecule hands over every file there is.

    The scenario roles_alone makes what the scenario default has made, by another way. There one host is attacked, the one with the oldest OTP;
    the scenario default attacks each, and so does the role verify in both.
    """
    others = set(PRODUCTS) - {SCENARIO}
    items[:] = [item for item in items if item.path.parent.name not in others and not (SCENARIO == "roles_alone" and _of_another_host(item))]


def _of_another_host(item: pytest.Item) -> bool:
    """Whether a test is an attack on another host than the one that is attacked in the scenario roles_alone."""
    attacked = getattr(item, "callspec", None) and item.callspec.params.get("node")  # type: ignore[attr-defined]
    return item.path.name == "test_attacks.py" and attacked not in (None, "n3")


PREFIX = os.environ.get("LAB_PREFIX", "beam-")
NODES = ("n1", "n3") if SCENARIO == "roles_alone" else ("n1", "n2", "n3")
PORT = 9100
EPMD = 4369

# testinfra calls podman by its name; the lab's wrapper bears it.
os.environ["PATH"] = f"{Path(__file__).parents[2] / 'lab'}:{os.environ['PATH']}"


@dataclass(frozen=True)
class Node:
    """One node of the lab: its host, its names and its host's addresses."""

    host: Host
    name: str

    @property
    def node(self) -> str:
        return f"{PRODUCT.name}@{self.name}"

    @property
    def directory(self) -> str:
        return f"/etc/beam/{self.node}"

    @property
    def home(self) -> str:
        return PRODUCT.home.format(node=self.node)

    def address(self, interface: str, family: int = 4) -> str:
        """The address on an interface: eth0 is the cluster's network, eth1 the public one."""
        shown = self.host.check_output(f"ip -{family} -oneline address show dev {interface} scope global")
        return shown.split()[3].partition("/")[0]

    def erl(self, expression: str, name: str = "", tls: bool = True) -> str:
        """The value of an expression in a fresh erl of the service user: hidden, not listening, with the node's own files."""
        carrier = f"-proto_dist inet_tls -ssl_dist_optfile {self.directory}/ssl_dist.conf" if tls else ""
        done = self.host.run(
            f"cd / && runuser -u {PRODUCT.user} -- env HOME={self.home} timeout 60 erl -noshell -hidden -sname {name or f'beam_probe@{self.name}'} "
            f"-start_epmd false -dist_listen false {carrier} -kernel inetrc '\"{self.directory}/inetrc\"' -eval %s",
            f'io:format("~n~p", [{expression}]), halt().',
        )
        assert done.rc == 0, done.stdout + done.stderr
        return done.stdout.splitlines()[-1]


def host(name: str) -> Host:
    return testinfra.get_host(f"podman://{PREFIX}{name}")


@pytest.fixture(scope="session", params=NODES)
def node(request: pytest.FixtureRequest) -> Node:
    """Each node in turn."""
    return Node(host(request.param), request.param)


@pytest.fixture(scope="session")
def nodes() -> list[Node]:
    """All nodes at once."""
    return [Node(host(name), name) for name in NODES]


@pytest.fixture(scope="session")
def peer(node: Node, nodes: list[Node]) -> Node:
    """A member that is not the node under test: the vantage of an attacker inside."""
    return nodes[(NODES.index(node.name) + 1) % len(NODES)]


@pytest.fixture(scope="session")
def outsider() -> Host:
    """The host that is no member, with the tools of an attacker."""
    outsider = host("outsider")
    if outsider.run("command -v nmap && command -v ncat").rc != 0:
        outsider.check_output("apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install nmap ncat")
    return outsider

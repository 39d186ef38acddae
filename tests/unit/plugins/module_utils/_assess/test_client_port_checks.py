# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports of products for their clients: in clear text on a network, or not known."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import client_ports as client_port_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED
from changes import Change, both, gone, listener, of_n2, product, system
from without_plan import audited


def clients(name: str, port: int, tls: str, *, unread: str = "", setting: str = "listeners.x in /a.conf", **values: Any) -> Change:
    """The node is one of a product that listens for clients, at a port that its configuration has."""
    own = {"port": port, "protocol": "AMQP", "tls": tls, "setting": setting, **values}
    ports = {name: {"ports": [own], "unread": unread}}
    return both(product(name), system(settings={name: {}}, client_ports=ports), listener(5672))


def plugins(names: str, **values: str) -> Change:
    return lambda n2: n2["system"].update(settings={"rabbitmq": {"plugins": names, **values}})


def on_loopback(n2: dict[str, Any]) -> None:
    n2["listeners"][-1].update(address="127.0.0.1")


ROWS: list[tuple[str, Change, str, str]] = [
    ("rabbitmq-management", both(product("rabbitmq"), listener(15672)), FAILED, "the management interface is in clear text on 0.0.0.0:15672"),
    ("rabbitmq-management", clients("rabbitmq", 5672, "no", protocol="the metrics"), FAILED, "the metrics is in clear text on 0.0.0.0:5672"),
    ("rabbitmq-management", both(product("rabbitmq"), listener(15672, "127.0.0.1")), PASSED, ""),
    ("rabbitmq-management", both(clients("rabbitmq", 15672, "yes"), listener(15672)), PASSED, ""),
    ("rabbitmq-management", both(product("rabbitmq"), gone("listeners")), NOT_TESTED, ""),
    (
        "rabbitmq-management", both(product("rabbitmq"), plugins("rabbitmq_management")), FAILED,
        "the management interface will be in clear text on port 15672 from the next start on: run rabbitmq-plugins disable --offline rabbitmq_",
    ),
    ("rabbitmq-management", both(product("rabbitmq"), plugins("rabbitmq_prometheus"), listener(15692, "127.0.0.1")), PASSED, ""),
    ("rabbitmq-management", both(product("rabbitmq"), plugins("rabbitmq_prometheus", **{"prometheus.tcp.ip": "127.0.0.1"})), PASSED, ""),
    ("rabbitmq-management", both(clients("rabbitmq", 15672, "yes"), plugins("rabbitmq_management")), PASSED, ""),
    ("client-ports", clients("rabbitmq", 5672, "no"), FAILED, "AMQP is in clear text on 0.0.0.0:5672 (beam.smp, pid 42, no unit): listeners.x in"),
    ("client-ports", clients("ejabberd", 5672, "optional"), FAILED, "AMQP may continue without TLS on 0.0.0.0:5672"),
    ("client-ports", clients("rabbitmq", 5672, "no", unread="/b.conf"), FAILED, "AMQP is in clear text"),
    ("client-ports", clients("rabbitmq", 5672, "yes"), PASSED, ""),
    ("client-ports", clients("rabbitmq", 5672, "no", protocol="the metrics"), PASSED, ""),
    ("client-ports", both(clients("rabbitmq", 5672, "no"), on_loopback), PASSED, ""),
    ("client-ports", both(product("rabbitmq"), gone("listeners")), NOT_TESTED, ""),
    ("client-ports", both(product("rabbitmq"), system(client_ports=None)), NOT_TESTED, "was not looked at"),
    ("client-ports", clients("rabbitmq", 5672, "perhaps"), NOT_TESTED, "was not looked at"),
    ("client-ports", clients("rabbitmq", 5671, "yes"), NOT_TESTED, "which protocol it speaks on 0.0.0.0:5672"),
    ("client-ports", clients("rabbitmq", 5672, "no", setting="its default", unread="/b.conf"), NOT_TESTED, "/b.conf was not read"),
    ("client-ports", lambda n2: None, NOT_APPLICABLE, ""),
    ("ejabberd-api", clients("ejabberd", 5672, "yes", commands=True), FAILED, "the API for commands answers on 0.0.0.0:5672"),
    ("ejabberd-api", both(clients("ejabberd", 5672, "yes", commands=True), on_loopback), PASSED, ""),
    ("ejabberd-api", clients("ejabberd", 5672, "no"), PASSED, ""),
    ("ejabberd-api", clients("ejabberd", 5672, "no", unread="/e.yml"), NOT_TESTED, "/e.yml was not read"),
    ("ejabberd-api", product("ejabberd"), NOT_TESTED, "was not looked at"),
    ("ejabberd-api", both(clients("ejabberd", 5672, "no"), gone("listeners")), NOT_TESTED, ""),
]


@pytest.mark.parametrize(("control", "change", "status", "says"), ROWS)
def test_ports_of_clients(control: str, change: Change, status: str, says: str) -> None:
    found, said = of_n2(audited(change), control)
    assert (found, says in said) == ({status}, True), said


def test_every_control_fails_passes_and_is_unknown() -> None:
    for control in client_port_checks.CHECKS:
        assert {status for row, _change, status, _says in ROWS if row == control} >= {FAILED, PASSED, NOT_TESTED}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host comes back on its own: doors first, then EPMD, then the node, even where its cluster address comes late."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Lab, until

LATE = """[Unit]
Description=Takes the cluster address away at boot and brings it back late
DefaultDependencies=no
Before=network-pre.target sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip -4 addr show dev eth0 | grep -o "inet [^ ]*" | cut -d" " -f2 > /run/late; ip -4 addr flush dev eth0'
ExecStartPost=/bin/sh -c '(sleep 20; ip addr add $(cat /run/late) dev eth0) &'
KillMode=none
[Install]
WantedBy=sysinit.target
"""


def moments(lab: Lab, host: str) -> dict[str, int]:
    """Microseconds since boot at which each unit became active."""
    units = ("beam-firewall.service", "epmd.socket", "beam.service")
    shown = {unit: lab.on(host, f"systemctl show -p ActiveEnterTimestampMonotonic --value {unit}") for unit in units}
    return {unit: int(text) for unit, text in shown.items()}


@pytest.mark.parametrize("host", ["n1", "n3"])
def test_restart(lab: Lab, mesh: Callable[..., bool], host: str) -> None:
    until(mesh, 60, "a whole mesh before the restart")
    lab.restart(host)
    until(lambda: lab.tries(host, "systemctl is-active beam.service").returncode == 0, 60, f"beam.service on {host}")
    until(mesh, 60, "a whole mesh after the restart")
    at = moments(lab, host)
    assert at["beam-firewall.service"] < at["epmd.socket"] < at["beam.service"], at


@pytest.mark.parametrize("host", ["n1", "n3"])
def test_address_comes_20_seconds_late(lab: Lab, mesh: Callable[..., bool], host: str) -> None:
    lab.write(host, "/etc/systemd/system/late-address.service", LATE)
    lab.on(host, "systemctl daemon-reload && systemctl enable late-address.service")
    try:
        lab.restart(host)
        until(mesh, 120, "a whole mesh after the late address")
        at = moments(lab, host)
        assert at["beam-firewall.service"] < at["epmd.socket"] < at["beam.service"], at
    finally:
        lab.on(host, "systemctl disable late-address.service; rm /etc/systemd/system/late-address.service; systemctl daemon-reload")

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What everybody's scanners see from outside: nothing; and what stands behind the firewall where its table is taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from conftest import NODES, Lab

PORTS = "4369,9100"


@pytest.fixture(scope="module")
def outsider(lab: Lab) -> Lab:
    tools = "nmap sslscan testssl.sh bsdextrautils dnsutils"
    lab.on("outsider", f"apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends {tools}", timeout=300)
    return lab


def ports(lab: Lab, address: str) -> dict[str, str]:
    """What nmap finds at an address: port -> open, closed or filtered."""
    found = lab.on("outsider", f"nmap -n -Pn -T4 --max-retries 2 -p {PORTS} -oG - {address}")
    return dict(re.findall(r"(\d+)/(\w+)/tcp", found))


def sslscan(lab: Lab, address: str) -> str:
    return lab.tries("outsider", f"sslscan --no-colour --connect-timeout=5 {address}:9100 2>&1").stdout


CLOSED = {"4369": "filtered", "9100": "filtered"}


@pytest.mark.parametrize("action", ["", "stop", "start", "restart", "reload"])
@pytest.mark.parametrize("host", NODES)
def test_with_the_firewall_they_see_nothing(outsider: Lab, host: str, action: str) -> None:
    if action:
        outsider.on(host, f"systemctl {action} nftables")
    for network in ("beam_address", "lab_public_address"):
        address = outsider.variable(host, network)
        assert ports(outsider, address) == CLOSED
    assert "Could not open a connection" in sslscan(outsider, outsider.variable(host, "beam_address"))


@pytest.fixture(params=NODES)
def open_host(outsider: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    """A host without our table, for as long as a test looks at it."""
    outsider.on(request.param, "nft delete table inet beam_cluster")
    yield request.param
    outsider.on(request.param, "systemctl reload beam-firewall")
    assert ports(outsider, outsider.variable(request.param, "beam_address")) == CLOSED


def test_without_the_firewall_there_is_tls_13_with_client_certificates_and_nothing_else(outsider: Lab, open_host: str) -> None:
    address = outsider.variable(open_host, "beam_address")
    assert ports(outsider, address) == {"4369": "open", "9100": "open"}
    assert ports(outsider, outsider.variable(open_host, "lab_public_address")) == {"4369": "closed", "9100": "closed"}, "bound to the cluster address"
    assert "beam: 9100" in outsider.on("outsider", f"nmap -n -Pn -p 4369 --script epmd-info {address}"), "so the table is not optional"

    seen = dict(re.findall(r"^((?:SSL|TLS)v\S+)\s+(enabled|disabled)", sslscan(outsider, address), re.MULTILINE))
    assert [version for version, state in seen.items() if state == "enabled"] == ["TLSv1.3"], seen
    assert len(seen) >= 5, seen

    ask = "timeout 300 testssl --protocols --server-defaults --warnings off --color 0"
    said = outsider.tries("outsider", f"{ask} {address}:9100 2>&1", timeout=330).stdout
    offered = dict(re.findall(r"^ (SSLv2|SSLv3|TLS 1(?:\.\d)?)\s+(not offered|offered)", said, re.MULTILINE))
    assert offered.pop("TLS 1.3", None) == "offered", said
    assert offered == dict.fromkeys(["SSLv2", "SSLv3", "TLS 1", "TLS 1.1", "TLS 1.2"], "not offered"), said
    # It judges at the end of the handshake, and so calls optional what TLS 1.3 refuses right after it: read, and be refused.
    assert re.search(r"Client Authentication +(optional|required)", said), said
    read = outsider.tries("outsider", f"sleep 2 | timeout 20 openssl s_client -ign_eof -connect {address}:9100 2>&1").stdout
    assert "tlsv13 alert certificate required" in read, read

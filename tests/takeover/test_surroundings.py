# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts with other people's iptables, and without IPv6: `site` passes its verification, says what has to be opened, and changes nothing again.

    LAB_PREFIX=... PRODUCT=release pytest tests/takeover/test_surroundings.py

`TAKEOVER_HOSTS=n2,n3` takes a part of the lab.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from runs import Cluster, changed, on, pid
from surroundings import INSTALL, SURROUNDINGS

PRODUCT = os.environ.get("PRODUCT", "erlang")
HOSTS = os.environ.get("TAKEOVER_HOSTS", "n1,n2,n3").split(",")


def ipv6(host: str, there: bool) -> None:
    """From outside: a host of the lab cannot write its own /proc/sys."""
    setting = f"net.ipv6.conf.all.disable_ipv6={int(not there)}"
    subprocess.run(["nsenter", f"--net=/proc/{pid(host)}/ns/net", "sysctl", "-qw", setting], check=True, timeout=30)


def addresses(host: str, family: str) -> dict[str, str]:
    lines = on(host, f"ip {family} -br addr show scope global").splitlines()
    return {line.split()[0].partition("@")[0]: line.split()[2] for line in lines}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[subprocess.CompletedProcess[str]]]:
    """Two runs of `site`, one after the other, with every host in its surrounding."""
    cluster = Cluster(tmp_path_factory.mktemp("site"), HOSTS, "" if PRODUCT == "erlang" else PRODUCT)
    sixes = {host: addresses(host, "-6") for host in HOSTS}
    members = [addresses(host, "-4")["eth0"].partition("/")[0] for host in HOSTS]
    try:
        for host in HOSTS:
            surrounding = SURROUNDINGS[host]
            on(host, INSTALL.format("iptables"))
            on(host, surrounding.run)
            for peer in members:
                on(host, surrounding.opens.format(peer=peer, port="9100") or ":")
            if not surrounding.ipv6:
                ipv6(host, False)
        yield [cluster.site(), cluster.site()]
    finally:
        for host in HOSTS:
            on(host, SURROUNDINGS[host].undo)
            if not SURROUNDINGS[host].ipv6:
                ipv6(host, True)
                # The kernel has forgotten them.
                for interface, address in sixes[host].items():
                    on(host, f"ip -6 addr replace {address} dev {interface}")


def test_the_verification_passes(runs: list[subprocess.CompletedProcess[str]]) -> None:
    assert runs[0].returncode == 0, runs[0].stdout[-6000:] + runs[0].stderr[-2000:]
    assert "PASSED" in runs[0].stdout


def test_a_second_run_changes_nothing(runs: list[subprocess.CompletedProcess[str]]) -> None:
    assert runs[1].returncode == 0, runs[1].stdout[-6000:]
    assert changed(runs[1].stdout) == []


@pytest.mark.parametrize("host", HOSTS)
def test_the_run_says_what_has_to_be_opened_and_only_that(runs: list[subprocess.CompletedProcess[str]], host: str) -> None:
    for run in runs:
        said = re.findall(rf'^ok: \[{host}\] => \{{\n +"msg": "([^"]*)', run.stdout, re.MULTILINE)
        notes = [line for line in said if "own firewall" in line]
        assert bool(notes) == SURROUNDINGS[host].note, (host, said)
        if notes:
            assert "iptables -I INPUT" in notes[0]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose firewall somebody runs: n1 has firewalld, n2 has ufw, n3 only what is ours. All drop by default, and the proof has to pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from conftest import Lab, recap, until

ADMIN = "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qqy install --no-install-recommends"
RULES = {
    "n1": "firewall-cmd --list-rich-rules; firewall-cmd --permanent --list-rich-rules",
    "n2": "ufw status | grep beam.cluster",
}


def rules(lab: Lab, host: str) -> list[str]:
    """What the host's own firewall was told for us."""
    return lab.tries(host, RULES[host]).stdout.split("\n")[:-1]


def chosen(**by_host: str) -> tuple[str, ...]:
    """Extra variables that choose the back end, host by host."""
    return ("--extra-vars", f"{{beam_firewall: \"{{{{ {by_host}[inventory_hostname] | default('auto') }}}}\"}}")


@pytest.fixture(scope="module")
def firewalls(lab: Lab) -> Iterator[Lab]:
    """Both are turned on, and told nothing about the cluster; whatever the operator had asked them for is there."""
    lab.on("n1", f"{ADMIN} firewalld dbus", timeout=300)
    lab.on("n1", "systemctl restart firewalld && firewall-cmd -q --permanent --add-port=8080/tcp && firewall-cmd -q --add-port=8081/tcp")
    lab.on("n2", f"{ADMIN} ufw", timeout=300)
    lab.on("n2", "ufw allow 8080/tcp && ufw --force enable")
    yield lab
    # What it was told outlives the package, and would let members in when it comes back.
    lab.on("n1", "DEBIAN_FRONTEND=noninteractive apt-get -qqy purge firewalld && rm -rf /etc/firewalld")
    lab.on("n2", "ufw --force disable && DEBIAN_FRONTEND=noninteractive apt-get -qqy purge ufw && rm -rf /etc/ufw")
    done = lab.play()
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_node_without_openings_in_the_firewall_is_unreachable(firewalls: Lab) -> None:
    """The rest of this file proves nothing where the way is open anyway."""
    for host in ("n1", "n2"):
        address = firewalls.variable(host, "beam_address")
        assert firewalls.tries("n3", f"timeout 3 bash -c '</dev/tcp/{address}/9100'").returncode != 0, host


def test_firewall_back_ends_are_detected_and_configured(firewalls: Lab, mesh: Callable[..., bool]) -> None:
    done = firewalls.play()
    assert done.returncode == 0, done.stdout[-6000:]
    assert mesh()
    members = {host: firewalls.variable(host, "beam_address") for host in ("n1", "n2", "n3")}
    for host, own in members.items():
        others = set(members.values()) - {own}
        found = "\n".join(rules(firewalls, host)) if host in RULES else ""
        assert not found or set(re.findall(r"\d+\.\d+\.\d+\.\d+", found)) == {*others, own}, found
    assert len(rules(firewalls, "n1")) == 2 * 2 * 2, "live and permanent, two members, two windows"
    assert len(rules(firewalls, "n2")) == 2 * 2


def test_a_second_run_changes_nothing(firewalls: Lab) -> None:
    done = firewalls.play()
    assert {counts["changed"] for counts in recap(done.stdout).values()} == {0}, done.stdout[-4000:]


def test_what_the_operator_had_is_left_alone(firewalls: Lab) -> None:
    assert "8080/tcp" in firewalls.on("n1", "firewall-cmd --permanent --list-ports")
    assert "8081/tcp" in firewalls.on("n1", "firewall-cmd --list-ports"), "live only: a reload would have lost it"
    assert "8080/tcp" in firewalls.on("n2", "ufw status")


def test_the_rules_follow_the_port_range(firewalls: Lab, mesh: Callable[..., bool]) -> None:
    done = firewalls.play("--extra-vars", "beam_ports=9150")
    assert done.returncode == 0, done.stdout[-6000:]
    assert mesh("9150")
    for host in RULES:
        assert "9150" in "\n".join(rules(firewalls, host))
        assert "9100" not in "\n".join(rules(firewalls, host)), "what is not needed any more is taken back"


def restart(lab: Lab, host: str) -> None:
    """Until the rules are those from before."""
    before = sorted(set(rules(lab, host)))
    assert before
    lab.restart(host)
    until(lambda: sorted(set(rules(lab, host))) == before, 90, f"the rules of {host}")


def test_they_survive_a_restart(firewalls: Lab, mesh: Callable[..., bool]) -> None:
    for host in RULES:
        restart(firewalls, host)
    until(lambda: mesh("9150"), 90, "a whole mesh after the restart")
    done = firewalls.play("--extra-vars", "beam_ports=9150", playbook="playbooks/verify.yml")
    assert done.returncode == 0, done.stdout[-6000:]


def test_an_inactive_one_is_refused_before_anything_is_touched(firewalls: Lab) -> None:
    done = firewalls.play(*chosen(n3="ufw"))
    assert done.returncode != 0
    assert "n3" in done.stdout and "ufw is not active" in done.stdout, done.stdout[-3000:]
    assert {counts["changed"] for counts in recap(done.stdout).values()} == {0}


def test_from_one_back_end_to_another_nothing_is_left(firewalls: Lab) -> None:
    """n3 goes to a firewall of somebody else that lets everything through: our rules are gone, and the proof says what that means."""
    done = firewalls.play(*chosen(n3="external"))
    assert done.returncode != 0
    assert "outside-distribution-port" in done.stdout
    assert firewalls.tries("n3", "nft list table inet beam_cluster").returncode != 0
    assert firewalls.tries("n3", "systemctl cat beam-firewall").returncode != 0
    assert firewalls.tries("n3", "test -e /etc/beam/firewall.nft -o -e /etc/systemd/system/nftables.service.d/zzz-beam.conf").returncode != 0
    done = firewalls.play()
    assert done.returncode == 0, done.stdout[-6000:]

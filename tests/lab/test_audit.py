# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit changes nothing, and finds nothing on hardened hosts that it knows nothing about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import CONTROLS
from conftest import NODES, Lab

PLAYBOOK = "beam.cluster.audit"
# What a running host writes by itself, and what Ansible and this test leave while they look.
LIVE = ("/proc", "/sys", "/dev", "/run", "/tmp", "/var/tmp", "/var/log", "/var/cache", "/root/.ansible", "/var/lib/systemd", "/var/lib/rabbitmq")
FILES = f"find / {' '.join(f'-path {path} -prune -o' for path in LIVE)} ! -type d -printf '%p %s %T@ %C@ %m %u %g\\n' | sort"
LOOKS = {
    "files": FILES,
    "listeners": "ss -Hltn | awk '{print $4}' | sort",
    "nft rules": "nft -s list ruleset 2>/dev/null || true",
    "packages": "dpkg-query -W | sort",
    # Without the shells that look, and without what a unit starts again and again by itself.
    "virtual machines": "for pid in $(pgrep -x 'beam.smp|epmd'); do echo $pid $(stat -c %Y /proc/$pid) $(cat /proc/$pid/comm); done | sort",
    "units": "systemctl list-units --no-legend --plain --type=service,socket,timer | awk '{print $1, $3, $4}' | grep -v ^session | sort",
}


def look(lab: Lab, host: str) -> dict[str, list[str]]:
    return {what: lab.on(host, command).splitlines() for what, command in LOOKS.items()}


def audit(lab: Lab, directory: Path, *arguments: str) -> dict[str, Any]:
    done = lab.play("--extra-vars", f"beam_audit_report_dir={directory}", *arguments, playbook=PLAYBOOK)
    report = directory / "audit.json"
    assert report.exists(), done.stdout[-4000:] + done.stderr[-2000:]
    data: dict[str, Any] = json.loads(report.read_text())
    assert done.returncode == (2 if data["exit"]["code"] else 0)
    assert "changed=0" in done.stdout and not [line for line in done.stdout.splitlines() if line.startswith("changed:")]
    return data


@pytest.fixture(scope="module")
def report(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return audit(lab, tmp_path_factory.mktemp("audit"))


def test_an_audit_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    before = {host: look(lab, host) for host in NODES}
    audit(lab, tmp_path)
    after = {host: look(lab, host) for host in NODES}
    for host in NODES:
        for what in LOOKS:
            assert sorted(set(before[host][what]) ^ set(after[host][what])) == [], f"{host}: {what}"


def test_hardened_hosts_have_no_failure_without_their_plan(report: dict[str, Any]) -> None:
    # No role sets the operating system of a host.
    ours = {control.id for control in CONTROLS if control.looks_at != "system"}
    failed = [(one["control"], one["subject"], one["details"]) for one in report["findings"] if one["status"] == "failed" and one["control"] in ours]
    assert not failed
    needs = {one["control"] for one in report["findings"] if one["status"] == "not_applicable" and "needs a plan" in " ".join(one["details"])}
    assert {"firewall-rules", "mesh-members", "member-public-epmd"} <= needs


def test_every_host_and_node_is_in_the_report(report: dict[str, Any]) -> None:
    found = {one["host"]: [node["node"] for node in one["nodes"]] for one in report["reach"]}
    assert set(found) == {*NODES, "outsider"}
    assert all(len(found[host]) == 1 for host in NODES)
    assert found["outsider"] == []


def test_an_unreachable_host_is_reported_and_has_its_own_exit(lab: Lab, tmp_path: Path) -> None:
    inventory = tmp_path / "gone.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"gone": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1", "ansible_timeout": 2}}}}))
    found = audit(lab, tmp_path, "-i", str(inventory), "--limit", "n1,gone")
    assert {one["host"]: one["state"] for one in found["reach"]} == {"n1": "audited", "gone": "unreachable"}
    assert "not_reached" in found["exit"]["categories"]

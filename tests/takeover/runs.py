# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of `site` over a part of the lab: its hosts are one cluster, and the others do not exist."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PREFIX = os.environ.get("LAB_PREFIX", "beam-")


def tries(host: str, command: str, seconds: int = 300) -> subprocess.CompletedProcess[str]:
    words = [str(ROOT / "molecule/lab/podman"), "exec", PREFIX + host, "sh", "-c", command]
    return subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False)


def on(host: str, command: str, seconds: int = 300) -> str:
    done = tries(host, command, seconds)
    assert done.returncode == 0, f"{host}: {command}: {done.stdout}{done.stderr}"
    return done.stdout


def pid(host: str) -> str:
    """The process of a host that its namespaces are entered by."""
    return Path(f"/run/beam-cluster-lab-{PREFIX}{host}.pid").read_text(encoding="ascii").strip()


class Cluster:
    """An inventory of `hosts` alone, with the variables of the lab and those of `product`'s scenario, if it has one."""

    def __init__(self, folder: Path, hosts: Sequence[str], scenario: str = "", variables: dict[str, Any] | None = None) -> None:
        given = ["-i", str(ROOT / "molecule/inventory"), *(["-i", str(ROOT / f"molecule/{scenario}/inventory.yml")] if scenario else [])]
        command = ["ansible-inventory", *given, "--list"]
        known = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout)
        all_variables: dict[str, dict[str, Any]] = known["_meta"]["hostvars"]
        for name, own in all_variables.items():
            # The lab's own is relative to its inventory.
            own["lab_podman"] = str(ROOT / "molecule/lab/podman")
            own["beam_verify_report_dir"] = str(folder / "report")
            own.update((variables or {}) if name in hosts else {})
        children = {"beam": {"hosts": {host: {} for host in hosts}}, "outsiders": {"hosts": {"outsider": {}}}}
        chosen = {name: own for name, own in all_variables.items() if name in (*hosts, "outsider")}
        self.inventory = folder / "inventory.json"
        self.inventory.write_text(json.dumps({"all": {"hosts": chosen, "children": children}}), encoding="utf-8")

    def site(self, *more: str) -> subprocess.CompletedProcess[str]:
        command = ["ansible-playbook", "-i", str(self.inventory), "beam.cluster.site", *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2400, check=False)
        # For whoever wants to know what a run did.
        self.inventory.with_suffix(".log").write_text(done.stdout + done.stderr, encoding="utf-8")
        return done


def changed(output: str) -> list[str]:
    """The tasks that changed something, each with its host."""
    parts = re.split(r"^TASK \[(.+?)\][ *]+$", output, flags=re.MULTILINE)
    return [f"{name}: {host}" for name, body in zip(parts[1::2], parts[2::2]) for host in re.findall(r"^changed: \[(\S+?)[\] ]", body, re.MULTILINE)]

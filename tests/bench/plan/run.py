#!/usr/bin/env python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long does ansible-playbook take to plan a large cluster, and what does the plan itself add?

Writes an inventory with a vaulted cookie and one observation of each host, provisioned, as `beam.cluster.observe` registers it, and runs three
playbooks on it: one that does nothing, one with an own task of Ansible's that also reads every member's variables once, and the plan. Each is run
several times; the least time counts. Usage: run.py [HOSTS [ROUNDS]]. Needs ansible-playbook on the PATH and this collection in its path.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COOKIE = "q7Zk2mXv9RbT4wLc8NsY1hGd6JfP3eUa"
NOTHING = """
- hosts: beam
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: nothing
      run_once: true
"""
READ = """
- hosts: beam
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "{{ groups.beam | map('extract', hostvars, 'beam_address') | unique | length }}"
      run_once: true
"""
PLAN = """
- hosts: beam
  gather_facts: false
  tasks:
    - beam.cluster.plan:
      run_once: true
      register: __beam_planned
    - ansible.builtin.set_fact:
        beam_plan: "{{ __beam_planned.plan }}"
      run_once: true
"""
MISTAKES = PLAN.replace("gather_facts: false", "gather_facts: false\n  vars: {beam_ports: 9200-9100, beam_adress: 10.0.0.1}")


def address_of(number: int) -> str:
    return f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"


def observation(address: str, node: str, members: list[str]) -> dict[str, object]:
    """What a provisioned host says: its node runs, its firewall table knows all members. 8 kB, and 13 bytes for each member."""
    return {
        "epoch": 1.0,
        "skew_seconds": 0,
        "addresses": [
            {
                "interface": f"eth{number}",
                "address": address if not number else f"192.0.2.{number}",
                "family": 4,
                "prefix": 24,
                "default_route": False,
            }
            for number in range(4)
        ],
        "otp": {"installed": True, "release": "27"},
        "firewall": {
            "nft": True,
            "readable": True,
            "drops_by_default": False,
            "in_charge": "nftables",
            "beam": {"members": members, "own": [address], "ports": [[4369, 4369], [9100, 9100]]},
        },
        "ephemeral_ports": {"range": [32768, 60999], "reserved": []},
        "listeners": [
            {"address": "0.0.0.0", "port": 1024 + number, "family": 4, "pid": number, "process": "x", "unit": "x.service"} for number in range(40)
        ],
        "processes": [
            {"process": "beam.smp", "unit": "beam.service", "node": node, "digest": "0" * 64, "argv": ["-proto_dist", "inet_tls"]},
        ],
        "files": [
            {"path": f"/etc/beam/{node}/{name}", "mode": "0644", "sha256": "0" * 64} for name in ("vm.args", "ssl_dist.conf", "inetrc", "allow.conf")
        ],
        "own": {"inputs": {"beam_address": address}, "errors": {}, "names": ["beam_address", "beam_cookie", "beam_pki_ca_passphrase"]},
    }


def write_inventory(directory: Path, hosts: int) -> None:
    members = {}
    table = [address_of(number) for number in range(hosts)]
    for number in range(hosts):
        name = f"n{number:04d}"
        members[name] = {"beam_address": table[number], "__beam_observed": observation(table[number], f"beam@{name}", table)}
    variables = {"beam_pki_ca_passphrase": "correct horse battery staple", "ansible_connection": "local"}
    (directory / "hosts.json").write_text(json.dumps({"beam": {"hosts": members, "vars": variables}}), encoding="utf-8")
    (directory / "password").write_text("vault", encoding="utf-8")
    (directory / "group_vars").mkdir()
    done = subprocess.run(
        [
            "ansible-vault",
            "encrypt_string",
            "--vault-password-file",
            str(directory / "password"),
            "--name",
            "beam_cookie",
            COOKIE,
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    (directory / "group_vars" / "beam.yml").write_text(done.stdout, encoding="utf-8")


def seconds(directory: Path, playbook: str, expect: int, rounds: int) -> float:
    """The least wall-clock time of a playbook. Processor time would miss Ansible's workers, which nobody waits for."""
    path = directory / "play.yml"
    path.write_text(playbook, encoding="utf-8")
    best = float("inf")
    for _round in range(rounds):
        began = time.monotonic()
        done = subprocess.run(
            ["ansible-playbook", "-i", str(directory / "hosts.json"), "--vault-password-file", str(directory / "password"), str(path)],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
            env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"},
        )
        best = min(best, time.monotonic() - began)
        if done.returncode != expect:
            sys.exit(f"ansible-playbook ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return best


def main() -> None:
    hosts, rounds = (int(argument) for argument in (*sys.argv[1:], *("1000", "3")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_inventory(directory, hosts)
        nothing = seconds(directory, NOTHING, 0, rounds)
        print(f"{hosts} hosts, best of {rounds}, load of the machine {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores")
        print(f"  a playbook that does nothing        {nothing:6.2f} s", flush=True)
        for title, playbook, expect in (
            ("+ reading one variable of each host", READ, 0),
            ("+ the plan", PLAN, 0),
            ("+ the plan, with mistakes", MISTAKES, 2),
        ):
            print(f"  {title:35} {seconds(directory, playbook, expect, rounds) - nothing:+6.2f} s", flush=True)
    print(f"  largest process {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()

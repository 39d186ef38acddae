# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members come and go, fifty times, while an outsider probes the ports and the nodes are connected."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from conftest import NODES, ROOT, Lab

UPDATES = 50

PLAY = """
- hosts: beam
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.import_role: {name: beam.cluster.plan}
    - ansible.builtin.set_fact: {exact: "{{ beam_plan }}"}
    - ansible.builtin.include_tasks: update.yml
      loop: "{{ range(%d) | list }}"
    - ansible.builtin.set_fact: {beam_plan: "{{ exact }}"}
    - ansible.builtin.include_role: {name: beam.cluster.firewall, tasks_from: narrow}
"""
# Every other time there is one more member, each time another one.
UPDATE = """
- ansible.builtin.set_fact:
    beam_plan: "{{ exact | combine({'addresses': exact.addresses + (['192.0.2.' ~ (item + 1)] if item %% 2 else [])}) }}"
- ansible.builtin.include_role: {name: beam.cluster.firewall, tasks_from: narrow}
"""

# Probes until it is told to stop, a few hundred times a second; prints how often, and how often somebody opened.
PROBES = """
import json, select, socket, sys
targets, probes, opened = [(host, port) for host in sys.argv[1:] for port in (4369, 9100)], 0, 0
while not select.select([sys.stdin], [], [], 0)[0]:
    open_ones = []
    for target in targets:
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(target)
        open_ones.append(one)
    select.select([], [], [], 0.02)
    for one in open_ones:
        probes += 1
        try:
            one.getpeername()
            opened += 1
        except OSError:
            pass
        one.close()
print(json.dumps([probes, opened]))
"""


def links(lab: Lab) -> dict[str, list[str]]:
    """Each node's established links by their two ends: one that was lost and opened anew has another end."""
    shown = "ss -Htn state established '( sport = 9100 or dport = 9100 )' | awk '{print $3, $4}' | sort"
    return {host: lab.on(host, shown).splitlines() for host in NODES}


def test_no_link_is_lost_and_no_non_member_connects(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "updates.yml").write_text(PLAY % UPDATES)
    (tmp_path / "update.yml").write_text(UPDATE.replace("%%", "%"))
    before = links(lab)
    assert all(len(there) == len(NODES) - 1 for there in before.values()), before
    addresses = [lab.variable(host, "beam_address") for host in NODES]
    probing = subprocess.Popen(
        [str(ROOT / "molecule/lab/podman"), "exec", "-i", f"{lab.prefix}outsider", "python3", "-c", PROBES, *addresses],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        done = lab.play(playbook=str(tmp_path / "updates.yml"), timeout=1800)
        told, _nothing = probing.communicate("stop\n", timeout=30)
    finally:
        probing.kill()
    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.count("table | Load the rules, now and at every boot") == UPDATES + 1
    assert done.stdout.count("changed: [n1]") >= UPDATES, "the table was replaced each time"
    probes, opened = json.loads(told)
    print(f"{UPDATES} updates, {probes} probes")
    assert probes > 1000
    assert opened == 0
    assert links(lab) == before

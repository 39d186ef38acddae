# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once, and runs that were killed: the lock of the hosts; docs/run_lock.md."""

from __future__ import annotations

import json
import os
import signal
import subprocess

from conftest import NODES, ROOT, Lab, recap, until

LOCK = "/run/beam-cluster.lock"


def holders(lab: Lab) -> list[str]:
    return [lab.tries(host, f"cat {LOCK}").stdout for host in NODES]


def test_a_second_run_is_refused_and_a_killed_one_keeps_nobody_out(lab: Lab) -> None:
    assert holders(lab) == ["", "", ""], "the run of the fixture has ended"
    running = subprocess.Popen(
        ["ansible-playbook", "-i", "molecule/inventory", "playbooks/site.yml"],
        cwd=ROOT,
        env={**os.environ, "LAB_PREFIX": lab.prefix, "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: all(holders(lab)), 120, "the lock of each host")
        refused = lab.play(playbook="playbooks/restart.yml")
        assert refused.returncode != 0 and f"runs site.yml (pid {running.pid}) since" in refused.stdout, refused.stdout[-3000:]
        assert all(counts["changed"] == 0 for counts in recap(refused.stdout).values())
        looked = lab.play("--check", playbook="playbooks/restart.yml")
        assert looked.returncode == 0, looked.stdout[-3000:]
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    assert all(holders(lab)), "it was killed, and could release nothing"
    again = lab.play()
    assert again.returncode == 0 and all(counts["changed"] == 0 for counts in recap(again.stdout).values()), again.stdout[-4000:]
    assert holders(lab) == ["", "", ""]


def test_the_lock_of_another_controller_counts_until_somebody_overrides_it(lab: Lab) -> None:
    now = float(lab.on("n2", "date +%s"))
    record = {"user": "bob", "host": "desk", "boot": "1", "namespace": "1", "pid": 1, "started": "1", "playbook": "site.yml", "since": now}
    lab.write("n2", LOCK, json.dumps(record))
    refused = lab.play(playbook="playbooks/restart.yml")
    assert refused.returncode != 0 and "bob@desk runs site.yml" in refused.stdout, refused.stdout[-3000:]
    assert [bool(holder) for holder in holders(lab)] == [False, True, False], "a refused run releases what it has"
    done = lab.play("--extra-vars", "beam_lock_override=true", playbook="playbooks/restart.yml")
    assert done.returncode == 0, done.stdout[-3000:]
    assert holders(lab) == ["", "", ""]


def test_a_run_that_fails_releases_its_lock(lab: Lab) -> None:
    failed = lab.play("--extra-vars", "beam_net_ticktime=1")
    assert failed.returncode != 0 and "beam_net_ticktime" in failed.stdout, failed.stdout[-3000:]
    assert holders(lab) == ["", "", ""]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts wait for beam_restart_window, and all else is done; docs/restart.md."""

from __future__ import annotations

import datetime

from conftest import NODES, Lab
from test_renew import pids

RESTART = "playbooks/restart.yml"


def test_restarts_wait_for_the_window_and_can_be_made_at_once(lab: Lab) -> None:
    closed = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=3)).strftime("%a 02:00-03:00")
    change = ("--extra-vars", "beam_service_restart_seconds=7")
    window = ("--extra-vars", f"beam_restart_window='{closed}'")
    before = pids(lab)

    waits = lab.play(*change, *window)
    assert waits.returncode == 0 and "PASSED" in waits.stdout, waits.stdout[-6000:]
    assert waits.stdout.count("restarts wait for beam_restart_window") >= len(NODES) and "3 waived" in waits.stdout, waits.stdout[-4000:]
    assert pids(lab) == before
    assert all("RestartSec=7" in lab.on(host, "cat /etc/systemd/system/beam.service.d/zzz-beam.conf") for host in NODES), "the files are written"

    still = lab.play(*change, *window, playbook=RESTART)
    assert still.returncode == 0 and pids(lab) == before, still.stdout[-4000:]
    refused = lab.play("--extra-vars", "beam_restart_window=soon")
    assert refused.returncode != 0 and "'soon' is not a restart window" in refused.stdout, refused.stdout[-3000:]

    done = lab.play(*change, *window, "--extra-vars", "beam_restart_window=any", playbook=RESTART)
    assert done.returncode == 0, done.stdout[-4000:]
    assert all(new != old for new, old in zip(pids(lab), before))
    back = lab.play()
    assert back.returncode == 0, back.stdout[-4000:]

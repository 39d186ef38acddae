# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that stays allowed after its host left the inventory: reported, and a restart on request only; docs/members.md."""

from __future__ import annotations

from conftest import LINKS_KEPT, Lab
from test_renew import VERIFY, pids, status
from test_rotate_cookie import evaluate

RESTART = "playbooks/restart.yml"
SAID = "lets beam@n9 connect by name, which is no member"


def test_a_name_that_stays_allowed(lab: Lab) -> None:
    before = pids(lab)
    evaluate(lab, "n1", 'net_kernel:allow([list_to_atom("beam@n9"), list_to_atom("beam_probe@n9")]).')
    state = status(lab)
    assert [line for line in state["attention"] if line.startswith(f"beam@n1: it {SAID}") and "beam.cluster.restart" in line], state["attention"]
    verified = lab.play(*LINKS_KEPT, playbook=VERIFY)
    assert verified.returncode != 0 and "lets beam@n9 connect, which is no member" in verified.stdout, verified.stdout[-4000:]
    predicted = lab.play("--check", playbook=RESTART)
    assert predicted.returncode == 0 and f"beam@n1 has to be restarted: it {SAID}" in predicted.stdout, predicted.stdout[-4000:]
    assert pids(lab) == before
    done = lab.play(playbook=RESTART)
    assert done.returncode == 0, done.stdout[-4000:]
    after = pids(lab)
    assert after[0] != before[0] and after[1:] == before[1:]
    assert status(lab)["attention"] == []

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller is killed at each place where it matters: a chain of runs, each killed a step further than the one before, and each goes on from
where the one before was killed. In the end the work is done, and no link was lost.

`KILL_AT=changes` (where nothing is said) kills each run at the first task after one that changed something: a task that changes nothing leaves
nothing behind. `KILL_AT=boundaries` kills at the first task, then at the second, and so on.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from dataclasses import dataclass, field

from conftest import NODES, Lab, recap
from test_renew import VERIFY
from test_rotate_ca import ROTATE as ROTATE_CA
from test_rotate_ca import issuers, settled, trusted, watch
from test_rotate_cookie import ROTATE as ROTATE_COOKIE
from test_rotate_cookie import Cookies, cookies

__all__ = ["cookies"]
# Tasks that change something in each run until a later one is done: a chain that is killed after these only does not get anywhere.
OFTEN = 2


@dataclass
class Chain:
    """Where its runs were killed. `step(line)` is true where the present one is to be killed."""

    at: str = os.environ.get("KILL_AT", "changes")
    killed: list[str] = field(default_factory=list)
    task: str = ""
    begun: int = 0
    due: bool = False

    def step(self, line: str) -> bool:
        if not line.startswith(("TASK [", "RUNNING HANDLER [")):
            self.due = self.due or line.startswith("changed: ") and Counter(self.killed)[self.task] < OFTEN
            return False
        self.begun += 1
        now = self.begun > len(self.killed) if self.at == "boundaries" else self.due
        if now:
            self.killed.append(self.task)
        self.task = line.partition("[")[2].partition("]")[0]
        return now

    def run(self, lab: Lab, *arguments: str, playbook: str) -> bool:
        """One run of the chain; whether it ended by itself, in success."""
        self.task, self.begun, self.due = "", 0, False
        ended = lab.kill_play_when(self.step, *arguments, playbook=playbook)
        print(f"{len(self.killed)}: {self.killed[-1] if ended is None else 'ended'}", flush=True)
        if ended is not None:
            status, output = ended
            assert status == 0, f"after kills at {self.killed}:\n{output[-6000:]}"
        return ended is not None


def over(lab: Lab, *arguments: str) -> None:
    """Nothing is left to do, and the verification passes."""
    site = lab.play(*arguments)
    assert site.returncode == 0 and {counts["changed"] for counts in recap(site.stdout).values()} == {0}, site.stdout[-4000:]
    assert lab.play(*arguments, playbook=VERIFY).returncode == 0


def test_a_new_cookie(lab: Lab, cookies: Cookies) -> None:  # noqa: F811
    before, new, chain = watch(lab), secrets.token_hex(24), Chain()
    given = cookies.directory / "new.yml"
    given.write_text(f"beam_cookie: {new}\n")
    while not chain.run(lab, "--extra-vars", f"@{given}", playbook=ROTATE_COOKIE):
        assert len(chain.killed) < 300
    print(f"a new cookie: killed {len(chain.killed)} times")
    assert chain.killed and cookies.files() == {new}
    settled(lab, before)
    over(lab, "--extra-vars", f"@{given}")


def test_a_new_ca(lab: Lab) -> None:
    before, old, chain = watch(lab), issuers(lab), Chain()
    # A run after the end would begin with the next CA.
    while issuers(lab) & old or trusted(lab) != [1] * len(NODES):
        if chain.run(lab, playbook=ROTATE_CA):
            break
        assert len(chain.killed) < 300
    print(f"a new CA: killed {len(chain.killed)} times")
    assert chain.killed and not issuers(lab) & old
    settled(lab, before)
    over(lab)


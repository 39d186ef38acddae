# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain of runs, each killed a step further than the one before. Each goes on from where the one before was killed.

`KILL_AT=changes` (where nothing is said) kills each run at the first task after one that changed something: a task that changes nothing leaves
nothing behind. `KILL_AT=boundaries` kills at the first task, then at the second, and so on.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

from conftest import Lab

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

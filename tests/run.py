#!/usr/bin/env python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the project's tests, job by job, and count them.

    tests/run.py [GROUP ...]        the groups of `GROUPS` (ci_jobs.py) where none is named

A job is one command with a time limit: a linter, a folder of tests, a molecule scenario. Two run at a time, at most one of them with a lab. The
output of a lab is shown as it comes, that of other jobs when they have ended. Tests are counted from the JUnit files that a job leaves in the
results folder; a job that leaves none counts as one test. The last line is `N passed, N failed` and the exit status says the same.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ci_jobs import GROUPS, ON_DEMAND, Job

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "beam-cluster"
RESULTS = CACHE / "results"


@dataclass
class Count:
    """How many tests passed and failed; skipped ones are neither."""

    passed: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


class Run:
    """A job that runs, in a session of its own."""

    def __init__(self, job: Job) -> None:
        print(f"==> {job.name} (at most {job.minutes} min)", flush=True)
        self.job = job
        self.results = RESULTS / f"{job.name}.xml"
        self.results.unlink(missing_ok=True)
        self.log = (RESULTS / f"{job.name}.log").open("w+b")
        output = None if job.has_lab else self.log
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            job.command.format(results=self.results),
            shell=True,
            cwd=ROOT,
            env=environment(job),
            start_new_session=True,
            stdout=output,
            stderr=output,
        )

    def ended(self) -> bool:
        """Whether it has; it is ended when its time is over."""
        if self.process.poll() is None and time.monotonic() - self.started > self.job.minutes * 60:
            self.kill()
            print(f"==> {self.job.name} took longer than {self.job.minutes} min and was ended", flush=True)
        return self.process.poll() is not None

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def report(self) -> tuple[Count, str]:
        """Show what it said, count its tests; the line about it."""
        self.log.seek(0)
        shutil.copyfileobj(self.log, sys.stdout.buffer)
        count = counted(self.results, good=self.process.returncode == 0)
        line = f"{self.job.name:<20} {count!s:<28} {time.monotonic() - self.started:6.0f} s"
        print(f"==> {line}", flush=True)
        return count, line


def counted(results: Path, good: bool) -> Count:
    """The tests of a job, whose command ended well or not."""
    count = Count()
    for suite in ElementTree.parse(results).iter("testsuite") if results.exists() else []:
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        count.failed += bad
        count.passed += int(suite.get("tests", 0)) - bad - int(suite.get("skipped", 0))
    if not good and not count.failed:
        count.failed = 1
    elif good and not results.exists():
        count.passed = 1
    return count


def environment(job: Job) -> dict[str, str]:
    """The caller's environment, with a lab and a molecule state that no demo shares."""
    return {
        **os.environ,
        "LAB_PREFIX": os.environ.get("TEST_PREFIX", "beam-test-"),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(CACHE / "molecule" / job.name),
        "PY_COLORS": "0",
        "NO_COLOR": "1",
    }


def fits(job: Job, running: list[Job]) -> bool:
    """Whether it can run beside these."""
    return len(running) < 2 and not (job.has_lab and any(other.has_lab for other in running))


def main(groups: list[str]) -> int:
    known = GROUPS | ON_DEMAND
    unknown = set(groups) - set(known)
    if unknown:
        sys.exit(f"no such group: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    waiting = [job for group in groups or GROUPS for job in known[group]]
    running: list[Run] = []
    total = Count()
    lines = []
    try:
        while waiting or running:
            while fitting := [job for job in waiting if fits(job, [run.job for run in running])]:
                waiting.remove(fitting[0])
                running.append(Run(fitting[0]))
            time.sleep(0.1)
            for run in [run for run in running if run.ended()]:
                running.remove(run)
                count, line = run.report()
                total.passed += count.passed
                total.failed += count.failed
                lines.append(line)
    finally:
        for run in running:
            run.kill()
    print("", *lines, total, sep="\n")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

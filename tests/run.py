#!/usr/bin/env python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the project's tests, part by part, and count them.

    tests/run.py [GROUP ...]        the groups of `GROUPS` where none is named

A part is one command with a time limit: a linter, a folder of tests, a molecule scenario. Parts that need one core run two at a time,
and each shows its output when it has ended. Tests are counted from the JUnit files that a part leaves in the results folder; a part that
leaves none counts as one test. The last line is `N passed, N failed` and the exit status says the same.
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

ROOT = Path(__file__).resolve().parents[1]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "beam-cluster"
RESULTS = CACHE / "results"
CORES = 2


@dataclass(frozen=True)
class Part:
    """One command of the tests. `{results}` in it stands for the JUnit file it may write; `cores`: how many it keeps busy."""

    name: str
    command: str
    minutes: int = 5
    cores: int = 1


def scenario(name: str, minutes: int, suite: str = "") -> Part:
    """A molecule scenario; its verifier writes the JUnit file. `suite`: on hosts of another Debian, where its inventory asks for that."""
    words = f"LAB_SUITE={suite} " if suite else ""
    return Part(
        f"molecule-{name}{suite and '-'}{suite}", f"{words}BEAM_TEST_RESULTS={{results}} molecule test --scenario-name {name}", minutes, CORES
    )


def lab(name: str, command: str, minutes: int, environment: str = "LAB_NEWEST_SUITE=forky") -> Part:
    """A command of pytest over a lab of its own, which is taken down at the end. Without a product its nodes run OTP 25, 27 and 29."""
    words = f"export {environment}; make lab && {command} --junitxml {{results}}"
    return Part(name, f"{words}; status=$?; make lab-down; exit $status", minutes, CORES)


def takeover(name: str, product: str = "erlang") -> Part:
    """A service that is taken over and given back (tests/takeover/taken.py), in a lab of its own: it changes what is on its host."""
    return lab(f"takeover-{name}", "pytest tests/takeover/test_taken.py", 40, f"PRODUCT={product} TAKEN={name}")


# The longest parts that need one core come first: none of them is left alone at the end, with a core idle beside it.
GROUPS: dict[str, list[Part]] = {
    "sanity": [Part("sanity", "tests/sanity", 15)],
    "other-pythons": [
        Part("unit-oldest-python", "tests/unit_other_pythons bullseye {results}", 15),
        Part("unit-newest-python", "tests/unit_other_pythons forky {results}", 15),
    ],
    "lint": [
        Part("ansible-lint", "ansible-lint --offline"),
        Part("yamllint", "yamllint --strict ."),
        Part("ruff", "ruff check ."),
        Part("mypy", "mypy"),
        Part("mypy-tests", "mypy --config-file tests/mypy.ini"),
        Part("changelog", "antsibull-changelog lint"),
        Part("docs", 'antsibull-docs lint-collection-docs --plugin-docs "$ANSIBLE_COLLECTIONS_PATH/ansible_collections/beam/cluster"'),
        Part("galaxy", "tests/galaxy", 10),
        Part("shellcheck", "git grep -lE '^#!.*[/ ](ba)?sh( |$)' -- ':!*.j2' ':!*.md' | xargs shellcheck --severity=warning"),
    ],
    "unit": [
        Part("project", "pytest tests/project --junitxml {results}"),
        Part("unit", "pytest tests/unit -n 2 --dist worksteal --junitxml {results}", 15, CORES),
        Part("roles", "pytest tests/roles -n 2 --dist worksteal --junitxml {results}", 20, CORES),
    ],
    "molecule": [scenario("default", 40), scenario("roles_alone", 25)],
}

# What takes longer than everybody's patience: runs that are killed, hosts that restart, a search for every secret.
ON_DEMAND: dict[str, list[Part]] = {
    "proof": [
        lab("proof", "pytest tests/lab --ignore-glob='*_killed_*' --ignore-glob='*_day_two*'", 120),
        lab(
            "takeover",
            "ansible-playbook -i molecule/inventory -i molecule/release/inventory.yml beam.cluster.site && pytest tests/takeover",
            150,
            "PRODUCT=release",
        ),
        takeover("rabbitmq-disk"),
        takeover("ejabberd-public"),
        takeover("release-443", "release"),
        takeover("otp-opt"),
    ],
    "report-page": [Part("report-page", "pytest tests/report_page --junitxml {results}", 30)],
    "killed": [lab("killed", "pytest tests/lab/test_killed_*.py", 240)],
    "daytwo": [lab(f"daytwo-{name}", "pytest -s tests/lab/test_day_two.py", 120, f"PRODUCT={name}") for name in ("rabbitmq", "ejabberd", "release")],
    "faults": [lab("faults", "pytest tests/faults", 300)],
    "shapes": [scenario("shapes", 150)],
    "products": [
        scenario("rabbitmq", 40),
        scenario("rabbitmq", 40, "bookworm"),
        scenario("rabbitmq", 40, "forky"),
        scenario("ejabberd", 40),
        scenario("ejabberd", 40, "bookworm"),
        scenario("release", 40),
    ],
}


@dataclass
class Count:
    """How many tests passed and failed; skipped ones are neither."""

    passed: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


class Run:
    """A part that runs, in a session of its own. Where others may run beside it, its output is shown when it has ended."""

    def __init__(self, part: Part) -> None:
        print(f"==> {part.name} (at most {part.minutes} min)", flush=True)
        self.part = part
        self.results = RESULTS / f"{part.name}.xml"
        self.results.unlink(missing_ok=True)
        self.log = (RESULTS / f"{part.name}.log").open("w+b")
        output = self.log if part.cores < CORES else None
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            part.command.format(results=self.results),
            shell=True,
            cwd=ROOT,
            env=environment(part),
            start_new_session=True,
            stdout=output,
            stderr=output,
        )

    def ended(self) -> bool:
        """Whether it has; it is ended when its time is over."""
        if self.process.poll() is None and time.monotonic() - self.started > self.part.minutes * 60:
            self.kill()
            print(f"==> {self.part.name} took longer than {self.part.minutes} min and was ended", flush=True)
        return self.process.poll() is not None

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def report(self) -> tuple[Count, str]:
        """Show what it said, count its tests; the line about it."""
        self.log.seek(0)
        shutil.copyfileobj(self.log, sys.stdout.buffer)
        count = counted(self.results, good=self.process.returncode == 0)
        line = f"{self.part.name:<20} {count!s:<28} {time.monotonic() - self.started:6.0f} s"
        print(f"==> {line}", flush=True)
        return count, line


def counted(results: Path, good: bool) -> Count:
    """The tests of a part, whose command ended well or not."""
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


def environment(part: Part) -> dict[str, str]:
    """The caller's environment, with a lab and a molecule state that no demo shares."""
    return {
        **os.environ,
        "LAB_PREFIX": os.environ.get("TEST_PREFIX", "beam-test-"),
        "MOLECULE_EPHEMERAL_DIRECTORY": str(CACHE / "molecule" / part.name),
        "PY_COLORS": "0",
        "NO_COLOR": "1",
    }


def main(groups: list[str]) -> int:
    known = GROUPS | ON_DEMAND
    unknown = set(groups) - set(known)
    if unknown:
        sys.exit(f"no such group: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    waiting = [part for group in groups or GROUPS for part in known[group]]
    running: list[Run] = []
    total = Count()
    lines = []
    try:
        while waiting or running:
            while waiting and sum(run.part.cores for run in running) + waiting[0].cores <= CORES:
                running.append(Run(waiting.pop(0)))
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

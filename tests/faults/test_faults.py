# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A hardened lab is broken in every way that the data of this folder names; `verify` must fail, name the cause, and pass after the repair.

LAB_PREFIX names the lab, PRODUCT what its nodes run. FAULTS selects: "small", parts of names, controls. BEAM_FAULTS_LAB=ready: the lab is hardened
already. BEAM_FAULTS_AGAIN=no: what a batch did not show is not tried again alone. BEAM_FAULTS_REPORTS: a folder that keeps all reports. The score is
printed at the end.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from batches import HOSTS, Result, all_faults, batches, findings, one_each, result, results, selected
from fault import Fault

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = os.environ.get("PRODUCT", "erlang")
FAULTS = selected(all_faults(PRODUCT), os.environ.get("FAULTS", ""))
BATCHES = batches(FAULTS)
CLEAR = "result=$?; rm -rf $saved; exit $result"
KEEP = os.environ.get("BEAM_FAULTS_REPORTS", "")
AGAIN = os.environ.get("BEAM_FAULTS_AGAIN", "yes") == "yes"


class Lab:
    """One lab by its prefix, and what its faults came to."""

    def __init__(self, prefix: str, directory: Path) -> None:
        self.prefix, self.directory = prefix, directory
        self.results: dict[str, Result] = {}
        self.tried: dict[str, Fault] = {}
        self.unmended: set[str] = set()

    def play(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        inventories = ["-i", "molecule/inventory", *(["-i", f"molecule/{PRODUCT}/inventory.yml"] if PRODUCT != "erlang" else [])]
        return subprocess.run(
            ["ansible-playbook", *inventories, f"playbooks/{name}.yml", *arguments],
            cwd=ROOT,
            env={**os.environ, "LAB_PREFIX": self.prefix, "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )

    def run(self, host: str, script: str) -> subprocess.CompletedProcess[str]:
        """Run bash as root on a host."""
        words = [str(ROOT / "molecule/lab/podman"), "exec", self.prefix + host, "bash", "-lc", script]
        return subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)

    def on(self, host: str, script: str) -> str:
        """Run bash as root on a host. What went wrong, or nothing."""
        try:
            done = self.run(host, script)
        except subprocess.TimeoutExpired:
            return f"it took too long: {script[-200:]}"
        return f"exit {done.returncode}: {script[-200:]}\n{done.stdout[-800:]}{done.stderr[-800:]}" if done.returncode else ""

    def verify(self) -> Mapping[str, Any]:
        """The JSON report of a run of verify."""
        for old in self.directory.glob("*.json"):
            old.unlink()
        done = self.play("verify", "--extra-vars", json.dumps({"beam_verify_report_dir": str(self.directory)}))
        reports = list(self.directory.glob("*.json"))
        assert reports, done.stdout[-3000:] + done.stderr[-2000:]
        loaded: Mapping[str, Any] = json.loads(reports[0].read_text(encoding="utf-8"))
        if KEEP:
            Path(KEEP).mkdir(parents=True, exist_ok=True)
            shutil.copy(reports[0], Path(KEEP) / f"{time.time_ns()}.json")
        return loaded

    def settle(self) -> None:
        """Wait until every node is linked to every other again."""
        until = time.monotonic() + 90
        for host in HOSTS:
            command = "ss -Htn state established '( sport = 9100 or dport = 9100 )' | wc -l"
            while time.monotonic() < until:
                seen = self.run(host, command)
                if int(seen.stdout or 0) >= len(HOSTS) - 1:
                    break
                time.sleep(1)

    def attempt(self, batch: list[Fault]) -> dict[str, Result]:
        """Break, verify, repair. A break that failed is a result: nothing is known of its control then."""
        failed: dict[str, str] = {}
        report: Mapping[str, Any] = {"findings": []}
        try:
            failed.update(self.everywhere(batch, lambda fault: fault.script(fault.breaks, self.given(fault))))
            report = self.verify()
        except AssertionError as error:
            failed.update({fault.name: f"verify left no report: {error}" for fault in batch})
        finally:
            for name, problem in self.everywhere(batch[::-1], lambda fault: fault.script(f"{fault.repair}\n{CLEAR}")).items():
                print(f"{name}: the repair failed: {problem}")
                self.unmended.add(name)
        self.settle()
        self.look_back(report, batch)
        broken = {name: Result(False, False, (f"not tried: {problem}",)) for name, problem in failed.items()}
        return results(report, batch) | broken

    def given(self, fault: Fault) -> str:
        return self.run(*fault.given).stdout if fault.given else ""

    def everywhere(self, batch: Sequence[Fault], script: Callable[[Fault], str]) -> dict[str, str]:
        """The scripts of a batch, one after another on each host, on all hosts at once. What went wrong, by fault."""

        def on(host: str) -> dict[str, str]:
            return {fault.name: self.on(host, script(fault)) for fault in batch if fault.host == host}

        # RabbitMQ nodes that start at the same time wait for each other.
        with ThreadPoolExecutor(1 if PRODUCT == "rabbitmq" else None) as pool:
            return {name: problem for each in pool.map(on, HOSTS) for name, problem in each.items() if problem}

    def look_back(self, report: Mapping[str, Any], batch: Sequence[Fault]) -> None:
        """Note which faults are still found that were repaired before this batch."""
        seeded = {(fault.host, fault.control) for fault in batch}
        for name, fault in self.tried.items():
            if (fault.host, fault.control) not in seeded and result(report, fault).named:
                self.unmended.add(name)
        self.tried.update({fault.name: fault for fault in batch})

    def try_batch(self, batch: list[Fault]) -> None:
        found = self.attempt(batch)
        for again in one_each(fault for fault in batch if not found[fault.name].named):
            if AGAIN and len(again) < len(batch):
                found.update(self.attempt(again))
        self.results.update(found)
        for name, one in found.items():
            print(f"{time.strftime('%H:%M:%S')} {'named' if one.named else 'FOUND, NOT NAMED' if one.found else 'MISSED'}: {name}")

    def mended(self, report: Mapping[str, Any]) -> None:
        """Note for each fault whether its repair took its finding away."""
        for batch in BATCHES:
            for fault in batch:
                if fault.name in self.results:
                    gone = not findings(report, fault.host, fault.control)
                    self.results[fault.name] = replace(self.results[fault.name], mended=gone and fault.name not in self.unmended)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Lab]:
    """A lab in which the site play has converged."""
    lab = Lab(os.environ.get("LAB_PREFIX", "beam-"), tmp_path_factory.mktemp("report"))
    if os.environ.get("BEAM_FAULTS_LAB") != "ready":
        done = lab.play("site")
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    yield lab
    pytestconfig.stash[RESULTS] = lab.results


RESULTS = pytest.StashKey[dict[str, Result]]()


@pytest.mark.parametrize(
    ("number", "fault"),
    [(n, fault) for n, batch in enumerate(BATCHES) for fault in batch],
    ids=lambda value: value.name if isinstance(value, Fault) else f"batch{value}",
)
def test_a_fault_is_found_and_named(lab: Lab, number: int, fault: Fault) -> None:
    if fault.name not in lab.results:
        lab.try_batch(BATCHES[number])
    came_to = lab.results[fault.name]
    assert came_to.found, f"{fault.host}: {fault.control} did not fail; failed: {', '.join(came_to.others) or 'nothing'}"
    assert came_to.named, f"{fault.host}: {fault.control} does not say {fault.names}: {came_to.details}"


def test_after_all_repairs_the_cluster_passes(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    report = lab.verify()
    lab.mended(report)
    all_results = list(lab.results.values())
    found, named, mended = (sum(bool(getattr(one, what)) for one in all_results) for what in ("found", "named", "mended"))
    with capsys.disabled():
        print(f"\nfaults: {len(all_results)} tried, {found} found, {named} named, {mended} of {len(all_results)} repairs worked")
        for name, one in lab.results.items():
            if one.mended is False:
                print(f"  NOT MENDED: {name}")
            if not one.named:
                print(f"  {'not named' if one.found else 'MISSED'}: {name}: {one.details or one.others}")
    bad = [(one["control"], one["subject"], one["details"]) for one in report["findings"] if one["status"] in ("failed", "not_tested")]
    assert bad == []

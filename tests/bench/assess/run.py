#!/usr/bin/env python
# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long do evaluate() and the report take for a cluster of n nodes, and how large is the report?

Makes the evidence of a hardened cluster without a host: the one of the unit tests, with more hosts. Each size runs in a process of its own. With
--before COMMIT the same runs on the code of that commit, taken from git; a size that lasts longer than LIMIT seconds ends the column.
Usage: run.py [--before COMMIT] [SIZE ...].
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SIZES = (24, 48, 96, 200, 400)
LIMIT = 900
TESTS = "tests/unit/plugins/module_utils"


def one(size: int) -> dict[str, Any]:
    """Measure one size with the code on the path; in a process of its own."""
    import whole_cluster as made

    made.HOSTS.clear()
    made.HOSTS.update({f"n{at:04}": f"10.89.{at // 250}.{at % 250 + 1}" for at in range(size)})
    made.PUBLIC.clear()
    made.PUBLIC.update({name: address.replace("10.89.", "10.90.") for name, address in made.HOSTS.items()})
    with contextlib.suppress(AttributeError):
        made.MEMBERS[:] = made.HOSTS.values()
    evidence = made.evidence()
    try:
        from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
    except ImportError:  # before the room _assess
        from ansible_collections.beam.cluster.plugins.module_utils._model.findings import evaluate
    began = time.process_time()
    verdict = evaluate(evidence)
    evaluated = time.process_time()
    sizes = written(verdict, made.NOW)
    return {
        "answers": len(evidence.answers),
        "evaluate": evaluated - began,
        "report": time.process_time() - evaluated,
        "sizes": sizes,
        "ok": verdict.ok,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def written(verdict: Any, now: float) -> list[int]:
    """Characters of JSON, HTML and JUnit, made by the code on the path; the terminal's lines are made too."""
    room = "ansible_collections.beam.cluster.plugins.module_utils"
    try:
        reports = importlib.import_module(f"{room}._assess.reports")
    except ImportError:  # before the room _assess
        reports = importlib.import_module(f"{room}._model.reports")
    try:
        formats = importlib.import_module(f"{room}._assess.reports.formats")
    except ImportError:  # before the list of formats had a file of its own
        formats = reports
    if hasattr(formats, "FORMATS"):
        report = formats.Report(verdict, now)
        importlib.import_module(f"{room}._assess.reports.terminal").lines(report)
        return [len(formats.FORMATS[name].text(report)) for name in ("json", "html", "xml")]
    page = reports.page if hasattr(reports, "page") else importlib.import_module(f"{room}._assess.report_html").page
    reports.text(verdict)
    return [len(json.dumps(reports.data(verdict, now), indent=1)), len(page(verdict, now)), len(reports.junit(verdict, now))]


def measured(tree: Path, size: int) -> dict[str, Any] | None:
    """None where it lasts too long."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "ansible_collections" / "beam"
        home.mkdir(parents=True)
        (home / "cluster").symlink_to(tree)
        tests = next(place for place in (tree / TESTS / "_assess", tree / TESTS / "_model") if (place / "whole_cluster.py").exists())
        command = [sys.executable, str(Path(__file__).resolve()), "--one", str(size)]
        env = {**os.environ, "PYTHONPATH": f"{name}:{tests}"}
        try:
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=LIMIT, check=True)
        except subprocess.TimeoutExpired:
            return None
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def column(title: str, tree: Path, sizes: list[int]) -> None:
    print(f"{title}\n{'nodes':>7} {'answers':>9} {'evaluate':>10} {'report':>9} {'JSON':>9} {'HTML':>9} {'JUnit':>9} {'memory':>9}")
    for size in sizes:
        found = measured(tree, size)
        if found is None:
            print(f"{size:>7} more than {LIMIT} s")
            break
        assert found["ok"], "the evidence is of a hardened cluster"
        written = " ".join(f"{count / 1e6:6.2f} MB" for count in found["sizes"])
        print(f"{size:>7} {found['answers']:>9} {found['evaluate']:8.2f} s {found['report']:7.2f} s {written} {found['mib']:5} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", type=int)
    parser.add_argument("--before")
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES))
    options = parser.parse_args()
    if options.one:
        json.dump(one(options.one), sys.stdout)
        return
    print(f"load of the machine {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores; seconds of processor time")
    if options.before:
        with tempfile.TemporaryDirectory() as name:
            archive = subprocess.run(["git", "-C", str(ROOT), "archive", options.before], capture_output=True, check=True)
            subprocess.run(["tar", "-x", "-C", name], input=archive.stdout, check=True)
            column(f"before ({options.before})", Path(name), options.sizes)
    column("now", ROOT, options.sizes)


if __name__ == "__main__":
    main()

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benches run on the present code: each once, as small as it goes. What they measure is for `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[1] / "bench"


@pytest.mark.parametrize(("bench", "said"), [("plan/rules.py", "MB of plan"), ("assess/run.py", "MiB")])
def test_the_bench_runs(bench: str, said: str) -> None:
    ran = subprocess.run([sys.executable, str(BENCH / bench), "3"], capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0 and said in ran.stdout.splitlines()[-1], ran.stdout + ran.stderr

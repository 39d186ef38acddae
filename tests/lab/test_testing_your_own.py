# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario that docs/testing_your_own.md has users copy, in a repository that is not ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from conftest import ROOT


def test_a_copy_of_the_scenario_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs/examples/scenario", tmp_path / "molecule/hardened")
    built = subprocess.run([str(ROOT / "molecule/release/build"), "trixie", "mix", "1.0.0"], capture_output=True, text=True, timeout=600, check=True)
    done = subprocess.run(
        ["molecule", "test", "--scenario-name", "hardened"],
        cwd=tmp_path,
        env={
            **os.environ,
            "BEAM_CLUSTER": str(ROOT),
            "RELEASE_TAR": built.stdout.strip(),
            "LAB_PREFIX": f"{os.environ.get('LAB_PREFIX', 'beam-')}own-",
            "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path / "state"),
            "NO_COLOR": "1",
            "PY_COLORS": "0",
        },
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told[-6000:]
    assert "PASSED: " in told, "verify.yml proves the cluster"

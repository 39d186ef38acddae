# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One seeded fault on each host, in one run of `verify`. `make faults` tries all of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests" / "faults"))
from batches import all_faults, batches, selected
from test_faults import Lab

BATCHES = batches(selected(all_faults("erlang"), "small"))


@pytest.mark.skipif(os.environ.get("MOLECULE_SCENARIO_NAME", "default") != "default", reason="the faults are those of bare nodes")
def test_seeded_faults_are_found_and_named(tmp_path: Path) -> None:
    lab = Lab(os.environ.get("LAB_PREFIX", "beam-"), tmp_path)
    for batch in BATCHES:
        came_to = lab.attempt(batch)
        assert {name: one.details for name, one in came_to.items() if not one.named} == {}

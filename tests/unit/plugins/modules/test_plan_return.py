# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of a plan, as the module's documentation lists them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("ansible")

import yaml  # noqa: E402
from ansible_collections.beam.cluster.plugins.modules import plan  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "module_utils" / "_plan"))
from plan_world import World  # noqa: E402


def test_every_key_is_documented() -> None:
    documented = yaml.safe_load(plan.RETURN)["plan"]["contains"]
    made = World().cluster()
    assert sorted(made) == sorted(documented)
    assert sorted(made["members"][0]) == sorted(documented["members"]["contains"])

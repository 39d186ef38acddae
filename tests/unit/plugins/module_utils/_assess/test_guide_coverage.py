# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every entry of the catalogue has controls or a reason, and every control is in an entry."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import BY_ID
from ansible_collections.beam.cluster.plugins.module_utils._assess.guide_coverage import ENTRIES, Entry

WITHOUT = {"EXP-18", "TLS-17", "VER-02", "VER-03"}


def test_the_catalogue_is_whole() -> None:
    assert len(ENTRIES) == len({entry.id for entry in ENTRIES}) == 103
    assert {entry.id for entry in ENTRIES if not entry.controls} == WITHOUT


def test_its_controls_exist_and_none_is_left_out() -> None:
    named = {control for entry in ENTRIES for control in entry.controls}
    assert named == set(BY_ID)
    assert len(BY_ID) >= 100


def test_an_entry_without_controls_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="no control and no reason"):
        Entry("XXX-01", "x")


def test_the_page_shows_every_entry() -> None:
    page = (Path(__file__).parents[5] / "docs/controls.md").read_text(encoding="utf-8")
    assert [entry.id for entry in ENTRIES if f"| {entry.id} |" not in page] == []

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue is whole: every control has a check, every attack a control, every code exists, and the page in docs/ says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess import attack_checks, host_checks, probes
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import ATTACKS, BY_ID, CONTROLS, Control, catalogue
from ansible_collections.beam.cluster.plugins.module_utils._wire import codes

ROOT = Path(__file__).resolve().parents[5]


def test_every_control_has_exactly_one_check() -> None:
    checked = [*host_checks._HOST_CHECKS, probes.CONNECT, "certificate-lifetime", "mesh-whole", "mesh-settings", *(attack.id for attack in ATTACKS)]
    assert sorted(checked) == sorted(control.id for control in CONTROLS)
    assert len(BY_ID) == len(CONTROLS)


def test_attacks_are_the_controls_that_look_at_attacks() -> None:
    assert {attack.id for attack in ATTACKS} == {control.id for control in CONTROLS if control.looks_at == "attacks"}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_codes_and_stages_are_the_wires_own(attack: object) -> None:
    assert not attack.refused - set(codes.CODES)
    assert attack.stage in codes.STAGES
    assert {codes.CODES[code].verdict for code in attack.refused} <= {"refused", "blocked"}, "only a no is a refusal"


def test_what_shows_that_tls_is_over_are_codes() -> None:
    assert not attack_checks._SPOKE_OF_NAMES - set(codes.CODES)


def test_words_are_checked() -> None:
    with pytest.raises(ValueError, match="severity"):
        Control("x", "x", "x", "x", "x", "urgent", "files")
    with pytest.raises(ValueError, match="subject"):
        Control("x", "x", "x", "x", "x", "high", "tea leaves")


def test_docs_hold_the_catalogue() -> None:
    page = ROOT / "docs" / "controls.md"
    assert page.read_text(encoding="utf-8") == catalogue(), "run: python3 tests/regenerate.py"

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue is whole: every control has exactly one check, every attack a control, and the words are known ones."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._assess import causes
from ansible_collections.beam.cluster.plugins.module_utils._assess.attacks import ATTACKS
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import advisories as advisory_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import audit as audit_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import between_hosts as inventory_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import certificates as certificate_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import cookies as cookie_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import mesh as mesh_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import on_hosts as host_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import revocation as revocation_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.checks import running_node as running_node_checks
from ansible_collections.beam.cluster.plugins.module_utils._assess.controls import BY_ID, CONTROLS, DESIGN, Control
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import KNOWN


def test_every_control_has_exactly_one_check() -> None:
    others = (
        *mesh_checks.CONTROLS,
        *certificate_checks.CONTROLS,
        *cookie_checks.CONTROLS,
        *advisory_checks.CONTROLS,
        *running_node_checks.CHECKS,
        *inventory_checks.CHECKS,
        revocation_checks.CONTROL,
    )
    attacks = [attack.id for attack in ATTACKS]
    checked = [*host_checks.CHECKS, *others, *audit_checks.CONTROLS, causes.NODE, KNOWN, *attacks]
    assert sorted(checked) == sorted(control.id for control in CONTROLS)
    assert len(BY_ID) == len(CONTROLS)


def test_attacks_are_the_controls_that_look_at_attacks() -> None:
    assert {attack.id for attack in ATTACKS} == {control.id for control in CONTROLS if control.looks_at == "attacks"}


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_every_control_says_where_it_comes_from(control: Control) -> None:
    assert control.references
    assert all(url.startswith("https://") for title, url in control.references if (title, url) != DESIGN)


def test_words_are_checked() -> None:
    with pytest.raises(ValueError, match="severity"):
        Control("x", "x", "x", "x", "", (), "urgent", "files")
    with pytest.raises(ValueError, match="subject"):
        Control("x", "x", "x", "x", "", (), "high", "tea leaves")

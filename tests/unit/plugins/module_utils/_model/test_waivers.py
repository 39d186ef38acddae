# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a waiver covers. How one is read is tested with the plan, which reads it."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.waivers import Waiver


@pytest.mark.parametrize(
    ("said", "status", "succeeded", "covered"),
    [
        ("", "not_tested", False, True),
        ("", "failed", False, True),
        ("", "failed", True, False),
        ("not_tested", "not_tested", False, True),
        ("not_tested", "failed", False, False),
        ("not_tested", "failed", True, False),
        ("failed", "failed", True, True),
        ("failed", "failed", False, True),
        ("failed", "not_tested", False, False),
        ("", "passed", False, False),
    ],
)
def test_a_waiver_covers_a_status(said: str, status: str, succeeded: bool, covered: bool) -> None:
    assert Waiver("x", "y", "2027-01-31", status=said).covers_status(status, succeeded=succeeded) is covered


def test_a_waiver_covers_a_subject() -> None:
    waiver = Waiver("x", "y", "2027-01-31", host="n1")
    assert waiver.covers_subject("x", ("n1", "n2"))
    assert not waiver.covers_subject("x", ("n2",)) and not waiver.covers_subject("z", ("n1",))
    assert Waiver("x", "y", "2027-01-31").covers_subject("x", ())


def test_a_waiver_comes_back_from_the_plan() -> None:
    waiver = Waiver("x", "y", "2027-01-31", status="failed")
    assert Waiver.from_dict(waiver.as_dict()) == waiver

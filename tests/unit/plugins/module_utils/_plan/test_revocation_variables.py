# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator names for one run of beam.cluster.revoke comes out as a list; nodes check only where it is switched on."""

from __future__ import annotations

from typing import Any

import pytest
from plan_world import World, found


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("value", "names"),
    [("beam@n3", ["beam@n3"]), ("beam@n3, 1F:0C,/tmp/a.pem ,", ["beam@n3", "1F:0C", "/tmp/a.pem"]), ("", []), ("beam@n3,beam@n3", ["beam@n3"])],
)
def test_names(world: World, value: str, names: list[str]) -> None:
    world.set("beam_pki_crl", True)
    world.set("beam_revoke", value)
    cluster = world.cluster()
    assert (cluster["crl"], cluster["revoke"], cluster["unrevoke"]) == (True, names, [])


@pytest.mark.parametrize("value", [7, ["beam@n3"], {"node": "beam@n3"}, True])
def test_what_is_no_text(world: World, value: Any) -> None:
    world.set("beam_pki_crl", True)
    world.set("beam_unrevoke", value)
    assert ("", "beam_unrevoke", "type") in found(world.validate()[1])

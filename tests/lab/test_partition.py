# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A link that a firewall cuts without a word is noticed within the ticktime, and the mesh heals when it opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conftest import Lab, until

TICKTIME = 20
INTENSITY = 4
CUT = """table inet lab_cut {{
    chain in {{ type filter hook input priority -300; ip saddr {peer} drop; }}
    chain out {{ type filter hook output priority -300; ip daddr {peer} drop; }}
}}
"""


@pytest.fixture
def ticking(lab: Lab, mesh: Callable[..., bool]) -> Iterator[Lab]:
    """The lab with a ticktime that a test can wait for."""
    done = lab.play("--extra-vars", f"beam_net_ticktime={TICKTIME} beam_net_tickintensity={INTENSITY}")
    assert done.returncode == 0, done.stdout[-4000:]
    until(mesh, 60, "a whole mesh before the cut")
    yield lab
    lab.tries("n1", "nft delete table inet lab_cut")
    done = lab.play()
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_cut_is_noticed_and_heals(ticking: Lab, mesh: Callable[..., bool]) -> None:
    peer = ticking.variable("n2", "beam_address")
    linked = f"ss -Htn state established '( sport = 9100 or dport = 9100 )' dst {peer} | grep -q ."
    assert ticking.tries("n1", linked).returncode == 0
    ticking.write("n1", "/run/lab_cut.nft", CUT.format(peer=peer))
    ticking.on("n1", "nft -f /run/lab_cut.nft")
    # OTP gives a peer up between one part of the ticktime less and one more, and looks once in such a part.
    part = TICKTIME / INTENSITY
    noticed = until(lambda: ticking.tries("n1", linked).returncode != 0, TICKTIME + part + 5, "the cut")
    print(f"the cut was noticed after {noticed:.0f} s")
    assert noticed > TICKTIME - 2 * part, "sooner than silence alone can say it"
    assert not mesh()
    ticking.on("n1", "nft delete table inet lab_cut")
    healed = until(mesh, 60, "a whole mesh after the cut")
    print(f"the mesh was whole again after {healed:.0f} s")

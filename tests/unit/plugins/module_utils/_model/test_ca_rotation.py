# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The phase of a change of CA follows from what nodes hold: from every state that a killed run can leave, the next step is the right one."""

from __future__ import annotations

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.ca_rotation import DROP, IDLE, PROMOTE, REISSUE, TRUST, Holder, progress


def node(name: str, trusted: str, used: str, shows: bool = True) -> Holder:
    return Holder(name, frozenset(trusted), frozenset(used), shows)


OLD, BOTH_OLD, BOTH_NEW, NEW = (("o", "o"), ("on", "o"), ("on", "n"), ("n", "n"))


@pytest.mark.parametrize(
    ("current", "following", "first", "second", "phase", "waiting"),
    [
        ("o", "", OLD, OLD, IDLE, ()),
        ("o", "n", OLD, OLD, TRUST, ("a", "b")),
        ("o", "n", BOTH_OLD, OLD, TRUST, ("b",)),
        # A certificate of the new CA on one node does not go before the other trusts it.
        ("o", "n", BOTH_NEW, OLD, TRUST, ("b",)),
        ("o", "n", BOTH_OLD, BOTH_OLD, REISSUE, ("a", "b")),
        ("o", "n", BOTH_NEW, BOTH_OLD, REISSUE, ("b",)),
        ("o", "n", BOTH_NEW, BOTH_NEW, PROMOTE, ()),
        ("", "n", BOTH_NEW, BOTH_NEW, PROMOTE, ()),
        ("n", "", BOTH_NEW, BOTH_NEW, DROP, ("a", "b")),
        ("n", "", NEW, BOTH_NEW, DROP, ("b",)),
        ("n", "", NEW, NEW, IDLE, ()),
    ],
)
def test_phase(current: str, following: str, first: tuple[str, str], second: tuple[str, str], phase: str, waiting: tuple[str, ...]) -> None:
    found = progress(current, following, current, [node("a", *first), node("b", *second)])
    assert (found.phase, found.waiting) == (phase, waiting)
    assert all(name in found.text for name in waiting)


def test_a_certificate_that_is_not_shown_does_not_count() -> None:
    assert progress("o", "n", "o", [node("a", "on", "n"), node("b", "on", "n", shows=False)]).waiting == ("b",)


def test_an_intermediate_of_the_cluster_is_no_other_ca() -> None:
    assert progress("o", "", "oi", [node("a", "oi", "o")]).phase == IDLE

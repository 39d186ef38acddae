# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the change to a new CA has come. Pure: the phase follows from what nodes hold and show, and is stored nowhere.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

IDLE, TRUST, REISSUE, PROMOTE, DROP = "idle", "trust", "reissue", "promote", "drop"
PHASES = (TRUST, REISSUE, PROMOTE, DROP)
"""In this order. IDLE is before the first: there is no new CA yet, or the last change is complete."""

STEPS = {
    IDLE: "all nodes trust and use one CA. The next step creates a new CA on the controller",
    TRUST: "there is a new CA. The next step makes every node trust both",
    REISSUE: "every node trusts both CAs. The next step issues a certificate of the new CA to every node",
    PROMOTE: "every node has a certificate of the new CA. The next step makes it the CA of the cluster on the controller",
    DROP: "every node has a certificate of the new CA, which is the CA of the cluster. The next step makes every node trust it alone",
}


@dataclass(frozen=True)
class Holder:
    """One node: the fingerprints of the CA certificates that it trusts, and of those that verify its certificate.

    shows: whether it shows the certificate of its file.
    """

    node: str
    trusted: frozenset[str]
    used: frozenset[str]
    shows: bool = True


@dataclass(frozen=True)
class Progress:
    """phase: one of the constants above. waiting: the nodes that have not taken its step yet."""

    phase: str
    waiting: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is, what comes next, and for which nodes."""
        return f"{STEPS[self.phase]}{': ' + ', '.join(self.waiting) if self.waiting else ''}."


def progress(current: str, following: str, chain: Iterable[str], holders: Iterable[Holder]) -> Progress:
    """From the fingerprints of the cluster's root CA and of the new one (empty where there is none) and from the nodes.

    chain: the CA certificates of the cluster's CA, its intermediate included: what nodes trust when the change is complete.
    """
    nodes = list(holders)
    if following and not current:
        return Progress(PROMOTE, ())
    if following:
        without = tuple(one.node for one in nodes if following not in one.trusted)
        if without:
            return Progress(TRUST, without)
        old = tuple(one.node for one in nodes if following not in one.used or not one.shows)
        return Progress(REISSUE, old) if old else Progress(PROMOTE, ())
    expected = frozenset(chain)
    more = tuple(one.node for one in nodes if one.trusted - expected)
    return Progress(DROP, more) if more else Progress(IDLE, ())

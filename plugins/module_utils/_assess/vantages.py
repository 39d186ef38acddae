# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a host outside the cluster really stands: an answer that it got from itself says nothing of what others reach.

Private to this collection, pure. The name of a host in the inventory proves nothing: one machine has several, and the controller has none. What
counts is the address from which a probe was made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from .._model.addresses import is_loopback
from .finding import NOT_TESTED, Evidence, Outcome
from .probes import Answer

ANOTHER = "name a host of another machine in beam_outsiders"


def only_itself(host: str) -> str:
    return f"looked at from {host} only, which is the host itself: nothing shows what others reach. To test it, {ANOTHER}"


def _on_its_own(answer: Answer) -> bool:
    """Whether a probe did not leave the network namespace in which it was made."""
    source = answer.source_address
    return source is not None and (source == answer.probe.address or is_loopback(source))


@dataclass(frozen=True)
class Vantages:
    """What is known of where probes were made. addresses: of each host, as observed. members: hosts of the cluster; empty where nobody said."""

    answers: tuple[Answer, ...]
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    members: frozenset[str] = frozenset()

    @classmethod
    def of(cls, evidence: Evidence) -> Vantages:
        addresses = {name: tuple(one.address for one in seen.addresses) for name, seen in evidence.seen.items() if seen.addresses is not None}
        members = frozenset(evidence.target.hosts) if evidence.target.planned else frozenset()
        return cls(tuple(one for one in evidence.answers if not one.probe.source), addresses, members)

    @cached_property
    def _same(self) -> frozenset[tuple[str, str]]:
        """(vantage, host) that are one machine: no probe left it. A host with the same address elsewhere (docker0) has others, too."""
        known: dict[tuple[str, str], list[bool]] = {}
        for one in self.answers:
            if one.source_address is not None:
                known.setdefault((one.probe.vantage, one.probe.host), []).append(_on_its_own(one))
        return frozenset(pair for pair, own in known.items() if all(own))

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        """The member that has an address, of those that one host alone has."""
        counts = Counter(address for own in self.addresses.values() for address in set(own))
        return {address: host for host, own in self.addresses.items() if host in self.members for address in own if counts[address] == 1}

    def is_itself(self, answer: Answer) -> bool:
        return (answer.probe.vantage, answer.probe.host) in self._same

    def elsewhere(self, answer: Answer) -> bool:
        """Whether a probe reached another host than the one that it is about: the vantage has this address itself."""
        return _on_its_own(answer) and not self.is_itself(answer)

    def inside(self, answer: Answer) -> str:
        """Why an answer is not one of a host outside; empty where it is."""
        who, source = answer.probe.vantage, answer.source_address
        if source is None:
            return ""
        if self.is_itself(answer):
            return f"{who} is the host itself, and connects from {source}: {ANOTHER}"
        member = self._owners.get(source)
        return f"{who} connects from {source}, an address of the member {member}: {ANOTHER}" if member else ""


def from_outside(outcomes: Iterable[Outcome], vantages: Vantages) -> Iterator[Outcome]:
    """The outcomes, those that a host outside got of itself or as a member as not tested, whatever they were. Those of other hosts are left out."""
    for one in outcomes:
        attack = one.answer.probe.attack
        if attack is None or attack.vantage != "outside":
            yield one
        elif not vantages.elsewhere(one.answer):
            why = vantages.inside(one.answer)
            yield Outcome(one.answer, NOT_TESTED, why) if why else one

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The positive control of a host outside the cluster: does anything come back to it at all?

Private to this collection, pure. A host whose own network drops everything is refused everywhere, and has proven nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .._model.observation import Observation
from .finding import NOT_TESTED, REFUSED, Outcome
from .probes import REACHES, Answer, Probe

QUIET_PORTS = (61009, 61027, 61043, 61057, 61091, 61121)
"""Ports that nothing is registered for, above those of outgoing connections: a closed one answers, leaves no line in a log, and is no port that
intrusion detection watches."""
SSH = 22
_SILENCE = frozenset({"", "filtered", "epmd_filtered", "unreachable", "epmd_unreachable"})


def ways(vantage: str, made: Sequence[Probe]) -> Iterator[Probe]:
    """The positive control of each address that is attacked from outside: a port that is closed, and the one of SSH."""
    targets = {(probe.host, probe.address): probe for probe in made if probe.attack and probe.attack.vantage == "outside"}
    for (host, address), probe in targets.items():
        for port in (QUIET_PORTS[0], SSH):
            yield Probe(REACHES, vantage, "", probe.target, host, address, port, "public")


def with_a_way(outcomes: Sequence[Outcome], answers: Iterable[Answer], seen: Mapping[str, Observation], hosts: Iterable[str]) -> Iterator[Outcome]:
    """The outcomes, those of a host outside to which nothing came back as not tested.

    hosts: of the run. Where all of them drop by default, as they say themselves, that is why nothing comes back.
    """
    heard = {one.probe.asker for one in answers if not one.probe.source and one.code not in _SILENCE}
    dropping = all(one is not None and one.firewall is not None and one.firewall.drops_by_default for one in map(seen.get, hosts))
    for one in outcomes:
        probe = one.answer.probe
        if probe.source or one.status != REFUSED or probe.asker in heard or dropping:
            yield one
        else:
            why = f"{one.why}, and nothing came back to {probe.asker} from any port of any host: its own network may drop everything"
            yield Outcome(one.answer, NOT_TESTED, why)

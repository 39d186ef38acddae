# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's firewall lets in, as facts that a check can compare with the members.

Private to this collection. Made by _host/firewall.py, read by checks.
"""

from __future__ import annotations

import bisect
import functools
import ipaddress
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .untrusted_json import as_bool, as_int, as_path, as_ranges, as_text, as_texts, each, same_address


@functools.lru_cache(maxsize=65536)
def _ends(text: str) -> tuple[int, int, int] | None:
    """Version, first and last address of an address, a network or a range such as 10.0.0.1-10.0.0.9. Every host names the same ones."""
    try:
        if "-" in text:
            first, last = (ipaddress.ip_address(end) for end in text.split("-", 1))
            return first.version, int(first), int(last)
        network = ipaddress.ip_network(text, strict=False)
        return network.version, int(network.network_address), int(network.broadcast_address)
    except ValueError:
        return None


@dataclass(frozen=True)
class Admission:
    """TCP packets that our table may let in: every source, to every destination, at every port of this entry.

    sources, destinations: addresses, networks, ranges (10.0.0.1-10.0.0.9); None means any. ports: pairs of first and last. loopback: only over the
    interface lo. certain: False where the rule has a condition that was not understood; it may let in less than this. rule: the rule in nft's words,
    or the chain's policy. What our table does not let in, it drops.
    """

    family: int
    sources: tuple[str, ...] | None
    destinations: tuple[str, ...] | None
    ports: tuple[tuple[int, int], ...]
    loopback: bool
    certain: bool
    rule: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Admission | None:
        family, ports = as_int(raw.get("family")), as_ranges(raw.get("ports"))
        if family is None or ports is None:
            return None
        sources, destinations = as_texts(raw.get("sources")), as_texts(raw.get("destinations"))
        return cls(family, sources, destinations, ports, bool(raw.get("loopback")), bool(raw.get("certain")), as_text(raw.get("rule")) or "")

    def touches(self, ports: Iterable[tuple[int, int]]) -> bool:
        """Whether it lets anything in at one of the ports."""
        return any(first <= end and begin <= last for begin, end in ports for first, last in self.ports)

    def beyond(self, members: Collection[str]) -> tuple[str, ...]:
        """The sources, as far as they are more than the members' addresses: ("any",), or the entries that hold somebody else."""
        if self.sources is None:
            return ("any",)
        known = sorted({ends[1] for ends in map(_ends, members) if ends and ends[0] == self.family})
        others = []
        for source in self.sources:
            ends = _ends(source)
            if ends is None or ends[2] - ends[1] + 1 > bisect.bisect_right(known, ends[2]) - bisect.bisect_left(known, ends[1]):
                others.append(source)
        return tuple(others)


@dataclass(frozen=True)
class BeamTable:
    """Our own table of nftables, inet beam_cluster.

    members, own: elements of its address sets; ports: of its set of that name and of matches on a destination port. dormant: the kernel does not use
    it. hooks: where its base chains stand, such as "input". admits: all that it may let in, in both families; () where it lets nothing in.
    as_in_file: whether it is what its file loads at boot.
    """

    members: tuple[str, ...]
    own: tuple[str, ...]
    ports: tuple[tuple[int, int], ...]
    dormant: bool | None
    hooks: tuple[str, ...] | None
    admits: tuple[Admission, ...] | None
    as_in_file: bool | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> BeamTable:
        return cls(
            members=tuple(map(same_address, as_texts(raw.get("members")) or ())),
            own=tuple(map(same_address, as_texts(raw.get("own")) or ())),
            ports=as_ranges(raw.get("ports")) or (),
            dormant=as_bool(raw.get("dormant")),
            hooks=as_texts(raw.get("hooks")),
            admits=each(raw.get("admits"), Admission.parse),
            as_in_file=as_bool(raw.get("as_in_file")),
        )

    def open_to_others(self, members: Collection[str], ports: Collection[tuple[int, int]]) -> tuple[Admission, ...] | None:
        """What lets somebody who is no member in at one of the ports, other than over lo. None where the rules are unknown."""
        if self.admits is None:
            return None
        return tuple(one for one in self.admits if not one.loopback and one.touches(ports) and one.beyond(members))


@dataclass(frozen=True)
class Loaded:
    """A command of nftables.service. file: what nft loads, else the program that runs; empty where it is taken away. where: the file that says so."""

    directive: str
    file: str
    where: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Loaded | None:
        directive, where = as_text(raw.get("directive")), as_path(raw.get("where"))
        return None if directive is None or where is None else cls(directive, as_path(raw.get("file")) or "", where)


@dataclass(frozen=True)
class Firewall:
    """The host's firewall. readable: whether the ruleset could be read; where not, drops_by_default is None and beam says nothing.

    beam: our table, None where it is not loaded. in_charge: "firewalld", "ufw", "nftables" or "none". drops_by_default: whether a base chain of
    another table drops what matches no rule. at_boot: whether our unit is enabled. masquerades: tables ("ip nat") that give forwarded packets an
    address of the host, () where the kernel forwards none. rewriting: rules of other tables that give packets another source, or lead them to lo.
    undoing: files that remove or change our table when something runs them. waiting: units of other firewalls that do not run now and will
    at the next boot. loads: what nftables.service loads by files of others that our drop-in comes after.
    """

    readable: bool
    in_charge: str
    drops_by_default: bool | None
    at_boot: bool | None
    beam: BeamTable | None
    masquerades: tuple[str, ...] | None = None
    rewriting: tuple[str, ...] | None = None
    undoing: tuple[str, ...] | None = None
    waiting: tuple[str, ...] | None = None
    loads: tuple[Loaded, ...] | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Firewall:
        beam, readable = raw.get("beam"), bool(raw.get("readable"))
        return cls(
            readable=readable,
            in_charge=as_text(raw.get("in_charge")) or "none",
            drops_by_default=as_bool(raw.get("drops_by_default")) if readable else None,
            at_boot=as_bool(raw.get("at_boot")),
            beam=BeamTable.parse(beam) if readable and isinstance(beam, Mapping) else None,
            masquerades=as_texts(raw.get("masquerades")) if readable else None,
            rewriting=as_texts(raw.get("rewriting")) if readable else None,
            undoing=as_texts(raw.get("undoing")),
            waiting=as_texts(raw.get("waiting")),
            loads=each(raw.get("loads"), Loaded.parse),
        )

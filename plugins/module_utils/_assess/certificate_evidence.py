# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates and keys of all nodes, as files on their hosts and as shown to others: what the checks of them look things up in.

Private to this collection, pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from .._model.host_facts import Certificate
from .._model.observation import Observation
from .._model.secret_facts import KeyFile
from .._model.times import epoch_of
from .checks.file_permissions import exists
from .controls.thresholds import CERTIFICATE_DAYS_MIN
from .finding import FAILED, NOT_OBSERVED, NOT_TESTED, Evidence, Result
from .target import NodeTarget

DAY = 86400
OUR_TREE = "/etc/beam/"


def _days(seconds: float) -> str:
    return f"{seconds / DAY:.0f} days" if seconds >= DAY else f"{seconds / 3600:.1f} hours"


def validity_problems(since: object, until: object, now: float) -> list[str]:
    """What is wrong with a validity, as the end of a sentence."""
    begin, end = epoch_of(since), epoch_of(until)
    problems = []
    if end is not None and end < now:
        problems.append(f"ended {_days(now - end)} ago, at {until}")
    elif end is not None and end - now < CERTIFICATE_DAYS_MIN * DAY:
        problems.append(f"ends in {_days(end - now)}, at {until}")
    if begin is not None and begin > now:
        problems.append(f"is not valid for another {_days(begin - now)}, until {since}")
    return problems


class CertificateEvidence:
    """The certificates and keys of all nodes whose host was observed."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.target = evidence.target

    def seen(self, node: NodeTarget) -> Observation | None:
        return self.evidence.seen.get(node.host)

    @cached_property
    def _by_file(self) -> Mapping[str, Mapping[str, tuple[Certificate, ...]]]:
        found: dict[str, dict[str, tuple[Certificate, ...]]] = {}
        for host, seen in self.evidence.seen.items():
            files = found.setdefault(host, {})
            for one in seen.certificates or ():
                files[one.path] = (*files.get(one.path, ()), one)
        return found

    def certificates(self, node: NodeTarget, path: str | None) -> tuple[Certificate, ...]:
        return self._by_file.get(node.host, {}).get(path or "", ())

    def leaf(self, node: NodeTarget) -> Certificate | None:
        return next(iter(self.certificates(node, node.certificate_file)), None)

    def shown(self, node: NodeTarget) -> list[Mapping[str, object]]:
        """The certificates that the node showed to anybody, each once. One that was refused was shown all the same."""
        found: dict[object, Mapping[str, object]] = {}
        for peer in self.evidence.shown_by.get(node.node, ()):
            found.setdefault(peer.get("sha256") or (peer.get("not_before"), peer.get("not_after")), peer)
        return list(found.values())

    def key_files(self, host: str) -> tuple[KeyFile, ...] | None:
        seen = self.evidence.seen.get(host)
        return seen.secrets.keys if seen and seen.secrets else None

    def key(self, node: NodeTarget) -> KeyFile | None:
        return next((one for one in self.key_files(node.host) or () if one.path == node.key_file), None)

    @cached_property
    def bundles(self) -> Mapping[str, tuple[Certificate, ...]]:
        """The trusted certificates by node, of nodes whose file holds some."""
        found = {node.node: self.certificates(node, node.ca_file) for node in self.target.running}
        return {node: bundle for node, bundle in found.items() if bundle}

    @cached_property
    def trusted(self) -> Mapping[str, Certificate]:
        """Every certificate that a node trusts, by its fingerprint."""
        return {one.sha256: one for bundle in self.bundles.values() for one in bundle}

    @cached_property
    def usual(self) -> frozenset[str]:
        """Fingerprints that more than half of the nodes trust."""
        counted = Counter(sha256 for bundle in self.bundles.values() for sha256 in {one.sha256 for one in bundle})
        return frozenset(sha256 for sha256, count in counted.items() if 2 * count > len(self.bundles))

    @cached_property
    def issuers(self) -> frozenset[str]:
        """Fingerprints of the CA certificates that issued a member's certificate, or the certificate of such a CA."""
        everything = {one.sha256: one for files in self._by_file.values() for found in files.values() for one in found}
        authorities = [one for one in everything.values() if one.ca]
        wanted = [leaf for leaf in map(self.leaf, self.target.running) if leaf]
        found: set[str] = set()
        while wanted:
            child = wanted.pop()
            for one in authorities:
                if one.sha256 not in found and one.issued(child):
                    found.add(one.sha256)
                    wanted.append(one)
        return frozenset(found)

    @cached_property
    def host_names(self) -> frozenset[str]:
        """The names in certificates that are a member's host."""
        return frozenset(kind + name.lower() for name in self.target.host_parts for kind in ("dns:", "IP:"))

    @cached_property
    def ca_keys(self) -> Mapping[str, str]:
        """The name of each CA, by the hash of its public key."""
        everything = (one for files in self._by_file.values() for found in files.values() for one in found)
        return {one.spki_sha256: one.subject for one in (*everything, *(self.evidence.authorities or ())) if one.ca and one.spki_sha256}

    @cached_property
    def holders(self) -> Mapping[str, tuple[NodeTarget, ...]]:
        """The nodes by the hash of the public key in their certificate or key file."""
        found: dict[str, list[NodeTarget]] = {}
        for node in self.target.running:
            leaf, key = self.leaf(node), self.key(node)
            for spki in {one.spki_sha256 for one in (leaf, key) if one and one.spki_sha256}:
                found.setdefault(spki, []).append(node)
        return {spki: tuple(nodes) for spki, nodes in found.items()}

    def held_elsewhere(self, spki: str | None, host: str) -> list[str]:
        """The nodes that have this public key, where none of them is on the host."""
        holders = self.holders.get(spki or "", ())
        return [] if any(one.host == host for one in holders) else [one.node for one in holders]

    def unread(self, node: NodeTarget) -> list[str]:
        """Why the certificates of a host may be more than were read. A file is read up to the first one that cannot be."""
        seen = self.seen(node)
        return [seen.why_unknown("certificates")] if seen and "certificates" in seen.unknown else []

    def missing(self, node: NodeTarget, path: str | None) -> Result:
        """Why a file holds no certificate."""
        seen = self.seen(node)
        if seen is None:
            return Result(node.host, NOT_TESTED, (NOT_OBSERVED,))
        if path and exists(seen, path) is False:
            return Result(node.node, FAILED, (f"{path} does not exist",))
        if seen.certificates is None or "certificates" in seen.unknown or not path or exists(seen, path) is None:
            return Result(node.node, NOT_TESTED, (f"{path or 'its file'}: {seen.why_unknown('certificates')}",))
        return Result(node.node, FAILED, (f"{path} holds no certificate",))

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the CA certificates that a node trusts.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from ..._model.host_facts import Certificate
from ..._model.problems import join_names
from ..._model.times import epoch_of
from ..certificate_evidence import DAY, CertificateEvidence, validity_problems
from ..finding import NOT_TESTED, Result, result
from ..target import NodeTarget


def _named(certificate: Certificate) -> str:
    return f"{certificate.subject or 'a certificate without subject'} (SHA-256 {certificate.sha256})"


def _ca_lifetime(files: CertificateEvidence, node: NodeTarget) -> Result:
    bundle = files.bundles.get(node.node)
    if not bundle:
        return files.missing(node, node.ca_file)
    leaf = files.leaf(node)
    until = epoch_of(leaf.not_after) if leaf else None
    problems = []
    for one in dict.fromkeys((*bundle, *(chained for chained in files.certificates(node, node.certificate_file) if chained.ca))):
        problems += [f"{one.subject} in {one.path} {said}" for said in validity_problems(one.not_before, one.not_after, files.evidence.epoch)]
        end = epoch_of(one.not_after)
        if leaf and until and end and end < until and one.sha256 in files.issuers:
            problems.append(f"{one.subject} in {one.path} ends at {one.not_after}, before the node's certificate ({leaf.not_after})")
    unread = files.unread(node) + [f"{one.subject} in {one.path} has no readable end" for one in bundle if epoch_of(one.not_after) is None]
    if unread and not problems:
        return Result(node.node, NOT_TESTED, tuple(unread))
    ends = [end for end in (epoch_of(one.not_after) for one in bundle) if end is not None]
    return result(node.node, problems, f"{(min(ends, default=0) - files.evidence.epoch) / DAY:.0f} days left")


def _anchors(files: CertificateEvidence, node: NodeTarget) -> Result:
    bundle = files.bundles.get(node.node)
    if not bundle:
        return files.missing(node, node.ca_file)
    authorities = {one.sha256: one for one in files.evidence.authorities or ()}
    trusted = {one.sha256: one for one in bundle}
    # Nodes of several clusters have nothing in common that is usual.
    usual = files.usual if files.target.planned else frozenset(trusted)
    problems = []
    for sha256, one in trusted.items():
        where = f"{node.ca_file} trusts {_named(one)}"
        if authorities and sha256 not in authorities:
            problems.append(f"{where}, which is no CA of this cluster")
        elif not one.ca:
            problems.append(f"{where}, which is no CA certificate")
        elif sha256 not in files.issuers:
            problems.append(f"{where}, which issued no member's certificate")
        elif sha256 not in usual:
            problems.append(f"{where}, which most other members do not trust")
    names: dict[str, set[str | None]] = {}
    for one in trusted.values():
        names.setdefault(one.subject, set()).add(one.spki_sha256)
    problems += [f"{node.ca_file} trusts {len(keys)} CAs with the name {name} and different keys" for name, keys in names.items() if len(keys) > 1]
    problems += [f"{node.ca_file} lacks {_named(files.trusted[sha256])}, which most members trust" for sha256 in sorted(usual - set(trusted))]
    unread = files.unread(node)
    # What this collection cannot read, OTP may trust.
    problems += [why for why in unread if why.startswith(f"{node.ca_file}: ")]
    if unread and not problems:
        return Result(node.node, NOT_TESTED, tuple(unread))
    return result(node.node, problems, f"trusts {join_names([one.subject for one in bundle])} only")


CHECKS: Mapping[str, Callable[[CertificateEvidence, NodeTarget], Result]] = {
    "ca-lifetime": _ca_lifetime,
    "trust-anchors": _anchors,
}

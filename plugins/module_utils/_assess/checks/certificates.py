# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the nodes' certificates: what lies in the files, compared with what nodes show.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Callable

from ..._model.certificate_names import certificate_names
from ..._model.host_facts import Certificate
from ..._model.observation import Observation
from ..._model.times import epoch_of
from ..certificate_evidence import DAY, CertificateEvidence, validity_problems
from ..controls.thresholds import CERTIFICATE_LIFETIME_MAX, RSA_BITS_MIN, SHOWN_SECONDS
from ..finding import NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Evidence, Finding, Result, result
from ..target import CLEAR_TEXT, OFF, HostTarget, NodeTarget
from . import keys, trust_anchors

_STRONG_KEYS = frozenset({"EC P-256", "EC P-384", "EC P-521", "Ed25519", "Ed448"})
_STRONG_HASHES = frozenset({"SHA-256", "SHA-384", "SHA-512", "SHAKE-256"})
_NO_HASH = "RSA-PSS"
"""Its hash is in parameters that are not read."""
_DIRECTORY_NAME = "other:4"


def _lifetime(files: CertificateEvidence, node: NodeTarget) -> Result:
    leaf, shown = files.leaf(node), files.shown(node)
    if leaf is None and not shown:
        return Result(node.node, NOT_TESTED, ("no member was shown its certificate, and its file was not read",))
    now = files.evidence.epoch
    problems = []
    ends = []
    for peer in shown:
        if leaf and peer.get("sha256") == leaf.sha256:
            continue
        said = validity_problems(peer.get("not_before"), peer.get("not_after"), now)
        problems += [f"the certificate that it shows {one}" for one in said]
        ends.append(epoch_of(peer.get("not_after")))
    if leaf:
        problems += [f"the certificate in {leaf.path} {said}" for said in validity_problems(leaf.not_before, leaf.not_after, now)]
        ends.append(epoch_of(leaf.not_after))
    known = [end for end in ends if end is not None]
    if None in ends + [None] * (not known) and not problems:
        return Result(node.node, NOT_TESTED, ("its certificate has no readable end",))
    return result(node.node, problems, f"{(min(known, default=now) - now) / DAY:.0f} days left")


def _name_problems(files: CertificateEvidence, node: NodeTarget, sans: Sequence[str]) -> list[str]:
    part = node.host_part
    own = set(certificate_names(part))
    have = {san if san.startswith("IP:") else san.lower() for san in sans}
    lower = {name if name.startswith("IP:") else name.lower() for name in own}
    problems = [f"lacks {name}" for name in sorted(own) if (name if name.startswith("IP:") else name.lower()) not in have]
    problems = [f"{said}: it names {', '.join(sans) or 'no host'}" for said in problems]
    for san in sans:
        name = san if san.startswith("IP:") else san.lower()
        if name in lower:
            continue
        if name in files.host_names and name.partition(":")[2] != part.lower():
            problems.append(f"names {san}, another member's host")
        elif name == _DIRECTORY_NAME:
            problems.append("names a directory name: inet_tls_dist takes a common name in it for the name of the node")
        elif "*" in name:
            problems.append(f"names {san}, a wildcard")
        elif files.evidence.authorities:
            problems.append(f"names {san} beside {', '.join(sorted(own))}")
    return problems


def _names(files: CertificateEvidence, node: NodeTarget) -> Result:
    leaf, shown = files.leaf(node), files.shown(node)
    if leaf is None and not shown:
        return files.missing(node, node.certificate_file)
    problems = []
    for peer in shown:
        sans = peer.get("sans")
        if isinstance(sans, (list, tuple)) and not (leaf and peer.get("sha256") == leaf.sha256):
            problems += [f"the certificate that it shows {said}" for said in _name_problems(files, node, [str(san) for san in sans])]
    if leaf:
        problems += [f"the certificate in {leaf.path} {said}" for said in _name_problems(files, node, leaf.sans)]
    return result(node.node, problems, f"names {node.host_part}")


def _purposes(files: CertificateEvidence, node: NodeTarget) -> Result:
    leaf = files.leaf(node)
    if leaf is None:
        return files.missing(node, node.certificate_file)
    lacks = [] if leaf.purposes is None else [one for one in ("serverAuth", "clientAuth") if one not in leaf.purposes]
    problems = [f"its extended key usage is {', '.join(leaf.purposes or ()) or 'empty'}, without {' and '.join(lacks)}"] if lacks else []
    if leaf.usages is not None and "digitalSignature" not in leaf.usages:
        problems.append(f"its key usage is {', '.join(leaf.usages) or 'empty'}, without digitalSignature")
    if leaf.ca or "keyCertSign" in (leaf.usages or ()):
        problems.append("it may sign certificates")
    if leaf.ca is None and not problems:
        return Result(node.node, NOT_TESTED, (f"whether the certificate in {leaf.path} is a CA's was not read",))
    return result(node.node, [f"the certificate in {leaf.path}: {problem}" for problem in problems], "for servers and clients")


def _weak(certificate: Certificate) -> list[str]:
    problems = []
    kind, _space, size = certificate.key_type.partition(" ")
    strong = size.isdigit() and int(size) >= RSA_BITS_MIN if kind == "RSA" else certificate.key_type in _STRONG_KEYS
    if not strong:
        problems.append(f"its key is {certificate.key_type or 'of an unknown type'}")
    if certificate.signature not in (*_STRONG_HASHES, _NO_HASH) and not certificate.self_issued:
        problems.append(f"its signature uses {certificate.signature or 'an unknown algorithm'}")
    return [f"{certificate.subject} in {certificate.path}: {problem}" for problem in problems]


def _strength(files: CertificateEvidence, node: NodeTarget) -> Result:
    leaf = files.leaf(node)
    if leaf is None:
        return files.missing(node, node.certificate_file)
    looked = dict.fromkeys((*files.certificates(node, node.certificate_file), *files.bundles.get(node.node, ())))
    problems = [problem for one in looked for problem in _weak(one)]
    unread = files.unread(node)
    unread += [f"{one.subject} in {one.path}: which hash its RSA-PSS signature uses was not read" for one in looked if one.signature == _NO_HASH]
    if unread and not problems:
        return Result(node.node, NOT_TESTED, tuple(unread))
    return result(node.node, problems, f"{leaf.key_type}, {leaf.signature}")


def _served(files: CertificateEvidence, node: NodeTarget) -> Result:
    leaf, seen = files.leaf(node), files.seen(node)
    if leaf is None or seen is None:
        return files.missing(node, node.certificate_file)
    shown = [peer for peer in files.shown(node) if peer.get("sha256")]
    if not shown:
        return Result(node.node, NOT_TESTED, ("no member was shown its certificate",))
    other = [peer for peer in shown if peer.get("sha256") != leaf.sha256]
    if not other:
        return result(node.node, [], f"shows the certificate in {leaf.path}")
    file = (seen.files or {}).get(leaf.path)
    now = seen.epoch if seen.epoch is not None else files.evidence.epoch
    age = now - file.modified if file and file.modified is not None else None
    if age is not None and 0 <= age < SHOWN_SECONDS:
        return result(node.node, [], f"{leaf.path} changed {age:.0f} seconds ago: the node shows it within {SHOWN_SECONDS} seconds after its change")
    started = [one.started for one in seen.processes or () if node.is_run_by(one) and one.started is not None]
    why = ""
    if age is not None and started and now - age < min(started):
        why = f". The time of the file is older than the running node, which therefore does not read it again: run touch on {leaf.path}"
    ends = ", ".join(f"{peer.get('sha256')} that ends at {peer.get('not_after')}" for peer in other)
    return result(node.node, [f"shows {ends}; {leaf.path} holds {leaf.sha256} that ends at {leaf.not_after}{why}"], "")


_CHECKS: Mapping[str, Callable[[CertificateEvidence, NodeTarget], Result]] = {
    "certificate-lifetime": _lifetime,
    "certificate-names": _names,
    "certificate-purposes": _purposes,
    "certificate-strength": _strength,
    "certificate-served": _served,
    **trust_anchors.CHECKS,
    **keys.CHECKS,
}
CONTROLS = tuple(_CHECKS)


def pki_findings(evidence: Evidence) -> Iterator[Finding]:
    files = CertificateEvidence(evidence)
    target = evidence.target
    for control, check in _CHECKS.items():
        for node in target.running:
            hosts = target.hosts_of(node.node)
            if target.tls is False or target.tls is None and node.key_file == "":
                yield Finding(control, NOT_APPLICABLE, hosts, node.node, (OFF if target.off else CLEAR_TEXT,))
                continue
            if files.seen(node) is None and not files.shown(node):
                yield Finding(control, NOT_TESTED, hosts, node.host, (NOT_OBSERVED,))
                continue
            subject, status, details = check(files, node)
            yield Finding(control, status, hosts, subject, details)


def validity(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        if node.key_file == "" or node.tls_versions == ():
            yield Result(node.node, NOT_APPLICABLE, (CLEAR_TEXT,))
            continue
        leaf = next((one for one in seen.certificates or () if node.certificate_file and one.path == node.certificate_file), None)
        start, end = (epoch_of(leaf.not_before), epoch_of(leaf.not_after)) if leaf else (None, None)
        if start is None or end is None:
            yield Result(node.node, NOT_TESTED, ("its certificate was not read",))
            continue
        days = (end - start) / DAY
        said = f"{node.certificate_file} is valid for {days:.0f} days"
        yield result(node.node, [said] if days > CERTIFICATE_LIFETIME_MAX else [], said)

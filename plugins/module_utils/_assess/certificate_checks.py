# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of keys, certificates and trust anchors: what lies in the files, compared with what nodes show and with what the other members have.

Private to this collection, pure.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Callable

from .._model.host_facts import Certificate
from .._model.observation import Observation
from .._model.problems import join_names
from .._model.secret_facts import KeyFile
from .file_permission_checks import exists
from .finding import FAILED, NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Evidence, Finding, Result, result
from .limits import CERTIFICATE_DAYS_MIN, CERTIFICATE_LIFETIME_MAX, RSA_BITS_MIN, SHOWN_SECONDS
from .target import CLEAR_TEXT, OFF, HostTarget, NodeTarget

_DAY = 86400
_STRONG_KEYS = frozenset({"EC P-256", "EC P-384", "EC P-521", "Ed25519", "Ed448"})
_STRONG_HASHES = frozenset({"SHA-256", "SHA-384", "SHA-512", "SHAKE-256"})
_NO_HASH = "RSA-PSS"
"""Its hash is in parameters that are not read."""
_DIRECTORY_NAME = "other:4"
_OUR_TREE = "/etc/beam/"


def epoch_of(text: object) -> float | None:
    """Seconds of a time as x509.py reads it (ISO 8601, UTC); None where it is no time."""
    try:
        moment = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp()


def _named(certificate: Certificate) -> str:
    return f"{certificate.subject or 'a certificate without subject'} (SHA-256 {certificate.sha256})"


class _Files:
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


def _days(seconds: float) -> str:
    return f"{seconds / _DAY:.0f} days" if seconds >= _DAY else f"{seconds / 3600:.1f} hours"


def _validity(since: object, until: object, now: float) -> list[str]:
    """What is wrong with a validity, as the end of a sentence."""
    begin, end = epoch_of(since), epoch_of(until)
    problems = []
    if end is not None and end < now:
        problems.append(f"ended {_days(now - end)} ago, at {until}")
    elif end is not None and end - now < CERTIFICATE_DAYS_MIN * _DAY:
        problems.append(f"ends in {_days(end - now)}, at {until}")
    if begin is not None and begin > now:
        problems.append(f"is not valid for another {_days(begin - now)}, until {since}")
    return problems


def _lifetime(files: _Files, node: NodeTarget) -> Result:
    leaf, shown = files.leaf(node), files.shown(node)
    if leaf is None and not shown:
        return Result(node.node, NOT_TESTED, ("no member was shown its certificate, and its file was not read",))
    now = files.evidence.epoch
    problems = []
    ends = []
    for peer in shown:
        if leaf and peer.get("sha256") == leaf.sha256:
            continue
        said = _validity(peer.get("not_before"), peer.get("not_after"), now)
        problems += [f"the certificate that it shows {one}" for one in said]
        ends.append(epoch_of(peer.get("not_after")))
    if leaf:
        problems += [f"the certificate in {leaf.path} {said}" for said in _validity(leaf.not_before, leaf.not_after, now)]
        ends.append(epoch_of(leaf.not_after))
    known = [end for end in ends if end is not None]
    if None in ends + [None] * (not known) and not problems:
        return Result(node.node, NOT_TESTED, ("its certificate has no readable end",))
    return result(node.node, problems, f"{(min(known, default=now) - now) / _DAY:.0f} days left")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _name_problems(files: _Files, node: NodeTarget, sans: Sequence[str]) -> list[str]:
    part = node.host_part
    own = {f"DNS:{part}", *((f"IP:{ipaddress.ip_address(part)}",) if _is_address(part) else ())}
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


def _names(files: _Files, node: NodeTarget) -> Result:
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


def _purposes(files: _Files, node: NodeTarget) -> Result:
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


def _strength(files: _Files, node: NodeTarget) -> Result:
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


def _served(files: _Files, node: NodeTarget) -> Result:
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


def _ca_lifetime(files: _Files, node: NodeTarget) -> Result:
    bundle = files.bundles.get(node.node)
    if not bundle:
        return files.missing(node, node.ca_file)
    leaf = files.leaf(node)
    until = epoch_of(leaf.not_after) if leaf else None
    problems = []
    for one in dict.fromkeys((*bundle, *(chained for chained in files.certificates(node, node.certificate_file) if chained.ca))):
        problems += [f"{one.subject} in {one.path} {said}" for said in _validity(one.not_before, one.not_after, files.evidence.epoch)]
        end = epoch_of(one.not_after)
        if leaf and until and end and end < until and one.sha256 in files.issuers:
            problems.append(f"{one.subject} in {one.path} ends at {one.not_after}, before the node's certificate ({leaf.not_after})")
    unread = files.unread(node) + [f"{one.subject} in {one.path} has no readable end" for one in bundle if epoch_of(one.not_after) is None]
    if unread and not problems:
        return Result(node.node, NOT_TESTED, tuple(unread))
    ends = [end for end in (epoch_of(one.not_after) for one in bundle) if end is not None]
    return result(node.node, problems, f"{(min(ends, default=0) - files.evidence.epoch) / _DAY:.0f} days left")


def _anchors(files: _Files, node: NodeTarget) -> Result:
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


def _ca_key(files: _Files, node: NodeTarget) -> Result:
    keys = files.key_files(node.host)
    if keys is None:
        return _no_keys(files, node)
    problems = []
    leaf = files.leaf(node)
    for one in keys:
        if one.path == node.key_file and leaf and leaf.spki_sha256 == one.spki_sha256:
            # If its certificate may sign others, certificate-purposes fails.
            continue
        name = files.ca_keys.get(one.spki_sha256 or "")
        if name is not None:
            problems.append(f"{one.path} is the private key of the CA {name}{_read_by(one)}")
        elif one.encrypted and any(spki in files.ca_keys for spki in one.beside):
            named = join_names(sorted({files.ca_keys[spki] for spki in one.beside if spki in files.ca_keys}))
            problems.append(f"{one.path} is an encrypted private key beside the certificate of the CA {named}{_read_by(one)}: it may be the CA's")
        elif one.encrypted and one.path.startswith(_OUR_TREE):
            problems.append(f"{one.path} is an encrypted private key, which no node uses: it may be the CA's")
    return result(node.node, problems, f"{node.host} has {len(keys)} private keys, none of a CA")


def _read_by(key: KeyFile) -> str:
    return f", and can be read by {', '.join(key.readers)}" if key.readers else ""


def _no_keys(files: _Files, node: NodeTarget) -> Result:
    seen = files.seen(node)
    return Result(node.node, NOT_TESTED, (seen.why_unknown("secrets"),)) if seen else Result(node.host, NOT_TESTED, (NOT_OBSERVED,))


def _own_key(files: _Files, node: NodeTarget) -> Result:
    leaf, key, seen = files.leaf(node), files.key(node), files.seen(node)
    if leaf is None or seen is None:
        return files.missing(node, node.certificate_file)
    problems = []
    for path, spki in dict.fromkeys((one.path, one.spki_sha256) for one in (key, leaf) if one):
        others = [other for other in files.holders.get(spki or "", ()) if other.node != node.node]
        if others:
            problems.append(f"{path} has the same key as {join_names([f'{other.node} ({other.host})' for other in others])}")
    # Of other hosts: nodes of this host are here for a reason.
    for one in files.key_files(node.host) or ():
        if one.path != node.key_file and (names := files.held_elsewhere(one.spki_sha256, node.host)):
            problems.append(f"{one.path} is the private key of {join_names(names)}")
    for certificate in seen.certificates or ():
        ours = certificate.path.startswith(_OUR_TREE) and certificate.path != node.certificate_file
        if ours and (names := files.held_elsewhere(certificate.spki_sha256, node.host)):
            problems.append(f"{certificate.path} is a certificate of {join_names(names)}")
    return result(node.node, problems, "its key is no other node's")


def _belongs(files: _Files, node: NodeTarget) -> Result:
    leaf, key = files.leaf(node), files.key(node)
    if leaf is None:
        return files.missing(node, node.certificate_file)
    if key is None:
        seen = files.seen(node)
        if seen and seen.secrets and seen.secrets.keys is not None and node.key_file and exists(seen, node.key_file) is not None:
            return result(node.node, [f"{node.key_file} holds no private key in PEM format"], "")
        return _no_keys(files, node)
    if key.spki_sha256 is None:
        why = "is encrypted" if key.encrypted else "does not hold its public half, and there is no openssl on the host"
        return Result(node.node, NOT_TESTED, (f"{key.path} {why}",))
    problems = [] if key.spki_sha256 == leaf.spki_sha256 else [f"{key.path} is not the key of the certificate in {leaf.path}"]
    return result(node.node, problems, f"{key.path} is the key of {leaf.path}")


def _readers(files: _Files, node: NodeTarget) -> Result:
    keys = files.key_files(node.host)
    if keys is None:
        return _no_keys(files, node)
    users = {other.user for other in files.target.hosts[node.host].nodes}
    home = (node.cookie_file or "").rpartition("/")[0]
    trees = tuple(f"{tree}/" for tree in (node.directory, home) if tree)
    problems = []
    for one in keys:
        others = [user for user in one.readers if user not in users]
        if others and (one.path.startswith((_OUR_TREE, *trees)) or one.spki_sha256 in files.holders):
            problems.append(f"{one.path} is a private key and can be read by {', '.join(others)}")
    return result(node.node, problems, "other users can read no private key")


_CHECKS: Mapping[str, Callable[[_Files, NodeTarget], Result]] = {
    "certificate-lifetime": _lifetime,
    "certificate-names": _names,
    "certificate-purposes": _purposes,
    "certificate-strength": _strength,
    "certificate-served": _served,
    "ca-lifetime": _ca_lifetime,
    "trust-anchors": _anchors,
    "ca-key": _ca_key,
    "key-of-its-own": _own_key,
    "key-belongs": _belongs,
    "key-readers": _readers,
}
CONTROLS = tuple(_CHECKS)


def pki_findings(evidence: Evidence) -> Iterator[Finding]:
    files = _Files(evidence)
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
        days = (end - start) / _DAY
        said = f"{node.certificate_file} is valid for {days:.0f} days"
        yield result(node.node, [said] if days > CERTIFICATE_LIFETIME_MAX else [], said)

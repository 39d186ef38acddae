# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of private keys: whose they are, who can read them.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable

from ..._model.problems import join_names
from ..._model.secret_facts import KeyFile
from ..certificate_evidence import OUR_TREE, CertificateEvidence
from ..finding import NOT_OBSERVED, NOT_TESTED, Result, result
from ..target import NodeTarget
from .file_permissions import exists


def _ca_key(files: CertificateEvidence, node: NodeTarget) -> Result:
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
        elif one.encrypted and one.path.startswith(OUR_TREE):
            problems.append(f"{one.path} is an encrypted private key, which no node uses: it may be the CA's")
    return result(node.node, problems, f"{node.host} has {len(keys)} private keys, none of a CA")


def _read_by(key: KeyFile) -> str:
    return f", and can be read by {', '.join(key.readers)}" if key.readers else ""


def _no_keys(files: CertificateEvidence, node: NodeTarget) -> Result:
    seen = files.seen(node)
    return Result(node.node, NOT_TESTED, (seen.why_unknown("secrets"),)) if seen else Result(node.host, NOT_TESTED, (NOT_OBSERVED,))


def _own_key(files: CertificateEvidence, node: NodeTarget) -> Result:
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
        ours = certificate.path.startswith(OUR_TREE) and certificate.path != node.certificate_file
        if ours and (names := files.held_elsewhere(certificate.spki_sha256, node.host)):
            problems.append(f"{certificate.path} is a certificate of {join_names(names)}")
    return result(node.node, problems, "its key is no other node's")


def _belongs(files: CertificateEvidence, node: NodeTarget) -> Result:
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


def _readers(files: CertificateEvidence, node: NodeTarget) -> Result:
    keys = files.key_files(node.host)
    if keys is None:
        return _no_keys(files, node)
    users = {other.user for other in files.target.hosts[node.host].nodes}
    home = (node.cookie_file or "").rpartition("/")[0]
    trees = tuple(f"{tree}/" for tree in (node.directory, home) if tree)
    problems = []
    for one in keys:
        others = [user for user in one.readers if user not in users]
        if others and (one.path.startswith((OUR_TREE, *trees)) or one.spki_sha256 in files.holders):
            problems.append(f"{one.path} holds a private key, and can be read by {', '.join(others)}")
    return result(node.node, problems, "other users can read no private key")


CHECKS: Mapping[str, Callable[[CertificateEvidence, NodeTarget], Result]] = {
    "ca-key": _ca_key,
    "key-of-its-own": _own_key,
    "key-belongs": _belongs,
    "key-readers": _readers,
}

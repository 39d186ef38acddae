# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CRLs of a node: whether the node could work with them, and their directory, one file for each CA (`ssl_crl_hash_dir.erl`, OTP 25 to 29).

A node reads them at every handshake. Without one for the CA of a certificate, or with one that has ended, it refuses that certificate
(`ssl_handshake.erl`, no_relevant_crls). So what would refuse everybody is found before it is in place.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Callable

from .._model.certificate_renewal import moment
from .._wire import x509
from .._wire.crl import Crl, of_pem
from .certificate_files import read_file, sync
from .certificate_rules import split_pem

FILE = re.compile(r"[0-9a-f]{8}\.r[0-9]+")
_NEW = ".new"

Verify = Callable[[bytes, bytes], bool]
"""Whether a CRL (PEM) has a valid signature of a CA (its certificate as DER)."""


def problems(crls: Sequence[bytes], ca: bytes, now: float, verify: Verify | None) -> list[str]:
    """Why a node that trusts the CA certificates in `ca` (PEM) cannot work with these CRLs; empty if it can. verify: None where nobody can."""
    try:
        authorities = {str(facts["subject"]): der for facts, der in ((x509.describe(der), der) for der in split_pem(ca))}
    except ValueError as error:
        return [f"CA certificates: {error}"]
    found, covered = [], {}
    for number, text in enumerate(crls, 1):
        try:
            crl = of_pem(text)
        except ValueError as error:
            found.append(f"CRL {number}: {error}")
            continue
        covered[crl.issuer] = crl
        found += [f"CRL of {crl.issuer}: {said}" for said in _wrong(crl, now)]
        authority = authorities.get(crl.issuer)
        if authority is None:
            found.append(f"CRL of {crl.issuer}: the node trusts no such CA")
        elif verify is not None and not verify(text, authority):
            found.append(f"CRL of {crl.issuer}: its signature is not that of the CA")
    found += [f"there is no CRL of the CA {name}" for name in signers(authorities) if name not in covered]
    return found


def signers(authorities: Mapping[str, bytes]) -> list[str]:
    """The names of the CAs that sign certificates of nodes: not one that has signed the certificate of another CA here. Only the certificate of the
    peer is looked up (crl_check peer).
    """
    parents = {facts["issuer"] for facts in map(x509.describe, authorities.values()) if facts["issuer"] != facts["subject"]}
    return [name for name in authorities if name not in parents]


def _wrong(crl: Crl, now: float) -> list[str]:
    wrong = []
    if crl.next_update is None:
        wrong.append("it has no next update")
    elif moment(crl.next_update) <= now:
        wrong.append(f"it ended at {crl.next_update}")
    if moment(crl.this_update) > now:
        wrong.append(f"it is not valid before {crl.this_update}. Check the clock of the host")
    return wrong


def wanted_files(crls: Sequence[bytes]) -> dict[str, bytes]:
    """Contents by file name. Raises `ValueError`."""
    counts: dict[str, int] = {}
    files = {}
    for text in crls:
        digits = of_pem(text).file_hash
        counts[digits] = counts.get(digits, -1) + 1
        files[f"{digits}.r{counts[digits]}"] = text
    return files


def present(directory: str) -> dict[str, bytes]:
    """The files of a directory by name, with what runs that were killed have left. Raises `OSError`."""
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return {}
    return {name: read_file(os.path.join(directory, name)) or b"" for name in names}


def obsolete(there: Mapping[str, bytes], wanted: Mapping[str, bytes], trusted: bytes) -> list[str]:
    """Files that nobody needs: not those of a CA that the node trusts at the moment, whose CRL it asks for until it has its new CA certificates."""
    try:
        names = {str(x509.describe(der)["subject"]) for der in split_pem(trusted)}
    except ValueError:
        names = set()
    left = []
    for name, content in there.items():
        if name in wanted:
            continue
        try:
            needed = bool(FILE.fullmatch(name)) and of_pem(content).issuer in names
        except ValueError:
            needed = False
        if not needed:
            left.append(name)
    return sorted(left)


def put(directory: str, files: Mapping[str, bytes], remove: Sequence[str]) -> None:
    """Replace each file in one step, then remove others. Raises `OSError`."""
    os.makedirs(directory, mode=0o755, exist_ok=True)
    os.chmod(directory, 0o755)
    for name, content in files.items():
        path = os.path.join(directory, name)
        beside = path + _NEW
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            os.fchown(file.fileno(), 0, 0)
            os.fchmod(file.fileno(), 0o444)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    for name in remove:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(directory, name))
    sync(directory)

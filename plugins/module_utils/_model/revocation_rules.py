# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which certificates are to be revoked. Pure; the one place that knows what an operator may name.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

REVOKED_FOR_ATTACK = 0xBEA0C1
"""On every CRL. The attack of role verify signs a certificate with it: a serial number of a real certificate is random and far longer."""

DAYS_MIN = 14
"""Days that a CRL must still be valid for: what is left to act before no node can connect any more."""

_SERIAL = re.compile(r"(?:0x)?[0-9a-f]+(?::[0-9a-f]+)*", re.IGNORECASE)


@dataclass(frozen=True)
class Issued:
    """A certificate that a CA of the cluster has issued. node: common name. serial: hexadecimal, as x509.describe() writes it.

    authority: directory of the CA. newest: whether it is the last one that the node was given. not_after: UTC.
    """

    node: str
    serial: str
    authority: str
    not_after: str
    newest: bool = False


@dataclass(frozen=True)
class Revoked:
    """One entry of the list beside a CA. since: UTC, as 2026-01-31T00:00:00Z."""

    serial: str
    node: str
    since: str


class Unresolved(Exception):
    """Something that names no certificate, or the certificates of all members. The message says which, and the fix."""


def kind_of(wanted: str) -> str:
    """What an operator means by a text: "node", "serial" or "file"."""
    if "/" in wanted or wanted.endswith((".pem", ".crt", ".cer")):
        return "file"
    return "node" if "@" in wanted else "serial"


def normal_serial(text: str) -> str:
    """A serial number as x509.describe() writes it. Raises `Unresolved`."""
    if not _SERIAL.fullmatch(text):
        raise Unresolved(f"{text} is no node name, no serial number in hexadecimal and no path of a certificate. Name one of these.")
    return f"{int(text.lower().replace(':', '').removeprefix('0x') or '0', 16):X}"


def resolve(wanted: str, issued: Iterable[Issued], members: Sequence[str]) -> list[Issued]:
    """The certificates that a node name or a serial number means: of a node all that it was ever given. Raises `Unresolved`."""
    if kind_of(wanted) == "node":
        found = [one for one in issued if one.node == wanted]
        if not found:
            known = ", ".join(sorted({one.node for one in issued} | set(members)))
            raise Unresolved(f"{wanted}: the CA of the cluster has issued no certificate for this node. Name one of {known or 'no node'}.")
        return found
    serial = normal_serial(wanted)
    found = [one for one in issued if one.serial == serial]
    if not found:
        raise Unresolved(
            f"{wanted}: no certificate in the folder issued of the CA has this serial number. Name the node, or the path of the certificate. "
            "openssl x509 -serial -noout -in FILE prints a serial number."
        )
    return found


def shut_out(issued: Iterable[Issued], revoked: Iterable[str], members: Iterable[str]) -> list[str]:
    """The members whose newest certificate is revoked, sorted."""
    serials = frozenset(revoked)
    return sorted({one.node for one in issued if one.newest and one.serial in serials}.intersection(members))


def refuse_all(out: Sequence[str], members: Sequence[str]) -> None:
    """Raises `Unresolved` where no member would be left."""
    if members and set(members) <= set(out):
        raise Unresolved(
            "After this no member of the cluster could connect any more: all of them would be revoked. Leave at least one out. If the key of the CA "
            "is known to somebody, run beam.cluster.rotate_ca."
        )

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of the module credentials_info, as values: certificate, CA certificates and cookie of one node. Private to this collection, pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class HeldCertificate:
    """A certificate in a node's file. due: whether it has to be renewed; False for the certificate of a CA. Times: 2026-01-31T00:00:00Z."""

    sha256: str
    subject: str
    issuer: str
    serial: str
    sans: tuple[str, ...]
    not_before: str
    not_after: str
    days_left: float
    due: bool = False

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> HeldCertificate:
        """Raises KeyError."""
        texts = {name: str(raw.get(name) or "") for name in ("subject", "issuer", "serial", "not_before")}
        return cls(
            sha256=raw["sha256"], sans=tuple(raw.get("sans") or ()), not_after=raw["not_after"], days_left=float(raw["days_left"]),
            due=raw.get("due") is True, **texts,
        )


@dataclass(frozen=True)
class Credentials:
    """What a node has. shows: fingerprint that it shows, and code of the handshake. trusted, used: CA certificates in its file, and fingerprints of
    those that verify its certificate. cookie_digest: equal for equal cookies of a run. None is unknown, or that there is none."""

    running: bool
    certificate: HeldCertificate | None
    shows: str | None
    code: str | None
    problems: tuple[str, ...]
    trusted: tuple[HeldCertificate, ...] | None
    used: tuple[str, ...]
    cookie_digest: str | None
    cookie_accepted: bool | None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Credentials:
        """Raises KeyError, TypeError or AttributeError where it is no answer of the module."""
        certificate, trusted, cookie = raw.get("certificate"), raw.get("trusted"), raw.get("cookie") or {}
        return cls(
            running=bool(raw["running"]),
            certificate=HeldCertificate.parse(certificate) if certificate else None,
            shows=raw.get("served"),
            code=raw.get("code"),
            problems=tuple(raw.get("problems") or ()),
            trusted=None if trusted is None else tuple(map(HeldCertificate.parse, trusted)),
            used=tuple(raw.get("used") or ()),
            cookie_digest=cookie.get("digest"),
            cookie_accepted=cookie.get("accepted"),
        )

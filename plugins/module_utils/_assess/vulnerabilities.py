# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OTP release is known to be vulnerable to, as far as a cluster is concerned: EPMD, distribution, TLS, and SSH in the same VM.

Private to this collection. Sources: OTP's release notes and OpenVEX files, the OSV database; for Debian the changelog of its source package.
Left out on purpose: what the distribution's use of TLS does not reach (session tickets, SNI hosts, OCSP) and other applications (inets, tftp).
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Vulnerability:
    """One CVE. `ranges` are pairs (first affected version, first fixed one; none = never fixed) in ascending order, as OSV has them."""

    cve: str
    severity: str
    title: str
    ranges: tuple[tuple[str, str | None], ...]

    def fixed_in(self, version: str) -> str | None:
        """The first fixed version that is an upgrade of `version`; None where it is not affected, or nothing fixes it."""
        number = parsed(version)
        return next((fixed for first, fixed in self.ranges if fixed and parsed(first) <= number < parsed(fixed)), None)

    def affects(self, version: str) -> bool:
        """Whether OTP as released under `version` is affected, patches of a distribution apart."""
        number = parsed(version)
        return any(parsed(first) <= number and (fixed is None or number < parsed(fixed)) for first, fixed in self.ranges)


VULNERABILITIES = (
    Vulnerability(
        "CVE-2022-37026",
        "critical",
        "A TLS server can be talked past its client certificate check",
        (("0", "23.3.4.15"), ("24.0", "24.3.4.2"), ("25.0", "25.0.2")),
    ),
    Vulnerability(
        "CVE-2024-53846",
        "medium",
        "The extended key usage of a peer's certificate is checked only where it is marked critical",
        (("25.3.2.8", "25.3.2.16"), ("26.2", "26.2.5.6"), ("27.0", "27.1.3")),
    ),
    Vulnerability(
        "CVE-2025-32433",
        "medium",  # critical where the node runs an SSH daemon; distribution does not
        "An SSH daemon in the same VM runs code for anybody, before authentication",
        (("0", "25.3.2.20"), ("26.0", "26.2.5.11"), ("27.0", "27.3.3")),
    ),
    Vulnerability(
        "CVE-2026-28810",
        "low",  # needs OTP's own resolver for peers' names
        "OTP's own DNS client uses predictable transaction ids",
        (("0", "27.3.4.10"), ("28.0", "28.4.2")),
    ),
    Vulnerability(
        "CVE-2026-42789",
        "high",
        "Any certificate of the cluster's CA without a key usage can issue certificates itself",
        (("0", "26.2.5.21"), ("27.0", "27.3.4.12"), ("28.0", "28.5.0.1"), ("29.0", "29.0.1")),
    ),
    Vulnerability(
        "CVE-2026-42790",
        "medium",
        "A certificate without SAN is matched by its common name, past the CA's name constraints",
        (("19.3", "26.2.5.21"), ("27.0", "27.3.4.12"), ("28.0", "28.5.0.1"), ("29.0", "29.0.1")),
    ),
    Vulnerability(
        "CVE-2026-42792",
        "medium",
        "EPMD stops answering for good when it runs out of descriptors or its peers are slow",
        (("0", "27.3.4.15"), ("28.0", "28.5.0.4"), ("29.0", "29.0.4")),
    ),
    Vulnerability(
        "CVE-2026-48860",
        "low",
        "The kernel parameter check_ip lets everybody in where distribution runs over TLS",
        (("26.0", "27.3.4.13"), ("28.0", "28.5.0.2"), ("29.0", "29.0.2")),
    ),
    Vulnerability(
        "CVE-2026-54890",
        "medium",
        "A peer that knows the cookie crashes the VM with a malformed term",
        (("0", "27.3.4.15"), ("28.0", "28.5.0.4"), ("29.0", "29.0.4")),
    ),
    Vulnerability(
        "CVE-2026-55737",
        "medium",
        "A peer that knows the cookie corrupts the VM's heap with a malformed term",
        (("0", "27.3.4.15"), ("28.0", "28.5.0.4"), ("29.0", "29.0.4")),
    ),
    Vulnerability(
        "CVE-2026-55953",
        "high",
        "A TLS client up to 1.2 accepts a server without any certificate",
        (("17.0", "27.3.4.15"), ("28.0", "28.5.0.4"), ("29.0", "29.0.4")),
    ),
    Vulnerability(
        "CVE-2026-58227",
        "medium",
        "A cycle in the certificate chain of a TLS peer keeps the VM busy",
        (("0", "27.3.4.15"), ("28.0", "28.5.0.4"), ("29.0", "29.0.4")),
    ),
    Vulnerability(
        "CVE-2026-59251",
        "medium",
        "The policy tree of a TLS peer's certificate chain eats the VM's memory",
        (("0", "27.3.4.15"), ("28.0", "28.5.0.4"), ("29.0", "29.0.4")),
    ),
    Vulnerability(
        "CVE-2026-65634",
        "high",
        "An object identifier in a TLS peer's certificate keeps the VM busy, before authentication",
        (("0", "27.3.4.18"), ("28.0", "28.5.0.7"), ("29.0", "29.1.1")),
    ),
    Vulnerability(
        "CVE-2026-75538",
        "high",
        "A length field overflows in the socket driver and crashes the VM",
        (("0", "27.3.4.17"), ("28.0", "28.5.0.6"), ("29.0", "29.0.6")),
    ),
    Vulnerability(
        "CVE-2026-89422",
        "high",
        "A TLS 1.3 client accepts a pre-shared key that it never offered: the server is not authenticated",
        (("22.2", "27.3.4.18"), ("28.0", "28.5.0.7"), ("29.0", "29.1.1")),
    ),
)

# What Debian's patches on top of an upstream version fix: (upstream version, Debian release) -> CVE -> the first revision N
# of +debXuN that has the patch.
DEBIAN_PATCHES = {
    ("25.2.3", 12): {"CVE-2025-32433": 1},
    ("27.3.4.1", 13): {
        "CVE-2026-28810": 3,
        "CVE-2026-42789": 3,
        "CVE-2026-42790": 3,
        "CVE-2026-42792": 3,
        "CVE-2026-48860": 3,
        "CVE-2026-54890": 3,
        "CVE-2026-55737": 3,
        "CVE-2026-55953": 3,
        "CVE-2026-58227": 3,
        "CVE-2026-59251": 3,
        "CVE-2026-65634": 4,
        "CVE-2026-75538": 4,
        "CVE-2026-89422": 4,
    },
}

_DEBIAN = re.compile(r"(?:\d+:)?(?P<upstream>[\d.]+)\+dfsg-\d+\+deb(?P<release>\d+)u(?P<revision>\d+)")


def parsed(version: str) -> tuple[int, ...]:
    """The numbers of an OTP version, `'27.3.4.1'` as (27, 3, 4, 1); what follows them (`-rc1`, `**`) is ignored.

    Raises ValueError where `version` begins with no number.
    """
    found = re.match(r"\d+(?:\.\d+)*", version)
    if not found:
        raise ValueError(f"no OTP version: {version!r}")
    return tuple(int(part) for part in found.group().split("."))


def patched(version: str, package: str) -> frozenset[str]:
    """CVEs that the distribution's patches fix in `package`, its full version, if that is OTP `version` at all."""
    found = _DEBIAN.match(package)
    if not found or parsed(found["upstream"]) != parsed(version):
        return frozenset()
    patches = DEBIAN_PATCHES.get((found["upstream"], int(found["release"])), {})
    return frozenset(cve for cve, revision in patches.items() if int(found["revision"]) >= revision)


def known_vulnerabilities(version: str, package: str = "") -> list[Vulnerability]:
    """What OTP `version` (the text of `OTP_VERSION`) is vulnerable to.

    `package` is the full version of the distribution's package that brought it, empty where it came another way.
    Raises ValueError where `version` is none.
    """
    mended = patched(version, package)
    return [known for known in VULNERABILITIES if known.affects(version) and known.cve not in mended]

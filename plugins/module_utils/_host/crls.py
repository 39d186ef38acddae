# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CRLs in the directories of our nodes.

Private to this collection.
"""

from __future__ import annotations

import base64
import glob
import os
import re
from collections.abc import Iterator

from .._wire import x509
from .._wire.crl import MAX_CRL, of_pem
from .._wire.errors import WireError

PATTERN = "/etc/beam/*/crl/*"
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\s+(.*?)-----END CERTIFICATE-----", re.DOTALL)


def describe_all(pattern: str = PATTERN) -> list[dict[str, object]]:
    """Each file, see host_facts.Crl. What is no CRL has its path only."""
    return list(_described(pattern))


def _described(pattern: str) -> Iterator[dict[str, object]]:
    for path in sorted(glob.glob(pattern)):
        try:
            with open(path, "rb") as file:
                crl = of_pem(file.read(2 * MAX_CRL))
        except (OSError, ValueError):
            yield {"path": path}
            continue
        yield {
            "path": path,
            "issuer": crl.issuer,
            "found": os.path.basename(path).startswith(f"{crl.file_hash}.r"),
            "this_update": crl.this_update,
            "next_update": crl.next_update,
            "revoked": len(crl.revoked),
            "own": _own_serial(path) in crl.revoked,
        }


def _own_serial(path: str) -> str:
    """The serial number of the node whose directory it is; empty where it is not known."""
    try:
        with open(os.path.join(os.path.dirname(path), "..", "tls", "cert.pem"), "rb") as file:
            blocks = _CERTIFICATE.findall(file.read(1 << 20))
        return str(x509.describe(base64.b64decode(b"".join(blocks[0].split())))["serial"])
    except (OSError, ValueError, IndexError, WireError):
        return ""

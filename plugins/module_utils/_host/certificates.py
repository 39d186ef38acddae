# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The certificates in PEM files: what is public of them. A private key in the same file is never parsed, and files of keys alone are not opened.

Private to this collection.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Iterable, Iterator

from .._wire import x509
from .._wire.errors import WireError

_LARGEST = 1 << 20
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----\s+(.*?)-----END CERTIFICATE-----", re.DOTALL)
_ENDINGS = (".pem", ".crt", ".cer")
_KEYS = ("key.pem", "privkey.pem")
KEPT = (
    "sha256", "subject", "issuer", "sans", "not_before", "not_after", "spki_sha256", "key_type", "purposes", "usages", "ca", "signature", "key_id",
    "issuer_key_id",
)
"""Fields of x509.describe() that leave the host."""


def candidates(paths: Iterable[str]) -> list[str]:
    """The paths that look like files of certificates, by their names."""
    return [path for path in paths if path.endswith(_ENDINGS) and os.path.basename(path) not in _KEYS]


def _read(path: str) -> bytes:
    """A regular file of a reasonable size. Nothing waits for the other end of a pipe. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            raise OSError("no regular file, or too large")
        return stream.read(_LARGEST)


def of_text(path: str, text: bytes) -> Iterator[dict[str, object]]:
    """Each certificate of a PEM text, see Observation.Certificate. Raises ValueError for one that cannot be read."""
    for block in _BLOCK.findall(text):
        try:
            der = base64.b64decode(b"".join(block.split()), validate=True)
            facts = x509.describe(der)
        except (binascii.Error, WireError):
            raise ValueError(f"{path}: a certificate cannot be read") from None
        yield {"path": path, **{name: facts[name] for name in KEPT}}


def describe_all(paths: Iterable[str]) -> tuple[list[dict[str, object]], str]:
    """The certificates of all files, and why some are missing; empty where none is."""
    found: list[dict[str, object]] = []
    failed = ""
    for path in candidates(paths):
        try:
            found += of_text(path, _read(path))
        except OSError:
            failed = failed or f"{path} cannot be read"
        except ValueError as error:
            failed = failed or str(error)
    return found, failed

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypts the keys of a CA directory with a new passphrase. Reads {base, old, new, check} from standard input, prints {changed, error} as JSON.

Every key is opened before the first file is written, and every new file is read back before the first one takes the place of an old one. A run that
was killed leaves each key with the old passphrase or with the new one; the next run goes on.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

PLACES = ("root", "intermediate", "next/root", "next/intermediate")


class Refused(Exception):
    """A key that cannot be given the new passphrase. The message says which, why, and what to do."""


def opened(pem: bytes, passphrase: str) -> Any:
    """The private key in a file; None where the passphrase does not open it. An empty one is that of a key without encryption."""
    try:
        return serialization.load_pem_private_key(pem, passphrase.encode() or None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return None


def public(key: Any) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def write(path: str, key: Any, passphrase: str) -> None:
    """Beside the key in use, with mode 0400, on the disk when this returns. Raises OSError, and Refused where it cannot be read back."""
    beside = f"{path}.new"
    if os.path.exists(beside):
        os.unlink(beside)
    encryption = serialization.BestAvailableEncryption(passphrase.encode())
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
        file.flush()
        os.fsync(file.fileno())
    with open(beside, "rb") as file:
        again = opened(file.read(), passphrase)
    if again is None or public(again.public_key()) != public(key.public_key()):
        raise Refused(f"{beside} was written and cannot be read back. {path} was not changed. Check the disk, and run again.")


def rekey(base: str, old: str, new: str, check: bool) -> list[str]:
    """The keys that had another passphrase, in the order of PLACES. Raises Refused before anything is written, and OSError."""
    paths = [path for path in (os.path.join(base, place, "key.pem") for place in PLACES) if os.path.exists(path)]
    if not paths:
        raise Refused(f"{base} contains no key of a CA. Set beam_pki_ca_dir to the directory of the CA.")
    keys = {}
    for path in paths:
        with open(path, "rb") as file:
            pem = file.read()
        if opened(pem, new):
            continue
        key = opened(pem, old) or opened(pem, "")
        if key is None:
            raise Refused(
                f"Neither beam_pki_ca_passphrase_old nor beam_pki_ca_passphrase opens {path}. Nothing was changed. Set beam_pki_ca_passphrase_old "
                "to the passphrase that the key has now."
            )
        with open(os.path.join(os.path.dirname(path), "certificate.pem"), "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read())
        if public(certificate.public_key()) != public(key.public_key()):
            raise Refused(f"{path} is not the key of the certificate.pem beside it. Nothing was changed. Restore both from a backup.")
        keys[path] = key
    if not check:
        for path, key in keys.items():
            write(path, key, new)
        for path in keys:
            os.rename(f"{path}.new", path)
    return list(keys)


def main() -> int:
    given = json.load(sys.stdin)
    try:
        changed = rekey(given["base"], given["old"], given["new"], given["check"])
    except (Refused, OSError, ValueError) as error:
        print(json.dumps({"changed": [], "error": str(error)}))
        return 1
    print(json.dumps({"changed": changed, "error": ""}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

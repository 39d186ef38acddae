# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signs a request with the serial number that is on every CRL of the cluster. Reads {ca, passphrase, request} from standard input, prints
{certificate} as JSON.

The certificate is valid for an hour before and after now, and every node that checks the CRL refuses it.
"""

from __future__ import annotations

import datetime
import json
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

SERIAL = 0xBEA0C1
"""REVOKED_FOR_ATTACK of _model/revocation_rules.py; a test holds them equal."""


def sign(ca: str, passphrase: str, request: str) -> str:
    """The certificate in PEM format. Raises OSError and ValueError."""
    with open(os.path.join(ca, "key.pem"), "rb") as file:
        key = serialization.load_pem_private_key(file.read(), passphrase.encode())
    with open(os.path.join(ca, "certificate.pem"), "rb") as file:
        issuer = x509.load_pem_x509_certificate(file.read())
    wanted = x509.load_pem_x509_csr(request.encode())
    now, hour = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(hours=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(wanted.subject)
        .issuer_name(issuer.subject)
        .public_key(wanted.public_key())
        .serial_number(SERIAL)
        .not_valid_before(now - hour)
        .not_valid_after(now + hour)
    )
    for extension in wanted.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    signed = builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def main() -> int:
    given = json.load(sys.stdin)
    print(json.dumps({"certificate": sign(given["ca"], given["passphrase"], given["request"])}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

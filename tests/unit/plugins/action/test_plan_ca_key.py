# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan says of the CA's key."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.action.plan import _KEY_PROBLEMS, try_passphrase

serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
KEY = ec.generate_private_key(ec.SECP256R1())


def pem(encryption: Any) -> bytes:
    return KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


ENCRYPTED = pem(serialization.BestAvailableEncryption(b"right"))


@pytest.mark.parametrize(
    ("key", "passphrase", "rule"),
    [
        (ENCRYPTED, "right", ""),
        (ENCRYPTED, "wrong", "passphrase_wrong"),
        (pem(serialization.NoEncryption()), "right", "ca_key_unencrypted"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "right", "ca_key_unsupported"),
        (b"", "right", "ca_key_unsupported"),
    ],
)
def test_the_key_and_its_passphrase(key: bytes, passphrase: str, rule: str) -> None:
    assert try_passphrase(key, passphrase) == rule
    assert not rule or rule in _KEY_PROBLEMS


def test_an_algorithm_that_cryptography_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.exceptions import UnsupportedAlgorithm

    def refuse(*_arguments: object) -> None:
        raise UnsupportedAlgorithm("no")

    monkeypatch.setattr(serialization, "load_pem_private_key", refuse)
    assert try_passphrase(ENCRYPTED, "right") == "ca_key_unsupported"

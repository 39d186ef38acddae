# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Key, certificate and CA certificates of a node as files: whether a node could work with them, before it has to.

OTP does not look at a new file before it uses it (`ssl_pem_cache.erl`, `ssl_config.erl`): with half a file or a key of another certificate every
later handshake fails. So both sides of a handshake are made here, in memory, with the files themselves.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._model.certificate_renewal import moment
from .._wire import x509
from .._wire.errors import WireError

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s+(.*?)-----END \1-----", re.DOTALL)
_MARK = re.compile(rb"-----")
_PURPOSES = frozenset(("serverAuth", "clientAuth"))
_ROUNDS = 10
"""A handshake takes at most four messages; more is a handshake that hangs."""


@dataclass(frozen=True)
class Files:
    """Paths of PEM files: CA certificates, the certificate followed by intermediate ones, and its private key, not encrypted."""

    ca: str
    certificate: str
    key: str


def fingerprint(der: bytes) -> str:
    """SHA-256 of a certificate, hexadecimal."""
    return hashlib.sha256(der).hexdigest()


def split_pem(text: bytes) -> list[bytes]:
    """The certificates of a PEM file as DER, in order. Raises `ValueError` for a file that is cut off, damaged, or has none."""
    found: list[bytes] = []
    for kind, body in _BLOCK.findall(text):
        if kind != b"CERTIFICATE":
            continue
        try:
            der = base64.b64decode(b"".join(body.split()), validate=True)
            x509.describe(der)
        except (binascii.Error, WireError):
            raise ValueError(f"certificate {len(found) + 1} is damaged") from None
        found.append(der)
    if _MARK.search(_BLOCK.sub(b"", text)):
        raise ValueError("the file is cut off or damaged: a PEM block has no end or no beginning")
    if not found:
        raise ValueError("the file has no certificate")
    return found


def problems(files: Files, names: Sequence[str], now: float) -> list[str]:
    """Why a node cannot work with these files; empty if it can.

    names: subject alternative names that the certificate must have, with their type (`DNS:n1`). Each text says what is wrong with which file.
    """
    found: list[str] = []
    chain: list[bytes] = []
    for what, path in (("certificate", files.certificate), ("CA certificates", files.ca)):
        try:
            with open(path, "rb") as file:
                ders = split_pem(file.read())
        except OSError as error:
            found.append(f"{what}: {path}: {error.strerror}")
        except ValueError as error:
            found.append(f"{what}: {error}")
        else:
            chain = chain or ders if what == "certificate" else chain
    if chain:
        found += _leaf_problems(x509.describe(chain[0]), names, now)
    return found or _handshake_problems(files)


def _leaf_problems(facts: dict[str, Any], names: Sequence[str], now: float) -> list[str]:
    found = []
    if moment(facts["not_after"]) <= now:
        found.append(f"certificate: it expired at {facts['not_after']}")
    if moment(facts["not_before"]) > now:
        found.append(f"certificate: it is not valid before {facts['not_before']}")
    found += [f"certificate: it lacks the subject alternative name {name}" for name in names if name not in facts["sans"]]
    purposes = facts["purposes"]
    if purposes is not None and not _PURPOSES.issubset(purposes):
        found.append("certificate: it is not for both server and client authentication (extended key usage), and a node is both")
    return found


def _handshake_problems(files: Files) -> list[str]:
    try:
        shake(files)
    except ssl.SSLCertVerificationError as error:
        return [f"certificate: the CA certificates do not verify it: {error.verify_message}"]
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error.reason):
            return ["key: it does not belong to the certificate"]
        return [f"key or certificate: they cannot be used: {error.reason or 'not PEM'}"]
    except (OSError, ValueError) as error:
        return [f"key: {getattr(error, 'strerror', None) or error}"]
    return []


def shake(files: Files, ca: bytes | None = None) -> None:
    """A mutual TLS handshake with itself. ca: the only trusted CA certificate, as DER. Raises `ssl.SSLError`, `OSError` and `ValueError`."""
    contexts = []
    for protocol in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        context = ssl.SSLContext(protocol)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(files.certificate, files.key, password=_no_passphrase)
        if ca is None:
            context.load_verify_locations(cafile=files.ca)
        else:
            context.load_verify_locations(cadata=ca)
        contexts.append(context)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [contexts[0].wrap_bio(to_client, to_server), contexts[1].wrap_bio(to_server, to_client, server_side=True)]
    for _round in range(_ROUNDS):
        waiting = 0
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                waiting += 1
        if not waiting:
            return
    raise ValueError("the handshake does not end")


def _no_passphrase() -> str:
    raise ValueError("it is encrypted. A node needs a key without a passphrase")


def anchors(files: Files, ca: Sequence[bytes]) -> list[str]:
    """Fingerprints of those CA certificates that verify the certificate alone: the ones that are in use."""
    used = []
    for der in ca:
        try:
            shake(files, der)
        except (ssl.SSLError, OSError, ValueError):
            continue
        used.append(fingerprint(der))
    return used


def inspect(files: Files, names: Sequence[str], now: float) -> dict[str, Any]:
    """What the files hold: `certificate` and `trusted` (None where they cannot be read), `used` and `problems`."""
    read: dict[str, list[bytes] | None] = {}
    for path in (files.certificate, files.ca):
        try:
            with open(path, "rb") as file:
                read[path] = split_pem(file.read())
        except (OSError, ValueError):
            read[path] = None
    chain, ca = read[files.certificate], read[files.ca]
    return {
        "certificate": described(chain[0]) if chain else None,
        "trusted": None if ca is None else [described(der) for der in ca],
        "used": anchors(files, ca) if ca and chain else [],
        "problems": problems(files, names, now),
    }


def described(der: bytes) -> dict[str, Any]:
    """The fields of a certificate, and its fingerprint as `sha256`."""
    facts = x509.describe(der)
    kept = {name: facts[name] for name in ("subject", "issuer", "serial", "sans", "not_before", "not_after")}
    return {**kept, "sha256": fingerprint(der)}

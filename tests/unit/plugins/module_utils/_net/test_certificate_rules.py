# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files with which a node could not work are found before it has to, each with its reason; a good set is accepted."""

from __future__ import annotations

import pathlib
import time
from typing import Callable

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.certificate_renewal import due, moment
from ansible_collections.beam.cluster.plugins.module_utils._net.certificate_rules import inspect, problems, split_pem
from made_certificates import CLIENT, NAMES, SERVER, Ca, Made, key_pem, new_key

Broken = Callable[[Ca, bytes, bytes], dict[str, bytes]]

KEY = new_key()
BROKEN: dict[str, tuple[Broken, str]] = {
    "half a certificate": (lambda ca, cert, key: {"certificate": cert[:-60]}, "certificate: the file is cut off or damaged"),
    "half an intermediate": (lambda ca, cert, key: {"certificate": cert + ca.pem[:100]}, "certificate: the file is cut off or damaged"),
    "no beginning": (lambda ca, cert, key: {"certificate": cert[40:]}, "certificate: the file is cut off or damaged"),
    "damaged inside": (lambda ca, cert, key: {"certificate": cert[:100] + cert[104:]}, "certificate: certificate 1 is damaged"),
    "empty": (lambda ca, cert, key: {"certificate": b""}, "certificate: the file has no certificate"),
    "half a CA": (lambda ca, cert, key: {"ca": ca.pem[:-60]}, "CA certificates: the file is cut off or damaged"),
    "half a key": (lambda ca, cert, key: {"key": key[:-80]}, "key or certificate: they cannot be used"),
    "a key of another certificate": (lambda ca, cert, key: {"key": key_pem(new_key())}, "key: it does not belong to the certificate"),
    "an encrypted key": (lambda ca, cert, key: {"key": key_pem(KEY, b"a passphrase")}, "key: it is encrypted"),
    "no name": (lambda ca, cert, key: {"certificate": ca.sign("n", KEY, names=())}, "it lacks the subject alternative name DNS:127.0.0.1"),
    "another name": (lambda ca, cert, key: {"certificate": ca.sign("n", KEY, names=("n2",))}, "it lacks the subject alternative name DNS:127.0.0.1"),
    "server only": (lambda ca, cert, key: {"certificate": ca.sign("n", KEY, purposes=(SERVER,))}, "it is not for both server and client"),
    "client only": (lambda ca, cert, key: {"certificate": ca.sign("n", KEY, purposes=(CLIENT,))}, "it is not for both server and client"),
    "expired": (lambda ca, cert, key: {"certificate": ca.sign("n", KEY, begin=-9, end=-1)}, "certificate: it expired at"),
    "not yet valid": (lambda ca, cert, key: {"certificate": ca.sign("n", KEY, begin=2)}, "certificate: it is not valid before"),
    "another CA": (lambda ca, cert, key: {"ca": Ca("other").pem}, "the CA certificates do not verify it"),
    "another CA of the same name": (lambda ca, cert, key: {"ca": Ca().pem}, "the CA certificates do not verify it"),
    "a CA that is none": (lambda ca, cert, key: {"ca": ca.sign("made CA", ca.key)}, "the CA certificates do not verify it"),
}


@pytest.fixture
def made(tmp_path: pathlib.Path) -> Made:
    return Made(tmp_path / "tls")


def test_a_good_set_is_accepted(made: Made) -> None:
    ca = Ca()
    files = made.write(ca=ca.pem, certificate=ca.sign("n", KEY), key=key_pem(KEY))
    assert problems(files, NAMES, time.time()) == []


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_set_is_refused_with_its_reason(made: Made, kind: str) -> None:
    ca = Ca()
    good = {"ca": ca.pem, "certificate": ca.sign("n", KEY), "key": key_pem(KEY)}
    broken, said = BROKEN[kind]
    files = made.write(**{**good, **broken(ca, good["certificate"], good["key"])})
    found = problems(files, NAMES, time.time())
    assert found and said in found[0]


def test_a_missing_file_is_named(made: Made) -> None:
    ca = Ca()
    files = made.write(ca=ca.pem, certificate=ca.sign("n", KEY))
    assert problems(files, NAMES, time.time()) == ["key: No such file or directory"]


def test_what_is_trusted_and_what_is_used(made: Made) -> None:
    old, new = Ca("old"), Ca("new")
    files = made.write(ca=old.pem + new.pem, certificate=new.sign("n", KEY), key=key_pem(KEY))
    found = inspect(files, NAMES, time.time())
    assert [one["subject"] for one in found["trusted"]] == ["CN=old", "CN=new"]
    assert found["used"] == [found["trusted"][1]["sha256"]] and found["problems"] == []


def test_text_around_the_blocks_is_no_damage() -> None:
    pem = Ca().pem
    assert len(split_pem(b"subject=CN = x\n" + pem + b"\n" + pem)) == 2


@pytest.mark.parametrize(("day", "is_due"), [(59, False), (61, True), (100, True)])
def test_due_after_two_thirds(day: int, is_due: bool) -> None:
    begin = "2026-01-01T00:00:00Z"
    assert due(begin, "2026-04-01T00:00:00Z", 2 / 3, moment(begin) + day * 86400) is is_due
    assert moment("20260101000000Z") == moment(begin)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new passphrase for the keys of a CA: killed anywhere no key is lost, a wrong one changes nothing, none is shown."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from test_pki import PASSPHRASE, Hosts, hosts, made  # noqa: F401  # pylint: disable=unused-import

SCRIPT = Path(__file__).resolve().parents[2] / "roles" / "pki" / "files" / "rekey.py"
NEW = "another passphrase, as long"
FOUR = ("root", "intermediate", "next/root", "next/intermediate")


@pytest.fixture
def rekey() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rekey", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def base(hosts: Hosts) -> Path:  # noqa: F811
    """A CA directory with four keys."""
    base = hosts.folder / "ca"
    for name in FOUR[1:]:
        (base / name).mkdir(parents=True)
        for file in ("key.pem", "certificate.pem"):
            (base / name / file).write_bytes((base / "root" / file).read_bytes())
    return base


def opens(base: Path, passphrase: str) -> list[str]:
    found = []
    for name in FOUR:
        try:
            serialization.load_pem_private_key((base / name / "key.pem").read_bytes(), passphrase.encode())
        except ValueError:
            continue
        found.append(name)
    return found


def test_every_key_once(rekey: ModuleType, base: Path) -> None:
    assert len(rekey.rekey(str(base), PASSPHRASE, NEW, True)) == 4 and opens(base, PASSPHRASE) == list(FOUR)
    assert len(rekey.rekey(str(base), PASSPHRASE, NEW, False)) == 4
    assert opens(base, NEW) == list(FOUR) and opens(base, PASSPHRASE) == []
    assert {(base / name / "key.pem").stat().st_mode & 0o777 for name in FOUR} == {0o400}
    assert rekey.rekey(str(base), "forgotten by now", NEW, False) == []
    assert not list(base.rglob("*.new"))


@pytest.mark.parametrize("function", ["rename", "fsync", "unlink"])
@pytest.mark.parametrize("killed_at", range(4))
def test_killed_anywhere_no_key_is_lost(
    rekey: ModuleType, base: Path, monkeypatch: pytest.MonkeyPatch, function: str, killed_at: int
) -> None:
    for name in FOUR:
        (base / name / "key.pem.new").write_text("left by a run that was killed")
    calls, real = 0, getattr(os, function)

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        if calls == killed_at:
            raise KeyboardInterrupt
        calls += 1
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, function, counted)
        with pytest.raises(KeyboardInterrupt):
            rekey.rekey(str(base), PASSPHRASE, NEW, False)
    assert sorted(opens(base, PASSPHRASE) + opens(base, NEW)) == sorted(FOUR)
    rekey.rekey(str(base), PASSPHRASE, NEW, False)
    assert opens(base, NEW) == list(FOUR) and not list(base.rglob("*.new"))


def other_key(base: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    encryption = serialization.BestAvailableEncryption(PASSPHRASE.encode())
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    (base / "next/root/key.pem").unlink()
    (base / "next/root/key.pem").write_bytes(pem)


def half(base: Path) -> None:
    path = base / "intermediate/key.pem"
    pem = path.read_bytes()
    path.unlink()
    path.write_bytes(pem[:-60])


@pytest.mark.parametrize(
    ("change", "old", "said"),
    [
        (lambda base: None, "not the right one", "opens "),
        (other_key, PASSPHRASE, "next/root/key.pem is not the key of the certificate.pem beside it"),
        (half, PASSPHRASE, "intermediate/key.pem. Nothing was changed"),
    ],
)
def test_refused_before_anything_is_written(rekey: ModuleType, base: Path, change: Any, old: str, said: str) -> None:
    change(base)
    before = {path: path.read_bytes() for path in base.rglob("*") if path.is_file()}
    with pytest.raises(rekey.Refused, match=said):
        rekey.rekey(str(base), old, NEW, False)
    assert {path: path.read_bytes() for path in base.rglob("*") if path.is_file()} == before


def test_a_full_disk_leaves_the_old_key(rekey: ModuleType, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        rekey.rekey(str(base), PASSPHRASE, NEW, False)
    assert opens(base, PASSPHRASE) == list(FOUR)


def test_what_is_not_read_back_does_not_take_the_place_of_the_old_key(rekey: ModuleType, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rekey.opened
    monkeypatch.setattr(rekey, "opened", lambda pem, passphrase: None if passphrase == NEW else real(pem, passphrase))
    with pytest.raises(rekey.Refused, match="cannot be read back"):
        rekey.rekey(str(base), PASSPHRASE, NEW, False)
    assert opens(base, PASSPHRASE) == list(FOUR)


def test_the_script_takes_its_passphrases_from_standard_input(base: Path) -> None:
    def run(old: str) -> tuple[int, dict[str, Any]]:
        given = json.dumps({"base": str(base), "old": old, "new": NEW, "check": False})
        done = subprocess.run([sys.executable, str(SCRIPT)], input=given, capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == "" and NEW not in done.stdout
        return done.returncode, json.loads(done.stdout)

    status, said = run("not the right one")
    assert status == 1 and "not the right one" not in said["error"] and said["changed"] == []
    assert run(PASSPHRASE) == (0, {"changed": [str(base / name / "key.pem") for name in FOUR], "error": ""})


def test_as_an_operator_runs_it(hosts: Hosts) -> None:  # noqa: F811
    (hosts.folder / "play.yml").write_text(
        "- hosts: beam\n  gather_facts: false\n  tasks:\n    - ansible.builtin.import_role: {name: beam.cluster.pki, tasks_from: rekey}\n",
        encoding="utf-8",
    )
    given = {"beam_pki_ca_passphrase": NEW, "beam_pki_ca_passphrase_old": PASSPHRASE}
    wrong = hosts.bad("-vvv", "--diff", **{**given, "beam_pki_ca_passphrase_old": "not the right one"})
    assert "Neither beam_pki_ca_passphrase_old nor beam_pki_ca_passphrase opens" in " ".join(wrong.split())
    before = hosts.digest()
    predicted = hosts.good("--check", **given)
    assert "will get the passphrase" in " ".join(predicted.split()) and "changed=1" in predicted and hosts.digest() == before
    output = hosts.good("-vvv", "--diff", **given)
    assert "changed=1" in output and "changed=0" in hosts.good(beam_pki_ca_passphrase=NEW)
    for secret in (NEW, PASSPHRASE, "not the right one"):
        assert secret not in output + wrong + predicted
    left = [path for path in (hosts.folder / ".ansible").rglob("*") if path.is_file()]
    assert not [path for path in left if NEW.encode() in path.read_bytes()]
    serialization.load_pem_private_key((hosts.folder / "ca" / "root" / "key.pem").read_bytes(), NEW.encode())

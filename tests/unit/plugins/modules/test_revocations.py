# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator names is found among the certificates of the CA, before any list is written."""

from __future__ import annotations

import importlib.util
import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.revocation_rules import REVOKED_FOR_ATTACK, Unresolved
from ansible_collections.beam.cluster.plugins.modules.revocations import settle
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[4]
MEMBERS = ["beam@n1", "beam@n2"]
NOW = datetime.now(timezone.utc)
KEY = ec.generate_private_key(ec.SECP256R1())


class World:
    """A CA directory: n1 was given two certificates, n2 one, a former member n9 one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "root").mkdir()
        (folder / "root" / "key.pem").write_text("a key")
        self.write("root/certificate.pem", "root", 1)
        for place, node, serial in (
            ("beam@n1.pem", "beam@n1", 0xA2), ("beam@n1/a1.pem", "beam@n1", 0xA1), ("beam@n1/a2.pem", "beam@n1", 0xA2),
            ("beam@n2.pem", "beam@n2", 0xB1), ("beam@n9.pem", "beam@n9", 0xC1),
        ):
            self.write(f"issued/{place}", node, serial)

    def write(self, place: str, name: str, serial: int, issuer: str = "root") -> Path:
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer)]
        builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(KEY.public_key()).serial_number(serial)
        made = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=9)).sign(KEY, hashes.SHA256())
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return path

    def run(self, change: bool = True, **given: Any) -> dict[str, Any]:
        params = {"cas": [str(self.folder / "root"), str(self.folder / "next/root")], "issued": str(self.folder / "issued"),
                  "members": MEMBERS, "revoke": [], "unrevoke": [], "renew_at": 0.5, **given}
        return settle(params, time.time(), change=change)

    @property
    def listed(self) -> list[str]:
        path = self.folder / "root" / "revoked.json"
        return [one["serial"] for one in json.loads(path.read_text())["revoked"]] if path.exists() else []


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("name", "serials", "out"),
    [
        ("beam@n1", {"A1", "A2"}, ["beam@n1"]), ("a1", {"A1"}, []), ("0xA2", {"A2"}, ["beam@n1"]), ("00:b1", {"B1"}, ["beam@n2"]),
        ("beam@n9", {"C1"}, []),
    ],
)
def test_names(world: World, name: str, serials: set[str], out: list[str]) -> None:
    done = world.run(revoke=[name])
    assert ({one["serial"] for one in done["added"]}, set(world.listed), done["shut_out"]) == (serials, serials, out)
    assert [one["serial_number"] for one in done["cas"][0]["revoked"]] == [REVOKED_FOR_ATTACK, *(int(one, 16) for one in world.listed)]
    again = world.run(revoke=[name])
    assert not again["changed"] and again["named"] == done["named"] and again["shut_out"] == out
    back = world.run(unrevoke=[name])
    assert back["changed"] and world.listed == [] and back["shut_out"] == [] and back["accepted_again"] == out


def test_a_file(world: World) -> None:
    path = world.write("found.pem", "beam@n2", 0xB7)
    assert {one["serial"] for one in world.run(revoke=[str(path)])["added"]} == {"B7"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"revoke": ["beam@n7"]}, "has issued no certificate for this node"), ({"revoke": ["ff"]}, "has this serial number"),
        ({"unrevoke": ["n7"]}, "no node name, no serial number"), ({"revoke": ["/nowhere.pem"]}, "No such file"),
        ({"revoke": MEMBERS}, "no member of the cluster could connect"), ({"revoke": ["beam@n1"], "unrevoke": ["a1"]}, "Name it in one of them"),
    ],
)
def test_nothing_is_written_where_something_is_wrong(world: World, given: dict[str, Any], words: str) -> None:
    with pytest.raises(Unresolved, match=words):
        world.run(**given)
    assert world.listed == []


def test_the_last_member_is_refused_after_the_others(world: World) -> None:
    world.run(revoke=["beam@n1"])
    with pytest.raises(Unresolved, match="no member of the cluster could connect"):
        world.run(revoke=["beam@n2"])
    assert set(world.listed) == {"A1", "A2"}


def test_a_certificate_of_another_ca(world: World) -> None:
    path = world.write("found.pem", "beam@n2", 0xB7, issuer="another")
    with pytest.raises(Unresolved, match="no CA of this cluster has issued it"):
        world.run(revoke=[str(path)])


def test_a_damaged_list(world: World) -> None:
    (world.folder / "root" / "revoked.json").write_text("[]")
    with pytest.raises(ValueError, match="is damaged"):
        world.run()


def test_predicted(world: World) -> None:
    assert world.run(change=False, revoke=["beam@n1"])["changed"] and world.listed == []


def test_a_new_certificate_lets_a_member_in(world: World) -> None:
    world.run(revoke=["beam@n1"])
    world.write("issued/beam@n1.pem", "beam@n1", 0xA3)
    assert world.run()["shut_out"] == []


def test_the_attack_uses_the_serial_number_that_is_on_every_crl() -> None:
    spec = importlib.util.spec_from_file_location("sign_revoked_certificate", ROOT / "roles" / "verify" / "files" / "sign_revoked_certificate.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.SERIAL == REVOKED_FOR_ATTACK

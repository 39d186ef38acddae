# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What beam_compromised means: the hosts to which nobody connects, and every mistake before anybody does."""

from __future__ import annotations

from typing import Any

import pytest
from plan_world import World, found


@pytest.fixture
def world() -> World:
    world = World()
    world.more["compromised"] = True
    world.run = ["n1", "n2"]
    return world


@pytest.mark.parametrize("name", ["n3", "beam@n3", " n3 ,beam@n3,"])
def test_a_host_is_no_member_any_more(world: World, name: str) -> None:
    world.set("beam_compromised", name)
    cluster = world.cluster()
    assert cluster["compromised"] == {"names": ("n3",), "hosts": ("n3",), "nodes": ("beam@n3",), "keys": (), "cookie": True, "ca": False}
    assert [member["node"] for member in cluster["members"]] == ["beam@n1", "beam@n2"]
    assert cluster["departing"]["n3"]["addresses"] == ["10.0.0.3"] and cluster["departing"]["n3"]["in_run"] is False
    assert cluster["requires"] == ["cookie", "ca_passphrase"]


@pytest.mark.parametrize(
    ("value", "keys", "cookie", "ca", "secrets"),
    [
        ("cookie", (), True, False, ["cookie"]),
        ("ca", (), False, True, ["ca_passphrase"]),
        ("key:beam@n2", ("beam@n2",), False, False, ["ca_passphrase"]),
        ("ca,cookie", (), True, True, ["cookie", "ca_passphrase"]),
    ],
)
def test_what_is_no_host(world: World, value: str, keys: tuple[str, ...], cookie: bool, ca: bool, secrets: list[str]) -> None:
    world.run = ["n1", "n2", "n3"]
    world.set("beam_compromised", value)
    cluster = world.cluster()
    meant = cluster["compromised"]
    assert (meant["hosts"], meant["keys"], meant["cookie"], meant["ca"]) == ((), keys, cookie, ca)
    assert cluster["requires"] == secrets and len(cluster["members"]) == 3


def test_a_host_that_is_absent_already(world: World) -> None:
    world.set("beam_state", "absent", "n3")
    world.set("beam_compromised", "beam@n3")
    assert world.cluster()["compromised"]["nodes"] == ("beam@n3",)


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        ("n9", ["compromised_unknown"]),
        ("outsider", ["compromised_unknown"]),
        ("cookies", ["compromised_unknown"]),
        ("key:beam@n9", ["compromised_unknown"]),
        ("key:n2", ["compromised_unknown"]),
        ("n9,key:beam@n9", ["compromised_unknown", "compromised_unknown"]),
        ("n3,key:beam@n3", ["compromised_key_of_compromised_host"]),
        ("n1,n2,n3", ["compromised_nobody_left"]),
        ("", ["compromised_missing"]),
        (" , ", ["type"]),
        (7, ["type"]),
        (["n3"], ["type"]),
        (True, ["type"]),
    ],
)
def test_names_that_make_no_sense(world: World, value: Any, rules: list[str]) -> None:
    world.set("beam_compromised", value)
    assert [problem.rule for problem in world.validate()[1] if problem.variable == "beam_compromised"] == rules


def test_the_only_member(world: World) -> None:
    world.groups["beam"], world.run = ["n1"], ["n1"]
    world.set("beam_compromised", "n1")
    assert ("", "beam_compromised", "compromised_nobody_left") in found(world.validate()[1])


def test_a_host_with_the_name_of_a_word(world: World) -> None:
    world.groups["beam"] = ["n1", "n2", "ca"]
    world.set("beam_address", "10.0.0.9", "ca")
    world.set("beam_compromised", "ca")
    assert ("", "beam_compromised", "compromised_ambiguous") in found(world.validate()[1])


@pytest.mark.parametrize(
    ("bend", "value", "rule"),
    [
        (lambda world: None, "", ""),
        (lambda world: world.run.remove("n2"), "n3", "compromised_outside_run"),
        (lambda world: world.set("beam_mode", "standalone"), "n3", "compromised_mode"),
        (lambda world: (world.set("beam_tls", False), world.set("beam_plaintext_accepted", "beam speaks clear text")), "ca", "compromised_no_tls"),
        (lambda world: [world.set(f"beam_pki_{name}", "/f") for name in ("certificate", "key", "ca")], "ca", "compromised_own_certificates"),
        (lambda world: world.more.update(compromised=False), "n3", "compromised_other_playbook"),
        (lambda world: world.set("beam_members", [{"node": "beam@n1", "address": "10.0.0.1"}]), "beam@n1", "compromised_listed"),
    ],
)
def test_what_stands_in_the_way(world: World, bend: Any, value: str, rule: str) -> None:
    if value:
        world.set("beam_compromised", value)
    bend(world)
    assert ("", "beam_compromised", rule or "compromised_missing") in found(world.validate()[1])


def test_all_errors_at_once(world: World) -> None:
    world.run.remove("n2")
    world.more["has_ca"] = lambda directory: False
    world.secret("beam_cookie", "")
    world.set("beam_compromised", "n3")
    rules = {rule for _host, _variable, rule in found(world.validate()[1])}
    assert {"compromised_outside_run", "ca_missing", "cookie_missing"} <= rules


def test_the_ca_is_needed_for_certificates_only(world: World) -> None:
    world.more["has_ca"] = lambda directory: False
    world.run = ["n1", "n2", "n3"]
    world.set("beam_compromised", "cookie")
    world.cluster()

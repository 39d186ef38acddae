# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host sent becomes typed values, safe to print; what has another shape is unknown, never empty."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.firewall_facts import Admission, BeamTable
from ansible_collections.beam.cluster.plugins.module_utils._model.observation import Listener, Observation
from ansible_collections.beam.cluster.plugins.module_utils._model.untrusted_json import safe_text, safe_values


@pytest.mark.parametrize(
    "text,safe",
    [
        ("beam@n1", "beam@n1"),
        ("Zoë", "Zoë"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\0b\nc", "a\\x00b\\x0ac"),
        ("\u200b\u202e", "\\xe2\\x80\\x8b\\xe2\\x80\\xae"),
        ("\udc80", "\\xed\\xb2\\x80"),
        ("x" * 300, "x" * 255),
        ("\x1b" * 300, ("\\x1b" * 64)[:255]),
    ],
)
def test_text_of_a_host_is_safe(text: str, safe: str) -> None:
    assert safe_text(text) == safe
    assert safe_text(safe) == safe


def test_every_string_of_a_value_is_safe() -> None:
    assert safe_values({"a\x1b": ["b\x07", {"c": "d\x9b"}], "e": 1, "f": None}) == {"a\\x1b": ["b\\x07", {"c": "d\\xc2\\x9b"}], "e": 1, "f": None}


def test_nothing_sent_is_nothing_known() -> None:
    seen = Observation.parse("n1", {})
    assert not seen
    assert {one.name for one in fields(seen) if getattr(seen, one.name) is None} == {
        one.name for one in fields(seen) if one.name not in ("host", "missing", "unknown", "distribution", "installed_otp", "interpreter")
    }


JUNK: list[Any] = [None, 7, "x", [], {}, [[]], [{}], {"x": 1}, [None], {"x": {}}, {"x": []}, [{"pid": "7"}], [{"path": 1, "mode": []}]]


@pytest.mark.parametrize("junk", JUNK)
def test_another_shape_never_raises(junk: Any) -> None:
    names = [*(one.name for one in fields(Observation)), "otp_roots"]
    for name in names:
        Observation.parse("n1", {name: junk})
    Observation.parse("n1", {"firewall": {"readable": True, "beam": {"members": junk, "ports": junk, "admits": junk, "hooks": junk}}})
    Observation.parse("n1", {"processes": [{"pid": 1, "flags": junk, "vm": junk}], "units": {"a": {"after": junk, "drop_ins": junk}}})


def test_names_that_a_local_user_chose() -> None:
    evil = "\x1b[2J\0"
    seen = Observation.parse("n1", {"processes": [{"pid": 1, "process": "beam.smp", "user": "u", "flags": {"name": evil, "kernel": {evil: evil}}}]})
    assert seen.processes is not None
    assert "\x1b" not in repr(seen).replace("\\x1b", "") and seen.processes[0].flags.name == "\\x1b[2J\\x00"


@pytest.mark.parametrize("address,one", [("2001:0DB8::A", "2001:db8::a"), ("::ffff:127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("10.0.0.1",) * 2])
def test_addresses_have_one_spelling(address: str, one: str) -> None:
    listener = Listener.parse({"address": address, "port": 1})
    assert listener is not None and listener.address == one and listener.loopback is (one in ("127.0.0.1", "::1"))


MEMBERS = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1")


@pytest.mark.parametrize(
    "sources,beyond",
    [
        (None, ("any",)),
        ([], ()),
        (["10.0.0.1", "10.0.0.3"], ()),
        (["10.0.0.1-10.0.0.3"], ()),
        (["10.0.0.2/31"], ()),
        (["10.0.0.0/30"], ("10.0.0.0/30",)),
        (["10.0.0.1-10.0.0.4"], ("10.0.0.1-10.0.0.4",)),
        (["0.0.0.0/0"], ("0.0.0.0/0",)),
        (["10.0.0.9", "10.0.0.1"], ("10.0.0.9",)),
        (["@unknown"], ("@unknown",)),
    ],
)
def test_who_comes_in_beside_the_members(sources: Any, beyond: tuple[str, ...]) -> None:
    admission = Admission.parse({"family": 4, "sources": sources, "destinations": None, "ports": [[9100, 9100]], "rule": "x"})
    assert admission is not None and admission.beyond(MEMBERS) == beyond
    table = BeamTable.parse({"admits": [{"family": 4, "sources": sources, "ports": [[9100, 9100]], "loopback": False}]})
    assert bool(table.open_to_others(MEMBERS, [(9000, 9200)])) is bool(beyond)
    assert table.open_to_others(MEMBERS, [(1, 9099)]) == ()
    assert BeamTable.parse({}).open_to_others(MEMBERS, [(1, 2)]) is None


def test_a_file_that_nobody_looked_for_is_not_missing() -> None:
    seen = Observation.parse("n1", {"files": [{"path": "/a", "mode": "0400"}], "missing": ["/b"]})
    assert (seen.exists("/a"), seen.exists("/b"), seen.exists("/c")) == (True, False, None)
    assert seen.files is not None and seen.files["/a"].mode == 0o400 and seen.files["/a"].replaceable_by is None

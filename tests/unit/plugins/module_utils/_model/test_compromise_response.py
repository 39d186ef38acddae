# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is replaced after a theft, what a killed run leaves to the next one, and what a repeated run does not replace again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._model.compromise_response import (
    Answer,
    Entry,
    RecordError,
    State,
    Wanted,
    decide,
    left_to_do,
    read_record,
    steps,
    write_record,
)

NEW, OLD = "n" * 32, "o" * 32
HOST = Wanted(("n3",), {"n3": ("beam@n3",)}, (), True, False, True, True, members=("beam@n1", "beam@n2"), addresses={"n3": ("10.0.0.3",)})
KEY = Wanted(("key:beam@n3",), {}, ("beam@n3",), False, False, True, True)
COOKIE = Wanted(("cookie",), {}, (), True, False, True, True)
CA = Wanted(("ca",), {}, (), False, True, True, True)
BEFORE = State(NEW, False, frozenset({"ca1"}), {"beam@n3": frozenset({"c3"})}, {"beam@n3": "c3"}, frozenset({"beam@n3"}))
AFTER_COOKIE = replace(BEFORE, cookie_everywhere=True)


def answer(wanted: Wanted, state: State, record: Mapping[str, Entry] | None = None, *, again: bool = False) -> Answer:
    return decide(wanted, state, record or {}, again=again, now="2026-11-26T12:00:00Z", salt="salt")


def summary(found: Answer) -> tuple[tuple[str, ...], tuple[str, ...], str, bool]:
    return found.revoke, found.renew, found.new_ca, bool(found.errors)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (HOST, (("beam@n3",), (), "no", False)),
        (replace(HOST, crl=False), ((), (), "yes", False)),
        (replace(HOST, crl=False, certificates=False), ((), (), "no", False)),
        (KEY, (("beam@n3",), ("beam@n3",), "no", False)),
        (replace(KEY, crl=False), ((), ("beam@n3",), "yes", False)),
        (COOKIE, ((), (), "no", False)),
        (replace(COOKIE, crl=False), ((), (), "no", False)),
        (CA, ((), (), "yes", False)),
    ],
)
def test_the_first_run(wanted: Wanted, expected: tuple[object, ...]) -> None:
    assert summary(answer(wanted, BEFORE)) == expected


@pytest.mark.parametrize("wanted", [HOST, COOKIE])
def test_the_cookie_is_still_the_stolen_one(wanted: Wanted) -> None:
    found = answer(wanted, AFTER_COOKIE)
    ((message, fix),) = found.errors
    assert "beam_cookie is the cookie that all nodes have" in message and "vault" in fix


@pytest.mark.parametrize("wanted", [HOST, replace(HOST, crl=False), COOKIE])
def test_a_repeated_run_does_not_ask_for_another_cookie(wanted: Wanted) -> None:
    first = answer(wanted, BEFORE)
    again = answer(wanted, AFTER_COOKIE, first.entries)
    assert not again.errors and again.entries == first.entries and list(again.old) == list(wanted.names)
    # The vault has the stolen cookie again: the run before was killed, and somebody put it back.
    assert answer(wanted, replace(AFTER_COOKIE, cookie=OLD), first.entries).errors


@pytest.mark.parametrize("wanted", [replace(HOST, crl=False), CA])
def test_a_new_ca_is_made_once(wanted: Wanted) -> None:
    first = answer(wanted, BEFORE)
    assert answer(wanted, AFTER_COOKIE, first.entries).new_ca == "yes", "the run before was killed"
    done = replace(AFTER_COOKIE, cas=frozenset({"ca2"}))
    assert answer(wanted, done, first.entries).new_ca == "finish"
    assert answer(wanted, replace(done, cookie_everywhere=False), first.entries, again=True).new_ca == "yes"


def test_a_ca_that_was_about_to_come_is_stolen_too() -> None:
    first = answer(CA, replace(BEFORE, cas=frozenset({"ca1", "next"})))
    assert answer(CA, replace(BEFORE, cas=frozenset({"next"})), first.entries).new_ca == "yes"


def test_a_new_key_is_made_once() -> None:
    first = answer(KEY, BEFORE)
    done = replace(BEFORE, held={"beam@n3": "c4"}, issued={"beam@n3": frozenset({"c3", "c4"})})
    assert summary(answer(KEY, done, first.entries)) == ((), (), "no", False)
    # Issued and not installed when the run was killed.
    assert answer(KEY, replace(done, held={"beam@n3": "c3"}), first.entries).renew == ("beam@n3",)
    assert answer(KEY, done, first.entries, again=True).renew == ("beam@n3",)


def test_a_host_that_was_a_member_again_is_compromised_anew() -> None:
    first = answer(HOST, BEFORE)
    back = replace(AFTER_COOKIE, issued={"beam@n3": frozenset({"c3", "c5"})})
    assert answer(HOST, back, first.entries).errors, "its cookie is known to the host"
    assert answer(HOST, replace(back, cookie=OLD, cookie_everywhere=False), first.entries).entries["n3"].certificates == {"c3", "c5"}


def test_a_node_without_a_certificate_of_a_ca_in_force_is_not_revoked() -> None:
    assert answer(HOST, replace(BEFORE, revocable=frozenset())).revoke == ()


def test_the_record() -> None:
    entries = answer(HOST, BEFORE).entries
    text = write_record(entries)
    assert read_record(text) == entries and NEW not in text
    assert read_record("") == {}
    for damaged in ("{", "[]", '{"n3": {}}', '{"n3": 7}'):
        with pytest.raises(RecordError):
            read_record(damaged)


def test_the_order_of_the_steps() -> None:
    assert [step for step, _text in steps(HOST, answer(HOST, BEFORE))] == ["firewall", "links", "revoked", "cookie"]
    without = replace(HOST, crl=False)
    assert [step for step, _text in steps(without, answer(without, BEFORE))] == ["firewall", "links", "cookie", "ca"]
    assert [step for step, _text in steps(KEY, answer(KEY, BEFORE))] == ["revoked", "keys"]


def test_what_is_left_to_do() -> None:
    lines = "\n".join(left_to_do(replace(HOST, external=("n2",)), answer(HOST, BEFORE)))
    assert "beam.cluster.site --limit 'all:!n3'" in lines and "beam.cluster.restart" in lines and "10.0.0.3 in the firewall of n2" in lines
    assert left_to_do(COOKIE, answer(COOKIE, BEFORE)) == []

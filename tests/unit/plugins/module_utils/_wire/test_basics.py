# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wire's smallest parts: reader, frames, flags, codes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._wire import codes, distribution_flags
from ansible_collections.beam.cluster.plugins.module_utils._wire.buffer import Frames, Reader, frame, looks_like_tls
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import ProtocolError, TooLarge


def test_reader_takes_what_is_there_and_no_more() -> None:
    reader = Reader(b"\x01\x02\x03\x04", "it")
    assert (reader.uint(1), reader.take(2), reader.left()) == (1, b"\x02\x03", 1)
    with pytest.raises(ProtocolError, match="it has 1 bytes too many"):
        reader.end()
    with pytest.raises(ProtocolError, match="it ends early: 2 bytes wanted, 1 left"):
        reader.take(2)
    assert reader.rest() == b"\x04"
    reader.end()


@pytest.mark.parametrize("width", [2, 4])
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_frames_do_not_depend_on_how_bytes_come(width: Any, step: Any) -> None:
    bodies = [b"", b"a", b"bc" * 50]
    stream = b"".join(frame(body, width) for body in bodies)
    frames = Frames(width, 100)
    seen = []
    for start in range(0, len(stream), step):
        frames.feed(stream[start:start + step])
        while True:
            body = frames.next()
            if body is None:
                break
            seen.append(body)
    assert seen == bodies
    assert frames.pending() == 0


@pytest.mark.parametrize("width", [2, 4])
def test_a_frame_that_announces_too_much_is_refused_by_its_length_alone(width: Any) -> None:
    frames = Frames(width, 99)
    frames.feed((100).to_bytes(width, "big"))
    with pytest.raises(TooLarge, match="100 bytes, at most 99"):
        frames.next()


def test_what_came_early_is_kept_when_the_prefix_changes() -> None:
    frames = Frames(2, 10)
    frames.feed(frame(b"ack", 2) + frame(b"tock", 4))
    assert frames.next() == b"ack"
    assert frames.take_over(4, 100).next() == b"tock"


@pytest.mark.parametrize("data, answer", [
    (b"\x15\x03\x03\x00\x02\x02\x0a", True), (b"\x16\x03", True), (b"\x15", False), (b"\x00\x03sok", False), (b"\x18\x03", False),
    (b"\x16\x02", False),
])
def test_tls_is_recognized_by_its_record_header(data: Any, answer: Any) -> None:
    assert looks_like_tls(data) is answer


def test_flags_are_those_of_the_releases() -> None:
    # Measured on live nodes: facts that the guide gets wrong.
    assert distribution_flags.MANDATORY_25_DIGEST == 0x04000000
    assert distribution_flags.OURS == 0x403074FBC | 1 << 32
    assert not distribution_flags.OURS & distribution_flags.PUBLISHED
    for name in ("DIST_HDR_ATOM_CACHE", "FRAGMENTS", "EXIT_PAYLOAD", "SEND_SENDER", "NAME_ME"):
        assert not distribution_flags.OURS & distribution_flags.FLAGS[name]
    for release in distribution_flags.MANDATORY:
        assert not distribution_flags.missing(distribution_flags.OURS, distribution_flags.MANDATORY[release])


def test_missing_flags_have_names() -> None:
    assert distribution_flags.missing(0x1070F94, distribution_flags.MANDATORY[26]) == ["UNLINK_ID", "V4_NC"]
    assert distribution_flags.missing(distribution_flags.MANDATORY_25_DIGEST, distribution_flags.MANDATORY[25]) == []
    assert distribution_flags.missing(0) == ["EXTENDED_REFERENCES", "NEW_FUN_TAGS", "EXTENDED_PIDS_PORTS", "UTF8_ATOMS", "BIG_CREATION"]
    assert distribution_flags.names(1 << 60 | 1) == ["PUBLISHED", "bit_60"]


def test_every_stage_where_a_peer_can_wait_or_leave_has_codes() -> None:
    for stage in ("tls", "status", "challenge", "ping", "call"):
        assert f"dropped_{stage}" in codes.CODES
    for stage in ("tls", "status", "challenge", "ack", "ping", "call"):
        assert f"timeout_{stage}" in codes.CODES
    assert {code.category for code in codes.CODES.values()} == {"connected", "refused_by_peer", "blocked", "refused_by_us", "unclear", "broken"}
    assert all(code.meaning.endswith(".") for code in codes.CODES.values())


def test_a_broken_probe_is_in_no_group_but_any() -> None:
    for name, group in codes.GROUPS.items():
        assert name == "any" or not group & codes.BROKEN
    assert {"local_source", "local_tls", "local_md5", "local_resources", "unresolved"} == codes.BROKEN


def test_expectations() -> None:
    assert codes.expand(["connected", "refused_cookie"]) == {"connected", "cookie_refused_theirs"}
    assert codes.meets("tls_alert_unknown_ca", ["refused_tls"])
    assert codes.meets("plaintext_on_tls", ["refused"])
    assert not codes.meets("closed", ["refused"])
    assert codes.meets("closed", ["blocked"])
    assert not codes.meets("timeout_tls", ["refused", "blocked"])
    assert codes.meets("local_tls", ["any"])
    with pytest.raises(ValueError, match="unknown code: conected, tls_alert_300"):
        codes.expand(["conected", "connected", "tls_alert_300"])


def test_alerts_without_a_name_are_known_by_number() -> None:
    assert codes.alert_code(48) == "tls_alert_unknown_ca"
    assert codes.alert_code(200) == "tls_alert_200"
    assert codes.meets("tls_alert_200", ["refused_tls"])
    assert codes.lookup("tls_alert_200").category == "refused_by_peer"
    assert codes.expand(["tls_alert_200"]) == {"tls_alert_200"}
    with pytest.raises(KeyError):
        codes.lookup("nonsense")

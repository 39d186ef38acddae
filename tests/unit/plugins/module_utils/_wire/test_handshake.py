# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The handshake: bytes, both sides against each other, and every way in which a peer can refuse or lie."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._wire import codes, distribution_flags, handshake
from ansible_collections.beam.cluster.plugins.module_utils._wire.errors import EncodeError, OutOfOrder, ProtocolError, Refused, Unable, WireError
from ansible_collections.beam.cluster.plugins.module_utils._wire.handshake import (
    Acceptor,
    Ack,
    AliveAnswer,
    Challenge,
    Complement,
    Initiator,
    Reply,
    SendName,
    State,
    Status,
)
from hypothesis import given
from hypothesis import strategies as st

COOKIE = b"secret-secret-secret"

# (state of the reader, message, bytes)
MESSAGES = [
    (State.A_NAME, SendName(0x403070F94, "a@b", 7), b"N\x00\x00\x00\x04\x03\x07\x0f\x94\x00\x00\x00\x07\x00\x03a@b"),
    (State.A_NAME, SendName(0x3070F94, "a@b", 0, 5), b"n\x00\x05\x03\x07\x0f\x94a@b"),
    (State.I_STATUS, Status("ok"), b"sok"),
    (State.I_STATUS, Status("ok_simultaneous"), b"sok_simultaneous"),
    (State.I_STATUS, Status("nok"), b"snok"),
    (State.I_STATUS, Status("not_allowed"), b"snot_allowed"),
    (State.I_STATUS, Status("alive"), b"salive"),
    (State.I_STATUS, Status("named", "X@b", 9), b"snamed:\x00\x03X@b\x00\x00\x00\x09"),
    (State.A_ALIVE, AliveAnswer(True), b"strue"),
    (State.A_ALIVE, AliveAnswer(False), b"sfalse"),
    (State.I_CHALLENGE, Challenge(0xD07DF7FBD, 0xDEADBEEF, "n@h", 3),
     b"N\x00\x00\x00\x0d\x07\xdf\x7f\xbd\xde\xad\xbe\xef\x00\x00\x00\x03\x00\x03n@h"),
    (State.I_CHALLENGE, Challenge(0x7DF7FBD, 1, "n@h", 0, 5), b"n\x00\x05\x07\xdf\x7f\xbd\x00\x00\x00\x01n@h"),
    (State.A_COMPLEMENT, Complement(4, 9), b"c\x00\x00\x00\x04\x00\x00\x00\x09"),
    (State.A_REPLY, Reply(5, b"0123456789abcdef"), b"r\x00\x00\x00\x050123456789abcdef"),
    (State.I_ACK, Ack(b"0123456789abcdef"), b"a0123456789abcdef"),
]


@pytest.mark.parametrize("state, message, data", MESSAGES)
def test_bytes(state: Any, message: Any, data: Any) -> None:
    assert handshake.encode(message) == data
    assert handshake.decode(state, data) == message


# Cut short, an old name is a shorter name, and ok_simultaneous is ok.
@pytest.mark.parametrize("state, message, data", [row for row in MESSAGES if row[2][:1] != b"n" and row[2] != b"sok_simultaneous"])
def test_cut_bytes(state: Any, message: Any, data: Any) -> None:
    for cut in range(len(data)):
        with pytest.raises(WireError):
            handshake.decode(state, data[:cut])


@pytest.mark.parametrize("state, message, data", MESSAGES)
def test_bytes_too_many(state: Any, message: Any, data: Any) -> None:
    if isinstance(message, (SendName, Challenge)):
        # The protocol wants what follows a name to be ignored; the old form has no length of its own.
        decoded = handshake.decode(state, data + b"!")
        assert isinstance(decoded, (SendName, Challenge)) and decoded.name.rstrip("!") == message.name
    elif isinstance(message, Status) and message.status == "named":
        assert handshake.decode(state, data + b"!") == message
    else:
        with pytest.raises(ProtocolError):
            handshake.decode(state, data + b"!")


def test_a_message_that_is_not_due_has_an_error_of_its_own() -> None:
    for state, table in handshake.TABLE.items():
        for tag in (b"N", b"n", b"s", b"c", b"r", b"a"):
            if tag not in table:
                with pytest.raises(OutOfOrder) as error:
                    handshake.decode(state, tag + bytes(40))
                assert state.value in str(error.value)
                assert error.value.code == "out_of_order"
    with pytest.raises(ProtocolError, match="an empty frame while the initiator waits for the status"):
        handshake.decode(State.I_STATUS, b"")
    with pytest.raises(ProtocolError, match="message 88"):
        handshake.decode(State.I_STATUS, b"X")


def test_digest_as_the_protocol_defines_it() -> None:
    # erlang:md5("abc" ++ "123456789"), asked of a real node.
    assert handshake.digest(b"abc", 123456789).hex() == "1722442b586a85c95593a9c6131a0ebd"


@pytest.mark.parametrize("error", [ValueError("[digital envelope routines] unsupported"), AttributeError("md5")])
def test_a_host_without_md5_says_so(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def md5(*_arguments: object, **_keywords: object) -> None:
        raise error

    monkeypatch.setattr(handshake.hashlib, "md5", md5)
    with pytest.raises(Unable, match="cannot compute MD5") as raised:
        handshake.digest(b"abc", 1)
    assert raised.value.code == "local_md5" and raised.value.code in codes.BROKEN


def sides(
    version: int = 6,
    peer_flags: int = distribution_flags.OURS,
    expected: str = "b@h",
    cookie: Any = COOKIE,
    status: str = "ok",
    own: int = distribution_flags.OURS,
) -> tuple[Initiator, Acceptor]:
    initiator = Initiator(name="a@h", expected=expected, cookie=COOKIE, challenge=1, creation=4, version=version, flags=own)
    acceptor = Acceptor(name="b@h", cookie=cookie, challenge=2, creation=5, flags=peer_flags, decide_status=lambda name: status)
    return initiator, acceptor


def shake(initiator: Any, acceptor: Any) -> None:
    """Run both sides against each other."""
    status = acceptor.receive(initiator.start())
    assert initiator.receive(status) == b""
    reply = initiator.receive(acceptor.challenge())
    complement = initiator.complement()
    if complement:
        assert acceptor.receive(complement) == b""
    assert initiator.receive(acceptor.receive(reply)) == b""


@pytest.mark.parametrize("version", [5, 6])
@pytest.mark.parametrize("status", ["ok", "ok_simultaneous"])
def test_both_sides_agree(version: Any, status: Any) -> None:
    initiator, acceptor = sides(version, status=status)
    shake(initiator, acceptor)
    assert initiator.state is acceptor.state is State.DONE
    assert (initiator.peer_name, initiator.peer_flags, initiator.peer_creation) == ("b@h", distribution_flags.OURS, 5)
    assert (acceptor.peer_name, acceptor.peer_flags, acceptor.peer_creation) == ("a@h", distribution_flags.OURS, 4)


def test_the_old_form_all_through() -> None:
    old = distribution_flags.OURS & ~distribution_flags.HANDSHAKE_23 & 0xFFFFFFFF
    initiator, acceptor = sides(5, peer_flags=old, own=old)
    shake(initiator, acceptor)
    assert initiator.state is acceptor.state is State.DONE
    assert acceptor.peer_flags == old


@pytest.mark.parametrize("status, code", [("nok", "nok"), ("not_allowed", "not_allowed")])
def test_refusals_by_status(status: Any, code: Any) -> None:
    initiator, acceptor = sides(status=status)
    with pytest.raises(Refused) as error:
        initiator.receive(acceptor.receive(initiator.start()))
    assert error.value.code == code
    assert initiator.state is acceptor.state is State.FAILED


def test_a_live_connection_of_our_name_is_left_alone() -> None:
    initiator, acceptor = sides(status="alive")
    answer = initiator.receive(acceptor.receive(initiator.start()))
    assert answer == b"sfalse"
    assert acceptor.receive(answer) == b""
    assert initiator.state is acceptor.state is State.FAILED


def test_an_initiator_that_goes_on_in_spite_of_alive_is_served() -> None:
    acceptor = sides(status="alive")[1]
    acceptor.receive(handshake.encode(SendName(distribution_flags.OURS, "a@h", 4)))
    assert acceptor.receive(b"strue") == b""
    assert acceptor.state is State.A_REPLY


def test_missing_flags_are_not_allowed() -> None:
    acceptor = sides()[1]
    assert acceptor.receive(handshake.encode(SendName(0x1, "a@h", 4))) == b"snot_allowed"


def test_a_name_that_was_not_asked_for() -> None:
    with pytest.raises(ProtocolError):
        sides()[0].receive(handshake.encode(Status("named", "x@h", 1)))
    initiator = sides(own=distribution_flags.OURS | distribution_flags.NAME_ME)[0]
    assert initiator.receive(handshake.encode(Status("named", "x@h", 77))) == b""
    assert (initiator.name, initiator.creation) == ("x@h", 77)


def refused(initiator: Any, challenge: Any) -> Any:
    initiator.receive(b"sok")
    with pytest.raises(Refused) as error:
        initiator.receive(handshake.encode(challenge))
    assert initiator.state is State.FAILED
    return error.value.code


def test_nothing_is_proven_to_another_node() -> None:
    assert refused(sides()[0], Challenge(distribution_flags.OURS, 2, "evil@h", 5)) == "wrong_node"


def test_nothing_is_proven_to_a_node_without_the_flags() -> None:
    assert refused(sides()[0], Challenge(0x4, 2, "b@h", 5)) == "flags_missing"


def test_our_own_challenge_sent_back() -> None:
    assert refused(sides()[0], Challenge(distribution_flags.OURS, 1, "b@h", 5)) == "digest_reflected"


def test_our_own_proof_sent_back() -> None:
    initiator, acceptor = sides()
    acceptor.receive(initiator.start())
    initiator.receive(b"sok")
    reply = handshake.decode(State.A_REPLY, initiator.receive(acceptor.challenge()))
    assert isinstance(reply, Reply)
    with pytest.raises(Refused) as error:
        initiator.receive(handshake.encode(Ack(reply.digest)))
    assert error.value.code == "digest_reflected"


def test_the_cookie_is_another_one() -> None:
    initiator, acceptor = sides(cookie=b"another")
    initiator.receive(acceptor.receive(initiator.start()))
    reply = initiator.receive(acceptor.challenge())
    with pytest.raises(Refused) as theirs:
        acceptor.receive(reply)
    with pytest.raises(Refused) as ours:
        initiator.receive(handshake.encode(Ack(handshake.digest(b"another", 1))))
    assert theirs.value.code == ours.value.code == "cookie_mismatch_ours"


def test_a_status_again_and_again() -> None:
    initiator = sides()[0]
    initiator.receive(b"sok")
    with pytest.raises(OutOfOrder):
        initiator.receive(b"sok")


def test_a_failed_handshake_stays_failed() -> None:
    initiator = sides()[0]
    with pytest.raises(WireError):
        initiator.receive(b"X")
    with pytest.raises(OutOfOrder, match="failed"):
        initiator.receive(b"sok")


def test_an_old_challenge_to_a_new_name() -> None:
    initiator = sides()[0]
    initiator.receive(b"sok")
    with pytest.raises(ProtocolError):
        initiator.receive(handshake.encode(Challenge(distribution_flags.OURS, 2, "b@h", 0, 5)))


def test_a_challenge_is_not_given_away_early() -> None:
    with pytest.raises(OutOfOrder):
        sides()[1].challenge()


def test_tls_instead_of_a_status() -> None:
    with pytest.raises(Refused) as error:
        handshake.decode(State.I_STATUS, b"\x15\x03\x03")
    assert error.value.code == "plaintext_on_tls"


def test_no_secret_in_messages() -> None:
    initiator, acceptor = sides(cookie=b"another")
    initiator.receive(acceptor.receive(initiator.start()))
    reply = initiator.receive(acceptor.challenge())
    with pytest.raises(Refused) as error:
        acceptor.receive(reply)
    assert "another" not in str(error.value) and COOKIE.decode() not in str(error.value)


@pytest.mark.parametrize("name", ["a", "@h", "a@", "a@b@c", "", "x" * 254 + "@h"])
def test_no_node_name(name: Any) -> None:
    with pytest.raises(ValueError):
        handshake.split_node(name)


def test_node_name() -> None:
    assert handshake.split_node("rabbit@10.0.0.5") == ("rabbit", "10.0.0.5")
    assert handshake.split_node("x@::1") == ("x", "::1")


def test_what_cannot_be_sent() -> None:
    unsendable: tuple[Any, ...] = (SendName(1, ""), SendName(1, "x" * 1021), Status("maybe"), object())
    for message in unsendable:
        with pytest.raises(EncodeError):
            handshake.encode(message)


@given(st.sampled_from(list(State)), st.binary(max_size=64), st.sampled_from([b"", b"N", b"n", b"s", b"snamed:", b"c", b"r", b"a"]))
def test_nothing_else_is_raised(state: Any, data: Any, lead: Any) -> None:
    try:
        handshake.decode(state, lead + data)
    except WireError:
        pass

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The distribution handshake, versions 5 and 6, for both sides, as a state table.

Source: lib/kernel/src/dist_util.erl of OTP 23 to 29 and the guide erl_dist_protocol. Framing is not done here: a message is the body of a frame.

What a message may be at each state stands in `TABLE`; a message that does not fit raises `OutOfOrder` with the names of both. The initiator
never proves the cookie before the peer's name has been compared with the one asked for. TLS has to be settled before `Initiator` is given anything.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from dataclasses import dataclass
from typing import Callable, Union

from . import distribution_flags as dflags
from .buffer import Reader, looks_like_tls
from .errors import EncodeError, OutOfOrder, ProtocolError, Refused, Unable

# An atom has at most 255 characters of at most 4 bytes.
MAX_NAME_BYTES = 1020
# The longest message is a challenge or a `named:` status with the longest name.
MAX_MESSAGE = 64 + MAX_NAME_BYTES


@dataclass(frozen=True)
class SendName:
    """The initiator's name. `version` 5 is the old form; its flags have 32 bits and it has no creation."""

    flags: int
    name: str
    creation: int = 0
    version: int = 6


@dataclass(frozen=True)
class Status:
    """The acceptor's answer to the name. `named` carries the name given to an initiator that asked for one."""

    status: str
    name: str | None = None
    creation: int | None = None


@dataclass(frozen=True)
class AliveAnswer:
    """The initiator's answer to status `alive`: whether its new connection should replace the old one."""

    go_on: bool


@dataclass(frozen=True)
class Challenge:
    """The acceptor's name and challenge."""

    flags: int
    challenge: int
    name: str
    creation: int = 0
    version: int = 6


@dataclass(frozen=True)
class Complement:
    """What the old form of a name leaves out."""

    flags_high: int
    creation: int


@dataclass(frozen=True)
class Reply:
    """The initiator's proof, and its own challenge."""

    challenge: int
    digest: bytes


@dataclass(frozen=True)
class Ack:
    """The acceptor's proof."""

    digest: bytes


Message = Union[SendName, Status, AliveAnswer, Challenge, Complement, Reply, Ack]

STATUSES = ("ok", "ok_simultaneous", "nok", "not_allowed", "alive", "named")


def encode(message: Message) -> bytes:
    """The body of a frame for a message."""
    if isinstance(message, SendName):
        name = _encode_name(message.name)
        if message.version == 5:
            return b"n" + (5).to_bytes(2, "big") + (message.flags & 0xFFFFFFFF).to_bytes(4, "big") + name
        return b"N" + message.flags.to_bytes(8, "big") + message.creation.to_bytes(4, "big") + len(name).to_bytes(2, "big") + name
    if isinstance(message, Status):
        if message.status not in STATUSES:
            raise EncodeError(f"no status: {message.status}")
        if message.status == "named":
            name = _encode_name(message.name or "")
            return b"snamed:" + len(name).to_bytes(2, "big") + name + (message.creation or 0).to_bytes(4, "big")
        return b"s" + message.status.encode("ascii")
    if isinstance(message, AliveAnswer):
        return b"strue" if message.go_on else b"sfalse"
    if isinstance(message, Challenge):
        name = _encode_name(message.name)
        number = message.challenge.to_bytes(4, "big")
        if message.version == 5:
            return b"n" + (5).to_bytes(2, "big") + (message.flags & 0xFFFFFFFF).to_bytes(4, "big") + number + name
        return b"N" + message.flags.to_bytes(8, "big") + number + message.creation.to_bytes(4, "big") + len(name).to_bytes(2, "big") + name
    if isinstance(message, Complement):
        return b"c" + message.flags_high.to_bytes(4, "big") + message.creation.to_bytes(4, "big")
    if isinstance(message, Reply):
        return b"r" + message.challenge.to_bytes(4, "big") + message.digest
    if isinstance(message, Ack):
        return b"a" + message.digest
    raise EncodeError(f"no handshake message: {message!r}")


def _decode_send_name(body: bytes) -> SendName:
    reader = Reader(body, "the peer's name")
    if reader.take(1) == b"n":
        version = reader.uint(2)
        if version != 5:
            raise ProtocolError(f"a name in the old form with version {version}")
        return SendName(reader.uint(4), _decode_name(reader.rest()), 0, 5)
    peer_flags, creation = reader.uint(8), reader.uint(4)
    # Bytes after the name are allowed and ignored, as the protocol demands of every reader.
    return SendName(peer_flags, _decode_name(reader.take(reader.uint(2))), creation, 6)


def _decode_status(body: bytes) -> Status:
    reader = Reader(body, "the peer's status")
    reader.take(1)
    word = reader.rest()
    if word.startswith(b"named:"):
        reader = Reader(word, "the peer's status")
        reader.take(6)
        name = _decode_name(reader.take(reader.uint(2)))
        creation = reader.uint(4)
        return Status("named", name, creation)
    for status in STATUSES:
        if word == status.encode("ascii") and status != "named":
            return Status(status)
    raise ProtocolError("the peer sent a status that does not exist")


def _decode_alive_answer(body: bytes) -> AliveAnswer:
    if body not in (b"strue", b"sfalse"):
        raise ProtocolError("the peer's answer to alive is neither true nor false")
    return AliveAnswer(body == b"strue")


def _decode_challenge(body: bytes) -> Challenge:
    reader = Reader(body, "the peer's challenge")
    if reader.take(1) == b"n":
        version = reader.uint(2)
        if version != 5:
            raise ProtocolError(f"a challenge in the old form with version {version}")
        peer_flags, challenge = reader.uint(4), reader.uint(4)
        return Challenge(peer_flags, challenge, _decode_name(reader.rest()), 0, 5)
    peer_flags, challenge, creation = reader.uint(8), reader.uint(4), reader.uint(4)
    return Challenge(peer_flags, challenge, _decode_name(reader.take(reader.uint(2))), creation, 6)


def _decode_complement(body: bytes) -> Complement:
    reader = Reader(body, "the peer's complement")
    reader.take(1)
    message = Complement(reader.uint(4), reader.uint(4))
    reader.end()
    return message


def _decode_reply(body: bytes) -> Reply:
    reader = Reader(body, "the peer's reply")
    reader.take(1)
    message = Reply(reader.uint(4), reader.take(16))
    reader.end()
    return message


def _decode_ack(body: bytes) -> Ack:
    reader = Reader(body, "the peer's ack")
    reader.take(1)
    message = Ack(reader.take(16))
    reader.end()
    return message


class State(enum.Enum):
    """Where a handshake is, seen from one side. The last word says what has to come next."""

    I_STATUS = "initiator waits for the status"
    I_CHALLENGE = "initiator waits for the challenge"
    I_ACK = "initiator waits for the ack"
    A_NAME = "acceptor waits for the name"
    A_ALIVE = "acceptor waits for the answer to alive"
    A_COMPLEMENT = "acceptor waits for the complement"
    A_REPLY = "acceptor waits for the reply"
    DONE = "done"
    FAILED = "failed"


# state -> first byte of what may come -> its decoder. What is not here does not fit.
TABLE: dict[State, dict[bytes, Callable[[bytes], Message]]] = {
    State.I_STATUS: {b"s": _decode_status},
    State.I_CHALLENGE: {b"N": _decode_challenge, b"n": _decode_challenge},
    State.I_ACK: {b"a": _decode_ack},
    State.A_NAME: {b"N": _decode_send_name, b"n": _decode_send_name},
    State.A_ALIVE: {b"s": _decode_alive_answer},
    State.A_COMPLEMENT: {b"c": _decode_complement},
    State.A_REPLY: {b"r": _decode_reply},
    State.DONE: {},
    State.FAILED: {},
}

_WORDS = {
    b"N": "a name or challenge", b"n": "a name or challenge in the old form", b"s": "a status", b"c": "a complement", b"r": "a reply", b"a": "an ack",
}


def decode(state: State, body: bytes) -> Message:
    """The message that `body` is at `state`. Raises `OutOfOrder` for what is not due, `ProtocolError` for what is malformed."""
    tag = body[:1]
    decoder = TABLE[state].get(tag)
    if decoder is not None:
        return decoder(body)
    if not tag:
        raise ProtocolError(f"an empty frame while the {state.value}")
    if tag in _WORDS:
        raise OutOfOrder(f"the peer sent {_WORDS[tag]} while the {state.value}")
    if looks_like_tls(body):
        raise Refused("the peer answered with a TLS record", code="plaintext_on_tls")
    raise ProtocolError(f"the peer sent message {tag[0]} while the {state.value}")


def digest(cookie: bytes, challenge: int) -> bytes:
    """The proof that one knows the cookie (dist_util:gen_digest/2): MD5 is the protocol's choice, not ours.

    Raises `Unable` where Python was built without MD5, or a policy forbids it for every use.
    """
    text = cookie + str(challenge).encode("ascii")
    try:
        try:
            return hashlib.md5(text, usedforsecurity=False).digest()
        except TypeError:
            # Some builds of Python 3.9 have an hashlib without that keyword.
            return hashlib.md5(text).digest()
    except (AttributeError, ValueError):
        raise Unable("Python on this host cannot compute MD5, so it cannot prove that it knows the cookie") from None


class _Side:
    """What both sides share: the state, the peer's facts, and that a failed handshake stays failed."""

    def __init__(self, state: State, cookie: bytes, challenge: int) -> None:
        self.state = state
        self._cookie = cookie
        self._challenge = challenge
        self.peer_name: str | None = None
        self.peer_flags = 0
        self.peer_creation = 0

    def receive(self, body: bytes) -> bytes:
        """Take the body of a frame, give the body that has to be sent now, or nothing (empty)."""
        try:
            message = decode(self.state, body)
            handler: Callable[[Message], bytes] = getattr(self, _HANDLERS[type(message)])
            return handler(message)
        except Exception:
            self.state = State.FAILED
            raise

    def _due(self, number: int) -> bytes:
        return digest(self._cookie, number)


class Initiator(_Side):
    """Our side of a connection that we open.

    `name`: our full node name. `expected`: the full name that the peer has to have. `challenge`: a random 32-bit number, not used before.
    Call `start()` once, then `receive()` with each message until `state` is DONE.
    """

    def __init__(
        self, *, name: str, expected: str | None, cookie: bytes, challenge: int, creation: int,
        flags: int = dflags.OURS, required: int = dflags.REQUIRED, version: int = 6,
    ) -> None:
        super().__init__(State.I_STATUS, cookie, challenge)
        self.name = name
        self.creation = creation
        self._expected = expected
        self._flags = flags
        self._required = required
        self._version = version
        self._sent: bytes | None = None
        self.status: str | None = None

    def start(self) -> bytes:
        """The first message."""
        return encode(SendName(self._flags, self.name, self.creation, self._version))

    def on_status(self, message: Status) -> bytes:
        """Go on with `ok` and `named`; everything else ends here. A live connection of our name is left alone."""
        self.status = message.status
        if message.status == "named":
            if not self._flags & dflags.NAME_ME:
                raise ProtocolError("the peer gave us a name that we did not ask for")
            self.name, self.creation = str(message.name), int(message.creation or 0)
        elif message.status == "alive":
            self.state = State.FAILED
            return encode(AliveAnswer(False))
        elif message.status not in ("ok", "ok_simultaneous"):
            raise Refused(f"the peer answered our name with {message.status}", code=message.status)
        self.state = State.I_CHALLENGE
        return b""

    def on_challenge(self, message: Challenge) -> bytes:
        """Compare the peer's name and flags; only then prove the cookie."""
        if self._version == 6 and message.version == 5:
            raise ProtocolError("the peer answered a name of version 6 with a challenge of version 5")
        self.peer_name, self.peer_flags, self.peer_creation = message.name, message.flags, message.creation
        if self._expected is not None and message.name != self._expected:
            raise Refused(f"the peer is {_printable(message.name)}, not {self._expected}", code="wrong_node")
        lacking = dflags.missing(message.flags, self._required)
        if lacking:
            raise Refused(f"the peer lacks {', '.join(lacking)}", code="flags_missing")
        if message.challenge == self._challenge:
            raise Refused("the peer sent our own challenge back", code="digest_reflected")
        self._sent = self._due(message.challenge)
        reply = encode(Reply(self._challenge, self._sent))
        self.state = State.I_ACK
        return reply

    def complement(self) -> bytes:
        """What has to go out in front of the reply where we used the old form and the peer answered with the new one; else nothing."""
        if self._version == 5 and self.peer_flags & dflags.HANDSHAKE_23:
            return encode(Complement(self._flags >> 32, self.creation))
        return b""

    def on_ack(self, message: Ack) -> bytes:
        """Check the peer's proof, in constant time."""
        if self._sent is not None and hmac.compare_digest(message.digest, self._sent):
            raise Refused("the peer sent our own proof back", code="digest_reflected")
        if not hmac.compare_digest(message.digest, self._due(self._challenge)):
            raise Refused("the peer's proof of the cookie is wrong", code="cookie_mismatch_ours")
        self.state = State.DONE
        return b""


class Acceptor(_Side):
    """The other side of a handshake. Used by tests and by servers that tests need."""

    def __init__(
        self, *, name: str, cookie: bytes, challenge: int, creation: int, flags: int = dflags.OURS, required: int = dflags.REQUIRED,
        decide_status: Callable[[str], str] = lambda name: "ok",
    ) -> None:
        super().__init__(State.A_NAME, cookie, challenge)
        self.name = name
        self.creation = creation
        self._flags = flags
        self._required = required
        self._decide_status = decide_status
        self._old_form = False

    def on_name(self, message: SendName) -> bytes:
        """Answer with a status; `challenge()` is due next unless the status is `alive` or a refusal."""
        self.peer_name, self.peer_flags, self.peer_creation = message.name, message.flags, message.creation
        self._old_form = message.version == 5
        if dflags.missing(message.flags, self._required):
            self.state = State.FAILED
            return encode(Status("not_allowed"))
        status = self._decide_status(message.name)
        if status == "alive":
            self.state = State.A_ALIVE
        elif status in ("ok", "ok_simultaneous"):
            self._expect_reply()
        else:
            self.state = State.FAILED
        return encode(Status(status))

    def on_alive_answer(self, message: AliveAnswer) -> bytes:
        """Go on only if the initiator says so."""
        if not message.go_on:
            self.state = State.FAILED
        else:
            self._expect_reply()
        return b""

    def _expect_reply(self) -> None:
        complete = not self._old_form or not self.peer_flags & dflags.HANDSHAKE_23
        self.state = State.A_REPLY if complete else State.A_COMPLEMENT

    def challenge(self) -> bytes:
        """The message that follows a status that lets the initiator go on."""
        if self.state not in (State.A_REPLY, State.A_COMPLEMENT):
            raise OutOfOrder(f"a challenge is not due while the {self.state.value}")
        version = 5 if self.state is State.A_REPLY and self._old_form else 6
        return encode(Challenge(self._flags, self._challenge, self.name, self.creation, version))

    def on_complement(self, message: Complement) -> bytes:
        """The rest of an old name."""
        self.peer_flags |= message.flags_high << 32
        self.peer_creation = message.creation
        self.state = State.A_REPLY
        return b""

    def on_reply(self, message: Reply) -> bytes:
        """Check the initiator's proof in constant time, then show ours."""
        if not hmac.compare_digest(message.digest, self._due(self._challenge)):
            raise Refused("the initiator's proof of the cookie is wrong", code="cookie_mismatch_ours")
        self.state = State.DONE
        return encode(Ack(self._due(message.challenge)))


_HANDLERS: dict[type[object], str] = {
    SendName: "on_name",
    Status: "on_status",
    AliveAnswer: "on_alive_answer",
    Challenge: "on_challenge",
    Complement: "on_complement",
    Reply: "on_reply",
    Ack: "on_ack",
}


def split_node(node: str) -> tuple[str, str]:
    """The part before and after the @ of a full node name. Raises `ValueError` where it is not one."""
    name, at, host = node.partition("@")
    if not at or not name or not host or "@" in host or len(node) > 255:
        raise ValueError(f"not a full node name: {node!r}")
    return name, host


def _encode_name(name: str) -> bytes:
    data = name.encode("utf-8")
    if not 1 <= len(data) <= MAX_NAME_BYTES:
        raise EncodeError(f"a node name has 1 to {MAX_NAME_BYTES} bytes")
    return data


def _decode_name(data: bytes) -> str:
    if not 1 <= len(data) <= MAX_NAME_BYTES:
        raise ProtocolError(f"the peer sent a name of {len(data)} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        # Names from before UTF-8 atoms are Latin-1.
        return data.decode("latin-1")


def _printable(name: str) -> str:
    return ascii(name)[1:-1][:255]

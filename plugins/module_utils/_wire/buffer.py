# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reader that must end empty, and a splitter of frames that never holds more than it is allowed to."""

from __future__ import annotations

from .errors import ProtocolError, TooLarge


class Reader:
    """Reads big-endian fields from one whole message.

    Each method raises `ProtocolError` where the message is too short; `end()` where it is too long.
    """

    __slots__ = ("_data", "_what", "pos")

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._what = what
        self.pos = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        end = self.pos + count
        if end > len(self._data):
            raise ProtocolError(f"{self._what} ends early: {count} bytes wanted, {len(self._data) - self.pos} left")
        part = self._data[self.pos:end]
        self.pos = end
        return part

    def uint(self, size: int) -> int:
        """An unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._data) - self.pos)

    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self.pos

    def end(self) -> None:
        """Demand that nothing is left."""
        if self.pos != len(self._data):
            raise ProtocolError(f"{self._what} has {len(self._data) - self.pos} bytes too many")


# Record types 20 to 23 with a major version of 3 (RFC 8446 section 5.1).
_TLS_RECORD_TYPES = (20, 21, 22, 23)


def looks_like_tls(data: bytes) -> bool:
    """Whether bytes from a peer begin as a TLS record does."""
    return len(data) >= 2 and data[0] in _TLS_RECORD_TYPES and data[1] == 3


class Frames:
    """Splits a stream into frames with a length prefix of `width` bytes.

    The distribution protocol uses 2 bytes while it shakes hands over TCP, 4 afterwards and always under TLS. An announced length
    above `limit` raises `TooLarge` before anything is collected for it.
    """

    __slots__ = ("_buffer", "limit", "width")

    def __init__(self, width: int, limit: int) -> None:
        self._buffer = bytearray()
        self.width = width
        self.limit = limit

    def feed(self, data: bytes) -> None:
        """Add bytes as they came."""
        self._buffer += data

    def next(self) -> bytes | None:
        """One whole frame without its prefix, or None where more bytes are needed."""
        buffer = self._buffer
        width = self.width
        if len(buffer) < width:
            return None
        length = int.from_bytes(buffer[:width], "big")
        if length > self.limit:
            raise TooLarge(f"the peer announced a frame of {length} bytes, at most {self.limit} are taken")
        end = width + length
        if len(buffer) < end:
            return None
        frame = bytes(buffer[width:end])
        del buffer[:end]
        return frame

    def peek(self) -> bytes:
        """The first bytes that no frame has taken yet."""
        return bytes(self._buffer[:8])

    def take_over(self, width: int, limit: int) -> Frames:
        """A splitter with another prefix that goes on where this one is."""
        other = Frames(width, limit)
        other.feed(bytes(self._buffer))
        return other

    def pending(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._buffer)


def frame(body: bytes, width: int) -> bytes:
    """A frame around `body`."""
    return len(body).to_bytes(width, "big") + body

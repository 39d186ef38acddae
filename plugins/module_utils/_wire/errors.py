# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors of the wire. Each carries the code that a module returns for it."""

from __future__ import annotations


class WireError(Exception):
    """What a peer did that ends the conversation.

    `code` is a key of `codes.CODES`; the message is for people and never holds a cookie, a digest or a challenge.
    """

    code = "protocol_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class ProtocolError(WireError):
    """Bytes that the protocol does not allow."""


class OutOfOrder(WireError):
    """A known message at a stage where it does not fit."""

    code = "out_of_order"


class TooLarge(WireError):
    """A length, depth or count above the cap."""

    code = "too_large"


class Refused(WireError):
    """The peer said no, or is not who it should be. `code` says which."""


class Unable(WireError):
    """This host cannot do what the protocol asks of it. It says nothing about the peer."""

    code = "local_md5"


class EncodeError(ValueError):
    """A Python value that has no form on the wire: a mistake of ours, never the peer's."""

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which a secret lies in files: packed, in base64, in the text of a JSON string.

Private to this collection. What is encrypted stays as it is. What is packed and cannot be unpacked here raises NotUnpacked.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from . import packed_streams

_GZIP, _XZ, _BZIP2, _ZIP = b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"PK\x03\x04"
_LONGEST = 6
_WHOLE = 40
"""Characters of base64 that are looked for: a line of it may end after them."""
_PACKED_MAX = 16 << 20
_MEMBER_MAX = 4 << 20
"""Bytes of content that are looked at, of an archive and of one of its members."""
_MEMBERS_MAX = 1000
_PEM_IN_BASE64 = re.compile(rb"LS0tLS1CRUdJTi[A-Za-z0-9+/\s]{40,}={0,2}")
"""base64 of "-----BEGIN " and what follows."""
BROKEN = (EOFError, OSError, lzma.LZMAError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError)
"""What a broken or encrypted archive raises."""


def unpacked(stream: BinaryIO) -> BinaryIO:
    """The content of a file, of a packed one its content before. Raises one of BROKEN, here or where it is read, and NotUnpacked."""
    head = stream.read(_LONGEST)
    stream.seek(0)
    if head.startswith(_GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if head.startswith(_XZ):
        return io.BytesIO(lzma.LZMAFile(stream).read(_PACKED_MAX))
    if head.startswith(_BZIP2):
        return io.BytesIO(bz2.BZ2File(stream).read(_PACKED_MAX))
    for magic, unpack in packed_streams.BY_MAGIC.items():
        if head.startswith(magic):
            return io.BytesIO(unpack(stream.read(_PACKED_MAX), _PACKED_MAX))
    if head.startswith(_ZIP):
        return io.BytesIO(b"\n".join(_members(stream)))
    return _of_git(stream, head)


def _of_git(stream: BinaryIO, head: bytes) -> BinaryIO:
    """A loose object of a repository, which everybody can read where its directories are open; any other file as it is."""
    if head[:1] == b"x":
        data = packed_streams.of_zlib(stream.read(_PACKED_MAX), _PACKED_MAX)
        if data is not None:
            return io.BytesIO(data)
        stream.seek(0)
    return stream


def _members(stream: BinaryIO) -> Iterator[bytes]:
    left = _PACKED_MAX
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist()[:_MEMBERS_MAX]:
            with archive.open(member) as file:
                data = file.read(min(_MEMBER_MAX, left))
            left -= len(data)
            yield data


def needles(secret: bytes) -> set[bytes]:
    """What to search for: the secret itself, and its base64 from each of the three places at which it can begin in a longer text."""
    found = {secret}
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret)
        # The first characters hold bits of what is before it, the last ones of what is behind it.
        core = text[(before * 8 + 5) // 6 : len(text) - (0, 4, 3)[(before + len(secret)) % 3]]
        found.add(core[:_WHOLE])
    return found


def texts(data: bytes) -> Iterator[bytes]:
    """The text of a file, with lines where strings of JSON have them, and the texts in it in base64 that begin like a PEM file."""
    yield data.replace(b"\\r", b"").replace(b"\\n", b"\n").replace(b"\\/", b"/")
    for match in _PEM_IN_BASE64.findall(data):
        plain = b"".join(match.split()).rstrip(b"=")
        try:
            yield base64.b64decode(plain[: len(plain) - len(plain) % 4] + _rest(plain))
        except binascii.Error:
            continue


def _rest(plain: bytes) -> bytes:
    """The last characters of base64 without its signs of equality, made whole; one alone says nothing."""
    over = len(plain) % 4
    return plain[-over:] + b"=" * (4 - over) if over > 1 else b""

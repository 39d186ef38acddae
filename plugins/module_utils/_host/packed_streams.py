# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unpacks what the standard library of Python 3.9 cannot: zstd and lz4, with the libraries that dpkg and systemd use; and objects of git.

Private to this collection. The libraries are those of the system, which every Debian has. Sources: zstd.h, lz4frame.h, gitformat-pack(5).
"""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Mapping
from typing import Callable

ZSTD, LZ4, SEVEN_ZIP = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"7z\xbc\xaf\x27\x1c"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_LIBRARIES = {"zstd": "libzstd.so.1", "lz4": "liblz4.so.1"}
_LZ4_VERSION = 100
_CHUNK = 1 << 18


class NotUnpacked(Exception):
    """A file that nothing here can unpack: what is in it is not known. Its text is the name of the format."""


class _Buffer(ctypes.Structure):
    """ZSTD_inBuffer and ZSTD_outBuffer."""

    _fields_ = (("at", ctypes.c_void_p), ("size", ctypes.c_size_t), ("pos", ctypes.c_size_t))


def _library(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(_LIBRARIES[name])
    except OSError:
        raise NotUnpacked(name) from None


def zstd(data: bytes, most: int) -> bytes:
    """Raises NotUnpacked, and ValueError for what is broken before any content comes out."""
    library = _library("zstd")
    library.ZSTD_createDStream.restype = ctypes.c_void_p
    library.ZSTD_decompressStream.restype = ctypes.c_size_t
    stream = ctypes.c_void_p(library.ZSTD_createDStream())
    space = ctypes.create_string_buffer(_CHUNK)
    source = _Buffer(ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data), 0)
    found: list[bytes] = []
    size = 0
    try:
        while size < most:
            target = _Buffer(ctypes.cast(space, ctypes.c_void_p), _CHUNK, 0)
            left = library.ZSTD_decompressStream(stream, ctypes.byref(target), ctypes.byref(source))
            found.append(space.raw[: target.pos])
            size += target.pos
            if library.ZSTD_isError(ctypes.c_size_t(left)) or not target.pos and source.pos == source.size:
                break
    finally:
        library.ZSTD_freeDStream(stream)
    return _content(found)


def lz4(data: bytes, most: int) -> bytes:
    """As zstd()."""
    library = _library("lz4")
    library.LZ4F_decompress.restype = ctypes.c_size_t
    context = ctypes.c_void_p()
    library.LZ4F_createDecompressionContext(ctypes.byref(context), _LZ4_VERSION)
    space = ctypes.create_string_buffer(_CHUNK)
    found: list[bytes] = []
    at = size = 0
    try:
        while at < len(data) and size < most:
            part = data[at : at + _CHUNK]
            made, used = ctypes.c_size_t(_CHUNK), ctypes.c_size_t(len(part))
            left = library.LZ4F_decompress(context, space, ctypes.byref(made), ctypes.c_char_p(part), ctypes.byref(used), None)
            if library.LZ4F_isError(ctypes.c_size_t(left)):
                break
            found.append(space.raw[: made.value])
            at, size = at + used.value, size + made.value
            if not used.value and not made.value:
                break
    finally:
        library.LZ4F_freeDecompressionContext(context)
    return _content(found)


def _content(parts: list[bytes]) -> bytes:
    data = b"".join(parts)
    if not data:
        raise ValueError("a packed file is broken")
    return data


def _seven_zip(_data: bytes, _most: int) -> bytes:
    raise NotUnpacked("7z")


BY_MAGIC: Mapping[bytes, Callable[[bytes, int], bytes]] = {ZSTD: zstd, LZ4: lz4, SEVEN_ZIP: _seven_zip}


def of_zlib(data: bytes, most: int) -> bytes | None:
    """The content of a bare stream of zlib, as a loose object of git is; None for what is none."""
    if not data.startswith(_ZLIB):
        return None
    try:
        return zlib.decompressobj().decompress(data, most) or None
    except zlib.error:
        return None

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The protections of a program, as its ELF file shows them (elf(5), System V ABI).

Private to this collection.
"""

from __future__ import annotations

import mmap
import struct

_MAGIC = b"\x7fELF"
_DYN = 3
_DYNAMIC, _STACK, _RELRO = 2, 0x6474E551, 0x6474E552
_EXECUTABLE = 1
_BIND_NOW, _FLAGS, _FLAGS_1 = 24, 30, 0x6FFFFFFB
_CANARY = b"__stack_chk_fail"


def protections(path: str) -> list[str] | None:
    """Of a program: "pie", "nx" (no executable stack), "relro", "now" (all symbols bound at the start) and "canary". None where it is no ELF file."""
    try:
        with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _protections(data) if data[:4] == _MAGIC else None
    except (OSError, ValueError, IndexError, struct.error):
        return None


def _protections(data: mmap.mmap) -> list[str]:
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    kind = struct.unpack_from(f"{order}H", data, 16)[0]
    table = struct.unpack_from(f"{order}Q" if wide else f"{order}I", data, 32 if wide else 28)[0]
    size, count = struct.unpack_from(f"{order}HH", data, 54 if wide else 42)
    found = {"pie"} if kind == _DYN else set()
    for number in range(count):
        at = table + number * size
        segment = struct.unpack_from(f"{order}I", data, at)[0]
        flags = struct.unpack_from(f"{order}I", data, at + (4 if wide else 24))[0]
        if segment == _STACK and not flags & _EXECUTABLE:
            found.add("nx")
        elif segment == _RELRO:
            found.add("relro")
        elif segment == _DYNAMIC:
            offset = struct.unpack_from(f"{order}Q" if wide else f"{order}I", data, at + (8 if wide else 4))[0]
            length = struct.unpack_from(f"{order}Q" if wide else f"{order}I", data, at + (32 if wide else 16))[0]
            found |= {"now"} if _bound_at_start(data[offset : offset + length], f"{order}{'QQ' if wide else 'II'}") else set()
    return sorted(found | ({"canary"} if data.find(_CANARY) >= 0 else set()))


def _bound_at_start(entries: bytes, layout: str) -> bool:
    whole = len(entries) - len(entries) % struct.calcsize(layout)
    pairs = struct.iter_unpack(layout, entries[:whole])
    return any(tag == _BIND_NOW or (tag == _FLAGS and value & 8) or (tag == _FLAGS_1 and value & 1) for tag, value in pairs)

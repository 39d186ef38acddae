# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distribution flags by name, and which of them a release demands.

Source: lib/kernel/include/dist.hrl and erts/emulator/beam/dist.h of OTP 23, 25, 27 and 29. The bit of MANDATORY_25_DIGEST is 26 there;
the protocol's guide says 36, which is wrong.
"""

from __future__ import annotations

FLAGS: dict[str, int] = {
    "PUBLISHED": 0x1,
    "ATOM_CACHE": 0x2,
    "EXTENDED_REFERENCES": 0x4,
    "DIST_MONITOR": 0x8,
    "FUN_TAGS": 0x10,
    "DIST_MONITOR_NAME": 0x20,
    "HIDDEN_ATOM_CACHE": 0x40,
    "NEW_FUN_TAGS": 0x80,
    "EXTENDED_PIDS_PORTS": 0x100,
    "EXPORT_PTR_TAG": 0x200,
    "BIT_BINARIES": 0x400,
    "NEW_FLOATS": 0x800,
    "UNICODE_IO": 0x1000,
    "DIST_HDR_ATOM_CACHE": 0x2000,
    "SMALL_ATOM_TAGS": 0x4000,
    "INTERNAL_TAGS": 0x8000,
    "UTF8_ATOMS": 0x10000,
    "MAP_TAG": 0x20000,
    "BIG_CREATION": 0x40000,
    "SEND_SENDER": 0x80000,
    "BIG_SEQTRACE_LABELS": 0x100000,
    "PENDING_CONNECT": 0x200000,
    "EXIT_PAYLOAD": 0x400000,
    "FRAGMENTS": 0x800000,
    "HANDSHAKE_23": 0x1000000,
    "UNLINK_ID": 0x2000000,
    "MANDATORY_25_DIGEST": 0x4000000,
    "SPAWN": 1 << 32,
    "NAME_ME": 1 << 33,
    "V4_NC": 1 << 34,
    "ALIAS": 1 << 35,
    "LOCAL_EXT": 1 << 36,
    "ALTACT_SIG": 1 << 37,
    "NATIVE_RECORDS": 1 << 38,
}

PUBLISHED = FLAGS["PUBLISHED"]
HANDSHAKE_23 = FLAGS["HANDSHAKE_23"]
NAME_ME = FLAGS["NAME_ME"]
SPAWN = FLAGS["SPAWN"]
MANDATORY_25_DIGEST = FLAGS["MANDATORY_25_DIGEST"]

# By the first release that demands them; 23 to 24, 25, and 26 onwards.
MANDATORY: dict[int, int] = {23: 0x50184, 25: 0x1070F94, 26: 0x403070F94}

# What a peer must have for us: the least that any supported release demands.
REQUIRED = MANDATORY[23]

# What we announce. Not PUBLISHED: a probe stays hidden. Nothing that brings an atom cache, fragments or exit payloads.
OURS = MANDATORY[26] | FLAGS["DIST_MONITOR"] | FLAGS["DIST_MONITOR_NAME"] | FLAGS["SMALL_ATOM_TAGS"] | SPAWN


def names(flags: int) -> list[str]:
    """The names of the bits that are set, lowest first; bits without a name as `bit_<n>`."""
    known = {bit: name for name, bit in FLAGS.items()}
    return [known.get(1 << n, f"bit_{n}") for n in range(flags.bit_length()) if flags >> n & 1]


def expand(flags: int) -> int:
    """Flags as a peer means them: the digest bit stands for all that OTP 25 made mandatory."""
    return flags | MANDATORY[25] if flags & MANDATORY_25_DIGEST else flags


def missing(flags: int, required: int = REQUIRED) -> list[str]:
    """The names of the required flags that `flags` lacks."""
    return names(required & ~expand(flags))

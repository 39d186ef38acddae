# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tags of the external term format (guide erl_ext_dist): one byte in front of each term."""

from __future__ import annotations

VERSION = 131

SMALL_INTEGER, INTEGER, FLOAT_TEXT, ATOM_LATIN1 = 97, 98, 99, 100
TUPLE, LARGE_TUPLE, NIL, STRING, LIST, BINARY, SMALL_BIG, LARGE_BIG = 104, 105, 106, 107, 108, 109, 110, 111
NEW_FUN, EXPORT, SMALL_ATOM_LATIN1, MAP, ATOM, SMALL_ATOM, V4_PORT, COMPRESSED = 112, 113, 115, 116, 118, 119, 120, 80
NEW_FLOAT, BIT_BINARY, NEW_PID, NEW_PORT, NEWER_REFERENCE = 70, 77, 88, 89, 90

# Known, and refused.
NOT_TAKEN = {
    82: "ATOM_CACHE_REF", 101: "REFERENCE_EXT", 102: "PORT_EXT", 103: "PID_EXT", 114: "NEW_REFERENCE_EXT", 117: "FUN_EXT", 121: "LOCAL_EXT",
}

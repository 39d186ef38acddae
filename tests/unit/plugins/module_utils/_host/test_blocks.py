# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A block in an operator's file: it comes and goes, and everything else stays to the byte, the attributes included."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

import pytest
from ansible_collections.beam.cluster.plugins.module_utils._host import blocks, records

MARKER = "# {mark} beam.cluster (role test)"
NOBODY = 0xFFFFFFFF


@pytest.mark.parametrize("text", [b"", b"A=1\n", b"A=1", b"A=1\r\nB=2\r\n", b"A=1\n\n\n", b"\xff\xfe\n", b"# BEGIN beam.cluster (role test)\n"])
@pytest.mark.parametrize("later", [b"", b"C=3\n"])
def test_it_comes_and_goes(text: bytes, later: bytes) -> None:
    there = blocks.with_block(text, MARKER, "X=1")
    assert there.startswith(text) and there.endswith(b"# BEGIN beam.cluster (role test)\nX=1\n# END beam.cluster (role test)\n")
    assert blocks.with_block(there, MARKER, "X=1") == there
    assert blocks.block_of(there, MARKER) == "X=1\n"
    changed = blocks.with_block(there + later, MARKER, "X=2\nY=3\n")
    assert changed.count(b"END beam") == 1 and changed.endswith(later)
    open_end = text[-1:] not in (b"", b"\n")
    expected = text + (b"\n" if open_end and later else b"") + later
    assert blocks.without_block(changed, MARKER, open_end) == expected
    assert blocks.without_block(expected, MARKER, open_end) == expected


def test_it_is_found_where_an_editor_has_changed_the_ends_of_lines() -> None:
    there = blocks.with_block(b"A=1\n", MARKER, "X=1").replace(b"\n", b"\r\n")
    assert blocks.with_block(there, MARKER, "X=2").count(b"BEGIN") == 1
    assert blocks.without_block(there, MARKER, False) == b"A=1\r\n"


def attributes(*entries: tuple[int, int, int]) -> bytes:
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.mark.skipif(os.geteuid() != 0, reason="owners are set")
def test_attributes_stay_and_come_back(tmp_path: Path) -> None:
    """Through a link, too. A program keeps its capabilities."""
    file, link = tmp_path / "real", tmp_path / "link"
    file.write_bytes(b"A=1")
    link.symlink_to("real")
    os.chown(file, 1, 2)
    file.chmod(0o640)
    extended = {
        "user.mine": b"x",
        "system.posix_acl_access": attributes((1, 6, NOBODY), (2, 4, 12345), (4, 0, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY)),
        # cap_net_raw=ep, see linux/capability.h: revision 2, effective, the set.
        "security.capability": struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0),
    }
    for name, value in extended.items():
        os.setxattr(file, name, value)

    def seen() -> tuple[int, int, int, dict[str, bytes]]:
        status = file.stat()
        return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), {name: os.getxattr(file, name) for name in os.listxattr(file)}

    before = seen()
    assert before[3] == extended
    recorded = records.looked_at([str(link)])
    assert recorded[str(link)]["mode"] == "0640" and recorded[str(link)]["open_end"]
    blocks.edit(str(link), blocks.with_block(file.read_bytes(), MARKER, "X=1"), 0o644)
    assert link.is_symlink() and b"X=1" in file.read_bytes() and seen() == before
    assert not records.give_back(recorded, str(link))
    for name in extended:
        os.removexattr(file, name)
    os.chown(file, 0, 0)
    file.chmod(0o644)
    assert records.give_back(recorded, str(link)) and seen() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
    assert "extended" not in records.Record(recorded).shown().paths[str(link)]


def test_what_the_directory_gives_to_new_files_is_not_given_to_this_one(tmp_path: Path) -> None:
    """Of a directory with a default ACL: who may read new files there could not read the operator's."""
    file = tmp_path / "file"
    file.write_bytes(b"PASSWORD=x\n")
    file.chmod(0o640)
    rights = ((0x01, 6, NOBODY), (0x02, 4, 4711), (0x04, 4, NOBODY), (0x10, 4, NOBODY), (0x20, 0, NOBODY))
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in rights)
    try:
        os.setxattr(tmp_path, "system.posix_acl_default", acl)
    except OSError:
        pytest.skip("a file system without ACLs")
    blocks.edit(str(file), blocks.with_block(file.read_bytes(), MARKER, "X=1"), 0o644)
    assert "system.posix_acl_access" not in os.listxattr(file) and stat.S_IMODE(file.stat().st_mode) == 0o640
    blocks.edit(str(tmp_path / "new"), b"X=1\n", 0o644)
    assert "system.posix_acl_access" in os.listxattr(tmp_path / "new"), "a file of ours is as any new one there"

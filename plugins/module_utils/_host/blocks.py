# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the operator that get a block of ours: all other bytes stay, and owner, group, mode, ACL and other extended attributes.

Private to this collection. ansible.builtin.blockinfile loses ACLs where Ansible's own files are on another file system (/home, /root on disks of
their own), and the group's bits of the mode, which were the ACL's mask, then are the group's rights.
"""

from __future__ import annotations

import base64
import contextlib
import os
import stat
from collections.abc import Mapping

_OF_THE_KERNEL = ("security.evm", "security.ima")
"""Signatures that the kernel makes of a file; nobody else can set them."""


def with_block(data: bytes, marker: str, block: str) -> bytes:
    """The content of a file with the block: where it was, else at the end."""
    begin, end = _markers(marker)
    lines = data.splitlines(keepends=True)
    first, last = _find(lines, begin, end)
    if first == len(lines) and lines and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\n"
    text = block if block.endswith("\n") else f"{block}\n"
    return b"".join((*lines[:first], begin, b"\n", text.encode(), end, b"\n", *lines[last:]))


def without_block(data: bytes, marker: str, open_end: bool) -> bytes:
    """The content without the block. open_end: the file's last line had no end before the block came behind it."""
    lines = data.splitlines(keepends=True)
    first, last = _find(lines, *_markers(marker))
    if first == last:
        return data
    rest = b"".join(lines[:first])
    return (rest[:-1] if open_end and last == len(lines) else rest) + b"".join(lines[last:])


def block_of(data: bytes, marker: str) -> str:
    """The lines between the markers, empty where there is no block."""
    lines = data.splitlines(keepends=True)
    first, last = _find(lines, *_markers(marker))
    return b"".join(lines[first + 1 : last - 1]).decode("utf-8", "replace") if first < last else ""


def _markers(marker: str) -> tuple[bytes, bytes]:
    return marker.replace("{mark}", "BEGIN").encode(), marker.replace("{mark}", "END").encode()


def _find(lines: list[bytes], begin: bytes, end: bytes) -> tuple[int, int]:
    """The first line of the block and the one after it, whatever ends the lines have; twice the number of lines where there is none."""
    bare = [line.rstrip(b"\r\n") for line in lines]
    for last, line in enumerate(bare):
        if line == end and begin in bare[:last]:
            return last - 1 - bare[last - 1 :: -1].index(begin), last + 1
    return len(lines), len(lines)


def attributes(file: str | int) -> dict[str, str]:
    """The extended attributes of a file or descriptor, ACL and capabilities among them: name to value in base64."""
    try:
        names = os.listxattr(file)
    except OSError:
        # A file system without them.
        return {}
    found = {}
    for name in names:
        if name not in _OF_THE_KERNEL:
            with contextlib.suppress(OSError):
                found[name] = base64.b64encode(os.getxattr(file, name)).decode()
    return found


def set_attributes(file: int, owner: int, group: int, mode: int, extended: Mapping[str, str]) -> bool:
    """Give an open file its owner, group, mode and extended attributes; others than those stay. Returns whether any was different."""
    seen, there = os.fstat(file), attributes(file)
    same = (seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode)) == (owner, group, mode)
    if same and all(there.get(name) == value for name, value in extended.items()):
        return False
    # A change of the owner takes capabilities and bits of the mode away; an ACL has a part of the mode.
    os.fchown(file, owner, group)
    os.fchmod(file, mode)
    for name, value in extended.items():
        os.setxattr(file, name, base64.b64decode(value))
    return True


def replace(path: str, data: bytes, owner: int, group: int, mode: int, extended: Mapping[str, str] | None) -> None:
    """Put a new file in a file's place: whole or not at all, and readable by nobody before it has its mode. extended: None for what a new file gets
    there, such as the ACL that its directory gives."""
    new = f"{path}.beam-new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            if extended is not None:
                # Labels that the kernel gives (security.selinux) stay.
                for name in attributes(stream.fileno()).keys() - extended.keys():
                    if not name.startswith("security."):
                        os.removexattr(stream.fileno(), name)
            set_attributes(stream.fileno(), owner, group, mode, extended or {})
            os.fsync(stream.fileno())
        os.replace(new, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(new)
        raise


def make_directories(path: str) -> None:
    """Those of a path that are missing, readable by everybody whatever the umask of root is."""
    if path and not os.path.isdir(path):
        make_directories(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o755)


def edit(path: str, data: bytes, mode: int) -> None:
    """Give a file another content, at the end of its links. A new one is root's, with this mode."""
    real = os.path.realpath(path)
    try:
        seen = os.stat(real)
    except FileNotFoundError:
        replace(real, data, os.geteuid(), os.getegid(), mode, None)
    else:
        replace(real, data, seen.st_uid, seen.st_gid, stat.S_IMODE(seen.st_mode), attributes(real))

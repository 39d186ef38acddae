# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a host wherever they are, the least deep ones first, for as long as time is left: a backup lies anywhere.

Private to this collection. What is left out holds no copy that somebody has made: pseudo file systems, packages, images of containers. A server
of another host may not answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator

from . import proc

LEFT_OUT = (
    "/proc", "/sys", "/dev", "/usr/bin", "/usr/games", "/usr/include", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec", "/usr/libx32",
    "/usr/sbin", "/usr/share", "/usr/src", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/boot/grub", "/snap", "/nix/store", "/gnu/store",
    "/var/lib/apt", "/var/lib/dpkg", "/var/lib/snapd", "/var/cache/apt", "/var/lib/containerd", "/var/lib/containers", "/var/lib/docker",
    "/var/lib/machines", "/var/lib/lxc", "/var/lib/libvirt/images",
)
_OF_NETWORKS = ("nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "afs", "9p", "autofs", "lustre")
_PSEUDO = ("proc", "sysfs", "cgroup", "cgroup2", "devtmpfs", "devpts", "debugfs", "tracefs", "securityfs", "bpf", "squashfs", "fuse.lxcfs")
SECONDS = 15.0
MOST = 50000


def everywhere(left_out: Collection[str] = (), top: str = "/", seconds: float | None = None) -> Iterator[str]:
    """The paths of files, directory by directory, until the time is up. left_out: beside LEFT_OUT, directories that are searched otherwise."""
    until = time.monotonic() + (SECONDS if seconds is None else seconds)
    without = {*LEFT_OUT, *left_out, *_foreign(proc.text_of("/proc/self/mounts") or "")}
    level, count = [top], 0
    while level:
        below = []
        for directory in level:
            try:
                entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                if time.monotonic() > until or count >= MOST:
                    return
                if entry.is_dir(follow_symlinks=False):
                    below += [entry.path] if entry.path not in without else []
                elif entry.is_file(follow_symlinks=False):
                    count += 1
                    yield entry.path
        level = below


def _foreign(mounts: str) -> Iterator[str]:
    """Where file systems of other hosts and of the kernel are mounted, in the text of /proc/mounts."""
    for fields in (line.split() for line in mounts.splitlines()):
        if len(fields) > 2 and fields[1] != "/" and (fields[2] in (*_OF_NETWORKS, *_PSEUDO) or fields[2].startswith("fuse.")):
            yield fields[1]

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which OTP a virtual machine runs, which is not always the one on disk: an upgrade changes files, and a process keeps what it has loaded.

Private to this collection.
"""

from __future__ import annotations

import glob
import gzip
import os
import re
import time
from collections.abc import Iterator

from . import applications, commands, installed_otp

_DELETED = " (deleted)"
# Mappings that are files of the kernel's own, among them the machine code that the JIT has made.
_NO_FILES = ("/memfd:", "/dev/", "/SYSV", "/[", "/anon_hugepage")
_EMULATOR = re.compile(r"(?P<root>/.*)/erts-(?P<erts>[0-9.]+)/bin/beam(?:\.[a-z.]+)?")
_LOG = "/var/log/dpkg.log"


def describe(pid: int, root: str = "/proc") -> dict[str, object] | None:
    """The virtual machine of a process, None where this user may not look at it.

    `executable` is its path without the kernel's mark, `replaced` are the files that it runs and that are no longer those on disk. `otp_root`
    and `erts` come from the path, `installed_erts` is the one that starts there now (None where the root does not say). `version` is that of
    the OTP that runs, None where it is not known. `package`: name of the Debian package, `installed` version, and the one that the process
    was `started` with (None where the log does not reach back so far); None where it came another way.
    `applications`, `products`: see applications.describe.
    """
    try:
        path = os.readlink(f"{root}/{pid}/exe")
    except OSError:
        return None
    executable = path[: -len(_DELETED)] if path.endswith(_DELETED) else path
    replaced = replaced_files(pid, root)
    match = _EMULATOR.fullmatch(executable)
    otp_root = match.group("root") if match else None
    since = started(pid, root)
    package = _package(f"{otp_root}/bin/erl", since) if otp_root else None
    erts = match.group("erts") if match else None
    installed = _installed_erts(f"{root}/{pid}/root{otp_root}") if otp_root else None
    known = package is not None and package["started"] is not None
    if known and package is not None and package["started"] != package["installed"]:
        version = upstream(str(package["started"]))
    elif otp_root and installed in (None, erts) and (known or executable not in replaced):
        version = installed_otp.release_of(f"{root}/{pid}/root{otp_root}")[1]
    else:
        version = None
    return {
        "executable": executable, "otp_root": otp_root, "erts": erts, "installed_erts": installed,
        "replaced": replaced, "version": version, "package": package,
        **applications.describe(pid, otp_root, erts, since, lambda path: _package(path, since), root),
    }


def _installed_erts(otp_root: str) -> str | None:
    """The first word of `start_erl.data` ('ERTS RELEASE')."""
    try:
        with open(f"{otp_root}/releases/start_erl.data", encoding="utf-8", errors="replace") as stream:
            words = stream.read().split()
    except OSError:
        return None
    return words[0] if len(words) == 2 else None


def replaced_files(pid: int, root: str = "/proc") -> list[str]:
    """The program and the libraries of a process that were deleted, or replaced by others, since it has loaded them."""
    base = f"{root}/{pid}"
    found = []
    try:
        path = os.readlink(f"{base}/exe")
        name = path[: -len(_DELETED)] if path.endswith(_DELETED) else path
        try:
            # Both through the process, whose mounts may be others than ours.
            same = os.path.samestat(os.stat(f"{base}/exe"), os.stat(f"{base}/root{name}"))
        except OSError:
            same = False
        if not same:
            found.append(name)
    except OSError:
        pass
    try:
        with open(f"{base}/maps", encoding="utf-8", errors="replace") as stream:
            found += list(deleted_libraries(stream.read()))
    except OSError:
        pass
    return sorted(set(found))


def deleted_libraries(maps: str) -> Iterator[str]:
    """The files with code in them that `/proc/PID/maps` (proc(5)) calls deleted."""
    for line in maps.splitlines():
        fields = line.split(None, 5)
        if len(fields) == 6 and "x" in fields[1] and fields[5].endswith(_DELETED) and not fields[5].startswith(_NO_FILES):
            yield fields[5][: -len(_DELETED)]


def started(pid: int, root: str = "/proc") -> float | None:
    """When a process was started, in seconds since 1970: field 22 of `/proc/PID/stat` counts ticks since the boot."""
    try:
        with open(f"{root}/{pid}/stat", encoding="utf-8", errors="replace") as stream:
            ticks = int(stream.read().rpartition(")")[2].split()[19])
        with open(f"{root}/stat", encoding="utf-8") as stream:
            boot = next(int(line.split()[1]) for line in stream if line.startswith("btime "))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
    return boot + ticks / os.sysconf("SC_CLK_TCK")


def _package(path: str, since: float | None) -> dict[str, str | None] | None:
    """The Debian package of a file: its name, its version now, and its version when a process was started."""
    name = owner(path)
    if name is None:
        return None
    installed = (commands.output("dpkg-query", "--show", "--showformat=${Version}", name) or "").strip() or None
    return {"name": name, "installed": installed, "started": version_at(_log(), name, since, installed) if since is not None else None}


def owner(path: str) -> str | None:
    """The Debian package that a file belongs to, also under the name that it had before /usr was merged."""
    real = os.path.realpath(path)
    for name in (real, real[len("/usr"):] if real.startswith("/usr/lib") else real):
        text = commands.output("dpkg-query", "--search", name) or ""
        if ": " in text:
            return text.split(":", 1)[0]
    return None


def _log() -> list[str]:
    """All lines of dpkg's log, those that were rotated away first."""
    lines: list[str] = []
    for path in sorted(glob.glob(f"{_LOG}*"), key=_age, reverse=True):
        try:
            with gzip.open(path, "rt", errors="replace") if path.endswith(".gz") else open(path, encoding="utf-8", errors="replace") as stream:
                lines += stream.read().splitlines()
        except OSError:
            continue
    return lines


def _age(path: str) -> int:
    number = path[len(_LOG) + 1 :].partition(".")[0]
    return int(number) if number.isdigit() else 0


def version_at(lines: list[str], name: str, moment: float, installed: str | None) -> str | None:
    """The version that a package had at a moment: what the first upgrade after it replaced. None where the log begins later.

    A line of the log: `2026-11-26 05:13:25 upgrade erlang-base:amd64 OLD NEW`, in local time.
    """
    first = next((when for when in map(_when, lines) if when is not None), None)
    for line in lines:
        words = line.split()
        if len(words) == 6 and words[2] == "upgrade" and words[3].partition(":")[0] == name:
            when = _when(line)
            if when is not None and when > moment:
                return words[4]
    return installed if first is not None and first <= moment else None


def _when(line: str) -> float | None:
    try:
        return time.mktime(time.strptime(line[:19], "%Y-%m-%d %H:%M:%S"))
    except ValueError:
        return None


def upstream(version: str) -> str | None:
    """The version of OTP in that of a Debian package: 27.3.4.1 of 1:27.3.4.1+dfsg-1+deb13u4."""
    match = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", version)
    return match.group(1) if match else None

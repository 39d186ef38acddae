# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a VM and the programs beside it in its unit do that the sandbox refuses: a browser, Node.js, a program for a serial line, a database.

Private to this collection. Of other programs their names and the paths of devices, sockets and directories leave the host, no arguments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator

from .._model.processes import is_beam
from . import proc

WRITABLE_CODE, NAMESPACE, GENERATED_CODE, DEVICE, SOCKET, WRITES = "writable_code", "namespace", "generated_code", "device", "socket", "writes"
OTHER_USER = "other_user"
_WRITABLE = re.compile(rb" rwx[ps] ")
# Without a file, a name or a memfd. The VM's own code is in a memfd: it is mapped twice.
_GENERATED = re.compile(rb"^\S+ ..x[ps] \S+ \S+ 0[ \t]*$", re.MULTILINE)
_EFFECTIVE = re.compile(rb"^Uid:\s+\d+\s+(\d+)", re.MULTILINE)
_KINDS = ("user", "pid", "net")
# What PrivateDevices=yes leaves.
_COMMON = re.compile(r"/dev/(?:null|zero|full|u?random|tty|console|ptmx|log|(?:pts|shm|mqueue|hugepages|fd)(?:/.*)?)")
_ACCEPTS = 0x10000
"""Of the column Flags in /proc/net/unix: __SO_ACCEPTCON of net/unix."""


def describe(processes: Iterable[proc.Process], root: str = "/proc", redirected: Collection[str] = ()) -> list[dict[str, str]]:
    """[{unit, program, reason, path}], each once. processes: the VMs of the host. redirected: units whose output systemd writes to a file. What is
    not ours to look at is left out."""
    machines = {str(one.unit): one.pid for one in processes if is_beam(one.process) and str(one.unit).endswith(".service")}
    activated = _sockets(1, root) if machines else set()
    found: dict[tuple[str, str, str, str], None] = {}
    for pid in sorted(proc.pids(root)) if machines else ():
        one = proc.describe(pid, root)
        if one is None or one.unit not in machines:
            continue
        vm = is_beam(one.process)
        reasons = [*_of_memory(pid, root, vm), *((DEVICE, path) for path in _devices(pid, root))]
        reasons += [(SOCKET, path) for path in _listens(pid, root, activated)]
        if not vm:
            # What the VM itself writes is a fact of its own.
            reasons += [(WRITES, path) for path in proc.writes(pid, root, output=one.unit not in redirected) or ()]
            machine = _namespaces(machines[one.unit], root)
            reasons += [(OTHER_USER, "")] if _is_another(_user(pid, root), _user(machines[one.unit], root)) else []
            reasons += [(NAMESPACE, "")] if machine and _namespaces(pid, root) - machine else []
        for reason, path in reasons:
            found.setdefault((str(one.unit), one.process, reason, path))
    return [{"unit": unit, "program": program, "reason": reason, "path": path} for unit, program, reason, path in found]


def _user(pid: int, root: str) -> bytes:
    """The effective user. The owner of its directory in /proc is root where a process may not be dumped."""
    match = _EFFECTIVE.search(proc.read(f"{root}/{pid}/status"))
    return match.group(1) if match else b""


def _is_another(user: bytes, machine: bytes) -> bool:
    """Whether a program is not its VM's user any more. One of root can become anybody in the sandbox, or no one."""
    return bool(user and machine) and machine != b"0" and user != machine


def _of_memory(pid: int, root: str, vm: bool) -> Iterator[tuple[str, str]]:
    maps = proc.read(f"{root}/{pid}/maps")
    if vm and _GENERATED.search(maps):
        yield GENERATED_CODE, ""
    elif not vm and _WRITABLE.search(maps):
        yield WRITABLE_CODE, ""


def _targets(pid: int, root: str) -> Iterator[str]:
    """Where the descriptors of a process lead, without the first three, which it was started with."""
    try:
        names = os.listdir(f"{root}/{pid}/fd")
    except OSError:
        return
    for name in names:
        if name not in ("0", "1", "2"):
            try:
                yield os.readlink(f"{root}/{pid}/fd/{name}")
            except OSError:
                continue


def _devices(pid: int, root: str) -> list[str]:
    return sorted({path for path in _targets(pid, root) if path.startswith("/dev/") and not _COMMON.fullmatch(path)})


def _sockets(pid: int, root: str) -> set[str]:
    return {path[8:-1] for path in _targets(pid, root) if path.startswith("socket:[")}


def _listens(pid: int, root: str, activated: Collection[str]) -> list[str]:
    """The sockets in the file system on which a process listens. activated: inodes of those that systemd has made for it."""
    own = _sockets(pid, root)
    found = set()
    for line in proc.read(f"{root}/{pid}/net/unix").decode("utf-8", "replace").splitlines() if own else ():
        words = line.split(None, 7)
        if len(words) == 8 and words[6] in own and words[6] not in activated and words[7].startswith("/") and _flags(words[3]) & _ACCEPTS:
            found.add(os.path.join(os.path.realpath(os.path.dirname(words[7])), os.path.basename(words[7])))
    return sorted(found)


def _flags(word: str) -> int:
    try:
        return int(word, 16)
    except ValueError:
        return 0


def _namespaces(pid: int, root: str) -> set[str]:
    try:
        return {os.readlink(f"{root}/{pid}/ns/{kind}") for kind in _KINDS}
    except OSError:
        return set()

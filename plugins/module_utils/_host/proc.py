# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners and BEAM processes as /proc shows them (proc(5)). Without privileges the owners of other users' sockets stay unknown.

Private to this collection.
"""

from __future__ import annotations

import ipaddress
import os
import pwd
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from .._model.secret_rules import PLACEHOLDER

_LISTEN = "0A"
_PROGRAMS = ("beam.smp", "beam", "epmd")
_SECRET_FLAGS = ("-setcookie", "--cookie", "-cookie", "--erlang-cookie")
REDACTED = "REDACTED"
_SET_COOKIE = re.compile(r"set_cookie\s*\(.*", re.DOTALL)
DIGEST = "BEAM_CLUSTER_DIGEST"


@dataclass(frozen=True)
class Process:
    """One process of the host, as far as this user may look."""

    pid: int
    process: str
    user: str
    unit: str | None
    argv: list[str] = field(default_factory=list)
    digest: str | None = None

    @property
    def node(self) -> str | None:
        """The name it was started with. A part before the @ alone stays alone: the VM has completed it, not its command line."""
        for index, argument in enumerate(self.argv[:-1]):
            if argument in ("-name", "-sname"):
                return self.argv[index + 1]
        return None


def read(path: str) -> bytes:
    """A file of /proc, empty where it is gone or not ours to read."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def pids(root: str = "/proc") -> Iterator[int]:
    for name in os.listdir(root):
        if name.isdigit():
            yield int(name)


def user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def unit_of(cgroup: str) -> str | None:
    """The unit in the text of /proc/PID/cgroup: the innermost service or scope of systemd's own hierarchy, or of the unified one."""
    lines = [line.split(":", 2) for line in cgroup.splitlines() if line.count(":") >= 2]
    for wanted in ("name=systemd", ""):
        for _number, controllers, path in lines:
            if controllers == wanted:
                for part in reversed(path.split("/")):
                    if part.endswith((".service", ".scope")):
                        return part
    return None


def redacted(argv: list[str]) -> list[str]:
    """The arguments without a cookie in them: what follows a cookie's flag up to the next flag, and calls that set one."""
    clean: list[str] = []
    hide = False
    fresh = False
    for argument in argv:
        if hide and (fresh or not argument.startswith("-")):
            clean.append(argument if fresh and argument == PLACEHOLDER else REDACTED)
            fresh = False
            continue
        hide = fresh = argument in _SECRET_FLAGS
        name, equals, _value = argument.partition("=")
        if equals and name in _SECRET_FLAGS:
            argument = f"{name}={REDACTED}"
        clean.append(_SET_COOKIE.sub(f"set_cookie({REDACTED})", argument))
    return clean


def describe(pid: int, root: str = "/proc") -> Process | None:
    """A process by its number; None where it has ended."""
    base = f"{root}/{pid}"
    name = read(f"{base}/comm").decode("utf-8", "replace").strip()
    if not name:
        return None
    try:
        user = user_name(os.stat(base).st_uid)
    except OSError:
        return None
    unit = unit_of(read(f"{base}/cgroup").decode("utf-8", "replace"))
    return Process(pid, name, user, unit)


def in_container(pid: int, root: str = "/proc") -> bool:
    """Whether a process lives in a process namespace below ours: then it is another host's."""
    match = re.search(rb"^NSpid:\s*(.*)$", read(f"{root}/{pid}/status"), re.MULTILINE)
    return match is not None and len(match.group(1).split()) > 1


def beam_processes(root: str = "/proc") -> list[Process]:
    """All BEAM virtual machines and epmds, with their command lines (redacted) and our digest from their environment."""
    found = []
    for pid in pids(root):
        process = describe(pid, root)
        if process is None or process.process not in _PROGRAMS or in_container(pid, root):
            continue
        argv = [part.decode("utf-8", "replace") for part in read(f"{root}/{pid}/cmdline").split(b"\0")[:-1]]
        match = re.search(rb"(?:^|\0)" + DIGEST.encode() + rb"=([^\0]*)", read(f"{root}/{pid}/environ"))
        found.append(
            Process(
                pid,
                process.process,
                process.user,
                process.unit,
                redacted(argv),
                match.group(1).decode("utf-8", "replace") if match else None,
            )
        )
    return found


@dataclass(frozen=True)
class Listener:
    """One listening TCP socket. The owner is None where this user may not know it."""

    address: str
    port: int
    family: int
    uid: int
    inode: str


def listening(table: str, family: int) -> Iterator[Listener]:
    """The listening sockets in the text of /proc/net/tcp or tcp6. Addresses are words in the machine's own byte order."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != _LISTEN:
            continue
        words, port = fields[1].rsplit(":", 1)
        packed = bytes.fromhex(words)
        if sys.byteorder == "little":
            packed = b"".join(packed[start : start + 4][::-1] for start in range(0, len(packed), 4))
        yield Listener(str(ipaddress.ip_address(packed)), int(port, 16), family, int(fields[7]), fields[9])


def owners(inodes: set[str], root: str = "/proc") -> dict[str, list[int]]:
    """The processes that hold each socket."""
    found: dict[str, list[int]] = {}
    for pid in pids(root):
        directory = f"{root}/{pid}/fd"
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names:
            try:
                target = os.readlink(f"{directory}/{name}")
            except OSError:
                continue
            if target.startswith("socket:[") and target[8:-1] in inodes:
                holders = found.setdefault(target[8:-1], [])
                if pid not in holders:
                    holders.append(pid)
    return found


def listeners(root: str = "/proc") -> list[dict[str, object]]:
    """Every listening TCP socket with its owner. One that systemd holds for a service shows the service's process where it runs."""
    sockets = []
    for name, family in (("tcp", 4), ("tcp6", 6)):
        sockets += list(listening(read(f"{root}/net/{name}").decode("ascii", "replace"), family))
    holders = owners({entry.inode for entry in sockets}, root)
    result = []
    for entry in sorted(sockets, key=lambda one: (one.port, one.family, one.address)):
        pid = max(holders.get(entry.inode, ()), default=None)
        process = describe(pid, root) if pid is not None else None
        result.append(
            {
                "address": entry.address,
                "port": entry.port,
                "family": entry.family,
                "pid": pid,
                "process": process.process if process else None,
                "unit": process.unit if process else None,
                "user": process.user if process else user_name(entry.uid),
            }
        )
    return result


def processes(root: str = "/proc") -> list[dict[str, object]]:
    return [dict(asdict(process), node=process.node) for process in beam_processes(root)]


def ephemeral_ports(root: str = "/proc") -> dict[str, object] | None:
    """The ports that the kernel gives to outgoing connections, and those that it leaves out: C({range: [first, last], reserved: [[first, last]]})."""
    first_last = read(f"{root}/sys/net/ipv4/ip_local_port_range").split()
    if len(first_last) != 2:
        return None
    reserved = read(f"{root}/sys/net/ipv4/ip_local_reserved_ports").decode().strip()
    windows = [part.partition("-") for part in reserved.split(",") if part]
    return {"range": [int(end) for end in first_last], "reserved": [[int(first), int(last or first)] for first, _dash, last in windows]}


def default_interfaces(root: str = "/proc") -> set[tuple[str, int]]:
    """Interface and family of every default route in the main tables; those that only reject do not count."""
    found = set()
    for line in read(f"{root}/net/route").decode("ascii", "replace").splitlines()[1:]:
        fields = line.split()
        if len(fields) > 7 and fields[1] == "00000000" and fields[7] == "00000000":
            found.add((fields[0], 4))
    for line in read(f"{root}/net/ipv6_route").decode("ascii", "replace").splitlines():
        fields = line.split()
        if len(fields) > 9 and fields[0] == "0" * 32 and fields[1] == "00" and fields[9] != "lo":
            found.add((fields[9], 6))
    return found

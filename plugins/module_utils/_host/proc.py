# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listeners and BEAM processes as /proc shows them (proc(5)). Without privileges the owners of other users' sockets stay unknown.

Private to this collection.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from .._model.environment_variables import is_adding
from .._model.installed import ARGUMENT_FILES
from .._model.processes import UNLIMITED, VmFlags, is_beam
from .._model.secret_rules import in_file
from .._model.tls_files import TlsFiles
from . import start_files
from .environment import DIGEST, digest_of
from .product_of_vm import tls_files, traces
from .records import DIRECTORY
from .vm_flags import code_flag_names, code_flags, value_of, vm_flags
from .writers import user_name

_LISTEN = "0A"
# The variables of a process that are looked at, on this host: nothing of them is returned as it is but the digest and the home.
_VARIABLES = re.compile(r"HOME|RELEASE_VM_ARGS|VMARGS_PATH|ERL_[A-Z0-9_]*FLAGS|" + DIGEST)
_USER_MANAGER = re.compile(r"user@[0-9]+\.service")
_LARGEST = 1 << 20
_CORE_LIMIT = re.compile(rb"^Max core file size\s+(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Process:
    """One process of the host, as far as this user may look. Of a VM or an epmd, with what Observation.Process says of the rest."""

    pid: int
    process: str
    user: str
    unit: str | None
    flags: VmFlags = VmFlags(arguments_read=False)
    digest: str | None = None
    started: float | None = None
    core_limit: int | None = None
    home: str | None = None
    root: str | None = None
    container: bool = False
    own_network: bool = False
    adding: tuple[str, ...] | None = None
    runs: tuple[str, ...] = ()
    traces: frozenset[str] = frozenset()
    tls_files: TlsFiles | None = None

    @property
    def node(self) -> str | None:
        """The name it was started with. A part before the @ alone stays alone: the VM has completed it, not its command line."""
        return self.flags.name


def read(path: str) -> bytes:
    """A file of /proc, empty where it is gone or not ours to read."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def text_of(path: str) -> str | None:
    """A setting of the kernel, or a file of configuration: at most a mebibyte of it. None where it is gone or not ours to read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(_LARGEST)
    except OSError:
        return None


def pids(root: str = "/proc") -> Iterator[int]:
    for name in os.listdir(root):
        if name.isdigit():
            yield int(name)


def unit_of(cgroup: str) -> str | None:
    """The unit in the text of /proc/PID/cgroup: the innermost service or scope of systemd's own hierarchy, or of the unified one."""
    lines = [line.split(":", 2) for line in cgroup.splitlines() if line.count(":") >= 2]
    for wanted in ("name=systemd", ""):
        for _number, controllers, path in lines:
            if controllers == wanted:
                parts = path.split("/")
                # What a user's own manager runs has whatever name the user likes: it belongs to that manager's unit.
                manager = next((part for part in parts if _USER_MANAGER.fullmatch(part)), None)
                for part in [manager] if manager else reversed(parts):
                    if part.endswith((".service", ".scope")):
                        return part
    return None


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


def has_own_network(pid: int, root: str = "/proc") -> bool:
    """Whether a process is in another network namespace than ours: its sockets are in none of our tables. False where it is not ours to look."""
    try:
        return os.readlink(f"{root}/{pid}/ns/net") != os.readlink(f"{root}/self/ns/net")
    except OSError:
        return False


def environment(pid: int, root: str = "/proc") -> dict[str, str]:
    """The few variables that matter of a process's environment. Empty where it is not ours to read."""
    return {name: value for name, value in _pairs(pid, root) if _VARIABLES.fullmatch(name)}


def _pairs(pid: int, root: str) -> Iterator[tuple[str, str]]:
    for part in read(f"{root}/{pid}/environ").split(b"\0"):
        name, equals, value = part.decode("utf-8", "replace").partition("=")
        if equals:
            yield name, value


def adding(pid: int, root: str = "/proc") -> tuple[str, ...] | None:
    """The names of the variables that add flags, code or commands to a VM. None where its environment is not ours to read."""
    pairs = list(_pairs(pid, root))
    return tuple(sorted(name for name, value in pairs if value and is_adding(name))) if pairs else None


def _in_file(path: str) -> set[tuple[str, ...]]:
    """The code flags in a file of arguments."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return set(code_flags(shlex.split(stream.read(), comments=True)))
    except (OSError, ValueError):
        return set()


def code_runs(arguments: list[str], variables: Mapping[str, str], inside: str = "") -> tuple[str, ...]:
    """The code flags of a VM that no argument file of ours has, each with the file in which it stands: "-s mod in /a/vm.args". See VmFlags.runs.

    inside: where the process's file system begins.
    """
    files = start_files.argument_files(arguments, variables, inside)
    directories = {os.path.dirname(path) for path in files if os.path.normpath(path).startswith(DIRECTORY)}
    own = {flag for directory in directories for name in ARGUMENT_FILES for flag in _in_file(f"{inside}{directory}/{name}")}
    foreign = [flag for flag in code_flags(arguments[1:]) if flag not in own]
    places = {path: _in_file(f"{inside}{path}") for path in files} if foreign else {}
    found: set[str] = set()
    for flag in foreign:
        path = next((path for path, flags in places.items() if flag in flags), "")
        found.update(f"{name} in {path}" if path else name for name in code_flag_names([flag]))
    return tuple(sorted(found))


def started(pid: int, root: str = "/proc") -> float | None:
    """When a process began, in seconds since 1970: less than a second too early, because the time of the boot has no fraction."""
    boot = re.search(rb"^btime (\d+)", read(f"{root}/stat"), re.MULTILINE)
    # The name, in parentheses, may hold anything.
    fields = read(f"{root}/{pid}/stat").rpartition(b")")[2].split()
    if boot is None or len(fields) < 20:
        return None
    return int(boot.group(1)) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def began(pid: int, root: str = "/proc") -> float | None:
    """When a VM began to run in a process, as started(): a start script may have run in it before. A VM's first child is its helper."""
    for child in read(f"{root}/{pid}/task/{pid}/children").split():
        if read(f"{root}/{int(child)}/comm").startswith(b"erl_child_setup"):
            return started(int(child), root)
    return started(pid, root)


def core_limit(pid: int, root: str = "/proc") -> int | None:
    """The soft limit of core dumps of a process in bytes, UNLIMITED where there is none."""
    match = _CORE_LIMIT.search(read(f"{root}/{pid}/limits"))
    if match is None:
        return None
    return int(match.group(1)) if match.group(1).isdigit() else UNLIMITED


def _cookie(base: str, home: str | None) -> str | None:
    """The cookie in the cookie file of a process, None where there is none to be seen. It is compared with, and goes nowhere."""
    found = in_file(read(f"{base}/root{home}/.erlang.cookie")) if home else None
    return found.decode("latin-1") if found else None


def beam_processes(root: str = "/proc") -> list[Process]:
    """All BEAM virtual machines and epmds, those in containers included."""
    found = []
    for pid in pids(root):
        process = describe(pid, root)
        if process is None or not (process.process == "epmd" or is_beam(process.process)):
            continue
        arguments = [part.decode("utf-8", "replace") for part in read(f"{root}/{pid}/cmdline").split(b"\0")[:-1]]
        variables = environment(pid, root)
        flags = vm_flags(arguments, variables, _cookie(f"{root}/{pid}", variables.get("HOME")))
        inside = f"{root}/{pid}/root"
        if not os.path.isdir(f"{root}/{pid}"):
            # It has ended while it was looked at, as tools do: what was read of it is no process's.
            continue
        found.append(
            replace(
                process,
                flags=flags,
                adding=adding(pid, root),
                runs=code_runs(arguments, variables, inside if os.access(inside, os.X_OK) else ""),
                digest=digest_of(variables),
                started=started(pid, root),
                core_limit=core_limit(pid, root),
                home=value_of(arguments, "-home") or variables.get("HOME"),
                root=value_of(arguments, "-root"),
                container=in_container(pid, root),
                own_network=has_own_network(pid, root),
                traces=traces(arguments, inside if os.access(inside, os.X_OK) else ""),
                tls_files=tls_files(arguments, inside if os.access(inside, os.X_OK) else ""),
            )
        )
    return found


def working_directory(pid: int, root: str = "/proc") -> str | None:
    try:
        return os.readlink(f"{root}/{pid}/cwd")
    except OSError:
        return None


def machines_of(node: str, unit: str | None) -> list[Process]:
    """The processes that are a node: those of its unit, and those that were started with its name."""
    return [
        one for one in beam_processes()
        if one.process != "epmd" and not one.container and (one.flags.name == node or (unit is not None and one.unit == unit))
    ]


_WRITES = re.compile(rb"^flags:\s+0*([0-7]+)$", re.MULTILINE)


def writes(pid: int, root: str = "/proc", output: bool = True) -> list[str] | None:
    """The directories of the files that a process has open to write; None where it is not ours to look. output: whether descriptors 1 and 2 count:
    systemd itself may have opened them (StandardOutput=append:...)."""
    directory = f"{root}/{pid}/fd"
    found = set()
    try:
        names = os.listdir(directory)
    except OSError:
        return None
    for name in names:
        if name in ("1", "2") and not output:
            continue
        match = _WRITES.search(read(f"{root}/{pid}/fdinfo/{name}"))
        if match is None or not int(match.group(1), 8) & (os.O_WRONLY | os.O_RDWR):
            continue
        try:
            target = os.readlink(f"{directory}/{name}")
        except OSError:
            continue
        if target.startswith("/") and not target.startswith(("/dev/", "/proc/")) and not target.endswith(" (deleted)"):
            found.add(os.path.dirname(target))
    return sorted(found)


def unprivileged_port(root: str = "/proc") -> int | None:
    """The first port that a process may listen on without a capability."""
    text = read(f"{root}/sys/net/ipv4/ip_unprivileged_port_start").strip()
    return int(text) if text.isdigit() else None


@dataclass(frozen=True)
class Socket:
    """One TCP socket of the kernel's table. The addresses are as the kernel has them; an inode of 0 belongs to no process."""

    state: str
    local: tuple[str, int]
    remote: tuple[str, int]
    family: int
    uid: int
    inode: str


def _end(field: str) -> tuple[str, int]:
    """0100007F:1F90 as address and port: words of 32 bits in the host's byte order."""
    words, port = field.rsplit(":", 1)
    packed = bytes.fromhex(words)
    if sys.byteorder == "little":
        packed = b"".join(packed[start : start + 4][::-1] for start in range(0, len(packed), 4))
    return str(ipaddress.ip_address(packed)), int(port, 16)


def table(text: str, family: int, state: str) -> Iterator[Socket]:
    """The sockets of one state in the text of /proc/net/tcp or tcp6 (proc_net_tcp in the kernel's documentation)."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= 10 and fields[3] == state:
            yield Socket(state, _end(fields[1]), _end(fields[2]), family, int(fields[7]), fields[9])


def sockets(state: str, root: str = "/proc") -> list[Socket] | None:
    """All sockets of one state in this network namespace. None where the kernel's tables cannot be read; without IPv6 there is one table only."""
    texts = {family: read(f"{root}/net/{name}").decode("ascii", "replace") for name, family in (("tcp", 4), ("tcp6", 6))}
    if not any(texts.values()):
        return None
    return [found for family, text in texts.items() for found in table(text, family, state)]


def owners(inodes: set[str], root: str = "/proc") -> dict[str, list[int]]:
    """The processes that hold each socket. A descriptor that is closed while we look is one fewer, and no more than that."""
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


def listeners(root: str = "/proc") -> list[dict[str, object]] | None:
    """Every listening TCP socket with its owner, None where that is unknown. One that systemd holds for a service shows the service's process
    where it runs."""
    found = sockets(_LISTEN, root)
    if found is None:
        return None
    holders = owners({entry.inode for entry in found}, root)
    result = []
    for entry in sorted(found, key=lambda one: (one.local[1], one.family, one.local[0])):
        pid = max(holders.get(entry.inode, ()), default=None)
        process = describe(pid, root) if pid is not None else None
        result.append(
            {
                "address": entry.local[0],
                "port": entry.local[1],
                "family": entry.family,
                "pid": pid,
                "process": process.process if process else None,
                "unit": process.unit if process else None,
                "user": process.user if process else user_name(entry.uid),
            }
        )
    return result


def as_dict(process: Process) -> dict[str, object]:
    """For JSON."""
    return dict(asdict(process), node=process.node, traces=sorted(process.traces))


def ephemeral_ports(root: str = "/proc") -> dict[str, object] | None:
    """The ports that the kernel gives to outgoing connections, and those that it leaves out: `{range: [first, last], reserved: [[first, last]]}`."""
    first_last = read(f"{root}/sys/net/ipv4/ip_local_port_range").split()
    if len(first_last) != 2:
        return None
    reserved = read(f"{root}/sys/net/ipv4/ip_local_reserved_ports").decode().strip()
    port_ranges = [part.partition("-") for part in reserved.split(",") if part]
    return {"range": [int(end) for end in first_last], "reserved": [[int(first), int(last or first)] for first, _dash, last in port_ranges]}


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

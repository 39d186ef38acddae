# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system around the nodes: memory on disk, what users see of each other, the clock.

Private to this collection. Reads /proc and /sys, and asks the kernel for the state of its clock. Changes nothing.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable, Sequence

from .._model.processes import is_beam
from .._model.secret_rules import in_file
from .._model.system_facts import is_on
from . import proc, programs, sysctls
from .process_hardening import holds_one
from .writers import user_name

_TIME_SERVICES = ("systemd-timesyn", "chronyd", "ntpd", "openntpd", "ptp4l", "phc2sys", "vmtoolsd", "VBoxService", "qemu-ga")
_TIMEX_BYTES = 512
"""More than any struct timex; its first field is `modes`, and 0 there reads only (adjtimex(2))."""
_TIME_ERROR = 5


def describe(homes: Iterable[str], users: Iterable[str], cookie_files: Iterable[str] | None) -> dict[str, object]:
    """Most of the fact `system`; see SystemFacts. homes, users: of VMs. cookie_files: None where secrets are not to be read."""
    processes = _Processes(set(users), None if cookie_files is None else _cookies(cookie_files))
    return {
        "core_pattern": _sysctl("kernel/core_pattern"),
        "suid_dumpable": _number("fs/suid_dumpable"),
        "ptrace_scope": _ptrace_scope(),
        "route_localnet": route_localnet(),
        "sysctls_at_boot": sysctls.at_boot(),
        "preloaded": programs.preloaded(),
        "hidepid": hidepid(proc.text_of("/proc/mounts")),
        "swaps": swaps(proc.text_of("/proc/swaps")),
        "clock_synchronized": clock_synchronized(),
        "time_services": sorted(processes.time_services),
        "service_users": {user: sorted(units) for user, units in processes.units.items()},
        "cookie_arguments": processes.exposed,
        "dist_hosts": sorted(path for path in (f"{home}/.hosts.erlang" for home in set(homes)) if os.path.exists(path)),
    }


def _sysctl(name: str) -> str | None:
    text = proc.text_of(f"/proc/sys/{name}")
    return None if text is None else text.strip()


def _number(name: str) -> int | None:
    text = _sysctl(name) or ""
    return int(text) if text.isdigit() else None


def _ptrace_scope() -> int | None:
    """0 on a kernel without Yama: any process of a user traces the others of that user."""
    if os.path.isdir("/proc/sys/kernel") and not os.path.exists("/proc/sys/kernel/yama"):
        return 0
    return _number("kernel/yama/ptrace_scope")


def route_localnet(root: str = "/proc/sys/net/ipv4/conf") -> list[str] | None:
    """The interfaces over which other hosts reach 127.0.0.0/8 (ip-sysctl, route_localnet), "all" among them. None where that cannot be read."""
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return None
    return [name for name in names if name != "lo" and is_on(proc.text_of(f"{root}/{name}/route_localnet") or "0")]


def hidepid(mounts: str | None) -> str | None:
    """The option of the mount of /proc in the text of /proc/mounts; "0" without it (proc(5))."""
    for line in (mounts or "").splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[1] == "/proc" and fields[2] == "proc":
            found = [option.partition("=")[2] for option in fields[3].split(",") if option.startswith("hidepid=")]
            return found[-1] if found else "0"
    return None


def swaps(text: str | None) -> list[dict[str, object]] | None:
    """The swap areas in the text of /proc/swaps. `protected`: in memory (zram) or on a device of dm-crypt; None where that is not known."""
    if text is None:
        return None
    names = [line.split()[0] for line in text.splitlines()[1:] if line.split()]
    return [{"name": name, "protected": _protected(name)} for name in names]


def _protected(name: str) -> bool | None:
    if name.startswith("/dev/zram"):
        return True
    try:
        device = os.path.basename(os.path.realpath(name))
        if not device.startswith("dm-"):
            return False
        with open(f"/sys/class/block/{device}/dm/uuid", encoding="utf-8") as stream:
            return stream.read().startswith("CRYPT-")
    except OSError:
        return None


def clock_synchronized() -> bool | None:
    """Whether the kernel says that something keeps its clock right (adjtimex(2) with modes 0, which only reads). None where it may not be asked."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def _cookies(paths: Iterable[str]) -> list[bytes]:
    found = (in_file(proc.read(path)) for path in set(paths))
    return [cookie for cookie in found if cookie]


class _Processes:
    """What one look at all processes shows. exposed: those with a cookie in their arguments or, beside nodes and what these start, in their
    environment; None where cookies are not to be read."""

    def __init__(self, users: set[str], cookies: Sequence[bytes] | None, root: str = "/proc") -> None:
        self.units: dict[str, set[str]] = {}
        self.time_services: set[str] = set()
        self.exposed: list[dict[str, object]] | None = None if cookies is None else []
        of_nodes: set[str | None] = set()
        found: list[tuple[str | None, dict[str, object]]] = []
        for pid in proc.pids(root):
            base = f"{root}/{pid}"
            try:
                user = user_name(os.stat(base).st_uid)
            except OSError:
                continue
            name = proc.read(f"{base}/comm").decode("utf-8", "replace").strip()
            if name in _TIME_SERVICES:
                self.time_services.add(name)
            unit = proc.unit_of(proc.read(f"{base}/cgroup").decode("utf-8", "replace"))
            if user in users:
                self.units.setdefault(user, set()).update([unit] if unit and not proc.in_container(pid, root) else [])
            for where, file in (("arguments", "cmdline"), ("environment", "environ")) if cookies and self.exposed is not None else ():
                if not holds_one(proc.read(f"{base}/{file}"), cookies or ()):
                    continue
                if where == "environment" and is_beam(name):
                    # The control cookie-environment tells of it.
                    of_nodes.add(unit)
                else:
                    found.append((unit, {"pid": pid, "process": name, "user": user, "where": where}))
        if self.exposed is not None:
            self.exposed = [one for unit, one in found if one["where"] == "arguments" or unit is None or unit not in of_nodes]

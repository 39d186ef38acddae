# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a run: two runs never change one host at the same time. Pure.

A lock is a record on the host, not a process: it says whose run it is. The controller decides whether that run still exists.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone

LONGEST_HOURS = 6
"""After so long a lock counts no more, whatever became of its run. The longest run is a rolling restart of a large cluster."""

INITIAL_NAMESPACE = "pid:[4026531836]"
"""The process namespace of a Linux system itself: PROC_PID_INIT_INO of the kernel. Of a container it is another one."""


@dataclass(frozen=True)
class Controller:
    """Where a run was started. `host`: its name. boot: id of the boot, namespace: process namespace; both are empty where there is no /proc."""

    host: str
    boot: str = ""
    namespace: str = ""


@dataclass(frozen=True)
class Holder:
    """The run that holds a lock.

    user: on the controller. pid, started: of ansible-playbook there; started: in ticks since the boot, empty where it is not known. playbook: as on
    the command line. since: seconds since 1970 by the clock of the locked host, 0 before it holds the lock.
    """

    user: str
    host: str
    boot: str
    namespace: str
    pid: int
    started: str
    playbook: str
    since: float = 0.0

    @property
    def run(self) -> tuple[object, ...]:
        return self.host, self.boot, self.namespace, self.pid, self.started

    def as_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def parse(cls, raw: object) -> Holder | None:
        """None where the record is none of ours, for example half a file."""
        if not isinstance(raw, Mapping) or not all(isinstance(raw.get(field.name), (str, int, float)) for field in fields(cls)):
            return None
        texts = {name: str(raw[name]) for name in ("user", "host", "boot", "namespace", "started", "playbook")}
        try:
            return cls(**texts, pid=int(raw["pid"]), since=float(raw["since"]))
        except ValueError:
            return None


def is_over(holder: Holder, here: Controller, alive: bool, now: float) -> bool:
    """Whether the run that holds a lock does not exist any more, as far as a controller can know.

    alive: whether `here` has a process with the pid and the start of the holder. now: the time of the locked host. Of a run of another controller
    nothing but its age is known. A clock that was set back does not make a lock older.
    """
    if now - holder.since > LONGEST_HOURS * 3600:
        return True
    if holder.host != here.host:
        return False
    if holder.boot != here.boot:
        # The name of a container says nothing: two of them can have the same one.
        return holder.namespace == here.namespace == INITIAL_NAMESPACE
    return holder.namespace == here.namespace and not alive


def described(holder: Holder, now: float) -> str:
    """Who holds a lock, to the minute: the same words for all hosts of one run. now: the time of the locked host."""
    since = datetime.fromtimestamp(holder.since, timezone.utc).strftime("%Y-%m-%d %H:%M")
    minutes = max(0, int((now - holder.since) // 60))
    return f"{holder.user}@{holder.host} runs {holder.playbook} (pid {holder.pid}) since {since} UTC ({minutes} min)"

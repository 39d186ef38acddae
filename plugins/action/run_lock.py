# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`beam.cluster.run_lock`: adds which run this is, and whether the run that holds a lock still exists."""

from __future__ import annotations

import getpass
import multiprocessing
import os
import socket
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.action import ActionBase
from ansible_collections.beam.cluster.plugins.module_utils._model.run_lock_rules import Controller, Holder, described, is_over


class ActionModule(ActionBase):
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, given = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
                "override": {"type": "bool", "default": False},
            },
        )
        here = controller()
        arguments = {"state": given["state"], "holder": this_run(here).as_dict()}
        result = self._execute_module(module_args=arguments, task_vars=task_vars)
        other = Holder.parse(result.get("held"))
        if other is None:
            return result
        now = float(result["epoch"])
        if not given["override"] and not is_over(other, here, started(other.pid) == other.started, now):
            return {**result, "held_by": described(other, now)}
        result = self._execute_module(module_args={**arguments, "instead_of": other.as_dict()}, task_vars=task_vars)
        if not result.get("failed") and "held" not in result:
            result["taken_over"] = other.as_dict()
        return result


def controller() -> Controller:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        boot = namespace = ""
    return Controller(socket.gethostname(), boot, namespace)


def this_run(here: Controller) -> Holder:
    """A task runs in a process of its own: its parent is the run."""
    parent = multiprocessing.parent_process()
    pid = (parent.pid if parent else None) or os.getpid()
    names = [str(name) for name in context.CLIARGS.get("args") or ()]
    playbook = ", ".join(name if name.startswith("beam.cluster.") else Path(name).name for name in names) or "a playbook"
    return Holder(user(), here.host, here.boot, here.namespace, pid, started(pid) or "", playbook)


def started(pid: int) -> str | None:
    """When a process of the controller was started, field 22 of /proc/PID/stat. Empty where there is no /proc, None where there is no process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return None if Path("/proc/self/stat").exists() else ""


def user() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process is what the files say, and why it has to be restarted. Pure.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .observation import Observation
from .processes import Process

_MOST = 5
"""How many files of one process are named."""


def vm_problems(process: Process) -> list[str]:
    """How the OTP that a process runs differs from the one on disk; empty where it does not, or where nobody could look (vm is None)."""
    vm = process.vm
    if vm is None:
        return []
    who = f"pid {process.pid}"
    problems = []
    package = vm.package
    if package and package.started and package.started != package.installed:
        problems.append(f"{who} runs {package.name} {package.started}, and {package.installed} is installed")
    if vm.installed_erts and vm.installed_erts != vm.erts:
        problems.append(f"{who} runs ERTS {vm.erts}, and {vm.otp_root} has ERTS {vm.installed_erts} now")
    if vm.replaced:
        more = f" and {len(vm.replaced) - _MOST} more" if len(vm.replaced) > _MOST else ""
        belongs = f" of the package {package.name}" if package and vm.executable in vm.replaced else ""
        problems.append(f"{who} runs {', '.join(vm.replaced[:_MOST])}{more}{belongs}, which is no longer the file on disk")
    return problems


def restart_reasons(unit: str, processes: Iterable[Process] | None, digest: str, cookie: str = "") -> list[str]:
    """Why the node of a unit that is active has to be restarted; empty where its process is what the files say.

    `processes` are all of the host, None where they are not known; `digest` is that of the files now; `cookie` is the state that the module
    `cookie` has returned for the node.
    """
    running = [process for process in processes or () if process.unit == unit and process.is_vm]
    if not running:
        return [f"no virtual machine runs in {unit}"]
    reasons = []
    for process in running:
        if process.digest != digest:
            reasons.append(f"pid {process.pid} was started with other files or directives than the present ones")
        reasons += vm_problems(process)
    if cookie == "refused":
        reasons.append("it does not accept the cookie in its cookie file")
    return reasons


def postponed_reasons(left: Iterable[str]) -> list[str]:
    """Why a node has to be restarted some day, but not by a run that nobody asked to restart nodes.

    left: names that it still lets connect, and that are no members'. net_kernel:allow/1 only adds names.
    """
    names = sorted(left)
    return [f"it lets {', '.join(names)} connect by name, which {'is no member' if len(names) == 1 else 'are no members'}"] if names else []


def states(
    seen: Observation,
    nodes: Iterable[Mapping[str, Any]],
    digests: Mapping[str, str],
    cookies: Mapping[str, Any],
    requested: object = (),
    left: Mapping[str, Iterable[str]] | None = None,
    postponed: bool = False,
    upgrades: Collection[str] = (),
    restart_from: str = "",
) -> list[dict[str, Any]]:
    """The state of each node of a host, for the role service: whether its unit is `missing`, `runs`, is `current`, and the `reasons` why not.

    requested: "all", or the names of the nodes that the operator wants to restart. left: see `postponed_reasons`, by node. Those reasons are in
    `postponed`, and with postponed=True in `reasons`. upgrades: packages that this run upgrades on the host, each as package=version.
    restart_from: when nodes may restart, empty for now. Until then all reasons are in `postponed`, and the node `waits`.
    """
    result = []
    for node in nodes:
        unit = (seen.units or {}).get(node["unit"])
        runs = unit is not None and unit.active == "active"
        cookie = (cookies.get(node["node"]) or {}).get("state") or ""
        reasons = restart_reasons(node["unit"], seen.processes, digests[node["node"]], cookie) if runs else []
        if runs and (requested == "all" or isinstance(requested, (list, tuple)) and node["node"] in requested):
            reasons.append("beam_service_restart asks for it")
        if runs and upgrades:
            names = sorted(package.partition("=")[0] for package in upgrades)
            reasons.append(f"this run upgrades {', '.join(names[:_MOST])}{f' and {len(names) - _MOST} more packages' if len(names) > _MOST else ''}")
        later = postponed_reasons((left or {}).get(node["node"], ())) if runs else []
        reasons += later if postponed else []
        later = [] if postponed else later
        waits = bool(reasons and restart_from)
        if waits:
            later = [*(f"{reason} (restarts wait for beam_restart_window, {restart_from})" for reason in reasons), *later]
        result.append(
            {
                "host": seen.host,
                "node": dict(node),
                "missing": unit is None or unit.load in ("", "not-found"),
                "runs": runs,
                "current": runs and not reasons,
                "waits": waits,
                "reasons": [] if waits else reasons,
                "postponed": later,
            }
        )
    return result

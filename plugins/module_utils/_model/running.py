# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a process is what the files say, and why it has to be restarted. Pure.

Private to this collection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_MOST = 5
"""How many files of one process are named."""


def vm_problems(process: Mapping[str, Any]) -> list[str]:
    """What of the program that a process runs is not what is on disk. `process` is one of `observe`, whose `vm` is not null."""
    vm = process["vm"]
    who = f"pid {process['pid']}"
    problems = []
    package = vm.get("package") or {}
    name = package.get("name")
    if package.get("started") and package["started"] != package.get("installed"):
        problems.append(f"{who} runs {name} {package['started']}, and {package.get('installed')} is installed")
    if vm.get("installed_erts") and vm["installed_erts"] != vm.get("erts"):
        problems.append(f"{who} runs ERTS {vm.get('erts')}, and {vm.get('otp_root')} has ERTS {vm['installed_erts']} now")
    replaced = list(vm.get("replaced") or ())
    if replaced:
        more = f" and {len(replaced) - _MOST} more" if len(replaced) > _MOST else ""
        belongs = f" of the package {name}" if name and vm.get("executable") in replaced else ""
        problems.append(f"{who} runs {', '.join(replaced[:_MOST])}{more}{belongs}, which is no longer the file on disk")
    return problems


def restart_reasons(node: Mapping[str, Any], processes: Iterable[Mapping[str, Any]], digest: str, cookie: str = "") -> list[str]:
    """Why a node that runs has to be restarted; empty where it is what the files say.

    `processes` are all of `observe`; `digest` is that of the files now; `cookie` is the state that the module `cookie` has returned for the node.
    """
    running = [process for process in processes if process.get("unit") == node["unit"] and process.get("process") != "epmd"]
    if not running:
        return [f"no virtual machine runs in {node['unit']}"]
    reasons = []
    for process in running:
        if process.get("digest") != digest:
            reasons.append(f"pid {process['pid']} was started with other files or directives than those that are there now")
        if process.get("vm"):
            reasons += vm_problems(process)
    if cookie == "refused":
        reasons.append("it does not accept the cookie in its cookie file")
    return reasons


def states(
    host: str, nodes: Iterable[Mapping[str, Any]], observed: Mapping[str, Any], digests: Mapping[str, str], cookies: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """The state of each node of a host, for the role service: whether it is `missing`, `runs`, is `current`, and the `reasons` why it is not."""
    result = []
    for node in nodes:
        unit = observed["units"].get(node["unit"]) or {}
        runs = unit.get("active") == "active"
        cookie = (cookies.get(node["node"]) or {}).get("state") or ""
        reasons = restart_reasons(node, observed["processes"], digests[node["node"]], cookie) if runs else []
        result.append({
            "host": host, "node": dict(node), "missing": unit.get("load", "not-found") == "not-found",
            "runs": runs, "current": runs and not reasons, "reasons": reasons,
        })
    return result

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the operating system around the nodes: its clock, its core dumps, its swap, and what processes see of each other.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Callable

from ..._model.observation import Observation
from ..._model.system_facts import SystemFacts, is_on
from ..controls.thresholds import CLOCK_SECONDS_MAX
from ..finding import NOT_TESTED, Result, result
from ..target import HostTarget
from .parts import Check

_OfSystem = Callable[[SystemFacts], "tuple[list[str], str] | None"]
_NO_SYSTEM = "the operating system was not looked at"
_KEEPS_LIMITS = "/systemd-coredump"
_BRIDGES = ("docker", "br-", "podman", "cni", "veth", "virbr")
_UNSAFE_PLACES = ("/tmp", "/var/tmp", "/dev/shm")


def of_system(said: _OfSystem, what: str) -> Check:
    """said: problems and what is good; None where it is not known."""

    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        found = said(seen.system) if seen.system else None
        if found is None:
            yield Result(host.name, NOT_TESTED, (f"{what} could not be read" if seen.system else _NO_SYSTEM,))
        else:
            yield result(host.name, *found)

    return check


def _core_dumps(facts: SystemFacts) -> tuple[list[str], str] | None:
    if facts.core_pattern is None or facts.suid_dumpable is None:
        return None
    problems = [f"fs.suid_dumpable is {facts.suid_dumpable}, not 0"] if facts.suid_dumpable == 1 else []
    program = facts.core_pattern[1:].split(" ")[0] if facts.core_pattern.startswith("|") else ""
    if program and not program.endswith(_KEEPS_LIMITS):
        # core(5): the limit of core dumps is not enforced for a program. Of these only some look at it (%c).
        problems.append(f"kernel.core_pattern gives every core dump to {program}, whatever LimitCORE= of a unit says")
    if facts.core_pattern.startswith(_UNSAFE_PLACES):
        problems.append(f"kernel.core_pattern is {facts.core_pattern}: every user can enter that directory")
    return problems, f"fs.suid_dumpable is {facts.suid_dumpable}, kernel.core_pattern {facts.core_pattern or 'empty'}"


def _ptrace(facts: SystemFacts) -> tuple[list[str], str] | None:
    if facts.ptrace_scope is None:
        return None
    return ([] if facts.ptrace_scope else ["kernel.yama.ptrace_scope is 0, or the kernel has no Yama"]), f"ptrace_scope is {facts.ptrace_scope}"


def _hidepid(facts: SystemFacts) -> tuple[list[str], str] | None:
    if facts.hidepid is None:
        return None
    hidden = facts.hidepid not in ("0", "off")
    return ([] if hidden else ["/proc is mounted without hidepid"]), f"/proc is mounted with hidepid={facts.hidepid}"


def _loopback(facts: SystemFacts) -> tuple[list[str], str] | None:
    if facts.route_localnet is None or facts.sysctls_at_boot is None:
        return None
    # Container engines set it for their own bridges, which no network is behind.
    open_at = [name for name in facts.route_localnet if not name.startswith(_BRIDGES)]
    problems = [f"net.ipv4.conf.{name}.route_localnet is not 0: hosts of that network reach what listens on 127.0.0.1" for name in open_at]
    later = (
        f"{where} sets {name} to {value} at the next boot: hosts of that network then reach what listens on 127.0.0.1" for name, value, where
        in facts.sysctls_at_boot if name.endswith(".route_localnet") and is_on(value) and not name.split(".")[3].startswith(_BRIDGES)
    )
    return [*problems, *later], "no network reaches loopback addresses"


def _swap(facts: SystemFacts) -> tuple[list[str], str] | None:
    if facts.swaps is None or any(one.protected is None for one in facts.swaps):
        return None
    return [f"{one.name} is a swap area in clear text" for one in facts.swaps if not one.protected], "there is no swap area in clear text"


def _time(facts: SystemFacts) -> tuple[list[str], str] | None:
    services = sorted(facts.time_services or ())
    if facts.clock_synchronized is None and facts.time_services is None:
        return None
    if facts.clock_synchronized is False and not services:
        return ["the kernel says that its clock is not synchronized, and no time service runs"], ""
    return [], f"the clock is synchronized{f' by {chr(44).join(services)}' if services else ''}"


def _skew(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.skew_seconds is None:
        yield Result(host.name, NOT_TESTED, ("its clock was not compared with the controller's",))
        return
    ahead = f"{abs(seen.skew_seconds):.0f} seconds {'ahead of' if seen.skew_seconds > 0 else 'behind'} the controller's"
    wrong = abs(seen.skew_seconds) > CLOCK_SECONDS_MAX
    yield result(host.name, [f"its clock is {ahead}"] if wrong else [], "its clock agrees with the controller's")


def _served(facts: SystemFacts) -> tuple[list[str], str] | None:
    if facts.served is None:
        return None
    said = [f"{where} lets {server} give {directory} to other hosts, and {path} with it" for path, server, directory, where in facts.served]
    return said, "no file server gives files of a node to other hosts"


CHECKS: Mapping[str, Check] = {
    "clock-skew": _skew,
    "served-files": of_system(_served, "what file servers give to other hosts"),
    "system-core-dumps": of_system(_core_dumps, "the settings of core dumps"),
    "system-ptrace": of_system(_ptrace, "kernel.yama.ptrace_scope"),
    "system-processes": of_system(_hidepid, "the mount of /proc"),
    "system-loopback": of_system(_loopback, "net.ipv4.conf.*.route_localnet"),
    "system-swap": of_system(_swap, "the swap areas"),
    "system-time": of_system(_time, "the state of the clock"),
}

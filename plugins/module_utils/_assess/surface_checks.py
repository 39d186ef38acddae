# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of what else can be reached in a node, and of the operating system around it.

Private to this collection, pure. See host_checks.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Callable

from .._model.confinement_facts import Hardening, SystemFacts
from .._model.observation import Listener, Observation
from .._model.processes import Process
from .confinement_checks import Check, epmds, has_ended, of_epmd, unheard, vms
from .controls.surface import PORTS_MAX, SHELL_HOURS_MAX
from .controls.upkeep import CLOCK_SECONDS_MAX
from .finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from .target import HostTarget, NodeTarget

_OfSystem = Callable[[SystemFacts], "tuple[list[str], str] | None"]
_HOUR = 3600
_BRIDGES = ("docker", "br-", "podman", "cni", "veth", "virbr")
_NO_SYSTEM = "the operating system was not looked at"
_KEEPS_LIMITS = "/systemd-coredump"
_UNSAFE_PLACES = ("/tmp", "/var/tmp", "/dev/shm")


def _epmd_needed(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.listeners is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("listeners"),))
        return
    found = [one for one in seen.listeners if one.port == host.epmd_port]
    elsewhere = [one for one in seen.listeners if one.process == "epmd" and one.port != host.epmd_port]
    planned = bool(host.nodes) and host.distributed and bool(host.epmd_listen)
    if not found and unheard(epmds(seen)):
        yield Result(host.name, NOT_TESTED, unheard(epmds(seen)))
    elif elsewhere and host.members is None:
        yield Result(host.name, NOT_TESTED, tuple(f"which nodes EPMD names on {one} was not asked" for one in elsewhere))
    elif not found:
        yield result(host.name, [], f"nothing listens at port {host.epmd_port}")
    elif planned or seen.epmd_names:
        yield result(host.name, [], f"EPMD names {', '.join(sorted(seen.epmd_names or {})) or 'the nodes of the plan'}")
    elif seen.epmd_names is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("epmd_names"),))
    else:
        yield result(host.name, [f"EPMD listens on {', '.join(sorted({one.address for one in found}))} and names no node"], "")


def _epmd_commands(one: Hardening) -> tuple[str, ...] | None:
    if one.switches is None or one.variables is None:
        return None
    relaxed = [f"runs with {text}" for text, there in (
        ("-relaxed_command_check", "relaxed_command_check" in one.switches),
        ("ERL_EPMD_RELAXED_COMMAND_CHECK", "ERL_EPMD_RELAXED_COMMAND_CHECK" in one.variables),
    ) if there]
    return tuple(relaxed)


def _epmd_debug(one: Hardening) -> tuple[str, ...] | None:
    if one.switches is None:
        return None
    return ("runs in debug mode",) if "debug" in one.switches else ()


def _ipv6(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.listeners is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("listeners"),))
        return
    if seen.ipv6 is False:
        yield Result(host.name, NOT_APPLICABLE, ("the kernel has no IPv6",))
        return
    machines = {one.pid for one in seen.processes or () if one.is_vm}
    # Those of EPMD and of the distribution are looked at by epmd-listeners and distribution-listeners.
    ports = {one.port for one in seen.listeners if one.pid in machines} - {host.epmd_port, *(node.port for node in host.nodes)}
    problems = []
    for port in sorted(ports):
        here = [one for one in seen.listeners if one.port == port]
        narrow = [one for one in here if ":" not in one.address and not one.wildcard]
        if narrow and not any(one.address == "0.0.0.0" for one in here):
            at = ", ".join(sorted({one.address for one in narrow}))
            problems += [f"listens on every IPv6 address, and on {at} only over IPv4: {one}" for one in here if one.address == "::"]
    unknown = unheard(one for one in seen.processes or () if one.is_vm)
    if unknown and not problems:
        yield Result(host.name, NOT_TESTED, unknown)
        return
    yield result(host.name, problems, "no port is open to more networks over IPv6 than over IPv4")


def _port_of(parameters: Mapping[str, str], name: str) -> int | None:
    value = parameters.get(name, "")
    return int(value) if value.isdigit() else None


def _port_range(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        if not host.distributed:
            yield Result(node.node, NOT_APPLICABLE, ("the node has no distribution",))
            continue
        if node.ports is not None:
            yield result(node.node, [], f"its port range is {node.ports}, as planned")
            continue
        running = vms(host, seen, node)
        if not running:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes") if seen.processes is None else node.no_process,))
            continue
        yield _range_of(node, running[0])


def _range_of(node: NodeTarget, process: Process) -> Result:
    if not process.flags.listens or process.flags.proto_dist == "none":
        return Result(node.node, NOT_APPLICABLE, ("it does not listen for peers",))
    configured = process.hardening.kernel if process.hardening else None
    parameters = {**(configured or {}), **process.flags.kernel}
    fixed = process.flags.fixed_port or parameters.get("erl_epmd_node_listen_port")
    if fixed:
        return result(node.node, [], f"listens at the fixed port {fixed}")
    first, last = _port_of(parameters, "inet_dist_listen_min"), _port_of(parameters, "inet_dist_listen_max")
    if first is None and not process.flags.arguments_read or first is None and configured is None and process.flags.config_files:
        return Result(node.node, NOT_TESTED, ("its arguments or configuration files could not be read",))
    if first is None:
        return result(node.node, [f"pid {process.pid} runs without inet_dist_listen_min: it listens at any free port"], "")
    return _limited(node, first, last or 65535)


def _limited(node: NodeTarget, first: int, last: int) -> Result:
    wide = last - first + 1 > PORTS_MAX
    return result(node.node, [f"its range {first}-{last} has more than {PORTS_MAX} ports"] if wide else [], f"its port range is {first}-{last}")


def _needed(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = vms(host, seen, node)
        open_at = [one for one in seen.listeners or () if one.port == node.port and one.pid in (node.pid, None) and not one.loopback]
        if seen.listeners is None or not running:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("listeners") if seen.listeners is None else node.no_process,))
        elif node.port is None:
            yield Result(node.node, NOT_APPLICABLE, ("its port is not known",))
        elif unheard(running):
            yield Result(node.node, NOT_TESTED, unheard(running))
        else:
            yield _used(node, running[0], open_at)


def _used(node: NodeTarget, process: Process, open_at: list[Listener]) -> Result:
    facts = process.hardening
    if not open_at:
        return result(node.node, [], "it listens on loopback only, or not at all")
    if facts is None or facts.incoming is None or facts.outgoing is None:
        return Result(node.node, NOT_TESTED, (f"pid {process.pid}: its connections could not be read",))
    if node.port in facts.incoming:
        return result(node.node, [], "a peer of another host is connected")
    if facts.outgoing:
        return Result(node.node, NOT_APPLICABLE, (f"{facts.outgoing} connections lead to other hosts; only the node knows if one is to a peer",))
    return result(node.node, [f"listens on {', '.join(map(str, open_at))}, and no peer of another host is connected"], "")


def _switches_read(process: Process) -> bool:
    return process.hardening is not None and process.hardening.switches is not None


def _remote_shells(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("processes"),))
        return
    machines = [one for one in seen.processes if one.is_vm]
    unread = [f"pid {one.pid}: its arguments could not be read" for one in machines if not (_switches_read(one) or has_ended(one))]
    problems = []
    for one in machines:
        shell = bool(one.hardening and "remsh" in (one.hardening.switches or ()))
        hours = (seen.epoch - one.started) / _HOUR if shell and seen.epoch is not None and one.started is not None else 0.0
        if hours > SHELL_HOURS_MAX:
            problems.append(f"pid {one.pid} (user {one.user}) is a remote shell and {hours:.0f} hours old")
    if unread and not problems:
        yield Result(host.name, NOT_TESTED, tuple(unread))
        return
    yield result(host.name, problems, "no remote shell is old")


def _boot_server(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = vms(host, seen, node)
        facts = running[0].hardening if running else None
        if facts is None or facts.kernel is None or not running[0].flags.arguments_read:
            yield Result(node.node, NOT_TESTED, (f"the parameters of {node.node} could not be read" if running else node.no_process,))
            continue
        started = {**facts.kernel, **running[0].flags.kernel}.get("start_boot_server") == "true"
        problems = [f"pid {running[0].pid} runs with start_boot_server true: the hosts of boot_server_slaves read every file that the node can read"]
        yield result(node.node, problems if started else [], "it serves no files to other hosts")


def _of_system(said: _OfSystem, what: str) -> Check:
    """said: problems and what is good; None where it is not known."""

    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        found = said(seen.system) if seen.system else None
        if found is None:
            yield Result(host.name, NOT_TESTED, (f"{what} could not be read" if seen.system else _NO_SYSTEM,))
        else:
            yield result(host.name, *found)

    return check


def _hosts_file(facts: SystemFacts) -> tuple[list[str], str] | None:
    if facts.dist_hosts is None:
        return None
    return [f"{path} exists" for path in facts.dist_hosts], "no home of a node has one"


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
    if facts.route_localnet is None:
        return None
    # Container engines set it for their own bridges, which no network is behind.
    open_at = [name for name in facts.route_localnet if not name.startswith(_BRIDGES)]
    problems = [f"net.ipv4.conf.{name}.route_localnet is 1, not 0: hosts of that network reach what listens on 127.0.0.1" for name in open_at]
    return problems, "no network reaches loopback addresses"


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
    yield result(host.name, [f"its clock is {ahead}"] if wrong else [], "its clock is the controller's")


CHECKS: Mapping[str, Check] = {
    "epmd-needed": _epmd_needed,
    "epmd-commands": of_epmd(_epmd_commands, "EPMD runs with its checks of commands", "its arguments or environment"),
    "epmd-debug": of_epmd(_epmd_debug, "EPMD does not run in debug mode", "its arguments"),
    "ipv6-exposure": _ipv6,
    "port-range": _port_range,
    "distribution-needed": _needed,
    "remote-shells": _remote_shells,
    "boot-server": _boot_server,
    "hosts-file": _of_system(_hosts_file, "the homes of the nodes"),
    "clock-skew": _skew,
    "system-core-dumps": _of_system(_core_dumps, "the settings of core dumps"),
    "system-ptrace": _of_system(_ptrace, "kernel.yama.ptrace_scope"),
    "system-processes": _of_system(_hidepid, "the mount of /proc"),
    "system-loopback": _of_system(_loopback, "net.ipv4.conf.*.route_localnet"),
    "system-swap": _of_system(_swap, "the swap areas"),
    "system-time": _of_system(_time, "the state of the clock"),
}

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One check per control that is read on a host.

Private to this collection, pure. A check takes what is expected of a host and what was seen on it. What the observation does not know (None) is not
tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Callable

from .._model.installed import DROP_IN
from .._model.observation import Listener, Observation, Unit
from .._model.ports import PortRange
from .._model.processes import Process
from .._model.restart_reasons import vm_problems
from . import client_port_checks, confinement_checks, forward_checks, product_checks, startup_checks, surface_checks, tls_option_checks, upkeep_checks
from .controls import BY_ID
from .controls.running import LOW_PORTS_EXPOSURE, SANDBOX_EXPOSURE_MAX
from .file_content_checks import planned_files, start_environment
from .file_permission_checks import cookie_file, options_file, private_key
from .finding import FAILED, NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Finding, Result, result
from .firewall_checks import EPMD_SOCKET, firewall_boot, firewall_rules, undone
from .other_vm_checks import epmd_names, unplanned_nodes
from .target import NEEDS_PLAN, HostTarget, NodeTarget, Target

COVERAGE = "audit-coverage"
"""The control that a host or node was looked at, and looked at whole; see audit_checks.py."""

NO_BEAM = "no BEAM runs on this host"
NO_NODE = "no node runs on this host"
IN_CONTAINER = "it runs in a container: audit the container as a host of its own"

DYNAMIC = "dynamic"
"""How a node was found that has no name of its own: the first node that it connects to gives it one."""

STALE = "was started before the files that are there now"

EPMD_SERVICE = "epmd.service"
EPMD_DROP_IN = f"/etc/systemd/system/epmd.socket.d/{DROP_IN}"
"""Of role epmd."""

_CARRIERS_WITH_TLS = ("inet_tls", "inet6_tls")
"""Those of OTP. Of another one, its module decides whether there is any TLS."""

_EPMD_PROGRAMS = ("epmd", "systemd")
"""What holds EPMD's port: systemd holds its socket for it."""

Check = Callable[[HostTarget, Observation], Iterator[Result]]


def _unknown(subjects: Iterable[str], seen: Observation, part: str) -> Iterator[Result]:
    for subject in subjects:
        yield Result(subject, NOT_TESTED, (seen.why_unknown(part),))


def _names(host: HostTarget) -> list[str]:
    return [node.node for node in host.nodes]


def _epmd_listeners(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.listeners is None:
        yield from _unknown([host.name], seen, "listeners")
        return
    found = [one for one in seen.listeners if one.port == host.epmd_port]
    unheard = confinement_checks.unheard(confinement_checks.epmds(seen))
    if unheard and not found and not host.epmd_listen:
        yield Result(host.name, NOT_TESTED, unheard)
        return
    if host.epmd_listen is None:
        # One at another port is one of these nodes, too (ERL_EPMD_PORT).
        found += [one for one in seen.listeners if one.process == "epmd" and one not in found]
        at = ", ".join(sorted({f"{one.address}:{one.port}" for one in found}))
        problems = [f"listens on every network of the host: {one}" for one in found if one.wildcard]
        yield result(host.name, problems, f"listens on {at}" if found else f"nothing listens at port {host.epmd_port}")
        return
    if not host.epmd_listen:
        yield result(host.name, [f"EPMD must not run here, and {one} listens" for one in found], f"nothing listens at port {host.epmd_port}")
        return
    problems = [f"listens on {one}" for one in found if not one.loopback and one.address not in host.epmd_listen]
    problems += [f"another program than EPMD listens on {one}" for one in found if one.process not in (None, *_EPMD_PROGRAMS)]
    here = {one.address for one in found}
    if not any(one.wildcard for one in found):
        wanted = sorted(address for address in host.epmd_listen - here if address not in ("127.0.0.1", "::1"))
        problems += [f"nothing listens on {address}:{host.epmd_port}" for address in wanted]
    problems += _overriding_drop_ins(seen)
    # With another port, a second one answers beside it.
    problems += [f"another EPMD listens on {one}" for one in seen.listeners if one.process == "epmd" and one.port != host.epmd_port]
    unseen = [f"which program listens on {one.address}:{one.port} is not known" for one in found if one.process is None]
    if unseen and not problems:
        yield Result(host.name, NOT_TESTED, tuple(unseen))
        return
    yield result(host.name, problems, f"port {host.epmd_port} on {', '.join(sorted(here))}")


def _overriding_drop_ins(seen: Observation) -> Iterator[str]:
    """The drop-ins of EPMD's socket that come after ours, so that role epmd does not win against them."""
    socket = (seen.units or {}).get(EPMD_SOCKET)
    drop_ins = (socket.drop_ins if socket else None) or ()
    if EPMD_DROP_IN in drop_ins and drop_ins[-1] != EPMD_DROP_IN:
        later = ", ".join(drop_ins[drop_ins.index(EPMD_DROP_IN) + 1 :])
        yield f"{later} comes after {EPMD_DROP_IN} and can undo it. Remove it, and run beam.cluster.site"


def _distribution_listeners(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.listeners is None:
        yield from _unknown(_names(host), seen, "listeners")
        return
    for node in host.nodes:
        if node.ports is None or node.address is None:
            yield _not_everywhere(node, seen.listeners)
            continue
        first, last = node.ports.first, node.ports.last
        # At a fixed port, the host's other nodes have the same one at addresses of their own.
        others = {(other.unit, other.address) for other in host.nodes if other.node != node.node}
        found = [one for one in seen.listeners if first <= one.port <= last and (one.unit, one.address) not in others]
        if not host.distributed:
            own = [one for one in seen.listeners if one.unit == node.unit and one not in found]
            problems = [f"listens on {one}" for one in found + (own if node.kind == "erlang" else [])]
            yield result(node.node, problems, f"nothing listens at the ports {first}-{last}")
            continue
        problems = [*_listening_elsewhere(node, node.ports, found, seen.listeners), *_lost_flags(host, node, seen)]
        yield result(node.node, problems, f"listens on {', '.join(f'{one.address}:{one.port}' for one in found)}")


def _not_everywhere(node: NodeTarget, listeners: Sequence[Listener]) -> Result:
    """Where nobody said at which address a node is to listen, it is to listen at one that somebody chose."""
    if node.port is None:
        if node.found == DYNAMIC:
            return Result(node.node, NOT_APPLICABLE, ("it has a dynamic node name and listens for nobody",))
        why = "EPMD does not name its port, and no flag sets one: which listener is the distribution's is not known"
        return Result(node.node, NOT_TESTED, (why,))
    found = [one for one in listeners if one.port == node.port and one.pid in (node.pid, None)]
    if not found:
        return Result(node.node, NOT_TESTED, (f"nothing listens at its port {node.port}",))
    problems = [f"listens on every network of the host: {one}" for one in found if one.wildcard]
    return result(node.node, problems, f"listens on {', '.join(f'{one.address}:{one.port}' for one in found)}")


def _listening_elsewhere(node: NodeTarget, range_: PortRange, found: Sequence[Listener], listeners: Sequence[Listener]) -> list[str]:
    """range_: the node's ports; found: the listeners at them."""
    ports = f"{range_}"
    problems = [f"listens on {one}" for one in found if one.address != node.address and not one.loopback]
    foreign = [one for one in found if (one.unit or one.pid is not None) and one.unit != node.unit]
    problems += [f"another process has a port of its range {ports}: {one}" for one in foreign]
    if not any((one.address == node.address or one.wildcard) and one not in foreign for one in found):
        problems.append(f"nothing listens on {node.address} at the ports {ports}")
    own_ports: dict[int | None, set[int]] = {}
    for one in found:
        if one not in foreign:
            own_ports.setdefault(one.pid, set()).add(one.port)
    for pid, several in own_ports.items():
        if pid is not None and len(several) > 1:
            problems.append(f"pid {pid} listens at several ports of its range {ports}: {', '.join(map(str, sorted(several)))}. Peers use one of them")
    # A node without a product has no port but the one for its peers. What else a product listens on is the product's affair.
    if node.kind == "erlang":
        own = [one for one in listeners if one.unit == node.unit and str(one.process).startswith("beam")]
        beyond = [one for one in own if not range_.first <= one.port <= range_.last and not one.loopback]
        problems += [f"listens outside its port range on {one}" for one in beyond]
    return problems


def _lost_flags(host: HostTarget, node: NodeTarget, seen: Observation) -> Iterator[str]:
    """VMs of a node, of its unit or started by hand, that have a name and not the flags that say how the node is connected."""
    wanted = ("inet_dist_use_interface", "inet_dist_listen_min", "inet_dist_listen_max")
    for one in seen.processes or ():
        flags = one.flags
        ours = one.unit == node.unit or flags.name in (node.node, node.name)
        if not one.is_vm or not ours or flags.name is None or not flags.listens:
            continue
        lost = [f"-kernel {name}" for name in wanted if name not in flags.kernel]
        if node.tls_versions and not (flags.proto_dist_given and flags.proto_dist in _CARRIERS_WITH_TLS):
            lost.append("-proto_dist with TLS")
        elif flags.proto_dist_given > 1:
            # Each is a carrier with a listener of its own. Before OTP 27.1, two of them mean clear text.
            lost.append(f"one -proto_dist alone, it has {flags.proto_dist_given},")
        if node.tls_versions and flags.ssl_options_file is None:
            lost.append("-ssl_dist_optfile")
        if lost:
            own = [at for at in seen.listeners or () if at.pid == one.pid and not at.loopback]
            open_at = [str(at) for at in own if node.ports and not node.ports.first <= at.port <= node.ports.last]
            where = f" and listens on {', '.join(open_at)}" if open_at else ""
            yield f"pid {one.pid} ({one.unit or 'no unit'}) runs without {', '.join(lost)}{where}"


def _units(host: HostTarget, seen: Observation) -> Iterator[tuple[NodeTarget, Unit | None]]:
    for node in host.nodes:
        yield node, (seen.units or {}).get(node.unit)


def _not_looked_at(node: NodeTarget, what: str = "") -> Result:
    return Result(node.node, NOT_TESTED, (f"{node.unit or f'the unit of {node.node}'}{what} was not looked at",))


def _without_unit(node: NodeTarget, seen: Observation, missing: str) -> Result | None:
    """The result for a node that runs in no service; None where it runs in one. missing: what it lacks then."""
    if node.directory or node.unit.endswith(".service"):
        return None
    if seen.init is not None and seen.init != "systemd":
        return Result(node.node, NOT_APPLICABLE, ("the host does not run systemd",))
    if node.pid is None:
        return Result(node.node, NOT_TESTED, (f"its process is not known{'' if seen.privileged else ': only root sees who listens'}",))
    return Result(node.node, FAILED, (f"pid {node.pid} runs in {node.unit or 'no unit'}, not in a service: {missing}",))


def _unit_floor(node: NodeTarget, unit: Unit | None) -> Result:
    """What holds for the unit of any node."""
    if unit is None or None in (unit.user, unit.stale):
        return _not_looked_at(node)
    problems = [f"{node.unit} runs as root"] if unit.user in ("", "root") and node.user in ("", "root") else []
    return result(node.node, [*_unit_state(node, unit), *problems], f"{node.unit} is active, enabled, runs as {node.user}")


def _unit_state(node: NodeTarget, unit: Unit) -> Iterator[str]:
    if unit.stale:
        yield f"{node.unit}: systemd has not read its files since they changed"
    if unit.active != "active":
        yield f"{node.unit} is {unit.active or 'unknown'}"
    if unit.enabled != "enabled":
        yield f"{node.unit} is {unit.enabled or 'unknown'}, not enabled: it does not start at boot"


def _unit_drop_in(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node, unit in _units(host, seen):
        if node.drop_in is None:
            yield _without_unit(node, seen, "nothing starts it at boot") or _unit_floor(node, unit)
            continue
        watcher, guard = (seen.units or {}).get(node.watch), (seen.units or {}).get(node.guard)
        if unit is None or watcher is None or guard is None or None in (unit.drop_ins, unit.user, unit.stale, unit.requires) or unit.drop_ins is None:
            yield _not_looked_at(node)
            continue
        problems = []
        if node.drop_in not in unit.drop_ins:
            problems.append(f"{node.unit} does not use {node.drop_in}")
        elif unit.drop_ins[-1] != node.drop_in:
            problems.append(f"{node.unit}: {unit.drop_ins[-1]} comes after {node.drop_in} and can undo it")
        if node.guard not in (unit.requires or ()):
            problems.append(f"{node.unit} does not require its guard, {node.guard}")
        elif watcher.active != "active":
            problems.append(f"{node.watch} is {watcher.active or 'unknown'}: nothing watches the flags of the node's VMs")
        problems += [*undone(node.watch, watcher), *undone(node.guard, guard)]
        problems += _unit_state(node, unit)
        if unit.user != node.user:
            problems.append(f"{node.unit} runs as {unit.user or 'root'}, not as {node.user}")
        if None in (watcher.stale, watcher.drop_ins, guard.stale, guard.drop_ins) and not problems:
            yield _not_looked_at(node, f": {node.watch} or {node.guard}")
            continue
        yield result(node.node, problems, f"{node.unit} is active, enabled, runs as {node.user}")


def _unit_sandbox(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node, unit in _units(host, seen):
        without = _without_unit(node, seen, "it has no sandbox")
        if without:
            yield without
            continue
        if unit is None or unit.exposure is None:
            yield _not_looked_at(node, ": its sandbox")
            continue
        yield _rated(node.node, node.unit, unit.exposure, SANDBOX_EXPOSURE_MAX + (LOW_PORTS_EXPOSURE if node.low_ports else 0))
    yield from _epmd_sandbox(host, seen)


def _rated(subject: str, name: str, exposure: float, limit: float) -> Result:
    said = f"{name}: exposure level {exposure}"
    return result(subject, [f"{said}, not {limit} or lower"] if exposure > limit else [], said)


def _epmd_sandbox(host: HostTarget, seen: Observation) -> Iterator[Result]:
    """The unit of EPMD: the planned one, or those in which it runs. One that a node started is in the sandbox of the node's unit."""
    running = confinement_checks.epmds(seen)
    planned = host.members is not None
    names = [EPMD_SERVICE] if planned and host.distributed and host.epmd_listen else []
    names += sorted({one.unit or "" for one in running} - {node.unit for node in host.nodes}) if not planned else []
    for name in names:
        unit = (seen.units or {}).get(name)
        if not name.endswith(".service"):
            if seen.init in (None, "systemd"):
                yield Result(host.name, FAILED, (f"EPMD runs in {name or 'no unit'}, not in a service: it has no sandbox",))
        elif unit is None or unit.exposure is None:
            yield Result(host.name, NOT_TESTED, (f"{name}: its sandbox was not looked at",))
        else:
            yield _rated(host.name, name, unit.exposure, SANDBOX_EXPOSURE_MAX)


def _core_dumps(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node, unit in _units(host, seen):
        running = [one for one in seen.processes or () if node.is_run_by(one)]
        if not node.directory and unit is None and any(one.core_limit is not None for one in running):
            problems = [f"pid {one.pid} may dump core" for one in running if one.core_limit not in (None, 0)]
            if None in {one.core_limit for one in running} and not problems:
                yield _not_looked_at(node, ": the core limit of a process")
                continue
            yield result(node.node, problems, "its process may not dump core")
            continue
        if unit is None or unit.core_limit is None:
            yield _not_looked_at(node, ": LimitCORE")
            continue
        problems = [f"{node.unit}: LimitCORE is {unit.core_limit}"] if unit.core_limit != "0" else []
        problems += [f"pid {one.pid} was started with another core limit" for one in running if one.core_limit not in (None, 0)]
        unseen = [f"pid {one.pid}: its core limit could not be read" for one in running if one.core_limit is None]
        if unseen and not problems:
            yield Result(node.node, NOT_TESTED, tuple(unseen))
            continue
        yield result(node.node, problems, f"{node.unit}: LimitCORE is 0")


def _running_process(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield from _unknown(_names(host), seen, "processes")
        return
    for node, unit in _units(host, seen):
        if node.drop_in is None and (unit is None or unit.digest is None):
            # Only the role service writes a digest of the files into a unit.
            yield Result(node.node, NOT_APPLICABLE, (f"{NEEDS_PLAN}: its unit has no digest of the files that the node was started with",))
            continue
        if unit is None:
            yield _not_looked_at(node)
            continue
        running = [one for one in seen.processes if node.is_run_by(one) and (not host.distributed or _is(one, node))]
        problems = [] if unit.digest else [f"{node.unit}: its environment has no digest of the files"]
        if not running:
            problems.append(f"no process of {node.unit} runs {node.node}")
        problems += [f"pid {one.pid} runs as {one.user}, not as {node.user}" for one in running if one.user != node.user]
        if not host.distributed:
            named = [one for one in running if one.flags.arguments_read and one.flags.distribution_possible]
            problems += [f"pid {one.pid} can be given a name, {one.flags.name or 'at runtime'}" for one in named]
        # Another user's environment and arguments are hidden from whoever is not root.
        unread = [one for one in running if not one.flags.arguments_read or (one.digest is None and not seen.privileged)]
        stale = [one for one in running if unit.digest not in (None, one.digest) and one not in unread]
        problems += [f"pid {one.pid} {STALE}" for one in stale]
        problems += [f"pid {one.pid} {said}" for one in running if one.hardening for said in _own_view(one.hardening.elsewhere or ())]
        if unread and not problems:
            yield Result(node.node, NOT_TESTED, tuple(f"pid {one.pid}: its arguments and environment could not be read" for one in unread))
            continue
        unseen = [one for one in running if not confinement_checks.has_ended(one) and (one.hardening is None or one.hardening.elsewhere is None)]
        if unseen and not problems:
            yield Result(node.node, NOT_TESTED, tuple(f"pid {one.pid}: which files it sees could not be looked at" for one in unseen))
            continue
        yield result(node.node, problems, f"pid {', '.join(str(one.pid) for one in running)} has the digest of the files")


def _own_view(paths: Sequence[str]) -> Iterator[str]:
    if paths:
        more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
        yield f"sees another {', '.join(paths[:3])}{more} than the host: remove BindPaths=, TemporaryFileSystem= or RootDirectory= from its unit"


def _running_vm(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield from _unknown(_names(host), seen, "processes")
        return
    for node in host.nodes:
        running = [one for one in seen.processes if node.is_run_by(one)]
        problems = [problem for one in running for problem in vm_problems(one)]
        unread = [f"pid {one.pid}: its program could not be read" for one in running if one.vm is None]
        if not running:
            unread.append(node.no_process)
        if unread and not problems:
            yield Result(node.node, NOT_TESTED, tuple(unread))
            continue
        versions = ", ".join(f"pid {one.pid} runs OTP {one.vm.version or 'of an unknown version'}" for one in running if one.vm)
        yield result(node.node, problems, f"{versions}, the one on disk")


def _is(process: Process, node: NodeTarget) -> bool:
    """Whether a process of the node's unit is the node. One whose arguments could not be read may be."""
    return not process.flags.arguments_read or process.flags.name in (node.node, node.name)


def _argument_list(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield from _unknown([host.name], seen, "processes")
        return
    machines = [one for one in seen.processes if one.is_vm]
    problems = []
    for one in machines:
        who = f"pid {one.pid} ({one.flags.name or one.unit or 'no unit'}, user {one.user})"
        if one.flags.cookie == "value":
            problems.append(f"{who} shows its cookie")
    unread = [f"pid {one.pid}: its arguments could not be read" for one in machines if not one.flags.arguments_read]
    unread += [
        f"pid {one.pid} has -setcookie, and its cookie file could not be read" for one in machines
        if one.flags.arguments_read and one.flags.cookie == "unknown"
    ]
    unread += [node.no_process for node in host.nodes if not any(node.is_run_by(one) for one in machines)]
    if unread and not problems:
        yield Result(host.name, NOT_TESTED, tuple(unread))
        return
    yield result(host.name, problems, f"{len(machines)} processes, none shows its cookie")


CHECKS: Mapping[str, Check] = {
    "epmd-listeners": _epmd_listeners,
    "distribution-listeners": _distribution_listeners,
    "private-key": private_key,
    "cookie-file": cookie_file,
    "options-file": options_file,
    "unit-drop-in": _unit_drop_in,
    "unit-sandbox": _unit_sandbox,
    "core-dumps": _core_dumps,
    "running-process": _running_process,
    "running-vm": _running_vm,
    "argument-list": _argument_list,
    "firewall-rules": firewall_rules,
    "firewall-boot": firewall_boot,
    "planned-files": planned_files,
    "start-environment": start_environment,
    "unplanned-nodes": unplanned_nodes,
    "epmd-names": epmd_names,
    **forward_checks.CHECKS,
    **startup_checks.CHECKS,
    **confinement_checks.CHECKS,
    **surface_checks.CHECKS,
    **tls_option_checks.CHECKS,
    **upkeep_checks.CHECKS,
    **product_checks.CHECKS,
    **client_port_checks.CHECKS,
}


def host_findings(target: Target, seen: Mapping[str, Observation]) -> Iterator[Finding]:
    for host in target.hosts.values():
        if not host.in_run:
            continue
        observation = seen.get(host.name)
        for control, check in CHECKS.items():
            if target.planned and (BY_ID[control].audit_only or _of_another_product(control, host)):
                continue
            for subject, status, details, cause in _answers(host, observation, check):
                yield Finding(control, status, (host.name,), subject, details, cause=cause)


def _of_another_product(control: str, host: HostTarget) -> bool:
    """Whether a control is of a product that no node of the host runs: a plan says which ones there are."""
    product = product_checks.OF_ONE_PRODUCT.get(control)
    return product is not None and product not in {node.kind for node in host.nodes}


def _answers(host: HostTarget, seen: Observation | None, check: Check) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """(subject, status, details, cause) of one control on one host: every control has an answer for every host and every node on it."""
    if not seen:
        yield host.name, NOT_TESTED, (NOT_OBSERVED,), ""
        return
    if host.bare:
        yield host.name, NOT_APPLICABLE, (NO_BEAM,), ""
        return
    results = list(check(host, seen)) or [Result(host.name, NOT_APPLICABLE, (NO_NODE,))]
    for subject, status, details in results:
        yield subject, status, details, ""
    for node in host.contained if any(one.subject != host.name for one in results) or not host.nodes else ():
        yield node.node, NOT_TESTED, (IN_CONTAINER,), COVERAGE

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target made from what was seen on hosts that nobody planned: their nodes, where they listen, and which product they are.

Private to this collection, pure. What only an operator knows (members, addresses, firewall) stays None: nobody said.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from .._model.addresses import is_loopback
from .._model.installed import COOKIE_FILES
from .._model.observation import Listener, Observation
from .._model.processes import Process
from .._model.recognised_products import KNOWN
from .._wire.constants import EPMD_PORT
from .target import DYNAMIC, HostTarget, NodeTarget, Target

NAMED, HIDDEN, AT_RUNTIME, REGISTERED, CONTAINED = "named", "hidden", "net_kernel", "registered", "container"
"""How a node was found, beside DYNAMIC: by its flag -name or -sname; the same with -hidden; a VM without a name that EPMD names; a name that EPMD
knows and whose process is not known; in a container."""

BARE, RELEASE, UNKNOWN = "bare", "release", "unknown"
_UNDEFINED = "undefined"


def discover(seen: Mapping[str, Observation], hosts: Iterable[str] = (), epmd_port: int = EPMD_PORT) -> Target:
    """The target of an audit. seen: by inventory name; hosts: further ones, which could not be looked at."""
    names = [*seen, *(name for name in hosts if name not in seen)]
    found = {name: list(_nodes(name, seen[name])) if name in seen else [] for name in names}
    twice = {node for node, count in Counter(one.node for nodes in found.values() for one in nodes).items() if count > 1}
    unique = {name: tuple(_unique(nodes, twice)) for name, nodes in found.items()}
    members = (node for nodes in unique.values() for node in nodes)
    return Target(
        group="",
        mode="",
        tls=None,
        tls_versions=(),
        epmd_port=epmd_port,
        connect_all=False,
        hosts={name: _host(name, seen.get(name), unique[name], epmd_port) for name in names},
        members=tuple(sorted(members, key=lambda node: (node.node, node.host))),
    )


def _unique(nodes: Iterable[NodeTarget], twice: set[str]) -> Iterator[NodeTarget]:
    """Names are unique in a cluster, not in an inventory (`app@127.0.0.1`), and hardly in a host with dynamic names."""
    count: Counter[str] = Counter()
    for node in nodes:
        name = f"{node.node}/{node.host}" if node.node in twice else node.node
        count[name] += 1
        yield replace(node, node=name if count[name] == 1 else f"{name}-{count[name]}")


def _host(name: str, seen: Observation | None, nodes: tuple[NodeTarget, ...], epmd_port: int) -> HostTarget:
    contained = tuple(_unique(_contained(name, seen), set())) if seen else ()
    listens = any(one.port == epmd_port for one in seen.listeners or ()) if seen else True
    return HostTarget(
        name=name,
        nodes=nodes,
        in_run=True,
        distributed=True,
        addresses=frozenset(),
        epmd_port=epmd_port,
        epmd_listen=None,
        members=None,
        guarded_ports=(),
        firewall="",
        contained=contained,
        bare=not nodes and not contained and not listens and bool(seen and seen.processes is not None and not seen.processes),
    )


def _nodes(host: str, seen: Observation) -> Iterator[NodeTarget]:
    """Every node on a host: those of its VMs, then names of EPMD that no VM claims."""
    registered = dict(seen.epmd_names or {})
    for process in seen.processes or ():
        if not process.is_vm:
            continue
        name = process.flags.name
        short = name.partition("@")[0] if name else ""
        port = registered.pop(short, None) if short else None
        if name and short == _UNDEFINED:
            yield _node(host, seen, process, f"{_UNDEFINED}@{host}", None, DYNAMIC)
        elif name and process.flags.listens:
            found = HIDDEN if process.flags.hidden else NAMED
            yield _node(host, seen, process, _full(name, seen, host), port or _pinned_port(seen, process), found)
        elif not name and process.flags.arguments_read:
            at_runtime = next((one for one in registered if _holder(seen, registered[one], process.pid)), None)
            if at_runtime:
                yield _node(host, seen, process, _full(at_runtime, seen, host), registered.pop(at_runtime), AT_RUNTIME)
    for name, port in registered.items():
        listeners = [one for one in seen.listeners or () if one.port == port]
        yield replace(_bare_node(host, _full(name, seen, host), port), seen_at=tuple(_places(seen, listeners)))


def _full(name: str, seen: Observation, host: str) -> str:
    return name if "@" in name else f"{name}@{(seen.hostname or host).partition('.')[0]}"


def _holder(seen: Observation, port: int, pid: int) -> bool:
    return any(one.port == port and one.pid == pid for one in seen.listeners or ())


def _pinned_port(seen: Observation, process: Process) -> int | None:
    """The port of a node that EPMD does not name: set by a flag, or the one listener of the process in the range that flags set."""
    flags = process.flags
    fixed = flags.fixed_port or flags.kernel.get("erl_epmd_node_listen_port")
    if fixed and fixed.isdigit():
        return int(fixed)
    first, last = (flags.kernel.get(f"inet_dist_listen_{end}") or "" for end in ("min", "max"))
    if not first.isdigit() or not last.isdigit():
        return None
    inside = {one.port for one in seen.listeners or () if one.pid == process.pid and int(first) <= one.port <= int(last)}
    return next(iter(inside)) if len(inside) == 1 else None


def _bare_node(host: str, name: str, port: int | None, found: str = REGISTERED) -> NodeTarget:
    """A node of which nothing is known but its name and port."""
    return NodeTarget(
        node=name,
        host=host,
        address=None,
        ports=None,
        port=port,
        in_run=True,
        tls_versions=None,
        exact_modes=False,
        found=found,
        product=UNKNOWN,
    )


def _node(host: str, seen: Observation, process: Process, name: str, port: int | None, found: str) -> NodeTarget:
    flags, tls = process.flags, process.tls_files
    listeners = [one for one in seen.listeners or () if one.port == port and one.pid in (process.pid, None)]
    clear = flags.arguments_read and flags.ssl_options_file is None and not flags.proto_dist.endswith("_tls")
    return replace(
        _bare_node(host, name, port, found),
        hidden=flags.hidden,
        kind=BARE,
        unit=process.unit or "",
        user=process.user,
        ca_file=tls.authorities[0] if tls and tls.authorities else None,
        certificate_file=tls.certificates[0] if tls and tls.certificates else None,
        key_file=tls.keys[0] if tls and tls.keys else "" if clear else None,
        cookie_file=_cookie_file(seen, process),
        evaluated_files=tuple(filter(None, (flags.ssl_options_file, *flags.args_files))),
        pid=process.pid,
        seen_at=tuple(_places(seen, listeners)),
        product=product_of(process),
        other_keys=tls.keys[1:] if tls else (),
        other_trust=(*tls.certificates[1:], *tls.authorities[1:]) if tls else (),
    )


def _cookie_file(seen: Observation, process: Process) -> str | None:
    """The file from which a VM has its cookie: None where that is not known, empty where its cookie comes from elsewhere (auth.erl).

    OTP makes the first one where there is none and no flag gives a cookie: one that is missing then was removed.
    """
    if not process.home:
        return None
    first, second = (f"{process.home}/{name}" for name in COOKIE_FILES)
    if seen.exists(first) is not False:
        return first
    if seen.exists(second):
        return second
    return first if process.flags.arguments_read and process.flags.cookie == "none" else ""


def product_of(process: Process) -> str:
    """By its traces first: what a VM starts and which applications lie beside it. Then by the name of its unit or user."""
    for product in KNOWN:
        if product.name in (process.traces or ()):
            return product.name
    unit = (process.unit or "").partition(".")[0]
    for product in KNOWN:
        if product.unit and (unit == product.unit or process.user == product.name):
            return product.name
    return RELEASE if RELEASE in (process.traces or ()) else BARE


def _contained(host: str, seen: Observation) -> Iterator[NodeTarget]:
    for process in seen.contained or ():
        if process.is_vm and (process.flags.name or not process.flags.arguments_read):
            name = process.flags.name or "unknown"
            full = name if "@" in name else f"{name}@container"
            yield replace(
                _bare_node(host, full, None, CONTAINED), hidden=process.flags.hidden, user=process.user, pid=process.pid, product=product_of(process)
            )


def _places(seen: Observation, listeners: Sequence[Listener]) -> list[str]:
    """Addresses at which listeners are reached: a wildcard stands for every address of the host. The most public one first, loopback last."""
    found: dict[str, int] = {}
    for listener in listeners:
        if not listener.wildcard:
            found.setdefault(listener.address, 0)
        for place in seen.addresses or () if listener.wildcard else ():
            if listener.address == "::" or place.family == 4:
                found.setdefault(place.address, 0 if place.default_route else 1)
        if listener.wildcard and not seen.addresses:
            found.setdefault("::1" if listener.address == "::" else "127.0.0.1", 1)
    return sorted((one for one in found if _usable(one)), key=lambda one: (is_loopback(one), found[one], ":" in one))


def _usable(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified)

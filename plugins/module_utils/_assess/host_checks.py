# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One check per control that is read on a host. Pure; private to this collection."""

from __future__ import annotations

import ipaddress
import itertools
import re
from typing import Any, Callable, Iterator, Mapping, Sequence

from .._model.ports import joined
from .._model.secret_rules import PLACEHOLDER
from .controls import SANDBOX_EXPOSURE_MAX
from .finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Evidence, Finding

FIREWALL_UNIT = "beam-firewall.service"
EPMD_SOCKET = "epmd.socket"
Result = tuple  # (subject, status, details), see _host_check


def properties(text: str) -> dict[str, str]:
    """C(systemctl show) as a dictionary."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def exposure(text: str) -> float | None:
    """The overall exposure level at the end of C(systemd-analyze security), 0 (none) to 10."""
    found = re.search(r"Overall exposure level for .*?:\s*([0-9]+(?:\.[0-9]+)?)", text)
    return float(found.group(1)) if found else None


def _local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _address(text: str) -> str:
    """An address in one spelling, so that two tools can be compared."""
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return text
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _listener(entry: Mapping[str, Any]) -> str:
    who = entry.get("process") or "an unknown process"
    return f"{entry.get('address')}:{entry.get('port')} ({who}, pid {entry.get('pid')}, {entry.get('unit') or 'no unit'})"


class _Host:
    """One host's part of the evidence, with what the plan wants of it."""

    def __init__(self, evidence: Evidence, name: str) -> None:
        self.name = name
        self.plan = evidence.plan
        self.wanted = evidence.plan["hosts"][name]
        self.nodes = self.wanted["nodes"]
        own = evidence.hosts.get(name) or {}
        self.observed: Mapping[str, Any] = own.get("observed") or {}
        self.off = evidence.plan["mode"] == "off"
        self.units: Mapping[str, Mapping[str, str]] = own.get("units") or {}
        self.advisories: Sequence[Mapping[str, Any]] = own.get("advisories") or ()

    def show(self, unit: str) -> dict[str, str]:
        return properties((self.units.get(unit) or {}).get("show") or "")

    def file(self, path: str) -> Mapping[str, Any] | None:
        return next((entry for entry in self.observed.get("files", ()) if entry.get("path") == path), None)

    def cluster_addresses(self) -> set[str]:
        return {_address(address) for address in self.wanted.get("addresses") or [self.wanted["address"]]}


def _verdict(problems: Sequence[str], good: str) -> tuple[str, tuple[str, ...]]:
    return (FAILED, tuple(problems)) if problems else (PASSED, (good,))


def _epmd_listeners(host: _Host) -> Iterator[Result]:
    port = host.wanted.get("epmd", {}).get("port") or host.plan["epmd_port"]
    found = [entry for entry in host.observed["listeners"] if entry["port"] == port]
    listen = host.wanted["epmd"]["listen"]
    if not listen:
        yield (host.name, *_verdict([f"listens on {_listener(e)}" for e in found], f"nothing listens at port {port}"))
        return
    allowed = {_address(address) for address in listen if not _local(address)}
    problems = [f"listens on {_listener(e)}" for e in found if not _local(e["address"]) and _address(e["address"]) not in allowed]
    here = {_address(entry["address"]) for entry in found}
    problems += [f"nothing listens on {address}:{port}" for address in sorted(allowed - here)]
    yield (host.name, *_verdict(problems, f"port {port} on {', '.join(sorted(here))}"))


def _distribution_listeners(host: _Host) -> Iterator[Result]:
    for node in host.nodes:
        first, last = node["ports"]["first"], node["ports"]["last"]
        # At a fixed port, the host's other nodes have the same one at addresses of their own.
        others = {(other["unit"], _address(other["address"])) for other in host.nodes if other["node"] != node["node"]}
        inside = [entry for entry in host.observed["listeners"] if first <= entry["port"] <= last]
        found = [entry for entry in inside if (entry.get("unit"), _address(entry["address"])) not in others]
        wanted = _address(node["address"])
        if host.off:
            own = [e for e in host.observed["listeners"] if e.get("unit") == node["unit"] and e not in found]
            problems = [f"listens on {_listener(entry)}" for entry in found + (own if node.get("kind") == "erlang" else [])]
            yield (node["node"], *_verdict(problems, f"nothing listens in the window {first}-{last}"))
            continue
        problems = [f"listens on {_listener(entry)}" for entry in found if _address(entry["address"]) != wanted and not _local(entry["address"])]
        strangers = [e for e in found if e.get("unit") and e["unit"] != node["unit"]]
        problems += [f"the window holds a stranger: {_listener(entry)}" for entry in strangers]
        if not any(_address(entry["address"]) == wanted and entry not in strangers for entry in found):
            problems.append(f"nothing listens on {wanted} in the window {first}-{last}")
        # A bare node has no port but the one for its peers. What else a product listens on is the product's affair.
        if node.get("kind") == "erlang":
            own = [e for e in host.observed["listeners"] if e.get("unit") == node["unit"] and str(e.get("process")).startswith("beam")]
            beyond = [e for e in own if not first <= e["port"] <= last and not _local(e["address"])]
            problems += [f"listens outside its window on {_listener(entry)}" for entry in beyond]
        ports = ", ".join(f"{entry['address']}:{entry['port']}" for entry in found)
        yield (node["node"], *_verdict(problems, f"listens on {ports}"))


def _owned(host: _Host, path: str, owner: str | None, modes: tuple[int, ...]) -> list[str] | None:
    """Problems with a file's owner and mode; null where nobody looked."""
    entry = host.file(path)
    if entry is None:
        # observe lists what is there; without privilege it cannot see into a private directory.
        return [f"{path} does not exist"] if host.observed.get("privileged") else None
    problems = []
    if owner is not None and entry.get("owner") != owner:
        problems.append(f"{path} belongs to {entry.get('owner')}, not to {owner}")
    mode = entry.get("mode")
    number = int(str(mode), 8) & 0o7777 if mode is not None else None
    if number not in modes:
        problems.append(f"{path} has mode {mode}, not {' or '.join(f'{wanted:04o}' for wanted in modes)}")
    return problems


def _files(host: _Host, subject: str, wanted: Sequence[tuple[str, str | None, tuple[int, ...]]]) -> Result:
    problems: list[str] = []
    unseen: list[str] = []
    for path, owner, modes in wanted:
        found = _owned(host, path, owner, modes)
        if found is None:
            unseen.append(path)
        else:
            problems += found
    if unseen and not problems:
        return (subject, NOT_TESTED, tuple(f"{path} was not looked at" for path in unseen))
    return (subject, *_verdict(problems, ", ".join(path for path, *_rest in wanted)))


def _left_behind(host: _Host, node: Mapping[str, Any], path: str) -> Result:
    """What a node without distribution has no use for, and must not keep."""
    problems = [f"{path} is left behind"] if host.file(path) else []
    return (node["node"], *_verdict(problems, f"{path} is not there"))


def _private_key(host: _Host) -> Iterator[Result]:
    for node in host.nodes:
        if not node["tls"]:
            yield _left_behind(host, node, f"{node['directory']}/tls/key.pem")
            continue
        yield _files(host, node["node"], [(f"{node['directory']}/tls/key.pem", node["user"], (0o400,))])


def _cookie_file(host: _Host) -> Iterator[Result]:
    for node in host.nodes:
        if host.off:
            yield _left_behind(host, node, f"{node['home']}/.erlang.cookie")
            continue
        yield _files(host, node["node"], [(f"{node['home']}/.erlang.cookie", node["user"], (0o400,))])


def _options_file(host: _Host) -> Iterator[Result]:
    for node in host.nodes:
        names = ["vm.args", *(() if host.off else ("inetrc", "allow.conf")), *(("ssl_dist.conf",) if node["tls"] else ())]
        paths = [f"{node['directory']}/{name}" for name in names]
        yield _files(host, node["node"], [(path, "root", (0o644, 0o444)) for path in paths])


def _unit_drop_in(host: _Host) -> Iterator[Result]:
    for node in host.nodes:
        unit = node["unit"]
        show = host.show(unit)
        if not show:
            yield (node["node"], NOT_TESTED, (f"{unit}: systemctl show was not read",))
            continue
        drop_in = f"/etc/systemd/system/{unit}.d/beam.conf"
        problems = []
        if drop_in not in show.get("DropInPaths", "").split():
            problems.append(f"{unit} does not use {drop_in}")
        if show.get("NeedDaemonReload") != "no":
            problems.append(f"{unit}: systemd has not read its files since they changed")
        if show.get("ActiveState") != "active":
            problems.append(f"{unit} is {show.get('ActiveState')}")
        if show.get("UnitFileState") != "enabled":
            problems.append(f"{unit} is {show.get('UnitFileState') or 'unknown'}, not enabled: it does not start at boot")
        if show.get("User") != node["user"]:
            problems.append(f"{unit} runs as {show.get('User') or 'root'}, not as {node['user']}")
        yield (node["node"], *_verdict(problems, f"{unit} is active, enabled, runs as {node['user']}"))


def _unit_sandbox(host: _Host) -> Iterator[Result]:
    for node in host.nodes:
        level = exposure((host.units.get(node["unit"]) or {}).get("security") or "")
        if level is None:
            yield (node["node"], NOT_TESTED, (f"{node['unit']}: systemd-analyze security said nothing",))
            continue
        problems = [f"{node['unit']}: exposure level {level}"] if level > SANDBOX_EXPOSURE_MAX else []
        yield (node["node"], *_verdict(problems, f"{node['unit']}: exposure level {level}"))


def _core_dumps(host: _Host) -> Iterator[Result]:
    for node in host.nodes:
        show = host.show(node["unit"])
        if "LimitCORE" not in show:
            yield (node["node"], NOT_TESTED, (f"{node['unit']}: systemctl show was not read",))
            continue
        problems = [f"{node['unit']}: LimitCORE is {show['LimitCORE']}"] if show["LimitCORE"] != "0" else []
        yield (node["node"], *_verdict(problems, f"{node['unit']}: LimitCORE is 0"))


def _digest(show: Mapping[str, str]) -> str:
    found = re.search(r"(?:^|[\s\"])BEAM_CLUSTER_DIGEST=([^\s\"]+)", show.get("Environment", ""))
    return found.group(1) if found else ""


def _nameless(process: Mapping[str, Any]) -> bool:
    """Whether a VM has no name, and no carrier with which somebody could start distribution in it."""
    words = [str(word) for word in process.get("argv") or ()]
    return not process.get("node") and any(pair == ("-proto_dist", "none") for pair in zip(words, words[1:]))


def _running_process(host: _Host) -> Iterator[Result]:
    for node in host.nodes:
        unit = node["unit"]
        wanted = _digest(host.show(unit))
        running = [p for p in host.observed["processes"] if p.get("unit") == unit and (host.off or p.get("node") in (node["node"], node["name"]))]
        problems = []
        if not wanted:
            problems.append(f"{unit}: its environment has no digest of the files")
        if not running:
            problems.append(f"no process of {unit} runs {node['node']}")
        stale = [p for p in running if wanted and p.get("digest") != wanted]
        problems += [f"pid {p['pid']} was started before the files that are there now" for p in stale]
        problems += [f"pid {p['pid']} can be given a name, {p.get('node') or 'at runtime'}" for p in running if host.off and not _nameless(p)]
        problems += [f"pid {p['pid']} runs as {p['user']}, not as {node['user']}" for p in running if p.get("user") != node["user"]]
        yield (node["node"], *_verdict(problems, f"pid {', '.join(str(p['pid']) for p in running)} carries the digest of the files"))


def _values(words: Sequence[str]) -> Iterator[str]:
    """The values of a flag: the words up to the next flag."""
    return itertools.takewhile(lambda word: not word.startswith("-"), words)


def _argument_list(host: _Host) -> Iterator[Result]:
    problems = []
    for process in host.observed["processes"]:
        argv = process.get("argv") or ()
        words = argv.split() if isinstance(argv, str) else [str(word) for word in argv]
        given = [" ".join(_values(words[index + 1 :])) for index, word in enumerate(words) if word in ("-setcookie", "--cookie")]
        who = f"pid {process['pid']} ({process.get('node') or process.get('unit') or 'no unit'}, user {process.get('user')})"
        if set(given) - {PLACEHOLDER}:
            problems.append(f"{who} has -setcookie")
        elif len(given) == 1:
            problems.append(f"{who} has the placeholder for its cookie, which everybody knows: it counts when it is given once")
    yield (host.name, *_verdict(problems, f"{len(host.observed['processes'])} processes, none with -setcookie"))


def _external(host: _Host) -> bool:
    return bool(host.wanted["firewall"]["backend"] == "external")


_EXTERNAL = "beam_firewall is external: the probes say what it lets through"


def _firewall_rules(host: _Host) -> Iterator[Result]:
    if _external(host):
        yield (host.name, NOT_APPLICABLE, (_EXTERNAL,))
        return
    seen = host.observed.get("firewall") or {}
    table = seen.get("beam")
    if not table:
        yield (host.name, FAILED, ("the table inet beam_cluster is not loaded",))
        return
    wanted = {_address(address) for address in host.plan["addresses"]}
    there = {_address(address) for address in table["members"]}
    problems = [f"lets in {address}, which is no member" for address in sorted(there - wanted)]
    problems += [f"does not know the member {address}" for address in sorted(wanted - there)]
    if joined(table["ports"]) != joined(host.wanted["firewall"]["ports"]):
        problems.append(f"guards the ports {joined(table['ports'])}, not {joined(host.wanted['firewall']['ports'])}")
    yield (host.name, *_verdict(problems, f"{len(there)} members, ports {joined(table['ports'])}"))


def _firewall_boot(host: _Host) -> Iterator[Result]:
    if _external(host):
        yield (host.name, NOT_APPLICABLE, (_EXTERNAL,))
        return
    show = host.show(FIREWALL_UNIT)
    if not show:
        yield (host.name, NOT_TESTED, (f"{FIREWALL_UNIT}: systemctl show was not read",))
        return
    problems = []
    if show.get("ActiveState") != "active":
        problems.append(f"{FIREWALL_UNIT} is {show.get('ActiveState')}")
    if show.get("UnitFileState") != "enabled":
        problems.append(f"{FIREWALL_UNIT} is {show.get('UnitFileState') or 'unknown'}, not enabled")
    for unit in [EPMD_SOCKET, *(node["unit"] for node in host.nodes)]:
        if unit == EPMD_SOCKET and not host.wanted["epmd"]["listen"]:
            continue
        other = host.show(unit)
        if FIREWALL_UNIT not in other.get("After", "").split():
            problems.append(f"{unit} may start before {FIREWALL_UNIT}")
        if unit != EPMD_SOCKET and FIREWALL_UNIT not in other.get("Requires", "").split():
            problems.append(f"{unit} does not require {FIREWALL_UNIT}")
    yield (host.name, *_verdict(problems, "loaded, enabled, required by the nodes and before them"))


_HOST_CHECKS: dict[str, Callable[[_Host], Iterator[Result]]] = {
    "epmd-listeners": _epmd_listeners,
    "distribution-listeners": _distribution_listeners,
    "private-key": _private_key,
    "cookie-file": _cookie_file,
    "options-file": _options_file,
    "unit-drop-in": _unit_drop_in,
    "unit-sandbox": _unit_sandbox,
    "core-dumps": _core_dumps,
    "running-process": _running_process,
    "argument-list": _argument_list,
    "firewall-rules": _firewall_rules,
    "firewall-boot": _firewall_boot,
}


def _host_findings(evidence: Evidence) -> Iterator[Finding]:
    for name, wanted in evidence.plan["hosts"].items():
        if not wanted.get("in_run"):
            continue
        host = _Host(evidence, name)
        for control, check in _HOST_CHECKS.items():
            if not host.observed:
                yield Finding(control, NOT_TESTED, (name,), name, ("the host was not observed",))
                continue
            for subject, status, details in check(host):
                yield Finding(control, status, (name,), subject, details)

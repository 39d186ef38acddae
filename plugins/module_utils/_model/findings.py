# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From evidence to findings: one check per control, pure, so that every control can be seen failing without a host.

Private to this collection. C(evaluate()) takes what was observed and what was answered and returns a C(Verdict). What nobody looked at
is C(not_tested), never passed: each check starts from what the plan says must be there, not from what happens to be in the evidence.
"""

from __future__ import annotations

import datetime
import ipaddress
import itertools
import re
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

from . import probes
from .controls import ATTACKS, BY_ID, CERTIFICATE_DAYS_MIN, CONTROLS, NOTES, SANDBOX_EXPOSURE_MAX, SEVERITIES, Attack
from .ports import joined
from .probes import CONNECT, SELF, Answer, Probe
from .secret_rules import PLACEHOLDER

PASSED, FAILED, NOT_TESTED, NOT_APPLICABLE, WAIVED = "passed", "failed", "not_tested", "not_applicable", "waived"
REFUSED, SUCCEEDED = "refused", "succeeded"

FIREWALL_UNIT = "beam-firewall.service"
EPMD_SOCKET = "epmd.socket"


@dataclass(frozen=True)
class Evidence:
    """All that a verdict stands on.

    C(plan): the value of C(beam_plan). C(hosts): C({host: {observed, units, advisories}}), where C(observed) is what
    M(beam.cluster.observe) found, C(units) is C({unit: {show, security}}) with the text of C(systemctl show) and
    C(systemd-analyze security), and C(advisories) are findings of other roles. C(answers): what the probes brought.
    C(mesh): C({node: {code, visible, hidden, ticktime, ...}}) as M(beam.cluster.mesh_info) tells it. C(outsiders): names of the hosts outside
    the cluster that attacked; empty when there was none. C(epoch): now, in seconds, by the controller's clock. C(untested): why attacks were not
    made at all (check mode), empty otherwise.
    """

    plan: Mapping[str, Any]
    hosts: Mapping[str, Mapping[str, Any]]
    answers: Sequence[Answer]
    mesh: Mapping[str, Mapping[str, Any]] | None
    outsiders: Sequence[str]
    epoch: float
    untested: str = ""


@dataclass(frozen=True)
class Finding:
    """The answer of one control for one subject (a host, a node, or a pair of nodes)."""

    control: str
    status: str
    hosts: tuple[str, ...]
    subject: str
    details: tuple[str, ...] = ()
    reason: str = ""

    @property
    def severity(self) -> str:
        return BY_ID[self.control].severity

    @property
    def bad(self) -> bool:
        """Whether it fails the play."""
        return self.status in (FAILED, NOT_TESTED)


@dataclass(frozen=True)
class Advisory:
    """A finding of another role: true, and not in the operator's power to mend by running this again (a known vulnerability)."""

    control: str
    severity: str
    host: str
    title: str
    detail: str = ""
    fix: str = ""
    waived: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of one attack probe: refused, succeeded or not_tested, and why."""

    answer: Answer
    status: str
    why: str


@dataclass(frozen=True)
class Waiver:
    """A control that is allowed to fail, on a host or everywhere, for a reason, until a day (included)."""

    control: str
    reason: str
    until: str
    host: str = ""

    def covers(self, finding: Finding | Advisory) -> bool:
        if self.control != finding.control or not self.host:
            return self.control == finding.control
        if isinstance(finding, Advisory):
            return self.host == finding.host
        return self.host in finding.hosts or self.host in finding.subject.split()

    def __str__(self) -> str:
        return f"{self.reason} (until {self.until})"


@dataclass(frozen=True)
class Verdict:
    """Everything that a report shows."""

    plan: Mapping[str, Any]
    findings: tuple[Finding, ...]
    advisories: tuple[Advisory, ...]
    outcomes: tuple[Outcome, ...]
    answers: tuple[Answer, ...]
    waivers: tuple[Waiver, ...]
    unused_waivers: tuple[Waiver, ...]
    fail_at: str
    outsiders: tuple[str, ...] = field(default=())

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.bad]

    @property
    def failing_advisories(self) -> list[Advisory]:
        if self.fail_at == "never":
            return []
        floor = SEVERITIES.index(self.fail_at)
        return [advisory for advisory in self.advisories if SEVERITIES.index(advisory.severity) >= floor and not advisory.waived]

    @property
    def ok(self) -> bool:
        return not self.failures and not self.failing_advisories


_CVE = re.compile(r"CVE-\d{4}-\d{4,}")


# -- waivers --------------------------------------------------------------------------------------------------------------------------------


def read_waivers(raw: Sequence[Any], today: datetime.date, names: Iterable[str]) -> tuple[list[Waiver], list[str]]:
    """The waivers, and every error in them. C(names) are the hosts and nodes that a waiver can be about."""
    known = set(names)
    waivers: list[Waiver] = []
    errors: list[str] = []
    for number, entry in enumerate(raw, start=1):
        label = f"beam_waivers, entry {number}"
        if not isinstance(entry, Mapping):
            errors.append(f"{label}: is no mapping of control, host, reason, until")
            continue
        unknown = sorted(str(key) for key in set(entry) - {"control", "host", "reason", "until", "status"})
        if unknown:
            errors.append(f"{label}: unknown key {', '.join(unknown)}; known are control, host, reason, until, status")
        control = str(entry.get("control") or "")
        host = str(entry.get("host") or "")
        reason = str(entry.get("reason") or "").strip()
        if control not in BY_ID and control not in NOTES and not _CVE.fullmatch(control):
            errors.append(f"{label}: there is no control {control!r}; docs/controls.md lists them")
        if host and host not in known:
            errors.append(f"{label}: {host!r} is no host and no node of this cluster")
        if not reason:
            errors.append(f"{label}: a waiver needs a reason")
        until = str(entry.get("until") or "")
        try:
            end = datetime.date.fromisoformat(until)
        except ValueError:
            errors.append(f"{label}: until must be a date such as 2027-01-31, not {until!r}")
        else:
            if end < today:
                errors.append(f"{label}: the waiver of {control} ended on {until}; mend what it waives, or decide anew")
        waivers.append(Waiver(control, reason, until, host))
    return waivers, errors


# -- what was read on the hosts -------------------------------------------------------------------------------------------------------------

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


# -- what the wire answered -----------------------------------------------------------------------------------------------------------------


def _epoch(text: Any) -> float | None:
    """Seconds of a time as C(x509.py) tells it (ISO 8601, UTC)."""
    if isinstance(text, (int, float)):
        return float(text)
    try:
        moment = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp()


def _pair_problem(evidence: Evidence, answer: Answer) -> str:
    """What is wrong with a connection that should be whole; empty where nothing is."""
    if answer.code != "connected":
        where = f" at stage {answer.stage}" if answer.stage else ""
        return f"{answer.code}{where}: {answer.message}" if answer.message else f"{answer.code}{where}"
    tls = answer.tls or {}
    versions = evidence.plan["tls_versions"]
    if evidence.plan["tls"]:
        if not tls:
            return "connected in plain TCP"
        if tls.get("version") not in versions:
            return f"connected with {tls.get('version')}, not {' or '.join(versions)}"
        if not tls.get("peer"):
            return "connected without the peer's certificate"
    member = next(m for m in evidence.plan["members"] if m["node"] == answer.probe.target)
    if answer.port is not None and not member["ports"]["first"] <= answer.port <= member["ports"]["last"]:
        return f"connected at port {answer.port}, outside the window {member['ports']['first']}-{member['ports']['last']}"
    return ""


_OFF = "beam_mode is off: there is nothing to speak to"
_CLEAR = "beam_tls is false: there is no certificate, see plaintext"


def _off(evidence: Evidence) -> bool:
    return bool(evidence.plan["mode"] == "off")


def _hosts_of(evidence: Evidence, *nodes: str) -> tuple[str, ...]:
    by_node = {member["node"]: member.get("host") or "" for member in evidence.plan["members"]}
    return tuple(host for host in (by_node.get(node, "") for node in nodes) if host)


def _running_nodes(evidence: Evidence) -> list[Mapping[str, Any]]:
    return [member for member in evidence.plan["members"] if probes.in_run(evidence.plan, member)]


def _mesh_connected(evidence: Evidence) -> Iterator[Finding]:
    by_pair = {(a.probe.source, a.probe.target): a for a in evidence.answers if a.probe.control in (CONNECT, SELF)}
    for member in _running_nodes(evidence):
        source = member["node"]
        good = 0
        for probe in probes.connect_probes(evidence.plan, source):
            if probe.control == SELF and len(probes.reachable(evidence.plan, source)) > 1:
                continue
            answer = by_pair.get((source, probe.target))
            pair = f"{source} -> {probe.target}"
            hosts = _hosts_of(evidence, source, probe.target)
            if answer is None:
                yield Finding(CONNECT, NOT_TESTED, hosts, pair, ("no probe was made",))
                continue
            problem = _pair_problem(evidence, answer)
            if problem:
                yield Finding(CONNECT, FAILED, hosts, pair, (problem,))
            else:
                good += 1
        if good:
            how = "over TLS" if evidence.plan["tls"] else "in clear text"
            yield Finding(CONNECT, PASSED, _hosts_of(evidence, source), source, (f"connected to {good} {how}",))
        elif _off(evidence):
            yield Finding(CONNECT, NOT_APPLICABLE, _hosts_of(evidence, source), source, (_OFF,))


def _certificate_lifetime(evidence: Evidence) -> Iterator[Finding]:
    for member in _running_nodes(evidence):
        node = member["node"]
        ends = [
            end
            for answer in evidence.answers
            if answer.probe.target == node and answer.probe.control in (CONNECT, SELF) and answer.code == "connected" and answer.tls
            for end in [_epoch((answer.tls.get("peer") or {}).get("not_after"))]
            if end is not None
        ]
        hosts = _hosts_of(evidence, node)
        if not evidence.plan["tls"]:
            yield Finding("certificate-lifetime", NOT_APPLICABLE, hosts, node, (_OFF if _off(evidence) else _CLEAR,))
            continue
        if not ends:
            yield Finding("certificate-lifetime", NOT_TESTED, hosts, node, ("nobody was shown its certificate",))
            continue
        days = (min(ends) - evidence.epoch) / 86400
        status = PASSED if days >= CERTIFICATE_DAYS_MIN else FAILED
        yield Finding("certificate-lifetime", status, hosts, node, (f"{days:.0f} days left",))


def _told(evidence: Evidence, control: str, member: Mapping[str, Any]) -> Mapping[str, Any] | Finding:
    """What a node said of itself, or the finding that says why it said nothing."""
    node = member["node"]
    told = (evidence.mesh or {}).get(node)
    hosts = _hosts_of(evidence, node)
    if _off(evidence):
        return Finding(control, NOT_APPLICABLE, hosts, node, (_OFF,))
    if told is None:
        return Finding(control, NOT_TESTED, hosts, node, ("was not asked for its nodes()",))
    if told.get("code") not in (None, "connected"):
        return Finding(control, NOT_TESTED, hosts, node, (f"could not be asked for its nodes(): {told['code']}",))
    return told


def _mesh_whole(evidence: Evidence) -> Iterator[Finding]:
    for member in _running_nodes(evidence):
        node = member["node"]
        told = _told(evidence, "mesh-whole", member)
        if isinstance(told, Finding):
            yield told
            continue
        visible, hidden = told.get("visible") or (), told.get("hidden") or ()
        problems = []
        others = [other for other in probes.reachable(evidence.plan, node) if other["node"] != node]
        for other in others:
            # A link is hidden on both of its ends where either is.
            secret = member["hidden"] or other["hidden"]
            if other["node"] not in (hidden if secret else visible):
                problems.append(f"{node} misses {other['node']}{', which is hidden' if other['hidden'] else ''}")
            if secret and other["node"] in visible:
                problems.append(f"{node} sees {other['node']}, and the link should be hidden")
        status, details = _verdict(problems, f"sees {len(others)}")
        if not evidence.plan["settings"]["connect_all"] and status == FAILED:
            status, details = NOT_APPLICABLE, ("beam_connect_all is false: nodes connect when they need each other", *details)
        yield Finding("mesh-whole", status, _hosts_of(evidence, node), node, details)


_SETTINGS_TOLD = {
    "net_ticktime": "ticktime",
    "net_tickintensity": "tickintensity",
    "prevent_overlapping_partitions": "prevent_overlapping_partitions",
    "connect_all": "connect_all",
    "dist_auto_connect": "auto_connect",
}
"""Kernel parameters by the names under which M(beam.cluster.mesh_info) tells them."""


def _mesh_settings(evidence: Evidence) -> Iterator[Finding]:
    for member in _running_nodes(evidence):
        told = _told(evidence, "mesh-settings", member)
        if isinstance(told, Finding):
            yield told
            continue
        nodes = evidence.plan["hosts"][member["host"]]["nodes"]
        (wanted,) = (node["kernel"] for node in nodes if node["node"] == member["node"])
        problems = [
            f"runs with {name} {str(told.get(key)).lower()}, not {str(wanted[name]).lower()}"
            for name, key in _SETTINGS_TOLD.items()
            if told.get(key) != wanted[name]
        ]
        status, details = _verdict(problems, ", ".join(f"{name} {str(value).lower()}" for name, value in wanted.items()))
        yield Finding("mesh-settings", status, _hosts_of(evidence, member["node"]), member["node"], details)


# -- attacks --------------------------------------------------------------------------------------------------------------------------------


def judge(answer: Answer, attack: Attack, connected: Mapping[tuple[str, str], Answer], off: bool = False) -> Outcome | None:
    """What an answer says about an attack.

    C(connected) are the whole connections of this run by (source, target). They are the baseline: without one from the same vantage
    (for an outsider: from any member, at that port) a refusal may just mean that the target is down. Null where the answer says
    nothing about anything: a port of a wide window that no node uses. C(off): nobody is to answer, so that none is needed.
    """
    probe = answer.probe
    where = f" at stage {answer.stage}" if answer.stage else ""
    if not answer.code:
        return Outcome(answer, NOT_TESTED, answer.message)
    if probes.got_past(answer, attack.stage):
        return Outcome(answer, SUCCEEDED, f"{answer.code}{where}")
    if answer.code not in attack.refused:
        return Outcome(answer, NOT_TESTED, f"stopped by something else: {answer.code}{where}")
    if attack.stage == "connect" and not off:
        proofs = [proof for (_source, target), proof in connected.items() if target == probe.target]
        if not proofs:
            return Outcome(answer, NOT_TESTED, f"{answer.code}, but no member reaches that node either")
        if attack.aim == "node" and probe.port not in {proof.port for proof in proofs}:
            return None
    elif not off and (probe.source, probe.target) not in connected:
        return Outcome(answer, NOT_TESTED, f"{answer.code}, but the honest connection from there does not work either")
    return Outcome(answer, REFUSED, answer.code)


def _outcomes(evidence: Evidence) -> list[Outcome]:
    connected = {
        (answer.probe.source, answer.probe.target): answer
        for answer in evidence.answers
        if answer.probe.control in (CONNECT, SELF) and answer.code == "connected"
    }
    outcomes = []
    for answer in evidence.answers:
        attack = probes.attack_of(answer.probe)
        outcome = judge(answer, attack, connected, _off(evidence)) if attack else None
        if outcome:
            outcomes.append(outcome)
    return outcomes


def _line(outcome: Outcome) -> str:
    probe = outcome.answer.probe
    port = outcome.answer.port or probe.port
    at = f"{probe.address}:{port}" if port else probe.address
    return f"{probe.source or probe.vantage} -> {probe.target} at {at} ({probe.network}): {outcome.why}"


def _expected(evidence: Evidence) -> Iterator[Probe]:
    addresses = addresses_of(evidence.hosts)
    for member in _running_nodes(evidence):
        yield from probes.attack_probes(evidence.plan, member["host"], member["node"], addresses)
    for outsider in evidence.outsiders:
        yield from probes.attack_probes(evidence.plan, outsider, "", addresses)


def addresses_of(hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """C({host: [address]}) from what was observed."""
    seen = {name: (own or {}).get("observed") or {} for name, own in hosts.items()}
    return {name: [entry["address"] for entry in observed["addresses"]] for name, observed in seen.items() if observed}


def _attack_findings(evidence: Evidence, outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    expected: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for probe in _expected(evidence):
        expected.setdefault((probe.control, probe.target), set()).add((probe.source or probe.vantage, probe.address))
    by_subject: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        by_subject.setdefault((outcome.answer.probe.control, outcome.answer.probe.target), []).append(outcome)
    for attack in ATTACKS:
        for member in _running_nodes(evidence):
            node = member["node"]
            hosts = _hosts_of(evidence, node)
            wanted = expected.get((attack.id, node), set())
            mine = by_subject.get((attack.id, node), [])
            got_in = [_line(outcome) for outcome in mine if outcome.status == SUCCEEDED]
            unclear = [_line(outcome) for outcome in mine if outcome.status == NOT_TESTED]
            seen = {(o.answer.probe.source or o.answer.probe.vantage, o.answer.probe.address) for o in mine}
            unclear += [f"{vantage} -> {node} at {address}: no probe was made" for vantage, address in sorted(wanted - seen)]
            if got_in:
                yield Finding(attack.id, FAILED, hosts, node, tuple(got_in))
            elif evidence.untested:
                yield Finding(attack.id, NOT_TESTED, hosts, node, (evidence.untested,))
            elif attack.vantage == "outside" and not evidence.outsiders:
                yield Finding(attack.id, NOT_TESTED, hosts, node, ("nobody outside the cluster could try",))
            elif unclear:
                yield Finding(attack.id, NOT_TESTED, hosts, node, tuple(unclear))
            elif not wanted:
                yield Finding(attack.id, NOT_APPLICABLE, hosts, node, (_why_none(evidence, attack),))
            else:
                yield Finding(attack.id, PASSED, hosts, node, (f"refused {len(seen)} of {len(seen)}",))


def _why_none(evidence: Evidence, attack: Attack) -> str:
    if _off(evidence):
        return _OFF
    if not evidence.plan["tls"] and attack.present in probes.NEED_TLS:
        return _CLEAR
    if attack.network == "public":
        return "the host has no other address"
    if attack.vantage == "user":
        return _EXTERNAL
    if attack.present == "old_tls":
        return "beam_tls_versions lists TLS 1.2"
    return "the cluster has one host only"


# -- all together ---------------------------------------------------------------------------------------------------------------------------


def _advisories(evidence: Evidence) -> Iterator[Advisory]:
    raw: list[tuple[str, Mapping[str, Any]]] = [("", entry) for entry in evidence.plan.get("advisories") or ()]
    raw += [(name, entry) for name, own in evidence.hosts.items() for entry in own.get("advisories") or ()]
    for host, entry in raw:
        severity = str(entry.get("severity") or "info")
        control = str(entry.get("cve") or entry.get("control") or "")
        yield Advisory(
            control=control,
            severity=severity if severity in SEVERITIES else "info",
            host=str(entry.get("host") or host),
            title=str(entry.get("title") or "").removeprefix(f"{control}: "),
            detail=str(entry.get("detail") or ""),
            fix=str(entry.get("fix") or (f"Fixed in {entry['fixed_in']}." if entry.get("fixed_in") else "")),
        )


def _waive(finding: Finding, waivers: Sequence[Waiver]) -> Finding:
    waiver = next((w for w in waivers if w.covers(finding)), None) if finding.bad else None
    if waiver is None:
        return finding
    return replace(finding, status=WAIVED, reason=str(waiver), details=(finding.status, *finding.details))


def evaluate(evidence: Evidence, waivers: Sequence[Waiver] = (), fail_at: str = "never") -> Verdict:
    """Every control on every subject that the plan knows. C(fail_at): lowest severity at which an advisory fails, or C(never)."""
    outcomes = _outcomes(evidence)
    found = [
        *_host_findings(evidence),
        *_mesh_connected(evidence),
        *_certificate_lifetime(evidence),
        *_mesh_whole(evidence),
        *_mesh_settings(evidence),
        *_attack_findings(evidence, outcomes),
    ]
    order = {control.id: number for number, control in enumerate(CONTROLS)}
    found.sort(key=lambda finding: order[finding.control])
    notes = list(_advisories(evidence))
    wanting: list[Finding | Advisory] = [*(finding for finding in found if finding.bad), *notes]
    return Verdict(
        plan=evidence.plan,
        findings=tuple(_waive(finding, waivers) for finding in found),
        advisories=tuple(replace(note, waived=next((str(w) for w in waivers if w.covers(note)), "")) for note in notes),
        outcomes=tuple(outcomes),
        answers=tuple(evidence.answers),
        waivers=tuple(waivers),
        unused_waivers=tuple(waiver for waiver in waivers if not any(waiver.covers(one) for one in wanting)),
        fail_at=fail_at,
        outsiders=tuple(evidence.outsiders),
    )

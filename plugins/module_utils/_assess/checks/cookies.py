# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of cookies: their strength, as their hosts evaluated it, their age and copies, what shows them, and whether all members have the same.

Private to this collection, pure. No message holds a cookie, its length, or a hash of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from ..._model.confinement_facts import Hardening
from ..._model.observation import Observation
from ..._model.problems import join_names
from ..._model.processes import Process
from ..._model.secret_facts import CookieFacts, Unsearched
from ..._model.secret_rules import ENTROPY_MIN, GENERATED, GUESSABLE, PUBLISHED
from ..controls.thresholds import COOKIE_DAYS_MAX
from ..finding import NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Evidence, Finding, OtherClusters, Result, result
from ..target import NEEDS_MEMBERS, OFF, HostTarget, NodeTarget
from . import node_home
from .parts import Check, about, of_nodes, unknown, vms

_SAYS = {
    PUBLISHED: "is a default of a product or was published",
    GENERATED: "was made by Erlang/OTP: its generator has 36 bits",
    GUESSABLE: f"has less than {ENTROPY_MIN} bits",
}
_FINE = {PUBLISHED: "is in no published list", GENERATED: "was not made by Erlang/OTP", GUESSABLE: f"has {ENTROPY_MIN} bits or more"}
_DAY = 86400
_FROM_BUILD = "used"


def _cookie(seen: Observation, node: NodeTarget) -> CookieFacts | None:
    if seen.secrets is None or seen.secrets.cookies is None or node.cookie_file is None:
        return None
    return seen.secrets.cookies.get(node.cookie_file)


def _unread(seen: Observation, node: NodeTarget) -> str:
    if seen.secrets is None:
        return seen.why_unknown("secrets")
    return f"{node.cookie_file or 'its cookie file'} could not be read, see cookie-file"


def _strength(weakness: str) -> Check:
    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        for node in host.nodes:
            cookie = _cookie(seen, node)
            if node.cookie_file == "":
                yield Result(node.node, NOT_APPLICABLE, ("it has no cookie file: its cookie comes from elsewhere, see argument-list",))
            elif cookie is not None and cookie.valid is False:
                yield result(node.node, [f"the node cannot start with {cookie.path}: it does not hold a cookie"], "")
            elif cookie is None or cookie.weaknesses is None or (cookie.valid is None and weakness not in cookie.weaknesses):
                yield Result(node.node, NOT_TESTED, (_unread(seen, node),))
            else:
                problems = [f"the cookie in {cookie.path} {_SAYS[weakness]}"] if weakness in cookie.weaknesses else []
                yield result(node.node, problems, f"the cookie in {cookie.path} {_FINE[weakness]}")

    return check


def _shared(host: HostTarget, seen: Observation, others: OtherClusters) -> Iterator[Result]:
    units, names = {node.unit for node in host.nodes}, {name for node in host.nodes for name in (node.node, node.name)}
    cookies = [cookie for cookie in (_cookie(seen, node) for node in host.nodes) if cookie]
    marks = {cookie.mark for cookie in cookies if cookie.mark}
    if not marks or seen.processes is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("processes") if marks else "its cookies were not compared",))
        return
    known = (seen.secrets.cookies if seen.secrets else None) or {}
    elsewhere = sorted({name for mark in marks for name in others.marks.get(mark, ())})
    problems = [f"other clusters of the inventory have the same cookie: {join_names(elsewhere)}"] if elsewhere else []
    for process in seen.processes:
        # Tools of the members and their operators have the cookie, too: they are hidden, or no services.
        if not process.is_vm or process.unit in units or process.flags.name in names or not _is_service(host, process):
            continue
        cookie = known.get(f"{process.home}/.erlang.cookie")
        if cookie and cookie.mark in marks:
            who = f"{process.flags.name or 'a node'} (pid {process.pid}, {process.unit}, user {process.user})"
            problems.append(f"{who} is no member, and has the same cookie in {cookie.path}")
    but = f"; it was not compared with that of {join_names(others.unread)}, which this run cannot read" if others.unread else ""
    yield result(host.name, problems, f"no other node on the host, and no other cluster of the inventory, has this cookie{but}")


def _is_service(host: HostTarget, process: Process) -> bool:
    """Whether a VM is a node in a service of its own. One that gets its name at runtime (RabbitMQ, its tools) counts with a user of its own."""
    flags = process.flags
    own_user = process.user not in {"root", *(node.user for node in host.nodes)}
    return str(process.unit).endswith(".service") and not flags.hidden and (flags.name is not None or (flags.distribution_possible and own_user))


_RUN_TOOLS = "run tools as root or as the node's user"


def _vacuum(path: str) -> str:
    """Lines of the journal cannot be removed one by one."""
    return ": run journalctl --rotate and journalctl --vacuum-time=1s" if path.endswith(".journal") else ""


def _not_searched(one: Unsearched) -> str:
    read_by = join_names(list(one.readers))
    return f"{one.path} ({one.form}) could not be unpacked, and {read_by} can read it: remove it, give it mode 0600, or pack it another way"


def _copies(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.secrets is None or None in (seen.secrets.copies, seen.secrets.unsearched):
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("secrets"),))
        return
    owners = {node.user for node in host.nodes}
    problems = []
    for copy in seen.secrets.copies or ():
        others = [user for user in copy.readers if user not in owners]
        # Nobody said who may have tools on a host that nobody planned.
        if copy.tool and (host.members is None or not others):
            continue
        if copy.tool:
            problems.append(f"{copy.path} gives {', '.join(others)} the cookie of {', '.join(copy.of)}: remove it, and {_RUN_TOOLS}")
        elif copy.unit:
            problems.append(f"{copy.path} holds the cookie of {', '.join(copy.of)}: every user can read it with systemctl show or systemctl cat")
        elif others:
            problems.append(f"{copy.path} holds the cookie of {', '.join(copy.of)}, and can be read by {', '.join(others)}{_vacuum(copy.path)}")
    unsearched = [one for one in seen.secrets.unsearched or () if set(one.readers) - owners]
    weak = [cookie for cookie in (_cookie(seen, node) for node in host.nodes) if cookie and cookie.weaknesses]
    if weak and not problems:
        yield Result(host.name, NOT_APPLICABLE, ("a weak cookie is not searched for, see cookie-published, cookie-generated and cookie-strength",))
    elif "secrets" in seen.unknown and not problems:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("secrets"),))
    elif unsearched and not problems:
        yield Result(host.name, NOT_TESTED, tuple(_not_searched(one) for one in unsearched))
    else:
        yield result(host.name, problems, "no copy that others can read, and none in a unit file")


def _argument_list(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.processes is None:
        yield from unknown([host.name], seen, "processes")
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


def _cookie_arguments(host: HostTarget, seen: Observation) -> Iterator[Result]:
    found = seen.system.cookie_arguments if seen.system else None
    if found is None or not seen.privileged:
        yield Result(host.name, NOT_TESTED, ("the arguments and environments of all processes were not compared with the cookies",))
        return
    problems = [f"pid {one.pid} ({one.process}, user {one.user}) shows a node's cookie in its {one.where}" for one in found]
    yield result(host.name, problems, "no process shows a node's cookie")


def _cookie_environment(host: HostTarget, seen: Observation) -> Iterator[Result]:
    good, what = "its environment does not hold its cookie", "its environment or its cookie file"
    for node in host.nodes:
        if seen.processes is None:
            yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes"),))
            continue

        def said(one: Process, has_file: bool = node.cookie_file != "") -> tuple[str, ...] | None:
            return _cookie_in(one.hardening, has_file) if one.hardening else None

        yield about(node.node, vms(host, seen, node), said, good, what, node.no_process)


def _cookie_in(one: Hardening, has_file: bool) -> tuple[str, ...] | None:
    if one.variables is None:
        return None
    named = sorted(name for name in one.variables if "COOKIE" in name)
    if one.cookie_in_environment is None:
        # Without a cookie file there is nothing to compare with: then such a variable is the cookie.
        return None if has_file and not named else tuple(f"has the variable {name}, and no readable cookie file" for name in named)
    return _unless(not one.cookie_in_environment, f"holds its cookie in its environment{f' ({chr(44).join(named)})' if named else ''}")


def _cookie_release(one: Hardening) -> tuple[str, ...] | None:
    if one.release_cookie is None:
        return None
    return _unless(one.release_cookie != _FROM_BUILD, "runs with the cookie in releases/COOKIE of its release")


def _age(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        entry = (seen.files or {}).get(node.cookie_file or "")
        if node.cookie_file == "":
            yield Result(node.node, NOT_APPLICABLE, ("it has no cookie file: its cookie comes from elsewhere, see argument-list",))
        elif entry is None or entry.modified is None or seen.epoch is None:
            yield Result(node.node, NOT_TESTED, (f"{node.cookie_file or 'its cookie file'} was not looked at",))
        else:
            days = (seen.epoch - entry.modified) / _DAY
            said = f"{node.cookie_file} is {days:.0f} days old"
            yield result(node.node, [said] if days > COOKIE_DAYS_MAX else [], said)


def _unless(known: bool, problem: str) -> tuple[str, ...]:
    return () if known else (problem,)


CHECKS: Mapping[str, Check] = {
    "argument-list": _argument_list,
    "cookie-arguments": _cookie_arguments,
    "cookie-environment": _cookie_environment,
    "cookie-release": of_nodes(_cookie_release, "its cookie is not that of a release", "its cookie file or releases/COOKIE"),
    "cookie-age": _age,
}
AT_REST: Mapping[str, Check] = {
    "cookie-published": _strength(PUBLISHED),
    "cookie-generated": _strength(GENERATED),
    "cookie-strength": _strength(GUESSABLE),
    "cookie-copies": _copies,
    **node_home.CHECKS,
}
NEEDS_COOKIE = frozenset({"cookie-published", "cookie-generated", "cookie-strength", "cookie-shared", "cookie-copies"})
SAME = "cookie-same"
SHARED = "cookie-shared"
CONTROLS = (*AT_REST, SHARED, SAME)


def cookie_findings(evidence: Evidence) -> Iterator[Finding]:
    for host in evidence.target.hosts.values():
        if not host.in_run or not host.nodes:
            continue
        seen = evidence.seen.get(host.name)
        checks: dict[str, Check] = {**AT_REST, SHARED: partial(_shared, others=evidence.others)}
        for control, check in checks.items():
            if control in NEEDS_COOKIE and not host.distributed:
                yield Finding(control, NOT_APPLICABLE, (host.name,), host.name, (OFF,))
            elif not seen:
                yield Finding(control, NOT_TESTED, (host.name,), host.name, (NOT_OBSERVED,))
            else:
                for subject, status, details in check(host, seen):
                    yield Finding(control, status, (host.name,), subject, details)
    yield from _same(evidence)


def _same(evidence: Evidence) -> Iterator[Finding]:
    """Each node's cookie against the one that most of the nodes have that it can be connected to."""
    target = evidence.target
    groups = [target.running] if target.mode != "standalone" else [[one for one in target.running if one.host == host] for host in target.hosts]
    for group in groups:
        yield from _same_in(evidence, group)


def _same_in(evidence: Evidence, group: Sequence[NodeTarget]) -> Iterator[Finding]:
    marks: dict[str, str] = {}
    for node in group:
        cookie = _cookie(evidence.seen[node.host], node) if node.host in evidence.seen else None
        if cookie and cookie.mark:
            marks[node.node] = cookie.mark
    usual = max(Counter(marks.values()).items(), key=lambda counted: (counted[1], counted[0]), default=("", 0))[0]
    others = sorted(name for name, mark in marks.items() if mark == usual)
    for node in group:
        hosts = evidence.target.hosts_of(node.node)
        if not evidence.target.planned:
            yield Finding(SAME, NOT_APPLICABLE, hosts, node.node, (NEEDS_MEMBERS,))
        elif evidence.target.off or len(group) < 2:
            why = OFF if evidence.target.off else "no other node that it connects to is in the run"
            yield Finding(SAME, NOT_APPLICABLE, hosts, node.node, (why,))
        elif node.host not in evidence.seen:
            yield Finding(SAME, NOT_TESTED, hosts, node.host, (NOT_OBSERVED,))
        elif node.node not in marks:
            yield Finding(SAME, NOT_TESTED, hosts, node.node, ("its cookie could not be compared, see cookie-file",))
        else:
            problems = [] if marks[node.node] == usual else [f"{node.cookie_file} holds another cookie than {join_names(others)}"]
            _subject, status, details = result(node.node, problems, f"the same cookie as {len(others) - 1} other nodes")
            yield Finding(SAME, status, hosts, node.node, details)

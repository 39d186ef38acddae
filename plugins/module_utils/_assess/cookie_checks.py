# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of cookies at rest: their strength, as their hosts evaluated it, their copies, and whether all members have the same.

Private to this collection, pure. No message holds a cookie, its length, or a hash of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Callable

from .._model.observation import Observation
from .._model.problems import join_names
from .._model.processes import Process
from .._model.secret_facts import CookieFacts, Readable
from .._model.secret_rules import ENTROPY_MIN, GENERATED, GUESSABLE, PUBLISHED
from .finding import NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Evidence, Finding, OtherClusters, Result, result
from .target import NEEDS_MEMBERS, OFF, HostTarget, NodeTarget

Check = Callable[[HostTarget, Observation], Iterator[Result]]

_SAYS = {
    PUBLISHED: "is a default of a product or was published",
    GENERATED: "was made by Erlang/OTP: its generator has 36 bits",
    GUESSABLE: f"has less than {ENTROPY_MIN} bits",
}
_FINE = {PUBLISHED: "is in no published list", GENERATED: "was not made by Erlang/OTP", GUESSABLE: f"has {ENTROPY_MIN} bits or more"}


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


def _copies(host: HostTarget, seen: Observation) -> Iterator[Result]:
    if seen.secrets is None or seen.secrets.copies is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("secrets"),))
        return
    owners = {node.user for node in host.nodes}
    problems = []
    for copy in seen.secrets.copies:
        others = [user for user in copy.readers if user not in owners]
        if copy.unit:
            problems.append(f"{copy.path} holds the cookie of {', '.join(copy.of)}: every user can read it with systemctl show or systemctl cat")
        elif others:
            problems.append(f"{copy.path} holds the cookie of {', '.join(copy.of)}, and can be read by {', '.join(others)}")
    weak = [cookie for cookie in (_cookie(seen, node) for node in host.nodes) if cookie and cookie.weaknesses]
    if weak and not problems:
        yield Result(host.name, NOT_APPLICABLE, ("a weak cookie is not searched for, see cookie-published, cookie-generated and cookie-strength",))
    elif "secrets" in seen.unknown and not problems:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("secrets"),))
    else:
        yield result(host.name, problems, "no copy that others can read, and none in a unit file")


def _private(part: str, good: str) -> Check:
    """part: of Secrets, files that the users of nodes alone may read."""

    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        files: tuple[Readable, ...] | None = getattr(seen.secrets, part, None)
        if files is None:
            yield Result(host.name, NOT_TESTED, (seen.why_unknown("secrets"),))
            return
        owners = {node.user for node in host.nodes}
        read = {file.path: [user for user in file.readers if user not in owners] for file in files}
        problems = [f"{path} can be read by {', '.join(others)}" for path, others in read.items() if others]
        if "secrets" in seen.unknown and not problems:
            yield Result(host.name, NOT_TESTED, (seen.why_unknown("secrets"),))
        else:
            yield result(host.name, problems, good)

    return check


def _lets(path: str, user: str) -> str:
    if path.startswith("/etc/sudoers"):
        return f"lets {user} run programs as another user with sudo"
    return f"starts programs of {user} outside of the unit, without its sandbox"


def _login(host: HostTarget, seen: Observation) -> Iterator[Result]:
    unknown = [node.node for node in host.nodes if not node.user]
    if unknown:
        yield Result(host.name, NOT_TESTED, (f"the user of {join_names(unknown)} is not known",))
    for user in sorted({node.user for node in host.nodes} - {"root", ""}):
        account = ((seen.secrets.accounts if seen.secrets else None) or {}).get(user)
        subject = host.name
        if account is None or None in (account.password, account.authorized_keys, account.rights):
            yield Result(subject, NOT_TESTED, (f"the account {user} was not looked at",))
            continue
        problems = [f"the user {user} has a password"] if account.password else []
        problems += [f"{path} lets SSH log in as {user}" for path in account.authorized_keys or ()]
        problems += [f"{path} {_lets(path, user)}" for path in account.rights or ()]
        yield result(subject, problems, f"no login as {user}")


HOST_CHECKS: Mapping[str, Check] = {
    "cookie-published": _strength(PUBLISHED),
    "cookie-generated": _strength(GENERATED),
    "cookie-strength": _strength(GUESSABLE),
    "cookie-copies": _copies,
    "crash-dumps": _private("dumps", "other users can read no crash dump"),
    "node-data": _private("exposed", "other users can read no file in the home of a node"),
    "node-login": _login,
}
NEEDS_COOKIE = frozenset({"cookie-published", "cookie-generated", "cookie-strength", "cookie-shared", "cookie-copies"})
SAME = "cookie-same"
SHARED = "cookie-shared"
CONTROLS = (*HOST_CHECKS, SHARED, SAME)


def cookie_findings(evidence: Evidence) -> Iterator[Finding]:
    for host in evidence.target.hosts.values():
        if not host.in_run or not host.nodes:
            continue
        seen = evidence.seen.get(host.name)
        checks: dict[str, Check] = {**HOST_CHECKS, SHARED: partial(_shared, others=evidence.others)}
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

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the home of a node and of its user: who reads crash dumps and data there, and who can log in.

Private to this collection, pure. They run with cookies.py, because all of it is searched at once (`secrets`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ..._model.observation import Observation
from ..._model.problems import join_names
from ..._model.secret_facts import Readable, Running
from ..finding import NOT_TESTED, Result, result
from ..target import HostTarget
from .parts import Check


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


_CRON = ("/var/spool/", "/var/lib/systemd/linger/", "/etc/cron", "/etc/anacrontab", "/etc/rc.local")


_NO_LOGIN = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false", "/bin/nologin", "/usr/bin/nologin")


def _lets(path: str, user: str) -> str:
    if path.startswith(_CRON):
        return f"starts programs of {user} outside of the unit, without its sandbox"
    way = "doas" if "doas" in path else "polkit" if "polkit" in path else "sudo"
    return f"lets {user} run programs as another user with {way}"


def _acts(who: str, path: str, user: str) -> str:
    if path.endswith(")"):
        return f"{path} gives {who} the cookie and the key of {user}: remove the program, or what it gives (chmod u-s, setcap -r)"
    if path:
        return f"{path} lets {who} run programs as {user}, with its cookie and its key: remove the rule"
    return f"the account {who} has the number of {user}, and with it its cookie and its key: remove it, or give it another number with usermod -u"


def _others(host: HostTarget, units: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The files of services that are no node of the host, and no instance of one."""
    own = {node.unit for node in host.nodes} | {re.sub(r"@.*(?=\.service$)", "@", node.unit) for node in host.nodes}
    return (path for unit, path in units if unit not in own)


_OWN_USER = ("erlang", "rabbitmq", "ejabberd")
"""Kinds of nodes whose user is made by a role or a package for them alone."""


def _beside(host: HostTarget, user: str, processes: Iterable[Running]) -> list[str]:
    """What runs as the user of nodes, and in the unit of none. Whether other services have the user of a release, is the operator's choice; what
    such a service says itself is reported as its file."""
    units = {node.unit for node in host.nodes}
    own = all(node.kind in _OWN_USER for node in host.nodes if node.user == user)
    others: dict[str, list[str]] = {}
    for one in processes:
        if one.unit not in units and (own or not one.unit.endswith(".service")):
            others.setdefault(one.unit, []).append(f"{one.process} (pid {one.pid})")
    return [
        f"{join_names(said)} in {unit or 'no unit'} runs as {user}, with its cookie and its key, outside of the sandbox: end it, and what starts it"
        for unit, said in sorted(others.items())
    ]


def _login(host: HostTarget, seen: Observation) -> Iterator[Result]:
    unknown = [node.node for node in host.nodes if not node.user]
    if unknown:
        yield Result(host.name, NOT_TESTED, (f"the user of {join_names(unknown)} is not known",))
    for user in sorted({node.user for node in host.nodes} - {"root", ""}):
        account = ((seen.secrets.accounts if seen.secrets else None) or {}).get(user)
        subject = host.name
        bare = host.members is not None and all(node.kind == "erlang" for node in host.nodes if node.user == user)
        own: list[object] = [account.shell, account.members] if account and bare else []
        own += [account.processes] if account and host.members is not None else []
        if account is None or None in (
            account.password, account.authorized_keys, account.rights, account.units, account.acting, *own
        ):
            yield Result(subject, NOT_TESTED, (f"the account {user} was not looked at",))
            continue
        problems = [f"the user {user} has a password"] if account.password else []
        # The account of a bare node is of role product: that of a product's package may have a shell, and log shippers in its group.
        if bare and account.shell not in _NO_LOGIN:
            problems.append(f"the user {user} has the login shell {account.shell or '/bin/sh'}: run usermod -s {_NO_LOGIN[0]} {user}")
        problems += [f"{name} is in the group of {user}: run gpasswd -d {name} {user}" for name in (account.members or () if bare else ())]
        problems += [f"{path} lets SSH log in as {user}" for path in account.authorized_keys or ()]
        problems += [f"{path} {_lets(path, user)}" for path in account.rights or ()]
        problems += [f"{path} starts programs of {user} outside of the unit, without its sandbox" for path in _others(host, account.units or ())]
        problems += _beside(host, user, account.processes or ()) if host.members is not None else []
        problems += [_acts(who, path, user) for who, path in account.acting or ()]
        yield result(subject, problems, f"no login as {user}")


CHECKS: Mapping[str, Check] = {
    "crash-dumps": _private("dumps", "other users can read no crash dump"),
    "node-data": _private("exposed", "other users can read no file in the home of a node"),
    "node-login": _login,
}

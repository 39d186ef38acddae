# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of products' own settings, and of nodes in containers as their host sees them.

Private to this collection, pure. See on_hosts.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Callable

from ..._model.observation import Observation
from ..._model.processes import Process
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import HostTarget
from .parts import Check

_PUBLISHERS = ("docker-proxy", "conmon", "rootlessport", "slirp4netns", "pasta", "pasta.avx2", "rootlessport-chi")
_DEBUG = ("5", "debug")
_ALL_POWER = "sys_admin"
_NO_CONTAINER = "no node runs in a container on this host"

_OfProduct = Callable[[Mapping[str, str]], "tuple[list[str], str] | None"]


def _of_product(product: str, said: _OfProduct) -> Check:
    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        nodes = [node for node in host.nodes if product in (node.product, node.kind)]
        if not nodes:
            yield Result(host.name, NOT_APPLICABLE, (f"no node of {product} runs on this host",))
            return
        settings = (seen.system.settings if seen.system else None) or {}
        found = said(settings[product]) if product in settings else None
        for node in nodes:
            if found is None:
                yield Result(node.node, NOT_TESTED, (f"the settings of {product} could not be read as a whole",))
            else:
                yield result(node.node, *found)

    return check


def _guest_everywhere(settings: Mapping[str, str]) -> str:
    """The setting that lets guest connect from other hosts; empty where there is none."""
    if settings.get("loopback_users") == "none":
        return "loopback_users = none"
    return "loopback_users.guest = false" if settings.get("loopback_users.guest") == "false" else ""


def _guest(settings: Mapping[str, str]) -> tuple[list[str], str] | None:
    if "unread" in settings:
        return None
    wide = _guest_everywhere(settings)
    return ([f"rabbitmq.conf has {wide}: guest may connect from every host"] if wide else []), "guest connects from its own host only"


def _anonymous(settings: Mapping[str, str]) -> tuple[list[str], str] | None:
    if "unread" in settings:
        return None
    user = settings.get("anonymous_login_user", "guest")
    wide = user != "none" and (user != "guest" or bool(_guest_everywhere(settings)))
    said = "anonymous logins are refused" if user == "none" else "anonymous logins have the user guest, who connects from its own host only"
    return ([f"a client without credentials gets the rights of {user}"] if wide else []), said


def _passwords(settings: Mapping[str, str]) -> tuple[list[str], str] | None:
    """The user guest with its own password is there by default, and rabbitmq-guest says from where it may connect."""
    logins = [one for one in settings.get("known_logins", "").split("; ") if one and (not one.startswith("guest in ") or _guest_everywhere(settings))]
    if "unread" in settings and not logins:
        return None
    problems = [f"the user {one} is created with a password that everybody knows" for one in logins]
    return problems, "no user is created with a password that everybody knows"


def _log_level(settings: Mapping[str, str]) -> tuple[list[str], str] | None:
    if "unread" in settings:
        return None
    level = settings.get("loglevel", "info")
    return ([f"loglevel is {level} in /etc/ejabberd/ejabberd.yml"] if level in _DEBUG else []), f"loglevel is {level}"


def _files(settings: Mapping[str, str]) -> tuple[list[str], str] | None:
    return ([f"its mode lets every user read {settings['open']}"] if settings.get("open") else []), "no file's mode lets every user read it"


def _of_contained(said: Callable[[Process], "tuple[str, ...] | None"], good: str) -> Check:
    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        machines = [one for one in seen.contained or () if one.is_vm]
        if seen.contained is None or not machines:
            why = seen.why_unknown("processes") if seen.contained is None else _NO_CONTAINER
            yield Result(host.name, NOT_TESTED if seen.contained is None else NOT_APPLICABLE, (why,))
            return
        problems: list[str] = []
        unseen: list[str] = []
        for one in machines:
            found = said(one)
            unseen += [f"pid {one.pid} in a container could not be looked at"] if found is None else []
            problems += [f"pid {one.pid} ({one.flags.name or 'a VM'}) in a container {problem}" for problem in found or ()]
        yield Result(host.name, NOT_TESTED, tuple(unseen)) if unseen and not problems else result(host.name, problems, good)

    return check


def _privileged(process: Process) -> tuple[str, ...] | None:
    if process.hardening is None or process.hardening.capabilities is None:
        return None
    return (f"has the capability {_ALL_POWER}",) if _ALL_POWER in process.hardening.capabilities else ()


def _variables(process: Process) -> tuple[str, ...] | None:
    if process.hardening is None or process.hardening.variables is None:
        return None
    named = sorted(name for name in process.hardening.variables if "COOKIE" in name)
    return (f"has the variable {', '.join(named)}",) if named else ()


def _published(host: HostTarget, seen: Observation) -> Iterator[Result]:
    machines = [one for one in seen.contained or () if one.is_vm]
    if seen.contained is None or seen.listeners is None:
        yield Result(host.name, NOT_TESTED, (seen.why_unknown("listeners" if seen.listeners is None else "processes"),))
        return
    if not machines:
        yield Result(host.name, NOT_APPLICABLE, (_NO_CONTAINER,))
        return
    ranges = [(host.epmd_port, host.epmd_port), *(_range(one) for one in machines)]
    engine = [one for one in seen.listeners if str(one.process) in _PUBLISHERS and not one.loopback]
    found = [one for one in engine if any(first <= one.port <= last for first, last in ranges)]
    yield result(host.name, [f"a port of a node in a container is published: {one}" for one in found], "no port of EPMD or of a node is published")


def _range(process: Process) -> tuple[int, int]:
    """The ports of a VM by its flags; none where they say nothing."""
    first, last = (process.flags.kernel.get(f"inet_dist_listen_{end}", "") for end in ("min", "max"))
    return (int(first), int(last)) if first.isdigit() and last.isdigit() else (0, -1)


OF_ONE_PRODUCT = {
    **dict.fromkeys(("rabbitmq-management", "rabbitmq-guest", "rabbitmq-passwords", "rabbitmq-anonymous"), "rabbitmq"),
    **dict.fromkeys(("ejabberd-files", "ejabberd-log-level"), "ejabberd"),
}
"""Controls of verifications that are about nodes of one product."""

CHECKS: Mapping[str, Check] = {
    "rabbitmq-guest": _of_product("rabbitmq", _guest),
    "rabbitmq-passwords": _of_product("rabbitmq", _passwords),
    "rabbitmq-anonymous": _of_product("rabbitmq", _anonymous),
    "ejabberd-files": _of_product("ejabberd", _files),
    "ejabberd-log-level": _of_product("ejabberd", _log_level),
    "container-privileges": _of_contained(_privileged, "no container with a node is privileged"),
    "container-cookie": _of_contained(_variables, "no variable of a container holds a cookie"),
    "container-ports": _published,
}

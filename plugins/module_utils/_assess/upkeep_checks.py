# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of upkeep: age and lifetime of secrets, programs that are maintained; and of what only a whole inventory shows.

Private to this collection, pure. See host_checks.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Callable

from .._model.confinement_facts import Hardening
from .._model.observation import Observation
from .._model.problems import join_names
from .._model.processes import Process
from .certificate_checks import epoch_of
from .confinement_checks import Check, of_epmd, of_nodes, vms
from .controls.upkeep import CERTIFICATE_LIFETIME_MAX, COOKIE_DAYS_MAX, OPENSSL_MIN, OTP_MAINTAINED, UNNEEDED
from .file_permission_checks import trust_file
from .finding import NOT_APPLICABLE, NOT_OBSERVED, NOT_TESTED, Evidence, Finding, Result, result
from .target import CLEAR_TEXT, HostTarget, NodeTarget

_DAY = 86400
_FLOOR = frozenset({"pie", "nx", "relro"})
_NAMES = {"pie": "PIE", "nx": "a stack that is not executable", "relro": "RELRO"}
_UNMAINTAINED = {"debian": 12.0, "ubuntu": 22.04}
"""The first version of a distribution that gets patches, as of November 2026."""
_RELEASE = "release"
_KNOWN_PRODUCTS = frozenset({"rabbitmq", "ejabberd", "couchdb", "emqx", "vernemq", "riak", "mongooseim", "livebook", "phoenix"})
NO_RELEASE = "it is no release"


def _validity(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        if node.key_file == "" or node.tls_versions == ():
            yield Result(node.node, NOT_APPLICABLE, (CLEAR_TEXT,))
            continue
        leaf = next((one for one in seen.certificates or () if node.certificate_file and one.path == node.certificate_file), None)
        start, end = (epoch_of(leaf.not_before), epoch_of(leaf.not_after)) if leaf else (None, None)
        if start is None or end is None:
            yield Result(node.node, NOT_TESTED, ("its certificate was not read",))
            continue
        days = (end - start) / _DAY
        said = f"{node.certificate_file} is valid for {days:.0f} days"
        yield result(node.node, [said] if days > CERTIFICATE_LIFETIME_MAX else [], said)


def _cookie_age(host: HostTarget, seen: Observation) -> Iterator[Result]:
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


def _owner(one: Hardening) -> tuple[str, ...] | None:
    if one.replaceable_by is None or one.privileged_programs is None:
        return None
    given = [f"runs an OTP with {path}: every user of the host that starts it gets its rights" for path in one.privileged_programs]
    theirs = [f"can be replaced by {', '.join(one.replaceable_by)}: its program or its OTP is theirs"] if one.replaceable_by else []
    return (*theirs, *given)


def _protections(one: Hardening) -> tuple[str, ...] | None:
    if one.program is None:
        return None
    return tuple(f"was built without {_NAMES[name]}" for name in sorted(_FLOOR - one.program))


def _openssl(one: Hardening) -> tuple[str, ...] | None:
    if one.libcrypto is None:
        return None
    found = tuple(int(part) for part in re.findall(r"\d+", one.libcrypto)[:2])
    return (f"has loaded OpenSSL {one.libcrypto}",) if one.libcrypto and found < OPENSSL_MIN else ()


def _logs(one: Hardening) -> tuple[str, ...] | None:
    return None if one.open_logs is None else tuple(f"writes {path}, which every user can read" for path in one.open_logs)


def _epmd_replaced(one: Hardening) -> tuple[str, ...] | None:
    if one.replaced is None:
        return None
    return ("runs a program that is no longer the file on disk",) if one.replaced else ()


def _maintained(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = vms(host, seen, node)
        vm = running[0].vm if running else None
        version = vm.version if vm else None
        if vm is None or version is None:
            yield Result(node.node, NOT_TESTED, ("its version of OTP is not known" if running else node.no_process,))
            continue
        first = _UNMAINTAINED.get(seen.distribution.id or "")
        number = seen.distribution.version or ""
        patched = vm.package is not None and not (first and re.fullmatch(r"\d+(\.\d+)?", number) and float(number) < first)
        if patched:
            yield result(node.node, [], f"OTP {version} is a package of its distribution, which patches it")
            continue
        major = int(version.partition(".")[0])
        problems = [] if major >= OTP_MAINTAINED[0] else [f"runs OTP {version}. The maintained releases are {', '.join(map(str, OTP_MAINTAINED))}"]
        yield result(node.node, problems, f"runs OTP {version}")


def _of_release(said: Callable[[Process], "tuple[list[str], str] | None"]) -> Check:
    """The check of each node that is a release. said: problems and what is good; None where it is not known."""

    def check(host: HostTarget, seen: Observation) -> Iterator[Result]:
        for node in host.nodes:
            running = vms(host, seen, node)
            if not running:
                yield Result(node.node, NOT_TESTED, (seen.why_unknown("processes") if seen.processes is None else node.no_process,))
            elif running[0].traces is None:
                yield Result(node.node, NOT_TESTED, ("whether it is a release is not known",))
            elif _RELEASE not in running[0].traces:
                yield Result(node.node, NOT_APPLICABLE, (NO_RELEASE,))
            else:
                found = said(running[0])
                yield Result(node.node, NOT_TESTED, (f"pid {running[0].pid} could not be looked at",)) if found is None else result(node.node, *found)

    return check


def _embedded(process: Process) -> tuple[list[str], str] | None:
    if process.hardening is None or process.hardening.switches is None:
        return None
    return ([] if "embedded" in process.hardening.switches else [f"pid {process.pid} runs without -mode embedded"]), "runs in embedded mode"


def _applications(process: Process) -> tuple[list[str], str] | None:
    if process.vm is None or process.vm.applications is None:
        return None
    found = sorted(UNNEEDED.intersection(process.vm.applications))
    return ([f"its release contains {', '.join(found)}"] if found else []), "its release contains no application for development"


CHECKS: Mapping[str, Check] = {
    "trust-file": trust_file,
    "certificate-validity": _validity,
    "cookie-age": _cookie_age,
    "program-owner": of_nodes(_owner, "only root can write its program and its OTP", "the directories of its program"),
    "program-protections": of_nodes(_protections, "its program has PIE, RELRO and a stack that is not executable", "its program", with_epmd=True),
    "openssl-maintained": of_nodes(_openssl, "its OpenSSL is maintained", "its OpenSSL"),
    "otp-maintained": _maintained,
    "epmd-running": of_epmd(_epmd_replaced, "EPMD is the program on disk", "its program"),
    "embedded-mode": _of_release(_embedded),
    "release-applications": _of_release(_applications),
    "log-files": of_nodes(_logs, "not every user can read its log files", "its open files"),
}


# --- what only a whole inventory shows ---


def _marks(evidence: Evidence) -> dict[str, list[NodeTarget]]:
    """The nodes of all hosts by the mark of their cookie."""
    found: dict[str, list[NodeTarget]] = {}
    for node in evidence.target.running:
        mark = _mark(evidence, node)
        if mark:
            found.setdefault(mark, []).append(node)
    return found


def _mark(evidence: Evidence, node: NodeTarget) -> str | None:
    seen = evidence.seen.get(node.host)
    cookies = seen.secrets.cookies if seen and seen.secrets else None
    cookie = (cookies or {}).get(node.cookie_file or "")
    return cookie.mark if cookie else None


def _version(evidence: Evidence, node: NodeTarget) -> str | None:
    seen = evidence.seen.get(node.host)
    process = next((one for one in (seen.processes if seen else None) or () if node.is_run_by(one)), None)
    return process.vm.version if process and process.vm else None


def _same_products(_evidence: Evidence, node: NodeTarget, group: list[NodeTarget]) -> Result:
    if node.product not in _KNOWN_PRODUCTS:
        return Result(node.node, NOT_APPLICABLE, ("its product is not known",))
    others = [one for one in group if one.product in _KNOWN_PRODUCTS and one.product != node.product]
    names = [f"{one.node} ({one.product})" for one in others]
    return result(node.node, [f"has the same cookie as {join_names(names)}"] if others else [], "no node of another product has its cookie")


def _same_otp(evidence: Evidence, node: NodeTarget, group: list[NodeTarget]) -> Result:
    version = _version(evidence, node)
    if version is None:
        return Result(node.node, NOT_TESTED, ("its version of OTP is not known",))
    release = version.partition(".")[0]
    others = {one.node: _version(evidence, one) for one in group}
    newer = {name: other for name, other in others.items() if other and other.partition(".")[0] == release and _parts(other) > _parts(version)}
    said = join_names([f"{name} ({other})" for name, other in sorted(newer.items())])
    return result(node.node, [f"runs OTP {version}, older than {said}"] if newer else [], f"runs OTP {version}")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


_OF_INVENTORY: Mapping[str, Callable[[Evidence, NodeTarget, "list[NodeTarget]"], Result]] = {
    "cookie-products": _same_products,
    "otp-same": _same_otp,
}
INVENTORY_CONTROLS = tuple(_OF_INVENTORY)


def inventory_findings(evidence: Evidence) -> Iterator[Finding]:
    """The findings of an audit about nodes of all its hosts; none where there is a plan."""
    if evidence.target.planned:
        return
    groups = _marks(evidence)
    for control, check in _OF_INVENTORY.items():
        for node in evidence.target.running:
            mark = _mark(evidence, node)
            if not evidence.seen.get(node.host):
                found = Result(node.node, NOT_TESTED, (NOT_OBSERVED,))
            elif node.cookie_file == "":
                found = Result(node.node, NOT_APPLICABLE, ("it has no cookie file: its cookie comes from elsewhere, see argument-list",))
            elif mark is None:
                found = Result(node.node, NOT_TESTED, ("its cookie could not be compared, see cookie-file",))
            else:
                found = check(evidence, node, [one for one in groups[mark] if one.node != node.node])
            yield Finding(control, found.status, (node.host,), found.subject, found.details)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of programs: who owns the OTP that a node runs, how it was built, what it has loaded, and whether anybody maintains it.

Private to this collection, pure. See on_hosts.py. Known vulnerabilities are in vulnerabilities.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Callable

from ..._model.confinement_facts import Hardening
from ..._model.observation import Observation
from ..._model.processes import Process
from ..controls.programs import UNNEEDED
from ..controls.thresholds import OLDEST_LINUX_RELEASE, OPENSSL_MIN, OTP_MAINTAINED
from ..finding import NOT_APPLICABLE, NOT_TESTED, Result, result
from ..target import HostTarget
from .parts import Check, of_nodes, vms

_FLOOR = frozenset({"pie", "nx", "relro"})
_NAMES = {"pie": "PIE", "nx": "a stack that is not executable", "relro": "RELRO"}
_RELEASE = "release"
NO_RELEASE = "it is no release"


def _owner(one: Hardening) -> tuple[str, ...] | None:
    if None in (one.replaceable_by, one.privileged_programs, one.libraries):
        return None
    given = [f"runs an OTP with {path}: every user of the host that starts it gets its rights" for path in one.privileged_programs or ()]
    loaded = [library for library in one.libraries or () if library.by and not library.later]
    given += [f"has loaded {library.path}, which {', '.join(library.by)} can change or replace" for library in loaded]
    theirs = [f"can be replaced by {', '.join(one.replaceable_by)}, who can write its program or its OTP"] if one.replaceable_by else []
    return (*theirs, *given)


_INSTALL = "Install the package again (apt-get install --reinstall {package}), and restart the node"
_ALTERED = {
    "other": f"{{path}} is another file than the one of its package {{package}}. {_INSTALL}",
    "no_link": f"{{path}} is a file, and in its package {{package}} a link. {_INSTALL}",
    "elsewhere": f"{{path}} of the package {{package}} leads to a file of no package. {_INSTALL}",
    "beside": "{path} is beside the modules of the package {package}, and of no package. Remove it, and restart the node",
    "shadows": "{path} is of no package, and has the name of an application of the package {package}. Remove it, and restart the node",
}
_DIFFERS = "{path} differs from the package {package}"
_ALTERED_SHOWN = 5


def _packaged(host: HostTarget, seen: Observation) -> Iterator[Result]:
    found = seen.system.package_files if seen.system else None
    if found is None:
        yield Result(host.name, NOT_TESTED, ("the files of OTP were not compared with those of their packages",))
    elif not found.compared and not found.altered:
        yield Result(host.name, NOT_APPLICABLE, ("its OTP comes from no Debian package, with which its files could be compared",))
    else:
        said = [_ALTERED.get(one.how, _DIFFERS).format(path=one.path, package=one.package) for one in found.altered]
        more = [f"and {len(said) - _ALTERED_SHOWN} more files"] if len(said) > _ALTERED_SHOWN else []
        yield result(host.name, said[:_ALTERED_SHOWN] + more, f"{found.compared} files are those of their packages")


def _protections(one: Hardening) -> tuple[str, ...] | None:
    if one.program is None:
        return None
    return tuple(f"was built without {_NAMES[name]}" for name in sorted(_FLOOR - one.program))


def _openssl(one: Hardening) -> tuple[str, ...] | None:
    if one.libcrypto is None:
        return None
    found = tuple(int(part) for part in re.findall(r"\d+", one.libcrypto)[:2])
    return (f"has loaded OpenSSL {one.libcrypto}",) if one.libcrypto and found < OPENSSL_MIN else ()


def _maintained(host: HostTarget, seen: Observation) -> Iterator[Result]:
    for node in host.nodes:
        running = vms(host, seen, node)
        vm = running[0].vm if running else None
        version = vm.version if vm else None
        if vm is None or version is None:
            yield Result(node.node, NOT_TESTED, ("its version of OTP is not known" if running else node.no_process,))
            continue
        first = OLDEST_LINUX_RELEASE.get(seen.distribution.id or "")
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
    "program-owner": of_nodes(_owner, "only root can write its program and its OTP", "the directories of its program"),
    "package-files": _packaged,
    "program-protections": of_nodes(_protections, "its program has PIE, RELRO and a stack that is not executable", "its program", with_epmd=True),
    "openssl-maintained": of_nodes(_openssl, "its OpenSSL is maintained", "its OpenSSL"),
    "otp-maintained": _maintained,
    "embedded-mode": _of_release(_embedded),
    "release-applications": _of_release(_applications),
}

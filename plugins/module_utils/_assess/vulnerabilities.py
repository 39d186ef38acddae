# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which known vulnerabilities a host has: what its VMs run is compared with the table.

Private to this collection, pure. What a VM runs counts, not what is installed; an installation counts where no VM of the host runs from it. In order:
a fix that the distribution's package has; the version of the application that the VM can load; the version of OTP. What OTP's authors call not
affected is not affected.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .._model import applications, versions
from .._model.advisories import Advisory
from .._model.observation import Observation
from .._model.packages import Package
from .._model.processes import Process
from .._model.recognised_products import KNOWN
from .vulnerability_table import OTP, Vulnerability, VulnerabilityTable

UNKNOWN = "unknown_version"
"""The advisory about a VM whose version is not known. It is in controls.ADVISORIES."""

RESTART = "Restart the node: run beam.cluster.site."
_MOST = 5
"""How many VMs one advisory names."""
_NAMES = {OTP: "OTP", "elixir": "Elixir", **{product.name: product.shown for product in KNOWN}}


@dataclass(frozen=True)
class Software:
    """One thing with a version: an OTP, or a product. name: as in the table. version: None where it is not known.

    package, installed: version of the Debian package that it came in, and the one that is installed now; "" without a package. applications: of OTP,
    None where they are not known. place: the end of a sentence that says where.
    """

    name: str
    version: str | None
    place: str
    package_name: str = ""
    package: str = ""
    installed: str = ""
    applications: Mapping[str, str] | None = None

    @property
    def identity(self) -> object:
        """Everything but its place."""
        listed = None if self.applications is None else tuple(sorted(self.applications.items()))
        return (self.name, self.version, self.package_name, self.package, self.installed, listed)

    def __str__(self) -> str:
        by = f" ({self.package_name} {self.package})" if self.package else ""
        return f"{_NAMES.get(self.name, self.name)} {self.version}{by}"


Memo = dict[object, list[tuple[Vulnerability, str, str]]]
"""What is known of software that other hosts have, too: vulnerability, application, fix."""


def host_advisories(seen: Observation, table: VulnerabilityTable, memo: Memo | None = None) -> list[Advisory]:
    """One advisory for each vulnerability of a host, and one for each VM whose version is not known. In the order of the table."""
    memo = {} if memo is None else memo
    found: dict[str, tuple[Vulnerability, list[str], list[str]]] = {}
    unknown: list[Advisory] = []
    for software in _merged(software_of(seen)):
        if software.version is None or not versions.is_version(software.version):
            unknown.append(_not_known(seen.host, software))
            continue
        if software.identity not in memo:
            memo[software.identity] = [(known, reason, _fix(software, known, table)) for known, reason in carried(software, table)]
        for known, reason, fix in memo[software.identity]:
            _known, details, fixes = found.setdefault(known.id, (known, [], []))
            detail = f"{software}{f', {reason}' if reason else ''}{software.place}"
            details += [] if detail in details else [detail]
            fixes += [] if fix in fixes else [fix]
    order = {name: number for number, name in enumerate(table.known)}
    return unknown + [
        Advisory(known.id, known.severity, seen.host, known.title, "; ".join(details), f"{' '.join(fixes)} See {known.url}")
        for known, details, fixes in sorted(found.values(), key=lambda each: order[each[0].id])
    ]


def carried(software: Software, table: VulnerabilityTable) -> Iterator[tuple[Vulnerability, str]]:
    """The vulnerabilities of one thing, each with the application that has it ("" where OTP as a whole, or a product, has it)."""
    for known in table.known.values():
        reason = _reason(software, known, table)
        source = applications.source_of(software.package_name)
        if reason is not None and not (software.package and table.patched(source, software.package, known.id)):
            yield known, reason


def _reason(software: Software, known: Vulnerability, table: VulnerabilityTable) -> str | None:
    """Which application is affected, "" for the whole; None where nothing is."""
    version = software.version or ""
    if table.excepted(known.id, software.name, version):
        return None
    named = sorted(applications.OTP.intersection(known.affected)) if software.name == OTP else []
    if software.applications is None or not named:
        return "" if known.affects(software.name, version) else None
    for name in named:
        own = software.applications.get(name)
        if own and versions.is_version(own) and known.affects(name, own) and not table.excepted(known.id, name, own):
            return f"application {name} {own}"
    return None


def _fix(software: Software, known: Vulnerability, table: VulnerabilityTable) -> str:
    source = applications.source_of(software.package_name)
    if software.package and software.installed and software.package != software.installed:
        now = Software(software.name, versions.upstream(software.installed), "", software.package_name, software.installed)
        if _reason(now, known, table) is None or table.patched(source, software.installed, known.id):
            return RESTART
    line = [
        fixed
        for fixed in table.patches.get(source, {}).get(known.id, ())
        if software.package and versions.DebianVersion(software.package) < versions.DebianVersion(fixed) and _comes_after(fixed, software.package)
    ]
    if line:
        return f"Upgrade {software.package_name} to {line[0]} or newer."
    fixed = known.fixed_in(software.name, software.version or "")
    name = _NAMES.get(software.name, software.name)
    if fixed is None:
        return f"No release of {name} with a fix is known."
    return f"Upgrade to {name} {fixed} or newer{', or to a package that carries its fix' if software.package else ''}."


def _comes_after(fixed: str, package: str) -> bool:
    """Whether an upload is an update of the Debian release that a package is from."""
    return versions.same_line(package, fixed) and versions.same_line(fixed, package)


def software_of(seen: Observation) -> Iterator[Software]:
    """What the VMs of a host run, and installations that none of them runs from."""
    running = [process for process in seen.processes or () if process.is_vm]
    for process in running:
        yield from _running(process)
    own = {process.pid for process in running}
    for otp in seen.otp or ():
        if own.intersection(otp.pids) or (otp.version is None and not otp.container):
            continue
        where = f", which pid {otp.pids[0]} in a container runs" if otp.container else f", installed in {otp.root}, which no node runs"
        name, version = (otp.package.name, otp.package.installed or "") if otp.package else ("", "")
        yield Software(OTP, otp.version, where, name, version, version, otp.applications)


def _running(process: Process) -> Iterator[Software]:
    place = f", which pid {process.pid} of {process.unit or 'no unit'} runs"
    vm = process.vm
    if vm is None:
        yield Software(OTP, None, place)
        return
    package = _at_start(vm.package, replaced=vm.executable in vm.replaced)
    name, installed = (vm.package.name, vm.package.installed or "") if vm.package else ("", "")
    # After an upgrade the directories are those of the new version.
    stale = package != installed or bool(vm.installed_erts and vm.installed_erts != vm.erts)
    yield Software(OTP, vm.version, place, name, package, installed, None if stale else vm.applications)
    for product in vm.products:
        own = product.package
        yield Software(
            product.name, product.version, place, own.name if own else "", _at_start(own) if own else "", (own.installed or "") if own else ""
        )


def _at_start(package: Package | None, *, replaced: bool = False) -> str:
    """The version of the package that a process was started with. Where the log does not say, the one that is installed, unless its files changed."""
    if package is None:
        return ""
    return package.started or ("" if replaced else package.installed or "")


def _merged(found: Iterable[Software]) -> list[Software]:
    """The same software of several VMs is one entry that names them all."""
    places: dict[object, tuple[Software, list[str]]] = {}
    for one in found:
        places.setdefault(one.identity, (one, []))[1].append(one.place)
    return [
        Software(one.name, one.version, _places(every), one.package_name, one.package, one.installed, one.applications)
        for one, every in places.values()
    ]


def _places(every: list[str]) -> str:
    more = f" and {len(every) - _MOST} more" if len(every) > _MOST else ""
    return "".join(every[:_MOST]) + more


def _not_known(host: str, software: Software) -> Advisory:
    name = _NAMES.get(software.name, software.name)
    return Advisory(
        UNKNOWN,
        "medium",
        host,
        f"The version of {name} is not known: its vulnerabilities are not in this report",
        f"{name}{software.place}",
        "Restart the node if its files were replaced. Run with become: true.",
    )

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages of OTP and of the products a host upgrades, and what speaks against it. Pure.

Private to this collection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .packages import is_of_otp
from .product_data import ProductData
from .versions import key, upstream

MOST_RELEASES = 2
"""Nodes of OTP speak with those of two releases before and after theirs (OTP, "Support, Compatibility, Deprecations, and Removal")."""

# Inst erlang-base [1:27.3.4.1+dfsg-1] (1:27.3.4.2+dfsg-1 Debian:13.2/stable [amd64])
_INSTALL = re.compile(r"Inst (?P<name>[^ ]+)(?: \[(?P<installed>[^]]+)\])? \((?P<candidate>[^ )]+)")
_REMOVE = re.compile(r"Remv (?P<name>[^ ]+)")


@dataclass(frozen=True)
class Change:
    """One package: its version now, None where it is new, and the version that apt would install."""

    name: str
    installed: str | None
    candidate: str

    def __str__(self) -> str:
        return f"{self.name} {self.installed} to {self.candidate}" if self.installed else f"{self.name} {self.candidate} (new)"


def of_otp(rows: Iterable[str], products: Iterable[str]) -> tuple[list[str], list[str]]:
    """The installed packages of OTP and of the products, and those of them that the operator holds back.

    rows: `name TAB status`, as dpkg-query shows ${Package} and ${db:Status-Abbrev}. products: packages of the nodes' units.
    """
    wanted: list[str] = []
    held: list[str] = []
    named = frozenset(products)
    for row in rows:
        name, _tab, status = row.partition("\t")
        if status[1:2] == "i" and (name in named or is_of_otp(name)):
            (held if status[0] == "h" else wanted).append(name)
    return sorted(wanted), sorted(held)


def simulated(text: str) -> tuple[list[Change], list[str]]:
    """What `apt-get --simulate install` would install, and the packages that it would remove."""
    found = [_INSTALL.match(line) for line in text.splitlines()]
    changes = [Change(one["name"], one["installed"], one["candidate"]) for one in found if one]
    removed = [one["name"] for one in map(_REMOVE.match, text.splitlines()) if one]
    return sorted(changes, key=lambda change: change.name), sorted(removed)


@dataclass(frozen=True)
class Host:
    """One host of the run, as the module package_upgrades and the plan have seen it.

    vm: the package of `erl`, "" where it is of none. products: package of each product's unit, by the name of the product. versions: installed
    version of these packages. stopped: nodes that do not run. without_san: nodes whose certificate has no subject alternative name. explicit: whether
    the operator lists the packages. tables: `otp_releases` of each product.
    """

    name: str
    changes: tuple[Change, ...]
    removed: tuple[str, ...]
    held: tuple[str, ...]
    error: str
    vm: str
    products: Mapping[str, str]
    versions: Mapping[str, str]
    stopped: tuple[str, ...]
    without_san: tuple[str, ...]
    explicit: bool
    tables: Mapping[str, Sequence[Sequence[object]]]

    @classmethod
    def read(cls, name: str, raw: Mapping[str, Any]) -> Host:
        """raw: `packages` (result of the module), `nodes` (of the plan), `units` (of the observation), `sans` by node, `explicit`."""
        packages, units = raw["packages"], raw.get("units") or {}
        owners = packages["owners"]
        return cls(
            name=name,
            changes=tuple(Change(one["name"], one["installed"], one["candidate"]) for one in packages["changes"]),
            removed=tuple(packages["removed"]),
            held=tuple(packages["held"]),
            error=packages["error"],
            vm=packages["vm"],
            products={node["product"]: owners[node["unit"]] for node in raw["nodes"] if owners.get(node["unit"])},
            versions=packages["versions"],
            stopped=tuple(node["node"] for node in raw["nodes"] if (units.get(node["unit"]) or {}).get("active") != "active"),
            without_san=tuple(node for node, sans in sorted((raw.get("sans") or {}).items()) if not sans),
            explicit=bool(raw.get("explicit")),
            tables={node["product"]: ProductData.parse(node["product_data"] or {}).otp_releases for node in raw["nodes"]},
        )

    def version(self, package: str) -> str:
        """The version that the package will have."""
        return next((one.candidate for one in self.changes if one.name == package), self.versions.get(package, ""))

    @property
    def release(self) -> int | None:
        """The major release of OTP now."""
        return _major(self.versions.get(self.vm, ""))

    @property
    def next_release(self) -> int | None:
        return _major(self.version(self.vm))

    @property
    def upgrades_otp(self) -> bool:
        return any(one.name == self.vm for one in self.changes)


def upgrade(hosts: Mapping[str, Mapping[str, Any]], outside: Sequence[str], restart_from: str = "") -> dict[str, Any]:
    """What speaks against the upgrade (`blockers`), and by host what changes (`changes`, a text for each package, and `packages` as apt wants them).

    hosts: see Host.read. outside: hosts of members that are not in the run. restart_from: when nodes may restart, empty for now.
    """
    read = [Host.read(name, raw) for name, raw in sorted(hosts.items())]
    changing = [host for host in read if host.changes]
    blockers = [blocker for host in read for blocker in _of_host(host)] + list(_of_cluster(read, outside)) if changing else []
    if changing and restart_from:
        blockers.append(
            f"{', '.join(host.name for host in changing)} (restart_window): the nodes have to restart, and restarts wait for beam_restart_window "
            f"({restart_from}). Fix: run in the window, or with --extra-vars beam_restart_window=any."
        )
    errors = [f"{host.name} (packages): apt cannot upgrade: {host.error}. Fix: correct this on {host.name}." for host in read if host.error]
    return {
        "blockers": errors + blockers,
        "changes": {host.name: [str(one) for one in host.changes] for host in read},
        "packages": {host.name: [f"{one.name}={one.candidate}" for one in host.changes if one.installed] for host in read},
        "held": {host.name: list(host.held) for host in read if host.held},
    }


def _of_host(host: Host) -> Iterator[str]:
    if host.removed:
        yield (
            f"{host.name} (packages_removed): the upgrade would remove {', '.join(host.removed)}. "
            f"Fix: upgrade or remove these packages with apt on {host.name}, or list packages in beam_otp_upgrade_packages."
        )
    if host.stopped:
        yield (
            f"{host.name} (node_stopped): {', '.join(host.stopped)} does not run, and the others restart one at a time. "
            "Fix: start it with beam.cluster.site, then upgrade."
        )
    yield from (_of_product(host, product, package) for product, package in sorted(host.products.items()) if _of_product(host, product, package))


def _of_product(host: Host, product: str, package: str) -> str:
    now, then = (upstream(version) or "" for version in (host.versions.get(package, ""), host.version(package)))
    if now.split(".")[:2] != then.split(".")[:2] and not host.explicit:
        return (
            f"{host.name} (product_series): {package} {now} would become {then}, another release series with upgrade steps of its own. "
            f"Fix: read the product's upgrade guide. Then list all packages to upgrade in beam_otp_upgrade_packages, with or without {package}."
        )
    highest = _highest(host.tables.get(product, ()), then)
    if host.upgrades_otp and highest and host.next_release and host.next_release > highest and host.next_release != host.release:
        return (
            f"{host.name} (product_otp): {package} {then} supports OTP {highest} and earlier, and OTP would become {host.next_release}. "
            f"Fix: upgrade {package} first, or set beam_otp_upgrade_version to a version of OTP {highest}."
        )
    return ""


def _of_cluster(hosts: Sequence[Host], outside: Sequence[str]) -> Iterator[str]:
    if not any(host.upgrades_otp for host in hosts):
        return
    nodes = [node for host in hosts for node in host.without_san]
    if nodes:
        yield (
            f"{', '.join(nodes)} (certificate_san): the certificate has no subject alternative name. OTP 26.2.5.21, 27.3.4.12, 28.5.0.1, 29.0.1 and "
            "patched packages of earlier versions (OTP-20130) refuse it, and the mesh would break. Fix: issue certificates with a DNS or IP name "
            "(beam.cluster.site, or beam_pki_certificate)."
        )
    changed = [host.name for host in hosts if host.release != host.next_release]
    if changed and outside:
        yield (
            f"{', '.join(outside)} (outside_run): not in this run, and OTP changes to another major release on {', '.join(changed)}. It is unknown "
            "whether they can connect afterwards. Fix: run without --limit."
        )
    releases = {host.name: {host.release, host.next_release} - {None} for host in hosts}
    known = sorted({int(release) for found in releases.values() for release in found if release is not None})
    now = [int(host.release) for host in hosts if host.release is not None]
    # A cluster that is further apart already, and whose links work, gets its patches, and may come closer.
    if known and known[-1] - known[0] > max(MOST_RELEASES, max(now, default=0) - min(now, default=0)):
        where = "; ".join(f"{name}: OTP {', '.join(map(str, sorted(filter(None, found))))}" for name, found in releases.items())
        yield (
            f"{where} (release_distance): nodes connect to nodes of at most {MOST_RELEASES} major releases before and after theirs, and all of these "
            f"run at once during the upgrade. Fix: upgrade all hosts to OTP {known[0] + MOST_RELEASES} or earlier first (beam_otp_upgrade_version)."
        )


def _highest(table: Sequence[Sequence[object]], version: str) -> int | None:
    """The highest major release of OTP that a product supports. table: [version from which on it counts, release], oldest first."""
    found = None
    for first, release in table:
        if version and key(version) >= key(str(first)):
            found = int(str(release))
    return found


def _major(version: str) -> int | None:
    number = (upstream(version) or "").partition(".")[0]
    return int(number) if number.isdigit() else None

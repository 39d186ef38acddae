# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is to be seen on a host before anybody changes it.

Private to this collection.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import socket
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._model.installed import EPMD_SERVICE
from .._wire.constants import EPMD_PORT
from . import (
    accounts,
    apparmor,
    applications,
    boot_starts,
    certificates,
    client_ports,
    companions,
    cookies_of_other_users,
    crls,
    database_names,
    file_servers,
    files,
    firewall,
    firewall_at_boot,
    forwards,
    home_files,
    installed_otp,
    interfaces,
    job_file_changes,
    mounts_at_boot,
    obstacles,
    operator_settings,
    package_files,
    proc,
    process_hardening,
    product_files,
    product_of_vm,
    product_settings,
    running_otp,
    secrets_at_rest,
    system,
    sysusers,
    tmpfiles,
    units,
)

_UNITS = (
    "beam-firewall.service",
    EPMD_SERVICE,
    "epmd.socket",
    *firewall_at_boot.OTHERS,
)


def observe(
    extra_units: Iterable[str] = (),
    extra_files: Iterable[str] = (),
    epmd_port: int = EPMD_PORT,
    *,
    nodes: Sequence[operator_settings.Question] = (),
    users: Iterable[str] = (),
    otp_root: str = "",
    writes: Iterable[str] = (),
    find_secrets: bool = False,
    run_key: str | None = None,
) -> dict[str, Any]:
    """The observation. Needs no privilege, but sees more with it: sockets' owners, environments, the ruleset.

    nodes: the planned nodes, of which the operator's settings are read. users: accounts to look for. otp_root: where the host's OTP is, "" to search.
    writes: files that a run would write, beside those of every run.
    find_secrets: look for cookies and private keys, too. run_key: a random key under which cookies of several hosts are compared.
    unknown: for each part that is None, or not whole, why.
    """
    epoch = time.time()
    apt = installed_otp.ask_apt()
    unknown: dict[str, str] = {}
    found = proc.beam_processes()
    processes = [one for one in found if not one.container]
    listeners = proc.listeners()
    here = addresses()
    seen_units = _units((*extra_units, *(node.unit for node in nodes)), processes, unknown)
    of_nodes = product_of_vm.looked_at((one.home, one.flags.ssl_options_file, one.flags.args_files, one.tls_files) for one in processes if one.home)
    listing = files.describe_all([*extra_files, *of_nodes])
    pems, failed = certificates.describe_all(str(entry["path"]) for entry in listing.entries if entry["kind"] != "directory")
    found_secrets, search_ended = _secrets(listing, processes, seen_units, run_key) if find_secrets else (None, "")
    _name_sockets(listeners or [])
    seen_firewall = firewall.summary(seen_units)
    installed = installed_otp.installed(otp_root)
    redirected = operator_settings.redirected(seen_units)
    reasons = {
        "listeners": "" if listeners is not None else "/proc/net/tcp cannot be read",
        "addresses": "" if here is not None else "the kernel did not list the addresses (netlink)",
        "files": "" if listing.whole else f"there are more than {files.MOST} files, the rest was not looked at",
        "certificates": failed,
        "secrets": search_ended,
        "firewall": "" if seen_firewall["readable"] else _why_unreadable(seen_firewall),
    }
    unknown.update((part, why) for part, why in reasons.items() if why)
    return {
        "epoch": epoch,
        "python": platform.python_version(),
        "interpreter": {"executable": sys.executable or None, "cryptography": importlib.util.find_spec("cryptography") is not None},
        "privileged": os.geteuid() == 0,
        "hostname": platform.node(),
        "init": units.init(),
        "systemd": units.version(),
        "obstacles": obstacles.describe(writes),
        "links": obstacles.links(writes),
        "distribution": distribution(),
        "ipv6": has_ipv6(),
        "unprivileged_port": proc.unprivileged_port(),
        "accounts": accounts.describe(users),
        "settings": operator_settings.settings(nodes, seen_units),
        "profiles": apparmor.describe(seen_units or {}, (node.unit for node in nodes)),
        "databases": database_names.describe(nodes, seen_units),
        "companions": companions.describe(processes, redirected=redirected),
        "cookies_of_other_users": cookies_of_other_users.describe(
            {node.unit: {node.home, *(one.home for one in processes if one.unit == node.unit and one.home)} - {""} for node in nodes}
        ),
        "home_files": home_files.describe(
            {
                node.unit: (
                    node.home,
                    [
                        *home_files.of_account(str((seen_units or {}).get(node.unit, {}).get("user") or "")),
                        *(one.home for one in processes if one.unit == node.unit and one.home),
                    ],
                )
                for node in nodes
            }
        ),
        "addresses": here,
        "firewall": seen_firewall,
        "ephemeral_ports": proc.ephemeral_ports(),
        "listeners": listeners,
        "processes": [
            {
                **_as_dict(one, listeners),
                "vm": None if one.process == "epmd" else running_otp.describe(one.pid),
                "writes": proc.writes(one.pid, output=one.unit not in redirected),
            }
            for one in processes
        ],
        "contained": [_as_dict(one, listeners) for one in found if one.container],
        "system": {**_system(listing, found, find_secrets), "forwards": _forwards(listeners, processes, epmd_port)},
        "units": seen_units,
        "files": listing.entries,
        "missing": listing.missing,
        "certificates": pems,
        "crls": crls.describe_all(),
        "secrets": found_secrets,
        "epmd": epmd(listeners or [], epmd_port),
        "otp": {**installed, **installed_otp.candidate(apt.output())},
        "otp_roots": [_root(one, processes, found) for one in installed_otp.roots(str(installed["root"]) if installed["root"] else None, found)],
        "unknown": unknown,
    }


def _as_dict(process: proc.Process, listeners: Iterable[Mapping[str, object]] | None) -> dict[str, object]:
    ports = {int(str(one["port"])) for one in listeners or () if one["pid"] == process.pid}
    try:
        hardening: dict[str, object] | None = process_hardening.describe(process.pid, listening=ports)
    except OSError:
        # os.path.realpath() raises where a link of /proc goes away under it. Of a process that has ended there is nothing to know.
        hardening = None if os.path.exists(f"/proc/{process.pid}") else {}
    return {**proc.as_dict(process), "hardening": hardening}


def _system(listing: files.Listing, found: Sequence[proc.Process], find_secrets: bool) -> dict[str, object]:
    machines = [one for one in found if one.process != "epmd" and not one.container]
    homes = {one.home for one in machines if one.home}
    cookie_files = {str(entry["path"]) for entry in listing.entries if str(entry["path"]).endswith(f"/{secrets_at_rest.COOKIE}")}
    products = {product: product_files.variables_of(one.pid) for one in machines for product in one.traces}
    said = system.describe(homes, {one.user for one in machines} - {"root"}, cookie_files if find_secrets else None)
    watched = {str(entry["path"]) for entry in listing.entries} | {"/etc/beam/guard", "/etc/systemd/system"}
    said["package_files"] = package_files.describe({package_files.ROOT, *(one.root for one in machines if one.root)}) if find_secrets else None
    at_boot = [*tmpfiles.describe({*watched, *homes}), *mounts_at_boot.describe({*watched, *homes})]
    said["tmpfiles"] = [*at_boot, *(job_file_changes.describe(watched) if find_secrets else ())]
    said["starts"] = boot_starts.describe() if find_secrets else None
    said["sysusers"] = sysusers.describe({one.user for one in machines} - {"root", ""})
    # Of files that everybody may read, it is no matter which hosts do so.
    private = {str(entry["path"]) for entry in listing.entries if entry["kind"] == "file" and not int(str(entry["mode"]), 8) & 0o004}
    said["served"] = file_servers.describe({*private, *homes}, {one.user for one in machines})
    return {**said, "settings": product_settings.describe(products), "client_ports": client_ports.describe(products)}


def _forwards(
    listeners: Sequence[Mapping[str, object]] | None, processes: Iterable[proc.Process], epmd_port: int
) -> list[dict[str, object]] | None:
    """What leads to EPMD or to a port of a VM: of this host, or of another member with the same ports."""
    machines = {one.pid for one in processes}
    ports = {int(str(one["port"])) for one in listeners or () if one["pid"] in machines}
    return forwards.describe(firewall.ruleset(), listeners, {*ports, epmd_port})


def _secrets(
    listing: files.Listing, processes: Iterable[proc.Process], seen_units: Mapping[str, Mapping[str, Any]] | None, run_key: str | None
) -> tuple[dict[str, object], str]:
    machines = [one for one in processes if one.process != "epmd"]
    cookie_files = [str(entry["path"]) for entry in listing.entries if str(entry["path"]).endswith(f"/{secrets_at_rest.COOKIE}")]
    environment_files = {path.lstrip("-") for unit in (seen_units or {}).values() for path in unit.get("environment_files") or ()}
    homes, roots = ({str(value) for value in values if value} for values in ((one.home for one in machines), (one.root for one in machines)))
    roots.update(filter(None, (proc.working_directory(one.pid) for one in machines)))
    return secrets_at_rest.look(cookie_files, sorted(homes), sorted(roots), sorted(environment_files), {one.user for one in machines}, run_key)


def _units(extra: Iterable[str], processes: Iterable[proc.Process], unknown: dict[str, str]) -> dict[str, dict[str, object]] | None:
    """The units that matter, those of nodes and of EPMD rated."""
    nodes = {*extra, *units.ours(), *(str(one.unit) for one in processes if str(one.unit).endswith(".service"))}
    seen = units.show({*_UNITS, *nodes})
    if seen is None:
        unknown["units"] = "the host does not run systemd" if units.init() != "systemd" else "systemctl show did not answer"
        return None
    for name, said in units.at_boot(seen).items():
        seen[name]["at_boot"] = said
    why = units.rate(seen, {*nodes.difference(_UNITS), EPMD_SERVICE})
    if why:
        unknown["exposure"] = why
    return seen


def _root(one: dict[str, Any], processes: Iterable[proc.Process], found: Iterable[proc.Process]) -> dict[str, Any]:
    """An installation with its applications and its package, where no VM of the host itself says what it runs."""
    own = {process.pid for process in processes}
    if own.intersection(one["pids"]):
        return {**one, "applications": None, "package": None, "container": False}
    contained = next((process.pid for process in found if process.pid in one["pids"]), None)
    prefix = f"/proc/{contained}/root" if contained is not None else ""
    return {**one, **applications.of_root(str(one["root"]), prefix), "container": contained is not None}


def _why_unreadable(seen: Mapping[str, object]) -> str:
    if not seen["nft"]:
        return "there is no nft on the host"
    return "nft did not list the ruleset" if os.geteuid() == 0 else "only root may list the ruleset"


def _name_sockets(listeners: list[dict[str, object]]) -> None:
    """A socket that only systemd holds belongs to a socket unit."""
    held = [entry for entry in listeners if entry["pid"] == 1]
    if not held:
        return
    known = units.sockets()
    for entry in held:
        address = f"[{entry['address']}]" if entry["family"] == 6 else entry["address"]
        names = [f"{address}:{entry['port']}"] + ([f"*:{entry['port']}"] if entry["address"] in ("0.0.0.0", "::") else [])
        entry["unit"] = next((known[name] for name in names if name in known), entry["unit"])


def epmd(listeners: Iterable[Mapping[str, object]], port: int = EPMD_PORT) -> dict[str, object]:
    """Where something listens on epmd's port, and who that is."""
    here = [entry for entry in listeners if entry["port"] == port]
    return {
        "listening": [entry["address"] for entry in here],
        "owner_unit": next((entry["unit"] for entry in here if entry["unit"]), None),
        "owner_user": next((entry["user"] for entry in here), None),
        "owner_process": next((entry["process"] for entry in here if entry["process"]), None),
    }


def epmd_address(seen: Mapping[str, Any]) -> str | None:
    """Where to ask the host's own EPMD: on loopback where it listens there. None where nothing listens."""
    listening = seen["epmd"]["listening"] if seen["listeners"] is not None else ["0.0.0.0"]
    places = {"0.0.0.0": "127.0.0.1", "::": "::1", "127.0.0.1": "127.0.0.1", "::1": "::1"}
    return next((places[place] for place in places if place in listening), next(iter(listening), None))


def addresses() -> list[dict[str, object]] | None:
    """Every address of the host, with whether its interface carries the family's default route."""
    listed = interfaces.list_addresses()
    if listed is None:
        return None
    default = proc.default_interfaces()
    return [
        {"interface": interface, "address": address, "family": family, "prefix": prefix, "default_route": (interface, family) in default}
        for interface, address, family, prefix in listed
    ]


def has_ipv6() -> bool:
    """Whether the kernel has IPv6: not with ipv6.disable=1."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def distribution() -> dict[str, object]:
    """From os-release(5)."""
    values: dict[str, str] = {}
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        try:
            with open(path, encoding="utf-8") as stream:
                values = dict(line.rstrip("\n").split("=", 1) for line in stream if "=" in line and not line.startswith("#"))
            break
        except OSError:
            continue
    names = {"id": "ID", "version_id": "VERSION_ID", "codename": "VERSION_CODENAME"}
    texts = {ours: values[theirs].strip("\"'") if theirs in values else None for ours, theirs in names.items()}
    return {**texts, "like": values.get("ID_LIKE", "").strip("\"'").split()}

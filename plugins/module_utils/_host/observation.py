# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is to be seen on a host before anybody changes it.

Private to this collection.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable, Mapping

from .._net.interfaces import list_addresses
from . import files, firewall, otp, proc, units, vm

EPMD_PORT = 4369
_UNITS = (
    "beam-firewall.service",
    "epmd.service",
    "epmd.socket",
    "firewalld.service",
    "nftables.service",
    "ufw.service",
)


def observe(extra_units: Iterable[str] = (), extra_files: Iterable[str] = ()) -> dict[str, object]:
    """The observation. Needs no privilege, but sees more with it: sockets' owners, environments, the ruleset."""
    epoch = time.time()
    apt = otp.ask_apt()
    processes = [{**one, "vm": None if one["process"] == "epmd" else vm.describe(int(str(one["pid"])))} for one in proc.processes()]
    seen_units = units.show({*_UNITS, *extra_units, *(str(one["unit"]) for one in processes if str(one["unit"]).endswith(".service"))})
    listeners = proc.listeners()
    _name_sockets(listeners)
    return {
        "epoch": epoch,
        "python": platform.python_version(),
        "privileged": os.geteuid() == 0,
        "hostname": platform.node(),
        "init": units.init(),
        "distribution": distribution(),
        "addresses": addresses(),
        "firewall": firewall.summary(seen_units),
        "ephemeral_ports": proc.ephemeral_ports(),
        "listeners": listeners,
        "processes": processes,
        "units": seen_units,
        "files": files.describe_all(extra_files),
        "epmd": epmd(listeners),
        "otp": {**otp.installed(), **otp.candidate(apt.output())},
    }


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


def epmd(listeners: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Where something listens on epmd's port, and who that is."""
    here = [entry for entry in listeners if entry["port"] == EPMD_PORT]
    return {
        "listening": [entry["address"] for entry in here],
        "owner_unit": next((entry["unit"] for entry in here if entry["unit"]), None),
        "owner_user": next((entry["user"] for entry in here), None),
        "owner_process": next((entry["process"] for entry in here if entry["process"]), None),
    }


def addresses() -> list[dict[str, object]]:
    """Every address of the host, with whether its interface carries the family's default route."""
    default = proc.default_interfaces()
    return [
        {"interface": interface, "address": address, "family": family, "prefix": prefix, "default_route": (interface, family) in default}
        for interface, address, family, prefix in list_addresses()
    ]


def distribution() -> dict[str, str | None]:
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
    return {ours: values[theirs].strip("\"'") if theirs in values else None for ours, theirs in names.items()}

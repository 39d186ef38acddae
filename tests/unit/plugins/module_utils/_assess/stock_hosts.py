# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that nobody planned, as the module observe returns them: values of real nodes (OTP 25 to 27), put together by hand."""

from __future__ import annotations

from typing import Any

ADDRESSES = [
    {"interface": "lo", "address": "127.0.0.1", "family": 4, "prefix": 8, "default_route": False},
    {"interface": "eth0", "address": "10.9.0.5", "family": 4, "prefix": 24, "default_route": True},
]
NO_FLAGS: dict[str, Any] = {
    "name": None,
    "long_names": False,
    "hidden": False,
    "proto_dist": "inet_tcp",
    "proto_dist_given": 0,
    "ssl_options_file": None,
    "ssl_options": [],
    "args_files": [],
    "config_files": [],
    "kernel": {},
    "fixed_port": None,
    "listens": True,
    "cookie": "none",
    "arguments_read": True,
}


def listener(port: int, pid: int | None, address: str = "0.0.0.0", process: str = "beam.smp", unit: str | None = None) -> dict[str, Any]:
    return {"address": address, "port": port, "family": 4, "pid": pid, "process": process, "unit": unit, "user": "app"}


def vm(pid: int, flags: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return {
        "pid": pid,
        "process": "beam.smp",
        "user": "app",
        "unit": None,
        "flags": {**NO_FLAGS, **(flags or {})},
        "digest": None,
        "started": 1.0,
        "core_limit": 0,
        "home": "/home/app",
        "root": "/usr/lib/erlang",
        "container": False,
        "traces": [],
        "tls_files": None,
        "vm": {
            "executable": "/usr/lib/erlang/erts-15.2.7/bin/beam.smp",
            "otp_root": "/usr/lib/erlang",
            "erts": "15.2.7",
            "installed_erts": "15.2.7",
            "version": "27.3.4.1",
            "package": None,
            "replaced": [],
        },
        **values,
    }


def host(
    *processes: dict[str, Any], names: dict[str, int] | None = None, listeners: tuple[dict[str, Any], ...] = (), **values: Any
) -> dict[str, Any]:
    return {
        "epoch": 1_795_000_000.0,
        "hostname": "box.example.org",
        "privileged": True,
        "init": "systemd",
        "addresses": ADDRESSES,
        "processes": list(processes),
        "contained": [],
        "listeners": list(listeners),
        "epmd_names": names or {},
        "units": {},
        "files": [],
        "missing": [],
        "firewall": None,
        "certificates": [],
        "otp_roots": [],
        "unknown": {},
        **values,
    }

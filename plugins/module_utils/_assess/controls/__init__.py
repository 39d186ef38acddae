# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls as data: one entry for each question that makes a cluster hardened, in one file for each subject.

Private to this collection, pure. Each control has exactly one check, or is an attack (attacks.py); a test holds that, and another one that
docs/controls.md says the same.
"""

from __future__ import annotations

from . import (
    audit,
    certificates,
    confinement,
    cookies,
    epmd,
    firewall,
    listeners,
    mesh,
    node_home,
    processes,
    products,
    programs,
    reachability,
    revocation,
    running_node,
    startup,
    system,
    tls_handshake,
    tls_options,
    units,
)
from .control import LOOKS_AT, SEVERITIES, Control
from .references import DESIGN

__all__ = ("BY_ID", "CONTROLS", "DESIGN", "LOOKS_AT", "ADVISORIES", "SEVERITIES", "Control")

_SUBJECTS = (
    epmd, listeners, firewall, reachability, tls_handshake, tls_options, certificates, revocation, cookies, node_home, units, processes, startup,
    confinement, mesh, running_node, programs, products, system, audit,
)
CONTROLS: tuple[Control, ...] = tuple(control for subject in _SUBJECTS for control in subject.CONTROLS)

ADVISORIES = (
    "clock_ahead", "cookies_of_other_users", "forgotten_node", "forwarded_packets", "host_firewall_accepts", "one_network", "outside_tls",
    "shared_epmd", "stale_host", "sudo_refused", "tool_refused", "umask_narrowed",
    "unknown_version",
)
"""Advisories that a waiver may be about, beside controls and vulnerabilities (by their CVE)."""

BY_ID = {control.id: control for control in CONTROLS}

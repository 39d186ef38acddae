# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls that have no seeded fault of bare nodes."""

from __future__ import annotations

NO_FAULT = {
    "advisories-age": "the table is the collection's, on the controller; a host has no part in it",
    "audit-coverage": "it is about hosts that a run did not reach; a host that verify does not reach ends the run",
    "waivers": "waivers are variables of the run",
    "policy": "a policy is a variable of the run",
    "cookie-release": "bare nodes are no releases",
}
"""Controls that no fault of a bare node of the lab can fail, and why."""

NOT_YET = frozenset(
    {
        "atom-table",
        "crash-dump-settings",
        "epmd-commands",
        "epmd-debug",
        "epmd-needed",
        "epmd-user",
        "key-log",
        "node-user",
        "port-range",
        "ssh-daemons",
    }
)
"""Controls that nobody has seen failing on a host yet. To be emptied."""

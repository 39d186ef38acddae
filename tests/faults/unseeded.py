# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controls that have no seeded fault of bare nodes."""

from __future__ import annotations

NO_FAULT = {
    "advisories-age": "the table is the collection's, on the controller; a host has no part in it",
    "audit-coverage": "it is about hosts that a run did not reach; a host that verify does not reach ends the run",
    "clock-skew": "containers of the lab have the clock of their host",
    "waivers": "waivers are variables of the run",
    "policy": "a policy is a variable of the run",
    "cookie-release": "bare nodes are no releases",
    "epmd-needed": "the nodes of the lab use EPMD; without EPMD in the plan, epmd-listeners finds one that runs",
    "node-user": "the user is the plan's; running-process finds a node of another user",
    "port-range": "the range is the plan's; distribution-listeners finds a node outside it",
    **dict.fromkeys(
        ("rabbitmq-management", "rabbitmq-guest", "rabbitmq-passwords", "rabbitmq-anonymous", "rabbitmq-logins-running"),
        "bare nodes are no RabbitMQ: see rabbitmq.py"
    ),
    **dict.fromkeys(("ejabberd-files", "ejabberd-log-level"), "bare nodes are no ejabberd: see ejabberd.py"),
    "revocation-lists": "the plan of the lab has no CRLs (beam_pki_crl); tests/lab revokes",
    "revoked-certificate": "the plan of the lab has no CRLs (beam_pki_crl); tests/lab revokes",
    "ssh-daemons": "hosts of the lab have no application ssh",
}
"""Controls that no fault of a bare node of the lab can fail, and why."""

NOT_YET: frozenset[str] = frozenset()
"""Controls that nobody has seen failing on a host yet. To be emptied."""

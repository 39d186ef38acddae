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
    "clock-skew": "the hosts of the lab have the clock of its machine",
    "system-core-dumps": "the kernel's settings are those of the machine that runs the lab",
    "system-ptrace": "the kernel's settings are those of the machine that runs the lab",
    "system-swap": "the kernel's settings are those of the machine that runs the lab",
    "system-time": "the hosts of the lab have the clock of its machine",
    "container-cookie": "no container runs in the hosts of the lab",
    "container-ports": "no container runs in the hosts of the lab",
    "container-privileges": "no container runs in the hosts of the lab",
    "ejabberd-files": "bare nodes have no ejabberd",
    "ejabberd-log-level": "bare nodes have no ejabberd",
    "rabbitmq-anonymous": "bare nodes have no RabbitMQ",
    "rabbitmq-guest": "bare nodes have no RabbitMQ",
    "rabbitmq-management": "bare nodes have no RabbitMQ",
    "cookie-release": "bare nodes are no releases",
    "embedded-mode": "bare nodes are no releases",
    "release-applications": "bare nodes are no releases",
}
"""Controls that no fault of a bare node of the lab can fail, and why."""

NOT_YET = frozenset(
    {
        "atom-table",
        "certificate-validity",
        "cipher-suites",
        "cookie-age",
        "cookie-products",
        "crash-dump-settings",
        "distribution-needed",
        "early-data",
        "epmd-commands",
        "epmd-debug",
        "epmd-needed",
        "epmd-running",
        "epmd-user",
        "ipv6-exposure",
        "key-log",
        "log-files",
        "node-user",
        "openssl-maintained",
        "options-running",
        "options-verify",
        "otp-maintained",
        "otp-same",
        "partition-settings",
        "port-range",
        "program-protections",
        "remote-shells",
        "renegotiation",
        "revocation",
        "session-resumption",
        "signature-algorithms",
        "ssh-daemons",
        "system-processes",
    }
)
"""Controls that nobody has seen failing on a host yet. To be emptied."""

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known vulnerabilities of the observed hosts, and whether the table of them is of today.

Private to this collection, pure. An old table fails a run that relies on it: one whose operator gave a table, or lets advisories fail the run.
In any other run its age is an advisory, like the vulnerabilities themselves.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from ..._model.advisories import Advisory
from ..controls import BY_ID
from ..controls.programs import VULNERABILITIES_AGE
from ..controls.thresholds import VULNERABILITIES_AGE_MAX
from ..finding import FAILED, NEVER, NOT_APPLICABLE, PASSED, Evidence, Finding
from ..vulnerabilities import Memo, host_advisories

CONTROLS = (VULNERABILITIES_AGE,)
FORWARDED = "forwarded_packets"
"""The advisory about a host that masquerades. It is in controls.ADVISORIES."""


def advisory_findings(evidence: Evidence, advisories_fail_at: str) -> Iterator[Finding]:
    """One finding: the age of the table."""
    age = _age(evidence)
    if age is None:
        status, detail = NOT_APPLICABLE, "no table of vulnerabilities was given"
    elif age <= VULNERABILITIES_AGE_MAX:
        status, detail = PASSED, _sentence(evidence, age)
    elif evidence.table_given or advisories_fail_at != NEVER:
        status, detail = FAILED, _sentence(evidence, age)
    else:
        status, detail = NOT_APPLICABLE, f"{_sentence(evidence, age)}, and advisories do not fail this run"
    yield Finding(VULNERABILITIES_AGE, status, (), evidence.target.group or "cluster", (detail,))


def vulnerability_advisories(evidence: Evidence, advisories_fail_at: str) -> Iterator[Advisory]:
    """Those of the hosts of the run, and the age of the table where it fails nothing."""
    if evidence.table is None:
        return
    age = _age(evidence) or 0
    if age > VULNERABILITIES_AGE_MAX and not evidence.table_given and advisories_fail_at == NEVER:
        control = BY_ID[VULNERABILITIES_AGE]
        title = f"Newer vulnerabilities are not in this report: {_sentence(evidence, age)}"
        yield Advisory(VULNERABILITIES_AGE, control.severity, "", title, "", control.fix)
    memo: Memo = {}
    for name, host in evidence.target.hosts.items():
        if host.in_run and name in evidence.seen:
            yield from host_advisories(evidence.seen[name], evidence.table, memo)


def forwarding_advisories(evidence: Evidence) -> Iterator[Advisory]:
    """Member hosts that hide others behind their own address: to the firewalls of the other members such a packet is a member's.

    Whether these others reach a member, their routes and the engine's tables decide; they still need a certificate and the cookie.
    """
    if not evidence.target.planned or evidence.target.mode != "cluster" or len(evidence.target.hosts) < 2:
        return
    for name, host in evidence.target.hosts.items():
        seen = evidence.seen.get(name)
        tables = seen.firewall.masquerades if seen and seen.firewall else None
        if host.in_run and host.nodes and tables:
            yield Advisory(
                FORWARDED,
                "low",
                name,
                "containers or guests of a member host reach the ports of other members under its address",
                f"masquerading in {', '.join(tables)}",
                "Run no foreign container on a member host, or drop forwarded packets to the ports of the cluster in a chain of hook forward.",
            )


def _age(evidence: Evidence) -> int | None:
    if evidence.table is None:
        return None
    return evidence.table.age(datetime.datetime.fromtimestamp(evidence.epoch, datetime.timezone.utc).date())


def _sentence(evidence: Evidence, age: int) -> str:
    table = evidence.table
    if table is None:
        return ""
    oldest = ", ".join(one.name for one in table.sources if one.date == table.date)
    return f"the table of vulnerabilities is of {table.date}{f' ({oldest})' if oldest else ''}, {age} days old"

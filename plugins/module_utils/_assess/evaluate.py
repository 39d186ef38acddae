# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From evidence to a verdict: every control on every subject. Pure; private to this collection.

What nobody looked at is C(not_tested), never passed: each check starts from what the plan says must be there, not from what
happens to be in the evidence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterator, Mapping, Sequence

from .attack_checks import _attack_findings, _outcomes
from .controls import CONTROLS, SEVERITIES
from .finding import Advisory, Evidence, Finding, Verdict, Waiver
from .host_checks import _host_findings
from .mesh_checks import _certificate_lifetime, _mesh_connected, _mesh_settings, _mesh_whole
from .waivers import _waive


def _advisories(evidence: Evidence) -> Iterator[Advisory]:
    raw: list[tuple[str, Mapping[str, Any]]] = [("", entry) for entry in evidence.plan.get("findings") or ()]
    raw += [(name, entry) for name, own in evidence.hosts.items() for entry in own.get("advisories") or ()]
    for host, entry in raw:
        severity = str(entry.get("severity") or "info")
        control = str(entry.get("cve") or entry.get("control") or "")
        yield Advisory(
            control=control,
            severity=severity if severity in SEVERITIES else "info",
            host=str(entry.get("host") or host),
            title=str(entry.get("title") or "").removeprefix(f"{control}: "),
            detail=str(entry.get("detail") or ""),
            fix=str(entry.get("fix") or (f"Fixed in {entry['fixed_in']}." if entry.get("fixed_in") else "")),
        )


def evaluate(evidence: Evidence, waivers: Sequence[Waiver] = (), fail_at: str = "never") -> Verdict:
    """Every control on every subject that the plan knows. C(fail_at): lowest severity at which an advisory fails, or C(never)."""
    outcomes = _outcomes(evidence)
    found = [
        *_host_findings(evidence),
        *_mesh_connected(evidence),
        *_certificate_lifetime(evidence),
        *_mesh_whole(evidence),
        *_mesh_settings(evidence),
        *_attack_findings(evidence, outcomes),
    ]
    order = {control.id: number for number, control in enumerate(CONTROLS)}
    found.sort(key=lambda finding: order[finding.control])
    notes = list(_advisories(evidence))
    wanting: list[Finding | Advisory] = [*(finding for finding in found if finding.bad), *notes]
    return Verdict(
        plan=evidence.plan,
        findings=tuple(_waive(finding, waivers) for finding in found),
        advisories=tuple(replace(note, waived=next((str(w) for w in waivers if w.covers(note)), "")) for note in notes),
        outcomes=tuple(outcomes),
        answers=tuple(evidence.answers),
        waivers=tuple(waivers),
        unused_waivers=tuple(waiver for waiver in waivers if not any(waiver.covers(one) for one in wanting)),
        fail_at=fail_at,
        outsiders=tuple(evidence.outsiders),
    )

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an audit ends: one category with a number of its own, and every other category that holds, too.

Private to this collection, pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .baseline import NEW, REGRESSED, Baseline
from .checks.audit import WAIVERS
from .checks.on_hosts import COVERAGE
from .controls import SEVERITIES
from .finding import FAILED, NEVER, NOT_TESTED, Finding, Verdict

CLEAN, FINDINGS, UNTESTED, UNREACHED, BAD_WAIVER = "clean", "findings", "not_tested", "not_reached", "bad_waiver"
CODES = {CLEAN: 0, FINDINGS: 2, UNTESTED: 3, UNREACHED: 4, BAD_WAIVER: 5}
"""1 is left to Ansible and to Python, for a run that broke."""

MEANINGS = {
    CLEAN: "nothing failed, and everything was tested",
    FINDINGS: "findings at or above beam_audit_fail_at",
    UNTESTED: "something was not tested",
    UNREACHED: "a host was not reached",
    BAD_WAIVER: "a waiver is invalid, has ended, or covers nothing",
}
_ORDER = (BAD_WAIVER, FINDINGS, UNREACHED, UNTESTED)
ANY = "any"
FAIL_ON = (NEW, ANY)


@dataclass(frozen=True)
class Exit:
    """categories: all that hold, the one that counts first. counts: how many findings, hosts or waivers are behind each."""

    categories: tuple[str, ...]
    counts: dict[str, int]

    @property
    def category(self) -> str:
        return self.categories[0]

    @property
    def code(self) -> int:
        return CODES[self.category]

    def as_dict(self) -> dict[str, object]:
        return {"code": self.code, "category": self.category, "categories": list(self.categories), "counts": dict(self.counts)}

    def __str__(self) -> str:
        rest = [f"{MEANINGS[category]} ({self.counts[category]})" for category in self.categories if category != CLEAN]
        return f"exit {self.code} ({self.category}): {'; '.join(rest) or MEANINGS[CLEAN]}"


def exit_of(verdict: Verdict, fail_at: str, fail_on: str = ANY) -> Exit:
    """fail_at: lowest severity of a failure that counts, or NEVER. fail_on: NEW counts only what does not fail in the baseline."""
    gone = _not_reached(verdict)
    counts = {
        BAD_WAIVER: sum(one.control == WAIVERS and one.status == FAILED for one in verdict.findings),
        FINDINGS: sum(1 for _one in failures(verdict.findings, fail_at, fail_on, verdict.baseline)),
        UNREACHED: len(gone),
        UNTESTED: sum(one.status == NOT_TESTED and not gone.intersection(one.hosts) for one in verdict.findings),
    }
    return Exit(tuple(category for category in _ORDER if counts[category]) or (CLEAN,), counts)


def failures(findings: Iterable[Finding], fail_at: str, fail_on: str, baseline: Baseline | None) -> Iterable[Finding]:
    if fail_at == NEVER:
        return
    floor = SEVERITIES.index(fail_at)
    for one in findings:
        if one.status != FAILED or one.control == WAIVERS or SEVERITIES.index(one.severity) < floor:
            continue
        if fail_on == NEW and baseline is not None and baseline.changes.get(one.fingerprint) not in (NEW, REGRESSED):
            continue
        yield one


def _not_reached(verdict: Verdict) -> frozenset[str]:
    """Hosts that were not reached, and that nobody accepts to be so."""
    open_hosts = {host for one in verdict.findings if one.control == COVERAGE and one.status == NOT_TESTED for host in one.hosts}
    return frozenset(host for host, reach in verdict.reach.items() if not reach.reached and host in open_hosts)

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts of every kind for the tests of the reports: passed, failed, partly untested, many nodes, hostile names."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import whole_cluster as made
from ansible_collections.beam.cluster.plugins.module_utils._assess.evaluate import evaluate
from ansible_collections.beam.cluster.plugins.module_utils._assess.finding import Verdict
from ansible_collections.beam.cluster.plugins.module_utils._assess.probes import CONNECT, Answer, Probe, Scope
from ansible_collections.beam.cluster.plugins.module_utils._assess.reports.model import Report
from ansible_collections.beam.cluster.plugins.module_utils._model.waivers import Waiver

SCHEMAS = Path(__file__).parent / "schemas"
HOSTILE_TITLE = "<script>alert(1)</script>"


def report(verdict: Verdict) -> Report:
    return Report(verdict, made.NOW, version="1.2.3")


@functools.lru_cache(maxsize=8)
def passed() -> Verdict:
    return evaluate(made.evidence())


@functools.lru_cache(maxsize=8)
def failed(**other: Any) -> Verdict:
    """One lost pair, one attack that got in, one host that was not looked at, one waiver, and a weakness with a strange title."""

    def answer(probe: Probe) -> Answer:
        told = made.hardened(probe)
        if (probe.control, probe.source, probe.target) == (CONNECT, "beam@n1", "beam@n2"):
            return replace(told, code="closed", stage="connect", message="<refused> & gone", tls=None)
        if (probe.control, probe.target) == ("plaintext", "beam@n3"):
            return replace(told, code="connected", stage="done")
        return told

    seen = made.hosts()
    seen["n3"]["units"]["beam.service"]["exposure"] = None
    seen["n1"]["units"]["beam.service"]["exposure"] = 3.9
    advisories = {"n1": [{"control": "CVE-2026-89422", "severity": "high", "title": HOSTILE_TITLE, "fixed_in": "27.3.4.18"}]}
    waiver = Waiver("unit-sandbox", "a device & a <driver>", "2026-12-31", "n1", owner="ops")
    return evaluate(made.evidence(seen=seen, answer=answer, advisories=advisories), [waiver], **other)


@functools.lru_cache(maxsize=8)
def untested() -> Verdict:
    """One host was not looked at, one node not asked, nobody attacked from outside."""
    return evaluate(made.evidence(seen={**made.hosts(), "n3": {}}, outsiders=[], mesh={"beam@n3": None}))


@functools.lru_cache(maxsize=8)
def one_lost() -> Verdict:
    """One node cannot be connected to, and connects to none: most results follow from that."""

    def answer(probe: Probe) -> Answer:
        told = made.hardened(probe)
        return replace(told, code="reset", stage="tls", tls=None) if probe.attack is None and "beam@n2" in (probe.source, probe.target) else told

    return evaluate(made.evidence(seen={**made.hosts(), "n3": {}}, answer=answer))


def plan_of(size: int) -> dict[str, Any]:
    of = made.plan()
    of["members"] = [
        {**of["members"][0], "node": f"beam@h{at:03}", "host": f"h{at:03}", "address": f"10.0.{at // 200}.{at % 200 + 1}"} for at in range(size)
    ]
    (node,) = of["hosts"]["n1"]["nodes"]
    of["hosts"] = {f"h{at:03}": {**made.plan()["hosts"]["n1"], "nodes": [{**node, "node": f"beam@h{at:03}"}]} for at in range(size)}
    return of


def lost_pair(probe: Probe) -> Answer | None:
    told = made.hardened(probe)
    lost = (probe.source, probe.target) == ("beam@h003", "beam@h004")
    return replace(told, code="filtered", tls=None) if lost else told


@functools.lru_cache
def large(size: int, scope: Scope | None = None, answer: Callable[[Probe], Answer | None] = made.hardened) -> Verdict:
    """A hardened cluster of that many hosts."""
    names = {f"h{at:03}": f"10.89.{at // 250}.{at % 250 + 1}" for at in range(size)}
    public = {name: address.replace("10.89.", "10.90.") for name, address in names.items()}
    with mock.patch.object(made, "HOSTS", names), mock.patch.object(made, "PUBLIC", public), mock.patch.object(made, "MEMBERS", list(names.values())):
        return evaluate(made.evidence(scope=scope or Scope(), answer=answer))


@functools.lru_cache(maxsize=8)
def hostile(text: str) -> Verdict:
    """The text is in every name, message and detail that a host or an operator can choose."""
    of, seen = made.plan(), made.hosts()
    of["group"] = text
    for member in of["members"]:
        member["node"] = f"{member['node']}{text}"
    for name, own in of["hosts"].items():
        own["nodes"][0]["node"] = f"beam@{name}{text}"
        own["nodes"][0]["unit"] = f"beam{text}.service"
        seen[name]["units"] = {f"beam{text}.service": {**made.unit(), "exposure": 3.9}}
        seen[name]["processes"][0]["user"] = text
        seen[name]["listeners"].append({"address": "0.0.0.0", "port": 9100, "family": 4, "pid": 1, "process": text, "unit": text, "user": text})
    nodes = [member["node"] for member in of["members"]]

    def answer(probe: Probe) -> Answer:
        told = made.hardened(probe)
        return replace(told, code=f"closed{text}", stage=f"connect{text}", message=text, tls=None) if probe.source == nodes[0] else told

    advisories = {text: [{"control": text, "severity": "high", "title": text, "detail": text, "fix": text}]}
    mesh = {nodes[0]: {"visible": [text], "hidden": [f"x@{text}"]}}
    waivers = [Waiver("unit-sandbox", text, "2026-12-31"), Waiver("old-tls", text, text, text, owner=text)]
    return evaluate(made.evidence(of=of, seen=seen, answer=answer, advisories=advisories, mesh=mesh, outsiders=[text]), waivers, "high")


@functools.lru_cache(maxsize=8)
def audited() -> Verdict:
    """Stock nodes that nobody planned, and a host that was not reached."""
    import test_audit

    return test_audit.audit(test_audit.stock_node, gone=["n3"])


KINDS: dict[str, Callable[[], Verdict]] = {
    "passed": passed,
    "failed": failed,
    "untested": untested,
    "one_lost": one_lost,
    "many": lambda: large(96, answer=lost_pair),
    "audited": audited,
    "hostile": lambda: hostile("<b>\"'&]]>\x1b[31m\u202e\x00=1+1"),
}


def schema(name: str) -> Any:
    return json.loads((SCHEMAS / name).read_text(encoding="utf-8"))

# Copyright (c) 2026, the beam.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One check per control that is about the nodes' connections with each other. Pure; private to this collection."""

from __future__ import annotations

import datetime
from typing import Any, Iterator, Mapping

from . import probes
from .controls import CERTIFICATE_DAYS_MIN
from .finding import FAILED, NOT_APPLICABLE, NOT_TESTED, PASSED, Evidence, Finding
from .host_checks import _verdict
from .probes import CONNECT, SELF, Answer
from .target import _OFF, _hosts_of, _off, _running_nodes


def _epoch(text: Any) -> float | None:
    """Seconds of a time as C(x509.py) tells it (ISO 8601, UTC)."""
    if isinstance(text, (int, float)):
        return float(text)
    try:
        moment = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp()


def _pair_problem(evidence: Evidence, answer: Answer) -> str:
    """What is wrong with a connection that should be whole; empty where nothing is."""
    if answer.code != "connected":
        where = f" at stage {answer.stage}" if answer.stage else ""
        return f"{answer.code}{where}: {answer.message}" if answer.message else f"{answer.code}{where}"
    tls = answer.tls or {}
    versions = evidence.plan["tls_versions"]
    if evidence.plan["tls"]:
        if not tls:
            return "connected in plain TCP"
        if tls.get("version") not in versions:
            return f"connected with {tls.get('version')}, not {' or '.join(versions)}"
        if not tls.get("peer"):
            return "connected without the peer's certificate"
    member = next(m for m in evidence.plan["members"] if m["node"] == answer.probe.target)
    if answer.port is not None and not member["ports"]["first"] <= answer.port <= member["ports"]["last"]:
        return f"connected at port {answer.port}, outside the window {member['ports']['first']}-{member['ports']['last']}"
    return ""


_CLEAR = "beam_tls is false: there is no certificate, see plaintext"


def _mesh_connected(evidence: Evidence) -> Iterator[Finding]:
    by_pair = {(a.probe.source, a.probe.target): a for a in evidence.answers if a.probe.control in (CONNECT, SELF)}
    for member in _running_nodes(evidence):
        source = member["node"]
        good = 0
        for probe in probes.connect_probes(evidence.plan, source):
            if probe.control == SELF and len(probes.reachable(evidence.plan, source)) > 1:
                continue
            answer = by_pair.get((source, probe.target))
            pair = f"{source} -> {probe.target}"
            hosts = _hosts_of(evidence, source, probe.target)
            if answer is None:
                yield Finding(CONNECT, NOT_TESTED, hosts, pair, ("no probe was made",))
                continue
            problem = _pair_problem(evidence, answer)
            if problem:
                yield Finding(CONNECT, FAILED, hosts, pair, (problem,))
            else:
                good += 1
        if good:
            how = "over TLS" if evidence.plan["tls"] else "in clear text"
            yield Finding(CONNECT, PASSED, _hosts_of(evidence, source), source, (f"connected to {good} {how}",))
        elif _off(evidence):
            yield Finding(CONNECT, NOT_APPLICABLE, _hosts_of(evidence, source), source, (_OFF,))


def _certificate_lifetime(evidence: Evidence) -> Iterator[Finding]:
    for member in _running_nodes(evidence):
        node = member["node"]
        ends = [
            end
            for answer in evidence.answers
            if answer.probe.target == node and answer.probe.control in (CONNECT, SELF) and answer.code == "connected" and answer.tls
            for end in [_epoch((answer.tls.get("peer") or {}).get("not_after"))]
            if end is not None
        ]
        hosts = _hosts_of(evidence, node)
        if not evidence.plan["tls"]:
            yield Finding("certificate-lifetime", NOT_APPLICABLE, hosts, node, (_OFF if _off(evidence) else _CLEAR,))
            continue
        if not ends:
            yield Finding("certificate-lifetime", NOT_TESTED, hosts, node, ("nobody was shown its certificate",))
            continue
        days = (min(ends) - evidence.epoch) / 86400
        status = PASSED if days >= CERTIFICATE_DAYS_MIN else FAILED
        yield Finding("certificate-lifetime", status, hosts, node, (f"{days:.0f} days left",))


def _told(evidence: Evidence, control: str, member: Mapping[str, Any]) -> Mapping[str, Any] | Finding:
    """What a node said of itself, or the finding that says why it said nothing."""
    node = member["node"]
    told = (evidence.mesh or {}).get(node)
    hosts = _hosts_of(evidence, node)
    if _off(evidence):
        return Finding(control, NOT_APPLICABLE, hosts, node, (_OFF,))
    if told is None:
        return Finding(control, NOT_TESTED, hosts, node, ("was not asked for its nodes()",))
    if told.get("code") not in (None, "connected"):
        return Finding(control, NOT_TESTED, hosts, node, (f"could not be asked for its nodes(): {told['code']}",))
    return told


def _mesh_whole(evidence: Evidence) -> Iterator[Finding]:
    for member in _running_nodes(evidence):
        node = member["node"]
        told = _told(evidence, "mesh-whole", member)
        if isinstance(told, Finding):
            yield told
            continue
        visible, hidden = told.get("visible") or (), told.get("hidden") or ()
        problems = []
        others = [other for other in probes.reachable(evidence.plan, node) if other["node"] != node]
        for other in others:
            # A link is hidden on both of its ends where either is.
            secret = member["hidden"] or other["hidden"]
            if other["node"] not in (hidden if secret else visible):
                problems.append(f"{node} misses {other['node']}{', which is hidden' if other['hidden'] else ''}")
            if secret and other["node"] in visible:
                problems.append(f"{node} sees {other['node']}, and the link should be hidden")
        status, details = _verdict(problems, f"sees {len(others)}")
        if not evidence.plan["settings"]["connect_all"] and status == FAILED:
            status, details = NOT_APPLICABLE, ("beam_connect_all is false: nodes connect when they need each other", *details)
        yield Finding("mesh-whole", status, _hosts_of(evidence, node), node, details)


_SETTINGS_TOLD = {
    "net_ticktime": "ticktime",
    "net_tickintensity": "tickintensity",
    "prevent_overlapping_partitions": "prevent_overlapping_partitions",
    "connect_all": "connect_all",
    "dist_auto_connect": "auto_connect",
}
"""Kernel parameters by the names under which M(beam.cluster.mesh_info) tells them."""


def _mesh_settings(evidence: Evidence) -> Iterator[Finding]:
    for member in _running_nodes(evidence):
        told = _told(evidence, "mesh-settings", member)
        if isinstance(told, Finding):
            yield told
            continue
        nodes = evidence.plan["hosts"][member["host"]]["nodes"]
        (wanted,) = (node["kernel"] for node in nodes if node["node"] == member["node"])
        problems = [
            f"runs with {name} {str(told.get(key)).lower()}, not {str(wanted[name]).lower()}"
            for name, key in _SETTINGS_TOLD.items()
            if told.get(key) != wanted[name]
        ]
        status, details = _verdict(problems, ", ".join(f"{name} {str(value).lower()}" for name, value in wanted.items()))
        yield Finding("mesh-settings", status, _hosts_of(evidence, member["node"]), member["node"], details)
